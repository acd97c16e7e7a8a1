//! The official SDKs for Python, in a virtual environment that the test makes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Failed;
use serde_json::Value;

use crate::generate::Case;

/// What an oracle said to one request.
pub(crate) struct Answer {
    pub(crate) url: Option<String>,
    pub(crate) error: Option<String>,
}

pub(crate) struct Oracle<'p> {
    python: &'p Path,
    script: PathBuf,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

/// The Python of an environment with the SDKs, made when it is not there or when the requirements have changed.
pub(crate) fn environment() -> Result<PathBuf, String> {
    let requirements = folder().join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("differential");
    let (python, installed) = (place.join("bin/python"), place.join("installed.txt"));
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted) && python.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements))?;
    std::fs::write(&installed, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))) }
}

impl<'p> Oracle<'p> {
    pub(crate) fn new(python: &'p Path, provider: &str) -> Self {
        Self { python, script: folder().join(format!("{provider}_oracle.py")) }
    }

    /// One answer for each case, in order.
    pub(crate) fn ask(&self, cases: &[Case]) -> Result<Vec<Answer>, Failed> {
        let mut command = Command::new(self.python);
        command.arg(&self.script).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().ok_or("no standard input")?;
        let lines: String = cases.iter().map(|case| format!("{}\n", case.to_json())).collect();
        let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let answers = output.lines().map(|line| answer(&line?)).collect::<Result<Vec<_>, Failed>>()?;
        writer.join().map_err(|_| "the writer panicked")??;
        let status = child.wait()?;
        if !status.success() || answers.len() != cases.len() {
            return Err(format!("the oracle ended with {status} after {} of {} answers", answers.len(), cases.len()).into());
        }
        Ok(answers)
    }
}

fn answer(line: &str) -> Result<Answer, Failed> {
    let value: Value = serde_json::from_str(line)?;
    let text = |field: &str| value[field].as_str().map(ToOwned::to_owned);
    Ok(Answer { url: text("url"), error: text("error") })
}
