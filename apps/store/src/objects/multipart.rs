//! Multipart uploads: an object in parts, visible when it is completed.

use std::sync::Arc;

use super::{
    Inner, ObjectStore, Staged, WriteCondition,
    backend::random_id,
    check_key,
    index::{Entry, Part, Upload},
    meta::{Attributes, ChecksumKind, CompletedUpload, ObjectInfo, PartInfo, UploadInfo, same_etag},
};
use crate::{
    Cloud, StoreError,
    digest::{self, Algorithm},
};

/// The highest part number on both clouds.
pub(crate) const MAX_PART_NUMBER: u16 = 10_000;

/// One line of the list that completes an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CompletePart {
    /// The part's number.
    pub(crate) number: u16,
    /// Its ETag, with or without quotes.
    pub(crate) etag: String,
    /// Its checksums, if the list tells them.
    pub(crate) checksums: Vec<(Algorithm, String)>,
}

/// How an upload shall be completed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Completion {
    /// The parts of the object; `None` takes all of them, which only OSS offers.
    pub(crate) list: Option<Vec<CompletePart>>,
    /// When the object may become visible.
    pub(crate) condition: WriteCondition,
    /// The size that the object must have.
    pub(crate) size: Option<u64>,
    /// The checksums that the object must have.
    pub(crate) checksums: Vec<(Algorithm, String)>,
    /// The time of the request.
    pub(crate) now: u64,
}

impl Completion {
    /// Refuses an object that is not what was promised.
    fn check(&self, info: &ObjectInfo) -> Result<(), StoreError> {
        if let Some(promised) = self.size.filter(|size| *size != info.size) {
            return Err(StoreError::IncompleteBody { promised, received: info.size });
        }
        for (algorithm, promised) in &self.checksums {
            match info.checksums.get(algorithm) {
                // minio-go leaves out the number of parts that stands behind a composite.
                Some(computed) if computed == promised || computed.split_once('-').is_some_and(|(composite, _)| composite == promised) => {}
                Some(computed) => return Err(StoreError::BadDigest { digest: algorithm.name(), promised: promised.clone(), computed: computed.clone() }),
                None => return Err(StoreError::InvalidRequest { reason: "a checksum is promised that the upload was not begun with" }),
            }
        }
        Ok(())
    }
}

/// One page of an upload's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartListing {
    /// The upload.
    pub(crate) upload: Arc<UploadInfo>,
    /// The parts, by number.
    pub(crate) parts: Vec<Arc<PartInfo>>,
    /// The marker for the next page; `None` on the last page.
    pub(crate) next: Option<u16>,
}

impl ObjectStore {
    /// Begins a multipart upload and gives it its id; `upload.id` is not looked at.
    pub(crate) async fn create_upload(&self, mut upload: UploadInfo) -> Result<Arc<UploadInfo>, StoreError> {
        check_key(&upload.key)?;
        self.check_bucket(&upload.bucket)?;
        if let Some((algorithm @ (Algorithm::Sha1 | Algorithm::Sha256), ChecksumKind::FullObject)) = upload.checksum {
            let reason = "the checksum of a whole object cannot be combined from parts for this algorithm";
            return Err(StoreError::InvalidArgument { name: "checksum-type", value: algorithm.name().into(), reason });
        }
        // The time comes first, so that ids of one key stand in the order in which their uploads began.
        upload.id = format!("{:010x}{}", upload.initiated, random_id().map_err(StoreError::io("began an upload"))?);
        let info = Arc::new(upload);
        self.change(move |inner| {
            let _bucket = inner.bucket_locks.share(&info.bucket);
            let _held = inner.upload_locks.hold("", &info.id);
            inner.read().objects(&info.bucket)?;
            let saved = inner.backend.save_upload(&info);
            // One that may be there goes with its bucket, and can be aborted before the next start.
            if saved.as_ref().err().is_none_or(|error| error.may_be_there) {
                inner.write().uploads.insert(info.id.clone(), Upload::new(Arc::clone(&info)));
            }
            saved.map(|()| info).map_err(|error| StoreError::io("began an upload")(error.source))
        })
        .await
    }

    /// The upload of that id, if it is of this object.
    pub(crate) fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Arc<UploadInfo>, StoreError> {
        Ok(Arc::clone(&self.inner.read().upload(bucket, key, id)?.info))
    }

    /// Makes a staged body the part of that number, in the place of any older one.
    pub(crate) async fn put_part(&self, upload: &UploadInfo, number: u16, staged: Staged, now: u64) -> Result<Arc<PartInfo>, StoreError> {
        check_part_number(number)?;
        let (bucket, key, id) = (upload.bucket.clone(), upload.key.clone(), upload.id.clone());
        let Staged { digests, blob } = staged;
        let info = PartInfo {
            number,
            size: digests.size,
            md5: digests.md5,
            last_modified: now,
            crc64_ecma: digests.crc64_ecma,
            checksums: digests.checksums.into_iter().collect(),
        };
        let info = Arc::new(info);
        let part = Part { info: Arc::clone(&info), blob };
        self.change(move |inner| {
            let _bucket = inner.bucket_locks.share(&bucket);
            let _held = inner.upload_locks.hold("", &id);
            if inner.read().upload(&bucket, &key, &id)?.may_have_ended {
                return Err(StoreError::NoSuchUpload { upload_id: id });
            }
            // Kept before it is written down, for the same reason as an object's.
            part.blob.keep(true);
            let saved = inner.backend.save_part(&id, &part.record());
            let unsure = saved.as_ref().is_err_and(|error| error.may_be_there);
            if saved.is_err() && !unsure {
                part.blob.keep(false);
            } else {
                if unsure {
                    part.blob.pin();
                }
                if let Some(replaced) = inner.write().uploads.get_mut(&id).and_then(|upload| upload.parts.insert(number, part)) {
                    if unsure { replaced.blob.pin() } else { replaced.blob.keep(false) }
                }
            }
            saved.map(|()| info).map_err(|error| StoreError::io("wrote a part")(error.source))
        })
        .await
    }

    /// One page of an upload's parts, those with a number above `marker`.
    pub(crate) fn parts(&self, bucket: &str, key: &str, id: &str, marker: u16, max_parts: u32) -> Result<PartListing, StoreError> {
        let index = self.inner.read();
        let upload = index.upload(bucket, key, id)?;
        let mut rest = upload.parts.range(marker.saturating_add(1)..).map(|(_, part)| &part.info);
        let parts: Vec<_> = rest.by_ref().take(max_parts.min(super::MAX_KEYS) as usize).cloned().collect();
        let next = rest.next().and(parts.last()).map(|last| last.number);
        Ok(PartListing { upload: Arc::clone(&upload.info), parts, next })
    }

    /// Whether the object of that key was completed from this upload, and completing it once more is no error.
    pub(crate) fn is_completed(&self, cloud: Cloud, bucket: &str, key: &str, id: &str) -> Result<bool, StoreError> {
        let index = self.inner.read();
        let info = index.entry(bucket, key)?.map(|entry| &entry.info);
        Ok(cloud == Cloud::S3 && info.and_then(|info| info.upload.as_ref()).is_some_and(|upload| upload.id == id))
    }

    /// Makes an object of an upload's parts.
    pub(crate) async fn complete(&self, cloud: Cloud, bucket: &str, key: &str, id: &str, completion: Completion) -> Result<Arc<ObjectInfo>, StoreError> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        self.change(move |inner| {
            let _bucket = inner.bucket_locks.share(&bucket);
            let _held = inner.upload_locks.hold("", &id);
            let (info, entry, unused) = {
                let index = inner.read();
                let upload = match index.upload(&bucket, &key, &id) {
                    Ok(upload) => upload,
                    // Not while the upload is there: its completion failed, and an object that may not be durable is no answer.
                    Err(error) => return completed_before(cloud, index.entry(&bucket, &key)?, &id, &completion).ok_or(error),
                };
                let parts = match &completion.list {
                    Some(list) => choose(list, upload)?,
                    None => upload.parts.values().cloned().collect(),
                };
                check_sizes(cloud, &parts)?;
                let unused: Vec<Part> = upload.parts.values().filter(|part| !parts.iter().any(|used| Arc::ptr_eq(&used.blob, &part.blob))).cloned().collect();
                (Arc::clone(&upload.info), assemble(&upload.info, &parts, completion.now)?, unused)
            };
            completion.check(&entry.info)?;
            let committed = inner.commit(&info.bucket, entry, &completion.condition)?;
            inner.write().uploads.remove(&id);
            unused.iter().for_each(|part| part.blob.keep(false));
            // The object is there: that its upload's records could not be removed now is no failure of the request. They name blobs that
            // the object has or that went with it, by which the next start knows them.
            let _ = inner.backend.remove_upload(&id);
            Ok(committed)
        })
        .await
    }

    /// Ends an upload and lets go of its parts.
    pub(crate) async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        self.change(move |inner| {
            let _bucket = inner.bucket_locks.share(&bucket);
            let _held = inner.upload_locks.hold("", &id);
            inner.read().upload(&bucket, &key, &id)?;
            inner.forget_upload(&id)
        })
        .await
    }
}

impl Inner {
    /// Removes an upload, whose bucket the caller holds.
    pub(super) fn forget_upload(&self, id: &str) -> Result<(), StoreError> {
        if let Err(error) = self.backend.remove_upload(id) {
            if let Some(upload) = self.write().uploads.get_mut(id) {
                upload.may_have_ended = true;
            }
            return Err(StoreError::io("aborted an upload")(error));
        }
        if let Some(upload) = self.write().uploads.remove(id) {
            upload.parts.values().for_each(|part| part.blob.keep(false));
        }
        Ok(())
    }
}

/// S3 answers a list that was completed already as it did then, so that a client whose connection broke can ask again. OSS does not.
fn completed_before(cloud: Cloud, entry: Option<&Entry>, id: &str, completion: &Completion) -> Option<Arc<ObjectInfo>> {
    let info = &entry.filter(|_| cloud == Cloud::S3)?.info;
    let upload = info.upload.as_ref().filter(|upload| upload.id == id)?;
    let list = completion.list.as_ref()?;
    let same = |(line, part): (&CompletePart, &Arc<PartInfo>)| line.number == part.number && same_etag(&line.etag, &part.etag());
    (list.len() == upload.parts.len() && list.iter().zip(&upload.parts).all(same)).then(|| Arc::clone(info))
}

impl UploadInfo {
    /// An upload that has no id yet.
    pub(crate) fn new(bucket: &str, key: &str, attributes: Attributes, now: u64) -> Self {
        Self { id: String::new(), bucket: bucket.into(), key: key.into(), initiated: now, checksum: None, attributes }
    }
}

/// Refuses a part number that no cloud has.
pub(crate) fn check_part_number(number: u16) -> Result<(), StoreError> {
    if (1..=MAX_PART_NUMBER).contains(&number) {
        return Ok(());
    }
    Err(StoreError::InvalidArgument { name: "partNumber", value: number.to_string(), reason: "must be a number from 1 to 10000" })
}

/// The parts of the list, each of which must be there with the ETag and the checksums that the list tells.
fn choose(list: &[CompletePart], upload: &Upload) -> Result<Vec<Part>, StoreError> {
    let id = &upload.info.id;
    if !list.is_sorted_by(|a, b| a.number < b.number) {
        return Err(StoreError::InvalidPartOrder { upload_id: id.clone() });
    }
    let choose_one = |line: &CompletePart| {
        let same = |part: &&Part| {
            same_etag(&line.etag, &part.info.etag())
                && line.checksums.iter().all(|(algorithm, value)| part.info.checksums.get(algorithm).is_none_or(|kept| kept == value))
        };
        let part = upload.parts.get(&line.number).filter(same).cloned();
        part.ok_or_else(|| StoreError::InvalidPart { number: line.number, upload_id: id.clone() })
    };
    list.iter().map(choose_one).collect()
}

fn check_sizes(cloud: Cloud, parts: &[Part]) -> Result<(), StoreError> {
    let min = cloud.min_part_size();
    let Some((_, all_but_last)) = parts.split_last() else {
        return Err(StoreError::MalformedXml { reason: "an upload is completed with at least one part" });
    };
    match all_but_last.iter().find(|part| part.info.size < min) {
        Some(part) => Err(StoreError::EntityTooSmall { number: part.info.number, size: part.info.size, min }),
        None => Ok(()),
    }
}

fn assemble(upload: &UploadInfo, parts: &[Part], now: u64) -> Result<Entry, StoreError> {
    let (mut size, mut crc64_ecma) = (0_u64, 0);
    for Part { info, .. } in parts {
        crc64_ecma = if size == 0 { info.crc64_ecma } else { digest::combine_crc64_ecma(crc64_ecma, info.crc64_ecma, info.size) };
        size = size.saturating_add(info.size);
    }
    let md5s: Vec<[u8; 16]> = parts.iter().map(|part| part.info.md5).collect();
    let info = ObjectInfo {
        key: upload.key.clone(),
        size,
        etag: digest::multipart_etag(&md5s),
        last_modified: now,
        crc64_ecma,
        checksums: upload.checksum.and_then(|(algorithm, kind)| Some((algorithm, combine(algorithm, kind, parts)?))).into_iter().collect(),
        parts: u16::try_from(parts.len()).ok(),
        upload: Some(Arc::new(CompletedUpload { id: upload.id.clone(), parts: parts.iter().map(|part| Arc::clone(&part.info)).collect() })),
        attributes: upload.attributes.clone(),
    };
    Ok(Entry { info: Arc::new(info), blobs: parts.iter().map(|part| Arc::clone(&part.blob)).collect() })
}

/// The object's checksum, if every part has one of that algorithm.
fn combine(algorithm: Algorithm, kind: ChecksumKind, parts: &[Part]) -> Option<String> {
    let of_parts: Vec<&str> = parts.iter().map(|part| part.info.checksums.get(&algorithm).map(String::as_str)).collect::<Option<_>>()?;
    match kind {
        ChecksumKind::Composite => digest::composite(algorithm, &of_parts),
        ChecksumKind::FullObject => {
            let (first, rest) = of_parts.split_first()?;
            rest.iter().zip(parts.iter().skip(1)).try_fold((*first).to_owned(), |whole, (part, of)| algorithm.combine(&whole, part, of.info.size))
        }
    }
}
