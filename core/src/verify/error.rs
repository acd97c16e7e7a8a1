//! Why a request was refused, and how a cloud says so.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::FormError;
use crate::key::KeyError;
use crate::time::Timestamp;

/// Why a request was refused. No variant carries a signature, a token or the string that should have been signed: it would be an oracle for forgers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The request has no signature of this provider.
    #[error("the request is not signed")]
    NotSigned,
    /// The request is not well-formed HTTP.
    #[error("the request is malformed: {what}")]
    MalformedRequest {
        /// What is wrong.
        what: &'static str,
    },
    /// The path is not percent-encoded UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    MalformedPath,
    /// The query is not percent-encoded UTF-8.
    #[error("the query is not percent-encoded UTF-8")]
    MalformedQuery,
    /// Path and query are longer than is looked at.
    #[error("path and query are longer than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// Two ways of signing are mixed.
    #[error("the request mixes two ways of signing; send one")]
    MixedAuthentication,
    /// A parameter of the signature is missing.
    #[error("{name} is missing")]
    MissingParameter {
        /// Its name.
        name: &'static str,
    },
    /// A parameter of the signature stands twice.
    #[error("{name} stands more than once")]
    DuplicateParameter {
        /// Its name.
        name: &'static str,
    },
    /// A parameter of the signature is malformed.
    #[error("{name} {reason}")]
    MalformedParameter {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// Another algorithm.
    #[error("the signature algorithm is not supported; only {expected} is")]
    UnsupportedAlgorithm {
        /// The one that is supported.
        expected: &'static str,
    },
    /// The life is outside of what the provider takes.
    #[error("the life is not within 1 to {max} seconds")]
    ExpiresOutOfRange {
        /// The maximum.
        max: u32,
    },
    /// The credential scope names another day, region or service.
    #[error("the credential scope names another {part} than expected{}", expected.as_deref().map(|e| alloc::format!(" (`{e}`)")).unwrap_or_default())]
    ScopeMismatch {
        /// `day`, `region` or `service`.
        part: &'static str,
        /// What was expected, where that is no secret.
        expected: Option<String>,
    },
    /// The signature is not 64 lower-case hex digits.
    #[error("the signature is not 64 lower-case hex digits")]
    MalformedSignature,
    /// The signature does not cover the host.
    #[error("the signature does not cover the host header")]
    HostNotSigned,
    /// A header that the signature covers was not sent.
    #[error("the signed header {name} was not sent")]
    SignedHeaderMissing {
        /// Its name.
        name: String,
    },
    /// Headers were sent that the signature should cover and does not.
    #[error("these headers were sent and are not signed: {}", names.join(", "))]
    UnsignedHeaders {
        /// Their names.
        names: Vec<String>,
    },
    /// A parameter and a header of the same name differ.
    #[error("the query and the headers have different values for {name}")]
    ConflictingValue {
        /// The name.
        name: String,
    },
    /// The payload is signed in a way that is not taken here: chunks on a URL, or an algorithm that is not known.
    #[error("this way of signing the payload is not supported here")]
    UnsupportedPayload,
    /// The header authorization does not say what the body is.
    #[error("the header {name}, which says what the body is, is missing or is nothing that it may be")]
    MissingPayload {
        /// The header that says it.
        name: &'static str,
    },
    /// The header authorization does not say when it was made.
    #[error("the header {name} is missing or is not a date of the form YYYYMMDDTHHMMSSZ")]
    MissingDate {
        /// The header that says it.
        name: &'static str,
    },
    /// The time of a header authorization is too far from the verifier's.
    #[error("the request was signed at {signed_at}, and it is {now}; at most 15 minutes may lie between, so set the clock")]
    TooSkewed {
        /// The signing time.
        signed_at: Timestamp,
        /// The verifier's time.
        now: Timestamp,
    },
    /// The `Authorization` header is not as it must be.
    #[error("the Authorization header: {0}")]
    Authorization(Box<VerifyError>),
    /// The access key is not known here.
    #[error("the access key id {access_key_id} is not known")]
    UnknownAccessKey {
        /// The id that the request names.
        access_key_id: String,
    },
    /// The signature is of something else.
    #[error("the signature does not match the request")]
    SignatureMismatch,
    /// The session token is not the one that was issued with the access key.
    #[error("the session token is not the one that belongs to the access key")]
    TokenMismatch,
    /// The temporary credentials have ended.
    #[error("the session token has expired")]
    TokenExpired,
    /// The signing time lies too far ahead.
    #[error("the request is not yet valid: it was signed for {signed_at}, and it is {now}")]
    NotYetValid {
        /// The signing time.
        signed_at: Timestamp,
        /// The last valid second.
        expiration: Timestamp,
        /// The verifier's time.
        now: Timestamp,
    },
    /// The signature has ended.
    #[error("the request expired at {expiration}, and it is {now}")]
    Expired {
        /// The last valid second.
        expiration: Timestamp,
        /// The life in seconds.
        seconds: u32,
        /// The verifier's time.
        now: Timestamp,
    },
    /// The host belongs to no bucket that is served here.
    #[error("the host belongs to no bucket that is known here")]
    UnknownHost,
    /// The key is one that is refused everywhere.
    #[error(transparent)]
    UnsafeKey(#[from] KeyError),
    /// A form was refused.
    #[error(transparent)]
    Form(#[from] FormError),
}

impl VerifyError {
    /// The same, found in the `Authorization` header: clouds answer it in other words than in a URL.
    #[must_use]
    pub fn in_authorization(self) -> Self {
        Self::Authorization(Box::new(self))
    }

    /// The name of this error in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSigned => "not_signed",
            Self::MalformedRequest { .. } => "malformed_request",
            Self::MalformedPath => "malformed_path",
            Self::MalformedQuery => "malformed_query",
            Self::TooLarge { .. } => "too_large",
            Self::MixedAuthentication => "mixed_authentication",
            Self::MissingParameter { .. } => "missing_parameter",
            Self::DuplicateParameter { .. } => "duplicate_parameter",
            Self::MalformedParameter { .. } => "malformed_parameter",
            Self::UnsupportedAlgorithm { .. } => "unsupported_algorithm",
            Self::ExpiresOutOfRange { .. } => "expires_out_of_range",
            Self::ScopeMismatch { .. } => "scope_mismatch",
            Self::MalformedSignature => "malformed_signature",
            Self::HostNotSigned => "host_not_signed",
            Self::SignedHeaderMissing { .. } => "signed_header_missing",
            Self::UnsignedHeaders { .. } => "unsigned_headers",
            Self::ConflictingValue { .. } => "conflicting_value",
            Self::UnsupportedPayload => "unsupported_payload",
            Self::MissingPayload { .. } => "missing_payload",
            Self::MissingDate { .. } => "missing_date",
            Self::TooSkewed { .. } => "too_skewed",
            Self::Authorization(error) => error.code(),
            Self::UnknownAccessKey { .. } => "unknown_access_key",
            Self::SignatureMismatch => "signature_mismatch",
            Self::TokenMismatch => "token_mismatch",
            Self::TokenExpired => "token_expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
            Self::UnknownHost => "unknown_host",
            Self::UnsafeKey(_) => "unsafe_key",
            Self::Form(error) => error.code(),
        }
    }
}

/// How a cloud answers: status, code, text, and the detail elements of its error body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `Code`.
    pub code: &'static str,
    /// `Message`.
    pub message: String,
    /// OSS: `EC`.
    pub ec: Option<&'static str>,
    /// More elements, name and value.
    pub details: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal without details.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), ec: None, details: Vec::new() }
    }

    /// Adds the error number of OSS.
    #[must_use]
    pub const fn ec(mut self, ec: &'static str) -> Self {
        self.ec = Some(ec);
        self
    }

    /// Adds a detail element.
    #[must_use]
    pub fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}
