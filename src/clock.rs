//! Where the time comes in.

use std::sync::atomic::{AtomicU64, Ordering};

use valetkey_core::{TimeError, Timestamp};

/// A clock. It is read once for each signature.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// The time now, floored to a whole second.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when the clock stands before 1970 or after 9999.
    fn now(&self) -> Result<Timestamp, TimeError>;
}

/// The clock of the operating system. On Linux it is read as of the last tick, a few milliseconds ago: of the whole seconds that are signed this changes
/// nothing but that a new one begins that much later, and it costs a third.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<Timestamp, TimeError> {
        Timestamp::from_unix_seconds(seconds()?)
    }
}

#[cfg(target_os = "linux")]
fn seconds() -> Result<i64, TimeError> {
    use rustix::time::{ClockId, clock_gettime};

    Ok(clock_gettime(ClockId::RealtimeCoarse).tv_sec)
}

#[cfg(not(target_os = "linux"))]
fn seconds() -> Result<i64, TimeError> {
    use std::time::{SystemTime, UNIX_EPOCH};

    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| TimeError::OutOfRange)?;
    i64::try_from(since.as_secs()).map_err(|_| TimeError::OutOfRange)
}

/// A clock that stands still until it is set: for tests, and for signing as of a given time.
///
/// ```
/// use valetkey::{Clock, FixedClock};
///
/// let clock = FixedClock::at("2026-11-22T10:30:00Z".parse()?);
/// clock.set("2026-11-22T10:31:00Z".parse()?);
/// assert_eq!(clock.now()?.to_string(), "2026-11-22T10:31:00Z");
/// # Ok::<(), valetkey::TimeError>(())
/// ```
#[derive(Debug)]
pub struct FixedClock(AtomicU64);

impl FixedClock {
    /// Stands at `moment`.
    #[must_use]
    pub const fn at(moment: Timestamp) -> Self {
        Self(AtomicU64::new(moment.as_unix_seconds()))
    }

    /// Moves to `moment`.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.as_unix_seconds(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Result<Timestamp, TimeError> {
        let seconds = i64::try_from(self.0.load(Ordering::SeqCst)).map_err(|_| TimeError::OutOfRange)?;
        Timestamp::from_unix_seconds(seconds)
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Result<Timestamp, TimeError> {
        (**self).now()
    }
}
