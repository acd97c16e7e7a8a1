//! Signing by the `Authorization` header, for requests that this process sends itself.
//!
//! Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".

use alloc::string::{String, ToString};

use valetkey_core::binding::Bindings;
use valetkey_core::{AuthorizedRequest, ObjectRequest, PresignError, SignedHeaders, SigningContext, crypto};

use crate::{S3, canonical, names};

/// SHA-256 of no byte.
const NO_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn authorize(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
    let bindings = Bindings::collect(&dialect, request)?;
    let target = context.target;
    let date = context.validity.date();
    let digest = bindings.query.iter().find(|(name, _)| name.as_ref() == names::CONTENT_SHA256).map(|(_, digest)| digest.to_string());
    let unsaid = if request.operation().has_body() { names::UNSIGNED_PAYLOAD } else { NO_BODY };
    let payload = digest.unwrap_or_else(|| unsaid.to_string());

    let mut headers: alloc::vec::Vec<(&str, &str)> = bindings.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    headers.extend([("host", target.host.as_str()), (names::DATE_HEADER, date.as_str()), (names::CONTENT_SHA256_HEADER, &payload)]);
    headers.extend(context.credentials.session_token().map(|token| (names::SECURITY_TOKEN_HEADER, token.expose())));
    headers.sort_unstable();

    let mut query = String::new();
    let own = bindings.query.iter().filter(|(name, _)| name.as_ref() != names::CONTENT_SHA256);
    canonical::push_query(&mut query, own.map(|(name, value)| (name.as_ref(), value.as_ref())));
    let mut path = String::new();
    target.push_path(&mut path, request.key());

    let mut text = String::with_capacity(1024);
    for part in [request.operation().method().as_str(), "\n", &path, "\n", &query, "\n"] {
        text.push_str(part);
    }
    canonical::push_headers(&mut text, headers.iter().copied(), Some(&payload));
    let string_to_sign = canonical::string_to_sign(date, &target.region, target.service, &text);

    let mut authorization = String::with_capacity(256);
    for part in [names::ALGORITHM_VALUE, " Credential=", context.credentials.access_key_id(), "/"] {
        authorization.push_str(part);
    }
    canonical::push_scope(&mut authorization, date.day(), &target.region, target.service);
    authorization.push_str(", SignedHeaders=");
    for (index, (name, _)) in headers.iter().enumerate() {
        authorization.push_str(if index > 0 { ";" } else { "" });
        authorization.push_str(name);
    }
    authorization.push_str(", Signature=");
    crypto::push_hex(&mut authorization, &context.key().sign(&string_to_sign));

    let mut url = String::with_capacity(path.len() + query.len() + 64);
    let separator = if query.is_empty() { "" } else { "?" };
    for part in [target.scheme.as_str(), "://", &target.authority, &path, separator, &query] {
        url.push_str(part);
    }
    // The connection's own header, which every HTTP client writes by itself.
    headers.retain(|(name, _)| *name != "host");
    headers.push(("authorization", &authorization));
    headers.sort_unstable();
    let sent: SignedHeaders = headers.into_iter().collect();
    Ok(AuthorizedRequest::new(request.operation(), url, sent, context.validity.signed_at()))
}
