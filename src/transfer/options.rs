//! How bytes are moved.

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::error::TransferError;
use super::event::{Observer, TransferEvent};
use super::retry::RetryPolicy;

/// What ends a transfer before its time.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does `work` unless it is to stop before.
pub(super) async fn unless_stopped<T>(stop: &mut Stop, work: impl Future<Output = Result<T, TransferError>>) -> Result<T, TransferError> {
    tokio::select! {
        biased;
        done = work => done,
        () = stop => Err(TransferError::Cancelled),
    }
}

/// How bytes are moved. The same options do for both directions.
///
/// ```
/// use valetkey::transfer::{TransferEvent, TransferOptions};
///
/// let options = TransferOptions::new().part_size(16 << 20).parallel(8).resume(true).observe(|event| {
///     if let TransferEvent::Progress(progress) = event {
///         eprintln!("{} of {}", progress.done, progress.total);
///     }
/// });
/// # let _ = options;
/// ```
pub struct TransferOptions {
    pub(super) part_size: u64,
    pub(super) parallel: NonZeroUsize,
    pub(super) resume: bool,
    pub(super) state_file: Option<PathBuf>,
    pub(super) check_md5: bool,
    pub(super) sync: bool,
    pub(super) stall_timeout: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) observer: Observer,
    pub(super) stop: Option<Stop>,
}

impl TransferOptions {
    /// Bytes of a part unless something else is said: 64 MiB.
    pub const DEFAULT_PART_SIZE: u64 = 64 << 20;
    /// Parts at a time unless something else is said: 4.
    pub const DEFAULT_PARALLEL: usize = 4;
    /// How long a request may go without a byte unless something else is said: 60 seconds.
    pub const DEFAULT_STALL_TIMEOUT: Duration = Duration::from_secs(60);

    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            part_size: Self::DEFAULT_PART_SIZE,
            parallel: NonZeroUsize::new(Self::DEFAULT_PARALLEL).unwrap_or(NonZeroUsize::MIN),
            resume: false,
            state_file: None,
            check_md5: false,
            sync: true,
            stall_timeout: Self::DEFAULT_STALL_TIMEOUT,
            retry: RetryPolicy::new(),
            observer: Observer(Arc::new(|_| {})),
            stop: None,
        }
    }

    /// Bytes of a part or range. What is not larger than that is moved in one request; what is larger, in parts.
    ///
    /// For uploads 5 MiB (OSS: 100 KiB) to 5 GiB, and raised by itself where more than 10,000 parts would be needed. For downloads at least 1.
    #[must_use]
    pub const fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes;
        self
    }

    /// How many parts are moved at a time; 0 counts as 1.
    #[must_use]
    pub const fn parallel(mut self, parts: usize) -> Self {
        self.parallel = match NonZeroUsize::new(parts) {
            Some(parts) => parts,
            None => NonZeroUsize::MIN,
        };
        self
    }

    /// Goes on with an earlier transfer, and keeps what is needed for that when this one ends early. Off, nothing is left behind.
    ///
    /// It is about transfers of files in parts; one request is made again as a whole.
    #[must_use]
    pub const fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Where the state for [`resume`](Self::resume) is kept; unless it is said, beside the file: `FILE.valetkey-upload`, `.FILE.valetkey-download`.
    #[must_use]
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Also compares the MD5 where the store's ETag is one: 32 hex digits of an object or part that is not encrypted with a key of the key service or of
    /// the customer. It costs about as much time as sending over loopback, so it is off. Stores that give other ETags of 32 hex digits fail this check.
    #[must_use]
    pub const fn check_md5(mut self, check: bool) -> Self {
        self.check_md5 = check;
        self
    }

    /// Whether a download waits until the disk has the file before it takes its place; on unless it is said. Off, a power cut soon after may leave a file of
    /// that name with other bytes, as with most programs that fetch files.
    #[must_use]
    pub const fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// How long a request may go without moving a byte, and without an answer after its last one, before it counts as failed. The answer to a large body may
    /// take a second for every 16 MiB of it, and the answer that completes an upload ten minutes. There is no limit for the whole of a transfer.
    #[must_use]
    pub const fn stall_timeout(mut self, time: Duration) -> Self {
        self.stall_timeout = time;
        self
    }

    /// What ends the transfer; never, unless something else was said.
    pub(super) fn into_stop(self) -> Stop {
        self.stop.unwrap_or_else(|| Box::pin(std::future::pending()))
    }

    /// When a failed request is made again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Is told what happens, often: it must be quick, and it is called from several threads.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(&TransferEvent) + Send + Sync + 'static) -> Self {
        self.observer = Observer(Arc::new(observer));
        self
    }

    /// Ends the transfer with [`TransferError::Cancelled`](super::TransferError::Cancelled) when this future ends, after what was begun is cleaned up: the
    /// parts of an upload are thrown away, unless it is resumable. Dropping a transfer does the same in the background, as long as the runtime lives.
    ///
    /// ```
    /// use valetkey::transfer::TransferOptions;
    ///
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let options = TransferOptions::new().stop_when(async { _ = stopped.await });
    /// # drop((options, stop));
    /// ```
    #[must_use]
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TransferOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransferOptions")
            .field("part_size", &self.part_size)
            .field("parallel", &self.parallel)
            .field("resume", &self.resume)
            .field("state_file", &self.state_file)
            .field("check_md5", &self.check_md5)
            .field("sync", &self.sync)
            .field("stall_timeout", &self.stall_timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
