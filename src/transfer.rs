//! Sending what was signed.
//!
//! A thin layer over an HTTP client that does what a presigned request needs: it sends exactly the signed headers and nothing that breaks the signature,
//! gives every body a length, follows no redirect (the host is signed, so a redirected request must be signed anew), and reads the store's error.

use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use valetkey_core::PresignedRequest;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an error body that are read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Sends presigned requests. Cheap to clone; connections are shared.
///
/// ```no_run
/// # async fn example(put: valetkey::PresignedRequest) -> Result<(), Box<dyn std::error::Error>> {
/// use valetkey::transfer::{Body, Transfer};
///
/// let answer = Transfer::new()?.send(&put, Body::from("hello")).await?;
/// println!("stored, ETag {:?}", answer.header("etag"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Transfer {
    client: reqwest::Client,
    /// A proxy that the environment names cannot reach this machine's own loopback.
    loopback: reqwest::Client,
}

/// What is sent.
pub struct Body(BodyKind);

enum BodyKind {
    Empty,
    Bytes(Bytes),
    Stream { length: u64, body: reqwest::Body },
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(BodyKind::Empty)
    }

    /// A stream of exactly `length` bytes: stores refuse bodies whose length is not said first.
    #[must_use]
    pub fn stream<S, E>(length: u64, stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self(BodyKind::Stream { length, body: reqwest::Body::wrap_stream(stream) })
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            BodyKind::Empty => formatter.write_str("Body(empty)"),
            BodyKind::Bytes(bytes) => write!(formatter, "Body({} bytes)", bytes.len()),
            BodyKind::Stream { length, .. } => write!(formatter, "Body(stream of {length} bytes)"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(BodyKind::Bytes(bytes.into()))
    }
}

/// Why a request did not succeed. No variant holds the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The store refused.
    #[error("the store refused with {status} {}: {}", code.as_deref().unwrap_or("(no code)"), message.as_deref().unwrap_or("(no message)"))]
    Refused {
        /// HTTP status.
        status: u16,
        /// `Code` of the error body.
        code: Option<String>,
        /// `Message` of the error body.
        message: Option<String>,
    },
    /// No answer.
    #[error("no answer from the store: {reason}")]
    NoAnswer {
        /// What went wrong, without the URL.
        reason: String,
    },
    /// The request cannot be sent as it was signed.
    #[error("the request cannot be sent: {reason}")]
    Unsendable {
        /// What is wrong.
        reason: String,
    },
}

impl TransferError {
    fn no_answer(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::NoAnswer { reason }
    }
}

impl Transfer {
    /// Makes a client.
    ///
    /// # Errors
    /// [`TransferError::Unsendable`] when the system's TLS cannot be set up.
    pub fn new() -> Result<Self, TransferError> {
        let builder = || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT_TIMEOUT);
        let build = |builder: reqwest::ClientBuilder| builder.build().map_err(|error| TransferError::Unsendable { reason: error.without_url().to_string() });
        Ok(Self { client: build(builder())?, loopback: build(builder().no_proxy())? })
    }

    /// Sends a request with a body and waits for the beginning of the answer.
    ///
    /// # Errors
    /// [`TransferError`] for every answer outside of 2xx and for none.
    pub async fn send(&self, request: &PresignedRequest, body: Body) -> Result<Answer, TransferError> {
        let (method, url, headers) = request.http_parts();
        let unsendable = |reason: String| TransferError::Unsendable { reason };
        let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|error| unsendable(error.to_string()))?;
        let takes_body = matches!(method, reqwest::Method::PUT | reqwest::Method::POST);
        let client = if is_loopback(url) { &self.loopback } else { &self.client };
        let mut builder = client.request(method, url);
        for (name, value) in headers {
            let value =
                reqwest::header::HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unsendable(format!("`{name}` has a value that HTTP cannot carry")))?;
            builder = builder.header(name, value);
        }
        builder = match body.0 {
            BodyKind::Empty if takes_body => builder.body(Bytes::new()),
            BodyKind::Empty => builder,
            BodyKind::Bytes(bytes) => builder.body(bytes),
            BodyKind::Stream { length, body } => builder.header(reqwest::header::CONTENT_LENGTH, length).body(body),
        };
        let response = builder.send().await.map_err(TransferError::no_answer)?;
        if response.status().is_success() { Ok(Answer(response)) } else { Err(refused(response).await) }
    }
}

fn is_loopback(url: &str) -> bool {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback()) || host == "localhost" || host.ends_with(".localhost")
}

async fn refused(mut response: reqwest::Response) -> TransferError {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BYTES {
            break;
        }
    }
    let (code, message) = read_error(&String::from_utf8_lossy(&body));
    TransferError::Refused { status, code, message }
}

/// `Code` and `Message` of the error body that both clouds send.
fn read_error(xml: &str) -> (Option<String>, Option<String>) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut code, mut message) = (None, None);
    let mut path: Vec<String> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => path.push(start.name().as_ref().to_owned()),
            Ok(Event::End(_)) => drop(path.pop()),
            Ok(Event::Text(text)) => {
                let slot = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["Error", "Code"] => &mut code,
                    ["Error", "Message"] => &mut message,
                    _ => continue,
                };
                slot.get_or_insert_with(String::new).push_str(&text);
            }
            Ok(Event::GeneralRef(reference)) => {
                let resolved = match &*reference {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "apos" => "'",
                    "quot" => "\"",
                    _ => "\u{fffd}",
                };
                if let (Some("Message"), Some(message)) = (path.last().map(String::as_str), &mut message) {
                    message.push_str(resolved);
                }
            }
            Ok(Event::Eof) | Err(_) => return (code, message),
            Ok(_) => {}
        }
    }
}

/// An answer that succeeded.
#[derive(Debug)]
pub struct Answer(reqwest::Response);

impl Answer {
    /// HTTP status, 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// A header's value, when it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`TransferError::NoAnswer`] when the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TransferError> {
        self.0.chunk().await.map_err(TransferError::no_answer)
    }

    /// The whole body in memory.
    ///
    /// # Errors
    /// [`TransferError::NoAnswer`] when the connection breaks.
    pub async fn bytes(self) -> Result<Bytes, TransferError> {
        self.0.bytes().await.map_err(TransferError::no_answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_the_network() {
        for (url, loopback) in [
            ("http://127.0.0.1:9000/b/k?x", true),
            ("http://[::1]:9000/b/k", true),
            ("http://media.localhost:9000/k", true),
            ("http://localhost/b", true),
            ("https://localhost.example/b", false),
            ("https://b.s3.eu-central-1.amazonaws.com/127.0.0.1", false),
            ("http://10.0.0.1/b", false),
        ] {
            assert_eq!(is_loopback(url), loopback, "{url}");
        }
    }

    #[test]
    fn error_bodies_of_both_clouds_are_read() {
        for (xml, code, message) in [
            (
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                Some("AccessDenied"),
                Some("Request has expired"),
            ),
            ("<Error>\n <Code>InvalidArgument</Code>\n <Message>a &lt; b &amp; c</Message><EC>0002-1</EC></Error>", Some("InvalidArgument"), Some("a < b & c")),
            ("<html><body>Bad Gateway</body></html>", None, None),
            ("not xml <<<", None, None),
            ("", None, None),
        ] {
            assert_eq!(read_error(xml), (code.map(String::from), message.map(String::from)), "{xml}");
        }
    }
}
