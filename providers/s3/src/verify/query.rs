//! A signature in the query: a presigned URL.

use alloc::borrow::ToOwned;
use alloc::string::String;

use valetkey_core::verify::{ClaimedPayload, IncomingRequest, ParsedTarget, Scope, VerifyError, read_life};
use valetkey_core::{Timestamp, crypto};

use super::{Signature, malformed, read_signed_names};
use crate::{S3, names};

pub(super) fn read<'t>(request: &IncomingRequest<'_>, target: &'t ParsedTarget<'_>, region: Option<&str>) -> Result<Signature<'t>, VerifyError> {
    let algorithm = target.required(names::ALGORITHM)?;
    let credential = target.required(names::CREDENTIAL)?;
    let date = target.required(names::DATE)?;
    let life = target.required(names::EXPIRES)?;
    let signed_names = target.required(names::SIGNED_HEADERS)?;
    let signature = target.required(names::SIGNATURE)?;
    let token = target.once(names::SECURITY_TOKEN)?;

    if algorithm != names::ALGORITHM_VALUE {
        return Err(VerifyError::UnsupportedAlgorithm { expected: names::ALGORITHM_VALUE });
    }
    let scope = Scope::read(names::CREDENTIAL, credential, names::SCOPE_END)?;
    let signed_at = Timestamp::from_basic(date).map_err(|_| malformed(names::DATE, "is not a date of the form YYYYMMDDTHHMMSSZ"))?;
    let life = read_life(names::EXPIRES, life, S3::MAX_LIFE)?;
    let signed_headers = read_signed_names(names::SIGNED_HEADERS, signed_names)?;
    let signature = crypto::read_hex(signature).ok_or(VerifyError::MalformedSignature)?;
    scope.check(signed_at, names::SERVICE, region)?;
    let (payload_line, payload) = payload(request, target, &signed_headers)?;
    let token = token.map(ToOwned::to_owned);
    Ok(Signature { scope, signed_at, life: Some(life), signed_headers, signature, token, payload_line, payload, takes_hoisted: true })
}

/// The payload hash of the canonical request: the parameter, else the signed header, else `UNSIGNED-PAYLOAD`.
fn payload(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, signed: &[String]) -> Result<(String, ClaimedPayload), VerifyError> {
    let header = request.signed_value(names::CONTENT_SHA256_HEADER)?;
    if header.as_deref().is_some_and(|value| value.starts_with("STREAMING-")) {
        return Err(VerifyError::UnsupportedPayload);
    }
    let value = match target.once(names::CONTENT_SHA256)? {
        Some(value) => Some(value.to_owned()),
        None => header.filter(|_| signed.iter().any(|name| name == names::CONTENT_SHA256_HEADER)),
    };
    let value = value.unwrap_or_else(|| names::UNSIGNED_PAYLOAD.to_owned());
    match (value.as_str(), crypto::read_hex(&value)) {
        (_, Some(digest)) => Ok((value, ClaimedPayload::Sha256(digest))),
        (names::UNSIGNED_PAYLOAD, None) => Ok((value, ClaimedPayload::Unsigned)),
        (streaming, None) if streaming.starts_with("STREAMING-") => Err(VerifyError::UnsupportedPayload),
        _ => Err(malformed(names::CONTENT_SHA256, "is neither UNSIGNED-PAYLOAD nor 64 lower-case hex digits")),
    }
}
