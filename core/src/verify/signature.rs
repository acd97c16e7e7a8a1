//! What requests and forms share: whose signature it is, and whether it is right.

use alloc::borrow::ToOwned;

use super::{Scope, VerifyError};
use crate::credentials::{Credentials, Secret};
use crate::crypto::SigningKey;
use crate::dialect::Dialect;
use crate::time::Timestamp;

/// A text that is said to be signed.
pub(super) struct SignedText<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) text: &'a str,
    pub(super) signature: &'a [u8; 32],
    pub(super) session_token: Option<&'a Secret>,
}

/// Judges key, signature and token, in this order, and gives the key that signed. An unknown key costs the same work as a known one.
pub(super) fn authenticate(
    dialect: &dyn Dialect,
    signed: &SignedText<'_>,
    credentials: Option<&Credentials>,
    now: Timestamp,
) -> Result<SigningKey, VerifyError> {
    let nobody;
    let signer = match credentials {
        Some(credentials) => credentials,
        None => {
            nobody = Credentials::new("unknown", "unknown").map_err(|_| VerifyError::SignatureMismatch)?;
            &nobody
        }
    };
    let scope = &signed.scope;
    let key = dialect.signing_key(signer, scope.day, scope.region, scope.service);
    let matches = key.matches(signed.text, signed.signature);
    if credentials.is_none() || signer.access_key_id() != scope.access_key_id {
        return Err(VerifyError::UnknownAccessKey { access_key_id: scope.access_key_id.to_owned() });
    }
    if !matches {
        return Err(VerifyError::SignatureMismatch);
    }
    if signer.session_token() != signed.session_token {
        return Err(VerifyError::TokenMismatch);
    }
    if signer.expiration().is_some_and(|end| now > end) {
        return Err(VerifyError::TokenExpired);
    }
    Ok(key)
}
