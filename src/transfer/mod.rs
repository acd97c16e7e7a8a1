//! Sending what was signed.
//!
//! A thin layer over an HTTP client that does what a presigned request needs: it sends exactly the signed headers and nothing that breaks the signature,
//! gives every body a length, follows no redirect (the host is signed, so a redirected request must be signed anew), and reads the store's error. A signed
//! form goes the same way, with its fields in their order and the file last.

mod answer;
mod body;
mod checksum;
mod download;
mod engine;
mod error;
mod event;
mod files;
mod form;
mod options;
mod retry;
mod source;
mod upload;

use std::time::Duration;

use bytes::Bytes;
use valetkey_core::PresignedRequest;

pub use body::Body;
pub use download::{Fetched, ObjectReader};
pub use error::TransferError;
pub use event::{Phase, Progress, TransferEvent};
pub use form::{FormFile, Uploaded};
pub use options::TransferOptions;
pub use retry::RetryPolicy;
pub use upload::Stored;

use answer::Refusal;
use body::BodyKind;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of the largest object of both clouds that is transferred in files.
const MAX_OBJECT: u64 = 5 << 40;

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
        let head = self.head(request.http_parts())?;
        let builder = match body.0 {
            BodyKind::Empty => head.without_body(),
            BodyKind::Bytes(bytes) => head.with_bytes(bytes),
            BodyKind::Stream { length, stream } => head.with_length(length).body(reqwest::Body::wrap_stream(stream)),
        };
        let response = builder.send().await.map_err(TransferError::no_answer)?;
        if response.status().is_success() { Ok(Answer(response)) } else { Err(Refusal::read(response).await.into()) }
    }

    /// A request with exactly these headers.
    fn head<'a>(&self, (method, url, headers): (&str, &str, impl Iterator<Item = (&'a str, &'a str)>)) -> Result<Head, TransferError> {
        let unsendable = |reason: String| TransferError::Unsendable { reason };
        let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|error| unsendable(error.to_string()))?;
        let takes_body = matches!(method, reqwest::Method::PUT | reqwest::Method::POST);
        let mut head = Head { builder: self.client_for(url).request(method, url), takes_body, has_length: false };
        for (name, value) in headers {
            let value =
                reqwest::header::HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unsendable(format!("`{name}` has a value that HTTP cannot carry")))?;
            head.has_length |= name == reqwest::header::CONTENT_LENGTH.as_str();
            head.builder = head.builder.header(name, value);
        }
        Ok(head)
    }

    fn client_for(&self, url: &str) -> &reqwest::Client {
        if is_loopback(url) { &self.loopback } else { &self.client }
    }
}

/// A request without its body.
struct Head {
    builder: reqwest::RequestBuilder,
    takes_body: bool,
    has_length: bool,
}

impl Head {
    /// Says the length, unless a signed header says it.
    fn with_length(self, length: u64) -> reqwest::RequestBuilder {
        if self.has_length { self.builder } else { self.builder.header(reqwest::header::CONTENT_LENGTH, length) }
    }

    /// Without a body, and with a length of 0 where the method takes one.
    fn without_body(self) -> reqwest::RequestBuilder {
        if self.takes_body { self.with_bytes(Bytes::new()) } else { self.builder }
    }

    /// The HTTP client says no length of an empty body, and stores ask for one.
    fn with_bytes(self, bytes: Bytes) -> reqwest::RequestBuilder {
        self.with_length(bytes.len() as u64).body(bytes)
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
}
