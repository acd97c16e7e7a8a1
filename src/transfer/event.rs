//! What a transfer tells while it goes on.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use valetkey_core::Operation;

/// What a transfer does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Bytes that an earlier run transferred are compared with what it recorded.
    Checking,
    /// Bytes go over the network.
    Transferring,
    /// All bytes are there: the upload is completed, or the file is checked, synced and renamed.
    Finishing,
}

/// How far a transfer is. `done` may go back: what was sent in vain is taken off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What happens.
    pub phase: Phase,
    /// Bytes that are done in this phase, from 0 to `total`. What an earlier run did counts.
    pub done: u64,
    /// Bytes of the object.
    pub total: u64,
}

/// What a transfer tells while it goes on. No text in it holds a URL, a signature or a secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TransferEvent {
    /// More bytes are done. Comes for every piece of some hundred kibibytes, and when the phase changes.
    Progress(Progress),
    /// A request failed and is made again after `wait`.
    Retrying {
        /// What failed.
        operation: Operation,
        /// Which part or range, from 1, where there are several.
        part: Option<u32>,
        /// How many tries have failed in a row.
        failed: u32,
        /// How long is waited.
        wait: Duration,
        /// What went wrong.
        reason: String,
    },
    /// The store said that the signature or its credentials have expired; the request is signed anew and made again at once.
    SignedAgain {
        /// What is signed anew.
        operation: Operation,
    },
    /// An earlier transfer is gone on with.
    Resumed {
        /// Bytes that need not be transferred again.
        done: u64,
        /// Bytes of the object.
        total: u64,
        /// Bytes that the earlier run recorded and that did not match; they are transferred again.
        refused: u64,
    },
    /// There was an earlier transfer, and it cannot be gone on with.
    BegunAnew {
        /// Why.
        reason: String,
    },
    /// The store began an upload in parts, or may have, and its id never came: it cannot be thrown away from here. It has no parts; a life cycle rule of the
    /// bucket removes it.
    LeftUnnamed {
        /// Why the id did not come.
        reason: String,
    },
    /// The parts of an upload could not be thrown away. They are paid for until they are; a life cycle rule of the bucket does it too.
    LeftBehind {
        /// The upload, as `abort-multipart` takes it.
        upload_id: String,
        /// Why.
        reason: String,
    },
}

/// Who is told.
#[derive(Clone)]
pub(super) struct Observer(pub(super) Arc<dyn Fn(&TransferEvent) + Send + Sync>);

impl Observer {
    pub(super) fn tell(&self, event: &TransferEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}

/// Counts the bytes of one transfer and tells of them.
pub(super) struct Meter {
    observer: Observer,
    total: u64,
    state: Mutex<(Phase, u64)>,
}

impl Meter {
    pub(super) fn new(observer: Observer, phase: Phase, total: u64) -> Self {
        Self { observer, total, state: Mutex::new((phase, 0)) }
    }

    /// A phase begins, with so many bytes done.
    pub(super) fn begin(&self, phase: Phase, done: u64) {
        self.change(|state| *state = (phase, done));
    }

    pub(super) fn add(&self, bytes: u64) {
        self.change(|(_, done)| *done = done.saturating_add(bytes));
    }

    pub(super) fn take_back(&self, bytes: u64) {
        if bytes > 0 {
            self.change(|(_, done)| *done = done.saturating_sub(bytes));
        }
    }

    /// Told under the lock, so that no older number comes after a newer one.
    fn change(&self, change: impl FnOnce(&mut (Phase, u64))) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let (phase, done) = *state;
        self.observer.tell(&TransferEvent::Progress(Progress { phase, done, total: self.total }));
    }
}
