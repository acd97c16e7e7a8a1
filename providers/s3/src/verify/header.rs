//! A signature in the `Authorization` header.

use alloc::string::String;

use valetkey_core::verify::{AuthorizationHeader, ClaimedPayload, IncomingRequest, Scope, VerifyError};
use valetkey_core::{Timestamp, crypto};

use super::{Signature, read_signed_names};
use crate::names;

pub(super) fn read<'r>(request: &IncomingRequest<'r>, region: Option<&str>) -> Result<Signature<'r>, VerifyError> {
    let header = AuthorizationHeader::of(request, names::ALGORITHM_VALUE)?;
    let names = ["Credential", "SignedHeaders", "Signature"];
    header.only(&names)?;
    let [credential, signed_names, signature] = names.map(|name| header.required(name));
    let scope = Scope::read("Credential", credential?, names::SCOPE_END).map_err(VerifyError::in_authorization)?;
    let signed_headers = read_signed_names("SignedHeaders", signed_names?).map_err(|error| match error {
        VerifyError::MalformedParameter { .. } => error.in_authorization(),
        other => other,
    })?;
    let signature = crypto::read_hex(signature?).ok_or(VerifyError::MalformedSignature)?;

    let date = request.signed_value(names::DATE_HEADER)?.and_then(|date| Timestamp::from_basic(&date).ok());
    let signed_at = date.ok_or(VerifyError::MissingDate { name: names::DATE_HEADER })?;
    scope.check(signed_at, names::SERVICE, region).map_err(VerifyError::in_authorization)?;
    let (payload_line, payload) = payload(request)?;
    let token = request.signed_value(names::SECURITY_TOKEN_HEADER)?;
    Ok(Signature { scope, signed_at, life: None, signed_headers, signature, token, payload_line, payload, takes_hoisted: false })
}

/// The header that says what the body is, which no request of this way may leave out.
fn payload(request: &IncomingRequest<'_>) -> Result<(String, ClaimedPayload), VerifyError> {
    let missing = VerifyError::MissingPayload { name: names::CONTENT_SHA256_HEADER };
    let Some(value) = request.signed_value(names::CONTENT_SHA256_HEADER)? else { return Err(missing) };
    let chunked = |is_signed: bool, has_trailer| {
        let algorithms = is_signed.then_some((names::CHUNK_ALGORITHM, names::TRAILER_ALGORITHM));
        Some(ClaimedPayload::Chunked { algorithms, has_trailer })
    };
    let payload = match value.as_str() {
        names::UNSIGNED_PAYLOAD => Some(ClaimedPayload::Unsigned),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => chunked(true, false),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => chunked(true, true),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => chunked(false, true),
        // Asymmetric signatures (SigV4A), and whatever comes next.
        other if other.starts_with("STREAMING-") => return Err(VerifyError::UnsupportedPayload),
        digest => crypto::read_hex(digest).map(ClaimedPayload::Sha256),
    };
    payload.map(|payload| (value, payload)).ok_or(missing)
}
