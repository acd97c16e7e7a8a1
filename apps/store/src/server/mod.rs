//! The store's HTTP side: one port, two dialects.
//!
//! A request is verified before anything else is looked at, and each operation takes the [`Verified`] value: nothing else can make one, so
//! no path leads to an object around the verification. Two more ways lead in, each with a proof of its own: a form, whose fields become a
//! [`VerifiedForm`](valetkey_core::verify::VerifiedForm), and, where the store allows it, a read of a
//! [`PublicObject`](crate::objects::PublicObject).

use std::{convert::Infallible, io, sync::Arc};

use http::{Method, Request, request::Parts};
use hyper::body::Incoming;
use valetkey_core::{
    ObjectKey, Timestamp,
    verify::{FormError, Refusal, Verified, VerifyError},
};

use crate::{Cloud, StoreError, cors::CorsRules, objects::ObjectStore};

mod body;
mod buckets;
mod conditions;
mod copy;
mod cors;
mod delete_many;
mod form;
mod gate;
mod headers;
mod listing;
mod operation;
mod read;
mod receive;
mod respond;
mod start;
mod uploads;
mod write;

pub use start::{Running, StartError, Store, StoreBuilder};

use body::RequestBody;
use gate::{Gate, Kind, Place};
use headers::Headers;
use operation::Operation;
use respond::{Answer, Envelope};

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
    /// The bucket and the key, of a verified request and of a public object that was read.
    pub target: Option<(&'a str, Option<&'a str>)>,
    /// The status of the answer.
    pub status: u16,
    /// The cloud's error code, of a request that was refused.
    pub code: Option<&'a str>,
    /// Why the store itself failed.
    pub failure: Option<&'a StoreError>,
    /// What was asked for and not done, of a request that was answered as if it was.
    pub note: Option<&'a str>,
}

/// What every connection shares.
struct Service {
    objects: ObjectStore,
    gate: Gate,
    clock: Clock,
    observer: Observer,
    allows_public_read: bool,
    /// The rules of buckets that have none of their own.
    cors: Option<Arc<CorsRules>>,
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
        self.verified.bucket().unwrap_or_default()
    }

    fn key(&self) -> Result<&str, StoreError> {
        self.verified.key().map(ObjectKey::as_str).ok_or(StoreError::EmptyKey)
    }

    fn upload_id(&self) -> &str {
        self.text("uploadId")
    }

    /// The value of a parameter, empty where it is left out.
    fn text(&self, name: &str) -> &str {
        self.verified.parameter(name).unwrap_or_default()
    }
}

/// What a request turns out to be, for its answer and for a log.
struct Told {
    cloud: Cloud,
    target: Option<(String, Option<String>)>,
    note: Option<&'static str>,
}

/// Why a request was not done.
enum Fault {
    /// It did not prove that it may be.
    Verify(VerifyError),
    /// It could not be.
    Store(StoreError),
}

impl Fault {
    fn refusal(&self, cloud: Cloud) -> Refusal {
        match self {
            Self::Verify(error) => gate::dialect(cloud).refusal(error),
            Self::Store(error) => error.answer(cloud),
        }
    }
}

impl From<VerifyError> for Fault {
    fn from(error: VerifyError) -> Self {
        Self::Verify(error)
    }
}

impl From<FormError> for Fault {
    fn from(error: FormError) -> Self {
        Self::Verify(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Service {
    /// Answers one request.
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (head, incoming) = request.into_parts();
        let mut body = RequestBody::new(incoming, &head.headers);
        let mut told = Told { cloud: gate::cloud_of(&head), target: None, note: None };
        let cors = self.cors_of(&head);
        let served = self.serve(&head, &mut body, &mut told).await;
        body.drain();
        let request_id = request_id(told.cloud);
        let envelope = Envelope { cloud: told.cloud, request_id: &request_id, is_head: head.method == Method::HEAD };
        let (mut answer, code, failure) = match served {
            Ok(answer) => (answer, None, None),
            Err(fault) => {
                let refusal = fault.refusal(told.cloud);
                let mut answer = envelope.refuse(&refusal);
                if let Fault::Store(StoreError::InvalidRange { size, .. }) = &fault {
                    headers::put(answer.headers_mut(), "content-range", &format!("bytes */{size}"));
                }
                (answer, Some(refusal.code), Some(fault))
            }
        };
        envelope.seal(answer.headers_mut());
        cors.tell(told.cloud, answer.headers_mut());
        (self.observer)(&Event {
            request_id: &request_id,
            cloud: told.cloud,
            method: head.method.as_str(),
            target: told.target.as_ref().map(|(bucket, key)| (bucket.as_str(), key.as_deref())),
            status: answer.status().as_u16(),
            code,
            failure: match &failure {
                Some(Fault::Store(error @ StoreError::Internal { .. })) => Some(error),
                _ => None,
            },
            note: told.note.filter(|_| code.is_none()),
        });
        Ok(answer)
    }

    async fn serve(&self, head: &Parts, body: &mut RequestBody, told: &mut Told) -> Result<Answer, Fault> {
        if head.method == Method::OPTIONS {
            return Ok(self.preflight(head, told.cloud)?);
        }
        let no_clock = || StoreError::internal("read its clock", io::Error::other("it stands outside of the years that are known"));
        let now = (self.clock)().ok_or_else(no_clock)?;
        match self.gate.kind(head) {
            Kind::Form(place) => self.take_form(head, place, body, now, told).await,
            Kind::NotAForm => Err(StoreError::PreconditionFailed { condition: operation::NOT_A_FORM }.into()),
            Kind::Anonymous(place) if self.allows_public_read => self.read_public(head, place, told).await,
            Kind::Anonymous(_) | Kind::Signed => {
                let verified = self.gate.verify(told.cloud, head, now)?;
                told.target = verified.bucket().map(|bucket| (bucket.to_owned(), verified.key().map(|key| key.as_str().to_owned())));
                let headers = Headers { cloud: told.cloud, map: &head.headers, query: verified.query() };
                let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
                let call = Call { verified: &verified, headers, host, now: now.as_unix_seconds() };
                Ok(self.act(&call, body).await?)
            }
        }
    }

    /// Reads an object for somebody who shows nothing. What is not public is refused as if it was not there.
    async fn read_public(&self, head: &Parts, place: Place, told: &mut Told) -> Result<Answer, Fault> {
        let Place { bucket: Some(bucket), key: Some(key) } = place else { return Err(VerifyError::NotSigned.into()) };
        let object = self.objects.public_object(&bucket, &key).ok_or(VerifyError::NotSigned)?;
        told.target = Some((bucket, Some(key)));
        if head.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("response-"))) {
            let reason = "request specific response headers cannot be used for anonymous GET requests";
            return Err(StoreError::InvalidRequest { reason }.into());
        }
        let headers = Headers { cloud: told.cloud, map: &head.headers, query: &[] };
        Ok(read::public_object(&object, &headers, head.method == Method::GET).await?)
    }

    /// Does what a verified request asks for.
    async fn act(&self, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
        let operation = Operation::of(call.cloud(), call.verified, call.headers.own("copy-source")?.is_some()).or_else(|error| {
            // Clients ask for what this store does not have to learn whether a bucket is there.
            if let (StoreError::NotImplemented { .. }, Some(bucket)) = (&error, call.verified.bucket()) {
                self.objects.check_bucket(bucket)?;
            }
            Err(error)
        })?;
        call.headers.check_implemented()?;
        if !operation.reads_body() {
            receive::nothing(call, body).await?;
        }
        let store = &self.objects;
        match operation {
            Operation::ListBuckets => return buckets::list(store, call, self.gate.region(call.cloud())),
            Operation::CreateBucket => return buckets::create(store, call, body, self.gate.region(call.cloud())).await,
            _ => store.check_bucket(call.bucket())?,
        }
        match operation {
            Operation::ListBuckets | Operation::CreateBucket | Operation::HeadBucket => buckets::head(store, call, self.gate.region(call.cloud())),
            Operation::DeleteBucket => buckets::delete(store, call).await,
            Operation::BucketLocation => buckets::location(store, call, self.gate.region(call.cloud())),
            Operation::BucketInfo => buckets::info(store, call, self.gate.region(call.cloud())),
            Operation::BucketVersioning => Ok(buckets::versioning(call)),
            Operation::PutCors => cors::put_rules(store, call, body).await,
            Operation::Cors => cors::get(store, call, self.cors.as_deref()),
            Operation::DeleteCors => cors::delete(store, call).await,
            Operation::ListObjects => listing::objects(store, call),
            Operation::ListObjectsV2 => listing::objects_v2(store, call),
            Operation::ListUploads => listing::uploads(store, call),
            Operation::DeleteObjects => delete_many::objects(store, call, body).await,
            Operation::GetObject => read::object(store, call, true).await,
            Operation::HeadObject => read::object(store, call, false).await,
            Operation::Tagging => read::tagging(store, call),
            Operation::PutObject => write::put_object(store, call, body).await,
            Operation::CopyObject => copy::object(store, call).await,
            Operation::DeleteObject => write::delete_object(store, call).await,
            Operation::CreateUpload => uploads::create(store, call).await,
            Operation::UploadPart => uploads::part(store, call, body).await,
            Operation::UploadPartCopy => copy::part(store, call).await,
            Operation::CompleteUpload => uploads::complete(store, call, body).await,
            Operation::AbortUpload => uploads::abort(store, call).await,
            Operation::ListParts => listing::parts(store, call),
        }
    }
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
