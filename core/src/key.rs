//! Object keys, taken literally.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use crate::encode::holds_for_all;

/// The name of an object in a bucket: 1 to 1024 bytes of UTF-8, taken literally. Nothing is decoded, trimmed or normalised.
///
/// Refused are NUL, and segments `.` and `..`: browsers, URL libraries and curl rewrite them, also as `%2E`, so the URL would reach another
/// object than the one that was signed. A provider may refuse more (OSS: 1023 bytes, no leading `/` or `\`).
///
/// ```
/// use valetkey_core::ObjectKey;
///
/// let key: ObjectKey = "photos/2026/été 100%+1.png".parse()?;
/// assert_eq!(key.as_str(), "photos/2026/été 100%+1.png");
/// assert!("photos/../secret".parse::<ObjectKey>().is_err());
/// # Ok::<(), valetkey_core::KeyError>(())
/// ```
///
/// Source of the length: Amazon S3 User Guide, "Naming Amazon S3 objects".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// Why a text cannot be an object key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key is empty.
    #[error("the object key is empty; name an object")]
    Empty,
    /// The key is longer than the provider allows.
    #[error("the object key has {bytes} bytes of UTF-8; at most {max} are allowed")]
    TooLong {
        /// Bytes of the key.
        bytes: usize,
        /// The most that the provider takes.
        max: usize,
    },
    /// The key holds a NUL byte.
    #[error("the object key holds a NUL byte at byte {at}; remove it")]
    Nul {
        /// Where, in bytes from 0.
        at: usize,
    },
    /// A segment of the key is `.` or `..`.
    #[error("the object key has a segment `{segment}`, which browsers and HTTP clients remove, so that the URL would reach another object; rename the object")]
    DotSegment {
        /// `.` or `..`.
        segment: &'static str,
    },
    /// The key starts with a character that the provider does not take there.
    #[error("the object key starts with `{first}`, which {provider} does not allow; remove it")]
    LeadingCharacter {
        /// The character.
        first: char,
        /// The provider that refuses it.
        provider: &'static str,
    },
}

impl ObjectKey {
    /// The most bytes that any provider takes.
    pub const MAX_BYTES: usize = 1024;

    /// Takes a key literally.
    ///
    /// # Errors
    /// [`KeyError`] when it is empty, longer than 1024 bytes, holds NUL or has a segment `.` or `..`.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        let key = key.into();
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > Self::MAX_BYTES {
            return Err(KeyError::TooLong { bytes: key.len(), max: Self::MAX_BYTES });
        }
        // One look at most keys without a dot.
        if holds_for_all(&key, |byte| (byte != 0) & (byte != b'.')) {
            return Ok(Self(key));
        }
        if !holds_for_all(&key, |byte| byte != 0)
            && let Some(at) = key.bytes().position(|byte| byte == 0)
        {
            return Err(KeyError::Nul { at });
        }
        // Most keys hold no `.` next to a `/`, so the segments are looked at only when a dot starts one.
        if key.starts_with('.') || key.contains("/.") {
            for segment in key.split('/') {
                match segment {
                    "." => return Err(KeyError::DotSegment { segment: "." }),
                    ".." => return Err(KeyError::DotSegment { segment: ".." }),
                    _ => {}
                }
            }
        }
        Ok(Self(key))
    }

    /// The text and its memory.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// The key as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the last `/`: what a download would be called.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for ObjectKey {
    type Err = KeyError;

    fn from_str(key: &str) -> Result<Self, KeyError> {
        Self::new(key.to_string())
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_clients_rewrite_is_refused() {
        let long = "a".repeat(1024);
        for key in ["a", "/", "/a", "a//b", "a/", "..hidden", "a..b", "...", "a/...", ".a/b.", "a%2Fb", "\n", "\u{7f}", "e\u{301}", "🐿", "a\\..\\b", &long] {
            assert_eq!(ObjectKey::new(key).map(|key| key.as_str().to_string()), Ok(key.to_string()));
        }
        for (key, error) in [
            ("", KeyError::Empty),
            (".", KeyError::DotSegment { segment: "." }),
            ("..", KeyError::DotSegment { segment: ".." }),
            ("a/../b", KeyError::DotSegment { segment: ".." }),
            ("a/.", KeyError::DotSegment { segment: "." }),
            ("./a", KeyError::DotSegment { segment: "." }),
            ("/../a", KeyError::DotSegment { segment: ".." }),
            ("a\0b", KeyError::Nul { at: 1 }),
            (&"é".repeat(513), KeyError::TooLong { bytes: 1026, max: 1024 }),
        ] {
            assert_eq!(ObjectKey::new(key), Err(error));
        }
    }
}
