//! URLs.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode, sign as aws_sign,
};
use aws_smithy_runtime_api::client::identity::Identity;
use rusty_oss::OSSAction as _;
use rusty_s3::S3Action;
use valetkey::{Dialect, ObjectKey, ObjectRequest, PresignOptions, PresignedRequest, Presigner};

use super::{Column, Kind, Local, Signer, beside, now, ours as column, reqsign};
use crate::check::{Habits, Proof};
use crate::job::{self, Job, KEYS, Provider};

pub fn ours<D: Dialect + Default>(provider: Provider, job: &Arc<Job>) -> Vec<Column> {
    let local = || Local::<D>::new(provider, job);
    let requests = || (0..KEYS).map(|index| request(job, job.key(index))).collect();
    let (presigner, options) = local().boxed();
    vec![
        column("**valetkey**, sync core", Kind::Ours, Core { local: local(), requests: requests() }),
        column("**valetkey**, sync core, request built in the call", Kind::Ours, FromText { local: local(), job: Arc::clone(job) }),
        column("**valetkey**, `Box<dyn Presigner>`", Kind::OursDyn, Boxed { presigner, requests: requests(), options }),
    ]
}

pub fn beside_s3(job: &Arc<Job>) -> Vec<Column> {
    vec![
        beside("rusty-s3", Habits::default(), RustyS3::new(Provider::S3, job)),
        beside("aws-sigv4", Habits::default(), AwsSigV4::new(job)),
        beside("reqsign-aws-v4", Habits::default(), reqsign::S3::new(job)),
        beside("rust-s3", Habits::default(), RustS3::new(job)),
    ]
}

pub fn beside_oss(job: &Arc<Job>) -> Vec<Column> {
    let habits = Habits { signs_host: true, ..Habits::default() };
    vec![beside("rusty-oss", Habits { lists_type: true, ..habits }, RustyOss::new(job)), beside("reqsign-aliyun-oss, V4", habits, reqsign::Oss::new(job))]
}

fn request(job: &Job, key: &str) -> ObjectRequest {
    let request = ObjectRequest::put(ObjectKey::new(key).expect("a key"));
    if job.task.signs_headers() { request.content_type(job::CONTENT_TYPE).content_length(job::CONTENT_LENGTH) } else { request }
}

/// `LocalPresigner::sign` with prepared requests.
struct Core<D> {
    local: Local<D>,
    requests: Vec<ObjectRequest>,
}

impl<D: Dialect + Default> Signer for Core<D> {
    type Signed = PresignedRequest;

    fn sign(&self, index: usize) -> PresignedRequest {
        self.local.sign(&self.requests[index])
    }

    fn proof(signed: &PresignedRequest) -> Proof {
        Proof::Url(signed.url.clone())
    }
}

/// The same from the text of a key, as the libraries beside take it.
struct FromText<D> {
    local: Local<D>,
    job: Arc<Job>,
}

impl<D: Dialect + Default> Signer for FromText<D> {
    type Signed = PresignedRequest;

    fn sign(&self, index: usize) -> PresignedRequest {
        self.local.sign(&request(&self.job, self.job.key(index)))
    }

    fn proof(signed: &PresignedRequest) -> Proof {
        Proof::Url(signed.url.clone())
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

    fn proof(signed: &PresignedRequest) -> Proof {
        Proof::Url(signed.url.clone())
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
        if self.job.task.signs_headers() {
            action.headers_mut().insert("content-length", job::CONTENT_LENGTH_TEXT);
            action.headers_mut().insert("content-type", job::CONTENT_TYPE);
        }
        action.sign(job::LIFE)
    }

    fn proof(signed: &Self::Signed) -> Proof {
        Proof::Url(signed.as_str().to_owned())
    }
}

/// The `http` request of an upload; keys of the job need no percent-encoding, so the libraries that want it done are spared it.
pub fn http_request(host: &str, job: &Job, key: &str) -> http::Request<()> {
    let mut request = http::Request::put(format!("https://{host}/{key}"));
    if job.task.signs_headers() {
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

    fn proof(signed: &Self::Signed) -> Proof {
        Proof::Url(signed.uri().to_string())
    }
}

struct RustS3 {
    bucket: Box<s3::Bucket>,
    job: Arc<Job>,
}

impl RustS3 {
    fn new(job: &Arc<Job>) -> Self {
        // Its own name of the region would give an older host.
        let region = s3::Region::Custom { region: Provider::S3.region().to_owned(), endpoint: Provider::S3.endpoint().to_owned() };
        let token = job.token.as_deref();
        let credentials = s3::creds::Credentials::new(Some(job::ACCESS_KEY_ID), Some(job::SECRET), token, None, None).expect("credentials");
        Self { bucket: s3::Bucket::new(job::BUCKET, region, credentials).expect("a bucket"), job: Arc::clone(job) }
    }
}

impl Signer for RustS3 {
    type Signed = String;

    fn sign(&self, index: usize) -> String {
        let headers = self.job.task.signs_headers().then(|| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::CONTENT_LENGTH, http::HeaderValue::from_static(job::CONTENT_LENGTH_TEXT));
            headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(job::CONTENT_TYPE));
            headers
        });
        self.bucket.presign_put(self.job.key(index), job::LIFE.as_secs() as u32, headers, None).expect("a signature")
    }

    fn proof(signed: &String) -> Proof {
        Proof::Url(signed.clone())
    }
}

struct RustyOss {
    bucket: rusty_oss::Bucket,
    credentials: rusty_oss::Credentials,
    job: Arc<Job>,
}

impl RustyOss {
    fn new(job: &Arc<Job>) -> Self {
        let endpoint = Provider::Oss.endpoint().parse().expect("an endpoint");
        let bucket = rusty_oss::Bucket::new(endpoint, rusty_oss::UrlStyle::VirtualHost, job::BUCKET, Provider::Oss.region()).expect("a bucket");
        let credentials = match &job.token {
            Some(token) => rusty_oss::Credentials::new_with_token(job::ACCESS_KEY_ID, job::SECRET, token.as_str()),
            None => rusty_oss::Credentials::new(job::ACCESS_KEY_ID, job::SECRET),
        };
        Self { bucket, credentials, job: Arc::clone(job) }
    }
}

impl Signer for RustyOss {
    type Signed = url::Url;

    fn sign(&self, index: usize) -> Self::Signed {
        let mut action = self.bucket.put_object(Some(&self.credentials), self.job.key(index));
        if self.job.task.signs_headers() {
            action.headers_mut().insert("content-length", job::CONTENT_LENGTH_TEXT);
            action.headers_mut().insert("content-type", job::CONTENT_TYPE);
        }
        rusty_oss::OSSAction::sign(&action, job::LIFE)
    }

    fn proof(signed: &Self::Signed) -> Proof {
        Proof::Url(signed.as_str().to_owned())
    }
}
