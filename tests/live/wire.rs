//! Requests of the suite over HTTP and HTTPS, none of which leaves the prefix of the run.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use valetkey::{Method, encode};
use valetkey_conformance::{Backend, WireRequest, WireResponse};

/// What cannot be sent as it is, or leads elsewhere, is not sent: status 0.
pub(crate) struct Wire {
    client: reqwest::Client,
    base_url: String,
    key_prefix: String,
    /// What is charged as a write or a list.
    writes: AtomicU64,
    others: AtomicU64,
    bytes: AtomicU64,
}

impl Wire {
    pub(crate) fn new(base_url: &str, key_prefix: &str) -> Result<Self, String> {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never());
        let client = builder.timeout(std::time::Duration::from_secs(60)).build().map_err(|error| error.to_string())?;
        let zero = AtomicU64::default;
        Ok(Self { client, base_url: base_url.to_owned(), key_prefix: key_prefix.to_owned(), writes: zero(), others: zero(), bytes: zero() })
    }

    pub(crate) fn sent(&self) -> String {
        let [writes, others, bytes] = [&self.writes, &self.others, &self.bytes].map(|count| count.load(Ordering::Relaxed));
        format!("{} requests, {writes} of them PUT, POST or lists, with {bytes} bytes", writes + others)
    }

    /// Whether a request stays under the prefix: at one of its keys, or a list or a form at the bucket.
    pub(crate) fn is_own(&self, method: Method, url: &str) -> bool {
        let Some(rest) = url.strip_prefix(&*self.base_url) else { return false };
        // One form goes to a bucket of another name, where it must be refused.
        if (method, rest) == (Method::Post, "-other") {
            return true;
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        match path.strip_prefix('/').unwrap_or(path) {
            "" => match method {
                Method::Get | Method::Head => query.split('&').any(|pair| pair.starts_with("list-type=") || pair.starts_with("prefix=")),
                Method::Post => true,
                Method::Put | Method::Delete => false,
            },
            key => path.starts_with('/') && encode::decode(key).is_ok_and(|key| key.starts_with(&*self.key_prefix)),
        }
    }

    async fn exchange(&self, request: WireRequest) -> Result<WireResponse, Box<dyn std::error::Error + Send + Sync>> {
        let url = reqwest::Url::parse(&request.url)?;
        if !self.is_own(request.method, &request.url) || url.as_str() != request.url {
            return Err("it leads elsewhere, or the client would write it otherwise".into());
        }
        let charged = matches!(request.method, Method::Put | Method::Post) || request.url.contains("list-type=");
        if charged { &self.writes } else { &self.others }.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(request.body.len() as u64, Ordering::Relaxed);

        let mut builder = self.client.request(request.method.as_str().parse()?, url);
        for (name, value) in &request.headers {
            builder = builder.header(name.parse::<HeaderName>()?, HeaderValue::from_bytes(value.as_bytes())?);
        }
        if request.chunked {
            // A stream has no length, so it goes out in chunks.
            let stream = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(request.body)]);
            builder = builder.body(reqwest::Body::wrap_stream(stream));
        } else if matches!(request.method, Method::Put | Method::Post) {
            builder = builder.header(CONTENT_LENGTH, request.body.len()).body(request.body);
        }
        let answer = builder.send().await?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
        Ok(WireResponse::new(status, headers, answer.bytes().await?.to_vec()))
    }
}

#[async_trait::async_trait]
impl Backend for Wire {
    async fn send(&self, request: WireRequest) -> WireResponse {
        self.exchange(request).await.unwrap_or_else(|_| WireResponse::new(0, Vec::new(), Vec::new()))
    }
}
