//! Reading what was received, strictly, and saying no as S3 does.
//!
//! Sources: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", "Authenticating Requests: Using the Authorization Header".

mod header;
mod query;
mod refusal;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use valetkey_core::verify::{Audience, Claim, ClaimedPayload, IncomingRequest, ParsedTarget, Scope, VerifyError};
use valetkey_core::{Secret, Timestamp, encode};

use crate::{canonical, endpoint, names};

pub(crate) use refusal::refusal;

/// What a signature says of itself, wherever it stands.
struct Signature<'a> {
    scope: Scope<'a>,
    signed_at: Timestamp,
    life: Option<u32>,
    signed_headers: Vec<String>,
    signature: [u8; 32],
    token: Option<String>,
    /// The last line of the canonical request, and what it obliges to.
    payload_line: String,
    payload: ClaimedPayload,
    /// Whether a parameter may stand for an `x-amz-*` header of its name.
    takes_hoisted: bool,
}

pub(crate) fn parse(request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError> {
    let target = request.parsed_target()?;
    let host = request.host()?;
    let region = audience.expected_region().or_else(|| endpoint::recognise(&host)?.region);
    let read = match way(request, &target)? {
        Way::Query => query::read(request, &target, region)?,
        Way::Header => header::read(request, region)?,
    };
    let headers = signed_values(request, &target, &host, &read)?;
    check_unsigned(request, &target, &read)?;
    let place = audience.locate(&host, target.path, endpoint::recognise)?;

    let mut text = String::with_capacity(request.target.len().saturating_add(256));
    text.push_str(request.method);
    text.push('\n');
    encode::push_path(&mut text, &target.decoded_path);
    text.push('\n');
    let all = target.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    canonical::push_query(&mut text, all.filter(|(name, _)| *name != names::SIGNATURE));
    text.push('\n');
    let lines = read.signed_headers.iter().map(String::as_str).zip(headers.iter().map(String::as_str));
    canonical::push_headers(&mut text, lines, Some(&read.payload_line));
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
        signed_headers: read.signed_headers,
        payload: read.payload,
        place,
        query: target.query.into_iter().filter(|(name, _)| !names::is_owned(&name.to_ascii_lowercase())).collect(),
        string_to_sign,
    })
}

fn malformed(name: &'static str, reason: &'static str) -> VerifyError {
    VerifyError::MalformedParameter { name, reason }
}

enum Way {
    Query,
    Header,
}

/// One identity, proved in one place.
fn way(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>) -> Result<Way, VerifyError> {
    let in_query = target.has(|name| names::is_owned(name) && !name.eq_ignore_ascii_case(names::CONTENT_SHA256));
    let in_header = request.values("authorization").next().is_some();
    let other = target.has(names::is_foreign);
    match (in_query, in_header, other) {
        (true, false, false) => Ok(Way::Query),
        (false, true, false) => Ok(Way::Header),
        (false, false, _) => Err(VerifyError::NotSigned),
        _ => Err(VerifyError::MixedAuthentication),
    }
}

/// Lower-case names, each once, in order: everything else could hide a line of the canonical request.
fn read_signed_names(name: &'static str, list: &str) -> Result<Vec<String>, VerifyError> {
    let names: Vec<String> = list.split(';').map(ToOwned::to_owned).collect();
    let plain = |name: &String| valetkey_core::binding::is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if !names.iter().all(plain) {
        return Err(malformed(name, "is not a list of lower-case header names joined by `;`"));
    }
    if !names.is_sorted_by(|a, b| a < b) {
        return Err(malformed(name, "is not in the order of the names, or has one twice"));
    }
    if !names.iter().any(|name| name == "host") {
        return Err(VerifyError::HostNotSigned);
    }
    Ok(names)
}

/// The value of each signed header. In a URL a parameter may stand for an `x-amz-*` header of its name; if both are there they must agree.
fn signed_values(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, host: &str, read: &Signature<'_>) -> Result<Vec<String>, VerifyError> {
    let value = |name: &String| {
        if name == "host" {
            return Ok(host.to_owned());
        }
        let may_be_hoisted = read.takes_hoisted && name.starts_with(names::HEADER_PREFIX);
        let hoisted = target.query.iter().find(|(other, _)| may_be_hoisted && other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        match (request.signed_value(name)?, hoisted) {
            (Some(sent), Some(hoisted)) if sent != *hoisted => Err(VerifyError::ConflictingValue { name: name.clone() }),
            (Some(sent), _) => Ok(sent),
            (None, Some(hoisted)) => Ok(hoisted.clone()),
            (None, None) => Err(VerifyError::SignedHeaderMissing { name: name.clone() }),
        }
    };
    read.signed_headers.iter().map(value).collect()
}

/// Every `x-amz-*` header that is sent must be signed, or an upload could be turned into a copy; exempt is one that the query carries with the same value.
fn check_unsigned(request: &IncomingRequest<'_>, target: &ParsedTarget<'_>, read: &Signature<'_>) -> Result<(), VerifyError> {
    let mut unsigned = Vec::new();
    for name in request.header_names() {
        if !name.starts_with(names::HEADER_PREFIX) || read.signed_headers.contains(&name) {
            continue;
        }
        let sent = request.signed_value(&name)?;
        let hoisted = target.query.iter().any(|(other, value)| other.eq_ignore_ascii_case(&name) && sent.as_ref() == Some(value));
        if !(hoisted && read.takes_hoisted) {
            unsigned.push(name);
        }
    }
    if unsigned.is_empty() { Ok(()) } else { Err(VerifyError::UnsignedHeaders { names: unsigned }) }
}
