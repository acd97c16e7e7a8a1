//! The operations that read.

use std::ops::Range;

use http::StatusCode;
use valetkey_core::encode;

use super::{
    Call,
    conditions::{self, Decision},
    headers::{Headers, describe, put},
    respond::{Answer, AnswerBody, answer, xml_answer},
    uploads::part_number,
};
use crate::{
    Cloud, StoreError,
    objects::{Object, ObjectInfo, ObjectStore, PublicObject},
    range, xml,
};

/// GET and HEAD of an object.
pub(super) async fn object(store: &ObjectStore, call: &Call<'_>, with_body: bool) -> Result<Answer, StoreError> {
    let overrides = overrides(call)?;
    let object = store.object(call.bucket(), call.key()?)?;
    let part = match (call.verified.parameter("partNumber"), call.cloud()) {
        (None, _) => None,
        (Some(_), Cloud::Oss) => return Err(StoreError::NotImplemented { what: "reading one part of an object" }),
        (Some(_), Cloud::S3) if call.headers.get("range")?.is_some() => {
            return Err(StoreError::InvalidRequest { reason: "Cannot specify both Range header and partNumber query parameter" });
        }
        (Some(_), Cloud::S3) => Some(part_number(call)?),
    };
    send(&object, &call.headers, overrides, part, with_body).await
}

/// GET and HEAD of an object that everybody may read.
pub(super) async fn public_object(object: &PublicObject, headers: &Headers<'_>, with_body: bool) -> Result<Answer, StoreError> {
    send(object.object(), headers, Vec::new(), None, with_body).await
}

async fn send(
    object: &Object,
    headers: &Headers<'_>,
    overrides: Vec<(&'static str, Vec<u8>)>,
    part: Option<u16>,
    with_body: bool,
) -> Result<Answer, StoreError> {
    let info = object.info();
    headers.check_customer_key(info, "")?;
    if conditions::judge(headers, info)? == Decision::NotModified {
        let mut answer = answer(StatusCode::NOT_MODIFIED, AnswerBody::empty());
        put(answer.headers_mut(), "etag", &xml::etag(headers.cloud, &info.etag));
        put(answer.headers_mut(), "last-modified", &crate::time::http_date(info.last_modified));
        return Ok(answer);
    }
    let asked = match (part, headers.get("range")?) {
        (Some(number), _) => Some(part_range(info, number)?),
        (None, Some(header)) if conditions::range_applies(headers, info)? => range::parse(header, info.size)?,
        _ => None,
    };
    let bytes = asked.clone().unwrap_or(0..info.size);
    let len = bytes.end.saturating_sub(bytes.start);
    let body = if with_body { AnswerBody::stream(object.read(bytes.clone()), len).await? } else { AnswerBody::empty() };
    let mut answer = answer(if asked.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }, body);
    let told = answer.headers_mut();
    let with_checksums = asked.is_none() && headers.own("checksum-mode")?.is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    describe(told, headers.cloud, info, with_checksums);
    put(told, "content-length", &len.to_string());
    if asked.is_some() {
        // An empty part has no bytes to name.
        if len > 0 {
            put(told, "content-range", &format!("bytes {}-{}/{}", bytes.start, bytes.end.saturating_sub(1), info.size));
        }
    }
    if let (Some(_), Some(upload)) = (part, &info.upload) {
        put(told, "x-amz-mp-parts-count", &upload.parts.len().to_string());
    }
    for (name, value) in overrides {
        if let Ok(value) = http::HeaderValue::from_bytes(&value) {
            told.insert(name, value);
        }
    }
    Ok(answer)
}

/// The headers that the signer wants to see in the answer, as bytes. A value with a control character would be a header of its own.
fn overrides(call: &Call<'_>) -> Result<Vec<(&'static str, Vec<u8>)>, StoreError> {
    const NAMES: [(&str, &str); 6] = [
        ("response-content-type", "content-type"),
        ("response-content-language", "content-language"),
        ("response-expires", "expires"),
        ("response-cache-control", "cache-control"),
        ("response-content-disposition", "content-disposition"),
        ("response-content-encoding", "content-encoding"),
    ];
    let mut found = Vec::new();
    for (parameter, header) in NAMES {
        let Some(value) = call.verified.parameter(parameter) else { continue };
        let bytes = value.chars().map(|c| u8::try_from(c).ok().filter(|_| !c.is_control())).collect::<Option<Vec<u8>>>();
        found.push((
            header,
            bytes.ok_or_else(|| StoreError::InvalidArgument {
                name: parameter,
                value: value.chars().filter(|c| !c.is_control()).take(200).collect(),
                reason: "a header of an answer has ISO-8859-1 and no control characters",
            })?,
        ));
    }
    Ok(found)
}

/// GET of an object's tags, which it was written with.
pub(super) fn tagging(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let object = store.object(call.bucket(), call.key()?)?;
    let tags = encode::decode_query(object.info().attributes.tagging.as_deref().unwrap_or_default()).unwrap_or_default();
    Ok(xml_answer(StatusCode::OK, xml::tagging_result(call.cloud(), &tags)))
}

/// The bytes of one part, by the number it was uploaded with. An object that was written in one request has one part.
fn part_range(info: &ObjectInfo, number: u16) -> Result<Range<u64>, StoreError> {
    let Some(upload) = &info.upload else {
        return if number == 1 { Ok(0..info.size) } else { Err(StoreError::InvalidPartNumber { number }) };
    };
    let mut start = 0_u64;
    for part in &upload.parts {
        let end = start.saturating_add(part.size);
        if part.number == number {
            return Ok(start..end);
        }
        start = end;
    }
    Err(StoreError::InvalidPartNumber { number })
}
