//! The libraries that take long to compile: the SDK of AWS, object_store, minio. Left out with `--no-default-features`.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_s3::config::{BehaviorVersion, RequestChecksumCalculation};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use minio::s3::creds::StaticProvider;
use minio::s3::types::BucketName;
use minio::s3::{MinioClient, MinioClientBuilder};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::signer::{SignedUrlOptions, Signer as _};

use super::{Column, Signer, beside, now};
use crate::check::{Form, Habits, Proof};
use crate::job::{self, Job, Provider};

pub fn urls(job: &Arc<Job>) -> Vec<Column> {
    let mut columns = vec![];
    if job.task.signs_headers() {
        // It refuses to sign a length.
        let habits = Habits { leaves_out_length: true, ..Habits::default() };
        columns.push(beside("object_store, content type alone", habits, ObjectStore::new(job)));
    } else {
        columns.push(beside("minio", Habits::default(), Minio::new(job)));
        columns.push(beside("object_store", Habits::default(), ObjectStore::new(job)));
    }
    let habits = Habits { adds: &[("x-id", "PutObject")], ..Habits::default() };
    columns.push(beside("aws-sdk-s3", habits, AwsSdk::new(job)));
    columns
}

pub fn forms(job: &Arc<Job>) -> Vec<Column> {
    vec![beside("minio", Habits { reads_the_clock_again: true, ..Habits::default() }, MinioForm(Minio::new(job)))]
}

/// `put_object()` and `presigned()`.
struct AwsSdk {
    client: aws_sdk_s3::Client,
    presigning: PresigningConfig,
    // It makes timers, which need one, and never waits for them.
    runtime: tokio::runtime::Runtime,
    job: Arc<Job>,
}

impl AwsSdk {
    fn new(job: &Arc<Job>) -> Self {
        let credentials = aws_credential_types::Credentials::from_keys(job::ACCESS_KEY_ID, job::SECRET, job.token.clone());
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new(Provider::S3.region()))
            .credentials_provider(credentials)
            // A checksum of a body that is not there would be one more parameter.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let presigning = PresigningConfig::expires_in(job::LIFE).expect("a life");
        Self { client: aws_sdk_s3::Client::from_conf(config), presigning, runtime, job: Arc::clone(job) }
    }
}

impl Signer for AwsSdk {
    type Signed = PresignedRequest;

    fn sign(&self, index: usize) -> PresignedRequest {
        let mut put = self.client.put_object().bucket(job::BUCKET).key(self.job.key(index));
        if self.job.task.signs_headers() {
            put = put.content_type(job::CONTENT_TYPE).content_length(job::CONTENT_LENGTH as i64);
        }
        self.runtime.block_on(put.presigned(self.presigning.clone())).expect("a signature")
    }

    fn proof(signed: &PresignedRequest) -> Proof {
        Proof::Url(signed.uri().to_owned())
    }
}

/// `signed_url`, and `signed_url_opts` with the content type.
struct ObjectStore {
    store: AmazonS3,
    options: SignedUrlOptions,
    job: Arc<Job>,
}

impl ObjectStore {
    fn new(job: &Arc<Job>) -> Self {
        let builder = AmazonS3Builder::new()
            .with_region(Provider::S3.region())
            .with_bucket_name(job::BUCKET)
            .with_virtual_hosted_style_request(true)
            .with_access_key_id(job::ACCESS_KEY_ID)
            .with_secret_access_key(job::SECRET);
        let builder = job.token.iter().fold(builder, |builder, token| builder.with_token(token));
        let mut options = SignedUrlOptions::new();
        if job.task.signs_headers() {
            options = options.with_signed_header(http::header::CONTENT_TYPE, http::HeaderValue::from_static(job::CONTENT_TYPE));
        }
        Self { store: builder.build().expect("a store"), options, job: Arc::clone(job) }
    }
}

impl Signer for ObjectStore {
    type Signed = url::Url;

    fn sign(&self, index: usize) -> url::Url {
        let path = object_store::path::Path::from(self.job.key(index));
        now(self.store.signed_url_opts(http::Method::PUT, &path, job::LIFE, &self.options)).expect("a signature")
    }

    fn proof(signed: &url::Url) -> Proof {
        Proof::Url(signed.as_str().to_owned())
    }
}

/// `get_presigned_object_url`. It keeps the derived key, and has no way to sign a header.
struct Minio {
    client: MinioClient,
    job: Arc<Job>,
}

impl Minio {
    fn new(job: &Arc<Job>) -> Self {
        let provider = StaticProvider::new(job::ACCESS_KEY_ID, job::SECRET, job.token.as_deref());
        let endpoint = Provider::S3.endpoint().parse().expect("an endpoint");
        let client = MinioClientBuilder::new(endpoint).provider(Some(provider)).build().expect("a client");
        Self { client, job: Arc::clone(job) }
    }
}

impl Signer for Minio {
    type Signed = String;

    fn sign(&self, index: usize) -> String {
        let request = self.client.get_presigned_object_url(job::BUCKET, self.job.key(index), http::Method::PUT).expect("a request");
        let life = job::LIFE.as_secs() as u32;
        now(request.expiry_seconds(life).build().send()).expect("a signature").url
    }

    fn proof(signed: &String) -> Proof {
        Proof::Url(signed.clone())
    }
}

/// `PostPolicy` and `get_presigned_post_form_data`.
struct MinioForm(Minio);

impl Signer for MinioForm {
    type Signed = std::collections::HashMap<String, String>;

    fn sign(&self, _index: usize) -> Self::Signed {
        let end = SystemTime::now() + job::LIFE;
        let bucket = BucketName::try_from(job::BUCKET).expect("a bucket");
        let mut policy = minio::s3::builders::PostPolicy::new(bucket, end.into()).expect("a policy");
        policy.add_starts_with_condition("key", job::PREFIX).expect("a condition");
        policy.add_equals_condition("Content-Type", job::CONTENT_TYPE).expect("a condition");
        policy.add_equals_condition(&format!("x-amz-meta-{}", job::METADATA.0), job::METADATA.1).expect("a condition");
        let (min, max) = (*job::CONTENT_LENGTHS.start() as usize, *job::CONTENT_LENGTHS.end() as usize);
        policy.add_content_length_range_condition(min, max).expect("a condition");
        now(self.0.client.get_presigned_post_form_data(policy).build().send()).expect("a form")
    }

    fn proof(signed: &Self::Signed) -> Proof {
        let mut fields: Vec<_> = signed.clone().into_iter().collect();
        // What its user fills in, and where the form goes, it leaves to its user.
        let filled = [
            ("key".to_owned(), job::PREFIX.to_owned()),
            ("Content-Type".to_owned(), job::CONTENT_TYPE.to_owned()),
            (format!("x-amz-meta-{}", job::METADATA.0), job::METADATA.1.to_owned()),
        ];
        fields.extend(filled);
        Proof::Form(Form { place: None, fields })
    }
}
