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
        Err(_) if path.is_symlink() => Err(refuse("it is a link that leads nowhere; remove it, or make what it leads to")),
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
        // As any other new file, with the umask applied; or as the file that it replaces, which may be nobody else's business.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(if target.exists() { 0o600 } else { 0o666 }));
        let folder = folder_of(target);
        let (file, path) = builder.tempfile_in(folder).map_err(TransferError::file("create a file in", folder))?.into_parts();
        #[cfg(unix)]
        if target.exists() {
            mode::guard(&file, target);
        }
        Ok(Self { file: Arc::new(file), place: Place::Temporary(path) })
    }

    /// Opens the file of an earlier run, or a new one. Two runs cannot have it at the same time.
    pub(super) fn kept(target: &Path) -> Result<Self, TransferError> {
        let path = kept_path(target);
        // Whoever may write to the folder could put a link there that leads elsewhere.
        if std::fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(TransferError::State { path, reason: "is no regular file; remove it".to_owned() });
        }
        let mut create = OpenOptions::new();
        create.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut create, 0o600);
        let file = match create.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new().read(true).write(true).open(&path),
            created => created,
        };
        let file = file.map_err(TransferError::file("open", &path))?;
        // An error is that of a file system without locks.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(TransferError::State { path, reason: "is being written by another download; wait for its end".to_owned() });
        }
        #[cfg(unix)]
        mode::guard(&file, target);
        Ok(Self { file: Arc::new(file), place: Place::Kept(path) })
    }

    pub(super) fn path(&self) -> &Path {
        match &self.place {
            Place::Temporary(path) => path,
            Place::Kept(path) => path,
        }
    }

    /// Takes its place; with `sync`, when the disk has all its bytes. It has the permissions of the file that was there, or those of any new file.
    pub(super) fn finish(self, target: &Path, sync: bool) -> Result<(), TransferError> {
        #[cfg(unix)]
        mode::settle(&self.file, target, matches!(self.place, Place::Kept(_))).map_err(TransferError::file("set the permissions of", self.path()))?;
        #[cfg(not(unix))]
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

/// Who may read and write the file, before and after it takes its place.
#[cfg(unix)]
mod mode {
    use std::fs::{File, Permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use crate::transfer::files::folder_of;

    /// Without the bits that make a program run as somebody else: they were given to other bytes.
    const MASK: u32 = 0o777;

    fn of(path: &Path) -> Option<u32> {
        std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & MASK)
    }

    /// While it grows: for nobody who may not read what it replaces, and for the owner alone where it replaces nothing.
    pub(super) fn guard(file: &File, target: &Path) {
        let mode = of(target).unwrap_or_default() | 0o600;
        // A file system without permissions refuses; there is nothing to guard with.
        let _ = file.set_permissions(Permissions::from_mode(mode));
    }

    /// As the file that was there; `is_guarded`: where there was none, as any new file.
    pub(super) fn settle(file: &File, target: &Path, is_guarded: bool) -> io::Result<()> {
        let mode = match of(target) {
            Some(mode) => mode,
            None if is_guarded => of_new(folder_of(target))?,
            None => return Ok(()),
        };
        if file.metadata()?.permissions().mode() & 0o7777 == mode {
            return Ok(());
        }
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// What the umask, or an ACL of the folder, leaves to a new file. Only making one tells it.
    fn of_new(folder: &Path) -> io::Result<u32> {
        let probe = tempfile::Builder::new().prefix(".valetkey-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
        Ok(probe.as_file().metadata()?.permissions().mode() & MASK)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_grows_is_no_more_open_than_what_it_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let (target, new) = (folder.path().join("target"), folder.path().join("new"));
        std::fs::write(&new, "").unwrap();
        for open in [PartFile::temporary, PartFile::kept] {
            for (before, during, after) in [(0o600, 0o600, 0o600), (0o640, 0o640, 0o640), (0o444, 0o644, 0o444), (0o4755, 0o755, 0o755), (0o6711, 0o711, 0o711)]
            {
                std::fs::write(&target, "old").unwrap();
                std::fs::set_permissions(&target, std::fs::Permissions::from_mode(before)).unwrap();
                let part = open(&target).unwrap();
                assert_eq!(mode(part.path()), during, "{before:o}");
                part.finish(&target, false).unwrap();
                assert_eq!(mode(&target), after, "{before:o}");
                std::fs::remove_file(&target).unwrap();
            }
            let part = open(&target).unwrap();
            if matches!(part.place, Place::Kept(_)) {
                assert_eq!(mode(part.path()), 0o600);
            }
            part.finish(&target, false).unwrap();
            assert_eq!(mode(&target), mode(&new));
            std::fs::remove_file(&target).unwrap();
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink(folder.path().join("nowhere"), &link).unwrap();
        let error = super::target(&link).unwrap_err().to_string();
        assert!(error.contains("it is a link that leads nowhere; remove it, or make what it leads to"), "{error}");
    }
}
