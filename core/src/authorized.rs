//! A request that its signer sends itself, at once.

use alloc::string::String;
use core::fmt;

use crate::operation::{Method, Operation};
use crate::presigned::{PresignedRequest, SignedHeaders};
use crate::time::Timestamp;

/// A request signed for the process that made it: it is sent at once and handed to nobody, so it has no life of its own.
///
/// The signature stands in an `Authorization` header, or in the URL where a presigner knows no other way. Either is a bearer secret: Debug shows neither the
/// query nor the headers' values.
///
/// ```
/// # use valetkey_core::{AuthorizedRequest, Method, Operation};
/// # let headers = [("authorization", "AWS4-HMAC-SHA256 ..")].into_iter().collect();
/// # let signed_at = "2026-11-22T10:30:00Z".parse()?;
/// let request = AuthorizedRequest::new(Operation::Head, "https://b.example/a".into(), headers, signed_at);
/// assert_eq!(request.method, Method::Head);
/// assert!(!format!("{request:?}").contains("AWS4"));
/// # Ok::<(), valetkey_core::TimeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizedRequest {
    /// The operation that was signed.
    pub operation: Operation,
    /// The HTTP method.
    pub method: Method,
    /// The URL. Send it exactly so: neither decoded nor normalised.
    pub url: String,
    /// Every header to send, with its exact value (`host` aside).
    pub headers: SignedHeaders,
    /// The moment that was signed. Stores take it for 15 minutes before and after.
    pub signed_at: Timestamp,
}

impl AuthorizedRequest {
    /// Puts a request together; for providers.
    #[must_use]
    pub const fn new(operation: Operation, url: String, headers: SignedHeaders, signed_at: Timestamp) -> Self {
        Self { operation, method: operation.method(), url, headers, signed_at }
    }

    /// Method, URL and headers in the types of the standard library, for any HTTP client.
    ///
    /// ```
    /// # use valetkey_core::{AuthorizedRequest, Operation};
    /// # let headers = [("authorization", "AWS4-HMAC-SHA256 ..")].into_iter().collect();
    /// # let request = AuthorizedRequest::new(Operation::Head, "https://b.example/a".into(), headers, "2026-11-22T10:30:00Z".parse()?);
    /// let (method, url, headers) = request.http_parts();
    /// assert_eq!((method, url, headers.count()), ("HEAD", "https://b.example/a", 1));
    /// # Ok::<(), valetkey_core::TimeError>(())
    /// ```
    pub fn http_parts(&self) -> (&'static str, &str, impl Iterator<Item = (&str, &str)>) {
        (self.method.as_str(), &self.url, self.headers.iter())
    }
}

impl From<PresignedRequest> for AuthorizedRequest {
    fn from(signed: PresignedRequest) -> Self {
        Self { operation: signed.operation, method: signed.method, url: signed.url, headers: signed.signed_headers, signed_at: signed.signed_at }
    }
}

impl fmt::Debug for AuthorizedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        formatter
            .debug_struct("AuthorizedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("url", &format_args!("{place}?.."))
            .field("headers", &self.headers)
            .field("signed_at", &self.signed_at)
            .finish()
    }
}
