//! Whole seconds in UTC, and the three ways the clouds write them.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Serialize, Serializer};

/// The last second that a four-digit year can carry: 9999-12-31T23:59:59Z.
const MAX_SECONDS: u64 = 253_402_300_799;

const SECONDS_OF_DAY: u64 = 86_400;

/// A moment: whole seconds since 1970-01-01T00:00:00Z, from year 1970 to 9999.
///
/// The clouds sign times with four-digit years and whole seconds; a moment outside of that cannot be made.
///
/// ```
/// use valetkey_core::Timestamp;
///
/// let at: Timestamp = "2026-11-22T10:30:00Z".parse()?;
/// assert_eq!(at.as_unix_seconds(), 1_795_343_400);
/// assert_eq!(at.to_string(), "2026-11-22T10:30:00Z");
/// assert_eq!(at.to_basic().as_str(), "20261122T103000Z");
/// # Ok::<(), valetkey_core::TimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// A time that [`Timestamp`] cannot carry or a text that is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The moment lies before 1970 or after 9999.
    #[error("the time is outside of 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z, which is all that a signature can carry")]
    OutOfRange,
    /// The text is not an RFC 3339 time with whole seconds.
    #[error("`{text}` is not a time in RFC 3339 with whole seconds, such as 2026-11-22T10:30:00Z")]
    Malformed {
        /// What was given.
        text: String,
    },
}

impl Timestamp {
    /// Makes a moment from seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] before 1970 and after year 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimeError> {
        match u64::try_from(seconds) {
            Ok(seconds) if seconds <= MAX_SECONDS => Ok(Self(seconds)),
            _ => Err(TimeError::OutOfRange),
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_unix_seconds(self) -> u64 {
        self.0
    }

    /// The moment `seconds` later, or `None` past year 9999.
    #[must_use]
    pub fn checked_add(self, seconds: u64) -> Option<Self> {
        self.0.checked_add(seconds).filter(|sum| *sum <= MAX_SECONDS).map(Self)
    }

    /// Seconds from `earlier` to `self`; `None` when `self` comes first.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }

    /// The last multiple of `seconds` that is not later; `seconds` of 0 changes nothing.
    pub(crate) const fn floored(self, seconds: u64) -> Self {
        match self.0.checked_rem(seconds) {
            Some(beyond) => Self(self.0.saturating_sub(beyond)),
            None => self,
        }
    }

    /// The day: whole days since 1970-01-01.
    pub(crate) const fn day(self) -> u64 {
        self.0 / SECONDS_OF_DAY
    }

    /// The time of the day as both signature versions write it: `HHMMSSZ`.
    #[inline]
    pub(crate) fn clock(self) -> [u8; 7] {
        let second = u32::try_from(self.0 % SECONDS_OF_DAY).unwrap_or(0);
        let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
        let digit = |number: u32| b'0'.wrapping_add(number.to_le_bytes()[0]);
        [digit(hour / 10), digit(hour % 10), digit(minute / 10), digit(minute % 10), digit(second / 10), digit(second % 10), b'Z']
    }

    /// RFC 3339 in a buffer of the caller's: results are written by the million.
    fn with_rfc3339(self, buffer: &mut [u8; 20]) -> &str {
        let basic = self.to_basic();
        let mut digits = basic.as_str().bytes();
        for (to, mark) in buffer.iter_mut().zip(b"    -  -  T  :  :  Z") {
            *to = match mark {
                b' ' => digits.find(u8::is_ascii_digit).unwrap_or(b'0'),
                mark => *mark,
            };
        }
        core::str::from_utf8(buffer).unwrap_or_default()
    }

    /// The form that both signature versions sign: `YYYYMMDDTHHMMSSZ`.
    #[must_use]
    pub fn to_basic(self) -> BasicTime {
        BasicTime::from(self.civil())
    }

    /// Reads `YYYYMMDDTHHMMSSZ`, and nothing else: upper-case letters, 16 bytes, a date that exists.
    ///
    /// # Errors
    /// [`TimeError::Malformed`] for every other text.
    pub fn from_basic(text: &str) -> Result<Self, TimeError> {
        Self::read_basic(text).ok_or_else(|| TimeError::Malformed { text: text.to_string() })
    }

    fn read_basic(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, i1, i2, s1, s2, b'Z'] = *bytes else {
            return None;
        };
        let year = digits(&[y1, y2, y3, y4])?;
        let two = |a, b| digits(&[a, b]).and_then(|value| i8::try_from(value).ok());
        let civil = DateTime::new(year, two(m1, m2)?, two(d1, d2)?, two(h1, h2)?, two(i1, i2)?, two(s1, s2)?, 0).ok()?;
        Self::from_civil(civil).ok()
    }

    /// Reads RFC 3339 and leaves a fraction of a second out: for times that others set, such as the end of credentials.
    ///
    /// # Errors
    /// As when parsing, a fraction aside.
    ///
    /// ```
    /// use valetkey_core::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_rfc3339_floored("2026-11-22T10:30:00.9Z")?, "2026-11-22T10:30:00Z".parse()?);
    /// # Ok::<(), valetkey_core::TimeError>(())
    /// ```
    pub fn from_rfc3339_floored(text: &str) -> Result<Self, TimeError> {
        read_rfc3339(text).map_or_else(|| Err(TimeError::Malformed { text: text.to_string() }), |(moment, _)| moment)
    }

    /// The date form of HTTP headers such as `Expires` (RFC 9110 IMF-fixdate): `Sun, 22 Nov 2026 10:30:00 GMT`.
    #[must_use]
    pub fn to_http_date(self) -> String {
        self.civil().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    // Civil time in UTC and not `jiff::Timestamp`, which ends a day before year 9999 does.
    fn civil(self) -> DateTime {
        let since = SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(0));
        EPOCH.checked_add(since).unwrap_or(EPOCH)
    }

    fn from_civil(civil: DateTime) -> Result<Self, TimeError> {
        Self::from_unix_seconds(civil.duration_since(EPOCH).as_secs())
    }
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

fn digits(bytes: &[u8]) -> Option<i16> {
    bytes.iter().try_fold(0_i16, |sum, byte| byte.is_ascii_digit().then(|| sum.checked_mul(10)?.checked_add(i16::from(byte - b'0'))).flatten())
}

/// RFC 3339 in UTC with whole seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.with_rfc3339(&mut [0; 20]))
    }
}

/// Reads RFC 3339 with an offset (`Z` or `+01:00`); a fraction of a second is refused unless it is zero.
impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        match read_rfc3339(text) {
            Some((moment, Fraction::None)) => moment,
            _ => Err(TimeError::Malformed { text: text.to_string() }),
        }
    }
}

/// What a text has after its seconds.
#[derive(PartialEq, Eq)]
enum Fraction {
    None,
    Some,
}

// The library reads more forms than RFC 3339 allows (blanks, missing seconds, zone names), so it is given the civil part alone.
fn read_rfc3339(text: &str) -> Option<(Result<Timestamp, TimeError>, Fraction)> {
    let (head, tail) = text.split_at_checked(19)?;
    if !fits(b"dddd-dd-ddTdd:dd:dd", head.as_bytes()) || head.ends_with(":60") {
        return None;
    }
    let (zone, fraction) = match tail.strip_prefix('.') {
        Some(rest) => {
            let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = rest.strip_suffix(zone).filter(|digits| !digits.is_empty())?;
            (zone, if digits.bytes().all(|digit| digit == b'0') { Fraction::None } else { Fraction::Some })
        }
        None => (tail, Fraction::None),
    };
    let civil: DateTime = head.parse().ok()?;
    let ahead = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (i64::from(hours) * 60 + i64::from(minutes)) * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let moment = civil.checked_sub(SignedDuration::from_secs(ahead)).map_err(|_| TimeError::OutOfRange).and_then(Timestamp::from_civil);
    Some((moment, fraction))
}

fn fits(shape: &[u8], text: &[u8]) -> bool {
    shape.len() == text.len()
        && shape.iter().zip(text).all(|(want, got)| match want {
            b'd' => got.is_ascii_digit(),
            b'T' => got.eq_ignore_ascii_case(&b'T'),
            other => other == got,
        })
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.with_rfc3339(&mut [0; 20]))
    }
}

/// `YYYYMMDDTHHMMSSZ` without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicTime([u8; 16]);

impl BasicTime {
    /// All 16 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The day, `YYYYMMDD`: the first part of a credential scope.
    #[must_use]
    pub fn day(&self) -> &str {
        self.as_str().split_at_checked(8).map_or("", |(day, _)| day)
    }
}

impl From<DateTime> for BasicTime {
    fn from(civil: DateTime) -> Self {
        let digit = |value: i16, unit: i16| b'0' + u8::try_from(value / unit % 10).unwrap_or(0);
        let (year, month, day) = (civil.year(), i16::from(civil.month()), i16::from(civil.day()));
        let (hour, minute, second) = (i16::from(civil.hour()), i16::from(civil.minute()), i16::from(civil.second()));
        Self([
            digit(year, 1000),
            digit(year, 100),
            digit(year, 10),
            digit(year, 1),
            digit(month, 10),
            digit(month, 1),
            digit(day, 10),
            digit(day, 1),
            b'T',
            digit(hour, 10),
            digit(hour, 1),
            digit(minute, 10),
            digit(minute, 1),
            digit(second, 10),
            digit(second, 1),
            b'Z',
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    #[test]
    fn basic_form_is_read_strictly() {
        for (text, seconds) in
            [("20130524T000000Z", 1_369_353_600), ("19700101T000000Z", 0), ("99991231T235959Z", MAX_SECONDS), ("20240229T123456Z", 1_709_210_096)]
        {
            assert_eq!(Timestamp::from_basic(text).map(Timestamp::as_unix_seconds), Ok(seconds), "{text}");
        }
        for text in [
            "",
            "20130524",
            "20130524T000000",
            "20130524t000000z",
            "20130230T000000Z",
            "20130524T240000Z",
            "20130524T000060Z",
            "+2013524T000000Z",
            "2013-05-24T00:00Z",
            "20130524T000000Z ",
            "19691231T235959Z",
            "00010101T000000Z",
            "２０１３T000000Z",
        ] {
            assert!(Timestamp::from_basic(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rfc3339_is_read_strictly() {
        for (text, want) in [
            ("2026-11-22T10:30:00Z", "2026-11-22T10:30:00Z"),
            ("2026-11-22T11:30:00+01:00", "2026-11-22T10:30:00Z"),
            ("2026-11-22t10:30:00z", "2026-11-22T10:30:00Z"),
            ("2026-11-22T10:30:00.000Z", "2026-11-22T10:30:00Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().map(|at| at.to_string()), Ok(want.to_string()), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-11-22",
            "2026-11-22 10:30:00Z",
            "2026-11-22T10:30Z",
            "2026-11-22T10:30:00",
            "2026-11-22T10:30:00.5Z",
            "2026-11-22T10:30:00.Z",
            "2026-02-30T10:30:00Z",
            "2026-11-22T10:30:60Z",
            "2026-11-22T10:30:00+0100",
            "1969-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
            "2026-11-22T10:30:00Z[UTC]",
            "1795343400",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn http_dates_are_imf_fixdates() {
        let at = Timestamp::from_basic("19941106T084937Z").unwrap();
        assert_eq!(at.to_http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn arithmetic_never_leaves_the_range() {
        let last = Timestamp(MAX_SECONDS);
        assert_eq!(last.checked_add(1), None);
        assert_eq!(last.checked_add(u64::MAX), None);
        assert_eq!(Timestamp(5).seconds_since(Timestamp(6)), None);
        assert_eq!(Timestamp::from_unix_seconds(-1), Err(TimeError::OutOfRange));
        assert_eq!(Timestamp::from_unix_seconds(i64::MAX), Err(TimeError::OutOfRange));
    }

    proptest! {
        #[test]
        fn both_forms_come_back(seconds in 0..=MAX_SECONDS) {
            let at = Timestamp(seconds);
            prop_assert_eq!(Timestamp::from_basic(at.to_basic().as_str()), Ok(at));
            prop_assert!(at.to_basic().as_str().as_bytes().ends_with(&at.clock()));
            prop_assert_eq!(format!("{at}").parse(), Ok(at));
        }
    }
}
