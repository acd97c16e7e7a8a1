//! SHA-256 and HMAC-SHA-256, the only cryptography that both signature versions use.

use alloc::string::String;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A derived signing key, kept as the HMAC state that it starts from.
///
/// It is derived once per access key, day, region and service; deriving it costs several times what a signature costs.
/// It signs everything of that day and region, so it is as secret as the access key: Debug prints a constant and the
/// state is wiped when it is dropped.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

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
        let mut seed = zeroize::Zeroizing::new(String::with_capacity(prefix.len() + secret.len()));
        seed.push_str(prefix);
        seed.push_str(secret);
        let mut state = keyed(seed.as_bytes());
        for step in steps {
            state.update(step.as_bytes());
            let next = zeroize::Zeroizing::new(<[u8; 32]>::from(state.finalize().into_bytes()));
            state = keyed(next.as_slice());
        }
        Self(state)
    }

    /// HMAC-SHA-256 of `text` under this key.
    #[must_use]
    pub fn sign(&self, text: &str) -> [u8; 32] {
        let mut state = self.0.clone();
        state.update(text.as_bytes());
        state.finalize().into_bytes().into()
    }

    /// Whether `signature` is the one of `text`, compared in constant time.
    #[must_use]
    pub fn matches(&self, text: &str, signature: &[u8; 32]) -> bool {
        let mut state = self.0.clone();
        state.update(text.as_bytes());
        state.verify_slice(signature).is_ok()
    }
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

/// HMAC takes keys of every length, so the refusal cannot happen; an all-zero key stands in so that nothing panics.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// SHA-256 of `text`, in lower-case hex, appended to `out`.
///
/// ```
/// let mut out = String::new();
/// valetkey_core::crypto::push_sha256_hex(&mut out, "");
/// assert!(out.starts_with("e3b0c442"));
/// ```
pub fn push_sha256_hex(out: &mut String, text: &str) {
    push_hex(out, &Sha256::digest(text.as_bytes()).into());
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
