//! Reading what was received, strictly, and saying no as OSS does.
//!
//! Sources: OSS documentation, "Include a V4 signature in a URL", "Include a V4 signature in the header".

mod header;
mod query;
mod refusal;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use valetkey_core::verify::{Audience, Claim, ClaimedPayload, IncomingRequest, ParsedTarget, Place, Scope, VerifyError};
use valetkey_core::{Secret, Timestamp};

use crate::{canonical, endpoint, names};

pub(crate) use refusal::refusal;

/// What a signature says of itself, wherever it stands.
struct Signature<'a> {
    scope: Scope<'a>,
    signed_at: Timestamp,
    life: Option<u32>,
    additional: Vec<String>,
    signature: [u8; 32],
    token: Option<String>,
}

pub(crate) fn parse(request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError> {
    // The SDK for Python signs a blank in a query as `%20` and sends it as `+`.
    let target = request.parsed_target_of_a_form()?;
    let host = request.host()?;
    let region = audience.expected_region().map(endpoint::without_prefix).or_else(|| endpoint::recognise(&host)?.region);
    let read = match way(request, &target)? {
        Way::Query => query::read(&target, region)?,
        Way::Header => header::read(request, region)?,
    };
    let headers = signed_values(request, &target, &host, read.additional).map_err(|error| match error {
        VerifyError::SignedHeaderMissing { .. } if read.life.is_none() => error.in_authorization(),
        other => other,
    })?;
    let place = audience.locate(&host, target.path, endpoint::recognise)?;

    let mut text = String::with_capacity(request.target.len().saturating_add(256));
    text.push_str(request.method);
    text.push('\n');
    match &place {
        Place::Service => text.push('/'),
        Place::Elsewhere { key } => canonical::push_resource(&mut text, &endpoint::nobody(), key.as_deref()),
        Place::Bucket { bucket } => canonical::push_resource(&mut text, bucket, None),
        Place::Object { bucket, key } => canonical::push_resource(&mut text, bucket, Some(key)),
    }
    text.push('\n');
    let all = target.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    canonical::push_query(&mut text, all.filter(|(name, _)| *name != names::SIGNATURE));
    text.push('\n');
    canonical::push_headers(&mut text, headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let scope = read.scope;
    let string_to_sign = canonical::string_to_sign(read.signed_at.to_basic(), scope.region, scope.service, &text);

    Ok(Claim {
        access_key_id: scope.access_key_id.to_owned(),
        day: scope.day.to_owned(),
        region: scope.region.to_owned(),
        service: scope.service.to_owned(),
        signed_at: read.signed_at,
        life: read.life,
        signature: read.signature,
        session_token: read.token.map(Secret::new),
        signed_headers: headers.into_iter().map(|(name, _)| name).collect(),
        payload: ClaimedPayload::Unsigned,
        place,
        query: target.query.into_iter().filter(|(name, _)| !names::is_owned(&name.to_ascii_lowercase())).collect(),
        string_to_sign,
    })
}

fn malformed(name: &'static str, reason: &'static str) -> VerifyError {
    VerifyError::MalformedParameter { name, reason }
}

/// The scope's region and day. `oss-cn-hangzhou` is a host label and no region (EC 0002-00000226).
fn check_scope(scope: &Scope<'_>, signed_at: Timestamp, region: Option<&str>) -> Result<(), VerifyError> {
    scope.check(signed_at, names::SERVICE, region.or(scope.region.strip_prefix("oss-")))
}

enum Way {
    Query,
    Header,
}

/// One identity, proved in one place.
fn way(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>) -> Result<Way, VerifyError> {
    let in_query = target.has(names::is_owned);
    let in_header = request.values("authorization").next().is_some();
    let other = target.has(names::is_foreign);
    match (in_query, in_header, other) {
        (true, false, false) => Ok(Way::Query),
        (false, true, false) => Ok(Way::Header),
        (false, false, _) => Err(VerifyError::NotSigned),
        _ => Err(VerifyError::MixedAuthentication),
    }
}

/// Lower-case names without `_`, each once, in order, none that is signed anyway.
fn read_additional(name: &'static str, list: Option<&str>) -> Result<Vec<String>, VerifyError> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let names: Vec<String> = list.split(';').map(ToOwned::to_owned).collect();
    let plain = |name: &String| {
        valetkey_core::binding::is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_') && !names::is_signed_by_default(name)
    };
    if !names.iter().all(plain) {
        return Err(malformed(name, "is not a list of lower-case header names without `_`, joined by `;`"));
    }
    if !names.is_sorted_by(|a, b| a < b) {
        return Err(malformed(name, "is not in the order of the names, or has one twice"));
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
