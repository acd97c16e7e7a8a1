//! The presigner that signs here: a dialect, a target, credentials, a clock, and the signing key that it keeps.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use valetkey_core::post_policy::{self, PolicyDocument, PolicyError};
use valetkey_core::{
    AuthorizedRequest, Credentials, CredentialsProvider, Dialect, LifeError, Limits, ObjectKey, ObjectRequest, PostPolicy, PresignError, PresignOptions,
    PresignedPost, PresignedRequest, Presigner, SigningContext, SigningScope, SigningTrace, Target, TargetError, TargetSettings, Timestamp, Validity,
};

use crate::clock::{Clock, SystemClock};
use crate::session::SigningSession;

/// Signs with credentials that this process holds.
///
/// The key that is derived from the secret for a day, region and service is kept, because deriving it costs several times what a signature costs, and with it
/// the texts that are the same in all signatures of the day. Both are made anew when the day or the credentials change.
///
/// ```
/// use std::sync::Arc;
/// use valetkey::{Credentials, ObjectRequest, PresignOptions, Presigner, S3Presigner, TargetSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
/// let presigner = S3Presigner::new(&TargetSettings::new("media-prod").region("eu-central-1"), Arc::new(credentials))?;
/// let get = presigner.presign(&ObjectRequest::get("report.pdf".parse()?), &PresignOptions::new()).await?;
/// assert!(get.url.starts_with("https://media-prod.s3.eu-central-1.amazonaws.com/report.pdf?"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LocalPresigner<D> {
    dialect: D,
    target: Target,
    credentials: Box<dyn CredentialsProvider>,
    clock: Box<dyn Clock>,
    max_life: Option<u32>,
    kept: RwLock<Option<Kept>>,
}

/// Signs for Amazon S3 and the stores that speak its dialect.
#[cfg(feature = "s3")]
pub type S3Presigner = LocalPresigner<valetkey_s3::S3>;

/// Signs for Alibaba Cloud OSS.
#[cfg(feature = "oss")]
pub type OssPresigner = LocalPresigner<valetkey_oss::Oss>;

/// What is prepared, for which credentials, and when that was.
#[derive(Debug)]
struct Kept {
    credentials: Arc<Credentials>,
    scope: SigningScope,
    made_at: Timestamp,
}

impl Kept {
    fn is_of(&self, credentials: &Arc<Credentials>, moment: Timestamp) -> bool {
        self.scope.is_of(moment) && (Arc::ptr_eq(&self.credentials, credentials) || self.credentials == *credentials)
    }

    /// Within a second signatures are of the same signing time and mostly of the same life. What is of another life in that second is signed all the same.
    fn is_fresh(&self, now: Timestamp, validity: &Validity) -> bool {
        self.made_at == now || self.scope.expects(validity)
    }
}

impl<D: Dialect + Default> LocalPresigner<D> {
    /// Signs for one bucket at one place.
    ///
    /// # Errors
    /// [`TargetError`] when no URL can be made of the settings.
    pub fn new(settings: &TargetSettings, credentials: impl CredentialsProvider + 'static) -> Result<Self, TargetError> {
        let dialect = D::default();
        let target = dialect.resolve(settings)?;
        Ok(Self { dialect, target, credentials: Box::new(credentials), clock: Box::new(SystemClock), max_life: None, kept: RwLock::new(None) })
    }
}

impl<D: Dialect> LocalPresigner<D> {
    /// Reads the time from `clock` instead of the system.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Refuses lives of more than `seconds`, on top of the provider's own limit.
    #[must_use]
    pub const fn with_max_life(mut self, seconds: u32) -> Self {
        self.max_life = Some(seconds);
        self
    }

    /// Where requests go.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Signs with credentials that are already at hand, without waiting: the part of [`Presigner::presign`] that is not asynchronous.
    ///
    /// # Errors
    /// As [`Presigner::presign`].
    pub fn sign(&self, credentials: &Arc<Credentials>, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.with_context(credentials, options, |context| self.dialect.sign(context, request))
    }

    /// Signs, and gives the canonical request and the string to sign of the very same signature, for the owner of the secret. Both texts hold the session
    /// token: keep them out of logs.
    ///
    /// # Errors
    /// As [`Presigner::presign`].
    pub async fn presign_traced(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<(PresignedRequest, SigningTrace), PresignError> {
        let both = |context: &SigningContext<'_>| Ok((self.dialect.sign(context, request)?, self.dialect.trace(context, request)?));
        self.with_fresh_context(options, both).await
    }

    /// Begins to sign many requests of one moment, with credentials that are already at hand.
    ///
    /// # Errors
    /// [`PresignError::Life`] when the life cannot be had.
    pub fn signing_session(&self, credentials: &Arc<Credentials>, options: &PresignOptions) -> Result<SigningSession<'_, D>, PresignError> {
        let (now, limits) = (self.now()?, self.limits(credentials));
        self.with_context_at(now, credentials, options, |context| {
            let validity = context.validity;
            let scope = if context.scope.expects(&validity) { context.scope.clone() } else { context.scope.expecting(&validity) };
            Ok(SigningSession { dialect: &self.dialect, target: &self.target, credentials: Arc::clone(credentials), limits, now, scope, validity })
        })
    }

    /// Signs a form with credentials that are already at hand, without waiting: the part of [`Presigner::presign_post`] that is not asynchronous.
    ///
    /// # Errors
    /// As [`Presigner::presign_post`].
    pub fn sign_post(&self, credentials: &Arc<Credentials>, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.with_context(credentials, options, |context| post_policy::sign_post(&self.dialect, context, policy))
    }

    /// Signs the text of a policy byte for byte. The signing time is the policy's own date field, the end its expiration; what it fixes becomes the fields
    /// of the form. `key` is the object where the text names a prefix or none.
    ///
    /// # Errors
    /// [`PolicyError::Document`] when the text is no policy, [`PolicyError::Mismatch`] when it is not for this bucket, region and access key, and as
    /// [`Presigner::presign_post`].
    pub fn sign_policy(&self, credentials: &Arc<Credentials>, policy: &str, key: Option<&ObjectKey>) -> Result<PresignedPost, PresignError> {
        let policy = PolicyDocument::from_json(policy).map_err(PolicyError::from)?;
        let field = self.dialect.form_rules().date;
        let date = policy
            .fixed(field)
            .and_then(|date| Timestamp::from_basic(date).ok())
            .ok_or_else(|| PolicyError::Mismatch { reason: format!("it must fix the signing time by the condition {{\"{field}\":\"YYYYMMDDTHHMMSSZ\"}}") })?;
        let options = PresignOptions::new().signed_at(date).expires_at(policy.expiration());
        let mut form = self.with_context(credentials, &options, |context| post_policy::sign_policy(&self.dialect, context, &policy, key))?;
        if self.clock.now().is_ok_and(|now| form.expiration < now) {
            form.notes.push("the form has ended already: its policy is of the past".into());
        }
        Ok(form)
    }

    /// With credentials of the provider, and with newer ones where those would end too early.
    async fn with_fresh_context<T>(
        &self,
        options: &PresignOptions,
        sign: impl Fn(&SigningContext<'_>) -> Result<T, PresignError> + Send + Sync,
    ) -> Result<T, PresignError> {
        self.with_fresh(|credentials| self.with_context(credentials, options, &sign)).await
    }

    async fn with_fresh<T>(&self, sign: impl Fn(&Arc<Credentials>) -> Result<T, PresignError> + Send) -> Result<T, PresignError> {
        let credentials = self.credentials.credentials().await?;
        match sign(&credentials) {
            // Newer credentials may live long enough; if they do not, the error stands.
            Err(PresignError::Life(error)) if error.is_about_credentials() => sign(&self.credentials.refresh().await?),
            signed => signed,
        }
    }

    fn with_context<T>(
        &self,
        credentials: &Arc<Credentials>,
        options: &PresignOptions,
        sign: impl FnOnce(&SigningContext<'_>) -> Result<T, PresignError>,
    ) -> Result<T, PresignError> {
        self.with_context_at(self.now()?, credentials, options, sign)
    }

    fn now(&self) -> Result<Timestamp, PresignError> {
        Ok(self.clock.now().map_err(LifeError::from)?)
    }

    fn limits(&self, credentials: &Credentials) -> Limits {
        let (provider_max, provider_name) = self.dialect.max_life(credentials);
        Limits { provider_max, provider_name, store_max: self.max_life }
    }

    fn with_context_at<T>(
        &self,
        now: Timestamp,
        credentials: &Arc<Credentials>,
        options: &PresignOptions,
        sign: impl FnOnce(&SigningContext<'_>) -> Result<T, PresignError>,
    ) -> Result<T, PresignError> {
        let validity = options.resolve(now, self.limits(credentials), credentials.expiration())?;
        let target = &self.target;
        let mut scope = None;
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = kept.as_ref().filter(|kept| kept.is_of(credentials, validity.signed_at())) {
                if kept.is_fresh(now, &validity) {
                    return sign(&SigningContext { credentials, scope: &kept.scope, target, validity });
                }
                scope = Some(kept.scope.clone());
            }
        }
        let scope = scope.unwrap_or_else(|| self.dialect.prepare(credentials, target, validity.signed_at())).expecting(&validity);
        let kept = Kept { credentials: Arc::clone(credentials), scope: scope.clone(), made_at: now };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        sign(&SigningContext { credentials, scope: &scope, target, validity })
    }
}

#[async_trait]
impl<D: Dialect> Presigner for LocalPresigner<D> {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.with_fresh_context(options, |context| self.dialect.sign(context, request)).await
    }

    async fn presign_many<'r>(
        &self,
        requests: &mut (dyn Iterator<Item = &'r ObjectRequest> + Send),
        options: &PresignOptions,
        each: &mut (dyn FnMut(Result<PresignedRequest, PresignError>) + Send),
    ) -> Result<(), PresignError> {
        let session = self.with_fresh(|credentials| self.signing_session(credentials, options)).await?;
        for request in requests {
            each(session.sign(request));
        }
        Ok(())
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.with_fresh_context(options, |context| post_policy::sign_post(&self.dialect, context, policy)).await
    }

    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        self.with_fresh_context(&PresignOptions::new(), |context| self.dialect.authorize(context, request)).await
    }
}

#[cfg(all(test, feature = "s3", feature = "oss"))]
mod tests;
