//! Why something could not be signed.

use alloc::string::{String, ToString};

use crate::constraint::ConstraintName;
use crate::credentials::CredentialsError;
use crate::key::KeyError;
use crate::operation::Operation;
use crate::options::LifeError;
use crate::post_policy::PolicyError;
use crate::target::TargetError;
use crate::values::ValueError;

/// Why something could not be signed. Each says what was wrong and what to do; none holds a secret, a URL or a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresignError {
    /// The key cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An operation on the bucket was given a key.
    #[error("`{operation}` takes no object key; leave it out, or use the prefix")]
    UnexpectedKey {
        /// The operation.
        operation: Operation,
    },
    /// The life cannot be had.
    #[error(transparent)]
    Life(#[from] LifeError),
    /// No credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The store's settings make no URL.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A value is not what its name says.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The provider cannot bind this constraint, so nothing is signed.
    #[error("{provider} cannot bind `{constraint}`: {reason}")]
    Unsupported {
        /// The provider.
        provider: &'static str,
        /// The constraint.
        constraint: ConstraintName,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// The constraint means nothing for the operation, so it would be signed and never obeyed.
    #[error("`{constraint}` means nothing for `{operation}`; leave it out")]
    NotApplicable {
        /// The constraint.
        constraint: ConstraintName,
        /// The operation.
        operation: Operation,
    },
    /// The operation cannot be signed without this constraint.
    #[error("`{operation}` needs `{constraint}`")]
    Missing {
        /// The constraint.
        constraint: ConstraintName,
        /// The operation.
        operation: Operation,
    },
    /// The policy of a form cannot be signed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A name is given twice, typed or raw.
    #[error("`{name}` is given twice; give it once")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A raw name that the signer sets itself.
    #[error("`{}` is set by the signer and cannot be given", name.escape_debug())]
    Reserved {
        /// The name.
        name: String,
    },
    /// A value of a constraint that cannot be signed.
    #[error("`{constraint}`: {reason}")]
    InvalidValue {
        /// The constraint.
        constraint: ConstraintName,
        /// What is wrong.
        reason: String,
    },
    /// A header, or a query parameter that becomes one, which HTTP cannot carry.
    #[error("{reason}")]
    InvalidHeader {
        /// The name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl PresignError {
    /// An [`InvalidValue`](Self::InvalidValue).
    #[must_use]
    pub fn invalid(constraint: ConstraintName, reason: impl Into<String>) -> Self {
        Self::InvalidValue { constraint, reason: reason.into() }
    }

    /// The name of this error in JSON.
    ///
    /// ```
    /// use valetkey_core::{KeyError, PresignError};
    ///
    /// assert_eq!(PresignError::from(KeyError::Empty).code(), "invalid_key");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Key(_) => "invalid_key",
            Self::UnexpectedKey { .. } => "unexpected_key",
            Self::Life(error) => error.code(),
            Self::Credentials(error) => error.code(),
            Self::Target(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Unsupported { .. } => "unsupported",
            Self::NotApplicable { .. } => "not_applicable",
            Self::Missing { .. } => "missing",
            Self::Duplicate { .. } => "duplicate",
            Self::Reserved { .. } => "reserved",
            Self::InvalidValue { .. } | Self::Value(_) => "invalid_value",
            Self::InvalidHeader { .. } => "invalid_header",
        }
    }

    /// `{"error":{"code","message"}}`
    #[must_use]
    pub fn to_json(&self) -> String {
        error_json(self.code(), &self.to_string())
    }
}

/// The one shape of an error in JSON: `{"error":{"code","message"}}`.
///
/// ```
/// assert_eq!(valetkey_core::error_json("missing", "no \"key\""), r#"{"error":{"code":"missing","message":"no \"key\""}}"#);
/// ```
#[must_use]
pub fn error_json(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
}
