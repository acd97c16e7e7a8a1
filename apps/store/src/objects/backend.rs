//! What a kind of storage provides. The index of objects is the same for all and lives above; a backend keeps bytes and, if it is
//! durable, records.

use std::{io, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    buckets::BucketInfo,
    meta::{ObjectInfo, PartInfo, UploadInfo},
};

/// A kind of storage.
///
/// All but reading blocks, and is called on a thread that may. Each `save_*` and `remove_*` is one atomic step: after a crash at any
/// moment either the old or the new record is there.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Begins a body. What is written is invisible, and gone if it is dropped before it is kept.
    fn stage(&self) -> io::Result<Box<dyn Stage>>;

    /// Makes a bucket, or changes what is known of one.
    fn save_bucket(&self, bucket: &str, info: &BucketInfo) -> Result<(), SaveError>;
    /// Removes a bucket that has no object.
    fn remove_bucket(&self, bucket: &str) -> io::Result<()>;
    /// Makes the object's record the one of its key, in the place of any older one.
    fn save_object(&self, bucket: &str, record: &ObjectRecord) -> Result<(), SaveError>;
    /// Removes the records of these objects, each in one step; one that is not there is no error, and is durably not there afterwards. Says
    /// how many are gone when it fails.
    fn remove_objects(&self, bucket: &str, keys: &[&str]) -> Result<(), (usize, io::Error)>;
    /// Writes down a multipart upload.
    fn save_upload(&self, upload: &UploadInfo) -> Result<(), SaveError>;
    /// Writes down a part, in the place of any older one of that number.
    fn save_part(&self, upload_id: &str, record: &PartRecord) -> Result<(), SaveError>;
    /// Removes an upload and its parts' records; one that is not there is no error. After an error it may be there or not.
    fn remove_upload(&self, upload_id: &str) -> io::Result<()>;
}

/// Why a record was not written, or perhaps was.
#[derive(Debug)]
pub(crate) struct SaveError {
    pub(crate) source: io::Error,
    /// The record may be there all the same: the failure came after it was put in its place. What it names must stay.
    pub(crate) may_be_there: bool,
}

impl From<io::Error> for SaveError {
    fn from(source: io::Error) -> Self {
        Self { source, may_be_there: false }
    }
}

/// A body that is being written. Its functions block.
pub(crate) trait Stage: Send {
    /// Appends bytes.
    fn write(&mut self, chunk: &Bytes) -> io::Result<()>;
    /// Ends the body. When this returns, a durable backend has it on its disk.
    fn seal(self: Box<Self>, crc64: u64) -> io::Result<Arc<dyn Blob>>;
}

/// A sealed body. Its bytes stay for as long as anyone holds it, and beyond that if it is kept.
pub(crate) trait Blob: Send + Sync {
    /// What a record says of it.
    fn record(&self) -> BlobRecord;
    /// Says whether a record points at it: the last holder of one that is not kept takes its bytes away.
    fn keep(&self, kept: bool);
    /// Keeps it for as long as the program runs, whatever is said later: a record may point at it, and only the next start can tell.
    fn pin(&self);
    /// Reads a range, which lies inside.
    fn read(self: Arc<Self>, range: Range<u64>) -> Box<dyn BlobReader>;
}

/// Reads a range of a blob in chunks of bounded size.
#[async_trait]
pub(crate) trait BlobReader: Send {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>>;
}

/// How a record names a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlobRecord {
    pub(crate) id: String,
    pub(crate) len: u64,
    /// The CRC-64/XZ of its bytes.
    pub(crate) crc64: u64,
    /// The CRC-32C of each piece of 256 KiB: a flipped bit on the disk is noticed before a byte of its piece is read out, whatever range is asked for.
    #[serde(default, skip_serializing_if = "<[u32]>::is_empty")]
    pub(crate) pieces: Arc<[u32]>,
}

/// An object as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectRecord {
    pub(crate) info: Arc<ObjectInfo>,
    pub(crate) blobs: Vec<BlobRecord>,
}

/// A part as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartRecord {
    pub(crate) info: Arc<PartInfo>,
    pub(crate) blob: BlobRecord,
}

/// 128 random bits in hex: the name of a blob or an upload, which nobody chooses and nobody guesses.
pub(crate) fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(crate::digest::hex(&bytes))
}
