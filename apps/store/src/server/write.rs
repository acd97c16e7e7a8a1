//! The operations that write. Everything that can be refused without the body is refused before the body is asked for.

use std::ops::Range;

use http::StatusCode;
use valetkey_core::encode;

use super::{
    Call,
    body::{RequestBody, check_framing},
    conditions,
    headers::{put_digests, put_encryption},
    read::url_encoded,
    respond::{Answer, AnswerBody, answer, xml_answer},
};
use crate::{
    Cloud, StoreError,
    digest::{Algorithm, Promises},
    objects::{Attributes, ChecksumKind, Completion, MAX_PART_NUMBER, Object, ObjectStore, PutObject, Staged, UploadInfo, WriteCondition},
    range, xml,
};

/// PUT of an object.
pub(super) async fn put_object(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let put = PutObject {
        bucket: call.bucket().into(),
        key: call.key()?.into(),
        attributes: call.headers.attributes()?,
        condition: call.headers.write_condition()?,
        now: call.now,
    };
    store.check_condition(&put.bucket, &put.key, &put.condition)?;
    let promises = call.headers.promises(call.verified.payload())?;
    let staged = receive(store, call, body, promises).await?;
    let info = store.put(put, staged).await?;
    let mut answer = answer(StatusCode::OK, AnswerBody::empty());
    put_digests(answer.headers_mut(), call.cloud(), &info.etag, info.crc64_ecma, info.checksums.iter());
    put_encryption(answer.headers_mut(), call.cloud(), &info);
    Ok(answer)
}

async fn receive(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody, promises: Promises) -> Result<Staged, StoreError> {
    let length = check_framing(call.cloud(), call.headers.map, call.verified)?;
    let promises = length.into_iter().fold(promises, Promises::length);
    body.receive(store.receive(call.bucket(), promises).await?, length).await
}

/// PUT of an object that is a copy of another one.
pub(super) async fn copy_object(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let condition = call.headers.write_condition()?;
    let source = copy_source(store, call)?;
    store.check_condition(call.bucket(), call.key()?, &condition)?;
    let attributes = copied_attributes(call, &source)?;
    let algorithm = checksum_algorithm(call)?;
    let promises = algorithm.into_iter().fold(Promises::new(), Promises::compute);
    let whole = 0..source.info().size;
    let staged = store.stage_copy(call.bucket(), &source, whole, promises).await?;
    let put = PutObject { bucket: call.bucket().into(), key: call.key()?.into(), attributes, condition, now: call.now };
    let info = store.put(put, staged).await?;
    let mut answer = xml_answer(StatusCode::OK, xml::copy_object_result(call.cloud(), &info));
    put_encryption(answer.headers_mut(), call.cloud(), &info);
    Ok(answer)
}

/// What a copy has: the source's attributes or, if the request says so, its own. Access, class, encryption and redirect are never copied.
fn copied_attributes(call: &Call<'_>, source: &Object) -> Result<Attributes, StoreError> {
    let own = call.headers.attributes()?;
    let replaces = |name: &'static str| match call.headers.own(name)? {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("copy") => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("replace") => Ok(true),
        Some(word) => Err(StoreError::InvalidArgument { name, value: word.chars().take(100).collect(), reason: "must be COPY or REPLACE" }),
    };
    let kept = source.info().attributes.clone();
    let tagging = if replaces("tagging-directive")? { own.tagging.clone() } else { kept.tagging.clone() };
    Ok(if replaces("metadata-directive")? {
        Attributes { tagging, ..own }
    } else {
        Attributes { tagging, storage_class: own.storage_class, acl: own.acl, encryption: own.encryption, website_redirect: own.website_redirect, ..kept }
    })
}

/// The object that the request names as the source of a copy: `BUCKET/KEY`, percent-encoded, with or without a slash before it.
fn copy_source(store: &ObjectStore, call: &Call<'_>) -> Result<Object, StoreError> {
    let text = call.headers.own("copy-source")?.unwrap_or_default();
    let (path, version) = text.split_once("?versionId=").unwrap_or((text, "null"));
    if version != "null" {
        return Err(StoreError::NoSuchVersion { version_id: version.chars().take(100).collect() });
    }
    let malformed =
        || StoreError::InvalidArgument { name: "copy-source", value: text.chars().take(200).collect(), reason: "must be /BUCKET/KEY, percent-encoded" };
    let path = encode::decode(path).map_err(|_| malformed())?;
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').ok_or_else(malformed)?;
    let source = store.object(bucket, key)?;
    conditions::judge_source(&call.headers, source.info())?;
    Ok(source)
}

/// DELETE of an object.
pub(super) async fn delete_object(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let condition = match call.headers.get("if-match")? {
        Some(etag) if call.cloud() == Cloud::S3 => WriteCondition::IfMatch(etag.into()),
        _ => WriteCondition::None,
    };
    store.delete(call.bucket(), call.key()?, condition).await?;
    Ok(answer(StatusCode::NO_CONTENT, AnswerBody::empty()))
}

/// POST that begins a multipart upload.
pub(super) async fn create_upload(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let url_encoded = url_encoded(call)?;
    let mut upload = UploadInfo::new(call.bucket(), call.key()?, call.headers.attributes()?, call.now);
    upload.checksum = match checksum_algorithm(call)? {
        Some(algorithm) => Some((algorithm, checksum_kind(call, algorithm)?)),
        None => None,
    };
    let upload = store.create_upload(upload).await?;
    Ok(xml_answer(StatusCode::OK, xml::initiate_result(call.cloud(), &upload, url_encoded)))
}

fn checksum_algorithm(call: &Call<'_>) -> Result<Option<Algorithm>, StoreError> {
    match call.headers.get("x-amz-checksum-algorithm")? {
        Some(name) => Algorithm::from_name(name).map(Some).ok_or(StoreError::NotImplemented { what: "this checksum algorithm" }),
        None => Ok(None),
    }
}

fn checksum_kind(call: &Call<'_>, algorithm: Algorithm) -> Result<ChecksumKind, StoreError> {
    match call.headers.get("x-amz-checksum-type")? {
        Some(word) if word.eq_ignore_ascii_case("COMPOSITE") && algorithm != Algorithm::Crc64Nvme => Ok(ChecksumKind::Composite),
        Some(word) if word.eq_ignore_ascii_case("FULL_OBJECT") => Ok(ChecksumKind::FullObject),
        Some(_) => Err(StoreError::InvalidRequest { reason: "x-amz-checksum-type must be COMPOSITE or FULL_OBJECT, and CRC64NVME has only the second" }),
        None if algorithm == Algorithm::Crc64Nvme => Ok(ChecksumKind::FullObject),
        None => Ok(ChecksumKind::Composite),
    }
}

/// PUT of a part.
pub(super) async fn upload_part(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let number = part_number(call)?;
    let upload = store.upload(call.bucket(), call.key()?, call.upload_id())?;
    let promises = call.headers.promises(call.verified.payload())?;
    let promises = upload.checksum.into_iter().fold(promises, |promises, (algorithm, _)| promises.compute(algorithm));
    let staged = receive(store, call, body, promises).await?;
    let part = store.put_part(&upload, number, staged, call.now).await?;
    let mut answer = answer(StatusCode::OK, AnswerBody::empty());
    put_digests(answer.headers_mut(), call.cloud(), &part.etag(), part.crc64_ecma, part.checksums.iter());
    Ok(answer)
}

/// PUT of a part that is a copy of another object's bytes.
pub(super) async fn upload_part_copy(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let number = part_number(call)?;
    let upload = store.upload(call.bucket(), call.key()?, call.upload_id())?;
    let source = copy_source(store, call)?;
    let bytes: Range<u64> = match call.headers.own("copy-source-range")? {
        Some(header) => range::parse_copy_source(header, source.info().size)?,
        None => 0..source.info().size,
    };
    let promises = upload.checksum.into_iter().fold(Promises::new(), |promises, (algorithm, _)| promises.compute(algorithm));
    let staged = store.stage_copy(call.bucket(), &source, bytes, promises).await?;
    let part = store.put_part(&upload, number, staged, call.now).await?;
    Ok(xml_answer(StatusCode::OK, xml::copy_part_result(call.cloud(), &part)))
}

fn part_number(call: &Call<'_>) -> Result<u16, StoreError> {
    let text = call.verified.parameter("partNumber").unwrap_or_default();
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|number| (1..=MAX_PART_NUMBER).contains(number)).ok_or_else(|| StoreError::InvalidArgument {
        name: "partNumber",
        value: text.chars().take(100).collect(),
        reason: "must be a number from 1 to 10000",
    })
}

/// POST that completes a multipart upload.
pub(super) async fn complete_upload(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let url_encoded = url_encoded(call)?;
    let upload = store.upload(call.bucket(), call.key()?, call.upload_id())?;
    let condition = call.headers.write_condition()?;
    store.check_condition(call.bucket(), call.key()?, &condition)?;
    let length = check_framing(call.cloud(), call.headers.map, call.verified)?;
    let promises = length.into_iter().fold(call.headers.body_promises(call.verified.payload())?, Promises::length);
    let list = body.collect(promises, length, xml::MAX_LIST_BODY).await?;
    let takes_all = match (call.cloud(), call.headers.own("complete-all")?) {
        (Cloud::Oss, Some(word)) if word.eq_ignore_ascii_case("yes") && list.is_empty() => true,
        (Cloud::Oss, Some(word)) => {
            let reason = "must be `yes`, and the request must have no body then";
            return Err(StoreError::InvalidArgument { name: "x-oss-complete-all", value: word.chars().take(100).collect(), reason });
        }
        _ => false,
    };
    let list = if takes_all { None } else { Some(xml::complete_list(&list)?) };
    let completion = Completion { list, condition, size: call.headers.object_size()?, checksums: call.headers.object_checksums()?, now: call.now };
    let info = store.complete(call.cloud(), &upload, completion).await?;
    let mut location = format!("http://{}/{}/", call.host, upload.bucket);
    encode::push_path(&mut location, &upload.key);
    let result = xml::CompleteResult { location: &location, bucket: &upload.bucket, info: &info, url_encoded };
    let mut answer = xml_answer(StatusCode::OK, xml::complete_result(call.cloud(), &result));
    if call.cloud() == Cloud::Oss {
        put_digests(answer.headers_mut(), call.cloud(), &info.etag, info.crc64_ecma, info.checksums.iter());
    }
    put_encryption(answer.headers_mut(), call.cloud(), &info);
    Ok(answer)
}

/// DELETE of a multipart upload.
pub(super) async fn abort_upload(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    store.abort(call.bucket(), call.key()?, call.upload_id()).await?;
    Ok(answer(StatusCode::NO_CONTENT, AnswerBody::empty()))
}
