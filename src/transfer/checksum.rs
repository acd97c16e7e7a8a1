//! Checksums of bytes that pass by, and what a store tells of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

use super::engine::Cloud;
use super::error::TransferError;

/// What can be computed and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Algorithm {
    Crc64Nvme,
    Crc64Ecma,
    Crc32c,
    Crc32,
    Sha256,
    Sha1,
    Md5,
}

impl Algorithm {
    /// Those of S3, the cheapest first.
    const OF_S3: [(Self, &'static str); 5] = [
        (Self::Crc64Nvme, "x-amz-checksum-crc64nvme"),
        (Self::Crc32c, "x-amz-checksum-crc32c"),
        (Self::Crc32, "x-amz-checksum-crc32"),
        (Self::Sha256, "x-amz-checksum-sha256"),
        (Self::Sha1, "x-amz-checksum-sha1"),
    ];

    /// The CRC that the cloud computes of everything by itself.
    pub(super) const fn of(cloud: Cloud) -> Self {
        match cloud {
            Cloud::S3 => Self::Crc64Nvme,
            Cloud::Oss => Self::Crc64Ecma,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "crc64nvme",
            Self::Crc64Ecma => "crc64ecma",
            Self::Crc32c => "crc32c",
            Self::Crc32 => "crc32",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        }
    }

    const fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc64Nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Crc64Ecma => Some((CrcAlgorithm::Crc64Xz, 8)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Sha256 | Self::Sha1 | Self::Md5 => None,
        }
    }

    /// Whether the checksum of a whole can be had from those of its pieces.
    pub(super) const fn combines(self) -> bool {
        self.crc().is_some()
    }

    /// The CRC of two texts one after the other.
    pub(super) fn combine(self, first: u64, second: u64, second_length: u64) -> u64 {
        self.crc().map_or(0, |(crc, _)| crc_fast::checksum_combine(crc, first, second, second_length))
    }

    /// The CRC of pieces, each with its length, one after the other.
    pub(super) fn combine_all(self, pieces: impl IntoIterator<Item = (u64, u64)>) -> u64 {
        let mut pieces = pieces.into_iter();
        let Some((first, _)) = pieces.next() else { return Running::new(self).crc() };
        pieces.fold(first, |whole, (crc, length)| self.combine(whole, crc, length))
    }

    /// A CRC as the store writes it.
    pub(super) fn text_of_crc(self, crc: u64) -> String {
        match self.crc() {
            _ if self == Self::Crc64Ecma => crc.to_string(),
            Some((_, length)) => STANDARD.encode(crc.to_be_bytes().get(8_usize.saturating_sub(length)..).unwrap_or_default()),
            None => String::new(),
        }
    }
}

/// A checksum that is being computed.
#[derive(Clone)]
pub(super) enum Running {
    Crc(Algorithm, crc_fast::Digest),
    Sha256(Sha256),
    Sha1(Sha1),
    Md5(Md5),
}

impl Running {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some((crc, _)), _) => Self::Crc(algorithm, crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha256) => Self::Sha256(Sha256::new()),
            (None, Algorithm::Sha1) => Self::Sha1(Sha1::new()),
            (None, _) => Self::Md5(Md5::new()),
        }
    }

    /// Goes on after bytes with this CRC. Combining would cost more than the bytes themselves where they are few: all four have all bits inverted at the end.
    pub(super) fn after(algorithm: Algorithm, crc: u64) -> Self {
        match algorithm.crc() {
            Some((kind, length)) => {
                let inverted = if length == 4 { crc ^ u64::from(u32::MAX) } else { !crc };
                Self::Crc(algorithm, crc_fast::Digest::new_with_init_state(kind, inverted))
            }
            None => Self::new(algorithm),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, crc) => crc.update(bytes),
            Self::Sha256(sha256) => sha256.update(bytes),
            Self::Sha1(sha1) => sha1.update(bytes),
            Self::Md5(md5) => md5.update(bytes),
        }
    }

    /// The CRC so far; 0 for what is none.
    pub(super) fn crc(&self) -> u64 {
        match self {
            Self::Crc(_, crc) => crc.finalize(),
            _ => 0,
        }
    }

    /// The checksum as the store writes it.
    pub(super) fn text(self) -> String {
        match self {
            Self::Crc(algorithm, crc) => algorithm.text_of_crc(crc.finalize()),
            Self::Sha256(sha256) => STANDARD.encode(sha256.finalize()),
            Self::Sha1(sha1) => STANDARD.encode(sha1.finalize()),
            Self::Md5(md5) => hex(&md5.finalize()),
        }
    }
}

/// What a store tells of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) algorithm: Algorithm,
    pub(super) text: String,
}

impl Told {
    /// What the headers tell of all bytes of the object or part. A composite checksum (`-N` at its end) is one of its parts' checksums and not of its bytes.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|value| !value.is_empty());
        if let Some(crc) = text("x-oss-hash-crc64ecma") {
            return Some(Self { algorithm: Algorithm::Crc64Ecma, text: crc.to_owned() });
        }
        if text("x-amz-checksum-type").is_some_and(|kind| kind.eq_ignore_ascii_case("COMPOSITE")) {
            return None;
        }
        let found = Algorithm::OF_S3.into_iter().find_map(|(algorithm, name)| Some((algorithm, text(name)?)));
        found.filter(|(_, text)| !text.contains('-')).map(|(algorithm, text)| Self { algorithm, text: text.to_owned() })
    }

    /// The MD5 that the ETag is, where it is one.
    pub(super) fn read_md5(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let own_key = text("x-amz-server-side-encryption-customer-algorithm").is_some();
        let kind = text("x-amz-server-side-encryption").or_else(|| text("x-oss-server-side-encryption"));
        if own_key || kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("AES256")) {
            return None;
        }
        let digest = text("etag")?.trim_matches('"');
        is_md5(digest).then(|| Self { algorithm: Algorithm::Md5, text: digest.to_ascii_lowercase() })
    }

    /// Compares.
    pub(super) fn check(&self, computed: String) -> Result<(), TransferError> {
        if self.text == computed {
            return Ok(());
        }
        Err(TransferError::ChecksumMismatch { algorithm: self.algorithm.name(), told: self.text.clone(), computed })
    }
}

/// Whether the text without its quotes can be an MD5.
pub(super) fn is_md5(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The ETag that S3 makes of the MD5s of an object's parts: their MD5, then `-N`.
pub(super) fn etag_of_parts<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    let (mut whole, count) = (Md5::new(), etags.len());
    for etag in etags {
        let digits = etag.trim_matches('"');
        if !is_md5(digits) {
            return None;
        }
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
        let mut nibbles = digits.bytes().map(nibble);
        while let (Some(high), Some(low)) = (nibbles.next(), nibbles.next()) {
            whole.update([high << 4 | low]);
        }
    }
    Some(format!("{}-{count}", hex(&whole.finalize())))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// The check values of the catalogue of CRC algorithms (reveng), and of RFC 1321, 3174 and FIPS 180-4.
    #[test]
    fn checksums_are_written_as_stores_write_them() {
        let nines = STANDARD.encode(0xae8b_1486_0a79_9888_u64.to_be_bytes());
        for (algorithm, text, want) in [
            (Algorithm::Crc64Nvme, "123456789", nines.as_str()),
            (Algorithm::Crc64Ecma, "123456789", "11051210869376104954"),
            (Algorithm::Crc32c, "123456789", "4waSgw=="),
            (Algorithm::Crc32, "123456789", "y/Q5Jg=="),
            (Algorithm::Sha256, "abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
            (Algorithm::Sha1, "abc", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
            (Algorithm::Md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
        ] {
            let mut running = Running::new(algorithm);
            running.update(text.as_bytes());
            assert_eq!(running.text(), want, "{}", algorithm.name());
        }
    }

    #[test]
    fn a_whole_is_combined_of_its_pieces() {
        let crc = |algorithm, text: &[u8]| {
            let mut running = Running::new(algorithm);
            running.update(text);
            running.crc()
        };
        for algorithm in [Algorithm::Crc64Nvme, Algorithm::Crc64Ecma, Algorithm::Crc32c, Algorithm::Crc32] {
            let pieces = ["one", "", "and two", "3"].map(str::as_bytes);
            let whole = algorithm.combine_all(pieces.map(|piece| (crc(algorithm, piece), piece.len() as u64)));
            assert_eq!(whole, crc(algorithm, b"oneand two3"), "{}", algorithm.name());
            assert_eq!(algorithm.combine_all([]), crc(algorithm, b""));
            let going_on = pieces.iter().fold(crc(algorithm, b""), |crc, piece| {
                let mut running = Running::after(algorithm, crc);
                running.update(piece);
                running.crc()
            });
            assert_eq!(going_on, whole, "{}", algorithm.name());
        }
    }

    #[test]
    fn what_is_told_of_all_bytes_is_told_from_what_is_not() {
        for (pairs, want) in [
            (vec![], None),
            (vec![("x-oss-hash-crc64ecma", "11051210869376104954")], Some(Algorithm::Crc64Ecma)),
            (vec![("x-amz-checksum-sha256", "a"), ("x-amz-checksum-crc32", "b")], Some(Algorithm::Crc32)),
            (vec![("x-amz-checksum-crc32", "b"), ("x-amz-checksum-type", "FULL_OBJECT")], Some(Algorithm::Crc32)),
            (vec![("x-amz-checksum-crc32", "b"), ("x-amz-checksum-type", "COMPOSITE")], None),
            (vec![("x-amz-checksum-sha256", "b-3")], None),
            (vec![("x-amz-checksum-mode", "ENABLED")], None),
        ] {
            assert_eq!(Told::read(&headers(&pairs)).map(|told| told.algorithm), want, "{pairs:?}");
        }
    }

    #[test]
    fn an_etag_is_an_md5_only_where_it_can_be_one() {
        let md5 = "\"900150983CD24FB0D6963F7D28E17F72\"";
        let told = |pairs: &[(&'static str, &'static str)]| Told::read_md5(&headers(pairs)).map(|told| told.text);
        assert_eq!(told(&[("etag", md5)]).as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(told(&[("etag", md5), ("x-amz-server-side-encryption", "AES256")]).as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(told(&[("etag", md5), ("x-amz-server-side-encryption", "aws:kms")]), None);
        assert_eq!(told(&[("etag", md5), ("x-amz-server-side-encryption-customer-algorithm", "AES256")]), None);
        assert_eq!(told(&[("etag", "\"900150983cd24fb0d6963f7d28e17f72-2\"")]), None);
    }

    /// Computed with Python's hashlib from the MD5s of "abc" and of nothing.
    #[test]
    fn the_etag_of_an_object_in_parts_follows_from_its_parts() {
        let parts = ["\"900150983cd24fb0d6963f7d28e17f72\"", "D41D8CD98F00B204E9800998ECF8427E"];
        assert_eq!(etag_of_parts(parts.into_iter()).as_deref(), Some("fdf1fdf1567f6942ffe1743f1e72301e-2"));
        assert_eq!(etag_of_parts(["abc"].into_iter()), None);
    }
}
