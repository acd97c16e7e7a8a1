//! Many signatures of one moment.

use std::sync::Arc;

use valetkey_core::post_policy;
use valetkey_core::{
    ContentTypeRule, Credentials, Dialect, Limits, ObjectRequest, Operation, PostPolicy, PresignError, PresignOptions, PresignedPost, PresignedRequest,
    SignedHeaders, SigningContext, SigningScope, Target, Timestamp, Validity,
};

/// Signs many requests with one reading of the clock and one look at the credentials; threads share it.
///
/// All that it signs have the same signing time and life. A URL counts its life from the beginning of the session, so take a new one when what is to be
/// signed comes slowly. [`LocalPresigner::signing_session`](crate::LocalPresigner::signing_session) makes it.
///
/// ```
/// use std::sync::Arc;
/// use valetkey::{Credentials, ObjectRequest, PresignOptions, S3Presigner, TargetSettings};
///
/// let credentials = Arc::new(Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?);
/// let presigner = S3Presigner::new(&TargetSettings::new("media-prod").region("eu-central-1"), Arc::clone(&credentials))?;
/// let session = presigner.signing_session(&credentials, &PresignOptions::new())?;
///
/// // One result for all: its texts keep their memory.
/// let mut signed = session.blank();
/// for key in ["a.jpg", "b.jpg"] {
///     session.sign_into(&ObjectRequest::get(key.parse()?), &mut signed)?;
///     assert!(signed.url.starts_with(&format!("https://media-prod.s3.eu-central-1.amazonaws.com/{key}?")));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SigningSession<'p, D> {
    pub(crate) dialect: &'p D,
    pub(crate) target: &'p Target,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) limits: Limits,
    pub(crate) now: Timestamp,
    pub(crate) scope: SigningScope,
    pub(crate) validity: Validity,
}

impl<D: Dialect> SigningSession<'_, D> {
    /// Signs a request.
    ///
    /// # Errors
    /// As [`Presigner::presign`](crate::Presigner::presign), but for credentials and life, which are decided.
    pub fn sign(&self, request: &ObjectRequest) -> Result<PresignedRequest, PresignError> {
        self.dialect.sign(&self.context(), request)
    }

    /// Signs a request into a result that was of another one, or is [blank](Self::blank): nothing is allocated once its texts are long enough. After an error
    /// the result is of no use.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn sign_into(&self, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
        self.dialect.sign_into(&self.context(), request, signed)
    }

    /// Signs a form.
    ///
    /// # Errors
    /// As [`Presigner::presign_post`](crate::Presigner::presign_post), but for credentials and life.
    pub fn sign_post(&self, policy: &PostPolicy) -> Result<PresignedPost, PresignError> {
        post_policy::sign_post(self.dialect, &self.context(), policy)
    }

    /// A result of no request, to [sign into](Self::sign_into).
    #[must_use]
    pub const fn blank(&self) -> PresignedRequest {
        PresignedRequest::new(Operation::Get, String::new(), self.validity, SignedHeaders::new(), ContentTypeRule::Free)
    }

    /// A session of the same moment and credentials with another life.
    ///
    /// # Errors
    /// [`PresignError::Life`] when the life cannot be had.
    pub fn with_options(&self, options: &PresignOptions) -> Result<Self, PresignError> {
        let validity = options.resolve(self.now, self.limits, self.credentials.expiration())?;
        let scope = if self.scope.is_of(validity.signed_at()) {
            self.scope.expecting(&validity)
        } else {
            self.dialect.prepare(&self.credentials, self.target, validity.signed_at()).expecting(&validity)
        };
        let Self { dialect, target, limits, now, .. } = *self;
        Ok(Self { dialect, target, credentials: Arc::clone(&self.credentials), limits, now, scope, validity })
    }

    /// The signing time and life of all that it signs.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    fn context(&self) -> SigningContext<'_> {
        SigningContext { credentials: &self.credentials, scope: &self.scope, target: self.target, validity: self.validity }
    }
}
