//! What is fetched: what the store tells of it, the requests for its bytes, and the judgement of their answers.

use std::sync::Arc;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap};
use valetkey_core::{ByteRange, Constraint, ConstraintName, ObjectKey, ObjectRequest, Operation, PresignOptions};

use super::Fetched;
use crate::transfer::checksum::Told;
use crate::transfer::engine::{Cloud, Engine, Payload, Sign, Site};
use crate::transfer::error::TransferError;
use crate::transfer::event::TransferEvent;
use crate::transfer::retry::{Again, Failure, Tries};

/// An object as it is at the moment of the download, and how to ask for it.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) engine: Arc<Engine>,
    pub(super) site: Site,
    key: ObjectKey,
    constraints: Arc<[Constraint]>,
    pub(super) size: u64,
    pub(super) etag: Option<String>,
    content_type: Option<String>,
    /// What the store tells of the bytes, if it tells something that is to be compared.
    pub(super) told: Option<Told>,
}

impl Object {
    /// Asks the store.
    pub(super) async fn find(engine: Arc<Engine>, request: &ObjectRequest, check_md5: bool) -> Result<Self, TransferError> {
        let (key, constraints) = check(request)?;
        let get = constraints.iter().cloned().fold(ObjectRequest::get(key.clone()), ObjectRequest::with);
        let site = Site::of(&engine.presigner.presign(&get, &PresignOptions::new()).await?);
        let headers = head(&engine, &site, &key, &constraints).await?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let size = text(CONTENT_LENGTH).and_then(|length| length.parse().ok()).ok_or_else(|| unexpected(Operation::Head, "it does not say the length"))?;
        let md5 = Told::read_md5(&headers).filter(|_| check_md5);
        let told = Told::read(&headers).or(md5);
        Ok(Self { engine, site, key, constraints: constraints.into(), size, etag: text(ETAG), content_type: text(CONTENT_TYPE), told })
    }

    /// The request for the bytes from `first` to before `end`, of this very object.
    fn get(&self, first: u64, end: u64) -> ObjectRequest {
        // The condition of the caller was kept when the object was looked at; now it is this one.
        let constraints = self.constraints.iter().filter(|constraint| constraint.name() != ConstraintName::IfMatch).cloned();
        let request = constraints.fold(ObjectRequest::get(self.key.clone()), ObjectRequest::with);
        let request = self.etag.iter().fold(request, ObjectRequest::if_match);
        if first == 0 && end == self.size { request } else { request.range(ByteRange::Bounded { first, last: end.saturating_sub(1) }) }
    }

    /// Asks for the bytes from `first` to before `end` once. The answer is one of exactly those bytes of exactly this object.
    pub(super) async fn fetch(&self, first: u64, end: u64) -> Result<reqwest::Response, Failure> {
        let answer = self.engine.exchange(&self.get(first, end), Sign::Url, Payload::Nothing).await;
        let response = answer.map_err(|failure| match failure.error {
            TransferError::Refused { status: 412, .. } => TransferError::ObjectChanged.into(),
            _ => failure,
        })?;
        self.judge(response.status().as_u16(), response.headers(), first, end)?;
        Ok(response)
    }

    fn judge(&self, status: u16, headers: &HeaderMap, first: u64, end: u64) -> Result<(), TransferError> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let is_whole = first == 0 && end == self.size;
        let unexpected = |reason: String| Err(unexpected(Operation::Get, &reason));
        // Stores that do not know the condition are found out here.
        if self.etag.is_some() && text(ETAG).is_some_and(|etag| Some(etag) != self.etag.as_deref()) {
            return Err(TransferError::ObjectChanged);
        }
        match status {
            206 => {
                let want = format!("bytes {first}-{}/{}", end.saturating_sub(1), self.size);
                let told = text(CONTENT_RANGE).unwrap_or_default();
                if told != want {
                    return unexpected(format!("it has the range `{}`, and `{want}` was asked for", told.escape_debug()));
                }
            }
            200 if is_whole => {}
            200 => return unexpected("it has the whole object where a range was asked for".to_owned()),
            _ => return unexpected(format!("its status is {status}")),
        }
        match text(CONTENT_LENGTH).map(str::parse::<u64>) {
            Some(Ok(length)) if length != end.saturating_sub(first) => {
                unexpected(format!("it has {length} bytes, and {} were asked for", end.saturating_sub(first)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn tries(&self, part: Option<u32>) -> Tries {
        self.engine.tries(Operation::Get, part)
    }

    /// What the caller is told in the end.
    pub(super) fn fetched(&self, is_checked: bool) -> Fetched {
        let checked = self.told.as_ref().filter(|_| is_checked).map(|told| told.algorithm.name());
        Fetched { size: self.size, etag: self.etag.clone(), content_type: self.content_type.clone(), checked }
    }
}

/// The key and what binds each request, without what only a download as a whole can decide.
fn check(request: &ObjectRequest) -> Result<(ObjectKey, Vec<Constraint>), TransferError> {
    let refuse = |reason: String| Err(TransferError::InvalidRequest { reason });
    let (Operation::Get, Some(key)) = (request.operation(), request.key()) else {
        return refuse(format!("a download is described by a get, and this is `{}`", request.operation()));
    };
    for constraint in request.constraints() {
        match constraint {
            Constraint::Range(_) => return refuse("a download makes its ranges itself; leave `range` out".to_owned()),
            Constraint::Process(_) => return refuse("what `process` makes is another object than the one that is checked; sign a URL for it".to_owned()),
            Constraint::Header { name, .. } if ["range", "if-range", "if-match", "if-none-match"].iter().any(|taken| name.eq_ignore_ascii_case(taken)) => {
                return refuse(format!("a download sets the header `{}` itself; leave it out", name.escape_debug()));
            }
            Constraint::Query { name, .. } if name.eq_ignore_ascii_case("partNumber") || name == "x-oss-process" => {
                return refuse(format!("a download is of whole objects as they are stored; leave the parameter `{}` out", name.escape_debug()));
            }
            _ => {}
        }
    }
    Ok((key.clone(), request.constraints().to_vec()))
}

/// The headers of the object.
async fn head(engine: &Engine, site: &Site, key: &ObjectKey, constraints: &[Constraint]) -> Result<HeaderMap, TransferError> {
    let applies = |constraint: &&Constraint| constraint.name().applies_to(Operation::Head);
    let mut request = constraints.iter().filter(applies).cloned().fold(ObjectRequest::head(key.clone()), ObjectRequest::with);
    // S3 tells checksums only to those who ask.
    let asks = |constraint: &Constraint| matches!(constraint, Constraint::Header { name, .. } if name.eq_ignore_ascii_case("x-amz-checksum-mode"));
    if site.cloud == Cloud::S3 && !constraints.iter().any(asks) {
        request = request.header("x-amz-checksum-mode", "ENABLED");
    }
    let mut tries = engine.tries(Operation::Head, None);
    loop {
        let mut failure = match engine.exchange(&request, Sign::Here, Payload::Nothing).await {
            Ok(response) => return Ok(response.headers().clone()),
            Err(failure) => failure,
        };
        if matches!(failure.error, TransferError::Refused { status: 400..500, code: None, .. }) && failure.again == Again::Never {
            failure = match explained(engine, key, constraints).await {
                Err(told) => told.unwrap_or(failure),
                // It may be had after all: the signature of the HEAD was too old, or it is the HEAD that is refused. Only a new one tells.
                Ok(()) => match engine.exchange(&request, Sign::Here, Payload::Nothing).await {
                    Ok(response) => {
                        engine.observer.tell(&TransferEvent::SignedAgain { operation: Operation::Head });
                        return Ok(response.headers().clone());
                    }
                    Err(failure) => failure,
                },
            };
        }
        tries.wait(failure).await?;
    }
}

/// The answer to HEAD has no body that says why; that to a GET has, if it says anything. `Ok` where the GET is not refused.
async fn explained(engine: &Engine, key: &ObjectKey, constraints: &[Constraint]) -> Result<(), Option<Failure>> {
    let first_byte = ObjectRequest::get(key.clone()).range(ByteRange::Bounded { first: 0, last: 0 });
    let request = constraints.iter().cloned().fold(first_byte, ObjectRequest::with);
    match engine.exchange(&request, Sign::Url, Payload::Nothing).await {
        Err(told) if matches!(told.error, TransferError::Refused { status: 400..500, code: Some(_), .. }) => Err(Some(told)),
        Err(_) => Err(None),
        Ok(_) => Ok(()),
    }
}

fn unexpected(operation: Operation, reason: &str) -> TransferError {
    TransferError::UnexpectedAnswer { operation, reason: reason.to_owned() }
}
