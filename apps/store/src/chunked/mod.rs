//! Bodies in the `aws-chunked` coding: read as a stream, within limits, and strictly.
//!
//! ```text
//! 10000;chunk-signature=ad80..CRLF     the size in hexadecimal digits, and a signature where chunks are signed
//! 65536 bytes CRLF
//! 0;chunk-signature=b6c6..CRLF         the last chunk has no data
//! x-amz-checksum-crc32c:sOO8/Q==CRLF   the trailer, where one is announced
//! x-amz-trailer-signature:d81f..CRLF   and its signature, where chunks are signed
//! CRLF
//! ```
//! Data is handed on before its chunk's signature has come, to where nothing sees it; the end is told only when every signature was right.
//!
//! Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and "Including trailing
//! headers".

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use valetkey_core::verify::ChunkSignatures;

use crate::{StoreError, digest::Algorithm};

mod trailer;

pub(crate) use trailer::Announced;
use trailer::Trailer;

/// The longest line before a chunk: 16 digits, `;chunk-signature=` and 64 digits, and some more to say no to.
const MAX_LINE: usize = 160;
/// The longest trailer in all.
const MAX_TRAILER: usize = 1 << 10;
/// S3 takes a smaller chunk only as the last one with data.
const MIN_CHUNK: u64 = 8 << 10;

/// Reads one body.
pub(crate) struct Decoder {
    signatures: Option<Box<ChunkSignatures>>,
    trailer: Option<Trailer>,
    /// How many bytes of data are still to come, as the request says.
    left: u64,
    promised: u64,
    state: State,
    line: Vec<u8>,
    /// How many chunks there were, and the size of the last one.
    chunks: u64,
    last: u64,
}

/// What comes next.
enum State {
    /// The line before a chunk.
    Head,
    Data {
        left: u64,
        /// The signature, and the digest of the data that it is for.
        signed: Option<(String, Sha256)>,
    },
    /// The end of a chunk's data: CR LF.
    DataEnd,
    Trailer,
    /// The last CR LF of a body without a trailer.
    LastEnd,
    Done,
}

impl Decoder {
    /// A reader of a body that becomes `decoded_length` bytes. `announced` is the trailer that must come.
    pub(crate) fn new(signatures: Option<Box<ChunkSignatures>>, announced: Option<Announced>, decoded_length: u64) -> Self {
        let trailer = announced.map(|announced| Trailer::new(announced, signatures.is_some()));
        Self { signatures, trailer, left: decoded_length, promised: decoded_length, state: State::Head, line: Vec::new(), chunks: 0, last: MIN_CHUNK }
    }

    /// How many bytes of data there must be.
    pub(crate) fn promised(&self) -> u64 {
        self.promised
    }

    /// Takes bytes off `input` until there is data to hand on; `None` when `input` is used up.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, StoreError> {
        while !input.is_empty() {
            match &mut self.state {
                State::Head => {
                    if self.take_line(input, MAX_LINE)? {
                        self.begin_chunk()?;
                    }
                }
                State::Data { left, signed } => {
                    let len = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                    let data = input.split_to(len);
                    *left = left.saturating_sub(len as u64);
                    if let Some((_, sha256)) = signed {
                        sha256.update(&data);
                    }
                    if *left == 0 {
                        self.end_chunk()?;
                    }
                    return Ok(Some(data));
                }
                State::DataEnd => {
                    if self.take_line(input, 2)? {
                        self.end_line("has a chunk of another size than it says")?;
                        self.state = State::Head;
                    }
                }
                State::LastEnd => {
                    if self.take_line(input, 2)? {
                        self.end_line("does not end after its last chunk")?;
                        self.state = State::Done;
                    }
                }
                State::Trailer => {
                    if self.take_line(input, MAX_TRAILER)? {
                        self.trailer_line()?;
                    }
                }
                State::Done => return Err(malformed("goes on after its end")),
            }
        }
        Ok(None)
    }

    /// Ends the body, with the checksum that the trailer promised.
    pub(crate) fn finish(self) -> Result<Option<(Algorithm, String)>, StoreError> {
        match (self.state, self.left, self.trailer) {
            (State::Done, 0, trailer) => trailer.map(Trailer::finish).transpose(),
            (_, left, _) => Err(StoreError::IncompleteBody { promised: self.promised, received: self.promised.saturating_sub(left) }),
        }
    }

    /// Gathers a line up to its line feed; true when it is whole.
    fn take_line(&mut self, input: &mut Bytes, max: usize) -> Result<bool, StoreError> {
        let end = input.iter().position(|byte| *byte == b'\n').map(|end| end.saturating_add(1));
        let piece = input.split_to(end.unwrap_or(input.len()));
        if self.line.len().saturating_add(piece.len()) > max {
            return Err(malformed("has a line that is too long, or a chunk of another size than it says"));
        }
        self.line.extend_from_slice(&piece);
        Ok(end.is_some())
    }

    fn end_line(&mut self, reason: &'static str) -> Result<(), StoreError> {
        let is_end = self.line == b"\r\n";
        self.line.clear();
        if is_end { Ok(()) } else { Err(malformed(reason)) }
    }

    fn begin_chunk(&mut self) -> Result<(), StoreError> {
        let line = std::mem::take(&mut self.line);
        let (size, signature) = read_head(&line, self.signatures.is_some()).ok_or_else(|| malformed("has a chunk whose first line is not as it must be"))?;
        if size > self.left {
            // More than was announced, or a size that overflows: not a byte of it is read.
            return Err(StoreError::IncompleteBody { promised: self.promised, received: self.promised.saturating_sub(self.left).saturating_add(size) });
        }
        self.chunks = self.chunks.saturating_add(1);
        if size > 0 && self.last < MIN_CHUNK {
            return Err(StoreError::ChunkTooSmall { chunk: self.chunks, size: self.last });
        }
        self.last = size;
        self.left = self.left.saturating_sub(size);
        self.state = State::Data { left: size, signed: signature.map(|signature| (signature, Sha256::new())) };
        if size == 0 {
            self.end_chunk()?;
            if self.left > 0 {
                return Err(StoreError::IncompleteBody { promised: self.promised, received: self.promised.saturating_sub(self.left) });
            }
            self.state = if self.trailer.is_some() { State::Trailer } else { State::LastEnd };
        }
        Ok(())
    }

    fn trailer_line(&mut self) -> Result<(), StoreError> {
        let line = std::mem::take(&mut self.line);
        let Some(trailer) = &mut self.trailer else { return Ok(()) };
        if trailer.take(&line, self.signatures.as_deref_mut())? {
            self.state = State::Done;
        }
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), StoreError> {
        let State::Data { signed, .. } = std::mem::replace(&mut self.state, State::DataEnd) else { return Ok(()) };
        if let (Some(signatures), Some((signature, sha256))) = (&mut self.signatures, signed) {
            signatures.check_chunk(&sha256.finalize().into(), &signature).map_err(|_| StoreError::ChunkSignatureMismatch)?;
        }
        Ok(())
    }
}

/// The size of a chunk, and its signature.
fn read_head(line: &[u8], is_signed: bool) -> Option<(u64, Option<String>)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let (size, signature) = match line.split_once(';') {
        Some((size, extension)) => (size, Some(extension.strip_prefix("chunk-signature=")?.to_owned())),
        None => (line, None),
    };
    // `from_str_radix` would take a sign.
    let digits = (1..=16).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = digits.then(|| u64::from_str_radix(size, 16).ok()).flatten()?;
    (signature.is_some() == is_signed).then_some((size, signature))
}

fn malformed(reason: &'static str) -> StoreError {
    StoreError::MalformedChunks { reason }
}

#[cfg(test)]
mod tests;
