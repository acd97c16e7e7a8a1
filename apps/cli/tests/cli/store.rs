//! `store` and `demo`, with real requests.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command};

use crate::support::{finish, program, run};

/// A store that runs until the test ends, and what it printed at its start.
struct Running {
    child: Child,
    folder: tempfile::TempDir,
    text: String,
}

impl Running {
    /// Starts one on a free port and waits for its last line.
    fn start(more: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = program(env).args(["store", "--port", "0"]).args(more).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let mut text = String::new();
        while !text.contains("# Ready") {
            text.push_str(&lines.next().expect("the store prints where it is").unwrap());
            text.push('\n');
        }
        let folder = tempfile::tempdir().unwrap();
        let (_, config) = text.split_once("valetkey.toml:\n").unwrap();
        std::fs::write(folder.path().join("valetkey.toml"), config).unwrap();
        Self { child, folder, text }
    }

    /// What its `export` lines set.
    fn exported(&self) -> Vec<(&str, &str)> {
        self.text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect()
    }

    fn presign(&self, line: &[&str], env: &[(&str, &str)]) -> String {
        // The keys are printed on purpose, and by nothing but the store itself.
        let ran = finish(program(env).current_dir(self.folder.path()).arg("presign").args(line).output().unwrap(), env);
        ran.succeeded(&line.join(" ")).out.trim_end().to_owned()
    }

    fn signal(mut self, signal: &str) -> (Option<i32>, String) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (status.code(), err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a line as a shell does, in a folder with the file that it names.
fn shell(line: &str, folder: &Path) -> String {
    let output = Command::new("/bin/sh").args(["-c", &format!("{line} --silent --show-error --fail --max-time 30")]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn printed_configuration_and_curl_lines_work_as_they_stand() {
    let store = Running::start(&["--bucket", "media", "--bucket", "other", "--bucket", "media"], &[]);
    let env = store.exported();
    assert_eq!(env.len(), 4, "{}", store.text);
    std::fs::write(store.folder.path().join("FILE"), "hello").unwrap();
    for name in ["dev-s3", "dev-oss", "dev-s3-2", "dev-oss-2"] {
        for key in ["plain.txt", "it's [a]{b} 100% $HOME `x`;&\"?#+.txt", "été/文 1"] {
            let location = format!("{name}:{key}");
            let put = store.presign(&["put", &location, "--content-type", "text/plain", "--content-length", "5", "--meta", "o=it's", "--output", "curl"], &env);
            shell(&put, store.folder.path());
            let get = store.presign(&["get", &location, "--output", "curl"], &env);
            assert_eq!(shell(&get, store.folder.path()), "hello", "{location}");
            let head = store.presign(&["head", &location, "--output", "curl"], &env);
            assert!(shell(&head, store.folder.path()).to_lowercase().contains("content-type: text/plain"), "{location}");
        }
        let list = store.presign(&["list", &format!("{name}:"), "--output", "curl"], &env);
        assert!(shell(&list, store.folder.path()).contains("<Key>plain.txt</Key>"));
        let delete = store.presign(&["delete", &format!("{name}:plain.txt"), "--output", "curl"], &env);
        shell(&delete, store.folder.path());
    }
    assert_eq!(store.signal("-TERM"), (Some(0), String::new()));
}

#[cfg(unix)]
#[test]
fn a_folder_keeps_and_keys_of_the_environment_are_not_printed() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("objects");
    let env: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKOWN"), ("AWS_SECRET_ACCESS_KEY", "my-own-secret"), ("AWS_SESSION_TOKEN", "my-own-token")];
    let more = ["--data", folder.to_str().unwrap(), "--credentials", "env"];
    for (round, (signal, ended)) in [("-INT", (Some(130), "valetkey: interrupted\n".to_owned())), ("-TERM", (Some(0), String::new()))].into_iter().enumerate() {
        let store = Running::start(&more, env);
        assert!(!store.text.contains("my-own") && !store.text.contains("stores.dev-oss") && store.exported().is_empty(), "{}", store.text);
        std::fs::write(store.folder.path().join("FILE"), "kept").unwrap();
        if round == 0 {
            shell(&store.presign(&["put", "dev-s3:k", "--output", "curl"], env), store.folder.path());
        } else {
            assert_eq!(shell(&store.presign(&["get", "dev-s3:k", "--output", "curl"], env), store.folder.path()), "kept");
        }
        assert_eq!(store.signal(signal), ended);
    }
}

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    run(&["store", "--port", &port], &[]).failed_with(1, "--port", "a port that is taken");
}

#[test]
fn the_demo_comes_out_as_it_must() {
    let ran = run(&["demo"], &[]).succeeded("demo");
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains("valetkey-demo-secret"));
    let rows: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("media-s3 ") || line.starts_with("media-oss ")).collect();
    assert!(rows.len() >= 40 && rows.iter().all(|row| row.ends_with("  yes")), "{}", ran.out);
    assert!(ran.out.ends_with(&format!("\n{0} of {0} steps came out as they must.\n", rows.len())), "{}", ran.out);
    let columns: Vec<usize> = rows.iter().map(|row| row.chars().count()).collect();
    assert!(columns.iter().all(|width| width == &columns[0]), "aligned: {}", ran.out);
    for (step, code) in [
        ("another key", "SignatureDoesNotMatch"),
        ("expired", "AccessDenied: Request has expired"),
        ("without a signed header", "SignatureDoesNotMatch"),
        ("wrong length", "SignatureDoesNotMatch"),
        ("what was deleted", "NoSuchKey"),
    ] {
        assert_eq!(rows.iter().filter(|row| row.contains(step) && row.matches(code).count() == 2).count(), 2, "{step}: {}", ran.out);
    }
    assert_eq!(rows.iter().filter(|row| row.starts_with("media-oss") && row.contains("type too many") && row.contains("SignatureDoesNotMatch")).count(), 1);
}
