//! What is there: buckets, objects and uploads by name, in memory. Bytes are elsewhere.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    backend::{Blob, ObjectRecord, PartRecord},
    buckets::BucketInfo,
    meta::{ObjectInfo, PartInfo, UploadInfo},
    reader::Object,
};
use crate::StoreError;

/// Objects by key. Bytes, not text, so that a listing can seek behind any prefix; the order of UTF-8 text is that of its bytes.
pub(crate) type Objects = BTreeMap<Box<[u8]>, Entry>;

/// All that is there.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) buckets: BTreeMap<String, Bucket>,
    pub(crate) uploads: HashMap<String, Upload>,
}

/// One bucket.
#[derive(Default)]
pub(crate) struct Bucket {
    pub(crate) info: Arc<BucketInfo>,
    pub(crate) objects: Objects,
}

/// One object.
pub(crate) struct Entry {
    pub(crate) info: Arc<ObjectInfo>,
    pub(crate) blobs: Arc<[Arc<dyn Blob>]>,
}

impl Entry {
    pub(crate) fn object(&self) -> Object {
        Object { info: Arc::clone(&self.info), blobs: Arc::clone(&self.blobs) }
    }

    pub(crate) fn record(&self) -> ObjectRecord {
        ObjectRecord { info: Arc::clone(&self.info), blobs: self.blobs.iter().map(|blob| blob.record()).collect() }
    }

    pub(crate) fn keep(&self, kept: bool) {
        self.blobs.iter().for_each(|blob| blob.keep(kept));
    }

    pub(crate) fn pin(&self) {
        self.blobs.iter().for_each(|blob| blob.pin());
    }
}

/// One multipart upload.
pub(crate) struct Upload {
    pub(crate) info: Arc<UploadInfo>,
    pub(crate) parts: BTreeMap<u16, Part>,
    /// A completion or an abort of it failed so late that the next start may find it ended: a part that it took now could be lost.
    pub(crate) may_have_ended: bool,
}

impl Upload {
    pub(crate) fn new(info: Arc<UploadInfo>) -> Self {
        Self { info, parts: BTreeMap::new(), may_have_ended: false }
    }
}

/// One part.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) info: Arc<PartInfo>,
    pub(crate) blob: Arc<dyn Blob>,
}

impl Part {
    pub(crate) fn record(&self) -> PartRecord {
        PartRecord { info: Arc::clone(&self.info), blob: self.blob.record() }
    }
}

impl Index {
    pub(crate) fn bucket(&self, bucket: &str) -> Result<&Bucket, StoreError> {
        self.buckets.get(bucket).ok_or_else(|| StoreError::NoSuchBucket { bucket: bucket.into() })
    }

    pub(crate) fn objects(&self, bucket: &str) -> Result<&Objects, StoreError> {
        Ok(&self.bucket(bucket)?.objects)
    }

    pub(crate) fn entry(&self, bucket: &str, key: &str) -> Result<Option<&Entry>, StoreError> {
        Ok(self.objects(bucket)?.get(key.as_bytes()))
    }

    /// The upload of that id, if it is of this object.
    pub(crate) fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<&Upload, StoreError> {
        self.objects(bucket)?;
        let upload = self.uploads.get(id).filter(|upload| upload.info.bucket == bucket && upload.info.key == key);
        upload.ok_or_else(|| StoreError::NoSuchUpload { upload_id: id.chars().take(100).collect() })
    }

    pub(crate) fn insert(&mut self, bucket: &str, entry: Entry) -> Result<Option<Entry>, StoreError> {
        let bucket = self.buckets.get_mut(bucket).ok_or_else(|| StoreError::NoSuchBucket { bucket: bucket.into() })?;
        Ok(bucket.objects.insert(entry.info.key.as_bytes().into(), entry))
    }

    /// Inserts an object whose record may be there or not, with what that means for the upload that it was made of.
    pub(crate) fn insert_unsure(&mut self, bucket: &str, entry: Entry) -> Result<Option<Entry>, StoreError> {
        if let Some(upload) = entry.info.upload.as_ref().and_then(|upload| self.uploads.get_mut(&upload.id)) {
            upload.may_have_ended = true;
        }
        self.insert(bucket, entry)
    }
}
