//! Forms.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ossify::ops::object::base as oss;
use s3::post_policy::{PostPolicyField, PostPolicyValue};
use serde_json::json;
use valetkey::{Dialect, PostPolicy, PresignOptions, PresignedPost, Presigner};

use super::{Column, Kind, Local, Signer, beside, now, ours as column};
use crate::check::{Form, Habits, Proof};
use crate::job::{self, Job, Provider};

pub fn ours<D: Dialect + Default>(provider: Provider, job: &Job) -> Vec<Column> {
    let local = || Local::<D>::new(provider, job);
    let (presigner, options) = local().boxed();
    vec![
        column("**valetkey**, sync core", Kind::Ours, Core { local: local(), policy: policy() }),
        column("**valetkey**, sync core, policy built in the call", Kind::Ours, FromText(local())),
        column("**valetkey**, `Box<dyn Presigner>`", Kind::OursDyn, Boxed { presigner, policy: policy(), options }),
    ]
}

pub fn beside_s3(job: &Job) -> Vec<Column> {
    vec![beside("rust-s3", Habits { reads_the_clock_again: true, ..Habits::default() }, RustS3::new(job))]
}

pub fn beside_oss(job: &Arc<Job>) -> Vec<Column> {
    vec![beside("ossify", Habits { reads_the_clock_again: true, ..Habits::default() }, Ossify(Arc::clone(job)))]
}

fn policy() -> PostPolicy {
    PostPolicy::for_prefix(job::PREFIX).content_length(job::CONTENT_LENGTHS).content_type(job::CONTENT_TYPE).metadata(job::METADATA.0, job::METADATA.1)
}

/// `LocalPresigner::sign_post` with a prepared policy.
struct Core<D> {
    local: Local<D>,
    policy: PostPolicy,
}

impl<D: Dialect + Default> Signer for Core<D> {
    type Signed = PresignedPost;

    fn sign(&self, _index: usize) -> PresignedPost {
        self.local.sign_post(&self.policy)
    }

    fn proof(signed: &PresignedPost) -> Proof {
        filled(signed)
    }
}

/// The same with a policy that is written for this call.
struct FromText<D>(Local<D>);

impl<D: Dialect + Default> Signer for FromText<D> {
    type Signed = PresignedPost;

    fn sign(&self, _index: usize) -> PresignedPost {
        self.0.sign_post(&policy())
    }

    fn proof(signed: &PresignedPost) -> Proof {
        filled(signed)
    }
}

/// What an application holds.
struct Boxed {
    presigner: Box<dyn Presigner>,
    policy: PostPolicy,
    options: PresignOptions,
}

impl Signer for Boxed {
    type Signed = PresignedPost;

    fn sign(&self, _index: usize) -> PresignedPost {
        now(self.presigner.presign_post(&self.policy, &self.options)).expect("a form")
    }

    fn proof(signed: &PresignedPost) -> Proof {
        filled(signed)
    }
}

fn filled(post: &PresignedPost) -> Proof {
    let fields = post.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Proof::Form(Form { place: Some(post.url.clone()), fields })
}

struct RustS3 {
    bucket: Box<s3::Bucket>,
}

impl RustS3 {
    fn new(job: &Job) -> Self {
        let region = Provider::S3.region().parse().expect("a region");
        let token = job.token.as_deref();
        let credentials = s3::creds::Credentials::new(Some(job::ACCESS_KEY_ID), Some(job::SECRET), token, None, None).expect("credentials");
        Self { bucket: s3::Bucket::new(job::BUCKET, region, credentials).expect("a bucket") }
    }
}

impl Signer for RustS3 {
    type Signed = s3::post_policy::PresignedPost;

    fn sign(&self, _index: usize) -> Self::Signed {
        let exact = |value| PostPolicyValue::Exact(Cow::Borrowed(value));
        let (min, max) = (*job::CONTENT_LENGTHS.start() as u32, *job::CONTENT_LENGTHS.end() as u32);
        let policy = s3::post_policy::PostPolicy::new(job::LIFE.as_secs() as u32)
            .condition(PostPolicyField::Key, PostPolicyValue::StartsWith(Cow::Borrowed(job::PREFIX)))
            .and_then(|policy| policy.condition(PostPolicyField::ContentLengthRange, PostPolicyValue::Range(min, max)))
            .and_then(|policy| policy.condition(PostPolicyField::ContentType, exact(job::CONTENT_TYPE)))
            .and_then(|policy| policy.condition(PostPolicyField::AmzMeta(Cow::Borrowed(job::METADATA.0)), exact(job::METADATA.1)))
            .expect("a policy");
        self.bucket.presign_post(policy).expect("a form")
    }

    fn proof(signed: &Self::Signed) -> Proof {
        let mut fields: Vec<_> = signed.fields.clone().into_iter().collect();
        // What the user fills in; the other one, `content-length-range`, is no field.
        fields.extend(signed.dynamic_fields.get_key_value("key").map(|(name, value)| (name.clone(), value.clone())));
        // It writes the older name of the same host.
        Proof::Form(Form { place: Some(signed.url.replace(".s3-", ".s3.")), fields })
    }
}

struct Ossify(Arc<Job>);

impl Signer for Ossify {
    type Signed = BTreeMap<String, String>;

    fn sign(&self, _index: usize) -> Self::Signed {
        let metadata = format!("x-oss-meta-{}", job::METADATA.0);
        let policy = oss::PostPolicy::new()
            .expire_in(job::LIFE.as_secs() as i64)
            .condition(json!({"bucket": job::BUCKET}))
            .condition(json!(["starts-with", "$key", job::PREFIX]))
            .condition(json!(["content-length-range", job::CONTENT_LENGTHS.start(), job::CONTENT_LENGTHS.end()]))
            .condition(json!({"x-oss-content-type": job::CONTENT_TYPE}))
            .condition(json!({&metadata: job::METADATA.1}))
            .condition(json!({"x-oss-object-acl": "default"}));
        let input = oss::PostObjectSignV4Input {
            access_key_id: job::ACCESS_KEY_ID,
            access_key_secret: job::SECRET,
            security_token: self.0.token.as_deref(),
            region: Provider::Oss.region(),
            product: "oss",
            policy: &policy,
            timestamp: jiff::Timestamp::now(),
        };
        let signed = oss::sign_post_object_v4(input).expect("a form");
        let fixed = [("x-oss-content-type", job::CONTENT_TYPE), (&metadata, job::METADATA.1), ("x-oss-object-acl", "default")];
        oss::build_form_fields(&signed, job::PREFIX, fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn proof(signed: &Self::Signed) -> Proof {
        // Where the form goes it leaves to its user.
        Proof::Form(Form { place: None, fields: signed.clone().into_iter().collect() })
    }
}
