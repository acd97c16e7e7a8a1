//! The presigner that signs here: a dialect, a target, credentials, a clock, and the signing key that it keeps.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use valetkey_core::crypto::SigningKey;
use valetkey_core::post_policy::{self, PolicyDocument, PolicyError};
use valetkey_core::{
    AuthorizedRequest, Credentials, CredentialsProvider, Dialect, Limits, ObjectKey, ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost,
    PresignedRequest, Presigner, SigningContext, SigningTrace, Target, TargetError, TargetSettings, Timestamp,
};

use crate::clock::{Clock, SystemClock};

/// Signs with credentials that this process holds.
///
/// The key that is derived from the secret for a day, region and service is kept, because deriving it costs several times what a signature costs. It is
/// derived anew when the day or the credentials change.
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
    kept: RwLock<Option<KeptKey>>,
}

/// Signs for Amazon S3 and the stores that speak its dialect.
#[cfg(feature = "s3")]
pub type S3Presigner = LocalPresigner<valetkey_s3::S3>;

/// Signs for Alibaba Cloud OSS.
#[cfg(feature = "oss")]
pub type OssPresigner = LocalPresigner<valetkey_oss::Oss>;

/// A derived key and what it was derived from.
#[derive(Debug)]
struct KeptKey {
    credentials: Arc<Credentials>,
    day: [u8; 8],
    key: SigningKey,
}

impl KeptKey {
    fn is_of(&self, credentials: &Arc<Credentials>, day: &str) -> bool {
        self.day == day.as_bytes() && (Arc::ptr_eq(&self.credentials, credentials) || self.credentials == *credentials)
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
        sign: impl Fn(&SigningContext<'_>) -> Result<T, PresignError> + Send,
    ) -> Result<T, PresignError> {
        let credentials = self.credentials.credentials().await?;
        match self.with_context(&credentials, options, &sign) {
            // Newer credentials may live long enough; if they do not, the error stands.
            Err(PresignError::Life(error)) if error.is_about_credentials() => {
                let newer = self.credentials.refresh().await?;
                self.with_context(&newer, options, &sign)
            }
            signed => signed,
        }
    }

    fn with_context<T>(
        &self,
        credentials: &Arc<Credentials>,
        options: &PresignOptions,
        sign: impl FnOnce(&SigningContext<'_>) -> Result<T, PresignError>,
    ) -> Result<T, PresignError> {
        let now = self.clock.now().map_err(valetkey_core::LifeError::from)?;
        let (provider_max, provider_name) = self.dialect.max_life(credentials);
        let limits = Limits { provider_max, provider_name, store_max: self.max_life };
        let validity = options.resolve(now, limits, credentials.expiration())?;
        let date = validity.date();
        let target = &self.target;
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = kept.as_ref().filter(|kept| kept.is_of(credentials, date.day())) {
                return sign(&SigningContext { credentials, key: &kept.key, target, validity });
            }
        }
        let key = self.dialect.signing_key(credentials, date.day(), &target.region, target.service);
        let signed = sign(&SigningContext { credentials, key: &key, target, validity });
        let day = date.day().as_bytes().try_into().unwrap_or_default();
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(KeptKey { credentials: Arc::clone(credentials), day, key });
        signed
    }
}

#[async_trait]
impl<D: Dialect> Presigner for LocalPresigner<D> {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.with_fresh_context(options, |context| self.dialect.sign(context, request)).await
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.with_fresh_context(options, |context| post_policy::sign_post(&self.dialect, context, policy)).await
    }

    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        self.with_fresh_context(&PresignOptions::new(), |context| self.dialect.authorize(context, request)).await
    }
}

#[cfg(all(test, feature = "s3", feature = "oss"))]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use valetkey_core::{CredentialsError, ExpirationReason};

    use super::*;
    use crate::clock::FixedClock;

    #[derive(Debug)]
    struct Rotating(Mutex<Vec<Arc<Credentials>>>);

    #[async_trait]
    impl CredentialsProvider for Rotating {
        async fn credentials(&self) -> Result<Arc<Credentials>, CredentialsError> {
            Ok(self.0.lock().unwrap()[0].clone())
        }

        async fn refresh(&self) -> Result<Arc<Credentials>, CredentialsError> {
            let mut all = self.0.lock().unwrap();
            if all.len() > 1 {
                all.remove(0);
            }
            Ok(all[0].clone())
        }
    }

    fn until(id: &str, end: &str) -> Arc<Credentials> {
        Arc::new(Credentials::new(id, "secret").unwrap().with_session_token("token").unwrap().with_expiration(end.parse().unwrap()))
    }

    fn presigner(credentials: Vec<Arc<Credentials>>) -> S3Presigner {
        let settings = TargetSettings::new("media").region("eu-central-1");
        let clock = FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap());
        S3Presigner::new(&settings, Rotating(Mutex::new(credentials))).unwrap().with_clock(clock)
    }

    #[tokio::test]
    async fn credentials_that_end_first_are_refreshed_and_then_judged() {
        let request = ObjectRequest::get("k".parse().unwrap());
        let hour = PresignOptions::new().expires_in(Duration::from_secs(3600));

        let refreshed = presigner(vec![until("OLD", "2026-11-22T10:05:00Z"), until("NEW", "2026-11-22T12:00:00Z")]);
        let signed = refreshed.presign(&request, &hour).await.unwrap();
        assert!(signed.url.contains("Credential=NEW%2F"));
        assert_eq!(signed.expiration_reason, ExpirationReason::Requested);

        let no_newer = presigner(vec![until("OLD", "2026-11-22T10:05:00Z")]);
        assert_eq!(no_newer.presign(&request, &hour).await.unwrap_err().code(), "credentials_end_first");
        // Unasked, the life is shortened and says so; no other credentials are fetched for that.
        let signed = no_newer.presign(&request, &PresignOptions::new()).await.unwrap();
        assert_eq!((signed.expiration.to_string().as_str(), signed.expiration_reason), ("2026-11-22T10:05:00Z", ExpirationReason::Credentials));

        let ended = presigner(vec![until("OLD", "2026-11-22T09:00:00Z"), until("NEW", "2026-11-22T12:00:00Z")]);
        assert!(ended.presign(&request, &PresignOptions::new()).await.unwrap().url.contains("Credential=NEW%2F"));
    }

    #[tokio::test]
    async fn the_kept_key_follows_day_and_credentials() {
        let request = ObjectRequest::get("k".parse().unwrap());
        let settings = TargetSettings::new("media").region("cn-hangzhou");
        let clock = Arc::new(FixedClock::at("2026-11-22T23:59:59Z".parse().unwrap()));
        let first = Arc::new(Credentials::new("AK", "one").unwrap());
        let second = Arc::new(Credentials::new("AK", "two").unwrap());
        let kept = OssPresigner::new(&settings, first.clone()).unwrap().with_clock(clock.clone());
        for (moment, credentials) in
            [("2026-11-22T23:59:59Z", &first), ("2026-11-22T23:59:59Z", &second), ("2026-11-23T00:00:00Z", &second), ("2026-11-22T23:59:59Z", &first)]
        {
            clock.set(moment.parse().unwrap());
            let fresh = OssPresigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
            let options = PresignOptions::new();
            assert_eq!(kept.sign(credentials, &request, &options), fresh.sign(credentials, &request, &options), "{moment}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let presigner = presigner(vec![until("AK", "2026-11-22T12:00:00Z")]);
        let credentials = until("AK", "2026-11-22T12:00:00Z");
        presigner.sign(&credentials, &ObjectRequest::get("k".parse().unwrap()), &PresignOptions::new()).unwrap();
        let text = format!("{presigner:?}");
        assert!(text.contains("media") && !text.contains("\"secret\"") && !text.contains("\"token\""), "{text}");
    }
}
