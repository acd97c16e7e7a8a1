//! The operations that copy.

use std::ops::Range;

use http::{HeaderMap, StatusCode};
use valetkey_core::encode;

use super::{
    Call, conditions,
    headers::{put, put_encryption},
    respond::{Answer, xml_answer},
    uploads::{checksum_algorithm, part_number},
};
use crate::{
    Cloud, StoreError,
    digest::Promises,
    objects::{Attributes, MAX_BODY, Object, ObjectStore, PutObject},
    range, xml,
};

/// PUT of an object that is a copy of another one.
pub(super) async fn object(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let condition = call.headers.write_condition()?;
    let (source, bucket) = copy_source(store, call)?;
    store.check_condition(call.bucket(), call.key()?, &condition)?;
    let attributes = copied_attributes(call, &source)?;
    if call.cloud() == Cloud::S3 && bucket == call.bucket() && source.info().key == call.key()? && !changes(call)? {
        let reason = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, \
                      website redirect location or encryption attributes";
        return Err(StoreError::InvalidRequest { reason });
    }
    check_size(source.info().size)?;
    let algorithm = checksum_algorithm(call)?;
    let promises = algorithm.into_iter().fold(Promises::new(), Promises::compute);
    let whole = 0..source.info().size;
    let staged = store.stage_copy(call.bucket(), &source, whole, promises).await?;
    let put = PutObject { bucket: call.bucket().into(), key: call.key()?.into(), attributes, condition, now: call.now };
    let info = store.put(put, staged).await?;
    let mut answer = xml_answer(StatusCode::OK, xml::copy_object_result(call.cloud(), &info));
    put_encryption(answer.headers_mut(), call.cloud(), &info);
    put_etag(answer.headers_mut(), call.cloud(), &info.etag);
    Ok(answer)
}

/// The ETag as a header too, from which the OSS SDKs for Python V1 and JavaScript take it.
fn put_etag(headers: &mut HeaderMap, cloud: Cloud, etag: &str) {
    if cloud == Cloud::Oss {
        put(headers, "etag", &xml::etag(cloud, etag));
    }
}

/// Whether a copy onto itself changes anything.
fn changes(call: &Call<'_>) -> Result<bool, StoreError> {
    let names = ["storage-class", "website-redirect-location", "server-side-encryption", "server-side-encryption-customer-algorithm"];
    let replaces = call.headers.own("metadata-directive")?.is_some_and(|word| word.eq_ignore_ascii_case("replace"));
    Ok(replaces || names.iter().any(|name| matches!(call.headers.own(name), Ok(Some(_)))))
}

/// One request copies as much as one request can upload.
fn check_size(size: u64) -> Result<(), StoreError> {
    if size > MAX_BODY { Err(StoreError::CopySourceTooLarge { limit: MAX_BODY }) } else { Ok(()) }
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

/// The object that the request names as the source of a copy: `BUCKET/KEY`, percent-encoded, with or without a slash before it. And its
/// bucket.
fn copy_source(store: &ObjectStore, call: &Call<'_>) -> Result<(Object, String), StoreError> {
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
    call.headers.check_customer_key(source.info(), "copy-source-")?;
    conditions::judge_source(&call.headers, source.info())?;
    Ok((source, bucket.to_owned()))
}

/// PUT of a part that is a copy of another object's bytes.
pub(super) async fn part(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let number = part_number(call)?;
    let upload = store.upload(call.bucket(), call.key()?, call.upload_id())?;
    let (source, _) = copy_source(store, call)?;
    let bytes: Range<u64> = match call.headers.own("copy-source-range")? {
        Some(header) => range::parse_copy_source(header, source.info().size)?,
        None => 0..source.info().size,
    };
    check_size(bytes.end.saturating_sub(bytes.start))?;
    let promises = upload.checksum.into_iter().fold(Promises::new(), |promises, (algorithm, _)| promises.compute(algorithm));
    let staged = store.stage_copy(call.bucket(), &source, bytes, promises).await?;
    let part = store.put_part(&upload, number, staged, call.now).await?;
    let mut answer = xml_answer(StatusCode::OK, xml::copy_part_result(call.cloud(), &part));
    put_etag(answer.headers_mut(), call.cloud(), &part.etag());
    Ok(answer)
}
