//! When a failed request is made again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use valetkey_core::Operation;

use super::engine::Engine;
use super::error::TransferError;
use super::event::{Observer, TransferEvent};

/// The longest that a store may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

type Wait = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// When a failed request is made again: after 5xx (but 501 and 505), 429, 408 and `RequestTimeout`, after connection faults, and where nothing moves.
///
/// The wait before the n-th further try is random between nothing and `base` doubled n-1 times, at most `cap` ("full jitter": clients that failed together
/// do not come back together). What the store asks for in `Retry-After` is waited at least, up to five minutes; where it asks for more, the error stands.
#[derive(Clone)]
pub struct RetryPolicy {
    pub(super) retries: u32,
    pub(super) base: Duration,
    pub(super) cap: Duration,
    pub(super) wait: Arc<Wait>,
}

impl RetryPolicy {
    /// 5 further tries, the first within a second, and at most 20 seconds between two.
    #[must_use]
    pub fn new() -> Self {
        Self { retries: 5, base: Duration::from_secs(1), cap: Duration::from_secs(20), wait: Arc::new(|time| Box::pin(tokio::time::sleep(time))) }
    }

    /// No further try.
    #[must_use]
    pub fn none() -> Self {
        Self::new().retries(0)
    }

    /// How many further tries a request gets. A download that moved at least a mebibyte begins to count anew.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The longest first wait, and the longest of all.
    #[must_use]
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Waits with this instead of the runtime's clock: for tests, and for runtimes with a clock of their own.
    #[must_use]
    pub fn wait_with<F, W>(mut self, wait: F) -> Self
    where
        F: Fn(Duration) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        self.wait = Arc::new(move |time| Box::pin(wait(time)));
        self
    }
}

impl RetryPolicy {
    /// How long to wait after so many failures in a row; `None` when that is too long.
    fn wait_after(&self, failed: u32, asked: Option<Duration>) -> Option<Duration> {
        let most = self.base.saturating_mul(1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX)).min(self.cap);
        let wait = most.mul_f64(fastrand::f64());
        match asked {
            Some(asked) if asked > MAX_RETRY_AFTER => None,
            Some(asked) => Some(wait.max(asked)),
            None => Some(wait),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RetryPolicy").field("retries", &self.retries).field("base", &self.base).field("cap", &self.cap).finish_non_exhaustive()
    }
}

/// Why a try failed, and whether another one may help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: TransferError,
    pub(super) again: Again,
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// After a while, which the store may have said.
    Later(Option<Duration>),
    /// With a new signature.
    SignedAnew,
}

impl Failure {
    pub(super) const fn later(error: TransferError) -> Self {
        Self { error, again: Again::Later(None) }
    }

    pub(super) fn stalled(limit: Duration) -> Self {
        Self::later(TransferError::NoAnswer { reason: format!("nothing moved for {} seconds", limit.as_secs_f64()) })
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        Self { error, again: Again::Never }
    }
}

impl From<valetkey_core::PresignError> for Failure {
    fn from(error: valetkey_core::PresignError) -> Self {
        TransferError::from(error).into()
    }
}

/// The tries of one request.
pub(super) struct Tries {
    policy: RetryPolicy,
    observer: Observer,
    operation: Operation,
    part: Option<u32>,
    failed: u32,
    is_signed_anew: bool,
}

impl Engine {
    /// The tries of one request; `part` is its number where there are several of the kind.
    pub(super) fn tries(&self, operation: Operation, part: Option<u32>) -> Tries {
        Tries { policy: self.retry.clone(), observer: self.observer.clone(), operation, part, failed: 0, is_signed_anew: false }
    }
}

impl Tries {
    /// The last try got on so far that it counts as a success.
    pub(super) fn got_on(&mut self) {
        self.failed = 0;
        self.is_signed_anew = false;
    }

    /// Waits until the next try may be made.
    ///
    /// # Errors
    /// The error of the failure, when there is none.
    pub(super) async fn wait(&mut self, failure: Failure) -> Result<(), TransferError> {
        let asked = match failure.again {
            Again::Never => return Err(failure.error),
            Again::SignedAnew if self.is_signed_anew => return Err(failure.error),
            Again::SignedAnew => {
                self.is_signed_anew = true;
                self.observer.tell(&TransferEvent::SignedAgain { operation: self.operation });
                return Ok(());
            }
            Again::Later(asked) => asked,
        };
        self.failed = self.failed.saturating_add(1);
        self.is_signed_anew = false;
        let wait = self.policy.wait_after(self.failed, asked).filter(|_| self.failed <= self.policy.retries);
        let Some(wait) = wait else { return Err(failure.error) };
        self.observer.tell(&TransferEvent::Retrying {
            operation: self.operation,
            part: self.part,
            failed: self.failed,
            wait,
            reason: failure.error.to_string(),
        });
        (self.policy.wait)(wait).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_random_and_bounded() {
        let seconds = Duration::from_secs;
        let policy = RetryPolicy::new().backoff(seconds(1), seconds(20));
        for (failed, most) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 20), (40, 20), (u32::MAX, 20)] {
            let waits: Vec<Duration> = (0..200).map(|_| policy.wait_after(failed, None).unwrap()).collect();
            assert!(waits.iter().all(|wait| *wait <= seconds(most)), "{failed}");
            assert!(waits.iter().any(|wait| *wait > seconds(most) / 2) && waits.iter().any(|wait| *wait < seconds(most) / 2), "{failed}");
        }
        assert_eq!(policy.wait_after(1, Some(seconds(30))), Some(seconds(30)));
        assert_eq!(policy.wait_after(1, Some(seconds(301))), None);
    }
}
