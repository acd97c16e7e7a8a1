//! One program of the guide in a folder of its own.

use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::Failed;

use crate::cloud::{Answer, Cloud};
use crate::guide::{Expected, Snippet};
use crate::tools::Tools;

/// No text in any encoding, so that a client that treats it as one is caught.
pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff\xfe\x80--\r\n\"picture\"\n\xf0\x9f";

/// A file to upload.
pub(crate) struct Upload {
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// What the program prints of its status, and how it ended.
#[derive(Debug)]
struct Ended {
    succeeded: bool,
    out: String,
    err: String,
}

/// A program that is written down and, where its language wants that, compiled.
pub(crate) struct Program<'t> {
    folder: tempfile::TempDir,
    source: PathBuf,
    tools: &'t Tools,
}

impl<'t> Program<'t> {
    pub(crate) fn new(snippet: &Snippet, source: &str, tools: &'t Tools) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let program = Self { source: folder.path().join(&snippet.file), folder, tools };
        std::fs::write(&program.source, source)?;
        for (name, content) in &tools.files {
            std::fs::write(program.folder.path().join(name), content)?;
        }
        #[cfg(unix)]
        for (name, target) in &tools.links {
            std::os::unix::fs::symlink(target, program.folder.path().join(name))?;
        }
        if !tools.compile.is_empty() {
            let ended = program.end(&tools.compile, &[])?;
            check(ended.succeeded, format!("it does not compile:\n{}{}\n{source}", ended.out, ended.err))?;
        }
        Ok(program)
    }

    /// Runs it with what valetkey printed and a file, and holds it to what is expected: the store's answer, what the program prints, how it ends, and what is
    /// then stored under the key.
    pub(crate) fn expect(&self, cloud: &Cloud, json: &str, file: &Upload, wanted: &Expected, key: &str) -> Result<(), Failed> {
        let (signed, upload) = (self.folder.path().join("signed.json"), self.folder.path().join(file.name));
        std::fs::write(&signed, json)?;
        std::fs::write(&upload, file.bytes)?;
        cloud.answers();
        let ended = match &self.tools.browser {
            Some(page) => {
                let page = page.replace("{{SOURCE}}", &std::fs::read_to_string(&self.source)?).replace("{{SIGNED}}", json);
                let page = page.replace("{{NAME}}", &serde_json::to_string(file.name)?).replace("{{FILE}}", &serde_json::to_string(file.bytes)?);
                std::fs::write(self.folder.path().join("page.html"), page)?;
                let ended = self.end(&self.tools.run, &[self.folder.path().join("page.html").as_os_str()])?;
                let shown = shown(&ended.out).to_owned();
                Ended { succeeded: shown.starts_with("status "), out: shown, ..ended }
            }
            None => self.end(&self.tools.run, &[signed.as_os_str(), upload.as_os_str(), "image/png".as_ref()])?,
        };
        let answers = cloud.answers();
        let described = format!("{ended:?}, the store answered {answers:?}, wanted was {wanted:?}");
        match (wanted, answers.as_slice()) {
            (Expected::NotSent, []) => return check(!ended.succeeded, described),
            (Expected::Refused { status, code }, [Answer { status: answered, code: said }]) => {
                check(status == answered && said.as_ref() == Some(code) && !ended.succeeded, &described)?;
            }
            (Expected::Stored { status, content_type, other_bytes }, [Answer { status: answered, .. }]) => {
                check(status == answered && ended.succeeded, &described)?;
                let stored = cloud.stored(key)?;
                check(content_type.as_ref().is_none_or(|wanted| *wanted == stored.content_type), format!("stored as {}: {described}", stored.content_type))?;
                check((stored.bytes != file.bytes) == *other_bytes, format!("the bytes: {described}"))?;
            }
            _ => return Err(described.into()),
        }
        let status = wanted.status().unwrap_or_default().to_string();
        check(ended.out.contains(&status), format!("it does not print the status: {described}"))
    }

    fn end(&self, words: &[String], arguments: &[&std::ffi::OsStr]) -> Result<Ended, Failed> {
        let place = |word: &String| {
            let word = word.replace("{source}", &self.source.to_string_lossy());
            let stem = self.source.file_stem().unwrap_or_default().to_string_lossy();
            word.replace("{stem}", &stem).replace("{folder}", &self.folder.path().to_string_lossy())
        };
        let mut words = words.iter().map(place);
        let mut command = Command::new(words.next().ok_or("no program")?);
        command.args(words).args(arguments).current_dir(self.folder.path()).envs(self.tools.env.iter().cloned());
        // What is on loopback is not for a proxy of the machine.
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, "127.0.0.1,localhost");
        }
        let output = command.stdin(std::process::Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ended { succeeded: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) })
    }
}

/// What a page shows, in the text of the page that the browser prints.
pub(crate) fn shown(page: &str) -> &str {
    page.split_once("<output>").and_then(|(_, rest)| rest.split_once("</output>")).map_or("", |(shown, _)| shown)
}

pub(crate) fn check(holds: bool, otherwise: impl Into<String>) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into().into()) }
}
