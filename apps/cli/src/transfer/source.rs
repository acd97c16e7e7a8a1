//! What is put: a file as it is, or a copy of what has no length.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::teller::Teller;
use crate::error::CliError;
use crate::input;

/// What is read at once.
const PIECE: usize = 256 * 1024;

/// What the command line names.
pub(super) enum Source {
    /// A regular file.
    File { path: PathBuf, size: u64 },
    /// Standard input, or what behaves like it: a pipe, a device.
    Stream(PathBuf),
}

impl Source {
    pub(super) fn of(path: &Path) -> Result<Self, CliError> {
        if path == Path::new("-") {
            return Ok(Self::Stream(path.to_owned()));
        }
        let metadata = std::fs::metadata(path).map_err(|error| input::unreadable(path, &error.to_string()))?;
        if metadata.is_dir() {
            return Err(input::unreadable(path, "it is a folder; name a file"));
        }
        if !metadata.is_file() {
            return Ok(Self::Stream(path.to_owned()));
        }
        // Now rather than after a wrong credential: the file is named on the command line.
        File::open(path).map_err(|error| input::unreadable(path, &error.to_string()))?;
        Ok(Self::File { path: path.to_owned(), size: metadata.len() })
    }

    /// The name of a file, for its object and its type.
    pub(super) fn name(&self) -> Option<&OsStr> {
        match self {
            Self::File { path, .. } => path.file_name(),
            Self::Stream(_) => None,
        }
    }

    /// A file with all of it. What has no length is copied, which ends when it is stopped.
    pub(super) async fn ready(self, teller: &Arc<Teller>, stop: &CancellationToken) -> Result<Ready, CliError> {
        let path = match self {
            Self::File { path, size } => return Ok(Ready::Named { path, size }),
            Self::Stream(path) => path,
        };
        let (stream, teller) = (path, Arc::clone(teller));
        // Not waited for when the user stops it: it may wait for input for ever.
        let copying = tokio::task::spawn_blocking(move || copy(&stream, &teller));
        tokio::select! {
            copied = copying => copied.map_err(|_| CliError::internal())?,
            () = stop.cancelled() => Err(CliError::interrupted()),
        }
    }
}

/// A regular file: one of the user, or a temporary one without a name, which the system removes at every end of the program.
pub(super) enum Ready {
    Named { path: PathBuf, size: u64 },
    Nameless { file: File, size: u64 },
}

impl Ready {
    pub(super) const fn size(&self) -> u64 {
        match self {
            Self::Named { size, .. } | Self::Nameless { size, .. } => *size,
        }
    }
}

fn copy(from: &Path, teller: &Teller) -> Result<Ready, CliError> {
    let no_room = |error: io::Error| {
        let message = format!("a temporary file in {} cannot be written: {error}; set TMPDIR to a folder with room", std::env::temp_dir().display());
        CliError::failure("temporary_file", message)
    };
    let mut file = tempfile::tempfile().map_err(no_room)?;
    let mut input = input::open(from)?;
    let mut piece = vec![0; PIECE];
    let mut size = 0_u64;
    loop {
        let read = match input.read(&mut piece) {
            Ok(0) => return Ok(Ready::Nameless { file, size }),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CliError::failure("input", format!("{} cannot be read: {error}", input::name(from)))),
        };
        file.write_all(piece.get(..read).unwrap_or_default()).map_err(no_room)?;
        size = size.saturating_add(read as u64);
        teller.spooled(size);
    }
}
