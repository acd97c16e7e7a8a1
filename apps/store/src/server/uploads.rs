//! The operations on multipart uploads.

use http::StatusCode;
use valetkey_core::encode;

use super::{
    Call,
    body::RequestBody,
    headers::{put_digests, put_encryption},
    listing::url_encoded,
    receive,
    respond::{Answer, AnswerBody, answer, xml_answer},
};
use crate::{
    Cloud, StoreError,
    digest::Algorithm,
    objects::{ChecksumKind, Completion, MAX_PART_NUMBER, ObjectStore, UploadInfo},
    xml,
};

/// POST that begins a multipart upload.
pub(super) async fn create(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let url_encoded = url_encoded(call)?;
    let mut upload = UploadInfo::new(call.bucket(), call.key()?, call.headers.attributes()?, call.now);
    upload.checksum = match checksum_algorithm(call)? {
        Some(algorithm) => Some((algorithm, checksum_kind(call, algorithm)?)),
        None => None,
    };
    let upload = store.create_upload(upload).await?;
    Ok(xml_answer(StatusCode::OK, xml::initiate_result(call.cloud(), &upload, url_encoded)))
}

pub(super) fn checksum_algorithm(call: &Call<'_>) -> Result<Option<Algorithm>, StoreError> {
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
pub(super) async fn part(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let number = part_number(call)?;
    let upload = store.upload(call.bucket(), call.key()?, call.upload_id())?;
    let promises = call.headers.promises(call.verified.payload())?;
    let promises = upload.checksum.into_iter().fold(promises, |promises, (algorithm, _)| promises.compute(algorithm));
    let staged = receive::object(store, call, body, promises).await?;
    let part = store.put_part(&upload, number, staged, call.now).await?;
    let mut answer = answer(StatusCode::OK, AnswerBody::empty());
    put_digests(answer.headers_mut(), call.cloud(), &part.etag(), part.crc64_ecma, part.checksums.iter());
    Ok(answer)
}

pub(super) fn part_number(call: &Call<'_>) -> Result<u16, StoreError> {
    let text = call.verified.parameter("partNumber").unwrap_or_default();
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|number| (1..=MAX_PART_NUMBER).contains(number)).ok_or_else(|| StoreError::InvalidArgument {
        name: "partNumber",
        value: text.chars().take(100).collect(),
        reason: "must be a number from 1 to 10000",
    })
}

/// POST that completes a multipart upload.
pub(super) async fn complete(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let url_encoded = url_encoded(call)?;
    let condition = call.headers.write_condition()?;
    let done_before = store.is_completed(call.cloud(), call.bucket(), call.key()?, call.upload_id())?;
    if !done_before {
        store.upload(call.bucket(), call.key()?, call.upload_id())?;
        store.check_condition(call.bucket(), call.key()?, &condition)?;
    }
    let list = receive::document(call, body, call.headers.body_promises(call.verified.payload())?, xml::MAX_LIST_BODY).await?;
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
    let info = store.complete(call.cloud(), call.bucket(), call.key()?, call.upload_id(), completion).await?;
    let mut location = format!("http://{}/{}/", call.host, call.bucket());
    encode::push_path(&mut location, call.key()?);
    let result = xml::CompleteResult { location: &location, bucket: call.bucket(), info: &info, url_encoded };
    let mut answer = xml_answer(StatusCode::OK, xml::complete_result(call.cloud(), &result));
    if call.cloud() == Cloud::Oss {
        put_digests(answer.headers_mut(), call.cloud(), &info.etag, info.crc64_ecma, info.checksums.iter());
    }
    put_encryption(answer.headers_mut(), call.cloud(), &info);
    Ok(answer)
}

/// DELETE of a multipart upload.
pub(super) async fn abort(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    store.abort(call.bucket(), call.key()?, call.upload_id()).await?;
    Ok(answer(StatusCode::NO_CONTENT, AnswerBody::empty()))
}
