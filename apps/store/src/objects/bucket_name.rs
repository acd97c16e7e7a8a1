//! The rules for the names of new buckets: those of S3, of which those of OSS are a part.

use std::net::Ipv4Addr;

use crate::StoreError;

/// Whether a bucket of that name may be made. S3's rules; a name with dots is no OSS bucket, and only S3 requests reach it.
pub(crate) fn check(name: &str) -> Result<(), StoreError> {
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let reason = if !(3..=63).contains(&name.len()) {
        "it must have 3 to 63 characters"
    } else if !bytes.iter().all(|byte| plain(byte) || matches!(byte, b'-' | b'.')) {
        "it may have a-z, 0-9, `-` and `.`"
    } else if !bytes.first().is_some_and(plain) || !bytes.last().is_some_and(plain) {
        "it must start and end with a letter or a digit"
    } else if name.contains("..") {
        "two dots may not stand side by side"
    } else if name.parse::<Ipv4Addr>().is_ok() {
        "it may not look like an IP address"
    } else if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        "this prefix or suffix is reserved"
    } else {
        return Ok(());
    };
    Err(StoreError::InvalidBucketName { bucket: name.chars().take(100).collect(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todays_rules() {
        for good in ["abc", "a-b", "a.b.c", "0ab", &"a".repeat(63), "media-prod", "a--b"] {
            assert!(check(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            &long,
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "abc.",
            "a..b",
            "192.168.0.1",
            "xn--abc",
            "sthree-a",
            "abc-s3alias",
            "a/b",
            "../..",
            "a\0b",
            "ab\u{e9}",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
