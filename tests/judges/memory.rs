//! What is stored behind the server: a map, with as much of S3 as the conformance suite looks at. Whether a request may reach it is not judged here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ::s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CopyPartResult, CopySource, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, ETag,
    ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput,
    ListPartsOutput, Part, PutObjectInput, PutObjectOutput, Range, StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use ::s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use futures_util::TryStreamExt as _;

/// What arrived, as the server understood it.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    /// All but the body.
    pub(crate) input: PutObjectInput,
}

impl Object {
    fn etag(&self) -> ETag {
        ETag::Strong(format!("{}-bytes", self.bytes.len()))
    }
}

pub(crate) type Objects = Arc<Mutex<BTreeMap<String, Arc<Object>>>>;

#[derive(Debug, Default)]
struct Upload {
    input: PutObjectInput,
    parts: BTreeMap<i32, Vec<u8>>,
}

pub(crate) struct Memory {
    bucket: String,
    objects: Objects,
    uploads: Mutex<BTreeMap<String, Upload>>,
    begun: AtomicU64,
    strict: bool,
}

impl Memory {
    pub(crate) fn new(bucket: &str, objects: Objects) -> Self {
        Self { bucket: bucket.to_owned(), objects, uploads: Mutex::default(), begun: AtomicU64::new(1), strict: false }
    }

    /// Takes no key that this library would not sign.
    pub(crate) fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    fn knows(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.bucket { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    fn find(&self, key: &str) -> Option<Arc<Object>> {
        self.objects.lock().unwrap().get(key).cloned()
    }

    fn store(&self, key: String, bytes: Vec<u8>, input: PutObjectInput) -> ETag {
        let object = Object { bytes, input };
        let etag = object.etag();
        self.objects.lock().unwrap().insert(key, Arc::new(object));
        etag
    }

    fn source(&self, source: &CopySource) -> S3Result<Arc<Object>> {
        let CopySource::Bucket { bucket, key, .. } = source else { return Err(s3_error!(NotImplemented)) };
        self.knows(bucket)?;
        self.find(key).ok_or_else(|| s3_error!(NoSuchKey))
    }

    fn with_upload<T>(&self, id: &str, key: &str, act: impl FnOnce(&mut Upload) -> T) -> S3Result<T> {
        let mut uploads = self.uploads.lock().unwrap();
        let upload = uploads.get_mut(id).filter(|upload| upload.input.key == key);
        upload.map(act).ok_or_else(|| s3_error!(NoSuchUpload))
    }

    fn may_write(&self, key: &str, none: Option<&ETagCondition>, only: Option<&ETagCondition>) -> S3Result<()> {
        let found = self.find(key);
        let refused = found.is_some() && none.is_some_and(ETagCondition::is_any) || !holds(only, found.as_deref());
        if refused { Err(s3_error!(PreconditionFailed)) } else { Ok(()) }
    }
}

fn holds(only: Option<&ETagCondition>, found: Option<&Object>) -> bool {
    only.is_none_or(|only| found.is_some_and(|object| only.as_etag().is_none_or(|etag| object.etag().strong_cmp(etag))))
}

fn found<'o>(object: Option<&'o Arc<Object>>, only: Option<&ETagCondition>, customer_key: Option<&String>) -> S3Result<&'o Object> {
    let object = object.ok_or_else(|| s3_error!(NoSuchKey))?;
    if object.input.sse_customer_key_md5.as_ref() != customer_key {
        return Err(s3_error!(InvalidRequest, "another customer's key"));
    }
    if holds(only, Some(object)) { Ok(object) } else { Err(s3_error!(PreconditionFailed)) }
}

async fn read(body: Option<StreamingBlob>) -> S3Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut body) = body {
        while let Some(chunk) = body.try_next().await.map_err(|error| s3_error!(IncompleteBody, "{error}"))? {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(bytes)
}

/// `bytes=FIRST-LAST`
fn part_of(bytes: &[u8], range: Option<&str>) -> S3Result<Vec<u8>> {
    let Some(range) = range else { return Ok(bytes.to_vec()) };
    let range = Range::parse(range).map_err(|_| s3_error!(InvalidArgument))?.check(bytes.len() as u64).map_err(|_| s3_error!(InvalidRange))?;
    Ok(bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec())
}

#[async_trait::async_trait]
impl S3 for Memory {
    /// Forms come here as well: `post_object` of the trait hands them on.
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        self.knows(&input.bucket)?;
        if self.strict && valetkey::ObjectKey::new(input.key.as_str()).is_err() {
            return Err(s3_error!(InvalidArgument, "no key of this library, so that nobody could remove it again"));
        }
        let bytes = read(input.body.take()).await?;
        self.may_write(&input.key, input.if_none_match.as_ref(), input.if_match.as_ref())?;
        let e_tag = Some(self.store(input.key.clone(), bytes, input));
        Ok(S3Response::new(PutObjectOutput { e_tag, ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let object = self.find(&input.key);
        let object = found(object.as_ref(), input.if_match.as_ref(), input.sse_customer_key_md5.as_ref())?;
        let size = object.bytes.len();
        let range = input.range.map(|range| range.check(size as u64).map_err(|_| s3_error!(InvalidRange))).transpose()?;
        let content_range = range.as_ref().map(|range| format!("bytes {}-{}/{size}", range.start, range.end - 1));
        let range = range.map_or(0..size, |range| usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
        let bytes = object.bytes[range].to_vec();
        let stored = &object.input;
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(i64::try_from(bytes.len()).unwrap()),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            content_range,
            e_tag: Some(object.etag()),
            cache_control: stored.cache_control.clone(),
            content_disposition: stored.content_disposition.clone(),
            content_encoding: stored.content_encoding.clone(),
            content_language: stored.content_language.clone(),
            content_type: stored.content_type.clone(),
            expires: stored.expires.clone(),
            metadata: stored.metadata.clone(),
            storage_class: stored.storage_class.clone(),
            ..Default::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let object = self.find(&input.key);
        let object = found(object.as_ref(), input.if_match.as_ref(), input.sse_customer_key_md5.as_ref())?;
        let stored = &object.input;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(i64::try_from(object.bytes.len()).unwrap()),
            e_tag: Some(object.etag()),
            cache_control: input.response_cache_control.or_else(|| stored.cache_control.clone()),
            content_disposition: input.response_content_disposition.or_else(|| stored.content_disposition.clone()),
            content_encoding: input.response_content_encoding.or_else(|| stored.content_encoding.clone()),
            content_language: input.response_content_language.or_else(|| stored.content_language.clone()),
            content_type: input.response_content_type.or_else(|| stored.content_type.clone()),
            expires: input.response_expires.or_else(|| stored.expires.clone()),
            metadata: stored.metadata.clone(),
            storage_class: stored.storage_class.clone(),
            ..Default::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        self.may_write(&input.key, None, input.if_match.as_ref())?;
        self.objects.lock().unwrap().remove(&input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let source = self.source(&input.copy_source)?;
        self.objects.lock().unwrap().insert(input.key, source.clone());
        let copy_object_result = Some(CopyObjectResult { e_tag: Some(source.etag()), ..Default::default() });
        Ok(S3Response::new(CopyObjectOutput { copy_object_result, ..Default::default() }))
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let after = input.continuation_token.or(input.start_after).unwrap_or_default();
        let max = usize::try_from(input.max_keys.unwrap_or(1000)).map_err(|_| s3_error!(InvalidArgument))?;
        let objects = self.objects.lock().unwrap();
        let keys: Vec<&String> = objects.keys().filter(|key| key.starts_with(input.prefix.as_deref().unwrap_or_default()) && **key > after).collect();
        let page = &keys[..max.min(keys.len())];
        let object = |key: &&String| ::s3s::dto::Object { key: Some((*key).clone()), ..Default::default() };
        Ok(S3Response::new(ListObjectsV2Output {
            contents: Some(page.iter().map(object).collect()),
            is_truncated: Some(page.len() < keys.len()),
            next_continuation_token: page.last().filter(|_| page.len() < keys.len()).map(|key| (*key).clone()),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(&self, request: S3Request<CreateMultipartUploadInput>) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let id = format!("upload-{}", self.begun.fetch_add(1, Ordering::Relaxed));
        let kept = PutObjectInput {
            key: input.key,
            content_type: input.content_type,
            metadata: input.metadata,
            sse_customer_key_md5: input.sse_customer_key_md5,
            ..Default::default()
        };
        self.uploads.lock().unwrap().insert(id.clone(), Upload { input: kept, parts: BTreeMap::new() });
        Ok(S3Response::new(CreateMultipartUploadOutput { upload_id: Some(id), ..Default::default() }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = request.input;
        self.knows(&input.bucket)?;
        let bytes = read(input.body.take()).await?;
        let e_tag = Some(ETag::Strong(format!("{}-bytes", bytes.len())));
        self.with_upload(&input.upload_id, &input.key, |upload| upload.parts.insert(input.part_number, bytes))?;
        Ok(S3Response::new(UploadPartOutput { e_tag, ..Default::default() }))
    }

    async fn upload_part_copy(&self, request: S3Request<UploadPartCopyInput>) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let bytes = part_of(&self.source(&input.copy_source)?.bytes, input.copy_source_range.as_deref())?;
        let e_tag = Some(ETag::Strong(format!("{}-bytes", bytes.len())));
        self.with_upload(&input.upload_id, &input.key, |upload| upload.parts.insert(input.part_number, bytes))?;
        let copy_part_result = Some(CopyPartResult { e_tag, ..Default::default() });
        Ok(S3Response::new(UploadPartCopyOutput { copy_part_result, ..Default::default() }))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        let part = |number: &i32| Part { part_number: Some(*number), ..Default::default() };
        let parts = self.with_upload(&input.upload_id, &input.key, |upload| upload.parts.keys().map(part).collect())?;
        Ok(S3Response::new(ListPartsOutput { parts: Some(parts), ..Default::default() }))
    }

    async fn complete_multipart_upload(&self, request: S3Request<CompleteMultipartUploadInput>) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        self.may_write(&input.key, input.if_none_match.as_ref(), input.if_match.as_ref())?;
        let named: Vec<i32> = input.multipart_upload.and_then(|list| list.parts).unwrap_or_default().iter().filter_map(|part| part.part_number).collect();
        let is_whole = self.with_upload(&input.upload_id, &input.key, |upload| !named.is_empty() && upload.parts.keys().eq(named.iter()))?;
        if !is_whole {
            return Err(s3_error!(InvalidPart));
        }
        let upload = self.uploads.lock().unwrap().remove(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        let e_tag = Some(self.store(input.key, upload.parts.into_values().flatten().collect(), upload.input));
        Ok(S3Response::new(CompleteMultipartUploadOutput { e_tag, ..Default::default() }))
    }

    async fn abort_multipart_upload(&self, request: S3Request<AbortMultipartUploadInput>) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.knows(&input.bucket)?;
        self.with_upload(&input.upload_id, &input.key, |_| ())?;
        self.uploads.lock().unwrap().remove(&input.upload_id);
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
