//! Who signs: access keys, session tokens, and where they come from.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::time::Timestamp;

/// A text that must not be seen: a secret access key, a session token.
///
/// Wiped when dropped, without Display or Serialize; Debug prints a constant and equality takes the same time wherever the texts differ.
///
/// ```
/// use valetkey_core::Secret;
///
/// let secret = Secret::new("wJalrXUtnFEMI");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "wJalrXUtnFEMI");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret, verbatim.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// An access key, its secret and, when it is temporary, the session token and its end.
///
/// ```
/// use valetkey_core::Credentials;
///
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?
///     .with_session_token("FwoGZXIvYXdz")?
///     .with_expiration("2026-11-22T12:00:00Z".parse()?);
/// assert_eq!(credentials.access_key_id(), "AKIAIOSFODNN7EXAMPLE");
/// assert!(!format!("{credentials:?}").contains("wJalr"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    // The token as it stands in every URL: some hundred characters that are encoded once instead of in each signature.
    encoded_session_token: Option<Secret>,
    expiration: Option<Timestamp>,
}

impl Credentials {
    /// Takes an access key id and its secret, both verbatim.
    ///
    /// # Errors
    /// [`CredentialsError::Malformed`] when one of them is empty, or the id holds `/`, white space or a control character (it would break the
    /// credential scope), or the secret holds a control character or blanks at its ends (a line end that was copied along, mostly).
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Result<Self, CredentialsError> {
        let access_key_id = access_key_id.into();
        let secret_access_key = Secret::new(secret_access_key);
        let malformed = |what| Err(CredentialsError::Malformed { what });
        if access_key_id.is_empty() {
            return malformed("the access key id is empty");
        }
        if access_key_id.chars().any(|c| c == '/' || c.is_whitespace() || c.is_control()) {
            return malformed("the access key id holds `/`, white space or a control character");
        }
        let secret = secret_access_key.expose();
        if secret.is_empty() {
            return malformed("the secret access key is empty");
        }
        if secret.trim() != secret || secret.chars().any(char::is_control) {
            return malformed("the secret access key has white space at its ends or a control character in it; remove the line end");
        }
        Ok(Self { access_key_id, secret_access_key, session_token: None, encoded_session_token: None, expiration: None })
    }

    /// Adds the session token of temporary credentials. An empty token counts as none.
    ///
    /// # Errors
    /// [`CredentialsError::Malformed`] when it has white space at its ends or a control character in it.
    pub fn with_session_token(mut self, token: impl Into<String>) -> Result<Self, CredentialsError> {
        let token = token.into();
        if token.trim() != token || token.chars().any(char::is_control) {
            return Err(CredentialsError::Malformed {
                what: "the session token has white space at its ends or a control character in it; remove the line end",
            });
        }
        self.encoded_session_token = (!token.is_empty()).then(|| Secret::new(crate::encode::query(&token)));
        self.session_token = (!token.is_empty()).then(|| Secret::new(token));
        Ok(self)
    }

    /// Says when the credentials end. What is signed with them ends then too, whatever it says itself.
    #[must_use]
    pub const fn with_expiration(mut self, expiration: Timestamp) -> Self {
        self.expiration = Some(expiration);
        self
    }

    /// The access key id; it is public and stands in every URL.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret that signs.
    #[must_use]
    pub const fn secret_access_key(&self) -> &Secret {
        &self.secret_access_key
    }

    /// The session token, when the credentials are temporary.
    #[must_use]
    pub const fn session_token(&self) -> Option<&Secret> {
        self.session_token.as_ref()
    }

    /// The session token, percent-encoded for a query.
    #[must_use]
    pub const fn encoded_session_token(&self) -> Option<&Secret> {
        self.encoded_session_token.as_ref()
    }

    /// When the credentials end; `None` is "never, or not known".
    #[must_use]
    pub const fn expiration(&self) -> Option<Timestamp> {
        self.expiration
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expiration", &self.expiration)
            .finish()
    }
}

/// Why no credentials could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// What was found cannot be credentials. The text never holds a secret.
    #[error("{what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// Nothing was found where it was looked for.
    #[error("no credentials found: {}", tried.join("; "))]
    NotFound {
        /// Each place that was looked at and what was missing there.
        tried: Vec<String>,
    },
    /// One half of a pair is there and the other is not.
    #[error("{found} is set but {missing} is not; set both")]
    Incomplete {
        /// The name that is set.
        found: String,
        /// The name that is missing.
        missing: String,
    },
    /// A source could not be read.
    #[error("credentials could not be read from {source_name}: {reason}")]
    Source {
        /// The file, variable or service.
        source_name: String,
        /// What went wrong, without a secret.
        reason: String,
    },
}

impl CredentialsError {
    /// The name of this error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_credentials",
            Self::NotFound { .. } => "credentials_not_found",
            Self::Incomplete { .. } => "incomplete_credentials",
            Self::Source { .. } => "credentials_source",
        }
    }
}

/// Where credentials come from.
///
/// A presigner asks before each signature, so an implementation answers from memory while what it has is valid, and fetches at most once at a time.
/// It never falls back to another identity when the one it was told to use cannot be had: it fails.
///
/// ```
/// use std::sync::Arc;
/// use valetkey_core::{Credentials, CredentialsError, CredentialsProvider};
///
/// #[derive(Debug)]
/// struct Vault(Arc<Credentials>);
///
/// #[async_trait::async_trait]
/// impl CredentialsProvider for Vault {
///     async fn credentials(&self) -> Result<Arc<Credentials>, CredentialsError> {
///         Ok(self.0.clone())
///     }
/// }
/// ```
#[async_trait]
pub trait CredentialsProvider: fmt::Debug + Send + Sync {
    /// Credentials that are valid now.
    ///
    /// # Errors
    /// [`CredentialsError`] says what was tried and why it failed.
    async fn credentials(&self) -> Result<Arc<Credentials>, CredentialsError>;

    /// Credentials that live longer than the ones [`credentials`](Self::credentials) gave, if there are any: asked for when a signature would outlive
    /// them. A provider that has no newer ones gives the same again, which is the default.
    ///
    /// # Errors
    /// As [`credentials`](Self::credentials).
    async fn refresh(&self) -> Result<Arc<Credentials>, CredentialsError> {
        self.credentials().await
    }
}

/// Credentials that never change are their own provider.
#[async_trait]
impl CredentialsProvider for Arc<Credentials> {
    async fn credentials(&self) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::clone(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::new("AKID", "top-secret-value").unwrap().with_session_token("token-value").unwrap();
        let text = format!("{credentials:?} {:#?} {:?}", credentials, credentials.session_token());
        assert!(text.contains("AKID") && text.contains("Secret(..)"));
        assert!(!text.contains("top-secret") && !text.contains("token-value"));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_showing_it() {
        for (id, secret) in [("", "s"), ("A K", "s"), ("A/K", "s"), ("A\nK", "s"), ("AK", ""), ("AK", "hidden\n"), ("AK", " hidden"), ("AK", "hid\u{0}den")] {
            let error = Credentials::new(id, secret).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
        assert!(Credentials::new("AK", "with space/and+plus=").is_ok());
        assert_eq!(Credentials::new("AK", "s").unwrap().with_session_token("").unwrap().session_token(), None);
        for token in ["hidden\n", " hidden", "hid\nden"] {
            let error = Credentials::new("AK", "s").unwrap().with_session_token(token).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hid"), "{error}");
        }
    }
}
