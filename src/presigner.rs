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

    /// Every sequence of seconds, days and lives gives what a presigner without a memory gives.
    #[test]
    fn what_is_prepared_changes_no_signature() {
        let requests = [ObjectRequest::get("k".parse().unwrap()), ObjectRequest::put("k".parse().unwrap()).content_type("a/b").content_length(1)];
        let settings = TargetSettings::new("media").region("eu-central-1");
        let clock = Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let credentials = Arc::new(Credentials::new("AK", "one").unwrap());
        let kept = S3Presigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
        let lives = [600, 900].map(|life| PresignOptions::new().expires_in(Duration::from_secs(life)));
        let fixed = lives[0].signed_at("2026-11-21T00:00:00Z".parse().unwrap());
        let stable = lives[1].stable_for(Duration::from_secs(300));
        for moment in ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z", "2026-11-22T09:00:00Z", "2026-11-23T00:00:00Z"] {
            clock.set(moment.parse().unwrap());
            for options in [lives[0], lives[1], fixed, lives[1], stable, stable, lives[0]] {
                for request in &requests {
                    let fresh = S3Presigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
                    let wanted = fresh.sign(&credentials, request, &options);
                    assert_eq!(kept.sign(&credentials, request, &options), wanted, "{moment}");
                    let session = kept.signing_session(&credentials, &lives[0]).unwrap().with_options(&options).unwrap();
                    assert_eq!(session.sign(request), wanted, "{moment}");
                }
            }
        }
    }

    /// The same bytes in every second of a window, of URLs and of forms, and others after it.
    #[test]
    fn within_a_window_the_same_request_is_the_same_url() {
        let settings = TargetSettings::new("media").region("cn-hangzhou");
        let clock = Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let credentials = Arc::new(Credentials::new("AK", "one").unwrap());
        let presigner = OssPresigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
        let options = PresignOptions::new().expires_in(Duration::from_secs(900)).stable_for(Duration::from_secs(300));
        let request = ObjectRequest::get("k".parse().unwrap());
        let policy = PostPolicy::for_prefix("a/").content_length(1..=2);
        let sign = |moment: &str| {
            clock.set(moment.parse().unwrap());
            (presigner.sign(&credentials, &request, &options).unwrap(), presigner.sign_post(&credentials, &policy, &options).unwrap())
        };
        let first = sign("2026-11-22T10:00:00Z");
        assert_eq!(sign("2026-11-22T10:04:59Z"), first);
        let next = sign("2026-11-22T10:05:00Z");
        assert!(next.0.url != first.0.url && next.1.fields != first.1.fields);
        assert_eq!(next.0.expiration.to_string(), "2026-11-22T10:20:00Z");
        assert_eq!(next.1.expiration, next.0.expiration);
    }

    #[tokio::test]
    async fn many_are_signed_in_their_order_with_an_error_for_each_that_fails() {
        let requests = ["a", "b", "c"].map(|key| ObjectRequest::get(key.parse().unwrap()));
        let [a, b, c] = requests.clone();
        let requests = [a, b.content_type_absent(), c];
        let presigner = presigner(vec![until("OLD", "2026-11-22T10:05:00Z"), until("NEW", "2026-11-22T12:00:00Z")]);
        let hour = PresignOptions::new().expires_in(Duration::from_secs(3600));
        let dynamic: &dyn Presigner = &presigner;
        let mut results = vec![];
        dynamic.presign_many(&mut requests.iter(), &hour, &mut |signed| results.push(signed)).await.unwrap();
        let one_by_one =
            [presigner.presign(&requests[0], &hour).await, presigner.presign(&requests[1], &hour).await, presigner.presign(&requests[2], &hour).await];
        assert_eq!(results, one_by_one);
        assert!(results[0].as_ref().unwrap().url.contains("Credential=NEW%2F"));
        assert_eq!(results[1].as_ref().unwrap_err().code(), "unsupported");

        // What all share fails before the first.
        let never = PresignOptions::new().expires_in(Duration::ZERO);
        let error = dynamic.presign_many(&mut requests.iter(), &never, &mut |_| panic!("signed")).await.unwrap_err();
        assert_eq!(error.code(), "life_zero");
    }

    #[test]
    fn threads_share_a_session() {
        let credentials = until("AK", "2026-11-22T12:00:00Z");
        let presigner = presigner(vec![credentials.clone()]);
        let session = presigner.signing_session(&credentials, &PresignOptions::new()).unwrap();
        let requests: Vec<ObjectRequest> = (0..50).map(|n| ObjectRequest::get(format!("k/{n}").parse().unwrap())).collect();
        let sign_all = || {
            let mut signed = session.blank();
            requests.iter().map(|request| session.sign_into(request, &mut signed).map(|()| signed.url.clone()).unwrap()).collect::<Vec<_>>()
        };
        let (here, there) = std::thread::scope(|scope| {
            let there = scope.spawn(sign_all);
            (sign_all(), there.join().unwrap())
        });
        assert_eq!(here, there);
        let one_by_one: Vec<String> = requests.iter().map(|request| presigner.sign(&credentials, request, &PresignOptions::new()).unwrap().url).collect();
        assert_eq!(here, one_by_one);
    }

    #[test]
    fn debug_shows_no_secret() {
        let presigner = presigner(vec![until("AK", "2026-11-22T12:00:00Z")]);
        let credentials = until("AK", "2026-11-22T12:00:00Z");
        presigner.sign(&credentials, &ObjectRequest::get("k".parse().unwrap()), &PresignOptions::new()).unwrap();
        let session = presigner.signing_session(&credentials, &PresignOptions::new()).unwrap();
        let text = format!("{presigner:?} {session:?}");
        assert!(text.contains("media") && !text.contains("\"secret\"") && !text.contains("\"token\""), "{text}");
    }
}
