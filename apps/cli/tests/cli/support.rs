//! Runs the program in an environment that has nothing but what a test sets.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

pub(crate) const S3_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const OSS_ID: &str = "LTAI5tFakeFakeFakeFake01";
pub(crate) const OSS_SECRET: &str = "FakeSecretForTestVectorsOnly01";
/// Credentials of both clouds and their regions.
pub(crate) const ENV: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", S3_ID),
    ("AWS_SECRET_ACCESS_KEY", S3_SECRET),
    ("AWS_REGION", "eu-central-1"),
    ("OSS_ACCESS_KEY_ID", OSS_ID),
    ("OSS_ACCESS_KEY_SECRET", OSS_SECRET),
    ("OSS_REGION", "cn-hangzhou"),
];

/// One run, and what came of it.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Fails unless it is an error as scripts rely on it: this code, nothing on standard output, one line with `part` on standard error.
    pub(crate) fn failed_with(&self, exit: i32, part: &str, what: &str) {
        assert_eq!(self.exit, exit, "{what}: {}", self.err);
        assert_eq!(self.out, "", "{what}");
        assert!(self.err.ends_with('\n') && self.err.lines().count() == 1, "{what}: {:?}", self.err);
        assert!(self.err.contains(part), "{what}: {:?} has no {part:?}", self.err);
        assert!(!self.err.trim_end().chars().any(char::is_control), "{what}: {:?}", self.err);
    }

    pub(crate) fn succeeded(self, what: &str) -> Self {
        assert_eq!(self.exit, 0, "{what}: {}", self.err);
        self
    }
}

/// The program with an empty environment.
pub(crate) fn program(env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valetkey"));
    // Nor the configuration of whoever runs the tests.
    command
        .env_clear()
        .env("RUST_BACKTRACE", "full")
        .env("XDG_CONFIG_HOME", "/nowhere")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Ran {
    finish(program(env).args(args).output().unwrap(), env)
}

pub(crate) fn run_with_input(args: &[&str], env: &[(&str, &str)], input: &[u8]) -> Ran {
    let mut child = program(env).args(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may refuse before it has read everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    finish(output, env)
}

/// Every run is searched for the secrets that it was given.
pub(crate) fn finish(output: Output, env: &[(&str, &str)]) -> Ran {
    let ran = Ran {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        err: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    };
    for (name, secret) in env.iter().filter(|(name, secret)| name.contains("SECRET") && !secret.is_empty()) {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{name} is printed");
    }
    assert_ne!(ran.exit, 101, "a panic: {}", ran.err);
    ran
}

/// A fixture of the repository.
pub(crate) fn fixture(path: &str) -> serde_json::Value {
    let path = format!("{}/../../fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
