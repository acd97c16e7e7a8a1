//! `docs/errors.md` has every code, and no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every source below a folder, without its tests.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            found.push(text.split("\n#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// What `code()` of an error gives, and what the program gives by itself.
fn codes() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for folder in ["core/src", "src", "apps/cli/src"] {
        sources(&root().join(folder), &mut texts);
    }
    let mut codes = BTreeSet::new();
    for text in &texts {
        for function in text.split("fn code(&self) -> &'static str {").skip(1) {
            let body = function.split("\n    }\n").next().unwrap_or_default();
            codes.extend(body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned()));
        }
        for call in ["::usage(", "::setup(", "::failure(", "::refused("] {
            let given = text.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            codes.extend(given.map(str::to_owned));
        }
        codes.extend(text.split("code: \"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned()));
    }
    codes.retain(|code| is_code(code));
    codes
}

#[test]
fn every_code_is_documented_and_no_other() {
    let text = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let mut documented: BTreeSet<String> = rows.flat_map(|cell| cell.split("`, `")).map(|code| code.trim_matches('`').to_owned()).collect();
    // A sentence of its own, and an end that is no error.
    documented.insert("internal".to_owned());
    documented.insert("closed".to_owned());
    assert!(text.contains("`internal` (exit 1)"));
    let codes = codes();
    assert!(codes.len() > 100, "{codes:?}");
    assert_eq!(codes.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "in the sources alone");
    assert_eq!(documented.difference(&codes).collect::<Vec<_>>(), Vec::<&String>::new(), "in the document alone");
}
