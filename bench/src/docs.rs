//! Puts what was measured into the documentation, between marks.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A part of `docs/performance.md`, and the program whose output it is.
struct Section {
    name: &'static str,
    command: fn() -> Vec<OsString>,
}

const SECTIONS: [Section; 3] = [
    Section { name: "presign", command: || vec![std::env::current_exe().unwrap_or_default().into()] },
    Section { name: "batch", command: || script(&["batch.py"]) },
    Section { name: "transfer", command: || script(&["transfer.py"]) },
];

fn script(words: &[&str]) -> Vec<OsString> {
    let bench = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    words.iter().enumerate().map(|(at, word)| if at == 0 { bench.join(word).into() } else { OsString::from(word) }).collect()
}

/// Measures the sections of these names, all of them when there is none, and writes each down as soon as it is there.
pub fn write(names: &[String]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| SECTIONS.iter().all(|section| section.name != **name)) {
        return Err(format!("{unknown} is no section; there are presign, batch and transfer"));
    }
    for section in SECTIONS.iter().filter(|section| names.is_empty() || names.iter().any(|name| name == section.name)) {
        eprintln!("measuring: {}", section.name);
        let words = (section.command)();
        let (program, arguments) = words.split_first().ok_or("no command")?;
        let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", section.name))?;
        if !output.status.success() {
            return Err(format!("{}: {}", section.name, output.status));
        }
        replace(section.name, &String::from_utf8_lossy(&output.stdout))?;
    }
    Ok(())
}

fn replace(name: &str, text: &str) -> Result<(), String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let old = std::fs::read_to_string(&path).map_err(|error| format!("docs/performance.md: {error}"))?;
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->\n"));
    let unmarked = || format!("docs/performance.md has not the marks of {name}");
    let (before, rest) = old.split_once(&begin).ok_or_else(unmarked)?;
    let (_, after) = rest.split_once(&end).ok_or_else(unmarked)?;
    std::fs::write(&path, format!("{before}{begin}\n{}\n\n{end}{after}", text.trim())).map_err(|error| format!("docs/performance.md: {error}"))
}
