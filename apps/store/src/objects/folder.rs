//! Objects in a folder.
//!
//! ```text
//! valetkey-store.json              marks the folder as a store's, and says its format
//! lock                             held while a store runs
//! buckets/BUCKET/SHA256(KEY).json  one object: all that is known of it, and which blobs its bytes are in
//! uploads/ID.json, ID.NUMBER.json  a multipart upload and its parts
//! blobs/ID                         bytes, never changed once written
//! ```
//! A key never becomes a path: its SHA-256 does. Bytes and metadata change together because an object is the one record that names its
//! blobs, and a record is replaced by one rename. A crash leaves at worst blobs that no record names; they are removed at the next start.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::{
    backend::{Backend, Blob, BlobReader, BlobRecord, ObjectRecord, PartRecord, Stage, random_id},
    meta::UploadInfo,
};

mod load;

pub(super) use load::open;

/// How many bytes are read or written at a time, which bounds the memory of a transfer.
const CHUNK: usize = 256 << 10;

/// The backend that keeps everything in a folder.
pub(crate) struct Folder {
    paths: Arc<Paths>,
    /// Two stores in one folder would lose each other's objects.
    _lock: File,
}

struct Paths {
    buckets: PathBuf,
    uploads: PathBuf,
    blobs: PathBuf,
}

impl Paths {
    /// `bucket` has passed the rules for new buckets, which allow no separator and no leading dot.
    fn object(&self, bucket: &str, key: &str) -> PathBuf {
        self.buckets.join(bucket).join(format!("{}.json", crate::digest::hex(&Sha256::digest(key))))
    }

    fn upload(&self, id: &str) -> PathBuf {
        self.uploads.join(format!("{id}.json"))
    }

    fn part(&self, id: &str, number: u16) -> PathBuf {
        self.uploads.join(format!("{id}.{number}.json"))
    }
}

#[async_trait]
impl Backend for Folder {
    async fn stage(&self) -> io::Result<Box<dyn Stage>> {
        let path = self.paths.blobs.join(random_id()?);
        // Never through a link that someone placed there: `create_new` follows none.
        let file = tokio::fs::OpenOptions::new().write(true).create_new(true).open(&path).await?;
        let blob = FileBlob { path, len: 0, crc64: 0, kept: AtomicBool::new(false) };
        Ok(Box::new(FileStage { file, blob, buffer: BytesMut::with_capacity(CHUNK) }))
    }

    fn save_bucket(&self, bucket: &str) -> io::Result<()> {
        match fs::create_dir(self.paths.buckets.join(bucket)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other.and_then(|()| sync_dir(&self.paths.buckets)),
        }
    }

    fn save_object(&self, bucket: &str, record: &ObjectRecord) -> io::Result<()> {
        replace(&self.paths.object(bucket, &record.info.key), record)
    }

    fn remove_object(&self, bucket: &str, key: &str) -> io::Result<()> {
        remove(&self.paths.object(bucket, key))
    }

    fn save_upload(&self, upload: &UploadInfo) -> io::Result<()> {
        replace(&self.paths.upload(&upload.id), upload)
    }

    fn save_part(&self, upload_id: &str, record: &PartRecord) -> io::Result<()> {
        replace(&self.paths.part(upload_id, record.info.number), record)
    }

    fn remove_upload(&self, upload_id: &str) -> io::Result<()> {
        // The upload's own record goes first: parts without it are swept up at the next start.
        remove(&self.paths.upload(upload_id))?;
        let prefix = format!("{upload_id}.");
        for entry in fs::read_dir(&self.paths.uploads)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Puts `record` in the place of what is at `path`: written to another name, synced, renamed, and the rename synced.
fn replace(path: &Path, record: &impl Serialize) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", random_id()?));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    if let Err(error) = write() {
        // Gone or not: a name that ends so is swept up at the next start.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    path.parent().map_or(Ok(()), sync_dir)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.and_then(|()| path.parent().map_or(Ok(()), sync_dir)),
    }
}

/// Makes the names in a folder durable. Only Unix can open a folder as a file; elsewhere the file system has to see to it.
fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

struct FileStage {
    file: tokio::fs::File,
    blob: FileBlob,
    buffer: BytesMut,
}

impl FileStage {
    async fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }
}

#[async_trait]
impl Stage for FileStage {
    async fn write(&mut self, mut chunk: Bytes) -> io::Result<()> {
        self.blob.len = self.blob.len.saturating_add(chunk.len() as u64);
        while !chunk.is_empty() {
            let room = CHUNK.saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
            if self.buffer.len() >= CHUNK {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn seal(mut self: Box<Self>, crc64: u64) -> io::Result<Arc<dyn Blob>> {
        self.flush().await?;
        self.file.flush().await?;
        self.file.sync_all().await?;
        self.blob.crc64 = crc64;
        let parent = self.blob.path.parent().map(Path::to_path_buf);
        if let Some(parent) = parent {
            tokio::task::spawn_blocking(move || sync_dir(&parent)).await??;
        }
        Ok(Arc::new(self.blob))
    }
}

struct FileBlob {
    path: PathBuf,
    len: u64,
    crc64: u64,
    kept: AtomicBool,
}

impl Drop for FileBlob {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            // What cannot be removed now is swept up at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Blob for FileBlob {
    fn record(&self) -> BlobRecord {
        let id = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        BlobRecord { id: id.into(), len: self.len, crc64: self.crc64 }
    }

    fn keep(&self, kept: bool) {
        self.kept.store(kept, Ordering::Release);
    }

    fn read(self: Arc<Self>, range: Range<u64>) -> Box<dyn BlobReader> {
        Box::new(FileReader { blob: self, range, file: None })
    }
}

struct FileReader {
    blob: Arc<FileBlob>,
    range: Range<u64>,
    file: Option<tokio::fs::File>,
}

#[async_trait]
impl BlobReader for FileReader {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = tokio::fs::File::open(&self.blob.path).await?;
                file.set_max_buf_size(CHUNK);
                file.seek(io::SeekFrom::Start(self.range.start)).await?;
                self.file.insert(file)
            }
        };
        let left = self.range.end.saturating_sub(self.range.start);
        let want = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let mut chunk = BytesMut::with_capacity(want);
        let read = file.take(want as u64).read_buf(&mut chunk).await?;
        self.range.start = self.range.start.saturating_add(read as u64);
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Some(chunk.freeze())) }
    }
}
