//! How long a signature lives: everything about time is decided here and nowhere else.

use core::time::Duration;

use crate::time::{BasicTime, TimeError, Timestamp};

/// When to sign and for how long.
///
/// Unasked, a signature lives **up to** 15 minutes: a shorter limit of the store, or credentials that end earlier, shorten it, and the result says
/// so. A life that was asked for and cannot be had is an error, never shortened. Given both as a duration and as an instant, the instant wins.
///
/// Two signatures of one request in different seconds are different URLs, which no cache can know to be the same object; see
/// [`stable_for`](Self::stable_for).
///
/// ```
/// use core::time::Duration;
/// use valetkey_core::PresignOptions;
///
/// let ten_minutes = PresignOptions::new().expires_in(Duration::from_secs(600));
/// let until_noon = PresignOptions::new().expires_at("2026-11-22T12:00:00Z".parse()?);
/// # let _ = (ten_minutes, until_noon);
/// # Ok::<(), valetkey_core::TimeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PresignOptions {
    expires_in: Option<Duration>,
    expires_at: Option<Timestamp>,
    signed_at: Option<Timestamp>,
    stable_for: Option<Duration>,
}

impl PresignOptions {
    /// Now, for up to 15 minutes.
    #[must_use]
    pub const fn new() -> Self {
        Self { expires_in: None, expires_at: None, signed_at: None, stable_for: None }
    }

    /// Asks for a life in whole seconds, from 1 to the provider's maximum.
    #[must_use]
    pub const fn expires_in(mut self, life: Duration) -> Self {
        self.expires_in = Some(life);
        self
    }

    /// Asks for an end.
    #[must_use]
    pub const fn expires_at(mut self, end: Timestamp) -> Self {
        self.expires_at = Some(end);
        self
    }

    /// Signs as of `moment` instead of now. The life counts from then.
    #[must_use]
    pub const fn signed_at(mut self, moment: Timestamp) -> Self {
        self.signed_at = Some(moment);
        self
    }

    /// Rounds the signing time down to a multiple of `window` (whole seconds since 1970), so that within a window the same request is signed as the same
    /// URL, byte for byte, and browsers and caches know it again.
    ///
    /// The life counts from the rounded time: a URL never lives longer than was asked for, and up to a window less. So the window must be shorter than
    /// the life. An end that was asked for stays what it is, and with it any window. A signing time that is given, by [`signed_at`](Self::signed_at), is
    /// not rounded.
    ///
    /// ```
    /// use core::time::Duration;
    /// use valetkey_core::{Limits, PresignOptions};
    ///
    /// # let limits = Limits { provider_max: 604_800, provider_name: "S3", store_max: None };
    /// let options = PresignOptions::new().expires_in(Duration::from_secs(3600)).stable_for(Duration::from_secs(600));
    /// let early = options.resolve("2026-11-22T10:30:01Z".parse()?, limits, None)?;
    /// let late = options.resolve("2026-11-22T10:39:59Z".parse()?, limits, None)?;
    /// assert_eq!(early, late);
    /// assert_eq!((early.signed_at().to_string(), early.expiration().to_string()), ("2026-11-22T10:30:00Z".into(), "2026-11-22T11:30:00Z".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn stable_for(mut self, window: Duration) -> Self {
        self.stable_for = Some(window);
        self
    }

    /// The life that was asked for.
    #[must_use]
    pub const fn requested_life(&self) -> Option<Duration> {
        self.expires_in
    }

    /// The end that was asked for; it wins over the life.
    #[must_use]
    pub const fn requested_end(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The signing time that was asked for.
    #[must_use]
    pub const fn requested_signing_time(&self) -> Option<Timestamp> {
        self.signed_at
    }

    /// The window of signing times that was asked for.
    #[must_use]
    pub const fn requested_window(&self) -> Option<Duration> {
        self.stable_for
    }

    /// Decides signing time, life and end.
    ///
    /// `now` is the one reading of the clock, `limits` come from the provider and the store, `credentials_end` is when the credentials do.
    ///
    /// # Errors
    /// [`LifeError`] for a life that was asked for and cannot be had, and for credentials that have ended.
    pub fn resolve(&self, now: Timestamp, limits: Limits, credentials_end: Option<Timestamp>) -> Result<Validity, LifeError> {
        let moment = self.signed_at.unwrap_or(now);
        if let Some(ended) = credentials_end.filter(|end| *end <= moment) {
            return Err(LifeError::CredentialsEnded { ended });
        }
        let window = self.window()?;
        let signed_at = window.map_or(moment, |window| moment.floored(window));
        let credentials_left = credentials_end.and_then(|end| end.seconds_since(signed_at));
        let (seconds, expiration_reason) = match self.asked(moment, signed_at, window)? {
            Some(asked) => (limits.check(asked, credentials_left, credentials_end)?, ExpirationReason::Requested),
            None => limits.default_life(credentials_left, window)?,
        };
        let expiration = signed_at.checked_add(u64::from(seconds)).ok_or(LifeError::Time(TimeError::OutOfRange))?;
        Ok(Validity { signed_at, seconds, expiration, expiration_reason })
    }

    /// The window in seconds. A signing time that is given is the same each time by itself.
    fn window(&self) -> Result<Option<u64>, LifeError> {
        match self.stable_for {
            Some(window) if self.signed_at.is_none() && (window.is_zero() || window.subsec_nanos() != 0) => Err(LifeError::Window { window }),
            Some(window) if self.signed_at.is_none() => Ok(Some(window.as_secs())),
            _ => Ok(None),
        }
    }

    /// The life from the signing time, which a window may have put before `moment`.
    fn asked(&self, moment: Timestamp, signed_at: Timestamp, window: Option<u64>) -> Result<Option<u64>, LifeError> {
        if let Some(end) = self.expires_at {
            return if end > moment { Ok(end.seconds_since(signed_at)) } else { Err(LifeError::Past { end, signed_at: moment }) };
        }
        match self.expires_in {
            None => Ok(None),
            Some(life) if life.is_zero() => Err(LifeError::Zero),
            Some(life) if life.subsec_nanos() != 0 => Err(LifeError::Fraction { life }),
            Some(life) => {
                check_window(window, life.as_secs())?;
                Ok(Some(life.as_secs()))
            }
        }
    }
}

/// What is signed at the end of its window must still live.
const fn check_window(window: Option<u64>, life: u64) -> Result<(), LifeError> {
    match window {
        Some(window) if window >= life => Err(LifeError::WindowTooLong { window, life }),
        _ => Ok(()),
    }
}

/// The longest life that a provider takes, and the shorter one that a store may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The provider's maximum, seconds.
    pub provider_max: u32,
    /// Whose maximum that is, for the error: `S3`, `OSS with a session token`.
    pub provider_name: &'static str,
    /// The store's own maximum, seconds, when its configuration sets one.
    pub store_max: Option<u32>,
}

impl Limits {
    /// What an unasked signature lives: 15 minutes.
    pub const DEFAULT_LIFE: u32 = 900;

    fn check(self, asked: u64, credentials_left: Option<u64>, credentials_end: Option<Timestamp>) -> Result<u32, LifeError> {
        if asked > u64::from(self.provider_max) {
            return Err(LifeError::OverProviderMaximum { asked, max: self.provider_max, provider: self.provider_name });
        }
        if let Some(max) = self.store_max.filter(|max| asked > u64::from(*max)) {
            return Err(LifeError::OverStoreLimit { asked, max });
        }
        if let (Some(left), Some(end)) = (credentials_left, credentials_end)
            && asked > left
        {
            return Err(LifeError::CredentialsEndFirst { asked, left, end });
        }
        u32::try_from(asked).map_err(|_| LifeError::Time(TimeError::OutOfRange))
    }

    fn default_life(self, credentials_left: Option<u64>, window: Option<u64>) -> Result<(u32, ExpirationReason), LifeError> {
        let mut life = Self::DEFAULT_LIFE.min(self.provider_max);
        let mut reason = ExpirationReason::Default;
        if let Some(max) = self.store_max.filter(|max| *max < life) {
            (life, reason) = (max, ExpirationReason::StoreLimit);
        }
        // The end of the credentials is an instant, like one that is asked for.
        check_window(window, u64::from(life))?;
        if let Some(left) = credentials_left.and_then(|left| u32::try_from(left).ok()).filter(|left| *left < life) {
            (life, reason) = (left, ExpirationReason::Credentials);
        }
        Ok((life, reason))
    }
}

/// Signing time, life and end, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub(crate) signed_at: Timestamp,
    pub(crate) seconds: u32,
    pub(crate) expiration: Timestamp,
    pub(crate) expiration_reason: ExpirationReason,
}

impl Validity {
    /// The moment that is signed.
    #[must_use]
    pub const fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// The signing time as both signature versions write it.
    #[must_use]
    pub fn date(&self) -> BasicTime {
        self.signed_at.to_basic()
    }

    /// Life in seconds, at least 1.
    #[must_use]
    pub const fn seconds(&self) -> u32 {
        self.seconds
    }

    /// The last second in which the signature is taken.
    #[must_use]
    pub const fn expiration(&self) -> Timestamp {
        self.expiration
    }

    /// What decided the end.
    #[must_use]
    pub const fn expiration_reason(&self) -> ExpirationReason {
        self.expiration_reason
    }
}

/// What decided the end of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExpirationReason {
    /// It was asked for.
    Requested,
    /// Nothing was asked for: 15 minutes.
    Default,
    /// Nothing was asked for, and the store allows less than 15 minutes.
    StoreLimit,
    /// Nothing was asked for, and the credentials end before 15 minutes have passed.
    Credentials,
}

impl ExpirationReason {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Default => "default",
            Self::StoreLimit => "store_limit",
            Self::Credentials => "credentials",
        }
    }
}

/// A life that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifeError {
    /// Zero seconds.
    #[error("a life of 0 seconds was asked for; ask for at least 1")]
    Zero,
    /// A part of a second.
    #[error("a life of {life:?} was asked for; signatures count whole seconds, so leave out the fraction")]
    Fraction {
        /// What was asked for.
        life: Duration,
    },
    /// A window of signing times of zero seconds, or with a part of a second.
    #[error("a window of {window:?} was asked for; signing times are whole seconds, so give at least 1 and leave out the fraction")]
    Window {
        /// What was asked for.
        window: Duration,
    },
    /// A window of signing times in which a signature could end.
    #[error("a window of {window} s is not shorter than the life of {life} s, which counts from the window's start; ask for a longer life or a shorter window")]
    WindowTooLong {
        /// Seconds of the window.
        window: u64,
        /// Seconds of the life.
        life: u64,
    },
    /// The end is not after the signing time.
    #[error("the end {end} is not after the signing time {signed_at}; give a later one")]
    Past {
        /// What was asked for.
        end: Timestamp,
        /// The signing time.
        signed_at: Timestamp,
    },
    /// Longer than the provider takes.
    #[error("a life of {asked} s was asked for; {provider} takes at most {max} s")]
    OverProviderMaximum {
        /// Seconds asked for.
        asked: u64,
        /// Seconds allowed.
        max: u32,
        /// Whose maximum it is.
        provider: &'static str,
    },
    /// Longer than the store's configuration allows.
    #[error("a life of {asked} s was asked for; this store allows at most {max} s (`max_ttl`)")]
    OverStoreLimit {
        /// Seconds asked for.
        asked: u64,
        /// Seconds allowed.
        max: u32,
    },
    /// The credentials end before the signature would.
    #[error(
        "a life of {asked} s was asked for, but the credentials end in {left} s, at {end}, and the signature with them; ask for less or get newer credentials"
    )]
    CredentialsEndFirst {
        /// Seconds asked for.
        asked: u64,
        /// Seconds that the credentials have left.
        left: u64,
        /// When they end.
        end: Timestamp,
    },
    /// The credentials have ended already.
    #[error("the credentials ended at {ended}; get new ones")]
    CredentialsEnded {
        /// When they ended.
        ended: Timestamp,
    },
    /// The end lies after year 9999.
    #[error(transparent)]
    Time(#[from] TimeError),
}

impl LifeError {
    /// The name of this error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Zero => "life_zero",
            Self::Fraction { .. } => "life_fraction",
            Self::Window { .. } => "window_invalid",
            Self::WindowTooLong { .. } => "window_too_long",
            Self::Past { .. } => "life_past",
            Self::OverProviderMaximum { .. } => "life_over_provider_maximum",
            Self::OverStoreLimit { .. } => "life_over_store_limit",
            Self::CredentialsEndFirst { .. } => "credentials_end_first",
            Self::CredentialsEnded { .. } => "credentials_ended",
            Self::Time(TimeError::OutOfRange) => "time_out_of_range",
            Self::Time(TimeError::Malformed { .. }) => "malformed_time",
        }
    }

    /// Whether newer credentials could help.
    #[must_use]
    pub const fn is_about_credentials(&self) -> bool {
        matches!(self, Self::CredentialsEndFirst { .. } | Self::CredentialsEnded { .. })
    }
}

#[cfg(test)]
mod tests;
