//! Signing by the `Authorization` header, for requests that this process sends itself.
//!
//! Source: OSS documentation, "Include a V4 signature in the header".

use alloc::string::String;
use alloc::vec::Vec;

use valetkey_core::binding::Bindings;
use valetkey_core::{AuthorizedRequest, ObjectKey, ObjectRequest, PresignError, SignedHeaders, SigningContext, crypto};

use crate::{Oss, canonical, names};

pub(crate) fn authorize(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
    let mut bindings = Bindings::collect(&dialect, request)?;
    names::review(&mut bindings)?;
    let target = context.target;
    let date = context.validity.date();

    let mut headers: Vec<(&str, &str)> = bindings.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    headers.extend([(names::DATE, date.as_str()), (names::CONTENT_SHA256, names::UNSIGNED_PAYLOAD)]);
    headers.extend(context.credentials.session_token().map(|token| (names::SECURITY_TOKEN, token.expose())));
    headers.sort_unstable();

    let mut query = String::new();
    canonical::push_query(&mut query, bindings.query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
    let mut text = String::with_capacity(1024);
    text.push_str(request.operation().method().as_str());
    text.push('\n');
    canonical::push_resource(&mut text, &target.bucket, request.key().map(ObjectKey::as_str));
    for part in ["\n", &query, "\n"] {
        text.push_str(part);
    }
    canonical::push_headers(&mut text, headers.iter().copied());
    let string_to_sign = canonical::string_to_sign(date, &target.region, target.service, &text);

    let mut authorization = String::with_capacity(256);
    for part in [
        names::ALGORITHM_VALUE,
        " Credential=",
        context.credentials.access_key_id(),
        "/",
        date.day(),
        "/",
        &target.region,
        "/",
        target.service,
        "/",
        names::SCOPE_END,
    ] {
        authorization.push_str(part);
    }
    // An empty list is an error to OSS (EC 0002-00000209).
    if headers.iter().any(|(name, _)| !names::is_signed_by_default(name)) {
        authorization.push_str(",AdditionalHeaders=");
        canonical::push_additional(&mut authorization, headers.iter().map(|(name, _)| *name), ";");
    }
    authorization.push_str(",Signature=");
    crypto::push_hex(&mut authorization, &context.key().sign(&string_to_sign));

    let mut url = String::with_capacity(query.len() + 128);
    for part in [target.scheme.as_str(), "://", &target.authority] {
        url.push_str(part);
    }
    target.push_path(&mut url, request.key());
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query);
    }
    headers.push(("authorization", &authorization));
    headers.sort_unstable();
    let sent: SignedHeaders = headers.into_iter().collect();
    Ok(AuthorizedRequest::new(request.operation(), url, sent, context.validity.signed_at()))
}
