//! The operations that list.

use http::StatusCode;

use super::{
    Call,
    respond::{Answer, xml_answer},
};
use crate::{
    Cloud, StoreError,
    objects::{ListQuery, MAX_KEYS, ObjectStore, Place, UploadQuery},
    xml,
};

/// A listing of objects in its first version, which goes on behind a key.
pub(super) fn objects(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let (mut query, marker) = (query(call)?, call.text("marker"));
    query.after = Place::of_marker(marker, &query.prefix, &query.delimiter);
    let listing = store.list(call.bucket(), &query)?;
    let kind = xml::ListKind::First { marker };
    let page = xml::ListPage { bucket: call.bucket(), query: &query, listing: &listing, kind, url_encoded: url_encoded(call)? };
    Ok(xml_answer(StatusCode::OK, xml::list_result(call.cloud(), &page)))
}

/// A listing of objects in its second version, which goes on behind a token.
pub(super) fn objects_v2(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let (mut query, start_after) = (query(call)?, call.text("start-after"));
    // OSS's own SDKs send an empty token with the first request.
    let token = call.verified.parameter("continuation-token").filter(|token| call.cloud() == Cloud::S3 || !token.is_empty());
    query.after = match token {
        Some(token) => Some(Place::of_token(token, call.bucket())?),
        None if start_after.is_empty() => None,
        None => Some(Place::Key(start_after.into())),
    };
    let listing = store.list(call.bucket(), &query)?;
    let kind = xml::ListKind::Second { start_after, token, with_owner: flag(call, "fetch-owner")? };
    let page = xml::ListPage { bucket: call.bucket(), query: &query, listing: &listing, kind, url_encoded: url_encoded(call)? };
    Ok(xml_answer(StatusCode::OK, xml::list_result(call.cloud(), &page)))
}

fn query(call: &Call<'_>) -> Result<ListQuery, StoreError> {
    let delimiter = call.text("delimiter").to_owned();
    Ok(ListQuery { prefix: call.text("prefix").into(), delimiter, max_keys: page_size(call, "max-keys", 100)?, after: None })
}

/// How many entries a page may have. S3 has 1000 where nothing is said and takes any number, of which it gives 1000 at most; OSS has its own number
/// where nothing is said, and takes 1 to 1000.
fn page_size(call: &Call<'_>, name: &'static str, oss_default: u32) -> Result<u32, StoreError> {
    let default = if call.cloud() == Cloud::S3 { MAX_KEYS } else { oss_default };
    let value = number(call, name, default)?;
    if call.cloud() == Cloud::Oss && !(1..=MAX_KEYS).contains(&value) {
        return Err(StoreError::InvalidArgument { name, value: value.to_string(), reason: "must be a number from 1 to 1000" });
    }
    Ok(value)
}

/// A listing of the uploads that are under way.
pub(super) fn uploads(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let text = |name| call.text(name).to_owned();
    let query = UploadQuery {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        key_marker: text("key-marker"),
        id_marker: text("upload-id-marker"),
        max_uploads: page_size(call, "max-uploads", MAX_KEYS)?,
    };
    let listing = store.uploads(call.bucket(), &query)?;
    Ok(xml_answer(StatusCode::OK, xml::list_uploads_result(call.cloud(), call.bucket(), &query, &listing, url_encoded(call)?)))
}

/// A listing of an upload's parts.
pub(super) fn parts(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let max_parts = page_size(call, "max-parts", MAX_KEYS)?;
    let marker = u16::try_from(number(call, "part-number-marker", 0)?).unwrap_or(u16::MAX);
    let page = store.parts(call.bucket(), call.key()?, call.upload_id(), marker, max_parts)?;
    Ok(xml_answer(StatusCode::OK, xml::list_parts_result(call.cloud(), &page, marker, max_parts, url_encoded(call)?)))
}

/// Whether keys in the answer are to be URL-encoded.
pub(super) fn url_encoded(call: &Call<'_>) -> Result<bool, StoreError> {
    match call.text("encoding-type") {
        "" => Ok(false),
        "url" => Ok(true),
        other => Err(StoreError::InvalidArgument { name: "encoding-type", value: other.chars().take(100).collect(), reason: "must be url" }),
    }
}

fn flag(call: &Call<'_>, name: &'static str) -> Result<bool, StoreError> {
    match call.text(name) {
        "" => Ok(false),
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(StoreError::InvalidArgument { name, value: other.chars().take(100).collect(), reason: "must be true or false" }),
    }
}

pub(super) fn number(call: &Call<'_>, name: &'static str, default: u32) -> Result<u32, StoreError> {
    // The OSS SDKs for Python write the parameters that they do not use, without a value.
    let given = |text: &&str| call.cloud() == Cloud::S3 || !text.is_empty();
    let Some(text) = call.verified.parameter(name).filter(given) else { return Ok(default) };
    let value = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok()).flatten();
    let value = value.and_then(|value| u32::try_from(value).ok());
    value.ok_or_else(|| StoreError::InvalidArgument { name, value: text.chars().take(100).collect(), reason: "must be a number from 0 to 2147483647" })
}
