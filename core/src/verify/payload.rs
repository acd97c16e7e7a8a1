//! What a signature says of the body: an obligation for whoever reads it.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::VerifyError;
use crate::crypto::{self, SigningKey};

/// What the signature says of the body.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Payload {
    /// Nothing: the signature covers no byte of it.
    Unsigned,
    /// Its SHA-256. Whoever reads the body must refuse another.
    Sha256([u8; 32]),
    /// It comes in chunks (`aws-chunked`), each with a signature of its own, or with none.
    Chunked {
        /// Judges each chunk in turn; `None` where chunks are not signed, and only the trailer says what the body must be.
        signatures: Option<Box<ChunkSignatures>>,
        /// Whether headers follow the last chunk.
        has_trailer: bool,
    },
}

/// As [`Payload`], of a claim, before there is a key to judge chunks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimedPayload {
    /// Nothing is said.
    Unsigned,
    /// The SHA-256 of the body.
    Sha256([u8; 32]),
    /// Chunks.
    Chunked {
        /// What the strings to sign of a chunk and of the trailer begin with; `None` where chunks are not signed.
        algorithms: Option<(&'static str, &'static str)>,
        /// Whether headers follow the last chunk.
        has_trailer: bool,
    },
}

/// Judges the chunks of a body, each of which signs the signature before it, so that none can be left out, changed or moved.
///
/// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and "Including trailing
/// headers".
#[derive(Clone)]
pub struct ChunkSignatures {
    key: SigningKey,
    /// Date and scope, as they stand in the request's own string to sign.
    context: String,
    previous: [u8; 32],
    algorithms: (&'static str, &'static str),
}

impl ChunkSignatures {
    /// Begins with the signature of the request itself. `string_to_sign` is that of the request: its second and third line are those of every chunk.
    pub(super) fn new(key: SigningKey, string_to_sign: &str, seed: [u8; 32], algorithms: (&'static str, &'static str)) -> Self {
        let mut context = String::new();
        for line in string_to_sign.lines().skip(1).take(2) {
            context.push_str(line);
            context.push('\n');
        }
        Self { key, context, previous: seed, algorithms }
    }

    /// Judges the next chunk: `sha256` of its data, and the signature that it carries (64 lower-case hex digits). The last chunk has no data.
    ///
    /// # Errors
    /// [`VerifyError::MalformedSignature`] and [`VerifyError::SignatureMismatch`]; the body is to be refused whole.
    pub fn check_chunk(&mut self, sha256: &[u8; 32], signature: &str) -> Result<(), VerifyError> {
        let mut text = self.begin(self.algorithms.0);
        crypto::push_sha256_hex(&mut text, "");
        text.push('\n');
        self.check(text, sha256, signature)
    }

    /// Judges the trailer: `sha256` of its lines, each written `name:value` and a line feed, and the signature that it carries.
    ///
    /// # Errors
    /// As [`check_chunk`](Self::check_chunk).
    pub fn check_trailer(&mut self, sha256: &[u8; 32], signature: &str) -> Result<(), VerifyError> {
        let text = self.begin(self.algorithms.1);
        self.check(text, sha256, signature)
    }

    fn begin(&self, algorithm: &str) -> String {
        let mut text = String::with_capacity(320);
        text.push_str(algorithm);
        text.push('\n');
        text.push_str(&self.context);
        crypto::push_hex(&mut text, &self.previous);
        text.push('\n');
        text
    }

    fn check(&mut self, mut text: String, sha256: &[u8; 32], signature: &str) -> Result<(), VerifyError> {
        crypto::push_hex(&mut text, sha256);
        let signature = crypto::read_hex(signature).ok_or(VerifyError::MalformedSignature)?;
        if !self.key.matches(&text, &signature) {
            return Err(VerifyError::SignatureMismatch);
        }
        self.previous = signature;
        Ok(())
    }
}

/// It holds a key and a signature, so nothing is shown.
impl fmt::Debug for ChunkSignatures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ChunkSignatures(..)")
    }
}
