//! A body on its way in: received and checked first, visible later or never.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::task::JoinHandle;

use super::backend::{Blob, Stage};
use crate::{
    StoreError,
    digest::{Algorithm, Digests, Hasher, Promises},
};

/// The largest body of one request on both clouds: 5 GiB.
pub(crate) const MAX_BODY: u64 = 5 << 30;

/// How many bytes are handed over at a time. A body takes at most three times as much memory: what is being worked on, what waits for it, and what the
/// connection reads ahead.
const BATCH: usize = 512 << 10;
/// Smaller pieces are copied together: each that is kept as it came would hold on to the whole buffer it was read into.
const SMALL: usize = 16 << 10;

/// A body that is being received. Dropping it, because the client went away or a promise was broken, leaves no trace.
///
/// Digests and writing are done on a thread that may block, a batch at a time, while the next batch arrives. No thread waits for a slow client.
pub(crate) struct IncomingBody {
    worker: Worker,
    batch: Batch,
    received: u64,
    promised: Option<u64>,
    limit: u64,
    late: Vec<(Algorithm, Vec<u8>)>,
}

/// What a batch is worked on with; it comes back when the batch is done.
struct Work {
    stage: Box<dyn Stage>,
    hasher: Hasher,
}

enum Worker {
    Idle(Box<Work>),
    Busy(JoinHandle<Result<Box<Work>, StoreError>>),
    Failed,
}

#[derive(Default)]
struct Batch {
    chunks: Vec<Bytes>,
    small: BytesMut,
    size: usize,
}

impl Batch {
    fn push(&mut self, chunk: Bytes) {
        self.size = self.size.saturating_add(chunk.len());
        if chunk.len() < SMALL {
            self.small.extend_from_slice(&chunk);
        } else {
            self.close();
            self.chunks.push(chunk);
        }
    }

    fn close(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
    }

    fn take(&mut self) -> Vec<Bytes> {
        self.close();
        self.size = 0;
        std::mem::take(&mut self.chunks)
    }
}

impl Work {
    fn add(&mut self, chunks: &[Bytes]) -> Result<(), StoreError> {
        for chunk in chunks {
            self.hasher.update(chunk)?;
            self.stage.write(chunk).map_err(StoreError::io("received a body"))?;
        }
        Ok(())
    }
}

impl IncomingBody {
    pub(crate) fn check_promises(promises: &Promises, limit: u64) -> Result<(), StoreError> {
        match promises.promised_length() {
            Some(length) if length > limit => Err(StoreError::EntityTooLarge { limit }),
            _ => Ok(()),
        }
    }

    pub(crate) fn new(stage: Box<dyn Stage>, promises: Promises, limit: u64) -> Self {
        let promised = promises.promised_length();
        let work = Work { stage, hasher: Hasher::new(promises) };
        Self { worker: Worker::Idle(Box::new(work)), batch: Batch::default(), received: 0, promised, limit, late: Vec::new() }
    }

    /// Takes the next bytes. After an error the body is lost: drop it.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        self.received = self.received.saturating_add(chunk.len() as u64);
        if let Some(promised) = self.promised.filter(|promised| self.received > *promised) {
            return Err(StoreError::IncompleteBody { promised, received: self.received });
        }
        if self.received > self.limit {
            return Err(StoreError::EntityTooLarge { limit: self.limit });
        }
        self.batch.push(chunk);
        if self.batch.size < BATCH {
            return Ok(());
        }
        let mut work = self.idle().await?;
        let chunks = self.batch.take();
        self.worker = Worker::Busy(tokio::task::spawn_blocking(move || work.add(&chunks).map(|()| work)));
        Ok(())
    }

    /// Promises a checksum that was to be computed from the start and whose value came after the bytes.
    pub(crate) fn promise_late(&mut self, algorithm: Algorithm, value: &str) -> Result<(), StoreError> {
        let value = algorithm.decode(value).ok_or(StoreError::InvalidChecksum { algorithm: algorithm.name() })?;
        self.late.push((algorithm, value));
        Ok(())
    }

    /// Ends the body and checks every promise. What comes out is on the disk, if the store has one, and still invisible.
    pub(crate) async fn finish(mut self) -> Result<Staged, StoreError> {
        let mut work = self.idle().await?;
        let (chunks, late) = (self.batch.take(), self.late);
        let done = tokio::task::spawn_blocking(move || {
            work.add(&chunks)?;
            let Work { stage, mut hasher } = *work;
            late.into_iter().for_each(|(algorithm, value)| hasher.promise(algorithm, value));
            let digests = hasher.finish()?;
            let blob = stage.seal(digests.crc64_ecma).map_err(StoreError::io("received a body"))?;
            Ok(Staged { digests, blob })
        });
        done.await.unwrap_or_else(|error| Err(StoreError::internal("received a body", error)))
    }

    /// Gives the body up, and waits until nothing is left of it.
    pub(crate) async fn discard(mut self) {
        drop(self.idle().await);
    }

    /// Waits until the last batch is done.
    async fn idle(&mut self) -> Result<Box<Work>, StoreError> {
        match std::mem::replace(&mut self.worker, Worker::Failed) {
            Worker::Idle(work) => Ok(work),
            Worker::Busy(task) => task.await.map_err(|error| StoreError::internal("received a body", error))?,
            Worker::Failed => Err(StoreError::internal("received a body", std::io::Error::other("it failed before"))),
        }
    }
}

/// A body that is complete and kept its promises. Dropping it leaves no trace.
pub(crate) struct Staged {
    pub(crate) digests: Digests,
    pub(crate) blob: Arc<dyn Blob>,
}

#[cfg(test)]
impl Staged {
    /// The body's digests.
    pub(crate) fn digests(&self) -> &Digests {
        &self.digests
    }
}
