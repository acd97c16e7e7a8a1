//! The canonical request and the string to sign, for signing and for verifying.
//!
//! Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".

use alloc::string::String;
use alloc::vec::Vec;

use valetkey_core::{BasicTime, crypto, encode};

use crate::names::{ALGORITHM_VALUE, SCOPE_END, UNSIGNED_PAYLOAD};

/// Appends a header value as it is signed: blanks at the ends removed, runs of blanks inside folded to one, also between quotes.
pub(crate) fn push_value(out: &mut String, value: &str) {
    if !value.as_bytes().iter().any(|byte| matches!(byte, b' ' | b'\t')) {
        return out.push_str(value);
    }
    let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
}

/// Appends everything after the query: the header lines, an empty line, the names, the payload hash.
pub(crate) fn push_headers<'h>(out: &mut String, headers: impl Iterator<Item = (&'h str, &'h str)> + Clone, payload: Option<&str>) {
    for (name, value) in headers.clone() {
        out.push_str(name);
        out.push(':');
        push_value(out, value);
        out.push('\n');
    }
    out.push('\n');
    for (index, (name, _)) in headers.enumerate() {
        if index > 0 {
            out.push(';');
        }
        out.push_str(name);
    }
    out.push('\n');
    out.push_str(payload.unwrap_or(UNSIGNED_PAYLOAD));
}

/// Appends received parameters, encoded and sorted by encoded name, then encoded value. `X-Amz-Signature` must have been left out.
pub(crate) fn push_query<'q>(out: &mut String, parameters: impl Iterator<Item = (&'q str, &'q str)>) {
    let mut pairs: Vec<_> = parameters.map(|(name, value)| (encode::query(name), encode::query(value))).collect();
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
}

/// `DAY/REGION/SERVICE/aws4_request`
pub(crate) fn push_scope(out: &mut String, day: &str, region: &str, service: &str) {
    for part in [day, "/", region, "/", service, "/", SCOPE_END] {
        out.push_str(part);
    }
}

pub(crate) fn string_to_sign(date: BasicTime, region: &str, service: &str, canonical_request: &str) -> String {
    let mut text = String::with_capacity(160);
    text.push_str(ALGORITHM_VALUE);
    text.push('\n');
    text.push_str(date.as_str());
    text.push('\n');
    push_scope(&mut text, date.day(), region, service);
    text.push('\n');
    crypto::push_sha256_hex(&mut text, canonical_request);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_fold() {
        for (value, want) in [("a", "a"), ("  a  b\t c ", "a b c"), ("\"a   b\"", "\"a b\""), ("", ""), ("   ", ""), ("é  ü", "é ü")] {
            let mut out = String::new();
            push_value(&mut out, value);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn queries_sort_by_encoded_name_then_value() {
        let mut out = String::new();
        push_query(&mut out, [("b", "2"), ("a", "é"), ("a", "1"), ("B", ""), ("x-a", "/"), ("~", "+")].into_iter());
        assert_eq!(out, "B=&a=%C3%A9&a=1&b=2&x-a=%2F&~=%2B");
    }
}
