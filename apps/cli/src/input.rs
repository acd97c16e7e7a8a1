//! Files that are read whole, and standard input in their place.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::CliError;

/// Opens a file, or standard input for `-`.
pub(crate) fn open(file: &Path) -> Result<Box<dyn Read + Send>, CliError> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let input = File::open(file).map_err(|error| unreadable(file, &error.to_string()))?;
    match input.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(unreadable(file, "it is a folder")),
        _ => Ok(Box::new(input)),
    }
}

/// The bytes of a file, or of standard input for `-`; more than `max` are an error.
pub(crate) fn read(file: &Path, flag: &str, max: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = open(file)?.take(max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| CliError::failure("input", format!("{flag}: {} cannot be read: {error}", name(file))))?;
    if bytes.len() as u64 > max {
        return Err(CliError::usage("unreadable_input", format!("{flag}: {} has more than {max} bytes", name(file))));
    }
    Ok(bytes)
}

/// A file that cannot be used, and why.
pub(crate) fn unreadable(file: &Path, reason: &str) -> CliError {
    CliError::usage("unreadable_input", format!("{} cannot be read: {reason}", name(file)))
}

/// A file in a message.
pub(crate) fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}
