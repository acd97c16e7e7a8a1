//! What is measured: each column as its users would write it.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode, sign as aws_sign,
};
use aws_smithy_runtime_api::client::identity::Identity;
use rusty_s3::S3Action;
use valetkey::{
    AddressingStyle, Credentials, Dialect, LocalPresigner, ObjectKey, ObjectRequest, Oss, PresignOptions, PresignedRequest, Presigner, S3, TargetSettings,
};

use crate::job::{self, Job, KEYS, Provider};
use crate::{check, floor};

/// One way to sign. The result is dropped inside of the measured time, as its user would drop it.
pub trait Signer {
    type Signed;

    fn sign(&self, index: usize) -> Self::Signed;

    /// The URL of a result; not measured.
    fn url(signed: &Self::Signed) -> String;
}

/// A [`Signer`] of any type. The loop is inside, so that no virtual call is measured.
pub trait Run {
    fn run(&self, calls: usize);
    fn url(&self, index: usize) -> String;
}

impl<S: Signer> Run for S {
    fn run(&self, calls: usize) {
        for index in 0..calls {
            black_box(self.sign(black_box(index) % KEYS));
        }
    }

    fn url(&self, index: usize) -> String {
        S::url(&self.sign(index))
    }
}

pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// OSS: `host` is among the additional headers.
    pub signs_host: bool,
    pub signer: Box<dyn Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    FloorPublic,
    FloorBlocks,
    Ours,
    OursDyn,
    Beside,
}

/// All columns of a job, the floors first.
pub fn all(provider: Provider, job: &Arc<Job>) -> Result<Vec<Column>, String> {
    let mut columns = match provider {
        Provider::S3 => ours::<S3>(provider, job),
        Provider::Oss => ours::<Oss>(provider, job),
    };
    let beside = |name, signs_host, signer| Column { name, kind: Kind::Beside, signs_host, signer };
    match provider {
        Provider::S3 => {
            columns.push(beside("rusty-s3", false, Box::new(RustyS3::new(provider, job))));
            columns.push(beside("aws-sigv4", false, Box::new(AwsSigV4::new(job))));
        }
        Provider::Oss => columns.push(beside("reqsign-aliyun-oss, V4", true, Box::new(Reqsign::new(provider, job)))),
    }
    let stages = check::url(&columns[0].signer.url(0), provider, job, job.key(0), false)?;
    let floor = |name, kind, signer| Column { name, kind, signs_host: false, signer };
    let floors = [
        floor("floor: `block_api`", Kind::FloorBlocks, Box::new(floor::Blocks::new(&stages)) as Box<dyn Run>),
        floor("floor: public API", Kind::FloorPublic, Box::new(floor::PublicApi::new(&stages))),
    ];
    for floor in &floors {
        if floor.signer.url(0) != format!("{}{}", stages.unsigned_url, stages.signature) {
            return Err(format!("{} gives another signature", floor.name));
        }
    }
    columns.splice(0..0, floors);
    Ok(columns)
}

/// Nothing that is measured here ever waits, so one poll is enough and no executor is measured.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a signer waits"),
    }
}

fn ours<D: Dialect + Default>(provider: Provider, job: &Arc<Job>) -> Vec<Column> {
    let mut credentials = Credentials::new(job::ACCESS_KEY_ID, job::SECRET).expect("credentials");
    if let Some(token) = &job.token {
        credentials = credentials.with_session_token(token).unwrap();
    }
    let credentials = Arc::new(credentials);
    let settings = TargetSettings::new(job::BUCKET).region(provider.region()).addressing(AddressingStyle::Virtual);
    let presigner = || LocalPresigner::<D>::new(&settings, Arc::clone(&credentials)).expect("a target");
    let requests = || (0..KEYS).map(|index| request(job, job.key(index))).collect();
    let options = PresignOptions::new().expires_in(job::LIFE);
    let core = Core { presigner: presigner(), credentials: Arc::clone(&credentials), requests: requests(), options };
    let from_text = FromText { presigner: presigner(), credentials: Arc::clone(&credentials), job: Arc::clone(job), options };
    let boxed = Boxed { presigner: Box::new(presigner()), requests: requests(), options };
    let column = |name, kind, signer| Column { name, kind, signs_host: false, signer };
    vec![
        column("**valetkey**, sync core", Kind::Ours, Box::new(core)),
        column("**valetkey**, sync core, request built in the call", Kind::Ours, Box::new(from_text)),
        column("**valetkey**, `Box<dyn Presigner>`", Kind::OursDyn, Box::new(boxed)),
    ]
}

fn request(job: &Job, key: &str) -> ObjectRequest {
    let request = ObjectRequest::put(ObjectKey::new(key).expect("a key"));
    if job.headers { request.content_type(job::CONTENT_TYPE).content_length(job::CONTENT_LENGTH) } else { request }
}

/// `LocalPresigner::sign` with prepared requests.
struct Core<D> {
    presigner: LocalPresigner<D>,
    credentials: Arc<Credentials>,
    requests: Vec<ObjectRequest>,
    options: PresignOptions,
}

impl<D: Dialect> Signer for Core<D> {
    type Signed = PresignedRequest;

    fn sign(&self, index: usize) -> PresignedRequest {
        self.presigner.sign(&self.credentials, &self.requests[index], &self.options).expect("a signature")
    }

    fn url(signed: &PresignedRequest) -> String {
        signed.url.clone()
    }
}

/// The same from the text of a key, as the libraries beside take it.
struct FromText<D> {
    presigner: LocalPresigner<D>,
    credentials: Arc<Credentials>,
    job: Arc<Job>,
    options: PresignOptions,
}

impl<D: Dialect> Signer for FromText<D> {
    type Signed = PresignedRequest;

    fn sign(&self, index: usize) -> PresignedRequest {
        self.presigner.sign(&self.credentials, &request(&self.job, self.job.key(index)), &self.options).expect("a signature")
    }

    fn url(signed: &PresignedRequest) -> String {
        signed.url.clone()
    }
}

/// What an application holds.
struct Boxed {
    presigner: Box<dyn Presigner>,
    requests: Vec<ObjectRequest>,
    options: PresignOptions,
}

impl Signer for Boxed {
    type Signed = PresignedRequest;

    fn sign(&self, index: usize) -> PresignedRequest {
        now(self.presigner.presign(&self.requests[index], &self.options)).expect("a signature")
    }

    fn url(signed: &PresignedRequest) -> String {
        signed.url.clone()
    }
}

struct RustyS3 {
    bucket: rusty_s3::Bucket,
    credentials: rusty_s3::Credentials,
    job: Arc<Job>,
}

impl RustyS3 {
    fn new(provider: Provider, job: &Arc<Job>) -> Self {
        let endpoint = provider.endpoint().parse().expect("an endpoint");
        let bucket = rusty_s3::Bucket::new(endpoint, rusty_s3::UrlStyle::VirtualHost, job::BUCKET, provider.region()).expect("a bucket");
        let credentials = match &job.token {
            Some(token) => rusty_s3::Credentials::new_with_token(job::ACCESS_KEY_ID, job::SECRET, token.as_str()),
            None => rusty_s3::Credentials::new(job::ACCESS_KEY_ID, job::SECRET),
        };
        Self { bucket, credentials, job: Arc::clone(job) }
    }
}

impl Signer for RustyS3 {
    type Signed = url::Url;

    fn sign(&self, index: usize) -> Self::Signed {
        let mut action = self.bucket.put_object(Some(&self.credentials), self.job.key(index));
        if self.job.headers {
            action.headers_mut().insert("content-length", job::CONTENT_LENGTH_TEXT);
            action.headers_mut().insert("content-type", job::CONTENT_TYPE);
        }
        action.sign(job::LIFE)
    }

    fn url(signed: &Self::Signed) -> String {
        signed.as_str().to_owned()
    }
}

/// The `http` request of an upload; keys of the job need no percent-encoding, so the libraries that want it done are spared it.
fn http_request(host: &str, job: &Job, key: &str) -> http::Request<()> {
    let mut request = http::Request::put(format!("https://{host}/{key}"));
    if job.headers {
        request = request.header("content-length", job::CONTENT_LENGTH_TEXT).header("content-type", job::CONTENT_TYPE);
    }
    request.body(()).expect("a request")
}

struct AwsSigV4 {
    identity: Identity,
    job: Arc<Job>,
}

impl AwsSigV4 {
    fn new(job: &Arc<Job>) -> Self {
        let credentials = aws_credential_types::Credentials::from_keys(job::ACCESS_KEY_ID, job::SECRET, job.token.clone());
        Self { identity: credentials.into(), job: Arc::clone(job) }
    }
}

impl Signer for AwsSigV4 {
    type Signed = http::Request<()>;

    fn sign(&self, index: usize) -> Self::Signed {
        let mut request = http_request(Provider::S3.host(), &self.job, self.job.key(index));
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(job::LIFE);
        let params = aws_sigv4::sign::v4::SigningParams::builder()
            .identity(&self.identity)
            .region(Provider::S3.region())
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .expect("parameters")
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("a header in ASCII")));
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::UnsignedPayload).expect("a request");
        let (instructions, _) = aws_sign(signable, &params).expect("a signature").into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }

    fn url(signed: &Self::Signed) -> String {
        signed.uri().to_string()
    }
}

struct Reqsign {
    signer: reqsign_core::Signer<reqsign_aliyun_oss::Credential>,
    job: Arc<Job>,
}

impl Reqsign {
    fn new(provider: Provider, job: &Arc<Job>) -> Self {
        let mut credentials = reqsign_aliyun_oss::StaticCredentialProvider::new(job::ACCESS_KEY_ID, job::SECRET);
        if let Some(token) = &job.token {
            credentials = credentials.with_security_token(token);
        }
        let signer =
            reqsign_aliyun_oss::RequestSigner::new(job::BUCKET).with_region(provider.region()).with_signing_version(reqsign_aliyun_oss::SigningVersion::V4);
        Self { signer: reqsign_core::Signer::new(reqsign_core::Context::new(), credentials, signer), job: Arc::clone(job) }
    }
}

impl Signer for Reqsign {
    type Signed = http::request::Parts;

    fn sign(&self, index: usize) -> Self::Signed {
        let (mut parts, ()) = http_request(Provider::Oss.host(), &self.job, self.job.key(index)).into_parts();
        now(self.signer.sign(&mut parts, Some(job::LIFE))).expect("a signature");
        parts
    }

    fn url(signed: &Self::Signed) -> String {
        signed.uri.to_string()
    }
}
