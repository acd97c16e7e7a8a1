//! One request: signed, sent, watched, and its failure judged. What transfers are made of.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use valetkey_core::{AuthorizedRequest, ObjectRequest, PresignOptions, PresignedRequest, Presigner};

use super::Transfer;
use super::answer::{Advice, Refusal};
use super::error::TransferError;
use super::event::Observer;
use super::options::TransferOptions;
use super::retry::{Again, Failure, RetryPolicy};
use super::source::Region;

/// Bytes per second that a store writes at least.
const SLOWEST_DISK: u64 = 16 << 20;

/// Whose dialect a store speaks, by what is signed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloud {
    S3,
    Oss,
}

/// Where an object is and who keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) cloud: Cloud,
    /// Authority and path, without scheme and query: nothing that could be used.
    pub(super) location: String,
}

impl Site {
    pub(super) fn of(signed: &PresignedRequest) -> Self {
        let (place, query) = signed.url.split_once('?').unwrap_or((&signed.url, ""));
        let is_oss = query.contains("x-oss-signature") || signed.signed_headers.iter().any(|(name, _)| name.starts_with("x-oss-"));
        let location = place.split_once("://").map_or(place, |(_, rest)| rest).to_owned();
        Self { cloud: if is_oss { Cloud::Oss } else { Cloud::S3 }, location }
    }
}

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// As a URL that anybody could be given: requests that carry an object's bytes.
    Url,
    /// For this process: everything else.
    Here,
}

/// What is sent along.
pub(super) enum Payload {
    Nothing,
    Bytes(Bytes),
    Region(Box<Region>),
}

/// Signs and sends.
pub(super) struct Engine {
    pub(super) transfer: Transfer,
    pub(super) presigner: Arc<dyn Presigner>,
    pub(super) retry: RetryPolicy,
    pub(super) observer: Observer,
    pub(super) stall_timeout: Duration,
}

impl Engine {
    pub(super) fn new(transfer: &Transfer, presigner: Arc<dyn Presigner>, options: &TransferOptions) -> Arc<Self> {
        Arc::new(Self {
            transfer: transfer.clone(),
            presigner,
            retry: options.retry.clone(),
            observer: options.observer.clone(),
            stall_timeout: options.stall_timeout,
        })
    }

    /// Sends a request once and waits for the beginning of an answer of 2xx.
    pub(super) async fn exchange(&self, request: &ObjectRequest, sign: Sign, payload: Payload) -> Result<reqwest::Response, Failure> {
        self.exchange_within(self.stall_timeout, request, sign, payload).await
    }

    /// As [`exchange`](Self::exchange), with another time to wait for an answer.
    pub(super) async fn exchange_within(&self, limit: Duration, request: &ObjectRequest, sign: Sign, payload: Payload) -> Result<reqwest::Response, Failure> {
        // Signed anew for every try: credentials may be newer, and no URL can have ended meanwhile.
        let signed = self.sign(request, sign).await?;
        let (flow, limit) = match &payload {
            // A store may bring the bytes to its disk before it answers.
            Payload::Region(region) => (Some(region.flow()), limit.max(Duration::from_secs(region.length() / SLOWEST_DISK))),
            _ => (None, limit),
        };
        let still = AtomicU64::new(0);
        let moved = flow.as_ref().map_or(&still, |flow| &flow.moved);
        let sent = unless_stalled(limit, moved, self.build(&signed, payload)?.send()).await;
        // What broke the body is the cause of what the client says of it.
        if let Some(error) = flow.as_ref().and_then(|flow| flow.take_failure()) {
            return Err(error.into());
        }
        let response = match sent {
            None => return Err(Failure::stalled(limit)),
            Some(Err(error)) if error.is_builder() => return Err(TransferError::Unsendable { reason: error.without_url().to_string() }.into()),
            Some(Err(error)) => return Err(Failure::later(TransferError::no_answer(error))),
            Some(Ok(response)) => response,
        };
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        Ok(response)
    }

    async fn refused(&self, response: reqwest::Response) -> Failure {
        let status = response.status().as_u16();
        // An error body that does not come is no reason to wait for long.
        match tokio::time::timeout(self.stall_timeout, Refusal::read(response)).await {
            Ok(refusal) => refusal.into(),
            Err(_) => Refusal::parse(status, "").into(),
        }
    }

    async fn sign(&self, request: &ObjectRequest, sign: Sign) -> Result<Signed, TransferError> {
        Ok(match sign {
            Sign::Url => Signed::Url(self.presigner.presign(request, &PresignOptions::new()).await?),
            Sign::Here => Signed::Here(self.presigner.authorize(request).await?),
        })
    }

    fn build(&self, signed: &Signed, payload: Payload) -> Result<reqwest::RequestBuilder, TransferError> {
        let head = match signed {
            Signed::Url(signed) => self.transfer.head(signed.http_parts())?,
            Signed::Here(signed) => self.transfer.head(signed.http_parts())?,
        };
        Ok(match payload {
            Payload::Nothing => head.without_body(),
            Payload::Bytes(bytes) => head.with_bytes(bytes),
            Payload::Region(region) => head.with_length(region.length()).body(reqwest::Body::wrap_stream(region)),
        })
    }
}

enum Signed {
    Url(PresignedRequest),
    Here(AuthorizedRequest),
}

/// Waits for `work` as long as `moved` grows within every span of `limit`.
pub(super) async fn unless_stalled<T>(limit: Duration, moved: &AtomicU64, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut seen = moved.load(Ordering::Relaxed);
    loop {
        if let Ok(done) = tokio::time::timeout(limit, work.as_mut()).await {
            return Some(done);
        }
        let now = moved.load(Ordering::Relaxed);
        if now == seen {
            return None;
        }
        seen = now;
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let again = match refusal.advice() {
            Advice::GiveUp => Again::Never,
            Advice::TryLater(after) => Again::Later(after),
            Advice::SignAgain => Again::SignedAnew,
        };
        Self { error: refusal.into(), again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_not_stalled() {
        let limit = Duration::from_secs(60);
        let moved = Arc::new(AtomicU64::new(0));
        let work = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                moved.fetch_add(1, Ordering::Relaxed);
            }
            7
        };
        assert_eq!(unless_stalled(limit, &moved, work).await, Some(7));
        let begun = tokio::time::Instant::now();
        assert_eq!(unless_stalled(limit, &moved, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), limit);
    }
}
