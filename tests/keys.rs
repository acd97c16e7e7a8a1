//! Hard keys over real HTTP: each client puts and gets an object under each key, and the store must find it under exactly that key.
//!
//! curl and Python are used where they are installed; elsewhere their tests are reported as ignored, but in CI they fail.

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use valetkey::transfer::{Body, Transfer};
use valetkey::{Credentials, ObjectRequest, OssPresigner, PresignOptions, PresignedRequest, Presigner, S3Presigner, TargetSettings};
use valetkey_store::{Cloud, Running, Store};

fn main() {
    let in_ci = std::env::var_os("CI").is_some();
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    let mut trials = Vec::new();
    for provider in ["s3", "oss"] {
        let name = |client: &str| format!("{provider}_keys_survive_{client}");
        trials.push(Trial::test(name("reqwest"), move || run(provider, &mut Reqwest::new()?)));
        trials.push(Trial::test(name("curl"), move || run(provider, &mut Curl::new()?)).with_ignored_flag(!in_ci && !is_there("curl")));
        trials.push(Trial::test(name("python"), move || run(provider, &mut Python::new()?)).with_ignored_flag(!in_ci && !is_there("python3")));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Something that sends what was signed; an answer is its status and body.
trait Client {
    fn send(&mut self, request: &PresignedRequest, body: Option<&str>) -> Result<(u16, String), Failed>;
}

fn run(provider: &'static str, client: &mut dyn Client) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new()?;
    let store = runtime.block_on(start(provider))?;
    let credentials = Arc::new(Credentials::new(ID, SECRET)?);
    let settings = TargetSettings::new("hard-keys").region("cn-hangzhou").endpoint(store.endpoint().parse()?);
    let presigner: Box<dyn Presigner> = match provider {
        "s3" => Box::new(S3Presigner::new(&settings, credentials)?),
        _ => Box::new(OssPresigner::new(&settings, credentials)?),
    };
    let sign = |request: &ObjectRequest| runtime.block_on(presigner.presign(request, &PresignOptions::new()));
    let rows = support::json("keys/hard-keys.json");
    let mut survived = 0;
    for row in rows.as_array().ok_or("no list")? {
        let (name, key) = (support::text(row, "name"), key(row));
        if !row["providers"].as_array().is_some_and(|providers| providers.iter().any(|other| other == provider)) {
            let refused = key.parse().map_err(valetkey::PresignError::from).and_then(|key| sign(&ObjectRequest::put(key)));
            assert!(refused.is_err(), "{name} is not for {provider}, and it was signed");
            continue;
        }
        // The body names the key, so that an object under another key cannot pass for it.
        let body = format!("{provider} {key}");
        let put = sign(&ObjectRequest::put(key.parse()?).content_type("text/plain; charset=utf-8").content_length(body.len() as u64))?;
        let (status, text) = client.send(&put, Some(&body))?;
        assert_eq!(status, 200, "{name}: {text}");
        let (status, text) = client.send(&sign(&ObjectRequest::get(key.parse()?))?, None)?;
        assert_eq!((status, text.as_str()), (200, body.as_str()), "{name}");
        survived += 1;
    }
    runtime.block_on(store.shutdown());
    if survived < 40 { Err(format!("only {survived} keys were tried").into()) } else { Ok(()) }
}

const ID: &str = "TESTACCESSKEYID";
const SECRET: &str = "test-secret";

async fn start(provider: &str) -> Result<Running, Failed> {
    let cloud = if provider == "s3" { Cloud::S3 } else { Cloud::Oss };
    let store = Store::builder().bucket("hard-keys").credentials(cloud, Credentials::new(ID, SECRET)?).memory();
    Ok(store.bind("127.0.0.1:0".parse()?).await?)
}

fn key(row: &Value) -> String {
    match row["repeat"].as_array().or(row["key"]["repeat"].as_array()) {
        Some(repeat) => repeat[0].as_str().unwrap().repeat(usize::try_from(repeat[1].as_u64().unwrap()).unwrap()),
        None => support::text(row, "key").to_owned(),
    }
}

/// What this library sends with.
struct Reqwest(tokio::runtime::Runtime, Transfer);

impl Reqwest {
    fn new() -> Result<Self, Failed> {
        Ok(Self(tokio::runtime::Runtime::new()?, Transfer::new()?))
    }
}

impl Client for Reqwest {
    fn send(&mut self, request: &PresignedRequest, body: Option<&str>) -> Result<(u16, String), Failed> {
        let body = body.map_or_else(Body::empty, |text| Body::from(text.to_owned()));
        self.0.block_on(async {
            let answer = self.1.send(request, body).await?;
            let status = answer.status();
            Ok((status, String::from_utf8(answer.bytes().await?.to_vec())?))
        })
    }
}

/// The line of `to_curl`, as a shell runs it.
struct Curl(tempfile::TempDir);

impl Curl {
    fn new() -> Result<Self, Failed> {
        Ok(Self(tempfile::tempdir()?))
    }
}

impl Client for Curl {
    fn send(&mut self, request: &PresignedRequest, body: Option<&str>) -> Result<(u16, String), Failed> {
        let (input, output) = (self.0.path().join("it's the input"), self.0.path().join("output"));
        std::fs::write(&input, body.unwrap_or_default())?;
        let line = request.to_curl(input.to_str().ok_or("path")?);
        let line = format!("{line} --silent --show-error --output '{}' --write-out '%{{http_code}}'", output.display());
        let ran = Command::new("sh").arg("-c").arg(line).output()?;
        let status = String::from_utf8(ran.stdout)?.parse().map_err(|_| String::from_utf8_lossy(&ran.stderr).into_owned())?;
        Ok((status, std::fs::read_to_string(output).unwrap_or_default()))
    }
}

struct Python(std::process::Child, BufReader<std::process::ChildStdout>);

impl Python {
    fn new() -> Result<Self, Failed> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/send.py");
        let mut child = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no standard output")?;
        Ok(Self(child, BufReader::new(output)))
    }
}

impl Client for Python {
    fn send(&mut self, request: &PresignedRequest, body: Option<&str>) -> Result<(u16, String), Failed> {
        let headers: serde_json::Map<String, Value> = request.signed_headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let line = json!({ "method": request.method.as_str(), "url": request.url, "headers": headers, "body": body });
        writeln!(self.0.stdin.as_mut().ok_or("no standard input")?, "{line}")?;
        let mut answer = String::new();
        self.1.read_line(&mut answer)?;
        let answer: Value = serde_json::from_str(&answer)?;
        let status = u16::try_from(answer["status"].as_u64().ok_or("no status")?)?;
        Ok((status, answer["body"].as_str().unwrap_or_default().to_owned()))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It ends with its input; nothing is to be done if it ended before.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
