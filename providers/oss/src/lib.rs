//! Alibaba Cloud OSS, Signature V4: how its requests are named, signed and verified.
//!
//! Pure functions of their arguments. The rules are those of the Alibaba Cloud documentation, "Add signatures to URLs (V4)" and "Include a V4 signature in a
//! URL"; each file is one step of them.
//!
//! ```
//! use valetkey_core::{Credentials, Dialect, Limits, ObjectRequest, PresignOptions, SigningContext, TargetSettings};
//! use valetkey_oss::Oss;
//!
//! let credentials = Credentials::new("LTAI5tExampleKeyId", "ExampleAccessKeySecret")?;
//! let target = Oss.resolve(&TargetSettings::new("examplebucket").region("cn-hangzhou"))?;
//! let (provider_max, provider_name) = Oss.max_life(&credentials);
//! let limits = Limits { provider_max, provider_name, store_max: None };
//! let validity = PresignOptions::new().resolve("2026-11-22T10:30:00Z".parse()?, limits, None)?;
//! let scope = Oss.prepare(&credentials, &target, validity.signed_at());
//! let context = SigningContext { credentials: &credentials, scope: &scope, target: &target, validity };
//! let signed = Oss.sign(&context, &ObjectRequest::get("test.txt".parse()?))?;
//! assert!(signed.url.starts_with("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/test.txt?x-oss-credential="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, clippy::unreachable))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod authorize;
mod canonical;
mod endpoint;
mod names;
mod post;
mod sign;
mod verify;

use alloc::string::String;

use valetkey_core::binding::Bindings;
use valetkey_core::crypto::SigningKey;
use valetkey_core::post_policy::{FormDraft, FormRules, PolicyError, ProviderFormCondition};
use valetkey_core::verify::{Audience, Claim, IncomingRequest, PublicHost, Refusal, VerifyError};
use valetkey_core::{
    AuthorizedRequest, Capability, ContentTypeRule, Credentials, Dialect, KeyError, ObjectKey, ObjectRequest, Operation, PresignError, PresignedRequest,
    ProviderConstraint, SignedHeaders, SigningContext, SigningScope, SigningTrace, Target, TargetError, TargetSettings, Timestamp,
};

/// The dialect of Alibaba Cloud OSS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oss;

impl Oss {
    /// The longest life of a presigned URL: 7 days.
    pub const MAX_LIFE: u32 = 604_800;

    /// The longest life of a presigned URL that is signed with a session token: 12 hours.
    pub const MAX_LIFE_WITH_TOKEN: u32 = 43_200;

    /// The most bytes of an object key. Source: OSS documentation, "Object naming conventions".
    pub const MAX_KEY_BYTES: usize = 1023;

    /// Takes a public host of OSS apart; `None` for every other host.
    ///
    /// ```
    /// use valetkey_oss::Oss;
    ///
    /// let host = Oss::public_host("media.oss-cn-hangzhou.aliyuncs.com").unwrap();
    /// assert_eq!((host.bucket, host.region), (Some("media"), Some("cn-hangzhou")));
    /// assert_eq!(Oss::public_host("media.example.com"), None);
    /// ```
    #[must_use]
    pub fn public_host(host: &str) -> Option<PublicHost<'_>> {
        endpoint::recognise(host)
    }
}

impl Dialect for Oss {
    fn provider(&self) -> &'static str {
        "oss"
    }

    fn max_life(&self, credentials: &Credentials) -> (u32, &'static str) {
        match credentials.session_token() {
            Some(_) => (Self::MAX_LIFE_WITH_TOKEN, "OSS with a session token"),
            None => (Self::MAX_LIFE, "OSS"),
        }
    }

    fn supports(&self, capability: Capability) -> bool {
        names::supports(capability)
    }

    fn resolve(&self, settings: &TargetSettings) -> Result<Target, TargetError> {
        endpoint::resolve(settings)
    }

    fn check_key(&self, key: &ObjectKey) -> Result<(), KeyError> {
        names::check_key(key)
    }

    fn signing_key(&self, credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey {
        sign::signing_key(credentials, day, region, service)
    }

    fn prepare(&self, credentials: &Credentials, target: &Target, day: Timestamp) -> SigningScope {
        sign::prepare(credentials, target, day)
    }

    fn default_content_type(&self) -> ContentTypeRule {
        ContentTypeRule::Absent
    }

    fn owns_name(&self, lower_case: &str) -> bool {
        names::is_owned(lower_case) || names::is_foreign(lower_case)
    }

    fn tagging_header(&self) -> &'static str {
        names::TAGGING
    }

    fn bind_operation(&self, operation: Operation, bindings: &mut Bindings<'_>) {
        names::bind_operation(operation, bindings);
    }

    fn bind<'a>(&self, constraint: ProviderConstraint<'a>, operation: Operation, bindings: &mut Bindings<'a>) -> Result<(), PresignError> {
        names::bind(constraint, operation, bindings)
    }

    fn sign(&self, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<PresignedRequest, PresignError> {
        let mut signed = PresignedRequest::new(request.operation(), String::new(), context.validity, SignedHeaders::default(), self.default_content_type());
        sign::sign_into(*self, context, request, &mut signed)?;
        Ok(signed)
    }

    fn sign_into(&self, context: &SigningContext<'_>, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
        sign::sign_into(*self, context, request, signed)
    }

    fn authorize(&self, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        authorize::authorize(*self, context, request)
    }

    fn trace(&self, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<SigningTrace, PresignError> {
        sign::trace(*self, context, request)
    }

    fn form_rules(&self) -> &'static FormRules {
        &post::RULES
    }

    fn bind_form(&self, condition: ProviderFormCondition<'_>, draft: &mut FormDraft) -> Result<(), PolicyError> {
        post::bind(condition, draft)
    }

    fn review_form(&self, target: &Target, draft: &mut FormDraft) -> Result<(), PolicyError> {
        post::review(target, draft)
    }

    fn parse(&self, request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError> {
        verify::parse(request, audience)
    }

    fn refusal(&self, error: &VerifyError) -> Refusal {
        verify::refusal(error)
    }
}
