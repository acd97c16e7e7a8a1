//! Buckets, objects and multipart uploads, in memory or in a folder.
//!
//! A write has two phases. [`ObjectStore::receive`] takes the bytes and checks what was promised of them; nothing of it is visible. Then
//! [`ObjectStore::put`] (or [`ObjectStore::put_part`]) makes it visible in one step, in which a condition is judged too.

use std::{
    ops::Range,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::{OpenError, StoreError, digest::Promises};

mod backend;
mod body;
pub(crate) mod bucket_name;
mod buckets;
mod delete;
mod folder;
mod index;
mod list;
mod locks;
mod memory;
mod meta;
mod multipart;
mod reader;

use backend::Backend;
use folder::disk::{Disk, RealDisk};
use index::{Entry, Index};
use locks::{BucketLocks, Locks};

pub(crate) use body::{IncomingBody, MAX_BODY, Staged};
pub(crate) use buckets::BucketInfo;
pub(crate) use list::{ListQuery, Listing, MAX_KEYS, Place, UploadListing, UploadQuery};
pub(crate) use meta::{Attributes, ChecksumKind, ObjectInfo, PartInfo, UploadInfo, WriteCondition, same_etag};
pub(crate) use multipart::{CompletePart, Completion, MAX_PART_NUMBER, PartListing};
pub(crate) use reader::{Object, Reader};

/// The storage behind the store's two dialects. A clone is another handle to the same storage.
///
/// Nothing here knows a clock: who calls says what time it is, in seconds since 1970, as read once for the request.
#[derive(Clone)]
pub(crate) struct ObjectStore {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Box<dyn Backend>,
    index: RwLock<Index>,
    bucket_locks: BucketLocks,
    /// Held while an object changes, so that a condition still holds when the change becomes visible.
    object_locks: Locks,
    upload_locks: Locks,
    max_body: u64,
}

/// What [`ObjectStore::put`] makes of a staged body.
#[derive(Clone, Debug, Default)]
pub(crate) struct PutObject {
    /// The bucket to write to.
    pub(crate) bucket: String,
    /// The key to write.
    pub(crate) key: String,
    /// What the writer says about the object.
    pub(crate) attributes: Attributes,
    /// When the write may happen.
    pub(crate) condition: WriteCondition,
    /// The time of the request.
    pub(crate) now: u64,
}

/// An object that everybody may read; nothing else makes one.
pub(crate) struct PublicObject(Object);

impl PublicObject {
    /// The object itself.
    pub(crate) fn object(&self) -> &Object {
        &self.0
    }
}

impl ObjectStore {
    /// A store in memory.
    pub(crate) fn memory() -> Self {
        Self::new(Box::new(memory::Memory), Index::default())
    }

    /// The store in a folder, which is made if it is not there. Blocks while it reads what is known of each object.
    pub(crate) fn folder(root: &Path) -> Result<Self, OpenError> {
        Self::folder_on(root, Arc::new(RealDisk))
    }

    fn folder_on(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, OpenError> {
        let (backend, index) = folder::open(root, disk)?;
        Ok(Self::new(Box::new(backend), index))
    }

    fn new(backend: Box<dyn Backend>, index: Index) -> Self {
        let inner = Inner {
            backend,
            index: RwLock::new(index),
            bucket_locks: BucketLocks::new(),
            object_locks: Locks::new(),
            upload_locks: Locks::new(),
            max_body: MAX_BODY,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Refuses a bucket that is not there.
    pub(crate) fn check_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        self.inner.read().objects(bucket).map(|_| ())
    }

    /// Begins to receive a body for `bucket`.
    pub(crate) async fn receive(&self, bucket: &str, promises: Promises) -> Result<IncomingBody, StoreError> {
        self.check_bucket(bucket)?;
        IncomingBody::check_promises(&promises, self.inner.max_body)?;
        let stage = self.change(|inner| inner.backend.stage().map_err(StoreError::io("received a body"))).await?;
        Ok(IncomingBody::new(stage, promises, self.inner.max_body))
    }

    /// Stages a copy of `range` of an object. A body is at most [`MAX_BODY`] here too.
    pub(crate) async fn stage_copy(&self, bucket: &str, source: &Object, range: Range<u64>, promises: Promises) -> Result<Staged, StoreError> {
        let length = range.end.saturating_sub(range.start);
        let mut body = self.receive(bucket, promises.length(length)).await?;
        let mut reader = source.read(range);
        while let Some(chunk) = reader.next().await? {
            body.write(chunk).await?;
        }
        body.finish().await
    }

    /// Makes a staged body the object of its key.
    pub(crate) async fn put(&self, put: PutObject, staged: Staged) -> Result<Arc<ObjectInfo>, StoreError> {
        check_key(&put.key)?;
        let PutObject { bucket, key, attributes, condition, now } = put;
        let Staged { digests, blob } = staged;
        let info = ObjectInfo {
            key,
            size: digests.size,
            etag: crate::digest::hex(&digests.md5),
            last_modified: now,
            crc64_ecma: digests.crc64_ecma,
            checksums: digests.checksums.into_iter().collect(),
            parts: None,
            upload: None,
            attributes,
        };
        let entry = Entry { info: Arc::new(info), blobs: Arc::new([blob]) };
        self.change(move |inner| {
            let _held = inner.bucket_locks.share(&bucket);
            inner.commit(&bucket, entry, &condition)
        })
        .await
    }

    /// The object of that key, as it is now.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        let index = self.inner.read();
        index.entry(bucket, key)?.map(Entry::object).ok_or_else(|| StoreError::NoSuchKey { key: key.into() })
    }

    /// The object of that key, if its writer lets everybody read it.
    pub(crate) fn public_object(&self, bucket: &str, key: &str) -> Option<PublicObject> {
        self.object(bucket, key).ok().filter(|object| object.info().attributes.is_public()).map(PublicObject)
    }

    /// Judges a condition ahead of a write, so that a body that cannot be used need not be sent. It is judged again when the write happens.
    pub(crate) fn check_condition(&self, bucket: &str, key: &str, condition: &WriteCondition) -> Result<(), StoreError> {
        condition.judge(key, self.inner.read().entry(bucket, key)?.map(|entry| &*entry.info))
    }

    /// One page of a bucket's objects.
    pub(crate) fn list(&self, bucket: &str, query: &ListQuery) -> Result<Listing, StoreError> {
        Ok(list::list(self.inner.read().objects(bucket)?, query))
    }

    /// Runs a change to its end on a thread that may block. A client that goes away drops the future of its request, and a change that
    /// stopped between the disk and the index would leave them apart.
    async fn change<T: Send + 'static>(&self, change: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || change(&inner)).await;
        done.unwrap_or_else(|error| Err(StoreError::internal("made a change", error)))
    }
}

impl Inner {
    /// A thread that panicked while it held the lock left the index whole: every change to it is one insert or remove.
    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges the condition and makes `entry` the object of its key, in one step. The caller holds the bucket.
    fn commit(&self, bucket: &str, entry: Entry, condition: &WriteCondition) -> Result<Arc<ObjectInfo>, StoreError> {
        let _held = self.object_locks.hold(bucket, &entry.info.key);
        condition.judge(&entry.info.key, self.read().entry(bucket, &entry.info.key)?.map(|entry| &*entry.info))?;
        // Kept before it is written down: a record never names what is about to go. Those of an upload are kept already, by the records of its parts.
        let is_new = entry.info.upload.is_none();
        entry.keep(true);
        if let Err(error) = self.backend.save_object(bucket, &entry.record()) {
            if error.may_be_there {
                // The next start may find the new record or the old one: the index follows, and neither's bytes may go.
                entry.pin();
                if let Some(replaced) = self.write().insert_unsure(bucket, entry)? {
                    replaced.pin();
                }
            } else if is_new {
                entry.keep(false);
            }
            return Err(StoreError::io("wrote an object")(error.source));
        }
        let info = Arc::clone(&entry.info);
        if let Some(replaced) = self.write().insert(bucket, entry)? {
            replaced.keep(false);
        }
        Ok(info)
    }
}

fn check_key(key: &str) -> Result<(), StoreError> {
    let max = crate::Cloud::S3.max_key_len();
    match key.len() {
        0 => Err(StoreError::EmptyKey),
        size if size > max => Err(StoreError::KeyTooLong { size, max }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
