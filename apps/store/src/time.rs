//! Instants as the clouds write them in answers. Records hold whole seconds since 1970; one beyond year 9999, which no clock gave, is shown as nothing.

use valetkey_core::Timestamp;

/// As XML has it: `2026-01-02T03:04:05.000Z`.
pub(crate) fn iso8601(seconds: u64) -> String {
    at(seconds).map(|at| at.to_string().replace('Z', ".000Z")).unwrap_or_default()
}

/// As headers have it: `Fri, 02 Jan 2026 03:04:05 GMT`.
pub(crate) fn http_date(seconds: u64) -> String {
    at(seconds).map(Timestamp::to_http_date).unwrap_or_default()
}

/// The seconds of a date in a header, in any of the three forms of HTTP; `None` if it is no date, or one before 1970.
pub(crate) fn read_http_date(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text).ok()?;
    Some(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

fn at(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_unix_seconds(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        assert_eq!(iso8601(1_369_353_600), "2013-05-24T00:00:00.000Z");
        assert_eq!(http_date(1_369_353_600), "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(iso8601(u64::MAX), "");
        assert_eq!(read_http_date("Fri, 24 May 2013 00:00:00 GMT"), Some(1_369_353_600));
        assert_eq!(read_http_date("Friday, 24-May-13 00:00:00 GMT"), Some(1_369_353_600));
        assert_eq!(read_http_date("2013-05-24"), None);
    }
}
