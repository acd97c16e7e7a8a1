//! The canonical request and the string to sign, for signing and for verifying.
//!
//! Source: OSS documentation, "Include a V4 signature in a URL".

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use valetkey_core::{BasicTime, crypto, encode};

use crate::names::{ALGORITHM_VALUE, SCOPE_END, UNSIGNED_PAYLOAD, is_signed_by_default};

/// Appends the canonical resource: always `/bucket/key`, whatever the host, and `/bucket/` for the bucket itself.
pub(crate) fn push_resource(out: &mut String, bucket: &str, key: Option<&str>) {
    out.push('/');
    encode::push_path(out, bucket);
    out.push('/');
    if let Some(key) = key {
        encode::push_path(out, key);
    }
}

/// Appends one parameter; an empty value leaves the name alone, without `=`.
pub(crate) fn push_parameter(out: &mut String, separator: &str, name: &str, value: &str) {
    out.push_str(separator);
    out.push_str(name);
    if !value.is_empty() {
        out.push('=');
        out.push_str(value);
    }
}

/// Appends received parameters, encoded and sorted by encoded name; equal names keep their order. `x-oss-signature` must have been left out.
pub(crate) fn push_query<'q>(out: &mut String, parameters: impl Iterator<Item = (&'q str, &'q str)>) {
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = parameters.map(|(name, value)| (encode::query(name), encode::query(value))).collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    for (index, (name, value)) in pairs.iter().enumerate() {
        push_parameter(out, if index > 0 { "&" } else { "" }, name, value);
    }
}

/// Appends everything after the query: the header lines, an empty line, the additional names, the payload hash.
pub(crate) fn push_headers<'h>(out: &mut String, headers: impl Iterator<Item = (&'h str, &'h str)> + Clone) {
    for (name, value) in headers.clone() {
        for part in [name, ":", value, "\n"] {
            out.push_str(part);
        }
    }
    out.push('\n');
    push_additional(out, headers.map(|(name, _)| name), ";");
    out.push('\n');
    out.push_str(UNSIGNED_PAYLOAD);
}

/// Appends the names that OSS would not sign by itself, joined.
pub(crate) fn push_additional<'h>(out: &mut String, names: impl Iterator<Item = &'h str>, separator: &str) {
    for (index, name) in names.filter(|name| !is_signed_by_default(name)).enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(name);
    }
}

pub(crate) fn string_to_sign(date: BasicTime, region: &str, service: &str, canonical_request: &str) -> String {
    let mut text = String::with_capacity(160);
    for part in [ALGORITHM_VALUE, "\n", date.as_str(), "\n", date.day(), "/", region, "/", service, "/", SCOPE_END, "\n"] {
        text.push_str(part);
    }
    crypto::push_sha256_hex(&mut text, canonical_request);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_sort_by_encoded_name_and_drop_empty_values() {
        let mut out = String::new();
        push_query(&mut out, [("uploads", ""), ("a", "2"), ("a", "1"), ("+p", "é"), ("|p", ""), ("A", "/")].into_iter());
        assert_eq!(out, "%2Bp=%C3%A9&%7Cp&A=%2F&a=2&a=1&uploads");
    }

    #[test]
    fn only_additional_names_are_listed() {
        let headers = [("cache-control", "no-cache"), ("content-type", "text/plain"), ("range", "bytes=0-1"), ("x-oss-meta-a", "1")];
        let mut out = String::new();
        push_headers(&mut out, headers.into_iter());
        assert_eq!(out, "cache-control:no-cache\ncontent-type:text/plain\nrange:bytes=0-1\nx-oss-meta-a:1\n\ncache-control;range\nUNSIGNED-PAYLOAD");
        let mut none = String::new();
        push_headers(&mut none, core::iter::empty());
        assert_eq!(none, "\n\nUNSIGNED-PAYLOAD");
    }
}
