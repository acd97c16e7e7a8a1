//! The `Range` header: one range of bytes, or nothing.

use std::ops::Range;

use crate::StoreError;

/// How many ranges a header may list before it is refused. RFC 9110 lets a server ignore several ranges, which this store does, and
/// reject a set of many small ones, which is what an attack looks like (CVE-2026-33658).
const MAX_LISTED: usize = 16;

/// The bytes that `header` asks for of an object of `size` bytes; `None` means the whole object.
///
/// A header that is malformed, ends before it starts, or lists several ranges is ignored, as HTTP lets a server do. A range that has no
/// byte in the object, and a number that no object can reach, is [`StoreError::InvalidRange`].
pub(crate) fn parse(header: &str, size: u64) -> Result<Option<Range<u64>>, StoreError> {
    let unsatisfiable = || StoreError::InvalidRange { range: header.chars().take(100).collect(), size };
    let Some((unit, set)) = header.split_once('=') else { return Ok(None) };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ok(None);
    }
    if set.contains(',') {
        return if set.split(',').count() > MAX_LISTED { Err(unsatisfiable()) } else { Ok(None) };
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Ok(None) };
    match (Number::read(first), Number::read(last)) {
        (Number::Malformed, _) | (_, Number::Malformed) | (Number::Absent, Number::Absent) => Ok(None),
        (Number::Absent, Number::Value(0)) => Err(unsatisfiable()),
        (Number::Absent, _) if size == 0 => Err(unsatisfiable()),
        (Number::Absent, Number::Value(count)) => Ok(Some(size.saturating_sub(count)..size)),
        (Number::Absent, Number::TooLarge) => Ok(Some(0..size)),
        (Number::TooLarge, _) => Err(unsatisfiable()),
        (Number::Value(start), Number::Value(end)) if start > end => Ok(None),
        (Number::Value(start), _) if start >= size => Err(unsatisfiable()),
        (Number::Value(start), Number::Value(end)) => Ok(Some(start..end.saturating_add(1).min(size))),
        (Number::Value(start), Number::Absent | Number::TooLarge) => Ok(Some(start..size)),
    }
}

/// The bytes of a copy source: `bytes=FIRST-LAST`, both ends written and inside the object. A copy of other bytes than were asked for
/// would be silent damage, so nothing is ignored or cut here.
pub(crate) fn parse_copy_source(header: &str, size: u64) -> Result<Range<u64>, StoreError> {
    let read = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let ends = header.strip_prefix("bytes=").and_then(|set| set.split_once('-')).and_then(|(a, b)| read(a).zip(read(b)));
    match ends {
        Some((first, last)) if first <= last && last < size => Ok(first..last.saturating_add(1)),
        _ => Err(StoreError::InvalidArgument {
            name: "copy-source-range",
            value: header.chars().take(100).collect(),
            reason: "must be bytes=FIRST-LAST with both ends inside the source object",
        }),
    }
}

enum Number {
    Absent,
    Value(u64),
    /// Well-formed, but above what 64 bits hold: as good as infinite.
    TooLarge,
    Malformed,
}

impl Number {
    fn read(text: &str) -> Self {
        match text {
            "" => Self::Absent,
            _ if !text.bytes().all(|b| b.is_ascii_digit()) => Self::Malformed,
            _ => text.parse().map_or(Self::TooLarge, Self::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_or_the_whole_object() {
        let many = format!("bytes={}", "0-0,".repeat(1000));
        type Bytes = Option<Range<u64>>;
        let table: &[(&str, u64, Result<Bytes, ()>)] = &[
            ("bytes=0-0", 10, Ok(Some(0..1))),
            ("bytes=0-9", 10, Ok(Some(0..10))),
            ("bytes=0-10", 10, Ok(Some(0..10))),
            ("bytes=9-", 10, Ok(Some(9..10))),
            ("bytes=10-", 10, Err(())),
            ("bytes=-1", 10, Ok(Some(9..10))),
            ("bytes=-10", 10, Ok(Some(0..10))),
            ("bytes=-11", 10, Ok(Some(0..10))),
            ("bytes=-0", 10, Err(())),
            ("bytes=5-2", 10, Ok(None)),
            ("bytes=99-2", 10, Ok(None)),
            ("bytes=abc", 10, Ok(None)),
            ("bytes=", 10, Ok(None)),
            ("bytes=-", 10, Ok(None)),
            ("bytes=+1-2", 10, Ok(None)),
            ("bytes=1- 2", 10, Ok(None)),
            ("bytes=0x1-2", 10, Ok(None)),
            ("bytes", 10, Ok(None)),
            ("", 10, Ok(None)),
            ("items=0-1", 10, Ok(None)),
            ("Bytes=0-1", 10, Ok(Some(0..2))),
            ("bytes=0-0,2-2", 10, Ok(None)),
            (&many, 10, Err(())),
            ("bytes=18446744073709551615-18446744073709551615", 10, Err(())),
            ("bytes=99999999999999999999-", 10, Err(())),
            ("bytes=1-99999999999999999999", 10, Ok(Some(1..10))),
            ("bytes=-99999999999999999999", 10, Ok(Some(0..10))),
            ("bytes=0-18446744073709551615", 10, Ok(Some(0..10))),
            ("bytes=0-0", 0, Err(())),
            ("bytes=0-", 0, Err(())),
            ("bytes=-1", 0, Err(())),
            ("bytes=abc", 0, Ok(None)),
            ("bytes=18446744073709551614-", u64::MAX, Ok(Some(u64::MAX - 1..u64::MAX))),
        ];
        for (header, size, expected) in table {
            assert_eq!(&parse(header, *size).map_err(|_| ()), expected, "{header} of {size}");
        }
    }

    #[test]
    fn a_copy_takes_exactly_the_bytes_asked_for() {
        assert_eq!(parse_copy_source("bytes=0-4", 5).unwrap(), 0..5);
        for header in ["bytes=0-5", "bytes=3-2", "bytes=-2", "bytes=1-", "0-4", "bytes=0-4,6-7", "bytes=+0-4"] {
            assert!(parse_copy_source(header, 5).is_err(), "{header}");
        }
    }
}
