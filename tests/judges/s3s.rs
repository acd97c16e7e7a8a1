//! An S3 server inside of the test process: the crate `s3s`, which reads forms and judges policies with its own code, over a map in memory.
//!
//! It judges the signature, the policy's end, `eq` and `starts-with` of every field, the size, the bucket, fields without a condition, and that algorithm,
//! credential and date are conditions. It answers with 200, 201, 204 or 303 as the form asks. A condition that is not kept is 400 `InvalidPolicyDocument`
//! where S3 has 403 `AccessDenied`, and an unknown key is 403 `NotSignedUp` where S3 has `InvalidAccessKeyId`.
//!
//! What `s3s` 0.14.1 does **not** judge, found by trying. The test `what_this_server_lets_pass_is_known` holds the rows down to the type of the file's part.
//!
//! | | here |
//! |---|---|
//! | region of the credential | any is taken |
//! | `x-amz-date` | may lie in the future, see below |
//! | the time from signing to the policy's end | may be longer than 7 days |
//! | a policy without the bucket | taken |
//! | session token | needs its condition; neither asked for nor compared with the key |
//! | `starts-with` an empty prefix | kept when the field is missing |
//! | `Content-Type` with commas | one text, not a list |
//! | `x-amz-server-side-encryption*`, `submit`, `AWSAccessKeyId` | need no condition |
//! | a field given twice | the last one counts, for the policy and for the object |
//! | `Content-MD5`, `x-amz-checksum-*` | not compared with the file |
//! | values of ACL, storage class and `success_action_status` | any text; an unknown status is 204 |
//! | the key | may be empty or longer than 1024 bytes, and `${filename}` stays as it is |
//! | `acl`, `tagging` | matched against the policy, then forgotten: only `x-amz-acl` and `x-amz-tagging` reach the object |
//! | `Content-Type` of the file's part | not looked at |
//! | `success_action_redirect` | any scheme; one that is no absolute URL is 400 after the object was stored |
//! | `redirect`, `signature` | the older names are obeyed: a form signed with the older signature is taken |
//! | what follows the file | not read, as S3 documents |
//! | `If-None-Match` | left to the backend, and the one here does not look at it |
//!
//! Where it is stricter: it refuses an `x-amz-date` more than 15 minutes away, however long the policy lives (turned off here); a form in the very second of
//! the policy's end, which the library still takes; a number as the value of a condition and a text as a bound of the size; a part with more than two headers,
//! with an unquoted name or with `filename*`; and text before the first boundary.
//!
//! It calculates signatures with the crates `hmac` and `sha2`, which the library uses too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ::s3s::auth::SimpleAuth;
use ::s3s::config::{S3Config, StaticConfigProvider};
use ::s3s::dto::{ETag, PutObjectInput, PutObjectOutput};
use ::s3s::host::SingleDomain;
use ::s3s::service::S3ServiceBuilder;
use ::s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use futures_util::TryStreamExt as _;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::form::{self, Answer, File};

/// A running server; it ends when it is dropped.
pub(crate) struct S3s {
    address: SocketAddr,
    objects: Objects,
    serving: JoinHandle<()>,
}

/// What arrived, as the server understood it.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    /// All but the body.
    pub(crate) input: PutObjectInput,
}

type Objects = Arc<Mutex<BTreeMap<String, Arc<Object>>>>;

impl S3s {
    /// The host under which the server knows virtual hosts; it takes path style under every address of its own.
    pub(crate) const HOST: &'static str = "s3.eu-central-1.amazonaws.com";

    pub(crate) async fn start(bucket: &str, access_key_id: &str, secret: &str) -> Self {
        let mut config = S3Config::default();
        // Its limit for the age of a signature is not one of S3's for forms, and it would hide whether the policy's end is judged.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        Self::start_with(config, bucket, access_key_id, secret).await
    }

    pub(crate) async fn start_with(config: S3Config, bucket: &str, access_key_id: &str, secret: &str) -> Self {
        let objects = Objects::default();
        let mut builder = S3ServiceBuilder::new(Memory { bucket: bucket.to_owned(), objects: objects.clone() });
        builder.set_auth(SimpleAuth::from_single(access_key_id, secret));
        builder.set_host(SingleDomain::new(Self::HOST).unwrap());
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        let service = builder.build();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move { hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
            }
        });
        Self { address, objects, serving }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts a form; the URL says which bucket, the server is always this one.
    pub(crate) async fn post(&self, url: &str, fields: &[(String, String)], file: File<'_>) -> Answer {
        form::post(self.address, url, fields, file).await
    }

    pub(crate) fn object(&self, key: &str) -> Option<Arc<Object>> {
        self.objects.lock().unwrap().get(key).cloned()
    }

    pub(crate) fn clear(&self) {
        self.objects.lock().unwrap().clear();
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

impl Drop for S3s {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Memory {
    bucket: String,
    objects: Objects,
}

impl Memory {
    fn knows(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.bucket { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }
}

#[async_trait::async_trait]
impl S3 for Memory {
    /// Forms come here as well: `post_object` of the trait hands them on.
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        self.knows(&input.bucket)?;
        let mut bytes = Vec::new();
        if let Some(mut body) = input.body.take() {
            while let Some(chunk) = body.try_next().await.map_err(|error| s3_error!(IncompleteBody, "{error}"))? {
                bytes.extend_from_slice(&chunk);
            }
        }
        let e_tag = Some(ETag::Strong(format!("{}-bytes", bytes.len())));
        self.objects.lock().unwrap().insert(input.key.clone(), Arc::new(Object { bytes, input }));
        Ok(S3Response::new(PutObjectOutput { e_tag, ..Default::default() }))
    }
}
