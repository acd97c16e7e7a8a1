//! The operations that read.

use http::StatusCode;

use super::{
    Call,
    conditions::{self, Decision},
    headers::{Headers, describe, put},
    respond::{Answer, AnswerBody, answer, xml_answer},
};
use crate::{
    StoreError,
    objects::{ListQuery, MAX_KEYS, Object, ObjectStore, PublicObject},
    range, xml,
};

/// GET and HEAD of an object.
pub(super) async fn object(store: &ObjectStore, call: &Call<'_>, with_body: bool) -> Result<Answer, StoreError> {
    let overrides = overrides(call)?;
    let object = store.object(call.bucket(), call.key()?)?;
    send(&object, &call.headers, overrides, with_body).await
}

/// GET and HEAD of an object that everybody may read.
pub(super) async fn public_object(object: &PublicObject, headers: &Headers<'_>, with_body: bool) -> Result<Answer, StoreError> {
    send(object.object(), headers, Vec::new(), with_body).await
}

async fn send(object: &Object, headers: &Headers<'_>, overrides: Vec<(&'static str, Vec<u8>)>, with_body: bool) -> Result<Answer, StoreError> {
    let info = object.info();
    headers.check_customer_key(info)?;
    if conditions::judge(headers, info)? == Decision::NotModified {
        let mut answer = answer(StatusCode::NOT_MODIFIED, AnswerBody::empty());
        put(answer.headers_mut(), "etag", &xml::etag(headers.cloud, &info.etag));
        put(answer.headers_mut(), "last-modified", &crate::time::http_date(info.last_modified));
        return Ok(answer);
    }
    let asked = match headers.get("range")? {
        Some(header) if conditions::range_applies(headers, info)? => range::parse(header, info.size)?,
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
        put(told, "content-range", &format!("bytes {}-{}/{}", bytes.start, bytes.end.saturating_sub(1), info.size));
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

/// A listing of objects.
pub(super) fn list_objects(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let text = |name| call.verified.parameter(name).unwrap_or_default().to_owned();
    let query = ListQuery {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        max_keys: number(call, "max-keys", MAX_KEYS)?,
        start_after: text("start-after"),
        continuation_token: call.verified.parameter("continuation-token").map(str::to_owned),
    };
    let listing = store.list(call.bucket(), &query)?;
    let page = xml::ListPage { bucket: call.bucket(), query: &query, listing: &listing, url_encoded: url_encoded(call)? };
    Ok(xml_answer(StatusCode::OK, xml::list_result(call.cloud(), &page)))
}

/// A listing of an upload's parts.
pub(super) fn list_parts(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let max_parts = number(call, "max-parts", MAX_KEYS)?;
    let marker = u16::try_from(number(call, "part-number-marker", 0)?).unwrap_or(u16::MAX);
    let page = store.parts(call.bucket(), call.key()?, call.upload_id(), marker, max_parts)?;
    Ok(xml_answer(StatusCode::OK, xml::list_parts_result(call.cloud(), &page, marker, max_parts, url_encoded(call)?)))
}

/// Whether keys in the answer are to be URL-encoded.
pub(super) fn url_encoded(call: &Call<'_>) -> Result<bool, StoreError> {
    match call.verified.parameter("encoding-type") {
        None | Some("") => Ok(false),
        Some("url") => Ok(true),
        Some(other) => Err(StoreError::InvalidArgument { name: "encoding-type", value: other.chars().take(100).collect(), reason: "must be url" }),
    }
}

fn number(call: &Call<'_>, name: &'static str, default: u32) -> Result<u32, StoreError> {
    let Some(text) = call.verified.parameter(name) else { return Ok(default) };
    let value = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok()).flatten();
    let value = value.and_then(|value| u32::try_from(value).ok());
    value.ok_or_else(|| StoreError::InvalidArgument { name, value: text.chars().take(100).collect(), reason: "must be a number from 0 to 2147483647" })
}
