//! Percent-encoding as both clouds sign it: UTF-8 bytes, upper-case hex, `A-Z a-z 0-9 - . _ ~` kept, a space is `%20`, never `+`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Appends `text` encoded for a path: `/` stays.
///
/// ```
/// let mut path = String::new();
/// valetkey_core::encode::push_path(&mut path, "a b/ü+.png");
/// assert_eq!(path, "a%20b/%C3%BC%2B.png");
/// ```
pub fn push_path(out: &mut String, text: &str) {
    // `-`, `.`, `/` and the digits follow one another.
    if holds_for_all(text, |byte| (byte.wrapping_sub(b'-') <= b'9' - b'-') | is_letter_or_mark(byte)) {
        out.push_str(text);
    } else {
        out.extend(utf8_percent_encode(text, PATH));
    }
}

/// Letters, `_` and `~`.
const fn is_letter_or_mark(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte == b'_') | (byte == b'~')
}

/// Whether nothing of a text is encoded in a query.
fn is_plain(text: &str) -> bool {
    holds_for_all(text, |byte| (byte.wrapping_sub(b'0') < 10) | (byte == b'-') | (byte == b'.') | is_letter_or_mark(byte))
}

/// Whether `judge`, which has no branches, holds for each byte: many are judged at once, and nearly all texts are plain to their ends.
#[inline(always)]
pub(crate) fn holds_for_all(text: &str, judge: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    // The last chunk may judge some bytes again.
    if let Some(last) = bytes.last_chunk::<16>() {
        bytes.as_chunks::<16>().0.iter().fold(any_bad(last, &judge), |bad, chunk| bad | any_bad(chunk, &judge)) == 0
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        any_bad(first, &judge) | any_bad(last, &judge) == 0
    } else {
        bytes.iter().all(|byte| judge(*byte))
    }
}

#[inline(always)]
fn any_bad<const N: usize>(chunk: &[u8; N], judge: impl Fn(u8) -> bool) -> u8 {
    chunk.iter().fold(0, |bad, byte| bad | u8::from(!judge(*byte)))
}

/// Appends `text` encoded for the name or value of a query parameter: `/` becomes `%2F`.
///
/// ```
/// let mut query = String::new();
/// valetkey_core::encode::push_query(&mut query, "a/b=c");
/// assert_eq!(query, "a%2Fb%3Dc");
/// ```
pub fn push_query(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        out.extend(utf8_percent_encode(text, QUERY));
    }
}

/// `text` encoded for the name or value of a query parameter, borrowed when nothing has to change.
///
/// ```
/// assert_eq!(valetkey_core::encode::query("uploads"), "uploads");
/// assert_eq!(valetkey_core::encode::query("1+1 2"), "1%2B1%202");
/// ```
#[must_use]
pub fn query(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { utf8_percent_encode(text, QUERY).into() }
}

/// `text` as an attribute or as the content of an element, in HTML and XML.
///
/// ```
/// assert_eq!(valetkey_core::encode::markup("a<\"b\">&'c'"), "a&lt;&quot;b&quot;&gt;&amp;&#39;c&#39;");
/// ```
#[must_use]
pub fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // As they stand, parsers would turn them into others or into blanks.
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A text that is not percent-encoded UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A `%` without two hex digits after it.
    #[error("a `%` is not followed by two hex digits")]
    Escape,
    /// The decoded bytes are not UTF-8.
    #[error("the decoded bytes are not UTF-8")]
    Utf8,
}

/// Decodes `%XX` once, strictly; a `+` is a plus.
///
/// ```
/// use valetkey_core::encode::{DecodeError, decode};
///
/// assert_eq!(decode("a%20b+c")?, "a b+c");
/// assert_eq!(decode("%ZZ"), Err(DecodeError::Escape));
/// assert_eq!(decode("%FF"), Err(DecodeError::Utf8));
/// # Ok::<(), DecodeError>(())
/// ```
///
/// # Errors
/// [`DecodeError`] for a broken escape and for bytes that are not UTF-8.
pub fn decode(text: &str) -> Result<Cow<'_, str>, DecodeError> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some([high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {}
            _ => return Err(DecodeError::Escape),
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| DecodeError::Utf8)
}

/// Splits a raw query at `&` and the first `=` and decodes names and values, in the order received.
///
/// ```
/// let pairs = valetkey_core::encode::decode_query("uploads&a=1%2F2&b=")?;
/// assert_eq!(pairs.len(), 3);
/// assert_eq!(pairs[1], ("a".into(), "1/2".into()));
/// # Ok::<(), valetkey_core::encode::DecodeError>(())
/// ```
///
/// # Errors
/// [`DecodeError`] when a name or value cannot be decoded.
pub fn decode_query(raw: &str) -> Result<Vec<(String, String)>, DecodeError> {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?.into_owned(), decode(value)?.into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn everything_outside_the_unreserved_set_is_encoded() {
        for (text, path, query_form) in [
            ("AZaz09-._~", "AZaz09-._~", "AZaz09-._~"),
            ("a/b", "a/b", "a%2Fb"),
            ("!*'()+=&@:,;$", "%21%2A%27%28%29%2B%3D%26%40%3A%2C%3B%24", "%21%2A%27%28%29%2B%3D%26%40%3A%2C%3B%24"),
            ("%2F", "%252F", "%252F"),
            ("é\u{301}", "%C3%A9%CC%81", "%C3%A9%CC%81"),
            ("\n\u{7f}", "%0A%7F", "%0A%7F"),
        ] {
            let mut out = String::new();
            push_path(&mut out, text);
            assert_eq!((out.as_str(), query(text).as_ref()), (path, query_form));
        }
    }

    #[test]
    fn broken_escapes_are_refused() {
        for text in ["%", "%2", "%ZZ", "a%", "%%", "%2G", "%C0%AF", "%ED%A0%80"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    /// Each byte alone and between plain ones, against the library.
    #[test]
    fn every_byte_is_judged_as_the_library_does() {
        for c in (0..=u8::MAX).map(char::from) {
            for text in [String::from(c), format!("uploads-2026_11.jpg~AZ09{c}azaz09AZ")] {
                let mut out = String::new();
                push_path(&mut out, &text);
                assert_eq!(out, utf8_percent_encode(&text, PATH).to_string());
                assert_eq!(query(&text), utf8_percent_encode(&text, QUERY).to_string());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(text in any::<String>()) {
            let mut path = String::new();
            push_path(&mut path, &text);
            prop_assert_eq!(decode(&path).unwrap(), text.as_str());
            let encoded = query(&text);
            prop_assert_eq!(decode(&encoded).unwrap(), text.as_str());
            let raw = format!("{encoded}={encoded}");
            if !text.is_empty() {
                prop_assert_eq!(decode_query(&raw).unwrap(), [(text.clone(), text)]);
            }
        }

        #[test]
        fn decoding_never_panics(text in any::<String>()) {
            let _ = decode(&text);
            let _ = decode_query(&text);
        }
    }
}
