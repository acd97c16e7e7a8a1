//! An object as it was when it was opened, and its bytes.

use std::{collections::VecDeque, io, ops::Range, sync::Arc};

use bytes::Bytes;

use super::{
    backend::{Blob, BlobReader},
    meta::ObjectInfo,
};
use crate::StoreError;

/// An object as it was when it was opened: a later write or delete does not touch what is read through this.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) info: Arc<ObjectInfo>,
    pub(crate) blobs: Arc<[Arc<dyn Blob>]>,
}

impl Object {
    /// What the store knows about the object.
    pub(crate) fn info(&self) -> &Arc<ObjectInfo> {
        &self.info
    }

    /// Reads all bytes.
    #[cfg(test)]
    pub(crate) fn read_all(&self) -> Reader {
        self.read(0..self.info.size)
    }

    /// Reads `range`, of which what lies beyond the end is left out.
    pub(crate) fn read(&self, range: Range<u64>) -> Reader {
        let mut pieces = VecDeque::new();
        let mut offset = 0_u64;
        for blob in self.blobs.iter() {
            let len = blob.record().len;
            let (start, end) = (range.start.max(offset), range.end.min(offset.saturating_add(len)));
            if start < end {
                pieces.push_back((Arc::clone(blob), start.saturating_sub(offset)..end.saturating_sub(offset)));
            }
            offset = offset.saturating_add(len);
        }
        Reader { pieces, current: None }
    }
}

/// Streams the bytes of an object in chunks of bounded size.
pub(crate) struct Reader {
    pieces: VecDeque<(Arc<dyn Blob>, Range<u64>)>,
    current: Option<Current>,
}

struct Current {
    reader: Box<dyn BlobReader>,
    remaining: u64,
    /// Of a blob that is read whole: its running and its recorded CRC.
    check: Option<(crc_fast::Digest, u64)>,
}

impl Reader {
    /// The next bytes; `None` at the end. An error means that the bytes already given are not the whole: the reader of a response must
    /// notice, so the connection has to be cut. A flipped bit in a blob that is read whole is such an error, before its last chunk.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        self.step().await.map_err(StoreError::io("read an object"))
    }

    async fn step(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(current) = &mut self.current else {
                let Some((blob, range)) = self.pieces.pop_front() else { return Ok(None) };
                let record = blob.record();
                let remaining = range.end.saturating_sub(range.start);
                let whole = remaining == record.len;
                let check = whole.then(|| (crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Xz), record.crc64));
                self.current = Some(Current { reader: blob.read(range), remaining, check });
                continue;
            };
            if current.remaining == 0 {
                self.current = None;
                continue;
            }
            let chunk = current.reader.next().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            current.remaining = current.remaining.checked_sub(chunk.len() as u64).ok_or(io::ErrorKind::InvalidData)?;
            if let Some((digest, expected)) = &mut current.check {
                digest.update(&chunk);
                if current.remaining == 0 && digest.finalize() != *expected {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the stored bytes are damaged"));
                }
            }
            return Ok(Some(chunk));
        }
    }
}
