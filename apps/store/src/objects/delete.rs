//! Objects go.

use super::{ObjectStore, WriteCondition, index::Entry};
use crate::StoreError;

impl ObjectStore {
    /// Deletes the object; one that is not there is no error, as on both clouds, unless a condition needs it.
    pub(crate) async fn delete(&self, bucket: &str, key: &str, condition: WriteCondition) -> Result<(), StoreError> {
        let done = self.delete_all(bucket, vec![(key.to_owned(), condition)]).await?;
        done.into_iter().next().unwrap_or(Ok(()))
    }

    /// Deletes objects, each on its own: what comes of each stands in the answer, in the same order.
    pub(crate) async fn delete_all(&self, bucket: &str, objects: Vec<(String, WriteCondition)>) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let bucket = bucket.to_owned();
        self.change(move |inner| {
            let _bucket = inner.bucket_locks.share(&bucket);
            let _objects = inner.object_locks.hold_all(&bucket, objects.iter().map(|(key, _)| key.as_str()));
            let judge = |(key, condition): &(String, WriteCondition)| match inner.read().entry(&bucket, key)? {
                None if *condition == WriteCondition::None => Ok(()),
                current => condition.judge(key, current.map(|entry| &*entry.info)),
            };
            let judged: Vec<Result<(), StoreError>> = objects.iter().map(judge).collect();
            inner.read().objects(&bucket)?;
            // Those that are not there too: a removal that failed late may not be durable, and who asks again is told that it is.
            let going: Vec<&str> = objects.iter().zip(&judged).filter(|(_, judged)| judged.is_ok()).map(|((key, _), _)| key.as_str()).collect();
            let removed = inner.backend.remove_objects(&bucket, &going);
            let count = removed.as_ref().err().map_or(going.len(), |(count, _)| *count);
            let gone: Vec<Entry> = {
                let mut index = inner.write();
                let bucket = index.buckets.get_mut(&bucket);
                bucket
                    .into_iter()
                    .flat_map(|bucket| going.iter().take(count).filter_map(|key| bucket.objects.remove(key.as_bytes())).collect::<Vec<_>>())
                    .collect()
            };
            // Their bytes may go only when it is sure that no record names them any more.
            let durable = removed.is_ok();
            gone.iter().for_each(|entry| if durable { entry.keep(false) } else { entry.pin() });
            let failed = removed.err().map(|(_, error)| StoreError::io("deleted objects")(error));
            Ok(judged.into_iter().map(|judged| judged.and_then(|()| failed.clone().map_or(Ok(()), Err))).collect())
        })
        .await
    }
}
