//! The runner itself, run as a program of its own against the embedded store.

use std::process::{Command, Output};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use tokio::runtime::Runtime;
use valetkey::{AddressingStyle, Credentials, Method, ObjectRequest, OssPresigner, PresignOptions, Presigner, S3Presigner, TargetSettings};
use valetkey_conformance::{Backend, WireRequest};
use valetkey_store::{Cloud, Running, Store};

use crate::wire::Wire;
use crate::{MODULES, SERVICES};

const BUCKET: &str = "live-bucket";
const ID: &str = "TESTACCESSKEYID";
const SECRET: &str = "test-secret";

pub(crate) fn trials() -> Vec<Trial> {
    type Run = fn() -> Result<(), Failed>;
    let table: [(&str, Run); 5] = [
        ("runner_passes_the_embedded_store_and_leaves_it_as_it_was", passes),
        ("runner_fails_with_another_secret", wrong_secret),
        ("runner_ignores_what_is_not_configured", unconfigured),
        ("runner_fails_when_half_is_configured", half),
        ("runner_sends_nothing_elsewhere", elsewhere),
    ];
    table.into_iter().map(|(name, run)| Trial::test(name, run)).collect()
}

/// A store with an object that is none of the runner's business.
struct Scene {
    runtime: Runtime,
    store: Running,
    presigner: Box<dyn Presigner>,
    wire: Wire,
    endpoint: String,
}

impl Scene {
    fn new(id: &str) -> Result<Self, Failed> {
        let runtime = Runtime::new()?;
        let cloud = if id == "s3" { Cloud::S3 } else { Cloud::Oss };
        let credentials = Credentials::new(ID, SECRET)?;
        let store = Store::builder().bucket(BUCKET).credentials(cloud, credentials.clone()).memory();
        let store = runtime.block_on(store.bind("127.0.0.1:0".parse()?))?;
        let endpoint = store.endpoint();
        let settings = TargetSettings::new(BUCKET).region("cn-hangzhou").endpoint(endpoint.parse()?).addressing(AddressingStyle::Path);
        let presigner: Box<dyn Presigner> = match cloud {
            Cloud::S3 => Box::new(S3Presigner::new(&settings, Arc::new(credentials))?),
            _ => Box::new(OssPresigner::new(&settings, Arc::new(credentials))?),
        };
        // Of the whole bucket: the runner's own is narrower.
        let wire = Wire::new(&format!("{endpoint}/{BUCKET}"), "")?;
        let scene = Self { runtime, store, presigner, wire, endpoint };
        for key in OTHERS {
            scene.send(&ObjectRequest::put(key.parse()?), key.as_bytes())?;
        }
        Ok(scene)
    }

    fn send(&self, request: &ObjectRequest, body: &[u8]) -> Result<String, Failed> {
        self.runtime.block_on(async {
            let signed = self.presigner.presign(request, &PresignOptions::new()).await?;
            let answer = self.wire.send(WireRequest::of(&signed, body)).await;
            if answer.status != 200 {
                return Err(format!("{} {:?}", answer.status, answer.error_code).into());
            }
            Ok(String::from_utf8(answer.body)?)
        })
    }

    /// Only what was there before is there, as it was.
    fn is_as_it_was(&self) -> Result<(), Failed> {
        let list = self.send(&ObjectRequest::list(), &[])?;
        let keys: Vec<&str> = list.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).collect();
        if keys != OTHERS {
            return Err(format!("the bucket has {keys:?}").into());
        }
        for key in OTHERS {
            if self.send(&ObjectRequest::get(key.parse()?), &[])? != key {
                return Err(format!("{key} is another").into());
            }
        }
        Ok(())
    }

    fn command(&self, id: &str, secret: &str, filter: &str) -> Command {
        let mut command = runner(filter);
        let prefix = format!("VALETKEY_LIVE_{}", id.to_ascii_uppercase());
        let own = [("BUCKET", BUCKET), ("REGION", "cn-hangzhou"), ("ENDPOINT", &self.endpoint), ("ADDRESSING", "path")];
        command.envs(own.map(|(name, value)| (format!("{prefix}_{name}"), value)));
        let names = if id == "s3" { ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] } else { ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"] };
        command.envs(names.into_iter().zip([ID, secret]));
        command
    }

    fn end(self) {
        self.runtime.block_on(self.store.shutdown());
    }
}

/// Beside the prefixes of runs, and almost under one.
const OTHERS: [&str; 2] = ["a/kept.txt", "valetkey-live-kept"];

/// This program with nothing in its environment that names a service.
fn runner(filter: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running program has a path"));
    let known = ["VALETKEY_LIVE_", "AWS_", "OSS_", "ALIBABA_CLOUD_"];
    for (name, _) in std::env::vars_os() {
        if known.iter().any(|known| name.to_string_lossy().starts_with(known)) {
            command.env_remove(name);
        }
    }
    command.arg(filter);
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The trials of a service, each of which must have come out so, and the verdict on all.
fn came_out(output: &Output, id: &str, how: &str, success: bool) -> Result<(), Failed> {
    let text = text(output);
    let names = MODULES.iter().map(ToString::to_string).chain(["leaves_nothing_behind".to_owned()]);
    for name in names {
        let line = text.lines().find(|line| line.starts_with(&format!("test {id}_{name} ")));
        if line.is_none_or(|line| !line.ends_with(how)) {
            return Err(format!("{id}_{name} must be {how}:\n{text}").into());
        }
    }
    if output.status.success() == success { Ok(()) } else { Err(format!("{}:\n{text}", output.status).into()) }
}

fn passes() -> Result<(), Failed> {
    for service in &SERVICES {
        let scene = Scene::new(service.id)?;
        let output = scene.command(service.id, SECRET, &format!("{}_", service.id)).output()?;
        came_out(&output, service.id, "ok", true)?;
        let text = text(&output);
        if !text.contains(&format!("live: {}: authorization: ", service.id)) || !text.contains(" requests, ") {
            return Err(text.into());
        }
        scene.is_as_it_was()?;
        scene.end();
    }
    Ok(())
}

fn wrong_secret() -> Result<(), Failed> {
    for service in &SERVICES {
        let scene = Scene::new(service.id)?;
        let output = scene.command(service.id, "another secret", &format!("{}_urls", service.id)).output()?;
        let text = text(&output);
        if output.status.success() || !text.contains("SignatureDoesNotMatch") || text.contains("another secret") {
            return Err(format!("{}:\n{text}", output.status).into());
        }
        scene.is_as_it_was()?;
        scene.end();
    }
    Ok(())
}

fn unconfigured() -> Result<(), Failed> {
    for service in &SERVICES {
        let output = runner(&format!("{}_", service.id)).output()?;
        came_out(&output, service.id, "ignored", true)?;
        let (text, variable) = (text(&output), service.variable("BUCKET"));
        if !text.contains("0 passed; 0 failed; 9 ignored") || !text.contains(&format!("{variable} is not set")) {
            return Err(text.into());
        }
    }
    Ok(())
}

fn half() -> Result<(), Failed> {
    let scene = Scene::new("s3")?;
    // No value: the variable is not there.
    let table = [("AWS_SECRET_ACCESS_KEY", None), ("VALETKEY_LIVE_S3_ADDRESSING", Some("sideways")), ("VALETKEY_LIVE_S3_ENDPOINT", Some("not a place"))];
    for (variable, value) in table {
        let mut command = scene.command("s3", SECRET, "s3_");
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
        let output = command.output()?;
        came_out(&output, "s3", "FAILED", false)?;
        if !text(&output).contains(variable) {
            return Err(format!("{variable} is not named:\n{}", text(&output)).into());
        }
    }
    scene.is_as_it_was()?;
    scene.end();
    Ok(())
}

fn elsewhere() -> Result<(), Failed> {
    let wire = Wire::new("https://b.s3.eu-central-1.amazonaws.com", "run 1/")?;
    let base = "https://b.s3.eu-central-1.amazonaws.com";
    let table = [
        (Method::Get, "/run%201/a", true),
        (Method::Put, "/run%201/a?acl", true),
        (Method::Delete, "/run%201/", true),
        (Method::Get, "/?list-type=2&prefix=run", true),
        (Method::Get, "?list-type=2", true),
        (Method::Post, "/", true),
        (Method::Post, "", true),
        (Method::Post, "-other", true),
        (Method::Get, "-other", false),
        (Method::Put, "/a", false),
        (Method::Delete, "/run%2011/a", false),
        (Method::Delete, "/run+1/a", false),
        (Method::Get, "/run%201", false),
        (Method::Put, "/", false),
        (Method::Delete, "/?x=1", false),
        (Method::Delete, "", false),
        (Method::Get, "/", false),
        (Method::Get, "/%zz", false),
        (Method::Get, ".evil.example/run%201/a", false),
    ];
    for (method, rest, own) in table {
        if wire.is_own(method, &format!("{base}{rest}")) != own {
            return Err(format!("{method} {rest}").into());
        }
    }
    for url in ["https://c.s3.eu-central-1.amazonaws.com/run%201/a", "http://b.s3.eu-central-1.amazonaws.com/run%201/a"] {
        if wire.is_own(Method::Get, url) {
            return Err(url.into());
        }
    }
    Ok(())
}
