//! The only place that prints: results on standard output, everything else on standard error.

use std::io::{self, StdoutLock, Write as _};

use crate::error::CliError;

/// Prints a whole text on standard output.
pub(crate) fn text(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a line on standard output.
pub(crate) fn line(line: &str) -> Result<(), CliError> {
    text(&format!("{line}\n"))
}

/// Prints JSON in one line on standard output.
pub(crate) fn json(json: &str) -> Result<(), CliError> {
    line(&safe(json))
}

/// Prints JSON in one line on standard error.
pub(crate) fn json_aside(json: &str) {
    exact_aside(&safe(json));
}

/// What a terminal might obey is written as JSON escapes, which change nothing.
fn safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            let mut units = [0; 2];
            safe.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Prints a line on standard error. Nobody is left to be told when that fails.
pub(crate) fn aside(line: &str) {
    let _ = writeln!(io::stderr(), "{}", one_line(line));
}

/// Prints a line on standard error exactly as it is. Only for what is to be sent as it stands and has been searched for control characters.
pub(crate) fn exact_aside(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Standard output for blocks of lines, each of which the caller writes and flushes.
pub(crate) fn blocks() -> StdoutLock<'static> {
    io::stdout().lock()
}

/// Says why the program ends.
pub(crate) fn error(error: &CliError, json: bool) {
    if error.is_silent() {
        return;
    }
    if json {
        aside(&valetkey::error_json(error.code(), &one_line(&error.to_string())));
    } else {
        aside(&format!("valetkey: {error}"));
    }
}

/// Says where the program is at fault and nothing else: what a panic carries may hold a secret.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!(" ({}:{})", at.file().rsplit(['/', '\\']).next().unwrap_or_default(), at.line()));
        aside(&format!("valetkey: internal error{}; please report it with the command that you gave", place.unwrap_or_default()));
    }));
}

/// The text as one line that no terminal obeys: control characters, line ends and the marks that turn the direction of writing are escaped.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        for (text, want) in [
            ("plain été 文", "plain été 文"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("\u{9b}x\u{202e}gnp\u{2066}", "\\u{9b}x\\u{202e}gnp\\u{2066}"),
            ("back\\slash", "back\\slash"),
        ] {
            assert_eq!(one_line(text), want);
        }
    }
}
