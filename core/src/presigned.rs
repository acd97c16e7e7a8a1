//! The result: everything that a client needs to know, and nothing that it has to guess.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::encode::holds_for_all;
use crate::operation::{Method, Operation};
use crate::options::{ExpirationReason, Validity};
use crate::time::Timestamp;

/// A signed request: the whole contract with the client that sends it.
///
/// The URL is a bearer secret (whoever has it may use it until it ends), so Debug shows neither its query nor the headers' values.
///
/// In JSON: `method`, `url`, `signed_at`, `expiration`, `expiration_reason`, `signed_headers`, `content_type`, `do_not_send`, `notes`.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PresignedRequest {
    /// The operation that was signed.
    #[serde(skip)]
    pub operation: Operation,
    /// The HTTP method; another one has another signature.
    pub method: Method,
    /// The URL. Send it exactly so: neither decoded nor normalised.
    pub url: String,
    /// The moment that was signed.
    pub signed_at: Timestamp,
    /// The last second in which a request may begin.
    pub expiration: Timestamp,
    /// What decided the end.
    pub expiration_reason: ExpirationReason,
    /// Every header that the client must send, with its exact value (`host` aside).
    pub signed_headers: SignedHeaders,
    /// What the client may do with `Content-Type`.
    pub content_type: ContentTypeRule,
    /// Names, or `prefix*`, that the provider refuses when they are sent and not in `signed_headers`.
    pub do_not_send: Cow<'static, [Cow<'static, str>]>,
    /// What the provider does not enforce, or has not been verified to.
    pub notes: Vec<Cow<'static, str>>,
}

impl PresignedRequest {
    /// Puts a result together; for providers and for presigners that are not made of one.
    #[must_use]
    pub const fn new(operation: Operation, url: String, validity: Validity, signed_headers: SignedHeaders, content_type: ContentTypeRule) -> Self {
        Self {
            operation,
            method: operation.method(),
            url,
            signed_at: validity.signed_at,
            expiration: validity.expiration,
            expiration_reason: validity.expiration_reason,
            signed_headers,
            content_type,
            do_not_send: Cow::Borrowed(&[]),
            notes: Vec::new(),
        }
    }

    /// Makes it a result of another request, without URL, headers and remarks; their memory is kept.
    pub fn reset(&mut self, operation: Operation, validity: Validity, content_type: ContentTypeRule) {
        self.operation = operation;
        self.method = operation.method();
        self.url.clear();
        self.signed_at = validity.signed_at;
        self.expiration = validity.expiration;
        self.expiration_reason = validity.expiration_reason;
        self.signed_headers.clear();
        self.content_type = content_type;
        self.do_not_send = Cow::Borrowed(&[]);
        self.notes.clear();
    }

    /// The result as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only maps with keys that are no text can fail, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A `curl` command that a POSIX shell runs as it stands. `file` is the body of an upload (or the list of parts); other operations do not use it.
    ///
    /// ```
    /// # use valetkey_core::{ContentTypeRule, Limits, Operation, PresignOptions, PresignedRequest};
    /// # let limits = Limits { provider_max: 604_800, provider_name: "S3", store_max: None };
    /// # let validity = PresignOptions::new().resolve("2026-11-22T10:30:00Z".parse()?, limits, None)?;
    /// # let headers = [("content-type", "image/png")].into_iter().collect();
    /// # let put = PresignedRequest::new(Operation::Put, "https://b.example/a?X".into(), validity, headers, ContentTypeRule::Fixed);
    /// assert!(put.to_curl("photo 1.png").starts_with("curl --globoff --path-as-is --upload-file 'photo 1.png' --header 'content-type: image/png' 'https://"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_curl(&self, file: &str) -> String {
        let mut line = String::from("curl --globoff --path-as-is");
        let mut curl_sends_length = true;
        match self.operation {
            Operation::Get | Operation::ListParts | Operation::List => {}
            Operation::Head => line.push_str(" --head"),
            Operation::Delete | Operation::AbortMultipart => line.push_str(" --request DELETE"),
            // To a URL that ends in a slash curl's upload would append the name of the file.
            Operation::Put | Operation::UploadPart if !self.path_ends_in_slash() => {
                line.push_str(" --upload-file ");
                push_quoted(&mut line, file);
            }
            Operation::Put | Operation::UploadPart | Operation::CompleteMultipart => {
                line.push_str(" --request ");
                line.push_str(self.method.as_str());
                line.push_str(" --data-binary ");
                push_quoted(&mut line, &alloc::format!("@{file}"));
                // curl would add a form's type, and OSS would refuse it.
                if self.signed_headers.value("content-type").is_none() {
                    line.push_str(" --header 'content-type:'");
                }
            }
            Operation::Copy | Operation::UploadPartCopy | Operation::CreateMultipart => {
                line.push_str(" --request ");
                line.push_str(self.method.as_str());
                curl_sends_length = false;
            }
        }
        if !curl_sends_length && self.signed_headers.value("content-length").is_none() {
            line.push_str(" --header 'content-length: 0'");
        }
        for (name, value) in self.signed_headers.iter() {
            // curl counts the file itself; a second count could only disagree.
            if curl_sends_length && name == "content-length" {
                continue;
            }
            line.push_str(" --header ");
            let separator = if value.is_empty() { ";" } else { ": " };
            push_quoted(&mut line, &alloc::format!("{name}{separator}{value}"));
        }
        line.push(' ');
        push_quoted(&mut line, &self.url);
        line
    }

    fn path_ends_in_slash(&self) -> bool {
        self.url.split('?').next().is_some_and(|place| place.ends_with('/'))
    }

    /// Method, URL and headers in the types of the standard library, for any HTTP client.
    ///
    /// ```
    /// # use valetkey_core::{ContentTypeRule, Limits, Operation, PresignOptions, PresignedRequest};
    /// # let limits = Limits { provider_max: 604_800, provider_name: "S3", store_max: None };
    /// # let validity = PresignOptions::new().resolve("2026-11-22T10:30:00Z".parse()?, limits, None)?;
    /// # let headers = [("content-type", "image/png")].into_iter().collect();
    /// # let put = PresignedRequest::new(Operation::Put, "https://b.example/a?X".into(), validity, headers, ContentTypeRule::Fixed);
    /// let (method, url, headers) = put.http_parts();
    /// assert_eq!((method, headers.collect::<Vec<_>>()), ("PUT", vec![("content-type", "image/png")]));
    /// assert!(url.starts_with("https://"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http_parts(&self) -> (&'static str, &str, impl Iterator<Item = (&str, &str)>) {
        (self.method.as_str(), &self.url, self.signed_headers.iter())
    }
}

pub(crate) fn push_quoted(line: &mut String, text: &str) {
    line.push('\'');
    line.push_str(&text.replace('\'', "'\\''"));
    line.push('\'');
}

impl fmt::Debug for PresignedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        formatter
            .debug_struct("PresignedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("url", &format_args!("{place}?.."))
            .field("signed_at", &self.signed_at)
            .field("expiration", &self.expiration)
            .field("expiration_reason", &self.expiration_reason)
            .field("signed_headers", &self.signed_headers)
            .field("content_type", &self.content_type)
            .field("do_not_send", &self.do_not_send)
            .field("notes", &self.notes)
            .finish()
    }
}

/// What the client may do with `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentTypeRule {
    /// Send exactly the signed one.
    Fixed,
    /// Send none; browsers add one for a `File` with a type.
    Absent,
    /// Send any or none.
    Free,
}

/// Headers to send: lower-case names and exact values, in the order of the names.
///
/// ```
/// use valetkey_core::SignedHeaders;
///
/// let headers: SignedHeaders = [("content-length", "5"), ("content-type", "image/png")].into_iter().collect();
/// assert_eq!(headers.value("content-type"), Some("image/png"));
/// assert_eq!(headers.len(), 2);
/// ```
// One text of `name:value\n` lines, so that a result with headers costs one allocation for all of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SignedHeaders(String);

impl SignedHeaders {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once(':'))
    }

    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// How many headers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as they are kept: a line `name:value` each.
    #[must_use]
    pub fn as_lines(&self) -> &str {
        &self.0
    }

    /// Whether a value has a blank in it: such values some signatures fold.
    #[must_use]
    pub fn has_blanks(&self) -> bool {
        !holds_for_all(&self.0, |byte| (byte != b' ') & (byte != b'\t'))
    }

    /// Adds headers, which come after those that are there by their names; see [`FromIterator`] for what they must be.
    pub fn push_all<'h>(&mut self, headers: impl Iterator<Item = (&'h str, &'h str)> + Clone) {
        let line = |(name, value): (&str, &str)| name.len().saturating_add(value.len()).saturating_add(2);
        let bytes = headers.clone().map(line).fold(0, usize::saturating_add);
        if self.0.capacity() == 0 && bytes > 0 {
            self.0 = String::with_capacity(bytes);
        }
        for (name, value) in headers {
            for part in [name, ":", value, "\n"] {
                self.0.push_str(part);
            }
        }
    }

    /// The text, to which so many bytes are added.
    #[inline]
    pub(crate) fn with_room_for(&mut self, bytes: usize) -> &mut String {
        if self.0.capacity() == 0 && bytes > 0 {
            self.0 = String::with_capacity(bytes);
        }
        &mut self.0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// Names must be lower case and values free of line ends, as [`Bindings`](crate::binding::Bindings) has them.
impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for SignedHeaders {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let headers = headers.into_iter();
        // Room for lines of a usual length, so that the text grows once at most.
        let mut text = if headers.size_hint().0 == 0 { String::new() } else { String::with_capacity(headers.size_hint().0.saturating_mul(48)) };
        for (name, value) in headers {
            text.push_str(name.as_ref());
            text.push(':');
            text.push_str(value.as_ref());
            text.push('\n');
        }
        Self(text)
    }
}

impl fmt::Debug for SignedHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value may be a customer's encryption key.
        formatter.debug_map().entries(self.iter().map(|(name, _)| (name, format_args!("..")))).finish()
    }
}

impl Serialize for SignedHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What was signed, for the owner of the secret: it holds the session token, so Debug shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningTrace {
    /// The canonical request.
    pub canonical_request: String,
    /// The string to sign.
    pub string_to_sign: String,
}

impl SigningTrace {
    /// Both stages.
    #[must_use]
    pub const fn new(canonical_request: String, string_to_sign: String) -> Self {
        Self { canonical_request, string_to_sign }
    }
}

impl fmt::Debug for SigningTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningTrace(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Limits, PresignOptions};
    use alloc::format;

    fn presigned(operation: Operation, headers: &[(&str, &str)]) -> PresignedRequest {
        let limits = Limits { provider_max: 604_800, provider_name: "S3", store_max: None };
        let validity = PresignOptions::new().resolve("2026-11-22T10:30:00Z".parse().unwrap(), limits, None).unwrap();
        let url = String::from("https://b.example/it's?X-Amz-Signature=0123");
        PresignedRequest::new(operation, url, validity, headers.iter().copied().collect(), ContentTypeRule::Free)
    }

    #[test]
    fn json_is_the_contract() {
        let json = presigned(Operation::Put, &[("content-type", "image/png"), ("x-amz-meta-a", "1:2")]).to_json();
        assert_eq!(
            json,
            r#"{"method":"PUT","url":"https://b.example/it's?X-Amz-Signature=0123","signed_at":"2026-11-22T10:30:00Z","expiration":"2026-11-22T10:45:00Z","expiration_reason":"default","signed_headers":{"content-type":"image/png","x-amz-meta-a":"1:2"},"content_type":"free","do_not_send":[],"notes":[]}"#
        );
    }

    #[test]
    fn debug_shows_neither_query_nor_values() {
        let text = format!("{:?}", presigned(Operation::Put, &[("x-amz-server-side-encryption-customer-key", "c2VjcmV0")]));
        assert!(!text.contains("Signature") && !text.contains("c2VjcmV0"), "{text}");
        assert!(text.contains("https://b.example/it's?.."));
    }

    #[test]
    fn curl_lines_are_safe_and_whole() {
        let url = r"'https://b.example/it'\''s?X-Amz-Signature=0123'";
        let headers: &[(&str, &str)] = &[("content-length", "5"), ("content-type", "a'b"), ("x-amz-meta-e", "")];
        for (operation, want) in [
            (Operation::Get, ""),
            (Operation::Head, " --head"),
            (Operation::Delete, " --request DELETE"),
            (Operation::Put, " --upload-file 'it'\\''s'"),
            (Operation::CompleteMultipart, " --request POST --data-binary '@it'\\''s' --header 'content-type:'"),
            (Operation::CreateMultipart, " --request POST --header 'content-length: 0'"),
            (Operation::Copy, " --request PUT --header 'content-length: 0'"),
        ] {
            assert_eq!(presigned(operation, &[]).to_curl("it's"), format!("curl --globoff --path-as-is{want} {url}"));
        }
        let mut folder = presigned(Operation::Put, &[]);
        folder.url = String::from("https://b.example/folder/?X-Amz-Signature=0123");
        let line = folder.to_curl("f");
        assert_eq!(line, format!("curl --globoff --path-as-is --request PUT --data-binary '@f' --header 'content-type:' '{}'", folder.url));

        let line = presigned(Operation::Put, headers).to_curl("f");
        assert_eq!(line, format!(r"curl --globoff --path-as-is --upload-file 'f' --header 'content-type: a'\''b' --header 'x-amz-meta-e;' {url}"));
    }
}
