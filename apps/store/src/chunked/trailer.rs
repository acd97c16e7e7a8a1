//! What follows the last chunk: the checksum that was announced, and its signature.

use sha2::{Digest as _, Sha256};
use valetkey_core::verify::ChunkSignatures;

use super::malformed;
use crate::{StoreError, digest::Algorithm};

/// The header that a trailer was announced to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced(pub(crate) Algorithm);

impl Announced {
    /// Reads `x-amz-trailer`: the name of one checksum, as S3 takes it.
    pub(crate) fn read(value: &str) -> Result<Self, StoreError> {
        let name = value.trim().to_ascii_lowercase();
        let algorithm = name.strip_prefix("x-amz-checksum-").and_then(Algorithm::from_name);
        algorithm.map(Self).ok_or(StoreError::InvalidRequest { reason: "x-amz-trailer must name one checksum that the store knows" })
    }

    fn name(self) -> String {
        format!("x-amz-checksum-{}", self.0.name().to_ascii_lowercase())
    }
}

/// A trailer that is being read.
pub(super) struct Trailer {
    announced: Announced,
    is_signed: bool,
    value: Option<String>,
    signature: bool,
    /// The line before had no carriage return, as some clients write it: an empty line may come before the signature.
    bare: bool,
}

impl Trailer {
    pub(super) fn new(announced: Announced, is_signed: bool) -> Self {
        Self { announced, is_signed, value: None, signature: false, bare: false }
    }

    /// Takes a line; true when it was the last one.
    pub(super) fn take(&mut self, line: &[u8], signatures: Option<&mut ChunkSignatures>) -> Result<bool, StoreError> {
        let text = std::str::from_utf8(line).map_err(|_| malformed("has a trailer that is not text"))?;
        let (text, bare) = match text.strip_suffix("\r\n") {
            Some(text) => (text, false),
            None => (text.strip_suffix('\n').unwrap_or(text), true),
        };
        if text.is_empty() && !bare {
            return self.end();
        }
        let (name, value) = text.split_once(':').ok_or_else(|| malformed("has a trailer line without a name"))?;
        match &self.value {
            None if name.eq_ignore_ascii_case(&self.announced.name()) => {
                // The bare form is MinIO's, whose trailers are signed.
                if bare && !self.is_signed {
                    return Err(malformed("has a trailer line that does not end with CR LF"));
                }
                self.value = Some(value.trim().to_owned());
                self.bare = bare;
                Ok(false)
            }
            Some(kept) if self.is_signed && !self.signature && !bare && name.eq_ignore_ascii_case("x-amz-trailer-signature") => {
                let signed = format!("{}:{kept}\n", self.announced.name());
                if let Some(signatures) = signatures {
                    let judged = signatures.check_trailer(&Sha256::digest(signed).into(), value.trim());
                    judged.map_err(|_| StoreError::ChunkSignatureMismatch)?;
                }
                self.signature = true;
                Ok(false)
            }
            _ => Err(malformed("has a trailer that was not announced")),
        }
    }

    /// An empty line.
    fn end(&mut self) -> Result<bool, StoreError> {
        if self.value.is_none() {
            return Err(malformed("lacks the trailer that was announced"));
        }
        if self.is_signed && !self.signature {
            return match std::mem::take(&mut self.bare) {
                true => Ok(false),
                false => Err(malformed("lacks the signature of its trailer")),
            };
        }
        Ok(true)
    }

    pub(super) fn finish(self) -> Result<(Algorithm, String), StoreError> {
        let value = self.value.ok_or_else(|| malformed("lacks the trailer that was announced"))?;
        Ok((self.announced.0, value))
    }
}
