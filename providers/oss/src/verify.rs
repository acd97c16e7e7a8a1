//! Reading what was received, strictly, and saying no as OSS does.
//!
//! Sources: OSS documentation, "Include a V4 signature in a URL"; the error reference (EC numbers).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use valetkey_core::verify::{Audience, Claim, IncomingRequest, ParsedTarget, Refusal, Scope, VerifyError, read_life};
use valetkey_core::{Secret, Timestamp, crypto};

use crate::{Oss, canonical, endpoint, names};

pub(crate) fn parse(request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError> {
    let target = request.parsed_target()?;
    let host = request.host()?;
    check_one_way(request, &target)?;

    let version = target.required(names::SIGNATURE_VERSION)?;
    let credential = target.required(names::CREDENTIAL)?;
    let date = target.required(names::DATE)?;
    let life = target.required(names::EXPIRES)?;
    let signature = target.required(names::SIGNATURE)?;
    let token = target.once(names::SECURITY_TOKEN)?;
    let additional = target.once(names::ADDITIONAL_HEADERS)?;

    if version != names::ALGORITHM_VALUE {
        return Err(VerifyError::UnsupportedAlgorithm { expected: names::ALGORITHM_VALUE });
    }
    let scope = Scope::read(names::CREDENTIAL, credential, names::SCOPE_END)?;
    let signed_at = Timestamp::from_basic(date).map_err(|_| malformed(names::DATE, "is not a date of the form YYYYMMDDTHHMMSSZ"))?;
    let max = if token.is_some() { Oss::MAX_LIFE_WITH_TOKEN } else { Oss::MAX_LIFE };
    let seconds = read_life(names::EXPIRES, life, max)?;
    let additional = read_additional(additional)?;
    let signature = crypto::read_hex(signature).ok_or(VerifyError::MalformedSignature)?;
    let region = audience.expected_region().map(endpoint::without_prefix).or_else(|| endpoint::recognise(&host)?.region);
    // `oss-cn-hangzhou` is a host label and no region (EC 0002-00000226).
    scope.check(signed_at, names::SERVICE, region.or(scope.region.strip_prefix("oss-")))?;

    let headers = signed_values(request, &target, &host, additional)?;
    let (bucket, key) = audience.locate(&host, target.path, endpoint::recognise)?;

    let mut text = String::with_capacity(request.target.len().saturating_add(256));
    text.push_str(request.method);
    text.push('\n');
    canonical::push_resource(&mut text, bucket.as_deref().unwrap_or(&endpoint::nobody()), key.as_deref());
    text.push('\n');
    let all = target.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    canonical::push_query(&mut text, all.filter(|(name, _)| *name != names::SIGNATURE));
    text.push('\n');
    canonical::push_headers(&mut text, headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let string_to_sign = canonical::string_to_sign(signed_at.to_basic(), scope.region, scope.service, &text);

    let session_token = token.map(Secret::new);
    let (access_key_id, day) = (scope.access_key_id.to_owned(), scope.day.to_owned());
    let (region, service) = (scope.region.to_owned(), scope.service.to_owned());
    let signed_headers = headers.into_iter().map(|(name, _)| name).collect();
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
        payload_sha256: None,
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
    let owned = target.has(names::is_owned);
    let other = target.has(names::is_foreign);
    let header = request.values("authorization").next().is_some();
    match (owned, other || header) {
        (true, true) => Err(VerifyError::MixedAuthentication),
        (false, _) => Err(VerifyError::NotSigned),
        (true, false) => Ok(()),
    }
}

/// Lower-case names without `_`, each once, in order, none that is signed anyway.
fn read_additional(list: Option<&str>) -> Result<Vec<String>, VerifyError> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let names: Vec<String> = list.split(';').map(ToOwned::to_owned).collect();
    let plain = |name: &String| {
        valetkey_core::binding::is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_') && !names::is_signed_by_default(name)
    };
    if !names.iter().all(plain) {
        return Err(malformed(names::ADDITIONAL_HEADERS, "is not a list of lower-case header names without `_`, joined by `;`"));
    }
    if !names.is_sorted_by(|a, b| a < b) {
        return Err(malformed(names::ADDITIONAL_HEADERS, "is not in the order of the names, or has one twice"));
    }
    Ok(names)
}

/// Every header that OSS signs by itself as it arrived, and each additional one, which must have come; sorted by name.
fn signed_values(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, host: &str, additional: Vec<String>) -> Result<Vec<(String, String)>, VerifyError> {
    let mut names: Vec<String> = request.header_names().into_iter().filter(|name| names::is_signed_by_default(name)).collect();
    names.extend(additional);
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| {
            if name == "host" {
                return Ok((name, host.to_owned()));
            }
            let Some(value) = request.signed_value(&name)?.filter(|value| !value.is_empty() || names::is_signed_by_default(&name)) else {
                return Err(VerifyError::SignedHeaderMissing { name });
            };
            if target.query.iter().any(|(other, hoisted)| other.eq_ignore_ascii_case(&name) && *hoisted != value) {
                return Err(VerifyError::ConflictingValue { name });
            }
            Ok((name, value))
        })
        .collect()
}

pub(crate) fn refusal(error: &VerifyError) -> Refusal {
    let argument = |ec| Refusal::new(400, "InvalidArgument", error.to_string()).ec(ec);
    let mismatch = |ec| {
        let text = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        Refusal::new(403, "SignatureDoesNotMatch", text).ec(ec)
    };
    match error {
        VerifyError::NotSigned => Refusal::new(403, "AccessDenied", "Anonymous access is forbidden for this operation."),
        VerifyError::MalformedRequest { .. } => Refusal::new(400, "InvalidRequest", error.to_string()),
        VerifyError::MalformedPath | VerifyError::MalformedQuery => Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."),
        VerifyError::TooLarge { .. } => Refusal::new(414, "RequestURITooLong", error.to_string()),
        VerifyError::MixedAuthentication => Refusal::new(400, "InvalidArgument", error.to_string()),
        VerifyError::MissingParameter { name } => match *name {
            names::EXPIRES => argument("0002-00000215"),
            names::SIGNATURE => argument("0002-00000219"),
            _ => Refusal::new(400, "InvalidArgument", error.to_string()),
        },
        VerifyError::MalformedParameter { name, .. } if *name == names::ADDITIONAL_HEADERS => argument("0002-00000076"),
        VerifyError::MalformedParameter { name, reason } if *name == names::CREDENTIAL && *reason == Scope::MALFORMED_DATE => argument("0002-00000223"),
        VerifyError::MalformedParameter { name, .. } if *name == names::CREDENTIAL => argument("0002-00000224"),
        VerifyError::DuplicateParameter { .. } | VerifyError::MalformedParameter { .. } | VerifyError::UnsupportedAlgorithm { .. } => {
            Refusal::new(400, "InvalidArgument", error.to_string())
        }
        VerifyError::ConflictingValue { .. } => Refusal::new(400, "InvalidArgument", error.to_string()),
        VerifyError::SignedHeaderMissing { .. } => argument("0002-00000077"),
        VerifyError::ExpiresOutOfRange { .. } => argument("0002-00000232"),
        VerifyError::ScopeMismatch { part: "region", .. } => mismatch("0002-00000226"),
        VerifyError::ScopeMismatch { part: "day", .. } => mismatch("0002-00000223"),
        VerifyError::ScopeMismatch { .. } => mismatch("0002-00000224"),
        VerifyError::MalformedSignature | VerifyError::SignatureMismatch => mismatch("0002-00000201"),
        VerifyError::UnknownAccessKey { access_key_id } => {
            let text = "The OSS Access Key Id you provided does not exist in our records.";
            Refusal::new(403, "InvalidAccessKeyId", text).detail("OSSAccessKeyId", access_key_id.as_str())
        }
        VerifyError::TokenMismatch => Refusal::new(403, "AccessDenied", "The security token you provided is invalid.").ec("0002-00000006"),
        VerifyError::TokenExpired => Refusal::new(403, "AccessDenied", "The security token you provided has expired.").ec("0002-00000007"),
        VerifyError::NotYetValid { now, .. } => {
            Refusal::new(403, "AccessDenied", "Request is not yet valid.").ec("0002-00000235").detail("ServerTime", now.to_string())
        }
        VerifyError::Expired { expiration, now, .. } => Refusal::new(403, "AccessDenied", "Request has expired.")
            .ec("0002-00000236")
            .detail("Expires", expiration.to_string())
            .detail("ServerTime", now.to_string()),
        VerifyError::UnknownHost => Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist."),
        VerifyError::UnsafeKey(error) => Refusal::new(400, "InvalidObjectName", error.to_string()),
        VerifyError::Form(error) => crate::post::refusal(error),
        other => Refusal::new(403, "AccessDenied", other.to_string()),
    }
}
