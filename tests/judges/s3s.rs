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

use std::net::SocketAddr;
use std::sync::Arc;

use ::s3s::auth::SimpleAuth;
use ::s3s::config::{S3Config, StaticConfigProvider};
use ::s3s::host::SingleDomain;
use ::s3s::service::S3ServiceBuilder;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::form::{self, Answer, File};
use super::memory::{Memory, Object, Objects};

/// A running server; it ends when it is dropped.
pub(crate) struct S3s {
    address: SocketAddr,
    objects: Objects,
    serving: JoinHandle<()>,
}

impl S3s {
    /// The host under which the server knows virtual hosts; it takes path style under every address of its own.
    pub(crate) const HOST: &'static str = "s3.eu-central-1.amazonaws.com";

    pub(crate) async fn start(bucket: &str, access_key_id: &str, secret: &str) -> Self {
        let mut config = S3Config::default();
        // Its limit for the age of a signature is not one of S3's for forms, and it would hide whether the policy's end is judged.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        let objects = Objects::default();
        Self::serve(config, Memory::new(bucket, objects.clone()), objects, access_key_id, secret).await
    }

    /// As the crate is configured by itself, over a store that takes no key that this library would not sign.
    pub(crate) async fn start_strict(bucket: &str, access_key_id: &str, secret: &str) -> Self {
        let objects = Objects::default();
        Self::serve(S3Config::default(), Memory::new(bucket, objects.clone()).strict(), objects, access_key_id, secret).await
    }

    async fn serve(config: S3Config, memory: Memory, objects: Objects, access_key_id: &str, secret: &str) -> Self {
        let mut builder = S3ServiceBuilder::new(memory);
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
