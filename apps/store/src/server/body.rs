//! Bodies on their way in: received with a limit on waiting, or drained within bounds.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use valetkey_core::verify::Payload;

use super::Call;
use crate::{Cloud, StoreError};

/// How long a client may send nothing.
const IDLE: Duration = Duration::from_secs(60);

/// How much of a refused body is read and thrown away, and for how long, so that a client that is still sending gets to read the answer.
const DRAIN_BYTES: usize = 64 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// What the request says of its body's length; `None` where the body comes in chunks.
pub(super) fn framing(headers: &HeaderMap) -> Result<Option<u64>, StoreError> {
    let chunked = headers.contains_key("transfer-encoding");
    let mut lengths = headers.get_all("content-length").iter();
    match (lengths.next(), lengths.next(), chunked) {
        (Some(_), _, true) => Err(StoreError::InvalidRequest { reason: "Content-Length and Transfer-Encoding do not go together" }),
        (Some(_), Some(_), false) => Err(StoreError::InvalidRequest { reason: "Content-Length stands more than once" }),
        (Some(length), None, false) => {
            let digits = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|text| text.parse().ok());
            length.map(Some).ok_or(StoreError::InvalidRequest { reason: "Content-Length is not a number" })
        }
        (None, _, true) => Ok(None),
        (None, _, false) => Err(StoreError::MissingContentLength),
    }
}

/// The same of a signed request: it may have to have a length.
pub(super) fn check_framing(call: &Call<'_>) -> Result<Option<u64>, StoreError> {
    let is_signed = call.verified.signed_headers().iter().any(|name| name == "content-length");
    match (framing(call.headers.map)?, call.cloud()) {
        (Some(length), _) => Ok(Some(length)),
        // The verifier refuses a signed header that is missing; this holds even where one did not.
        (None, _) if is_signed => Err(StoreError::MissingContentLength),
        // The coding says how long the decoded body is.
        (None, Cloud::S3) if matches!(call.verified.payload(), Payload::Chunked { .. }) => Ok(None),
        (None, Cloud::S3) => Err(StoreError::NotImplemented { what: "Transfer-Encoding without a Content-Length" }),
        (None, Cloud::Oss) => Ok(None),
    }
}

/// The request's body. Hyper answers `Expect: 100-continue` when it is first asked for a frame, so nothing here may be called before the
/// request is verified, or is a form, which is verified by what its body says.
pub(super) struct RequestBody {
    incoming: Incoming,
    /// The client waits for a word before it sends anything.
    expects_continue: bool,
    started: bool,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, headers: &HeaderMap) -> Self {
        let expects_continue = headers.get("expect").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        Self { incoming, expects_continue, started: false }
    }

    /// The next bytes. A connection that breaks or falls silent is the end of the body, which then is not as long as was promised, or an
    /// error if nothing was.
    async fn next(&mut self) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>> {
        self.started = true;
        loop {
            match tokio::time::timeout(IDLE, self.incoming.frame()).await? {
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        return Ok(Some(data));
                    }
                }
                None => return Ok(None),
            }
        }
    }

    /// The next bytes; `received` and `promised` are for the error.
    pub(super) async fn chunk(&mut self, received: u64, promised: Option<u64>) -> Result<Option<Bytes>, StoreError> {
        self.next().await.map_err(|_| StoreError::IncompleteBody { promised: promised.unwrap_or_default(), received })
    }

    /// Reads on and throws away what a refused request still sends, while its answer is on the way. A client that waits for a word is not
    /// given one: it reads the answer and sends nothing.
    pub(super) fn drain(mut self) {
        if self.incoming.is_end_stream() || (self.expects_continue && !self.started) {
            return;
        }
        tokio::spawn(async move {
            let read_on = async {
                let mut left = DRAIN_BYTES;
                while let Ok(Some(chunk)) = self.next().await {
                    left = match left.checked_sub(chunk.len()) {
                        Some(left) => left,
                        None => return,
                    };
                }
            };
            let _ = tokio::time::timeout(DRAIN_TIME, read_on).await;
        });
    }
}
