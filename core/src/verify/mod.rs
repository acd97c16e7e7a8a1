//! Verification: the same road as signing, backwards.
//!
//! A received request is read to a [`Claim`] (its form alone is judged), the caller looks up the access key that it names, and
//! [`Verification::finish`] compares signatures in constant time, then the token, the time and the key. The only way to a [`Verified`] value is to pass.

mod audience;
mod error;
mod form;
mod form_error;
mod incoming;
mod scope;
mod signature;

pub use audience::{Audience, PublicHost};
pub use error::{Refusal, VerifyError};
pub use form::{FormVerification, SuccessAction, VerifiedForm};
pub use form_error::FormError;
pub use incoming::{IncomingRequest, MAX_TARGET_BYTES, ParsedTarget, read_life};
pub use scope::Scope;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use signature::{SignedText, authenticate};

use crate::credentials::{Credentials, Secret};
use crate::dialect::Dialect;
use crate::key::ObjectKey;
use crate::time::Timestamp;

/// How far ahead of the clock a signing time may lie, seconds: clocks differ. Both clouds take 15 minutes.
pub const MAX_CLOCK_SKEW: u64 = 900;

/// What a request says about itself; nothing of it is true before it is verified.
pub struct Claim {
    /// The access key that is said to have signed.
    pub access_key_id: String,
    /// The day of the credential scope, `YYYYMMDD`.
    pub day: String,
    /// The region of the scope.
    pub region: String,
    /// The service of the scope.
    pub service: String,
    /// The signing time.
    pub signed_at: Timestamp,
    /// Life in seconds, within the provider's limits.
    pub seconds: u32,
    /// The signature.
    pub signature: [u8; 32],
    /// The session token that came along.
    pub session_token: Option<Secret>,
    /// The names of the headers that the signature covers, lower case, `host` included where it is signed.
    pub signed_headers: Vec<String>,
    /// The SHA-256 that the body must have.
    pub payload_sha256: Option<[u8; 32]>,
    /// The bucket that host or path name; `None` when the host is not known.
    pub bucket: Option<String>,
    /// The decoded object key; `None` for a request to the bucket.
    pub key: Option<String>,
    /// Decoded query parameters without those of the signature, in the order received.
    pub query: Vec<(String, String)>,
    /// What the signature must be of.
    pub string_to_sign: String,
}

/// Neither signature, token nor string to sign is shown.
impl fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Claim")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("signed_at", &self.signed_at)
            .field("seconds", &self.seconds)
            .field("signed_headers", &self.signed_headers)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A request whose form is right and whose signature is not judged yet.
///
/// Between [`parse`](Self::parse) and [`finish`](Self::finish) the caller looks the access key up, wherever that is.
///
/// ```no_run
/// use valetkey_core::verify::{Audience, IncomingRequest, Verification, VerifyError, Verified};
/// use valetkey_core::{Credentials, Dialect, Timestamp};
///
/// fn check(
///     dialect: &dyn Dialect,
///     request: &IncomingRequest<'_>,
///     find: impl Fn(&str) -> Option<Credentials>,
///     now: Timestamp,
/// ) -> Result<Verified, VerifyError> {
///     let pending = Verification::parse(dialect, request, &Audience::public())?;
///     let credentials = find(pending.access_key_id());
///     pending.finish(credentials.as_ref(), now)
/// }
/// ```
#[derive(Debug)]
pub struct Verification<'d> {
    dialect: &'d dyn Dialect,
    claim: Claim,
    method: String,
}

impl<'d> Verification<'d> {
    /// Judges the form of a request.
    ///
    /// # Errors
    /// [`VerifyError`] for parameters that are missing, doubled or malformed, a scope of another place, headers that should have been signed, and the like.
    pub fn parse(dialect: &'d dyn Dialect, request: &IncomingRequest<'_>, audience: &Audience) -> Result<Self, VerifyError> {
        let claim = dialect.parse(request, audience)?;
        Ok(Self { dialect, claim, method: request.method.into() })
    }

    /// The access key to look up. It is a claim: anybody can write any id.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.claim.access_key_id
    }

    /// Judges signature, token, time and key, in this order. `credentials` is what the lookup gave; `None` is an unknown key, which costs the same work.
    ///
    /// # Errors
    /// [`VerifyError`] with the first reason; none carries the signature that would have been right.
    pub fn finish(self, credentials: Option<&Credentials>, now: Timestamp) -> Result<Verified, VerifyError> {
        let Self { dialect, claim, method } = self;
        let scope = Scope { access_key_id: &claim.access_key_id, day: &claim.day, region: &claim.region, service: &claim.service };
        let text = SignedText { scope, text: &claim.string_to_sign, signature: &claim.signature, session_token: claim.session_token.as_ref() };
        authenticate(dialect, &text, credentials, now)?;
        let expiration = claim.signed_at.checked_add(u64::from(claim.seconds));
        let expiration = expiration.ok_or(VerifyError::ExpiresOutOfRange { max: claim.seconds })?;
        if claim.signed_at.seconds_since(now).is_some_and(|ahead| ahead > MAX_CLOCK_SKEW) {
            return Err(VerifyError::NotYetValid { signed_at: claim.signed_at, expiration, now });
        }
        if now > expiration {
            return Err(VerifyError::Expired { expiration, seconds: claim.seconds, now });
        }
        let Some(bucket) = claim.bucket else {
            return Err(VerifyError::UnknownHost);
        };
        let key = match claim.key {
            Some(key) => {
                let key = ObjectKey::new(key)?;
                dialect.check_key(&key)?;
                Some(key)
            }
            None => None,
        };
        Ok(Verified {
            access_key_id: claim.access_key_id,
            method,
            bucket,
            key,
            query: claim.query,
            signed_headers: claim.signed_headers,
            signed_at: claim.signed_at,
            expiration,
            payload_sha256: claim.payload_sha256,
        })
    }
}

/// Proof that a request was signed by the owner of a known key, for exactly this, and that it came in time. Nothing else makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    access_key_id: String,
    method: String,
    bucket: String,
    key: Option<ObjectKey>,
    query: Vec<(String, String)>,
    signed_headers: Vec<String>,
    signed_at: Timestamp,
    expiration: Timestamp,
    payload_sha256: Option<[u8; 32]>,
}

/// Values of the query may be a customer's key, so only names are shown.
impl fmt::Debug for Verified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Verified")
            .field("access_key_id", &self.access_key_id)
            .field("method", &self.method)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("query", &query)
            .field("signed_headers", &self.signed_headers)
            .field("signed_at", &self.signed_at)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

impl Verified {
    /// Who signed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The method that was signed.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object, decoded once; `None` for a request to the bucket. Use this and never the URL.
    #[must_use]
    pub const fn key(&self) -> Option<&ObjectKey> {
        self.key.as_ref()
    }

    /// Decoded query parameters, without those of the signature.
    #[must_use]
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The value of one query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The lower-case names of the headers that the signature covers.
    #[must_use]
    pub fn signed_headers(&self) -> &[String] {
        &self.signed_headers
    }

    /// The signing time.
    #[must_use]
    pub const fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// The last second in which the request could begin.
    #[must_use]
    pub const fn expiration(&self) -> Timestamp {
        self.expiration
    }

    /// An obligation: whoever reads the body must refuse it unless its SHA-256 is this.
    #[must_use]
    pub const fn payload_sha256(&self) -> Option<&[u8; 32]> {
        self.payload_sha256.as_ref()
    }
}
