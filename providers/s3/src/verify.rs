//! Reading what was received, strictly, and saying no as S3 does.
//!
//! Sources: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", "Error Responses".

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use valetkey_core::verify::{Audience, Claim, IncomingRequest, ParsedTarget, Refusal, Scope, VerifyError, read_life};
use valetkey_core::{Secret, Timestamp, crypto, encode};

use crate::{S3, canonical, endpoint, names};

pub(crate) fn parse(request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError> {
    let target = request.parsed_target()?;
    let host = request.host()?;
    check_one_way(request, &target)?;

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
    let seconds = read_life(names::EXPIRES, life, S3::MAX_LIFE)?;
    let signed_headers = read_signed_names(signed_names)?;
    let signature = crypto::read_hex(signature).ok_or(VerifyError::MalformedSignature)?;
    let region = audience.expected_region().or_else(|| endpoint::recognise(&host)?.region);
    scope.check(signed_at, names::SERVICE, region)?;

    let payload = payload(request, &target, &signed_headers)?;
    let headers = signed_values(request, &target, &host, &signed_headers)?;
    check_unsigned(request, &target, &signed_headers)?;
    let (bucket, key) = audience.locate(&host, target.path, endpoint::recognise)?;

    let mut text = String::with_capacity(request.target.len().saturating_add(256));
    text.push_str(request.method);
    text.push('\n');
    encode::push_path(&mut text, &target.decoded_path);
    text.push('\n');
    let all = target.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    canonical::push_query(&mut text, all.filter(|(name, _)| *name != names::SIGNATURE));
    text.push('\n');
    let lines = signed_headers.iter().map(String::as_str).zip(headers.iter().map(String::as_str));
    canonical::push_headers(&mut text, lines, payload.as_deref());
    let string_to_sign = canonical::string_to_sign(signed_at.to_basic(), scope.region, scope.service, &text);

    let session_token = token.map(Secret::new);
    let (access_key_id, day) = (scope.access_key_id.to_owned(), scope.day.to_owned());
    let (region, service) = (scope.region.to_owned(), scope.service.to_owned());
    let payload_sha256 = payload.as_deref().and_then(crypto::read_hex);
    let query = target.query.iter().filter(|(name, _)| !names::is_owned(&name.to_ascii_lowercase())).cloned().collect();
    Ok(Claim {
        access_key_id,
        day,
        region,
        service,
        signed_at,
        seconds,
        signature,
        session_token,
        signed_headers,
        payload_sha256,
        bucket,
        key,
        query,
        string_to_sign,
    })
}

fn malformed(name: &'static str, reason: &'static str) -> VerifyError {
    VerifyError::MalformedParameter { name, reason }
}

/// One identity, proved in one place.
fn check_one_way(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>) -> Result<(), VerifyError> {
    let owned = target.has(|name| names::is_owned(name) && !name.eq_ignore_ascii_case(names::CONTENT_SHA256));
    let other = target.has(names::is_foreign);
    let header = request.values("authorization").next().is_some();
    match (owned, other || header) {
        (true, true) => Err(VerifyError::MixedAuthentication),
        (false, _) => Err(VerifyError::NotSigned),
        (true, false) => Ok(()),
    }
}

/// Lower-case names, each once, in order: everything else could hide a line of the canonical request.
fn read_signed_names(list: &str) -> Result<Vec<String>, VerifyError> {
    let names: Vec<String> = list.split(';').map(ToOwned::to_owned).collect();
    let plain = |name: &String| valetkey_core::binding::is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if !names.iter().all(plain) {
        return Err(malformed(names::SIGNED_HEADERS, "is not a list of lower-case header names joined by `;`"));
    }
    if !names.is_sorted_by(|a, b| a < b) {
        return Err(malformed(names::SIGNED_HEADERS, "is not in the order of the names, or has one twice"));
    }
    if !names.iter().any(|name| name == "host") {
        return Err(VerifyError::HostNotSigned);
    }
    Ok(names)
}

/// The payload hash of the canonical request: the parameter, else the signed header, else `UNSIGNED-PAYLOAD` (`None`).
fn payload(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, signed: &[String]) -> Result<Option<String>, VerifyError> {
    let header_name = "x-amz-content-sha256";
    let header = request.signed_value(header_name)?;
    if header.as_deref().is_some_and(|value| value.starts_with("STREAMING-")) {
        return Err(VerifyError::UnsupportedPayload);
    }
    let value = match target.once(names::CONTENT_SHA256)? {
        Some(value) => Some(value.to_owned()),
        None => header.filter(|_| signed.iter().any(|name| name == header_name)),
    };
    match value.as_deref() {
        None | Some(names::UNSIGNED_PAYLOAD) => Ok(None),
        Some(streaming) if streaming.starts_with("STREAMING-") => Err(VerifyError::UnsupportedPayload),
        Some(digest) if crypto::read_hex(digest).is_some() => Ok(value),
        Some(_) => Err(malformed(names::CONTENT_SHA256, "is neither UNSIGNED-PAYLOAD nor 64 lower-case hex digits")),
    }
}

/// The value of each signed header. A parameter may stand for an `x-amz-*` header of its name; if both are there they must agree.
fn signed_values(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, host: &str, signed: &[String]) -> Result<Vec<String>, VerifyError> {
    let value = |name: &String| {
        if name == "host" {
            return Ok(host.to_owned());
        }
        let may_be_hoisted = name.starts_with(names::HEADER_PREFIX);
        let hoisted = target.query.iter().find(|(other, _)| may_be_hoisted && other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        match (request.signed_value(name)?, hoisted) {
            (Some(sent), Some(hoisted)) if sent != *hoisted => Err(VerifyError::ConflictingValue { name: name.clone() }),
            (Some(sent), _) => Ok(sent),
            (None, Some(hoisted)) => Ok(hoisted.clone()),
            (None, None) => Err(VerifyError::SignedHeaderMissing { name: name.clone() }),
        }
    };
    signed.iter().map(value).collect()
}

/// Every `x-amz-*` header that is sent must be signed, or an upload URL could be turned into a copy; exempt is one that the query carries with the same value.
fn check_unsigned(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, signed: &[String]) -> Result<(), VerifyError> {
    let mut unsigned = Vec::new();
    for name in request.header_names() {
        if !name.starts_with(names::HEADER_PREFIX) || signed.contains(&name) {
            continue;
        }
        let sent = request.signed_value(&name)?;
        let hoisted = target.query.iter().any(|(other, value)| other.eq_ignore_ascii_case(&name) && sent.as_ref() == Some(value));
        if !hoisted {
            unsigned.push(name);
        }
    }
    if unsigned.is_empty() { Ok(()) } else { Err(VerifyError::UnsignedHeaders { names: unsigned }) }
}

pub(crate) fn refusal(error: &VerifyError) -> Refusal {
    let query_error = |message: String| Refusal::new(400, "AuthorizationQueryParametersError", message);
    match error {
        VerifyError::NotSigned => Refusal::new(403, "AccessDenied", "Access Denied"),
        VerifyError::MalformedRequest { .. } => Refusal::new(400, "InvalidRequest", error.to_string()),
        VerifyError::MalformedPath | VerifyError::MalformedQuery => Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."),
        VerifyError::TooLarge { .. } => Refusal::new(414, "RequestURITooLong", error.to_string()),
        VerifyError::MixedAuthentication => {
            let text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
            Refusal::new(400, "InvalidArgument", text)
        }
        VerifyError::ScopeMismatch { part: "region", expected: Some(region) } => {
            query_error(format!("Error parsing the X-Amz-Credential parameter; the region is wrong; expecting '{region}'")).detail("Region", region.as_str())
        }
        VerifyError::MissingParameter { .. } => query_error(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.".to_string(),
        ),
        VerifyError::ExpiresOutOfRange { .. } => query_error("X-Amz-Expires must be between 1 and 604800 (in seconds)".to_string()),
        VerifyError::DuplicateParameter { .. }
        | VerifyError::MalformedParameter { .. }
        | VerifyError::UnsupportedAlgorithm { .. }
        | VerifyError::ScopeMismatch { .. } => query_error(error.to_string()),
        VerifyError::HostNotSigned => not_signed("host"),
        VerifyError::UnsignedHeaders { names } => not_signed(&names.join(", ")),
        VerifyError::UnsupportedPayload => {
            Refusal::new(501, "NotImplemented", "A header you provided implies functionality that is not implemented").detail("Header", "x-amz-content-sha256")
        }
        VerifyError::UnknownAccessKey { access_key_id } => {
            let text = "The AWS Access Key Id you provided does not exist in our records.";
            Refusal::new(403, "InvalidAccessKeyId", text).detail("AWSAccessKeyId", access_key_id.as_str())
        }
        VerifyError::MalformedSignature | VerifyError::SignedHeaderMissing { .. } | VerifyError::ConflictingValue { .. } | VerifyError::SignatureMismatch => {
            let text = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
            Refusal::new(403, "SignatureDoesNotMatch", text)
        }
        VerifyError::TokenMismatch => Refusal::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
        VerifyError::TokenExpired => Refusal::new(400, "ExpiredToken", "The provided token has expired."),
        VerifyError::NotYetValid { signed_at, expiration, now } => Refusal::new(403, "AccessDenied", "Request is not yet valid")
            .detail("X-Amz-Date", signed_at.as_unix_seconds().saturating_mul(1000).to_string())
            .detail("Expires", expiration.to_string())
            .detail("ServerTime", now.to_string()),
        VerifyError::Expired { expiration, seconds, now } => Refusal::new(403, "AccessDenied", "Request has expired")
            .detail("X-Amz-Expires", seconds.to_string())
            .detail("Expires", expiration.to_string())
            .detail("ServerTime", now.to_string()),
        VerifyError::UnknownHost => Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"),
        VerifyError::UnsafeKey(valetkey_core::KeyError::TooLong { .. }) => Refusal::new(400, "KeyTooLongError", "Your key is too long"),
        VerifyError::UnsafeKey(error) => Refusal::new(400, "InvalidArgument", error.to_string()),
        VerifyError::Form(error) => crate::post::refusal(error),
        other => Refusal::new(403, "AccessDenied", other.to_string()),
    }
}

fn not_signed(names: &str) -> Refusal {
    Refusal::new(403, "AccessDenied", "There were headers present in the request which were not signed").detail("HeadersNotSigned", names)
}
