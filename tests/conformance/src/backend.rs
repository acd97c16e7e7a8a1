//! What a provider under test brings along: a way to send, and a clock to turn.

use core::fmt;

use async_trait::async_trait;
use valetkey_core::{AuthorizedRequest, Method, PresignedRequest, SignedHeaders, Timestamp};

/// Sends what was signed to something that verifies it: a server over HTTP, or [one in this process](crate::in_process::VerifyingBackend).
///
/// An implementation sends the request exactly as it is and returns whatever comes back. It follows no redirect, retries nothing, adds no header but
/// those of the framing, and neither decodes nor normalises the URL. What cannot be sent at all is status 0.
///
/// ```
/// use valetkey_conformance::{Backend, WireRequest, WireResponse};
///
/// /// A store that is down.
/// struct Down;
///
/// #[async_trait::async_trait]
/// impl Backend for Down {
///     async fn send(&self, _request: WireRequest) -> WireResponse {
///         WireResponse::new(503, Vec::new(), b"<Error><Code>ServiceUnavailable</Code></Error>".to_vec())
///     }
/// }
/// ```
#[async_trait]
pub trait Backend: Send + Sync {
    /// Sends one request.
    async fn send(&self, request: WireRequest) -> WireResponse;
}

/// The one clock of a run: the presigner signs by it and the verifier judges by it.
///
/// ```
/// use valetkey_conformance::TestClock;
/// use valetkey_conformance::in_process::ManualClock;
///
/// let clock = ManualClock::new("2026-11-22T10:30:00Z".parse()?);
/// clock.set("2026-11-22T10:45:01Z".parse()?);
/// assert_eq!(clock.now().to_string(), "2026-11-22T10:45:01Z");
/// # Ok::<(), valetkey_core::TimeError>(())
/// ```
pub trait TestClock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Turns the clock, forward or back.
    fn set(&self, now: Timestamp);

    /// Whether [`set`](Self::set) does anything. A real service's clock cannot be turned; what needs that is then skipped, not passed.
    fn turns(&self) -> bool {
        true
    }
}

/// A request to send. The URL is a bearer secret, so Debug shows neither its query nor values of headers.
#[derive(Clone)]
#[non_exhaustive]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The URL, to be sent exactly so.
    pub url: String,
    /// Headers, lower-case names. Never `content-length`, which the framing decides. A `host` is sent instead of the URL's, to the same address.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Send the body in chunks, without a `Content-Length`. Otherwise PUT and POST carry the body's length, a length of 0 included.
    pub chunked: bool,
}

impl WireRequest {
    /// What an honest client sends: method, URL and exactly the signed headers.
    #[must_use]
    pub fn of(signed: &PresignedRequest, body: impl Into<Vec<u8>>) -> Self {
        Self { method: signed.method, url: signed.url.clone(), headers: to_send(&signed.signed_headers), body: body.into(), chunked: false }
    }

    /// What the signer itself sends at once: method, URL and exactly the headers.
    #[must_use]
    pub fn authorized(signed: &AuthorizedRequest, body: impl Into<Vec<u8>>) -> Self {
        Self { method: signed.method, url: signed.url.clone(), headers: to_send(&signed.headers), body: body.into(), chunked: false }
    }
}

fn to_send(headers: &SignedHeaders) -> Vec<(String, String)> {
    headers.iter().filter(|(name, _)| *name != "content-length").map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let mut debug = formatter.debug_struct("WireRequest");
        debug.field("method", &self.method).field("url", &format_args!("{place}?..")).field("headers", &names);
        debug.field("bytes", &self.body.len()).field("chunked", &self.chunked).finish()
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireResponse {
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// Headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The cloud's error code. Answers to HEAD have none.
    pub error_code: Option<String>,
}

impl WireResponse {
    /// Puts an answer together; the error code is read from the `<Code>` of the body.
    ///
    /// ```
    /// use valetkey_conformance::WireResponse;
    ///
    /// let answer = WireResponse::new(404, Vec::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec());
    /// assert_eq!(answer.error_code.as_deref(), Some("NoSuchKey"));
    /// ```
    #[must_use]
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let mut answer = Self { status, headers, body, error_code: None };
        if status >= 300 {
            answer.error_code = answer.element("Code");
        }
        answer
    }

    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The text of the first XML element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        let entities = [("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        Some(entities.iter().fold(value.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}
