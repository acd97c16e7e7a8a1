//! `valetkey store --folder` killed at any moment (row DS-043 of the hostile inputs): after a restart every object that was acknowledged is there, and the one
//! that was on its way is the old or the new one.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command},
    sync::Arc,
};

use valetkey::{ObjectRequest, PresignOptions, Presigner as _, S3Presigner, TargetSettings};

use crate::support::program;

const SECRETS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDKILLED"), ("AWS_SECRET_ACCESS_KEY", "a secret of nobody")];
const KILLS: u64 = 24;

/// A store that is killed when it is dropped.
struct Killed {
    child: Child,
    endpoint: String,
}

impl Killed {
    fn start(folder: &Path) -> Self {
        let mut command: Command = program(&SECRETS);
        command.args(["store", "--port", "0", "--credentials", "env", "--bucket", "media", "--folder"]).arg(folder);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line.split_once("http://").unwrap_or_else(|| panic!("{line}")).1;
        Self { endpoint: endpoint.split(": ").next().unwrap().to_owned(), child }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Head and body of a request, ready to be sent.
    fn request(&self, request: &ObjectRequest, body: &[u8]) -> Vec<u8> {
        let endpoint = format!("http://{}", self.endpoint).parse().unwrap();
        let settings = TargetSettings::new("media").region("eu-central-1").endpoint(endpoint);
        let credentials = Arc::new(valetkey::Credentials::new(SECRETS[0].1, SECRETS[1].1).unwrap());
        let presigner = S3Presigner::new(&settings, credentials).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let signed = runtime.block_on(presigner.presign(request, &PresignOptions::new())).unwrap();
        let target = signed.url.split_once(&self.endpoint).unwrap().1;
        let head =
            format!("{} {target} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", signed.method.as_str(), self.endpoint, body.len());
        [head.as_bytes(), body].concat()
    }

    /// Status and body of the answer.
    fn send(&self, request: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.endpoint).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&answer[9..12]).parse().unwrap(), answer[head + 4..].to_vec())
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn object(name: &str) -> valetkey::ObjectKey {
    name.parse().unwrap()
}

fn content(version: u64) -> Vec<u8> {
    (0..300_000_u64).map(|n| (n.wrapping_mul(31).wrapping_add(version) % 251) as u8).collect()
}

#[test]
fn ds_043_the_program_is_killed_while_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let mut acknowledged: HashMap<&str, u64> = HashMap::new();
    // A fixed seed: xorshift gives the same cuts in every run.
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut store = Killed::start(&root);
    let mut taken = 0;
    for round in 1..=KILLS {
        let sure = ["a", "b"][usize::from(round % 2 == 0)];
        assert_eq!(store.send(&store.request(&ObjectRequest::put(object(sure)), &content(round))).0, 200);
        acknowledged.insert(sure, round);

        let request = store.request(&ObjectRequest::put(object("k")), &content(round));
        // Every second time the whole request is there, and the store is somewhere between its first sync and its answer.
        let cut = if round % 2 == 0 { request.len() } else { usize::try_from(next(request.len() as u64)).unwrap() };
        let mut stream = TcpStream::connect(&store.endpoint).unwrap();
        stream.write_all(&request[..cut]).unwrap();
        for _ in 0..next(2_000) {
            std::thread::yield_now();
        }
        store.kill();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let told = answer.starts_with(b"HTTP/1.1 200");

        store = Killed::start(&root);
        for (name, version) in acknowledged.iter().filter(|(name, _)| **name != "k") {
            let (status, body) = store.send(&store.request(&ObjectRequest::get(object(name)), b""));
            assert!(status == 200 && body == content(*version), "round {round}: {name} was acknowledged");
        }
        let (status, body) = store.send(&store.request(&ObjectRequest::get(object("k")), b""));
        let before = acknowledged.get("k").copied();
        let is_new = status == 200 && body == content(round);
        let is_old = before.map_or(status == 404, |version| status == 200 && body == content(version));
        assert!(is_new || (is_old && !told), "round {round}, cut at {cut} of {}: {status}, {} bytes", request.len(), body.len());
        if is_new {
            acknowledged.insert("k", round);
            taken += 1;
        }
    }
    assert!(taken < KILLS, "no write was cut off");
    store.kill();
    let blobs = std::fs::read_dir(root.join("blobs")).unwrap().count();
    assert!(blobs <= acknowledged.len() + 1, "{blobs} files for {} objects: what was cut off was not swept up", acknowledged.len());
}
