//! The bytes of objects and parts, one file each.

use std::{
    fs::File,
    io::{self, Read, Seek},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    super::backend::{Blob, BlobReader, BlobRecord, Stage},
    disk::Disk,
};

/// How many bytes are read at a time, which bounds the memory of a download, and have a checksum of their own.
const PIECE: u64 = 256 << 10;

/// How many bytes are written before the disk is asked to take them, while more arrive: a large body would otherwise wait for all of them at its end.
const SYNC_EACH: u64 = 64 << 20;

/// A file that is being written.
pub(super) struct FileStage {
    file: Arc<File>,
    blob: FileBlob,
    /// How many bytes the disk was asked to take.
    asked: u64,
    syncing: Option<JoinHandle<io::Result<()>>>,
    /// The checksums of the pieces that are whole, and of the one that is not.
    pieces: Vec<u32>,
    piece: crc_fast::Digest,
}

impl FileStage {
    pub(super) fn create(disk: Arc<dyn Disk>, path: PathBuf) -> io::Result<Self> {
        let file = Arc::new(disk.create(&path)?);
        let blob = FileBlob { disk, path, len: 0, crc64: 0, pieces: Arc::default(), kept: AtomicBool::new(false), pinned: AtomicBool::new(false) };
        Ok(Self { file, blob, asked: 0, syncing: None, pieces: Vec::new(), piece: crc_of_piece() })
    }

    /// Takes the next bytes into the checksums of their pieces.
    fn sum(&mut self, mut bytes: &[u8]) {
        let mut filled = self.blob.len % PIECE;
        while !bytes.is_empty() {
            let room = usize::try_from(PIECE.saturating_sub(filled)).unwrap_or(usize::MAX);
            let (part, rest) = bytes.split_at(room.min(bytes.len()));
            self.piece.update(part);
            filled = filled.saturating_add(part.len() as u64);
            if filled == PIECE {
                self.end_piece();
                filled = 0;
            }
            bytes = rest;
        }
    }

    fn end_piece(&mut self) {
        let piece = std::mem::replace(&mut self.piece, crc_of_piece());
        self.pieces.push(u32::try_from(piece.finalize()).unwrap_or_default());
    }

    /// What a sync says is said once, so none may be lost.
    fn synced(&mut self) -> io::Result<()> {
        match self.syncing.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(joined) => joined.unwrap_or_else(|_| Err(io::Error::other("the thread that syncs ended"))),
        }
    }
}

impl Stage for FileStage {
    fn write(&mut self, chunk: &Bytes) -> io::Result<()> {
        self.blob.disk.write(&self.file, chunk)?;
        self.sum(chunk);
        self.blob.len = self.blob.len.saturating_add(chunk.len() as u64);
        if self.blob.len.saturating_sub(self.asked) >= SYNC_EACH && self.syncing.as_ref().is_none_or(JoinHandle::is_finished) {
            self.synced()?;
            self.asked = self.blob.len;
            let (disk, file) = (Arc::clone(&self.blob.disk), Arc::clone(&self.file));
            self.syncing = Some(thread::spawn(move || disk.sync(&file)));
        }
        Ok(())
    }

    fn seal(mut self: Box<Self>, crc64: u64) -> io::Result<Arc<dyn Blob>> {
        self.synced()?;
        let disk = Arc::clone(&self.blob.disk);
        disk.sync(&self.file)?;
        self.blob.crc64 = crc64;
        if !self.blob.len.is_multiple_of(PIECE) {
            self.end_piece();
        }
        self.blob.pieces = std::mem::take(&mut self.pieces).into();
        self.blob.path.parent().map_or(Ok(()), |parent: &Path| disk.sync_dir(parent))?;
        Ok(Arc::new(self.blob))
    }
}

/// A file that is not written any more.
pub(super) struct FileBlob {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) path: PathBuf,
    pub(super) len: u64,
    pub(super) crc64: u64,
    /// Of a record of an earlier version there are none.
    pub(super) pieces: Arc<[u32]>,
    pub(super) kept: AtomicBool,
    pub(super) pinned: AtomicBool,
}

impl Drop for FileBlob {
    fn drop(&mut self) {
        if !*self.kept.get_mut() && !*self.pinned.get_mut() {
            // What cannot be removed now is swept up at the next start.
            let _ = self.disk.remove_file(&self.path);
        }
    }
}

impl Blob for FileBlob {
    fn record(&self) -> BlobRecord {
        let id = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        BlobRecord { id: id.into(), len: self.len, crc64: self.crc64, pieces: Arc::clone(&self.pieces) }
    }

    fn keep(&self, kept: bool) {
        self.kept.store(kept, Ordering::Release);
    }

    fn pin(&self) {
        self.pinned.store(true, Ordering::Release);
    }

    fn read(self: Arc<Self>, range: Range<u64>) -> Box<dyn BlobReader> {
        Box::new(FileReader { blob: self, range, file: None })
    }
}

struct FileReader {
    blob: Arc<FileBlob>,
    range: Range<u64>,
    file: Option<File>,
}

#[async_trait]
impl BlobReader for FileReader {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let (file, blob, range) = (self.file.take(), Arc::clone(&self.blob), self.range.clone());
        let (file, chunk) = tokio::task::spawn_blocking(move || read_piece(file, &blob, &range)).await??;
        self.file = Some(file);
        self.range.start = self.range.start.saturating_add(chunk.len() as u64);
        if chunk.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Some(chunk)) }
    }
}

/// Reads the whole piece that `range` begins in, and gives what of it lies in the range.
fn read_piece(file: Option<File>, blob: &FileBlob, range: &Range<u64>) -> io::Result<(File, Bytes)> {
    let start = range.start / PIECE * PIECE;
    let mut file = match file {
        // It stands at the end of the piece before.
        Some(file) => file,
        None => {
            let mut file = File::open(&blob.path)?;
            file.seek(io::SeekFrom::Start(start))?;
            file
        }
    };
    let mut piece = Vec::with_capacity(usize::try_from(PIECE).unwrap_or_default());
    (&mut file).take(PIECE).read_to_end(&mut piece)?;
    let number = usize::try_from(start / PIECE).unwrap_or(usize::MAX);
    if let Some(kept) = blob.pieces.get(number) {
        let mut crc = crc_of_piece();
        crc.update(&piece);
        if crc.finalize() != u64::from(*kept) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the stored bytes are damaged"));
        }
    }
    let at = |offset: u64| usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX).min(piece.len());
    let (from, to) = (at(range.start), at(range.end));
    Ok((file, Bytes::from(piece).slice(from.min(to)..to)))
}

fn crc_of_piece() -> crc_fast::Digest {
    crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi)
}
