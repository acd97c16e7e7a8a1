//! Buckets: made, described, configured, deleted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ObjectStore, bucket_name, index::Bucket};
use crate::{Cloud, StoreError, cors::CorsRules};

/// What the store knows about a bucket besides its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BucketInfo {
    /// When it was made, in seconds since 1970.
    pub(crate) created: u64,
    /// The region that its maker named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// The storage class of its objects, in the word of OSS. Kept and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<String>,
    /// Its cross-origin rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cors: Option<CorsRules>,
}

impl ObjectStore {
    /// Makes a bucket, by today's rules for names.
    pub(crate) async fn create_bucket(&self, name: &str, info: BucketInfo) -> Result<(), StoreError> {
        bucket_name::check(name)?;
        let name = name.to_owned();
        self.change(move |inner| {
            let _held = inner.bucket_locks.change(&name);
            if inner.read().buckets.contains_key(&name) {
                return Err(StoreError::BucketAlreadyExists { bucket: name });
            }
            inner.backend.save_bucket(&name, &info).map_err(|error| StoreError::io("made a bucket")(error.source))?;
            inner.write().buckets.insert(name, Bucket { info: Arc::new(info), objects: Default::default() });
            Ok(())
        })
        .await
    }

    /// Deletes a bucket that has no object. Uploads that nobody completed go with it on S3; OSS refuses as long as there are any.
    pub(crate) async fn delete_bucket(&self, cloud: Cloud, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(move |inner| {
            let _held = inner.bucket_locks.change(&name);
            let uploads: Vec<String> = {
                let index = inner.read();
                let has_objects = !index.objects(&name)?.is_empty();
                let uploads: Vec<String> = index.uploads.values().filter(|upload| upload.info.bucket == name).map(|upload| upload.info.id.clone()).collect();
                if has_objects || (cloud == Cloud::Oss && !uploads.is_empty()) {
                    return Err(StoreError::BucketNotEmpty { bucket: name });
                }
                uploads
            };
            for id in uploads {
                inner.forget_upload(&id)?;
            }
            inner.backend.remove_bucket(&name).map_err(StoreError::io("deleted a bucket"))?;
            inner.write().buckets.remove(&name);
            Ok(())
        })
        .await
    }

    /// Changes what is known of a bucket.
    pub(crate) async fn configure_bucket(&self, name: &str, change: impl FnOnce(&mut BucketInfo) + Send + 'static) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(move |inner| {
            let _held = inner.bucket_locks.change(&name);
            let mut info = BucketInfo::clone(&inner.read().bucket(&name)?.info);
            change(&mut info);
            let saved = inner.backend.save_bucket(&name, &info);
            let may_be_there = saved.as_ref().err().is_none_or(|error| error.may_be_there);
            if may_be_there && let Some(bucket) = inner.write().buckets.get_mut(&name) {
                bucket.info = Arc::new(info);
            }
            saved.map_err(|error| StoreError::io("configured a bucket")(error.source))
        })
        .await
    }

    /// What is known of a bucket.
    pub(crate) fn bucket(&self, name: &str) -> Result<Arc<BucketInfo>, StoreError> {
        Ok(Arc::clone(&self.inner.read().bucket(name)?.info))
    }

    /// The buckets whose names begin with `prefix` and come after `after`, in order, at most `max`; and whether there are more.
    pub(crate) fn buckets(&self, prefix: &str, after: &str, max: usize) -> (Vec<(String, Arc<BucketInfo>)>, bool) {
        let index = self.inner.read();
        let matching = index.buckets.iter().filter(|(name, _)| name.starts_with(prefix) && (after.is_empty() || name.as_str() > after));
        let mut found: Vec<_> = matching.take(max.saturating_add(1)).map(|(name, bucket)| (name.clone(), Arc::clone(&bucket.info))).collect();
        let more = found.len() > max;
        found.truncate(max);
        (found, more)
    }
}
