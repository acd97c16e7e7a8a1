//! A whole world in one process: a dialect's presigner, a backend that verifies with the same dialect, and the clock of both. No network, no waiting.
//!
//! Signer and verifier share code here, so this proves the promises of a presigner and not the signature itself: that takes [vectors](crate::Vector)
//! and servers made by others.

mod backend;
mod form;
mod multipart;
mod objects;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use valetkey_core::post_policy::sign_post;
use valetkey_core::verify::Audience;
use valetkey_core::{
    AuthorizedRequest, Credentials, Dialect, Endpoint, Limits, ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost, PresignedRequest,
    Presigner, SigningContext, Target, TargetError, TargetSettings, Timestamp,
};

pub use backend::VerifyingBackend;

use crate::backend::TestClock;
use crate::harness::{Harness, Place};
use crate::profile::Profile;

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.as_unix_seconds()))
    }
}

impl TestClock for ManualClock {
    fn now(&self) -> Timestamp {
        let seconds = i64::try_from(self.0.load(Ordering::SeqCst)).unwrap_or(i64::MAX);
        Timestamp::from_unix_seconds(seconds).expect("it was set from a timestamp")
    }

    fn set(&self, now: Timestamp) {
        self.0.store(now.as_unix_seconds(), Ordering::SeqCst);
    }
}

/// The least presigner that is made of a dialect: reads the clock once, resolves the life, derives the key, signs.
#[derive(Debug)]
pub struct DialectPresigner {
    dialect: &'static dyn Dialect,
    target: Target,
    credentials: Credentials,
    clock: Arc<ManualClock>,
}

impl DialectPresigner {
    /// Signs for one target with one pair of credentials, by this clock.
    #[must_use]
    pub const fn new(dialect: &'static dyn Dialect, target: Target, credentials: Credentials, clock: Arc<ManualClock>) -> Self {
        Self { dialect, target, credentials, clock }
    }
}

impl DialectPresigner {
    fn with_context<T>(&self, options: &PresignOptions, sign: impl FnOnce(&SigningContext<'_>) -> Result<T, PresignError>) -> Result<T, PresignError> {
        let (provider_max, provider_name) = self.dialect.max_life(&self.credentials);
        let limits = Limits { provider_max, provider_name, store_max: None };
        let validity = options.resolve(self.clock.now(), limits, self.credentials.expiration())?;
        let scope = self.dialect.prepare(&self.credentials, &self.target, validity.signed_at());
        let context = SigningContext { credentials: &self.credentials, scope: &scope, target: &self.target, validity };
        sign(&context)
    }
}

#[async_trait]
impl Presigner for DialectPresigner {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.with_context(options, |context| self.dialect.sign(context, request))
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.with_context(options, |context| sign_post(self.dialect, context, policy))
    }

    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        self.with_context(&PresignOptions::new(), |context| self.dialect.authorize(context, request))
    }
}

/// Presigner, backend and clock of one bucket.
///
/// ```
/// use valetkey_conformance::in_process::{InProcess, run_now};
/// use valetkey_conformance::{Harness, Module, Profile};
/// use valetkey_core::{Credentials, TargetSettings};
///
/// let settings = TargetSettings::new("examplebucket").region("eu-central-1").endpoint("http://127.0.0.1:9000".parse()?);
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
/// let world = InProcess::new(&valetkey_s3::S3, &Profile::S3, &settings, credentials, "2026-11-22T10:30:00Z".parse()?)?.key_prefix("run/");
/// run_now(world.harness().run_module(Module::Tamper)).assert_passed();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InProcess {
    presigner: DialectPresigner,
    backend: VerifyingBackend,
    clock: Arc<ManualClock>,
    profile: &'static Profile,
    base_url: String,
    key_prefix: String,
    session_token: bool,
}

impl InProcess {
    /// Makes a world at `now`, with an empty bucket where the settings lead.
    ///
    /// # Errors
    /// [`TargetError`] for settings that lead nowhere.
    pub fn new(
        dialect: &'static dyn Dialect,
        profile: &'static Profile,
        settings: &TargetSettings,
        credentials: Credentials,
        now: Timestamp,
    ) -> Result<Self, TargetError> {
        let target = dialect.resolve(settings)?;
        let clock = Arc::new(ManualClock::new(now));
        let base_url = format!("{}://{}{}", target.scheme.as_str(), target.authority, target.path_prefix);
        let backend = VerifyingBackend::new(dialect, profile, audience(settings, &target), &target.bucket, credentials.clone(), Arc::clone(&clock));
        let session_token = credentials.session_token().is_some();
        let presigner = DialectPresigner::new(dialect, target, credentials, Arc::clone(&clock));
        Ok(Self { presigner, backend, clock, profile, base_url, key_prefix: String::new(), session_token })
    }

    /// Puts a prefix before the keys.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// The honest presigner.
    #[must_use]
    pub const fn presigner(&self) -> &DialectPresigner {
        &self.presigner
    }

    /// The backend that verifies.
    #[must_use]
    pub const fn backend(&self) -> &VerifyingBackend {
        &self.backend
    }

    /// A harness around all of it.
    #[must_use]
    pub fn harness(&self) -> Harness<'_> {
        let place = Place { bucket: &self.presigner.target.bucket, base_url: &self.base_url, key_prefix: &self.key_prefix };
        let harness = Harness::new(&self.presigner, &self.backend, &*self.clock, self.profile, place);
        if self.session_token { harness.session_token() } else { harness }
    }
}

/// Whom the backend stands for: the cloud, or the endpoint that was given.
fn audience(settings: &TargetSettings, target: &Target) -> Audience {
    let audience = Audience::new().region(&target.region);
    match settings.endpoint.as_ref().map(Endpoint::base_path) {
        None => Audience::public().region(&target.region),
        Some(base) if base == target.path_prefix => audience.bucket_host(&target.host, &target.bucket).base_path(base),
        Some(base) => audience.host(&target.host).base_path(base),
    }
}

/// Runs a future that never has to wait, as all of this module are, without a runtime.
///
/// ```
/// assert_eq!(valetkey_conformance::in_process::run_now(async { 7 }), 7);
/// ```
pub fn run_now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
