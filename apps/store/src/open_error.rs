//! Why a store did not start.

use std::{io, path::PathBuf};

/// Why the folder of a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file system refused, or a record cannot be read.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The folder holds something that is not a store.
    #[error("{} holds {stranger:?} and is not a store's folder; name an empty or a new folder", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// One of the things in it.
        stranger: String,
    },
    /// The folder is of another version of this program.
    #[error("{} has the format {format}, which this version does not read", path.display())]
    Format {
        /// The folder.
        path: PathBuf,
        /// The format that it says.
        format: u32,
    },
    /// Another store runs in this folder.
    #[error("another store is running in {}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A record does not fit to the rest.
    #[error("{} is damaged: {reason}; restore it, or remove it to give this object up", path.display())]
    Damaged {
        /// The record.
        path: PathBuf,
        /// What does not fit.
        reason: &'static str,
    },
}
