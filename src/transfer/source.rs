//! What is uploaded: a file that must not change meanwhile, or bytes; and a region of it as a body.

use std::fs::{File, Metadata, TryLockError};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::body::Cause;
use super::checksum::{Algorithm, Running};
use super::error::TransferError;
use super::event::Meter;
use super::files::{self, blocking, joined};

/// How much is read at a time. One such piece is read ahead for every request that is under way.
const PIECE: usize = 256 * 1024;

/// Size and time of a file: what tells one state of it from another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) size: u64,
    /// Seconds and nanoseconds since 1970; 0 where the system does not say.
    modified: (u64, u32),
}

impl Snapshot {
    fn of(metadata: &Metadata) -> Self {
        let since = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { size: metadata.len(), modified: (since.as_secs(), since.subsec_nanos()) }
    }
}

/// What is uploaded.
pub(super) enum Source {
    File { file: File, path: PathBuf, snapshot: Snapshot },
    Bytes(Bytes),
}

impl Source {
    pub(super) async fn open(path: &Path) -> Result<Self, TransferError> {
        let path = path.to_owned();
        blocking(move || {
            let file = File::open(&path).map_err(TransferError::file("open", &path))?;
            Self::of(file, path)
        })
        .await
    }

    /// A file that is open already.
    pub(super) async fn opened(file: File) -> Result<Self, TransferError> {
        blocking(move || Self::of(file, PathBuf::from("the open file"))).await
    }

    fn of(file: File, path: PathBuf) -> Result<Self, TransferError> {
        let metadata = file.metadata().map_err(TransferError::file("read", &path))?;
        if !metadata.is_file() {
            let reason = format!("{} is no regular file, so its length is not known before it is sent; write it to a file first", path.display());
            return Err(TransferError::InvalidRequest { reason });
        }
        Ok(Self::File { file, path, snapshot: Snapshot::of(&metadata) })
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File { snapshot, .. } => snapshot.size,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Fails when the file is not as it was when it was opened.
    pub(super) fn check(&self) -> Result<(), TransferError> {
        let Self::File { file, path, snapshot } = self else { return Ok(()) };
        let now = Snapshot::of(&file.metadata().map_err(TransferError::file("read", path))?);
        let what = if now.size != snapshot.size { "its size" } else { "its modification time" };
        if now == *snapshot { Ok(()) } else { Err(TransferError::SourceChanged { path: path.clone(), what }) }
    }

    /// Keeps other uploads that can be gone on with away from the file.
    pub(super) async fn hold(source: &Arc<Self>) -> Result<Held, TransferError> {
        let held = Held(Arc::clone(source));
        blocking(move || match &*held.0 {
            Self::File { file, path, .. } => match file.try_lock() {
                Err(TryLockError::WouldBlock) => {
                    Err(TransferError::State { path: path.clone(), reason: "is being sent by another upload; wait for its end".to_owned() })
                }
                // A file system without locks.
                Ok(()) | Err(TryLockError::Error(_)) => Ok(held),
            },
            Self::Bytes(_) => Ok(held),
        })
        .await
    }

    /// The checksum of all bytes.
    pub(super) fn checksum(&self, algorithm: Algorithm) -> Result<String, TransferError> {
        let mut running = Running::new(algorithm);
        let mut next = 0;
        while next < self.size() {
            let length = usize::try_from(self.size().saturating_sub(next)).unwrap_or(PIECE).min(PIECE);
            running.update(&self.read(next, length)?);
            next = next.saturating_add(length as u64);
        }
        Ok(running.text())
    }

    /// Reads a piece that must be there.
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, TransferError> {
        match self {
            Self::File { file, path, .. } => {
                let bytes = files::read_at(file, offset, length).map_err(TransferError::file("read", path))?;
                self.check()?;
                if bytes.len() < length {
                    return Err(TransferError::SourceChanged { path: path.clone(), what: "its size" });
                }
                Ok(bytes.into())
            }
            Self::Bytes(bytes) => {
                let first = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(first..first.saturating_add(length).min(bytes.len())))
            }
        }
    }
}

/// A source that is locked, until this is dropped. A body that is still read somewhere has the file open for longer.
pub(super) struct Held(Arc<Source>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Source::File { file, .. } = &*self.0 {
            let _ = file.unlock();
        }
    }
}

/// What a body computes of the bytes that it gives.
#[derive(Clone)]
pub(super) struct Digests {
    algorithm: Algorithm,
    crc: Running,
    md5: Option<Running>,
}

impl Digests {
    pub(super) fn new(crc: Algorithm, with_md5: bool) -> Self {
        Self { algorithm: crc, crc: Running::new(crc), md5: with_md5.then(|| Running::new(Algorithm::Md5)) }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// The kind of the CRC.
    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn crc(&self) -> u64 {
        self.crc.crc()
    }

    pub(super) fn md5(&self) -> Option<String> {
        self.md5.clone().map(Running::text)
    }
}

/// What the sender of a body sees of it.
pub(super) struct Flow {
    /// Bytes that were given to the connection.
    pub(super) moved: AtomicU64,
    meter: Arc<Meter>,
    failure: Mutex<Option<TransferError>>,
    done: Mutex<Option<Digests>>,
}

impl Flow {
    /// Why the body broke off.
    pub(super) fn take_failure(&self) -> Option<TransferError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The digests of the whole body, if all of it was given.
    pub(super) fn digests(&self) -> Option<Digests> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The body was given in vain.
    pub(super) fn take_back(&self) {
        self.meter.take_back(self.moved.load(Ordering::Relaxed));
    }
}

/// A region of a source as the body of one request, read as it is sent.
pub(super) struct Region {
    source: Arc<Source>,
    length: u64,
    next: u64,
    end: u64,
    digests: Option<Digests>,
    reading: Option<JoinHandle<Result<(Bytes, Digests), TransferError>>>,
    flow: Arc<Flow>,
}

impl Region {
    pub(super) fn new(source: Arc<Source>, start: u64, length: u64, digests: Digests, meter: Arc<Meter>) -> Self {
        let done = (length == 0).then(|| digests.clone());
        let flow = Flow { moved: AtomicU64::new(0), meter, failure: Mutex::new(None), done: Mutex::new(done) };
        let end = start.saturating_add(length);
        Self { source, length, next: start, end, digests: Some(digests), reading: None, flow: Arc::new(flow) }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }

    fn read_ahead(&mut self) {
        let length = usize::try_from(self.end.saturating_sub(self.next)).unwrap_or(PIECE).min(PIECE);
        let Some(mut digests) = self.digests.take().filter(|_| length > 0) else { return };
        let (source, offset) = (Arc::clone(&self.source), self.next);
        self.next = self.next.saturating_add(length as u64);
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let piece = source.read(offset, length)?;
            digests.update(&piece);
            Ok((piece, digests))
        }));
    }
}

impl Stream for Region {
    type Item = Result<Bytes, Cause>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.reading.is_none() {
            self.read_ahead();
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        match joined(read).flatten() {
            Ok((piece, digests)) => {
                self.flow.moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
                self.flow.meter.add(piece.len() as u64);
                // The client asks no further once it has the length that it was told, so this is said with the last piece.
                if self.next >= self.end {
                    *self.flow.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(digests);
                } else {
                    self.digests = Some(digests);
                    self.read_ahead();
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Err(error) => {
                let cause = error.to_string();
                *self.flow.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                self.next = self.end;
                Poll::Ready(Some(Err(cause.into())))
            }
        }
    }
}
