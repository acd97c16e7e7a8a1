//! Amazon S3, Signature Version 4: how its requests are named, signed and verified.
//!
//! Pure functions of their arguments. The rules are those of the Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; each file
//! is one step of them.
//!
//! ```
//! use valetkey_core::{Credentials, Dialect, Limits, ObjectRequest, PresignOptions, SigningContext, TargetSettings};
//! use valetkey_s3::S3;
//!
//! let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
//! let target = S3.resolve(&TargetSettings::new("examplebucket").region("eu-central-1"))?;
//! let (provider_max, provider_name) = S3.max_life(&credentials);
//! let limits = Limits { provider_max, provider_name, store_max: None };
//! let validity = PresignOptions::new().resolve("2026-11-22T10:30:00Z".parse()?, limits, None)?;
//! let scope = S3.prepare(&credentials, &target, validity.signed_at());
//! let context = SigningContext { credentials: &credentials, scope: &scope, target: &target, validity };
//! let signed = S3.sign(&context, &ObjectRequest::get("test.txt".parse()?))?;
//! assert!(signed.url.starts_with("https://examplebucket.s3.eu-central-1.amazonaws.com/test.txt?X-Amz-Algorithm="));
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

/// The dialect of S3 and of the stores that speak it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct S3;

impl S3 {
    /// The longest life of a presigned URL: 7 days. Source: Amazon S3 User Guide, "Download and upload objects with presigned URLs".
    pub const MAX_LIFE: u32 = 604_800;

    /// Takes a public host of Amazon S3 apart, legacy forms included; `None` for every other host.
    ///
    /// ```
    /// use valetkey_s3::S3;
    ///
    /// let host = S3::public_host("media.s3.eu-central-1.amazonaws.com").unwrap();
    /// assert_eq!((host.bucket, host.region), (Some("media"), Some("eu-central-1")));
    /// assert_eq!(S3::public_host("media.example.com"), None);
    /// ```
    #[must_use]
    pub fn public_host(host: &str) -> Option<PublicHost<'_>> {
        endpoint::recognise(host)
    }
}

impl Dialect for S3 {
    fn provider(&self) -> &'static str {
        "s3"
    }

    fn max_life(&self, _credentials: &Credentials) -> (u32, &'static str) {
        (Self::MAX_LIFE, "S3")
    }

    fn supports(&self, capability: Capability) -> bool {
        names::supports(capability)
    }

    fn resolve(&self, settings: &TargetSettings) -> Result<Target, TargetError> {
        endpoint::resolve(settings)
    }

    fn check_key(&self, _key: &ObjectKey) -> Result<(), KeyError> {
        Ok(())
    }

    fn signing_key(&self, credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey {
        sign::signing_key(credentials, day, region, service)
    }

    fn prepare(&self, credentials: &Credentials, target: &Target, day: Timestamp) -> SigningScope {
        sign::prepare(credentials, target, day)
    }

    fn default_content_type(&self) -> ContentTypeRule {
        ContentTypeRule::Free
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

    fn bind<'a>(&self, constraint: ProviderConstraint<'a>, _operation: Operation, bindings: &mut Bindings<'a>) -> Result<(), PresignError> {
        names::bind(constraint, bindings)
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

    fn review_form(&self, _target: &Target, _draft: &mut FormDraft) -> Result<(), PolicyError> {
        // S3 refuses every field that no condition names, so nothing floats.
        Ok(())
    }

    fn parse(&self, request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError> {
        verify::parse(request, audience)
    }

    fn refusal(&self, error: &VerifyError) -> Refusal {
        verify::refusal(error)
    }
}
