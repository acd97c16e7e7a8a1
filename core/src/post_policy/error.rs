//! Why a policy cannot be signed.

use alloc::string::String;

use super::PolicyDocumentError;

/// Why a policy cannot be signed. None holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The provider cannot enforce this on a form, so nothing is signed.
    #[error("{provider} cannot enforce `{condition}` on a form: {reason}")]
    Unsupported {
        /// The provider.
        provider: &'static str,
        /// The condition.
        condition: &'static str,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// The policy would allow more than it seems to, or could never be met.
    #[error("`{condition}`: {reason}")]
    Unsafe {
        /// The condition.
        condition: &'static str,
        /// What is wrong, and what to do instead.
        reason: String,
    },
    /// A value that no form can carry.
    #[error("`{condition}`: {reason}")]
    InvalidValue {
        /// The condition.
        condition: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A given policy text is no policy.
    #[error("the policy is malformed: {0}")]
    Document(#[from] PolicyDocumentError),
    /// A given policy text and the signer do not fit together, so the store would refuse the form.
    #[error("the policy does not fit the signer: {reason}")]
    Mismatch {
        /// What does not fit, and what to write.
        reason: String,
    },
    /// A value that the form's own conditions refuse.
    #[error("the form does not take this value of `{field}`: {reason}")]
    Refused {
        /// The field.
        field: String,
        /// Which rule is broken.
        reason: String,
    },
}

impl PolicyError {
    /// The name of this error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "unsupported",
            Self::Unsafe { .. } => "unsafe_policy",
            Self::InvalidValue { .. } => "invalid_value",
            Self::Document(_) => "invalid_policy",
            Self::Mismatch { .. } => "policy_mismatch",
            Self::Refused { .. } => "refused_value",
        }
    }
}
