//! The bytes of an object into a file, several ranges at a time.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use tokio::sync::{RwLock, Semaphore};
use tokio::task::{JoinHandle, JoinSet};

use super::object::Object;
use super::part_file::PartFile;
use super::reader::{GOT_ON, ended_early, too_much};
use super::state::{Span, State};
use crate::transfer::checksum::{Algorithm, Running};
use crate::transfer::engine::unless_stalled;
use crate::transfer::error::TransferError;
use crate::transfer::event::Meter;
use crate::transfer::files::{self, joined};
use crate::transfer::retry::Failure;

/// How many bytes are gathered before they are written.
const BATCH: usize = 1 << 20;

/// What all ranges share.
pub(super) struct Ranges {
    pub(super) object: Object,
    pub(super) part: PartFile,
    pub(super) state: State,
    pub(super) meter: Meter,
    /// Whether the disk is to have all bytes in the end.
    pub(super) sync: bool,
    /// Held while bytes that came are brought to the disk, so that less is left to do in the end.
    pub(super) syncing: Arc<Semaphore>,
    /// Held by whatever writes: what runs on a thread that may block goes on when its request is dropped.
    pub(super) writes: Arc<RwLock<()>>,
}

impl Ranges {
    /// Waits until nothing writes any more.
    pub(super) async fn written(&self) {
        drop(self.writes.write().await);
    }

    /// Fetches what is missing, in tasks of `under_way`.
    pub(super) async fn fetch(self: &Arc<Self>, parallel: usize, under_way: &mut JoinSet<Result<(), TransferError>>) -> Result<(), TransferError> {
        let record = self.state.record();
        let algorithm = record.algorithm;
        let is_one = record.spans.len() == 1;
        let mut missing = record.spans.into_iter().enumerate().filter(|(_, span)| span.done < span.length);
        loop {
            while under_way.len() < parallel {
                let Some((index, span)) = missing.next() else { break };
                let this = Arc::clone(self);
                let part = u32::try_from(index.saturating_add(1)).ok().filter(|_| !is_one);
                under_way.spawn(async move { this.fetch_range(index, span, algorithm, part).await });
            }
            match under_way.join_next().await {
                None => return Ok(()),
                Some(fetched) => joined(fetched)??,
            }
        }
    }

    async fn fetch_range(self: Arc<Self>, index: usize, span: Span, algorithm: Algorithm, part: Option<u32>) -> Result<(), TransferError> {
        let end = span.start.saturating_add(span.length);
        let mut tries = self.object.tries(part);
        let mut tail = Tail { next: span.start.saturating_add(span.done), crc: span.crc, algorithm };
        while tail.next < end {
            let begun = tail.next;
            let failure = match self.object.fetch(tail.next, end).await {
                Ok(response) => {
                    let (reached, result) = self.receive(response, index, span, tail).await?;
                    tail = reached;
                    match result {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            if tail.next.saturating_sub(begun) >= GOT_ON {
                tries.got_on();
            }
            tries.wait(failure).await?;
        }
        if let (true, Ok(permit)) = (self.sync, Arc::clone(&self.syncing).try_acquire_owned()) {
            let file = Arc::clone(&self.part.file);
            // An error comes up again in the end.
            tokio::task::spawn_blocking(move || (file.sync_data(), drop(permit)));
        }
        Ok(())
    }

    /// Writes what an answer gives, also where it breaks off. A batch is written while the next one comes.
    async fn receive(
        self: &Arc<Self>,
        mut response: reqwest::Response,
        index: usize,
        span: Span,
        tail: Tail,
    ) -> Result<(Tail, Result<(), Failure>), TransferError> {
        let end = span.start.saturating_add(span.length);
        let limit = self.object.engine.stall_timeout;
        let mut writing = Writing::Idle(tail);
        let mut left = end.saturating_sub(tail.next);
        let (mut batch, mut gathered) = (Vec::new(), 0_usize);
        let result = loop {
            match unless_stalled(limit, &AtomicU64::new(0), response.chunk()).await {
                Some(Ok(Some(piece))) => {
                    left = left.checked_sub(piece.len() as u64).ok_or_else(too_much)?;
                    self.meter.add(piece.len() as u64);
                    gathered = gathered.saturating_add(piece.len());
                    batch.push(piece);
                    if gathered >= BATCH {
                        let tail = writing.idle().await?;
                        writing = self.write(std::mem::take(&mut batch), index, span, tail).await;
                        gathered = 0;
                    }
                }
                Some(Ok(None)) if left == 0 => break Ok(()),
                Some(Ok(None)) => break Err(ended_early(left)),
                Some(Err(error)) => break Err(Failure::later(TransferError::no_answer(error))),
                None => break Err(Failure::stalled(limit)),
            }
        };
        let tail = writing.idle().await?;
        Ok((self.write(batch, index, span, tail).await.idle().await?, result))
    }

    async fn write(self: &Arc<Self>, batch: Vec<Bytes>, index: usize, span: Span, mut tail: Tail) -> Writing {
        let this = Arc::clone(self);
        let held = Arc::clone(&self.writes).read_owned().await;
        Writing::Busy(tokio::task::spawn_blocking(move || {
            // In this order, so that the file is free when nothing is held any more.
            let _held = held;
            let this = this;
            let mut running = Running::after(tail.algorithm, tail.crc);
            for piece in &batch {
                files::write_at(&this.part.file, tail.next, piece).map_err(TransferError::file("write", this.part.path()))?;
                running.update(piece);
                tail.next = tail.next.saturating_add(piece.len() as u64);
            }
            tail.crc = running.crc();
            this.state.reached(index, tail.next.saturating_sub(span.start), tail.crc)?;
            Ok(tail)
        }))
    }
}

/// The end of what is there of a range.
#[derive(Clone, Copy)]
struct Tail {
    next: u64,
    crc: u64,
    algorithm: Algorithm,
}

enum Writing {
    Idle(Tail),
    Busy(JoinHandle<Result<Tail, TransferError>>),
}

impl Writing {
    async fn idle(self) -> Result<Tail, TransferError> {
        match self {
            Self::Idle(tail) => Ok(tail),
            Self::Busy(writing) => joined(writing.await)?,
        }
    }
}
