//! The store's HTTP side: one port, two dialects.
//!
//! A request is verified before anything else is looked at, and each operation takes the [`Verified`] value: nothing else can make one, so
//! no path leads to an object around the verification.

use std::{convert::Infallible, sync::Arc};

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use valetkey_core::{
    ObjectKey, Timestamp,
    verify::{Refusal, Verified},
};

use crate::{Cloud, StoreError, objects::ObjectStore};

mod body;
mod conditions;
mod gate;
mod headers;
mod operation;
mod read;
mod respond;
mod start;
mod write;

pub use start::{Running, StartError, Store, StoreBuilder};

use body::RequestBody;
use gate::Gate;
use headers::Headers;
use operation::Operation;
use respond::{Answer, AnswerBody, Envelope, answer};

/// Fails closed: without the time nothing can be verified.
type Clock = Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>;
type Observer = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// What happened to one request, for a log. It holds nothing that was signed with, and no query.
#[derive(Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The id that the answer carries.
    pub request_id: &'a str,
    /// The dialect of the request.
    pub cloud: Cloud,
    /// The method as it was sent.
    pub method: &'a str,
    /// The bucket and the key, of a verified request.
    pub target: Option<(&'a str, Option<&'a str>)>,
    /// The status of the answer.
    pub status: u16,
    /// The cloud's error code, of a request that was refused.
    pub code: Option<&'a str>,
    /// Why the store itself failed.
    pub failure: Option<&'a StoreError>,
}

/// What every connection shares.
struct Service {
    objects: ObjectStore,
    gate: Gate,
    clock: Clock,
    observer: Observer,
}

/// A verified request without its body.
struct Call<'a> {
    verified: &'a Verified,
    headers: Headers<'a>,
    /// The host as it was sent, for the URL of a new object.
    host: &'a str,
    now: u64,
}

impl Call<'_> {
    fn cloud(&self) -> Cloud {
        self.headers.cloud
    }

    fn bucket(&self) -> &str {
        self.verified.bucket()
    }

    fn key(&self) -> Result<&str, StoreError> {
        self.verified.key().map(ObjectKey::as_str).ok_or(StoreError::EmptyKey)
    }

    fn upload_id(&self) -> &str {
        self.verified.parameter("uploadId").unwrap_or_default()
    }
}

/// An answer on its way, and what a log is told about it.
struct Outcome {
    answer: Answer,
    code: Option<&'static str>,
    failure: Option<StoreError>,
}

impl Service {
    /// Answers one request.
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (head, incoming) = request.into_parts();
        let mut body = RequestBody::new(incoming, &head.headers);
        let cloud = gate::cloud_of(&head);
        let request_id = request_id(cloud);
        let envelope = Envelope { cloud, request_id: &request_id, is_head: head.method == Method::HEAD };
        let now = (self.clock)();
        let verified = match now {
            Some(now) => self.gate.verify(cloud, &head, now),
            None => Err(Refusal::new(500, "InternalError", "The store's clock cannot be read.")),
        };
        let mut outcome = match &verified {
            Ok(verified) => {
                let headers = Headers { cloud, map: &head.headers, query: verified.query() };
                let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
                let call = Call { verified, headers, host, now: now.map(Timestamp::as_unix_seconds).unwrap_or_default() };
                self.act(&call, &mut body).await.map_or_else(|error| refused(&envelope, error), |answer| Outcome { answer, code: None, failure: None })
            }
            Err(refusal) => Outcome { answer: envelope.refuse(refusal), code: Some(refusal.code), failure: None },
        };
        body.drain();
        envelope.seal(outcome.answer.headers_mut());
        (self.observer)(&Event {
            request_id: &request_id,
            cloud,
            method: head.method.as_str(),
            target: verified.as_ref().ok().map(|verified| (verified.bucket(), verified.key().map(ObjectKey::as_str))),
            status: outcome.answer.status().as_u16(),
            code: outcome.code,
            failure: outcome.failure.as_ref(),
        });
        Ok(outcome.answer)
    }

    /// Does what a verified request asks for.
    async fn act(&self, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
        let operation = Operation::of(call.verified, call.headers.own("copy-source")?.is_some())?;
        call.headers.check_implemented()?;
        let store = &self.objects;
        store.check_bucket(call.bucket())?;
        match operation {
            Operation::GetObject => read::object(store, call, true).await,
            Operation::HeadObject => read::object(store, call, false).await,
            Operation::PutObject => write::put_object(store, call, body).await,
            Operation::CopyObject => write::copy_object(store, call).await,
            Operation::DeleteObject => write::delete_object(store, call).await,
            Operation::CreateUpload => write::create_upload(store, call).await,
            Operation::UploadPart => write::upload_part(store, call, body).await,
            Operation::UploadPartCopy => write::upload_part_copy(store, call).await,
            Operation::CompleteUpload => write::complete_upload(store, call, body).await,
            Operation::AbortUpload => write::abort_upload(store, call).await,
            Operation::ListParts => read::list_parts(store, call),
            Operation::ListObjects => read::list_objects(store, call),
            Operation::HeadBucket => Ok(answer(StatusCode::OK, AnswerBody::empty())),
        }
    }
}

fn refused(envelope: &Envelope<'_>, error: StoreError) -> Outcome {
    let refusal = error.answer(envelope.cloud);
    let mut answer = envelope.refuse(&refusal);
    if let StoreError::InvalidRange { size, .. } = &error {
        headers::put(answer.headers_mut(), "content-range", &format!("bytes */{size}"));
    }
    Outcome { answer, code: Some(refusal.code), failure: Some(error).filter(|error| matches!(error, StoreError::Internal { .. })) }
}

/// An id for one request, in the form of the cloud. Without random bytes it is the same for all, which serves the request.
fn request_id(cloud: Cloud) -> String {
    let mut bytes = [0; 12];
    let _ = getrandom::fill(&mut bytes);
    let id = crate::digest::hex(&bytes).to_ascii_uppercase();
    match cloud {
        Cloud::S3 => id.chars().take(16).collect(),
        Cloud::Oss => id,
    }
}
