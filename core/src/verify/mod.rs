//! Verification: the same road as signing, backwards.
//!
//! A received request is read to a [`Claim`] (its form alone is judged), the caller looks up the access key that it names, and
//! [`Verification::finish`] compares signatures in constant time, then the token, the time and the key. The only way to a [`Verified`] value is to pass.

mod audience;
mod authorization;
mod error;
mod form;
mod form_error;
mod incoming;
mod payload;
mod scope;
mod signature;

pub use audience::{Audience, Place, PublicHost};
pub use authorization::AuthorizationHeader;
pub use error::{Refusal, VerifyError};
pub use form::{FormVerification, SuccessAction, VerifiedForm};
pub use form_error::FormError;
pub use incoming::{IncomingRequest, MAX_TARGET_BYTES, ParsedTarget, read_life};
pub use payload::{ChunkSignatures, ClaimedPayload, Payload};
pub use scope::Scope;

use alloc::boxed::Box;
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
    /// The life of a presigned URL in seconds, within the provider's limits; `None` of an `Authorization` header, which is good for as long as clocks may
    /// differ.
    pub life: Option<u32>,
    /// The signature.
    pub signature: [u8; 32],
    /// The session token that came along.
    pub session_token: Option<Secret>,
    /// The names of the headers that the signature covers, lower case, `host` included where it is signed.
    pub signed_headers: Vec<String>,
    /// What is said of the body.
    pub payload: ClaimedPayload,
    /// What host and path name.
    pub place: Place,
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
            .field("life", &self.life)
            .field("signed_headers", &self.signed_headers)
            .field("place", &self.place)
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
        let key = authenticate(dialect, &text, credentials, now)?;
        let expiration = check_time(&claim, now)?;
        let payload = match claim.payload {
            ClaimedPayload::Unsigned => Payload::Unsigned,
            ClaimedPayload::Sha256(digest) => Payload::Sha256(digest),
            ClaimedPayload::Chunked { algorithms, has_trailer } => {
                let signatures = algorithms.map(|algorithms| Box::new(ChunkSignatures::new(key, &claim.string_to_sign, claim.signature, algorithms)));
                Payload::Chunked { signatures, has_trailer }
            }
        };
        let (bucket, key) = match claim.place {
            Place::Elsewhere { .. } => return Err(VerifyError::UnknownHost),
            Place::Service => (None, None),
            Place::Bucket { bucket } => (Some(bucket), None),
            Place::Object { bucket, key } => {
                let key = ObjectKey::new(key)?;
                dialect.check_key(&key)?;
                (Some(bucket), Some(key))
            }
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
            payload,
        })
    }
}

/// The last valid second. A URL lives as long as it says; a header for as long as clocks may differ, both ways.
fn check_time(claim: &Claim, now: Timestamp) -> Result<Timestamp, VerifyError> {
    let signed_at = claim.signed_at;
    let is_ahead = signed_at.seconds_since(now).is_some_and(|ahead| ahead > MAX_CLOCK_SKEW);
    let Some(seconds) = claim.life else {
        let expiration = signed_at.checked_add(MAX_CLOCK_SKEW).filter(|expiration| !is_ahead && now <= *expiration);
        return expiration.ok_or(VerifyError::TooSkewed { signed_at, now });
    };
    let expiration = signed_at.checked_add(u64::from(seconds)).ok_or(VerifyError::ExpiresOutOfRange { max: seconds })?;
    if is_ahead {
        return Err(VerifyError::NotYetValid { signed_at, expiration, now });
    }
    if now > expiration {
        return Err(VerifyError::Expired { expiration, seconds, now });
    }
    Ok(expiration)
}

/// Proof that a request was signed by the owner of a known key, for exactly this, and that it came in time. Nothing else makes one.
#[derive(Clone)]
pub struct Verified {
    access_key_id: String,
    method: String,
    bucket: Option<String>,
    key: Option<ObjectKey>,
    query: Vec<(String, String)>,
    signed_headers: Vec<String>,
    signed_at: Timestamp,
    expiration: Timestamp,
    payload: Payload,
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

    /// The bucket; `None` for a request to the service itself, which lists its buckets.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// The object, decoded once; `None` for a request to the bucket or the service. Use this and never the URL.
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

    /// An obligation: whoever reads the body must refuse it unless it is what this says.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }
}
