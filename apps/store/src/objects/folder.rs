//! Objects in a folder.
//!
//! ```text
//! valetkey-store.json              marks the folder as a store's, and says its format
//! lock                             held while a store runs
//! buckets/BUCKET/SHA256(KEY).json  one object: all that is known of it, and which blobs its bytes are in
//! settings/BUCKET.json             what is known of the bucket itself
//! uploads/ID.json, ID.NUMBER.json  a multipart upload and its parts
//! blobs/ID                         bytes, never changed once written
//! ```
//! A key never becomes a path: its SHA-256 does. Bytes and metadata change together because an object is the one record that names its
//! blobs, and a record is replaced by one rename. A crash leaves at worst blobs that no record names; they are removed at the next start.
//! A bucket is there when its folder in `buckets` is.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    backend::{Backend, ObjectRecord, PartRecord, SaveError, Stage, random_id},
    buckets::BucketInfo,
    meta::UploadInfo,
};
use blob::FileStage;
use disk::Disk;

mod blob;
pub(super) mod disk;
mod load;

pub(super) use load::open;

/// The backend that keeps everything in a folder.
pub(crate) struct Folder {
    paths: Paths,
    disk: Arc<dyn Disk>,
    /// Two stores in one folder would lose each other's objects.
    _lock: File,
}

struct Paths {
    buckets: PathBuf,
    settings: PathBuf,
    uploads: PathBuf,
    blobs: PathBuf,
}

impl Paths {
    /// `bucket` has passed the rules for new buckets, which allow no separator and no leading dot.
    fn object(&self, bucket: &str, key: &str) -> PathBuf {
        self.buckets.join(bucket).join(format!("{}.json", crate::digest::hex(&Sha256::digest(key))))
    }

    fn settings(&self, bucket: &str) -> PathBuf {
        self.settings.join(format!("{bucket}.json"))
    }

    fn upload(&self, id: &str) -> PathBuf {
        self.uploads.join(format!("{id}.json"))
    }

    fn part(&self, id: &str, number: u16) -> PathBuf {
        self.uploads.join(format!("{id}.{number}.json"))
    }
}

impl Backend for Folder {
    fn stage(&self) -> io::Result<Box<dyn Stage>> {
        Ok(Box::new(FileStage::create(Arc::clone(&self.disk), self.paths.blobs.join(random_id()?))?))
    }

    fn save_bucket(&self, bucket: &str, info: &BucketInfo) -> Result<(), SaveError> {
        // The settings come first: those of a bucket that is not there mean nothing.
        replace(&*self.disk, &self.paths.settings(bucket), info)?;
        match self.disk.create_dir(&self.paths.buckets.join(bucket)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        // Of a folder that is there already too: the sync after it was made may have failed.
        self.disk.sync_dir(&self.paths.buckets).map_err(|source| SaveError { source, may_be_there: true })
    }

    fn remove_bucket(&self, bucket: &str) -> io::Result<()> {
        let path = self.paths.buckets.join(bucket);
        // No object is left, and a record that was not finished would keep the folder there.
        match fs::read_dir(&path) {
            // It was removed, and the sync after that failed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            entries => {
                for entry in entries? {
                    let entry = entry?.path();
                    if entry.extension().is_some_and(|extension| extension == "tmp") {
                        self.disk.remove_file(&entry)?;
                    }
                }
                self.disk.remove_dir(&path)?;
            }
        }
        self.disk.sync_dir(&self.paths.buckets)?;
        // Without its bucket it means nothing, and the next start sweeps it up.
        let _ = self.disk.remove_file(&self.paths.settings(bucket));
        Ok(())
    }

    fn save_object(&self, bucket: &str, record: &ObjectRecord) -> Result<(), SaveError> {
        replace(&*self.disk, &self.paths.object(bucket, &record.info.key), record)
    }

    fn remove_objects(&self, bucket: &str, keys: &[&str]) -> Result<(), (usize, io::Error)> {
        for (n, key) in keys.iter().enumerate() {
            match self.disk.remove_file(&self.paths.object(bucket, key)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other.map_err(|error| (n, error))?,
            }
        }
        self.disk.sync_dir(&self.paths.buckets.join(bucket)).map_err(|error| (keys.len(), error))
    }

    fn save_upload(&self, upload: &UploadInfo) -> Result<(), SaveError> {
        replace(&*self.disk, &self.paths.upload(&upload.id), upload)
    }

    fn save_part(&self, upload_id: &str, record: &PartRecord) -> Result<(), SaveError> {
        replace(&*self.disk, &self.paths.part(upload_id, record.info.number), record)
    }

    fn remove_upload(&self, upload_id: &str) -> io::Result<()> {
        remove_upload(&*self.disk, &self.paths, upload_id)
    }
}

fn remove_upload(disk: &dyn Disk, paths: &Paths, id: &str) -> io::Result<()> {
    match disk.remove_file(&paths.upload(id)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => other?,
    }
    // Also when it is gone already: the sync after its removal may have failed.
    disk.sync_dir(&paths.uploads)?;
    // The upload's own record went first: parts without it mean nothing, and what of them cannot be removed now is swept up at the next start.
    let prefix = format!("{id}.");
    for entry in fs::read_dir(&paths.uploads).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
            let _ = disk.remove_file(&entry.path());
        }
    }
    Ok(())
}

/// Puts `record` in the place of what is at `path`: written to another name, synced, renamed, and the rename synced.
fn replace(disk: &dyn Disk, path: &Path, record: &impl Serialize) -> Result<(), SaveError> {
    let bytes = serde_json::to_vec(record).map_err(io::Error::from)?;
    let temporary = path.with_extension(format!("{}.tmp", random_id()?));
    let write = || {
        let file = disk.create(&temporary)?;
        disk.write(&file, &bytes)?;
        disk.sync(&file)?;
        disk.rename(&temporary, path)
    };
    if let Err(error) = write() {
        // Gone or not: a name that ends so is swept up at the next start.
        let _ = disk.remove_file(&temporary);
        return Err(error.into());
    }
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent)).map_err(|source| SaveError { source, may_be_there: true })
}
