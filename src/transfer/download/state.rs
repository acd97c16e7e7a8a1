//! Which bytes of a download are there, and what is kept of that so that another run can go on with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::transfer::checksum::{Algorithm, Running};
use crate::transfer::error::TransferError;
use crate::transfer::event::Meter;
use crate::transfer::files;

/// The record is small, but written for every mebibyte it would cost more than the bytes.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// The most ranges of a download: all of them are in memory and in the record.
const MAX_SPANS: u64 = 10_000;
/// How much is read at a time where bytes are checked.
const PIECE: u64 = 1 << 20;

/// A range of the object and how much of it is there, from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) done: u64,
    /// The CRC of what is there.
    pub(super) crc: u64,
}

/// The record of a download, without anything that could be used by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    version: u32,
    /// Host, bucket and key, as in a URL.
    pub(super) location: String,
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) algorithm: Algorithm,
    pub(super) spans: Vec<Span>,
}

impl Record {
    const VERSION: u32 = 1;

    /// Nothing is there. Every CRC is the one of no bytes. Ranges are larger than `range` where there would be too many.
    pub(super) fn new(location: String, etag: String, size: u64, algorithm: Algorithm, range: u64) -> Self {
        let empty = Running::new(algorithm).crc();
        let range = range.max(size.div_ceil(MAX_SPANS)).max(1);
        let starts = (0..size.div_ceil(range)).map(|index| index.saturating_mul(range));
        let spans = starts.map(|start| Span { start, length: size.saturating_sub(start).min(range), done: 0, crc: empty }).collect();
        Self { version: Self::VERSION, location, etag, size, algorithm, spans }
    }

    /// Reads what an earlier run left.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, TransferError> {
        let text = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(TransferError::file("read", path))?,
        };
        let unusable =
            |why: String| TransferError::State { path: path.to_owned(), reason: format!("is no record of a download ({why}); remove it to begin anew") };
        let record: Self = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
        if record.version != Self::VERSION {
            return Err(unusable(format!("version {}", record.version)));
        }
        if !record.is_whole() {
            return Err(unusable("its ranges are not those of the object".to_owned()));
        }
        Ok(Some(record))
    }

    /// Whether the spans are the object, without gap and overlap, and not too many.
    fn is_whole(&self) -> bool {
        if self.spans.len() as u64 > MAX_SPANS {
            return false;
        }
        let end = self.spans.iter().try_fold(0_u64, |next, span| {
            let fits = span.start == next && span.length > 0 && span.done <= span.length;
            next.checked_add(span.length).filter(|_| fits)
        });
        end == Some(self.size) && self.algorithm.combines()
    }

    /// Bytes that are there.
    pub(super) fn done(&self) -> u64 {
        self.spans.iter().map(|span| span.done).fold(0, u64::saturating_add)
    }

    /// The CRC of all bytes, once all are there.
    pub(super) fn crc(&self) -> u64 {
        self.algorithm.combine_all(self.spans.iter().map(|span| (span.crc, span.done)))
    }

    /// Reads again what should be there, forgets what is not so, and says how many bytes that were. After a power cut the record may know more than the disk.
    pub(super) fn check(&mut self, file: &File, meter: &Meter) -> std::io::Result<u64> {
        let mut refused = 0_u64;
        for span in &mut self.spans {
            let mut running = Running::new(self.algorithm);
            let empty = running.crc();
            let mut next = 0;
            while next < span.done {
                let length = span.done.saturating_sub(next).min(PIECE);
                let piece = files::read_at(file, span.start.saturating_add(next), usize::try_from(length).unwrap_or(usize::MAX))?;
                if piece.is_empty() {
                    break;
                }
                running.update(&piece);
                next = next.saturating_add(piece.len() as u64);
                meter.add(piece.len() as u64);
            }
            if next != span.done || running.crc() != span.crc {
                refused = refused.saturating_add(span.done);
                (span.done, span.crc) = (0, empty);
            }
        }
        Ok(refused)
    }
}

/// The record of the download that is under way. What was not written is written at its end.
pub(super) struct State {
    record: Mutex<Record>,
    /// `None` where nothing is kept.
    path: Option<PathBuf>,
    written: Mutex<Option<Instant>>,
    is_new: AtomicBool,
}

impl State {
    pub(super) fn new(record: Record, path: Option<PathBuf>) -> Self {
        Self { record: Mutex::new(record), path, written: Mutex::new(None), is_new: AtomicBool::new(true) }
    }

    /// A copy of the record as it is.
    pub(super) fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes it now. Blocks.
    pub(super) fn save(&self) -> Result<(), TransferError> {
        let Some(path) = &self.path else { return Ok(()) };
        self.is_new.store(false, Ordering::Relaxed);
        let Ok(text) = serde_json::to_vec(&self.record()) else { return Ok(()) };
        files::replace(path, &text).map_err(TransferError::file("write", path))
    }

    /// So much of a range is there now. Writes if it is time; blocks.
    pub(super) fn reached(&self, index: usize, done: u64, crc: u64) -> Result<(), TransferError> {
        if let Some(span) = self.record.lock().unwrap_or_else(PoisonError::into_inner).spans.get_mut(index) {
            (span.done, span.crc) = (done, crc);
        }
        self.is_new.store(true, Ordering::Relaxed);
        if self.path.is_none() {
            return Ok(());
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_some_and(|written| written.elapsed() < BETWEEN_WRITES) {
            return Ok(());
        }
        *written = Some(Instant::now());
        self.save()
    }

    /// The download is over: there is nothing to go on with. Blocks.
    pub(super) fn forget(&self) -> Result<(), TransferError> {
        let Some(path) = &self.path else { return Ok(()) };
        self.is_new.store(false, Ordering::Relaxed);
        files::remove(path).map_err(TransferError::file("remove", path))
    }
}

/// Also when the download is dropped. It is short, and there is nobody left to wait for it.
impl Drop for State {
    fn drop(&mut self) {
        if self.is_new.load(Ordering::Relaxed) {
            let _ = self.save();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(size: u64, range: u64) -> Record {
        Record::new("h/b/k".to_owned(), "\"e\"".to_owned(), size, Algorithm::Crc64Nvme, range)
    }

    #[test]
    fn the_ranges_are_the_object() {
        for (size, range, count) in [(0, 10, 0), (1, 10, 1), (10, 10, 1), (11, 10, 2), (30, 10, 3)] {
            let record = record(size, range);
            assert!(record.is_whole() && record.spans.len() == count, "{size} {range}");
        }
    }

    #[test]
    fn there_are_never_too_many_ranges() {
        for (size, range) in [(u64::MAX >> 1, 1), (u64::MAX, 1), (u64::MAX, 0), (5 << 40, 1), (10_001, 1), (10_000, 1), (20_001, 2)] {
            let record = record(size, range);
            assert!(record.is_whole() && record.spans.len() as u64 <= MAX_SPANS, "{size} {range}: {}", record.spans.len());
        }
        let mut many = record(10_000, 1);
        many.size += 1;
        many.spans.push(Span { start: 10_000, length: 1, done: 0, crc: many.spans[0].crc });
        assert!(!many.is_whole());
    }

    #[test]
    fn a_record_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        assert_eq!(Record::read(&path).unwrap(), None);
        let whole = record(30, 10);
        let change = |change: &dyn Fn(&mut Record)| {
            let mut record = whole.clone();
            change(&mut record);
            serde_json::to_string(&record).unwrap()
        };
        for (text, why) in [
            (String::new(), "EOF"),
            ("[1, 2]".to_owned(), "invalid"),
            (change(&|record| record.version = 2), "version 2"),
            (change(&|record| record.size = 31), "ranges"),
            (change(&|record| record.spans[1].start = 11), "ranges"),
            (change(&|record| record.spans[1].done = 11), "ranges"),
            (change(&|record| record.spans[2].length = u64::MAX), "ranges"),
            (change(&|record| record.algorithm = Algorithm::Md5), "ranges"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let error = Record::read(&path).unwrap_err().to_string();
            assert!(error.contains("is no record of a download") && error.contains(why) && error.contains("remove it"), "{error}");
        }
        std::fs::write(&path, change(&|_| {})).unwrap();
        assert_eq!(Record::read(&path).unwrap(), Some(whole));
    }
}
