//! `store` with curl, as a shell runs the lines that the program prints.
//!
//! Where curl is not installed these are reported as ignored, but in CI they fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "cli/support.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command};

use libtest_mimic::{Arguments, Trial};
use support::{finish, program};

fn main() {
    let is_there = cfg!(unix) && Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success());
    let ignored = !is_there && std::env::var_os("CI").is_none();
    let trials = [
        ("printed_configuration_and_curl_lines_work_as_they_stand", printed_configuration_and_curl_lines_work_as_they_stand as fn()),
        ("a_folder_keeps_and_keys_of_the_environment_are_not_printed", a_folder_keeps_and_keys_of_the_environment_are_not_printed),
        ("printed_forms_send_every_value_as_it_is", printed_forms_send_every_value_as_it_is),
        ("a_public_object_is_read_where_the_store_allows_it", a_public_object_is_read_where_the_store_allows_it),
    ];
    let trial = |(name, test): (&str, fn())| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(ignored)
    };
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().map(trial).collect()).exit();
}

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
        self.printed(&[&["presign"], line].concat(), env)
    }

    fn printed(&self, line: &[&str], env: &[(&str, &str)]) -> String {
        // The keys are printed on purpose, and by nothing but the store itself.
        let ran = finish(program(env).current_dir(self.folder.path()).args(line).output().unwrap(), env);
        ran.succeeded(&line.join(" ")).out.trim_end().to_owned()
    }

    fn signal(mut self, signal: &str) -> (Option<i32>, String) {
        // Every shell has it, which the program of that name is not everywhere.
        assert!(Command::new("/bin/sh").args(["-c", &format!("kill {signal} {}", self.child.id())]).status().unwrap().success());
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

/// curl reads `@`, `<` and `;` in the values of forms, and a shell reads the rest.
fn printed_forms_send_every_value_as_it_is() {
    let store = Running::start(&[], &[]);
    let env = store.exported();
    std::fs::write(store.folder.path().join("FILE"), "hello").unwrap();
    let (meta, disposition) = ("@FILE;type=a/b <FILE 'q\" \\ =$HOME", "attachment; filename=\"@x,<y;z.txt\"");
    for name in ["dev-s3", "dev-oss"] {
        for key in ["plain", "@FILE", "<FILE", "it's @<;,=\"é\"/文 🦀 $HOME `x` \\.txt", "line\nend", "dir é;\"'/"] {
            let location = format!("{name}:{key}");
            let object = if key.ends_with('/') { format!("{location}FILE") } else { location.clone() };
            let more = ["--content-type", "text/plain; charset=\"x@y\"", "--meta", &format!("v={meta}"), "--content-disposition", disposition];
            let line = store.printed(&[&["post", &location, "--max-size", "5", "--output", "curl"], more.as_slice()].concat(), &env);
            shell(&line, store.folder.path());
            assert_eq!(shell(&store.presign(&["get", &object, "--output", "curl"], &env), store.folder.path()), "hello", "{location:?}");
            let head = shell(&store.presign(&["head", &object, "--output", "curl"], &env), store.folder.path());
            for value in [meta, disposition, "text/plain; charset=\"x@y\""] {
                assert!(head.contains(&format!(": {value}\r\n")), "{location:?}: {value} is not in {head}");
            }
        }
        // For an open type stands a word that its rule refuses, so that it is not forgotten.
        let line = store.printed(&["post", &format!("{name}:open"), "--content-type", "image/*", "--output", "curl"], &env);
        assert!(line.contains("ype=TYPE' "), "{line}");
        shell(&line.replace("ype=TYPE'", "ype=image/png'"), store.folder.path());
        let refused = Command::new("/bin/sh").args(["-c", &format!("{line} --silent --fail --max-time 30")]).current_dir(store.folder.path()).output().unwrap();
        assert_eq!(refused.status.code(), Some(22), "{name}: {refused:?}");
        // What the form refuses is refused by the store.
        let line = store.printed(&["post", &format!("{name}:small"), "--max-size", "4", "--output", "curl"], &env);
        let refused = Command::new("/bin/sh").args(["-c", &format!("{line} --silent --fail --max-time 30")]).current_dir(store.folder.path()).output().unwrap();
        assert_eq!(refused.status.code(), Some(22), "{name}: {refused:?}");
    }
}

fn a_public_object_is_read_where_the_store_allows_it() {
    for (more, want) in [(&["--allow-public-read"][..], "hello"), (&[], "AccessDenied")] {
        let store = Running::start(more, &[]);
        let env = store.exported();
        std::fs::write(store.folder.path().join("FILE"), "hello").unwrap();
        shell(&store.printed(&["post", "dev-s3:k", "--acl", "public-read", "--output", "curl"], &env), store.folder.path());
        let endpoint = store.text.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(':');
        let line = format!("curl --silent --show-error --max-time 30 '{endpoint}/media/k'");
        let output = Command::new("/bin/sh").args(["-c", &line]).output().unwrap();
        let body = String::from_utf8(output.stdout).unwrap();
        assert!(body.contains(want), "{more:?}: {body}");
    }
}
