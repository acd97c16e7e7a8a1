//! The clock of a run against a server whose own cannot be turned.

use std::time::Duration;

use valetkey::{Clock, FixedClock, SystemClock, TimeError, Timestamp};
use valetkey_conformance::TestClock;

/// How long it stands still: well below the quarter of an hour by which clocks may differ.
const STANDS: Duration = Duration::from_secs(300);

/// Shows the time of the system, and stands still for some minutes at a time, so that what a case signs and what it expects are of one moment.
#[derive(Debug)]
pub(crate) struct StandingClock(FixedClock);

impl StandingClock {
    pub(crate) fn new() -> Self {
        Self(FixedClock::at(SystemClock.now().unwrap()))
    }

    /// Takes the time of the system.
    pub(crate) fn catch_up(&self) {
        self.0.set(SystemClock.now().unwrap());
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Result<Timestamp, TimeError> {
        let behind = SystemClock.now()?.seconds_since(self.0.now()?);
        if behind.is_some_and(|behind| behind > STANDS.as_secs()) {
            self.catch_up();
        }
        self.0.now()
    }
}

impl TestClock for StandingClock {
    fn now(&self) -> Timestamp {
        Clock::now(self).unwrap()
    }

    fn set(&self, _now: Timestamp) {}

    fn turns(&self) -> bool {
        false
    }
}
