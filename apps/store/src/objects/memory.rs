//! Objects in memory: gone when the store ends.

use std::{io, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::{
    backend::{Backend, Blob, BlobReader, BlobRecord, ObjectRecord, PartRecord, SaveError, Stage},
    buckets::BucketInfo,
    meta::UploadInfo,
};

/// Chunks are gathered to segments of this size: a body that arrives byte by byte would otherwise cost many times its size.
const SEGMENT: usize = 256 << 10;

/// The backend that keeps bytes in memory and needs no records.
pub(crate) struct Memory;

impl Backend for Memory {
    fn stage(&self) -> io::Result<Box<dyn Stage>> {
        Ok(Box::new(MemoryStage::default()))
    }

    fn save_bucket(&self, _: &str, _: &BucketInfo) -> Result<(), SaveError> {
        Ok(())
    }
    fn remove_bucket(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn save_object(&self, _: &str, _: &ObjectRecord) -> Result<(), SaveError> {
        Ok(())
    }
    fn remove_objects(&self, _: &str, _: &[&str]) -> Result<(), (usize, io::Error)> {
        Ok(())
    }
    fn save_upload(&self, _: &UploadInfo) -> Result<(), SaveError> {
        Ok(())
    }
    fn save_part(&self, _: &str, _: &PartRecord) -> Result<(), SaveError> {
        Ok(())
    }
    fn remove_upload(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct MemoryStage {
    full: Vec<Bytes>,
    open: BytesMut,
    len: u64,
}

impl Stage for MemoryStage {
    fn write(&mut self, chunk: &Bytes) -> io::Result<()> {
        let mut chunk = chunk.clone();
        self.len = self.len.saturating_add(chunk.len() as u64);
        while !chunk.is_empty() {
            if !self.full.is_empty() && self.open.is_empty() {
                // A body that filled one segment will most likely fill more: growing each from nothing would copy it several times.
                self.open.reserve(SEGMENT);
            }
            let room = SEGMENT.saturating_sub(self.open.len());
            self.open.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
            if self.open.len() >= SEGMENT {
                self.full.push(self.open.split().freeze());
            }
        }
        Ok(())
    }

    fn seal(mut self: Box<Self>, crc64: u64) -> io::Result<Arc<dyn Blob>> {
        self.full.push(Bytes::copy_from_slice(&self.open));
        Ok(Arc::new(MemoryBlob { segments: self.full, len: self.len, crc64 }))
    }
}

struct MemoryBlob {
    /// All but the last are exactly [`SEGMENT`] long.
    segments: Vec<Bytes>,
    len: u64,
    crc64: u64,
}

impl Blob for MemoryBlob {
    fn record(&self) -> BlobRecord {
        BlobRecord { id: String::new(), len: self.len, crc64: self.crc64, pieces: Arc::default() }
    }

    fn keep(&self, _: bool) {}

    fn pin(&self) {}

    fn read(self: Arc<Self>, range: Range<u64>) -> Box<dyn BlobReader> {
        Box::new(MemoryReader { blob: self, range })
    }
}

struct MemoryReader {
    blob: Arc<MemoryBlob>,
    range: Range<u64>,
}

#[async_trait]
impl BlobReader for MemoryReader {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let (start, end) = (usize::try_from(self.range.start).map_err(io::Error::other)?, usize::try_from(self.range.end).map_err(io::Error::other)?);
        let segment = self.blob.segments.get(start / SEGMENT).ok_or(io::ErrorKind::UnexpectedEof)?;
        let first = start % SEGMENT;
        let last = segment.len().min(first.saturating_add(end.saturating_sub(start)));
        if last <= first {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.range.start = self.range.start.saturating_add(last.saturating_sub(first) as u64);
        Ok(Some(segment.slice(first..last)))
    }
}
