//! An object read in order.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use tokio::task::JoinHandle;
use valetkey_core::{ObjectRequest, Operation, Presigner};

use super::Fetched;
use super::object::Object;
use crate::transfer::Transfer;
use crate::transfer::checksum::Running;
use crate::transfer::engine::{Engine, unless_stalled};
use crate::transfer::error::TransferError;
use crate::transfer::event::{Meter, Phase};
use crate::transfer::files::joined;
use crate::transfer::options::{Stop, TransferOptions, unless_stopped};
use crate::transfer::retry::{Failure, Tries};

/// How many bytes are gathered before they are written.
const BATCH: usize = 1 << 20;
/// So many bytes in one try and the count of tries begins anew.
pub(super) const GOT_ON: u64 = 1 << 20;

/// An object that is read in order. Connection faults are gone over: the next request begins where the last one ended, for the same ETag.
///
/// ```no_run
/// # async fn example(presigner: Box<dyn valetkey::Presigner>) -> Result<(), Box<dyn std::error::Error>> {
/// use valetkey::ObjectRequest;
/// use valetkey::transfer::{Transfer, TransferOptions};
///
/// let mut reader = Transfer::new()?.open(presigner.into(), ObjectRequest::get("log.txt".parse()?), TransferOptions::new()).await?;
/// while let Some(piece) = reader.chunk().await? {
///     println!("{} bytes", piece.len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct ObjectReader {
    reading: Reading,
    stop: Stop,
    is_stopped: bool,
}

struct Reading {
    object: Object,
    meter: Meter,
    tries: Tries,
    response: Option<reqwest::Response>,
    done: u64,
    /// Bytes that the last answer gave.
    gained: u64,
    running: Option<Running>,
    is_ended: bool,
}

impl ObjectReader {
    pub(super) async fn open(
        transfer: &Transfer,
        presigner: Arc<dyn Presigner>,
        request: &ObjectRequest,
        mut options: TransferOptions,
    ) -> Result<Self, TransferError> {
        let mut stop = options.stop.take().unwrap_or_else(|| Box::pin(std::future::pending()));
        let engine = Engine::new(transfer, presigner, &options);
        let object = unless_stopped(&mut stop, Object::find(engine, request, options.check_md5)).await?;
        let meter = Meter::new(options.observer, Phase::Transferring, object.size);
        meter.begin(Phase::Transferring, 0);
        let running = object.told.as_ref().map(|told| Running::new(told.algorithm));
        let reading = Reading { tries: object.tries(None), object, meter, response: None, done: 0, gained: 0, running, is_ended: false };
        Ok(Self { reading, stop, is_stopped: false })
    }

    /// Bytes of the object.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.reading.object.size
    }

    /// The next piece; `None` at the end, which comes only when the length and the checksum that the store tells are right.
    ///
    /// # Errors
    /// As [`download_file`](Transfer::download_file).
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TransferError> {
        if self.is_stopped {
            return Err(TransferError::Cancelled);
        }
        let next = unless_stopped(&mut self.stop, self.reading.next()).await;
        self.is_stopped = matches!(next, Err(TransferError::Cancelled));
        next
    }

    /// What was fetched; whether it was checked is known after the end.
    #[must_use]
    pub fn fetched(&self) -> Fetched {
        self.reading.object.fetched(self.reading.is_ended)
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        loop {
            let size = self.object.size;
            let Some(response) = &mut self.response else {
                if self.done >= size {
                    return self.end();
                }
                match self.object.fetch(self.done, size).await {
                    Ok(response) => (self.response, self.gained) = (Some(response), 0),
                    Err(failure) => self.tries.wait(failure).await?,
                }
                continue;
            };
            let limit = self.object.engine.stall_timeout;
            let failure = match unless_stalled(limit, &AtomicU64::new(0), response.chunk()).await {
                Some(Ok(Some(piece))) => return self.take(piece).map(Some),
                Some(Ok(None)) if self.done >= size => {
                    self.response = None;
                    continue;
                }
                Some(Ok(None)) => ended_early(size.saturating_sub(self.done)),
                Some(Err(error)) => Failure::later(TransferError::no_answer(error)),
                None => Failure::stalled(limit),
            };
            self.response = None;
            if self.gained >= GOT_ON {
                self.tries.got_on();
            }
            self.tries.wait(failure).await?;
        }
    }

    fn take(&mut self, piece: Bytes) -> Result<Bytes, TransferError> {
        let length = piece.len() as u64;
        self.done = self.done.saturating_add(length);
        self.gained = self.gained.saturating_add(length);
        if self.done > self.object.size {
            return Err(too_much());
        }
        if let Some(running) = &mut self.running {
            running.update(&piece);
        }
        self.meter.add(length);
        Ok(piece)
    }

    fn end(&mut self) -> Result<Option<Bytes>, TransferError> {
        if let (Some(told), Some(running)) = (&self.object.told, &self.running) {
            told.check(running.clone().text())?;
        }
        if !self.is_ended {
            self.meter.begin(Phase::Finishing, self.object.size);
        }
        self.is_ended = true;
        Ok(None)
    }
}

/// An answer that ends before all its bytes came.
pub(super) fn ended_early(missing: u64) -> Failure {
    Failure::later(TransferError::NoAnswer { reason: format!("the answer ended {missing} bytes early") })
}

/// An answer with more bytes than it said.
pub(super) fn too_much() -> TransferError {
    TransferError::UnexpectedAnswer { operation: Operation::Get, reason: "it has more bytes than were asked for".to_owned() }
}

impl std::fmt::Debug for ObjectReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Reading { object, done, .. } = &self.reading;
        formatter.debug_struct("ObjectReader").field("location", &object.site.location).field("size", &object.size).field("done", done).finish_non_exhaustive()
    }
}

/// Reads all into a writer. A batch is written while the next one comes.
pub(super) async fn copy<W: Write + Send + 'static>(reader: &mut ObjectReader, writer: W) -> Result<Fetched, TransferError> {
    let mut writer = Writer::Idle(writer);
    let (mut batch, mut gathered) = (Vec::new(), 0_usize);
    while let Some(piece) = reader.chunk().await? {
        gathered = gathered.saturating_add(piece.len());
        batch.push(piece);
        if gathered >= BATCH {
            writer = writer.write(std::mem::take(&mut batch)).await?;
            gathered = 0;
        }
    }
    writer.write(batch).await?.idle().await?;
    Ok(reader.fetched())
}

enum Writer<W> {
    Idle(W),
    Busy(JoinHandle<std::io::Result<W>>),
}

impl<W: Write + Send + 'static> Writer<W> {
    async fn idle(self) -> Result<W, TransferError> {
        match self {
            Self::Idle(writer) => Ok(writer),
            Self::Busy(writing) => joined(writing.await)?.map_err(TransferError::Write),
        }
    }

    /// Begins to write when what was begun before is written.
    async fn write(self, batch: Vec<Bytes>) -> Result<Self, TransferError> {
        let mut writer = self.idle().await?;
        Ok(Self::Busy(tokio::task::spawn_blocking(move || {
            batch.iter().try_for_each(|piece| writer.write_all(piece))?;
            writer.flush()?;
            Ok(writer)
        })))
    }
}
