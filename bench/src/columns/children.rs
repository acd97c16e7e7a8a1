//! The SDKs of other languages, in processes of their own that sign the same jobs and take the same turns. Each times its own loop, so that what is said
//! between the processes is not measured.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Column, Kind, Run};
use crate::check::{Form, Habits, Proof};
use crate::job::{self, Job, Provider, Task};

/// A language, and what is measured of it.
struct Language {
    name: &'static str,
    url: &'static str,
    form: &'static str,
    habits: Habits,
}

const LANGUAGES: [Language; 2] = [
    Language { name: "python", url: "boto3 (Python)", form: "boto3 (Python)", habits: HABITS },
    Language {
        name: "node",
        url: "@aws-sdk/s3-request-presigner (Node)",
        form: "@aws-sdk/s3-presigned-post (Node)",
        habits: Habits { adds: &[("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), ("x-id", "PutObject")], ..HABITS },
    },
];

const HABITS: Habits = Habits { reads_the_clock_again: true, ..Habits::NONE };

/// The processes, for all jobs.
pub struct Children {
    running: Vec<(&'static Language, Rc<RefCell<Process>>)>,
    /// What could not be had, and why.
    missing: Vec<String>,
}

impl Children {
    /// Starts them; their SDKs are installed when they are not there.
    pub fn start(jobs: &[Job]) -> Self {
        let mut children = Self { running: vec![], missing: vec![] };
        for language in &LANGUAGES {
            match Process::start(language.name, &describe(jobs)) {
                Ok(process) => children.running.push((language, Rc::new(RefCell::new(process)))),
                Err(error) => children.missing.push(format!("left out: {}: {error}", language.url)),
            }
        }
        children
    }

    /// The columns of a job; they sign for S3 alone.
    pub fn columns(&self, job: &Job) -> Vec<Column> {
        let column = |(language, process): &(&'static Language, Rc<RefCell<Process>>)| {
            let name = if job.task == Task::Post { language.form } else { language.url };
            let signer = Elsewhere { process: Rc::clone(process), letter: job.letter };
            Column { name, kind: Kind::Beside, habits: language.habits, signer: Box::new(signer) }
        };
        self.running.iter().map(column).collect()
    }

    /// What runs there, and what does not.
    pub fn facts(&self) -> Vec<String> {
        self.running.iter().map(|(_, process)| format!("in processes of their own: {}", process.borrow().versions)).chain(self.missing.clone()).collect()
    }

    pub fn ids(&self) -> Vec<u32> {
        self.running.iter().map(|(_, process)| process.borrow().child.id()).collect()
    }
}

/// What all jobs share, and the token of those that have one.
fn describe(jobs: &[Job]) -> Value {
    json!({
        "keys": jobs[0].keys,
        "token": jobs.iter().find_map(|job| job.token.as_deref()),
        "bucket": job::BUCKET,
        "region": Provider::S3.region(),
        "endpoint": Provider::S3.endpoint(),
        "access_key_id": job::ACCESS_KEY_ID,
        "secret": job::SECRET,
        "life": job::LIFE.as_secs(),
        "prefix": job::PREFIX,
        "content_type": job::CONTENT_TYPE,
        "content_length": job::CONTENT_LENGTH,
        "content_lengths": [job::CONTENT_LENGTHS.start(), job::CONTENT_LENGTHS.end()],
        "metadata": [job::METADATA.0, job::METADATA.1],
    })
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    versions: String,
}

impl Process {
    fn start(language: &str, jobs: &Value) -> Result<Self, String> {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("children");
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/children").join(language);
        let installed = Command::new("sh").arg(here.join("install.sh")).arg(language).arg(&folder).output().map_err(|error| error.to_string())?;
        if !installed.status.success() {
            let said = String::from_utf8_lossy(&installed.stderr).into_owned();
            return Err(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it could not be installed").to_owned());
        }
        let mut command = match language {
            "python" => {
                let mut command = Command::new(folder.join("venv/bin/python"));
                command.arg("-B").arg(here.join("sign.py"));
                command
            }
            _ => {
                let mut command = Command::new("node");
                command.arg("--no-warnings").arg(here.join("sign.mjs")).arg(&folder);
                command
            }
        };
        // Credentials and a configuration of the machine are none of the job's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| format!("{language}: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return Err(format!("{language}: no pipes")) };
        let mut process = Self { child, input, output: BufReader::new(output), versions: String::new() };
        process.versions = process.ask(&jobs.to_string())?;
        Ok(process)
    }

    /// One line there, one line back.
    fn ask(&mut self, line: &str) -> Result<String, String> {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        match self.output.read_line(&mut answer) {
            Ok(0) => Err("the process ended; what it said is above".to_owned()),
            Ok(_) => Ok(answer.trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// It ends when nobody asks it any more.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Elsewhere {
    process: Rc<RefCell<Process>>,
    letter: char,
}

impl Elsewhere {
    fn ask(&self, command: &str, number: usize) -> String {
        self.process.borrow_mut().ask(&format!("{command} {} {number}", self.letter)).unwrap_or_else(|error| panic!("({}): {error}", self.letter))
    }
}

impl Run for Elsewhere {
    fn run(&self, calls: usize) {
        self.ask("run", calls);
    }

    fn nanoseconds(&self, calls: usize) -> u128 {
        let answer = self.ask("run", calls);
        answer.parse().unwrap_or_else(|_| panic!("({}): no number: {answer}", self.letter))
    }

    fn is_here(&self) -> bool {
        false
    }

    fn proof(&self, index: usize) -> Proof {
        let answer: Value = serde_json::from_str(&self.ask("proof", index)).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match &answer {
            Value::String(url) => Proof::Url(url.clone()),
            form => {
                let fields = form["fields"].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value)));
                Proof::Form(Form { place: Some(text(&form["url"])), fields: fields.collect() })
            }
        }
    }
}
