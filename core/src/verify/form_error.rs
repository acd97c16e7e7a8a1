//! Why a form was refused.

use alloc::string::String;

use crate::key::KeyError;
use crate::post_policy::PolicyDocumentError;
use crate::time::Timestamp;

/// Why a form was refused. Conditions are quoted, since the form carries them in the open; tokens, keys of customers and signatures are not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The body is no well-formed `multipart/form-data`, or has something after the file.
    #[error("the form is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The request was sent to an object; a form goes to the bucket.
    #[error("a form is sent to the bucket and not to an object; the key is a field")]
    NotAtBucket,
    /// There is more before the file than is looked at.
    #[error("the fields before the file are longer than {max} bytes")]
    TooMuchBeforeFile {
        /// The limit.
        max: u64,
    },
    /// One field is longer than is looked at.
    #[error("the field {name} is longer than {max} bytes")]
    FieldTooLong {
        /// The field.
        name: String,
        /// The limit.
        max: usize,
    },
    /// A field is missing, or stands after the file.
    #[error("the form has no field `{name}` before the file")]
    MissingField {
        /// The field.
        name: &'static str,
    },
    /// There is no file, or more than one.
    #[error("a form carries exactly one file, and this one has {count}")]
    FileCount {
        /// How many.
        count: usize,
    },
    /// A field stands twice, in any case of its letters.
    #[error("the field `{}` stands more than once", name.escape_debug())]
    DuplicateField {
        /// The field.
        name: String,
    },
    /// A field is malformed.
    #[error("the field `{}` {reason}", name.escape_debug())]
    MalformedField {
        /// The field.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The policy is none.
    #[error("the policy is malformed: {0}")]
    Policy(#[from] PolicyDocumentError),
    /// Another way of signing.
    #[error("the form is signed in another way; only {expected} is supported here")]
    UnsupportedAlgorithm {
        /// The one that is supported.
        expected: &'static str,
    },
    /// The signature is of another policy or by another key, or is no signature.
    #[error("the signature does not match the policy")]
    SignatureMismatch,
    /// The credential names another day, region or service.
    #[error("the credential names another {part} than expected{}", expected.as_deref().map(|e| alloc::format!(" (`{e}`)")).unwrap_or_default())]
    ScopeMismatch {
        /// `day`, `region` or `service`.
        part: &'static str,
        /// What was expected, where that is no secret.
        expected: Option<String>,
    },
    /// A field of the signature is not fixed by the policy.
    #[error("the policy does not fix the field `{name}`")]
    FieldNotBound {
        /// The field.
        name: &'static str,
    },
    /// No condition names the field.
    #[error("no condition of the policy names the field `{}`", name.escape_debug())]
    ExtraField {
        /// The field.
        name: String,
    },
    /// A condition does not hold.
    #[error("this condition of the policy does not hold: {condition}")]
    ConditionFailed {
        /// The condition as it stands in the policy.
        condition: String,
    },
    /// The policy or the form names another bucket than the URL, or the policy names none.
    #[error("the policy is not for the bucket `{bucket}`")]
    BucketMismatch {
        /// The bucket of the URL.
        bucket: String,
    },
    /// The signing time lies too far ahead.
    #[error("the form is not yet valid: it was signed for {signed_at}, and it is {now}")]
    NotYetValid {
        /// The signing time.
        signed_at: Timestamp,
        /// The verifier's time.
        now: Timestamp,
    },
    /// The form has ended.
    #[error("the form expired at {expiration}, and it is {now}")]
    Expired {
        /// The last valid second.
        expiration: Timestamp,
        /// The verifier's time.
        now: Timestamp,
    },
    /// The policy ends later than the provider takes.
    #[error("the policy ends more than {max} seconds after its signing time")]
    ExpirationOutOfRange {
        /// The maximum.
        max: u32,
    },
    /// The file is too large.
    #[error("{size} bytes are more than the {max} that the policy takes")]
    TooLarge {
        /// The size, or what was counted until it was too much.
        size: u64,
        /// The most bytes.
        max: u64,
    },
    /// The file is too small.
    #[error("{size} bytes are fewer than the {min} that the policy takes")]
    TooSmall {
        /// The size.
        size: u64,
        /// The fewest bytes.
        min: u64,
    },
    /// `${filename}` stands for nothing.
    #[error("the key has `${{filename}}` and the file has no name")]
    NoFileName,
    /// The key is one that is refused everywhere.
    #[error(transparent)]
    UnsafeKey(#[from] KeyError),
}

impl FormError {
    /// The name of this error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_form",
            Self::NotAtBucket => "not_at_bucket",
            Self::TooMuchBeforeFile { .. } => "too_much_before_file",
            Self::FieldTooLong { .. } => "field_too_long",
            Self::MissingField { .. } => "missing_field",
            Self::FileCount { .. } => "file_count",
            Self::DuplicateField { .. } => "duplicate_field",
            Self::MalformedField { .. } => "malformed_field",
            Self::Policy(_) => "invalid_policy",
            Self::UnsupportedAlgorithm { .. } => "unsupported_algorithm",
            Self::SignatureMismatch => "signature_mismatch",
            Self::ScopeMismatch { .. } => "scope_mismatch",
            Self::FieldNotBound { .. } => "field_not_bound",
            Self::ExtraField { .. } => "extra_field",
            Self::ConditionFailed { .. } => "condition_failed",
            Self::BucketMismatch { .. } => "bucket_mismatch",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
            Self::ExpirationOutOfRange { .. } => "expiration_out_of_range",
            Self::TooLarge { .. } => "entity_too_large",
            Self::TooSmall { .. } => "entity_too_small",
            Self::NoFileName => "no_file_name",
            Self::UnsafeKey(_) => "unsafe_key",
        }
    }
}
