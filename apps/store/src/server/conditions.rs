//! Conditions of a read: RFC 9110, section 13.2.2, for one object.

use super::headers::Headers;
use crate::{
    Cloud, StoreError,
    objects::{ObjectInfo, same_etag},
    time::read_http_date,
};

/// What the conditions of a read come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Send,
    NotModified,
}

/// Judges `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since`. A date that is none is ignored, as HTTP has it.
pub(super) fn judge(headers: &Headers<'_>, info: &ObjectInfo) -> Result<Decision, StoreError> {
    match judge_named(headers, info, "")? {
        Some(name) if name == "if-none-match" || name == "if-modified-since" => Ok(Decision::NotModified),
        Some("if-match") => Err(StoreError::PreconditionFailed { condition: "If-Match" }),
        Some(_) => Err(StoreError::PreconditionFailed { condition: "If-Unmodified-Since" }),
        None => Ok(Decision::Send),
    }
}

/// Judges the same four for the source of a copy, where each that does not hold refuses the copy. OSS tells one that did not change as it does in a read.
pub(super) fn judge_source(headers: &Headers<'_>, info: &ObjectInfo) -> Result<(), StoreError> {
    let prefix = format!("{}copy-source-", super::headers::prefix(headers.cloud));
    match judge_named(headers, info, &prefix)? {
        Some("if-none-match" | "if-modified-since") if headers.cloud == Cloud::Oss => Err(StoreError::NotModified),
        Some(name) => Err(StoreError::PreconditionFailed { condition: source_condition(name) }),
        None => Ok(()),
    }
}

fn source_condition(name: &str) -> &'static str {
    match name {
        "if-match" => "x-amz-copy-source-If-Match",
        "if-none-match" => "x-amz-copy-source-If-None-Match",
        "if-modified-since" => "x-amz-copy-source-If-Modified-Since",
        _ => "x-amz-copy-source-If-Unmodified-Since",
    }
}

/// The first condition that does not hold. One on ETags takes the place of the one on dates.
fn judge_named(headers: &Headers<'_>, info: &ObjectInfo, prefix: &str) -> Result<Option<&'static str>, StoreError> {
    let get = |name: &str| headers.get(&format!("{prefix}{name}"));
    let date = |name: &str| Ok::<_, StoreError>(get(name)?.and_then(read_http_date));
    match get("if-match")? {
        Some(list) if !matches(list, info) => return Ok(Some("if-match")),
        Some(_) => {}
        None if date("if-unmodified-since")?.is_some_and(|since| info.last_modified > since) => return Ok(Some("if-unmodified-since")),
        None => {}
    }
    match get("if-none-match")? {
        Some(list) if matches(list, info) => Ok(Some("if-none-match")),
        Some(_) => Ok(None),
        None if date("if-modified-since")?.is_some_and(|since| info.last_modified <= since) => Ok(Some("if-modified-since")),
        None => Ok(None),
    }
}

/// Whether a range may be sent: `If-Range` names the object as it is now.
pub(super) fn range_applies(headers: &Headers<'_>, info: &ObjectInfo) -> Result<bool, StoreError> {
    Ok(match headers.get("if-range")? {
        None => true,
        Some(etag) if etag.starts_with('"') => same_etag(etag, &info.etag),
        Some(date) => read_http_date(date) == Some(info.last_modified),
    })
}

fn matches(list: &str, info: &ObjectInfo) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || same_etag(tag.strip_prefix("W/").unwrap_or(tag), &info.etag))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::objects::Attributes;

    #[test]
    fn conditions_of_a_read() {
        let info = ObjectInfo {
            key: "k".into(),
            size: 1,
            etag: "abc".into(),
            last_modified: 1_369_353_600,
            crc64_ecma: 0,
            checksums: Default::default(),
            parts: None,
            upload: None,
            attributes: Attributes::default(),
        };
        let (before, at, after) = ("Thu, 23 May 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00:00 GMT", "Sat, 25 May 2013 00:00:00 GMT");
        let (send, not_modified, failed) = (Ok(Decision::Send), Ok(Decision::NotModified), Err(412));
        #[expect(clippy::type_complexity)]
        let table: &[(&[(&'static str, &str)], &Result<Decision, u16>)] = &[
            (&[], &send),
            (&[("if-match", "\"abc\"")], &send),
            (&[("if-match", "\"x\", \"ABC\"")], &send),
            (&[("if-match", "*")], &send),
            (&[("if-match", "\"x\"")], &failed),
            (&[("if-none-match", "\"abc\"")], &not_modified),
            (&[("if-none-match", "W/\"abc\"")], &not_modified),
            (&[("if-none-match", "\"x\"")], &send),
            (&[("if-modified-since", before)], &send),
            (&[("if-modified-since", at)], &not_modified),
            (&[("if-modified-since", "yesterday")], &send),
            (&[("if-none-match", "\"x\""), ("if-modified-since", after)], &send),
            (&[("if-unmodified-since", before)], &failed),
            (&[("if-unmodified-since", at)], &send),
            (&[("if-match", "\"abc\""), ("if-unmodified-since", before)], &send),
            (&[("if-match", "\"abc\""), ("if-none-match", "\"abc\"")], &not_modified),
        ];
        for (sent, expected) in table {
            let map: HeaderMap = sent.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
            let result = judge(&Headers { cloud: Cloud::S3, map: &map, query: &[] }, &info).map_err(|error| error.answer(Cloud::S3).status);
            assert_eq!(&result, *expected, "{sent:?}");
            let source: HeaderMap = sent.iter().map(|(name, value)| (format!("x-amz-copy-source-{name}").parse().unwrap(), value.parse().unwrap())).collect();
            let result = judge_source(&Headers { cloud: Cloud::S3, map: &source, query: &[] }, &info);
            assert_eq!(result.is_ok(), *expected == &send, "{sent:?}");
        }
    }
}
