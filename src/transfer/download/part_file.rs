//! The file that a download grows in, and how it takes its place in the end.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempPath;

use crate::transfer::error::TransferError;
use crate::transfer::files::{beside, folder_of};

/// Where the file shall be: symbolic links are followed, so that the file and not the link is replaced.
pub(super) fn target(path: &Path) -> Result<PathBuf, TransferError> {
    let refuse = |reason: &str| TransferError::File { action: "write", path: path.to_owned(), source: io::Error::new(io::ErrorKind::InvalidInput, reason) };
    if path.file_name().is_none_or(OsStr::is_empty) {
        return Err(refuse("it names no file"));
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(refuse("it is a folder; name the file in it")),
        // A device or pipe would be replaced by a file.
        Ok(metadata) if !metadata.is_file() => Err(refuse("it is no regular file; write to it in order")),
        Ok(_) => std::fs::canonicalize(path).map_err(TransferError::file("open", path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(TransferError::file("open", path)(error)),
    }
}

/// Where the bytes and the record of a download that can be gone on with are kept.
pub(super) fn kept_path(target: &Path) -> PathBuf {
    beside(target, ".", ".valetkey-part")
}

/// The file that grows.
pub(super) struct PartFile {
    pub(super) file: Arc<File>,
    place: Place,
}

enum Place {
    /// Vanishes unless it takes its place.
    Temporary(TempPath),
    Kept(PathBuf),
}

impl PartFile {
    pub(super) fn temporary(target: &Path) -> Result<Self, TransferError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".valetkey-").suffix(".part");
        // As any other new file; the umask is applied.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let folder = folder_of(target);
        let (file, path) = builder.tempfile_in(folder).map_err(TransferError::file("create a file in", folder))?.into_parts();
        Ok(Self { file: Arc::new(file), place: Place::Temporary(path) })
    }

    /// Opens the file of an earlier run, or a new one. Two runs cannot have it at the same time.
    pub(super) fn kept(target: &Path) -> Result<Self, TransferError> {
        let path = kept_path(target);
        // Whoever may write to the folder could put a link there that leads elsewhere.
        if std::fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(TransferError::State { path, reason: "is no regular file; remove it".to_owned() });
        }
        let create = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = match create {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new().read(true).write(true).open(&path),
            created => created,
        };
        let file = file.map_err(TransferError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file: Arc::new(file), place: Place::Kept(path) }),
            Err(TryLockError::WouldBlock) => Err(TransferError::State { path, reason: "is being written by another download; wait for its end".to_owned() }),
            // A file system without locks.
            Err(TryLockError::Error(_)) => Ok(Self { file: Arc::new(file), place: Place::Kept(path) }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match &self.place {
            Place::Temporary(path) => path,
            Place::Kept(path) => path,
        }
    }

    /// Takes its place; with `sync`, when the disk has all its bytes. It has the permissions of the file that was there.
    pub(super) fn finish(self, target: &Path, sync: bool) -> Result<(), TransferError> {
        if let Ok(metadata) = std::fs::metadata(target) {
            self.file.set_permissions(metadata.permissions()).map_err(TransferError::file("set the permissions of", self.path()))?;
        }
        if sync {
            self.file.sync_all().map_err(TransferError::file("write", self.path()))?;
        }
        drop(self.file);
        match self.place {
            Place::Temporary(path) => path.persist(target).map_err(|error| TransferError::file("write", target)(error.error))?,
            Place::Kept(path) => std::fs::rename(path, target).map_err(TransferError::file("write", target))?,
        }
        // The new name too shall outlive a power cut. Where folders cannot be synced, the system does it when it will.
        #[cfg(unix)]
        if sync {
            let _ = File::open(folder_of(target)).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    /// Is thrown away, though it was to be kept.
    pub(super) fn discard(self) {
        if let Place::Kept(path) = self.place {
            let _ = std::fs::remove_file(path);
        }
    }
}
