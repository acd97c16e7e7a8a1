//! The clients, what they need, and where it is found.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A client of one cloud.
pub(crate) struct Client {
    pub(crate) id: &'static str,
    /// The client whose program on the page is also this one's.
    pub(crate) example: &'static str,
    /// The program that tries its operations, in `tests/sdks/programs`.
    pub(crate) program: &'static str,
    /// The region that the program signs for.
    pub(crate) region: &'static str,
    pub(crate) find: fn() -> Result<Tools, Missing>,
}

/// Why a client cannot be run.
#[derive(Clone)]
pub(crate) enum Missing {
    /// The machine lacks what `.ci/run` does not promise.
    Optional(String),
    /// What `.ci/run` promises is not there, or a package index did not give the client.
    Promised(String),
}

/// How a program is compiled and run. `{source}` and `{folder}` stand for the program and the folder that it is in.
#[derive(Clone, Default)]
pub(crate) struct Tools {
    pub(crate) compile: Vec<String>,
    pub(crate) run: Vec<String>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) node_modules: Option<PathBuf>,
}

pub(crate) static CLIENTS: [Client; 11] = [
    Client { id: "aws-cli", example: "aws-cli", program: "aws_cli.py", region: "eu-central-1", find: aws_cli },
    Client { id: "aws-cli-2", example: "aws-cli", program: "aws_cli.py", region: "us-east-1", find: aws_cli_2 },
    Client { id: "boto3", example: "boto3", program: "boto3_client.py", region: "eu-central-1", find: python },
    Client { id: "aws-sdk-js", example: "aws-sdk-js", program: "aws_sdk_js.mjs", region: "eu-central-1", find: node },
    Client { id: "aws-sdk-ruby", example: "aws-sdk-ruby", program: "aws_sdk_ruby.rb", region: "us-east-1", find: ruby },
    Client { id: "minio", example: "minio", program: "minio_client.py", region: "us-east-1", find: python },
    Client { id: "minio-js", example: "minio-js", program: "minio_js.mjs", region: "us-east-1", find: node },
    Client { id: "minio-go", example: "minio-go", program: "minio_go.go", region: "us-east-1", find: go },
    Client { id: "alibabacloud-oss-v2", example: "alibabacloud-oss-v2", program: "alibabacloud_oss_v2_client.py", region: "cn-hangzhou", find: python },
    Client { id: "oss2", example: "oss2", program: "oss2_client.py", region: "cn-hangzhou", find: python },
    Client { id: "ali-oss", example: "ali-oss", program: "ali_oss.mjs", region: "cn-hangzhou", find: node },
];

/// The AWS CLI of the Python environment.
fn aws_cli() -> Result<Tools, Missing> {
    let place = environment()?.join("bin");
    cli(&place.join("aws"))
}

/// Version 2 is in no package index; distributions have it.
fn aws_cli_2() -> Result<Tools, Missing> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/bin")]);
    let is_second = |program: &PathBuf| output(Command::new(program).arg("--version")).is_ok_and(|version| version.starts_with("aws-cli/2."));
    let found = folders.map(|folder| folder.join("aws")).find(is_second);
    cli(&found.ok_or_else(|| Missing::Optional("no AWS CLI 2".into()))?)
}

fn cli(program: &Path) -> Result<Tools, Missing> {
    let mut tools = python()?;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::join_paths(program.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&folders)));
    let path = folders.map_err(|error| Missing::Promised(error.to_string()))?;
    tools.env.extend([("PATH", path.to_string_lossy().into_owned()), ("AWS", program.display().to_string())]);
    Ok(tools)
}

fn python() -> Result<Tools, Missing> {
    let place = environment()?;
    let python = place.join("bin/python").display().to_string();
    Ok(Tools { run: vec![python, "{source}".into()], env: vec![("PYTHONDONTWRITEBYTECODE", "1".into())], ..Tools::default() })
}

/// The Python environment with the requirements, made when it is not there or when they have changed.
fn environment() -> Result<PathBuf, Missing> {
    static PLACE: OnceLock<Result<PathBuf, Missing>> = OnceLock::new();
    let wanted = include_str!("programs/requirements.txt");
    let make = |place: &Path| {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(place))?;
        std::fs::write(place.join("requirements.txt"), wanted).map_err(|error| error.to_string())?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"];
        output(Command::new(place.join("bin/python")).args(pip).current_dir(place))
    };
    PLACE.get_or_init(|| made("sdks-python", wanted, make)).clone()
}

fn node() -> Result<Tools, Missing> {
    static PLACE: OnceLock<Result<PathBuf, Missing>> = OnceLock::new();
    let version = output(Command::new("node").arg("--version")).map_err(Missing::Optional)?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < 20) {
        return Err(Missing::Optional(format!("node {} is older than 20", version.trim())));
    }
    output(Command::new("npm").arg("--version")).map_err(Missing::Optional)?;
    let wanted = include_str!("programs/package.json");
    let make = |place: &Path| {
        std::fs::create_dir_all(place).map_err(|error| error.to_string())?;
        std::fs::write(place.join("package.json"), wanted).map_err(|error| error.to_string())?;
        output(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(place))
    };
    let place = PLACE.get_or_init(|| made("sdks-node", wanted, make)).clone()?;
    let run = ["node", "--no-warnings", "{source}"].map(ToOwned::to_owned).to_vec();
    Ok(Tools { run, node_modules: Some(place.join("node_modules")), ..Tools::default() })
}

/// The SDK for Ruby as the distribution has it: the newest gem wants a newer Ruby than many have.
fn ruby() -> Result<Tools, Missing> {
    output(Command::new("ruby").args(["-e", "require 'aws-sdk-s3'"])).map_err(|_| Missing::Promised("no Ruby, or none with aws-sdk-s3".into()))?;
    Ok(Tools { run: vec!["ruby".into(), "{source}".into()], ..Tools::default() })
}

/// The SDK for Go as the distribution has it, in the place where it keeps the sources of libraries.
fn go() -> Result<Tools, Missing> {
    output(Command::new("go").arg("version")).map_err(Missing::Promised)?;
    let sources = Path::new("/usr/share/gocode");
    if !sources.join("src/github.com/minio/minio-go/v7").exists() {
        return Err(Missing::Promised(format!("no minio-go in {}", sources.display())));
    }
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdks-go");
    let compile = ["go", "build", "-o", "{folder}/program", "{source}"].map(ToOwned::to_owned).to_vec();
    let env = vec![("GO111MODULE", "off".into()), ("GOPATH", sources.display().to_string()), ("GOCACHE", cache.display().to_string())];
    Ok(Tools { compile, run: vec!["{folder}/program".into()], env, ..Tools::default() })
}

/// A folder that is made once for each text of what is wanted.
fn made(name: &str, wanted: &str, make: impl FnOnce(&Path) -> Result<String, String>) -> Result<PathBuf, Missing> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let note = place.join("made.txt");
    if std::fs::read_to_string(&note).is_ok_and(|text| text == wanted) {
        return Ok(place);
    }
    make(&place).map_err(Missing::Promised)?;
    std::fs::write(&note, wanted).map_err(|error| Missing::Promised(error.to_string()))?;
    Ok(place)
}

/// What a command prints, if it is there and succeeds.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}
