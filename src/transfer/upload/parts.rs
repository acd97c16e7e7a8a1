//! The requests of an upload in parts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ETAG, HeaderMap};
use tokio::task::JoinSet;
use valetkey_core::Operation;

use super::plan::{Cut, Requests};
use super::state::{Part, State};
use crate::transfer::answer::{Refusal, children, elements, read_small};
use crate::transfer::checksum::{Algorithm, Told, etag_of_parts};
use crate::transfer::engine::{Cloud, Engine, Payload, Sign};
use crate::transfer::error::TransferError;
use crate::transfer::event::{Meter, TransferEvent};
use crate::transfer::files::joined;
use crate::transfer::retry::{Again, Failure};
use crate::transfer::source::{Digests, Region, Source};

/// How long a store may take to make an object of its parts. S3 says "minutes".
const COMPLETE_TIMEOUT: Duration = Duration::from_secs(600);

/// An upload in parts that the store knows.
#[derive(Clone)]
pub(super) struct Multipart {
    pub(super) engine: Arc<Engine>,
    pub(super) requests: Arc<Requests>,
    pub(super) cloud: Cloud,
    pub(super) cut: Cut,
    pub(super) upload_id: Arc<str>,
}

/// What a request for bytes gave back.
pub(super) struct Sent {
    pub(super) etag: Option<String>,
    pub(super) crc: u64,
    pub(super) checked: Option<&'static str>,
}

/// Sends a region until it is there, and compares what the store tells of it.
pub(super) async fn send_region(
    engine: &Engine,
    request: &valetkey_core::ObjectRequest,
    part: Option<u32>,
    region: impl Fn() -> Region,
    mut on_failure: impl FnMut(&Failure),
) -> Result<Sent, TransferError> {
    let mut tries = engine.tries(request.operation(), part);
    loop {
        let region = region();
        let flow = region.flow();
        let answer = engine.exchange(request, Sign::Url, Payload::Region(Box::new(region))).await;
        let failure = match answer {
            Ok(response) => match flow.digests() {
                Some(digests) => return check(response.headers(), &digests),
                None => Failure::later(TransferError::NoAnswer { reason: "the store answered before it had all bytes".to_owned() }),
            },
            Err(failure) => failure,
        };
        flow.take_back();
        on_failure(&failure);
        tries.wait(failure).await?;
    }
}

fn check(headers: &HeaderMap, digests: &Digests) -> Result<Sent, TransferError> {
    let mut checked = None;
    if let (Some(md5), Some(told)) = (digests.md5(), Told::read_md5(headers)) {
        told.check(md5)?;
        checked = Some(Algorithm::Md5.name());
    }
    // Another checksum than the one that was computed is one that the caller asked for and the store has judged.
    if let Some(told) = Told::read(headers).filter(|told| told.algorithm == digests.algorithm()) {
        told.check(told.algorithm.text_of_crc(digests.crc()))?;
        checked = Some(told.algorithm.name());
    }
    Ok(Sent { etag: text(headers), crc: digests.crc(), checked })
}

fn text(headers: &HeaderMap) -> Option<String> {
    headers.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned)
}

impl Multipart {
    /// Begins an upload and gives its id.
    pub(super) async fn create(engine: &Engine, requests: &Requests) -> Result<String, TransferError> {
        let operation = Operation::CreateMultipart;
        let mut tries = engine.tries(operation, None);
        loop {
            let failure = match engine.exchange(&requests.create(), Sign::Here, Payload::Nothing).await {
                Ok(response) => {
                    let failure = match tokio::time::timeout(engine.stall_timeout, read_small(response)).await {
                        Ok(Ok(body)) => {
                            let [id] = children(&body, "InitiateMultipartUploadResult", ["UploadId"]);
                            return id
                                .filter(|id| !id.is_empty())
                                .ok_or_else(|| TransferError::UnexpectedAnswer { operation, reason: "it names no upload".to_owned() });
                        }
                        Ok(Err(error)) => Failure::later(TransferError::no_answer(error)),
                        Err(_) => Failure::stalled(engine.stall_timeout),
                    };
                    engine.observer.tell(&TransferEvent::LeftUnnamed { reason: failure.error.to_string() });
                    failure
                }
                Err(failure) => failure,
            };
            tries.wait(failure).await?;
        }
    }

    /// Sends the parts of these numbers, several at a time, and adds each to the state.
    pub(super) async fn send(
        &self,
        source: &Arc<Source>,
        numbers: impl IntoIterator<Item = u32>,
        parallel: usize,
        check_md5: bool,
        meter: &Arc<Meter>,
        state: &mut State,
    ) -> Result<(), TransferError> {
        let mut numbers = numbers.into_iter();
        // Dropping it ends the requests that are under way.
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < parallel {
                let Some(number) = numbers.next() else { break };
                let (this, source, meter) = (self.clone(), Arc::clone(source), Arc::clone(meter));
                under_way.spawn(async move { this.send_part(source, number, check_md5, meter).await });
            }
            match under_way.join_next().await {
                None => return Ok(()),
                Some(sent) => state.add(joined(sent)??).await?,
            }
        }
    }

    async fn send_part(&self, source: Arc<Source>, number: u32, check_md5: bool, meter: Arc<Meter>) -> Result<Part, TransferError> {
        let (start, size) = self.cut.part(number);
        let request = self.requests.part(&self.upload_id, number, size);
        let digests = Digests::new(Algorithm::of(self.cloud), check_md5);
        let region = || Region::new(Arc::clone(&source), start, size, digests.clone(), Arc::clone(&meter));
        let sent = send_region(&self.engine, &request, Some(number), region, |_| {}).await?;
        let etag = sent.etag.ok_or_else(|| TransferError::UnexpectedAnswer {
            operation: Operation::UploadPart,
            reason: format!("part {number} got no ETag, and without one the upload cannot be completed"),
        })?;
        Ok(Part { number, etag, size, crc: sent.crc })
    }

    /// The parts that the store has: number, ETag, size. `None` where it does not know the upload.
    pub(super) async fn list(&self) -> Result<Option<Vec<(u32, String, u64)>>, TransferError> {
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let Some(page) = self.list_page(after).await? else { return Ok(None) };
            let [is_truncated, next] = children(&page, "ListPartsResult", ["IsTruncated", "NextPartNumberMarker"]);
            let unexpected = |reason: &str| TransferError::UnexpectedAnswer { operation: Operation::ListParts, reason: reason.to_owned() };
            let is_truncated = is_truncated.ok_or_else(|| unexpected("it is no list of parts"))?;
            for part in elements(&page, "Part", ["PartNumber", "ETag", "Size"]) {
                let [Some(number), Some(etag), Some(size)] = part else { continue };
                if let (Ok(number), Ok(size)) = (number.trim().parse(), size.trim().parse()) {
                    found.push((number, etag, size));
                }
            }
            if !is_truncated.trim().eq_ignore_ascii_case("true") {
                return Ok(Some(found));
            }
            let next = next.and_then(|next| next.trim().parse().ok()).filter(|next| *next > after);
            after = next.ok_or_else(|| unexpected("it does not say where its next page begins"))?;
        }
    }

    async fn list_page(&self, after: u32) -> Result<Option<String>, TransferError> {
        let mut tries = self.engine.tries(Operation::ListParts, None);
        loop {
            let failure = match self.engine.exchange(&self.requests.list_parts(&self.upload_id, after), Sign::Here, Payload::Nothing).await {
                // A page of a thousand parts is larger than other answers.
                Ok(response) => match tokio::time::timeout(self.engine.stall_timeout, response.text()).await {
                    Ok(Ok(page)) => return Ok(Some(page)),
                    Ok(Err(error)) => Failure::later(TransferError::no_answer(error)),
                    Err(_) => Failure::stalled(self.engine.stall_timeout),
                },
                Err(failure) => failure,
            };
            if is_unknown_upload(&failure.error) {
                return Ok(None);
            }
            tries.wait(failure).await?;
        }
    }

    /// Makes an object of the parts. Gives its ETag and what was compared.
    pub(super) async fn complete(&self, size: u64, mut parts: Vec<Part>) -> Result<(Option<String>, Option<&'static str>), TransferError> {
        parts.sort_by_key(|part| part.number);
        let crc = Algorithm::of(self.cloud).combine_all(parts.iter().map(|part| (part.crc, part.size)));
        let crc = Told { algorithm: Algorithm::of(self.cloud), text: Algorithm::of(self.cloud).text_of_crc(crc) };
        let list = Bytes::from(list_of(&parts));
        let mut tries = self.engine.tries(Operation::CompleteMultipart, None);
        let mut may_be_done = false;
        loop {
            let failure = match self.complete_once(size, list.clone()).await {
                Ok((etag, told)) => {
                    let checked = match told {
                        Some(told) => told.check(crc.text).map(|()| Some(told.algorithm.name()))?,
                        None => self.check_size(size, etag.as_deref()).await?,
                    };
                    return Ok((etag, checked));
                }
                Err(failure) => failure,
            };
            // An answer that was lost may have been the one of success; the upload is gone then.
            if may_be_done && matches!(failure.error, TransferError::Refused { status: 404 | 409 | 412, .. }) {
                let etag = etag_of_parts(parts.iter().map(|part| part.etag.as_str()));
                if let Some(stored) = stored(&self.engine, &self.requests, self.cloud, size, &crc, etag.as_deref()).await {
                    return Ok(stored);
                }
            }
            may_be_done |= matches!(failure.again, Again::Later(_));
            tries.wait(failure).await?;
        }
    }

    async fn complete_once(&self, size: u64, list: Bytes) -> Result<(Option<String>, Option<Told>), Failure> {
        let request = self.requests.complete(self.cloud, &self.upload_id, size);
        let limit = COMPLETE_TIMEOUT.max(self.engine.stall_timeout);
        let response = self.engine.exchange_within(limit, &request, Sign::Here, Payload::Bytes(list)).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = tokio::time::timeout(limit, read_small(response)).await.map_err(|_| Failure::stalled(limit))?;
        let body = body.map_err(|error| Failure::later(TransferError::no_answer(error)))?;
        let [etag, crc] = children(&body, "CompleteMultipartUploadResult", ["ETag", "ChecksumCRC64NVME"]);
        if let Some(etag) = etag {
            let crc = crc.filter(|crc| !crc.contains('-')).map(|text| Told { algorithm: Algorithm::Crc64Nvme, text });
            let told = crc.or_else(|| Told::read(&headers)).filter(|told| told.algorithm == Algorithm::of(self.cloud));
            return Ok((Some(etag), told));
        }
        // S3 begins to answer with 200 before it knows how it ends.
        let refusal = Refusal::parse(status, &body);
        if refusal.code.is_some() {
            return Err(refusal.into());
        }
        Err(Failure::later(TransferError::UnexpectedAnswer { operation: Operation::CompleteMultipart, reason: "it names no object".to_owned() }))
    }

    /// Asks for the length of what was made, where the store told no checksum. Whoever may only write gets no answer to that, and needs none.
    async fn check_size(&self, size: u64, etag: Option<&str>) -> Result<Option<&'static str>, TransferError> {
        let Ok(response) = self.engine.exchange(&self.requests.head(self.cloud), Sign::Here, Payload::Nothing).await else { return Ok(None) };
        let headers = response.headers();
        let (told, tag) = (length(headers), text(headers));
        if tag.as_deref() != etag || told.is_none_or(|told| told == size) {
            return Ok(None);
        }
        let reason = format!("the object has {} bytes, and {size} were sent", told.unwrap_or_default());
        Err(TransferError::UnexpectedAnswer { operation: Operation::CompleteMultipart, reason })
    }

    /// Throws the parts away, if that can be done within `limit`.
    pub(super) async fn abort(&self, limit: Duration) {
        let request = self.requests.abort(&self.upload_id);
        let reason = match tokio::time::timeout(limit, self.engine.exchange(&request, Sign::Here, Payload::Nothing)).await {
            Ok(Ok(_)) => return,
            Ok(Err(failure)) if is_unknown_upload(&failure.error) => return,
            Ok(Err(failure)) => failure.error.to_string(),
            Err(_) => format!("no answer within {} seconds", limit.as_secs()),
        };
        self.engine.observer.tell(&TransferEvent::LeftBehind { upload_id: self.upload_id.to_string(), reason });
    }
}

/// Whether what the store has is what was sent: of the same length, and with the same checksum or ETag.
pub(super) async fn stored(
    engine: &Engine,
    requests: &Requests,
    cloud: Cloud,
    size: u64,
    crc: &Told,
    etag: Option<&str>,
) -> Option<(Option<String>, Option<&'static str>)> {
    let mut tries = engine.tries(Operation::Head, None);
    let response = loop {
        match engine.exchange(&requests.head(cloud), Sign::Here, Payload::Nothing).await {
            Ok(response) => break response,
            Err(failure) => tries.wait(failure).await.ok()?,
        }
    };
    let headers = response.headers();
    let tag = text(headers);
    let is_same_crc = Told::read(headers).is_some_and(|told| told == *crc);
    let is_same_tag = etag.is_some() && tag.as_deref().map(|tag| tag.trim_matches('"').to_ascii_lowercase()).as_deref() == etag;
    let is_ours = length(headers) == Some(size) && (is_same_crc || is_same_tag);
    is_ours.then(|| (tag, is_same_crc.then(|| crc.algorithm.name())))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(reqwest::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the store says that it has no such upload.
pub(super) fn is_unknown_upload(error: &TransferError) -> bool {
    matches!(error, TransferError::Refused { status: 404, code: Some(code), .. } if code == "NoSuchUpload")
}

/// The body that completes an upload.
fn list_of(parts: &[Part]) -> String {
    let mut xml = String::from("<CompleteMultipartUpload>");
    for part in parts {
        let etag = part.etag.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        xml.push_str(&format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", part.number));
    }
    xml.push_str("</CompleteMultipartUpload>");
    xml
}
