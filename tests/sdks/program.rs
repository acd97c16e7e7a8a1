//! One program in a folder of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use libtest_mimic::Failed;

use crate::clients::Tools;
use crate::stores::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

/// How long a program may take: one that waits for an answer that does not come shall not hold the suite.
const TIME: Duration = Duration::from_secs(600);

/// A program that is written down and, where its language wants that, compiled.
pub(crate) struct Program<'t> {
    folder: tempfile::TempDir,
    source: PathBuf,
    tools: &'t Tools,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) succeeded: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl<'t> Program<'t> {
    pub(crate) fn new(name: &str, source: &str, tools: &'t Tools) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let program = Self { source: folder.path().join(name), folder, tools };
        // What the programs of a language share.
        for shared in ["report.py", "report.mjs"] {
            std::fs::copy(folder_of_programs().join(shared), program.folder.path().join(shared))?;
        }
        std::fs::write(&program.source, source)?;
        #[cfg(unix)]
        if let Some(modules) = &tools.node_modules {
            std::os::unix::fs::symlink(modules, program.folder.path().join("node_modules"))?;
        }
        if !tools.compile.is_empty() {
            let ended = program.run_line(&tools.compile, &[])?;
            if !ended.succeeded {
                return Err(format!("it does not compile: {ended:?}").into());
            }
        }
        Ok(program)
    }

    /// Runs it with these variables and the credentials of the stores.
    pub(crate) fn run(&self, variables: &[(&str, &str)]) -> Result<Ended, Failed> {
        self.run_line(&self.tools.run, variables)
    }

    fn run_line(&self, words: &[String], variables: &[(&str, &str)]) -> Result<Ended, Failed> {
        let place = |word: &String| word.replace("{source}", &self.source.to_string_lossy()).replace("{folder}", &self.folder.path().to_string_lossy());
        let mut words = words.iter().map(place);
        let mut command = Command::new(words.next().ok_or("no program")?);
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Nothing of the machine's own settings may decide what a client does: no profile, no proxy on the way to loopback.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        let nothing = self.folder.path().join("no-such-file").into_os_string();
        let own: [(&str, OsString); 9] = [
            ("HOME", self.folder.path().into()),
            ("AWS_CONFIG_FILE", nothing.clone()),
            ("AWS_SHARED_CREDENTIALS_FILE", nothing),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("ACCESS_KEY_ID", ACCESS_KEY_ID.into()),
            ("SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.into()),
            ("NO_PROXY", "127.0.0.1,localhost".into()),
            ("no_proxy", "127.0.0.1,localhost".into()),
            ("PYTHONUTF8", "1".into()),
        ];
        let named = [("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)];
        let named = named.into_iter().chain([("OSS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("OSS_ACCESS_KEY_SECRET", SECRET_ACCESS_KEY)]);
        command.envs(own).envs(named).envs(variables.iter().copied()).envs(self.tools.env.iter().map(|(name, value)| (name, value)));
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let id = child.id();
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(TIME) else {
            let _ = Command::new("kill").arg(id.to_string()).status();
            return Err(format!("it did not end in {} seconds", TIME.as_secs()).into());
        };
        let output = output?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ended { succeeded: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) })
    }
}

/// A program of `tests/sdks/programs`.
pub(crate) fn source(name: &str) -> Result<String, Failed> {
    Ok(std::fs::read_to_string(folder_of_programs().join(name))?)
}

fn folder_of_programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks/programs")
}

/// Variables that the clients read.
fn is_setting(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    ["AWS_", "OSS_", "ALIBABA_", "MINIO_", "NODE_OPTIONS"].iter().any(|start| name.starts_with(start)) || name.ends_with("_PROXY")
}
