//! URLs by reqsign, for both clouds. It derives the key in every call.

use std::sync::Arc;

use super::urls::http_request;
use super::{Signer, now};
use crate::check::Proof;
use crate::job::{self, Job, Provider};

pub struct S3 {
    signer: reqsign_core::Signer<reqsign_aws_v4::Credential>,
    job: Arc<Job>,
}

impl S3 {
    pub fn new(job: &Arc<Job>) -> Self {
        let mut credentials = reqsign_aws_v4::StaticCredentialProvider::new(job::ACCESS_KEY_ID, job::SECRET);
        if let Some(token) = &job.token {
            credentials = credentials.with_session_token(token);
        }
        let signer = reqsign_aws_v4::RequestSigner::new("s3", Provider::S3.region());
        Self { signer: reqsign_core::Signer::new(reqsign_core::Context::new(), credentials, signer), job: Arc::clone(job) }
    }
}

impl Signer for S3 {
    type Signed = http::request::Parts;

    fn sign(&self, index: usize) -> Self::Signed {
        let (mut parts, ()) = http_request(Provider::S3.host(), &self.job, self.job.key(index)).into_parts();
        now(self.signer.sign(&mut parts, Some(job::LIFE))).expect("a signature");
        parts
    }

    fn proof(signed: &Self::Signed) -> Proof {
        Proof::Url(signed.uri.to_string())
    }
}

pub struct Oss {
    signer: reqsign_core::Signer<reqsign_aliyun_oss::Credential>,
    job: Arc<Job>,
}

impl Oss {
    pub fn new(job: &Arc<Job>) -> Self {
        let mut credentials = reqsign_aliyun_oss::StaticCredentialProvider::new(job::ACCESS_KEY_ID, job::SECRET);
        if let Some(token) = &job.token {
            credentials = credentials.with_security_token(token);
        }
        let signer = reqsign_aliyun_oss::RequestSigner::new(job::BUCKET)
            .with_region(Provider::Oss.region())
            .with_signing_version(reqsign_aliyun_oss::SigningVersion::V4);
        Self { signer: reqsign_core::Signer::new(reqsign_core::Context::new(), credentials, signer), job: Arc::clone(job) }
    }
}

impl Signer for Oss {
    type Signed = http::request::Parts;

    fn sign(&self, index: usize) -> Self::Signed {
        let (mut parts, ()) = http_request(Provider::Oss.host(), &self.job, self.job.key(index)).into_parts();
        now(self.signer.sign(&mut parts, Some(job::LIFE))).expect("a signature");
        parts
    }

    fn proof(signed: &Self::Signed) -> Proof {
        Proof::Url(signed.uri.to_string())
    }
}
