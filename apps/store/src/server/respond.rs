//! Answers: what every one has, errors as each cloud writes them, and bodies that stream.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use valetkey_core::verify::Refusal;

use super::headers::put;
use crate::{Cloud, StoreError, objects::Reader, xml};

/// An answer on its way out.
pub(super) type Answer = Response<AnswerBody>;

/// The body of an answer: bytes at hand, then bytes that another task reads.
pub(super) struct AnswerBody {
    first: Option<Bytes>,
    rest: Option<mpsc::Receiver<Result<Bytes, StoreError>>>,
    remaining: u64,
}

impl AnswerBody {
    pub(super) fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// Streams `len` bytes. The first are read here, so that a file that cannot be opened becomes an error and not a broken answer.
    pub(super) async fn stream(mut reader: Reader, len: u64) -> Result<Self, StoreError> {
        let first = reader.next().await?.unwrap_or_default();
        if first.len() as u64 >= len {
            return Ok(Self::from(first));
        }
        // Two chunks are read ahead of the client, not more.
        let (sender, rest) = mpsc::channel(2);
        tokio::spawn(async move {
            loop {
                let next = match reader.next().await {
                    Ok(Some(chunk)) => Ok(chunk),
                    Ok(None) => return,
                    Err(error) => Err(error),
                };
                let failed = next.is_err();
                if sender.send(next).await.is_err() || failed {
                    return;
                }
            }
        });
        Ok(Self { first: Some(first), rest: Some(rest), remaining: len })
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> Self {
        Self { remaining: bytes.len() as u64, first: Some(bytes).filter(|bytes| !bytes.is_empty()), rest: None }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let next = match (self.first.take(), &mut self.rest) {
            (Some(first), _) => Some(Ok(first)),
            (None, Some(rest)) => match rest.poll_recv(context) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
            (None, None) => None,
        };
        if let Some(Ok(chunk)) = &next {
            self.remaining = self.remaining.saturating_sub(chunk.len() as u64);
        }
        Poll::Ready(next.map(|next| next.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

/// An answer with a status and nothing else.
pub(super) fn answer(status: StatusCode, body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

/// An answer with an XML body.
pub(super) fn xml_answer(status: StatusCode, body: String) -> Answer {
    let mut answer = answer(status, Bytes::from(body).into());
    put(answer.headers_mut(), "content-type", "application/xml");
    answer
}

/// Who answers whom.
pub(super) struct Envelope<'a> {
    pub(super) cloud: Cloud,
    pub(super) request_id: &'a str,
    pub(super) is_head: bool,
}

impl Envelope<'_> {
    /// The answer to a request that was refused.
    pub(super) fn refuse(&self, refusal: &Refusal) -> Answer {
        let body = xml::error(&xml::ErrorBody { cloud: self.cloud, refusal, request_id: self.request_id, host_id: "valetkey-store" });
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::NOT_MODIFIED {
            return answer(status, AnswerBody::empty());
        }
        let mut answer = if self.is_head {
            let mut answer = answer(status, AnswerBody::empty());
            if self.cloud == Cloud::Oss {
                put(answer.headers_mut(), "x-oss-err", &STANDARD.encode(&body));
            }
            put(answer.headers_mut(), "content-type", "application/xml");
            answer
        } else {
            xml_answer(status, body)
        };
        if let Some(ec) = refusal.ec {
            put(answer.headers_mut(), "x-oss-ec", ec);
        }
        answer
    }

    /// Adds what every answer has. A stored page or picture must never run as a script of this origin.
    pub(super) fn seal(&self, headers: &mut HeaderMap) {
        put(headers, "x-content-type-options", "nosniff");
        put(headers, "content-security-policy", "sandbox; default-src 'none'");
        put(headers, "referrer-policy", "no-referrer");
        match self.cloud {
            Cloud::S3 => {
                put(headers, "x-amz-request-id", self.request_id);
                put(headers, "x-amz-id-2", "valetkey-store");
                put(headers, "server", "valetkey-store");
            }
            Cloud::Oss => {
                put(headers, "x-oss-request-id", self.request_id);
                put(headers, "server", "valetkey-store");
            }
        }
    }
}
