//! SHA-256 and HMAC-SHA-256, the only cryptography that both signature versions use.

mod sha256;

pub use sha256::Sha256;

use alloc::string::String;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A derived signing key, kept as the two hash states that HMAC starts from.
///
/// It is derived once per access key, day, region and service; deriving it costs several times what a signature costs.
/// It signs everything of that day and region, so it is as secret as the access key: Debug prints a constant and the
/// states are wiped when it is dropped.
#[derive(Clone)]
pub struct SigningKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl SigningKey {
    /// Derives the key: HMAC over each of `steps`, starting from `prefix` and `secret` joined
    /// (S3: `AWS4` + secret, then day, region, service, `aws4_request`).
    ///
    /// ```
    /// use valetkey_core::crypto::SigningKey;
    ///
    /// // The example of AWS, "Deriving the signing key".
    /// let key = SigningKey::derive("AWS4", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ["20150830", "us-east-1", "iam", "aws4_request"]);
    /// assert_eq!(format!("{key:?}"), "SigningKey(..)");
    /// ```
    #[must_use]
    pub fn derive<'a>(prefix: &str, secret: &str, steps: impl IntoIterator<Item = &'a str>) -> Self {
        let mut seed = Zeroizing::new(String::with_capacity(prefix.len().saturating_add(secret.len())));
        seed.push_str(prefix);
        seed.push_str(secret);
        let mut key = Self::new(seed.as_bytes());
        for step in steps {
            let next = Zeroizing::new(key.sign(step));
            key = Self::new(next.as_slice());
        }
        key
    }

    /// RFC 2104, section 2: the key, or its digest where it is longer than a block, against the two pads.
    fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0_u8; 64]);
        match block.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => {
                let mut hash = Sha256::new();
                hash.update_bytes(key);
                let digest = Zeroizing::new(hash.finish());
                block.iter_mut().zip(digest.iter()).for_each(|(byte, digest)| *byte = *digest);
            }
        }
        let padded = |pad: u8| {
            let mut padded = block.clone();
            padded.iter_mut().for_each(|byte| *byte ^= pad);
            sha256::first_block(&padded)
        };
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    /// HMAC-SHA-256 of `text` under this key.
    #[must_use]
    #[inline]
    pub fn sign(&self, text: &str) -> [u8; 32] {
        let mut mac = self.start();
        mac.update(text);
        mac.complete()
    }

    /// HMAC-SHA-256 of a text that comes in pieces.
    #[inline]
    pub(crate) const fn start(&self) -> Mac {
        Mac { hash: Sha256::after_block(self.inner), outer: self.outer }
    }

    /// Whether `signature` is the one of `text`, compared in constant time.
    #[must_use]
    pub fn matches(&self, text: &str, signature: &[u8; 32]) -> bool {
        self.sign(text).ct_eq(signature).into()
    }
}

/// HMAC-SHA-256 of what it is given.
#[derive(Clone)]
pub(crate) struct Mac {
    hash: Sha256,
    outer: [u32; 8],
}

impl Mac {
    #[inline]
    pub(crate) fn update(&mut self, text: &str) {
        self.hash.update(text);
    }

    #[inline]
    pub(crate) fn update_bytes(&mut self, piece: &[u8]) {
        self.hash.update_bytes(piece);
    }

    /// For one that is kept: what it holds is as secret as the key.
    pub(crate) fn wipe(&mut self) {
        self.hash.wipe();
        self.outer.zeroize();
    }

    #[inline]
    pub(crate) fn complete(&mut self) -> [u8; 32] {
        sha256::of_digest(self.outer, &self.hash.complete())
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

/// SHA-256 of `text`, in lower-case hex, appended to `out`.
///
/// ```
/// let mut out = String::new();
/// valetkey_core::crypto::push_sha256_hex(&mut out, "");
/// assert!(out.starts_with("e3b0c442"));
/// ```
pub fn push_sha256_hex(out: &mut String, text: &str) {
    let mut hash = Sha256::new();
    hash.update(text);
    push_hex(out, &hash.finish());
}

/// 32 bytes in lower-case hex.
#[inline]
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut hex = [0; 64];
    // The lengths fit.
    let _ = const_hex::encode_to_slice(bytes, &mut hex);
    hex
}

/// 32 bytes in lower-case hex, appended to `out`.
pub fn push_hex(out: &mut String, bytes: &[u8; 32]) {
    out.push_str(const_hex::Buffer::<32>::new().format(bytes));
}

/// Reads a signature: exactly 64 lower-case hex digits.
#[must_use]
pub fn read_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (lower && const_hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;

    /// RFC 4231, cases 1, 2 and 7: keys shorter and longer than a block.
    #[test]
    fn published_hmacs_come_out() {
        let long = (
            [0xaa_u8; 131],
            "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
        );
        for (key, text, mac) in [
            ([0x0b_u8; 20].as_slice(), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (long.0.as_slice(), long.1, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ] {
            assert_eq!(Some(SigningKey::new(key).sign(text)), read_hex(mac));
        }
    }

    proptest! {
        #[test]
        fn every_key_and_text_agree_with_the_public_interface(key in prop::collection::vec(any::<u8>(), 0..150), text in any::<String>(), steps in any::<Vec<String>>()) {
            let public = |key: &[u8], text: &str| Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes();
            prop_assert_eq!(SigningKey::new(&key).sign(&text), <[u8; 32]>::from(public(&key, &text)));
            let secret = String::from_utf8_lossy(&key).into_owned();
            let derived = steps.iter().fold(alloc::format!("AWS4{secret}").into_bytes(), |key, step| public(&key, step).to_vec());
            let key = SigningKey::derive("AWS4", &secret, steps.iter().map(String::as_str));
            prop_assert_eq!(key.sign(&text), <[u8; 32]>::from(public(&derived, &text)));
            prop_assert!(key.matches(&text, &key.sign(&text)) && !key.matches(&text, &[0; 32]));
        }
    }

    #[test]
    fn derived_key_signs_as_documented() {
        // AWS, "Signature Version 4 test suite", get-vanilla.
        let key = SigningKey::derive("AWS4", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ["20150830", "us-east-1", "service", "aws4_request"]);
        let text =
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\nbb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63";
        let mut out = String::new();
        push_hex(&mut out, &key.sign(text));
        assert_eq!(out, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        assert!(key.matches(text, &read_hex(&out).unwrap()));
        assert!(!key.matches("other", &read_hex(&out).unwrap()));
    }

    #[test]
    fn signatures_are_read_strictly() {
        let good = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert!(read_hex(good).is_some());
        for bad in ["", &good.to_uppercase(), &good[..62], &alloc::format!("{good}0"), &alloc::format!("{good} "), &good.replace('5', "g")] {
            assert_eq!(read_hex(bad), None, "{bad}");
        }
    }
}
