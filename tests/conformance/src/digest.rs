//! Digests of bodies, as the clouds write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use valetkey_core::ChecksumAlgorithm;

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

pub(crate) fn md5(body: &[u8]) -> [u8; 16] {
    Md5::digest(body).into()
}

pub(crate) fn md5_hex(body: &[u8]) -> String {
    const_hex::encode(md5(body))
}

/// MD5 of what base64 stands for.
pub(crate) fn md5_of_base64(text: &str) -> String {
    base64(&md5(&BASE64.decode(text).unwrap_or_default()))
}

pub(crate) fn sha256(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

pub(crate) fn sha256_hex(body: &[u8]) -> String {
    const_hex::encode(sha256(body))
}

/// Base64 of a checksum, big-endian for the CRCs; `None` for an algorithm that is not known here.
pub(crate) fn checksum(algorithm: ChecksumAlgorithm, body: &[u8]) -> Option<String> {
    let four = |polynomial: u32| base64(&crc(u64::from(polynomial), u64::from(u32::MAX), body).to_be_bytes()[4..]);
    Some(match algorithm {
        ChecksumAlgorithm::Crc32 => four(0xEDB8_8320),
        ChecksumAlgorithm::Crc32c => four(0x82F6_3B78),
        ChecksumAlgorithm::Crc64Nvme => base64(&crc(0x9A6C_9329_AC4B_C9B5, u64::MAX, body).to_be_bytes()),
        ChecksumAlgorithm::Sha1 => base64(&Sha1::digest(body)),
        ChecksumAlgorithm::Sha256 => base64(&sha256(body)),
        _ => return None,
    })
}

/// A reflected CRC of 32 or 64 bits, bit by bit: the bodies of the suite are small.
fn crc(polynomial: u64, mask: u64, body: &[u8]) -> u64 {
    let step = |crc: u64| if crc & 1 == 1 { (crc >> 1) ^ polynomial } else { crc >> 1 };
    body.iter().fold(mask, |crc, byte| (0..8).fold(crc ^ u64::from(*byte), |crc, _| step(crc))) ^ mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue, and what `openssl` prints for the others.
    #[test]
    fn digests_of_the_check_text() {
        let body = b"123456789";
        for (algorithm, want) in [
            (ChecksumAlgorithm::Crc32, "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "e3069283"),
            (ChecksumAlgorithm::Crc64Nvme, "ae8b14860a799888"),
            (ChecksumAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (ChecksumAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            assert_eq!(checksum(algorithm, body), Some(base64(&const_hex::decode(want).unwrap())), "{algorithm:?}");
        }
        assert_eq!(md5_hex(body), "25f9e794323b453885f5181f1b624d0b");
    }
}
