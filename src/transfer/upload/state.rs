//! What is kept of an upload so that another run can go on with it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::plan::Cut;
use crate::transfer::error::TransferError;
use crate::transfer::files::{self, blocking};
use crate::transfer::source::Snapshot;

/// The record of ten thousand parts has about a megabyte, so it is not written for each of them.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);

/// One part that the store has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) etag: String,
    pub(super) size: u64,
    /// The CRC of the cloud's kind, of what was sent.
    pub(super) crc: u64,
}

/// The record, without anything that could be used by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    version: u32,
    /// Host, bucket and key, as in a URL.
    pub(super) location: String,
    pub(super) upload_id: String,
    pub(super) source: Snapshot,
    pub(super) part_size: u64,
    /// SHA-256 of what was said of the object when the upload began.
    pub(super) attributes: String,
    pub(super) parts: Vec<Part>,
}

impl Record {
    const VERSION: u32 = 1;

    pub(super) fn new(location: String, upload_id: String, source: Snapshot, cut: Cut, attributes: String) -> Self {
        Self { version: Self::VERSION, location, upload_id, source, part_size: cut.part_size(), attributes, parts: Vec::new() }
    }

    /// Reads what an earlier run left.
    pub(super) async fn read(path: &Path) -> Result<Option<Self>, TransferError> {
        let path = path.to_owned();
        blocking(move || {
            let text = match std::fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                read => read.map_err(TransferError::file("read", &path))?,
            };
            let unusable =
                |why: String| TransferError::State { path: path.clone(), reason: format!("is no record of an upload ({why}); remove it to begin anew") };
            let record: Self = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
            if record.version != Self::VERSION {
                return Err(unusable(format!("version {}", record.version)));
            }
            Ok(Some(record))
        })
        .await
    }
}

/// The record of the upload that is under way, on its way to the disk. What was not written is written at its end.
pub(super) struct State {
    pub(super) record: Record,
    /// `None` where nothing is kept.
    path: Option<PathBuf>,
    written: Option<Instant>,
    is_new: bool,
}

impl State {
    pub(super) fn new(record: Record, path: Option<PathBuf>) -> Self {
        Self { record, path, written: None, is_new: true }
    }

    /// Where it is kept.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Writes it now.
    pub(super) async fn save(&mut self) -> Result<(), TransferError> {
        let (Some(path), Ok(text)) = (self.path.clone(), serde_json::to_vec(&self.record)) else { return Ok(()) };
        blocking(move || files::replace(&path, &text).map_err(TransferError::file("write", &path))).await?;
        self.written = Some(Instant::now());
        self.is_new = false;
        Ok(())
    }

    /// Adds a part, and writes if it is time.
    pub(super) async fn add(&mut self, part: Part) -> Result<(), TransferError> {
        self.record.parts.push(part);
        self.is_new = true;
        if self.written.is_none_or(|written| written.elapsed() >= BETWEEN_WRITES) {
            self.save().await?;
        }
        Ok(())
    }

    /// The upload is over: there is nothing to go on with.
    pub(super) async fn forget(mut self) -> Result<(), TransferError> {
        match self.path.take() {
            Some(path) => blocking(move || files::remove(&path).map_err(TransferError::file("remove", &path))).await,
            None => Ok(()),
        }
    }
}

/// Also when the upload is dropped. It is short, and there is nobody left to wait for it.
impl Drop for State {
    fn drop(&mut self) {
        if let (true, Some(path), Ok(text)) = (self.is_new, &self.path, serde_json::to_vec(&self.record)) {
            let _ = files::replace(path, &text);
        }
    }
}
