//! A store of this process for the program to work with, and what can be done to it meanwhile.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};

use valetkey::transfer::{Body, Transfer};
use valetkey::{Credentials, Dialect, LocalPresigner, ObjectRequest, Oss, PresignOptions, S3, TargetSettings};
use valetkey_store::{Cloud, Running, Store, StoreBuilder};

use crate::support::{ENV, OSS_ID, OSS_SECRET, Ran, S3_ID, S3_SECRET, finish, program, run};

/// What is stored: bytes and type.
pub(crate) type Stored = (Vec<u8>, String);

/// A store for the credentials of [`ENV`], the threads that it runs on, and a folder for files.
pub(crate) struct Place {
    pub(crate) runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    pub(crate) endpoint: String,
    pub(crate) folder: tempfile::TempDir,
    /// Method and status of every request, as they were answered.
    answered: Arc<Mutex<Vec<(String, u16)>>>,
}

impl Place {
    pub(crate) fn start() -> Self {
        Self::build(|builder| builder, |_, _| {})
    }

    /// A store that is told more, and somebody who is told of each answer before it is given.
    pub(crate) fn build(more: impl FnOnce(StoreBuilder) -> StoreBuilder, observer: impl Fn(&str, usize) + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let credentials = |id, secret| Credentials::new(id, secret).unwrap();
        let answered = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&answered);
        let builder = Store::builder()
            .bucket("media")
            .credentials(Cloud::S3, credentials(S3_ID, S3_SECRET))
            .credentials(Cloud::Oss, credentials(OSS_ID, OSS_SECRET))
            .observer(move |event| {
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push((event.method.to_owned(), event.status));
                    seen.iter().filter(|(method, _)| method == event.method).count()
                };
                observer(event.method, number);
            });
        let running = runtime.block_on(more(builder).bind(([127, 0, 0, 1], 0).into())).unwrap();
        let endpoint = running.endpoint();
        Self { runtime, running: Some(running), endpoint, folder: tempfile::tempdir().unwrap(), answered }
    }

    /// A store that keeps the answers to these requests, each the n-th of its method, back until the gate is dropped.
    pub(crate) fn gated(held: &'static [(&'static str, usize)]) -> (Self, Gate) {
        let (arrived, reached) = channel();
        let is_open = Arc::new((Mutex::new(false), Condvar::new()));
        let door = Arc::clone(&is_open);
        let observer = move |method: &str, number: usize| {
            if held.contains(&(method, number)) {
                // A program that ended meanwhile is not waited for.
                let _ = arrived.send(());
                // Other requests go on meanwhile.
                tokio::task::block_in_place(|| drop(door.1.wait_while(door.0.lock().unwrap(), |is_open| !*is_open).unwrap()));
            }
        };
        (Self::build(|builder| builder, observer), Gate { reached, is_open })
    }

    /// Ends the store at once: nobody listens any more when this returns.
    pub(crate) fn stop(&mut self) {
        self.running = None;
        let address = self.endpoint.strip_prefix("http://").unwrap();
        while std::net::TcpListener::bind(address).is_err() {
            std::thread::yield_now();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs the program with the store as its endpoint.
    pub(crate) fn run(&self, words: &[&str], env: &[(&str, &str)]) -> Ran {
        run(&[words, &["--endpoint", &self.endpoint]].concat(), env)
    }

    /// Begins a run.
    pub(crate) fn spawn(&self, words: &[&str], more: impl FnOnce(&mut Command)) -> Child {
        let mut command = program(ENV);
        command.args(words).args(["--endpoint", &self.endpoint]);
        more(&mut command);
        command.spawn().unwrap()
    }

    /// What a terminal is sent that the program runs on. `script` makes one; where it is not installed there is none, but in CI it must be.
    #[cfg(target_os = "linux")]
    pub(crate) fn on_terminal(&self, words: &str) -> Option<String> {
        let line = format!("{} {words} --endpoint {}", env!("CARGO_BIN_EXE_valetkey"), self.endpoint);
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env_clear().envs(ENV.iter().copied()).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        match command.stdin(Stdio::null()).output() {
            Err(_) if std::env::var_os("CI").is_none() => None,
            output => {
                let output = output.unwrap();
                let shown = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(output.status.success(), "{words}: {shown}");
                Some(shown)
            }
        }
    }

    /// How many requests of a method had this status, and then none of them.
    pub(crate) fn answered(&self, method: &str, status: u16) -> usize {
        let mut seen = self.answered.lock().unwrap();
        let before = seen.len();
        seen.retain(|(one, other)| !(one == method && *other == status));
        before - seen.len()
    }

    /// What the store has under a key.
    pub(crate) fn stored(&self, provider: &str, key: &str) -> Stored {
        let get = self.sign(provider, &ObjectRequest::get(key.parse().unwrap()));
        self.runtime.block_on(async {
            let answer = Transfer::new().unwrap().send(&get, Body::empty()).await.unwrap_or_else(|error| panic!("{key}: {error}"));
            let content_type = answer.header("content-type").unwrap_or_default().to_owned();
            (answer.bytes().await.unwrap().to_vec(), content_type)
        })
    }

    /// Stores something, not by the program.
    pub(crate) fn store(&self, provider: &str, key: &str, bytes: &[u8]) {
        let put = self.sign(provider, &ObjectRequest::put(key.parse().unwrap()).content_type("text/x-test").content_length(bytes.len() as u64));
        let bytes = bytes.to_vec();
        self.runtime.block_on(async { Transfer::new().unwrap().send(&put, Body::from(bytes)).await.unwrap() });
    }

    fn sign(&self, provider: &str, request: &ObjectRequest) -> valetkey::PresignedRequest {
        let settings = TargetSettings::new("media").endpoint(self.endpoint.parse().unwrap());
        match provider {
            "s3" => sign::<S3>(&settings.region("eu-central-1"), S3_ID, S3_SECRET, request),
            _ => sign::<Oss>(&settings.region("cn-hangzhou"), OSS_ID, OSS_SECRET, request),
        }
    }
}

fn sign<D: Dialect + Default>(settings: &TargetSettings, id: &str, secret: &str, request: &ObjectRequest) -> valetkey::PresignedRequest {
    let credentials = Arc::new(Credentials::new(id, secret).unwrap());
    let presigner = LocalPresigner::<D>::new(settings, Arc::clone(&credentials)).unwrap();
    presigner.sign(&credentials, request, &PresignOptions::new()).unwrap()
}

/// Answers that are kept back.
pub(crate) struct Gate {
    reached: Receiver<()>,
    is_open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    /// Waits until the next answer is kept back.
    pub(crate) fn wait(&self) {
        self.reached.recv_timeout(std::time::Duration::from_secs(60)).expect("the program came so far");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        *self.is_open.0.lock().unwrap() = true;
        self.is_open.1.notify_all();
    }
}

/// Sends a signal to a child.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
}

/// What came of a child.
pub(crate) fn ended(child: Child) -> Ran {
    finish(child.wait_with_output().unwrap(), ENV)
}

/// Bytes of which no two regions are alike.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    (0..length.div_ceil(8) as u64)
        .flat_map(|n| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes())
        .take(length)
        .collect()
}

/// The names in a folder.
pub(crate) fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
