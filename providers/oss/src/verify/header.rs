//! A signature in the `Authorization` header.

use valetkey_core::verify::{AuthorizationHeader, IncomingRequest, Scope, VerifyError};
use valetkey_core::{Timestamp, crypto};

use super::{Signature, check_scope, read_additional};
use crate::names;

pub(super) fn read<'r>(request: &IncomingRequest<'r>, region: Option<&str>) -> Result<Signature<'r>, VerifyError> {
    let header = AuthorizationHeader::of(request, names::ALGORITHM_VALUE)?;
    header.only(&["Credential", "AdditionalHeaders", "Signature"])?;
    let (credential, signature) = (header.required("Credential")?, header.required("Signature")?);
    let additional = header.optional("AdditionalHeaders")?;
    let scope = Scope::read("Credential", credential, names::SCOPE_END).map_err(VerifyError::in_authorization)?;
    let additional = read_additional("AdditionalHeaders", additional).map_err(VerifyError::in_authorization)?;
    let signature = crypto::read_hex(signature).ok_or(VerifyError::MalformedSignature)?;

    let date = request.signed_value(names::DATE)?.and_then(|date| Timestamp::from_basic(&date).ok());
    let signed_at = date.ok_or(VerifyError::MissingDate { name: names::DATE })?;
    check_scope(&scope, signed_at, region).map_err(VerifyError::in_authorization)?;
    // The only value that OSS knows.
    if request.signed_value(names::CONTENT_SHA256)?.as_deref() != Some(names::UNSIGNED_PAYLOAD) {
        return Err(VerifyError::MissingPayload { name: names::CONTENT_SHA256 });
    }
    let token = request.signed_value(names::SECURITY_TOKEN)?;
    Ok(Signature { scope, signed_at, life: None, additional, signature, token })
}
