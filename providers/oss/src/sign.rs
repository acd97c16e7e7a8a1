//! Signing: derived key, canonical text, URL.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::Write as _;

use valetkey_core::binding::Bindings;
use valetkey_core::crypto::{self, SigningKey};
use valetkey_core::{Credentials, ObjectKey, ObjectRequest, PresignError, PresignedRequest, SignedHeaders, SigningContext, SigningTrace, encode};

use crate::{Oss, canonical, names};

pub(crate) fn signing_key(credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey {
    SigningKey::derive("aliyun_v4", credentials.secret_access_key().expose(), [day, region, service, names::SCOPE_END])
}

pub(crate) fn sign(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<PresignedRequest, PresignError> {
    let mut bindings = Bindings::collect(&dialect, request)?;
    names::review(&mut bindings)?;
    let stages = Stages::build(context, request, &bindings);
    let signature = context.key.sign(&stages.string_to_sign);

    let (target, query) = (context.target, stages.query());
    let mut url = String::with_capacity(target.authority.len() + target.path_prefix.len() + query.len() + 256);
    for part in [target.scheme.as_str(), "://", &target.authority] {
        url.push_str(part);
    }
    target.push_path(&mut url, request.key());
    for part in ["?", query, "&", names::SIGNATURE, "="] {
        url.push_str(part);
    }
    crypto::push_hex(&mut url, &signature);

    let headers: SignedHeaders = bindings.headers.iter().map(|(name, value)| (name, value)).collect();
    let mut signed = PresignedRequest::new(request.operation(), url, context.validity, headers, bindings.content_type);
    signed.do_not_send = Cow::Borrowed(&[Cow::Borrowed("content-type"), Cow::Borrowed("content-md5"), Cow::Borrowed("x-oss-*")]);
    signed.notes = bindings.notes;
    Ok(signed)
}

pub(crate) fn trace(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<SigningTrace, PresignError> {
    let mut bindings = Bindings::collect(&dialect, request)?;
    names::review(&mut bindings)?;
    let stages = Stages::build(context, request, &bindings);
    Ok(SigningTrace::new(stages.canonical_request, stages.string_to_sign))
}

struct Stages {
    canonical_request: String,
    string_to_sign: String,
    query: core::ops::Range<usize>,
}

impl Stages {
    /// The query stands in the canonical request exactly as it stands in the URL, so it is written once.
    fn build(context: &SigningContext<'_>, request: &ObjectRequest, bindings: &Bindings<'_>) -> Self {
        let target = context.target;
        let token = context.credentials.encoded_session_token().map_or(0, |token| token.expose().len());
        let mut text = String::with_capacity(512_usize.saturating_add(token));
        text.push_str(request.operation().method().as_str());
        text.push('\n');
        canonical::push_resource(&mut text, &target.bucket, request.key().map(ObjectKey::as_str));
        text.push('\n');
        let query = text.len();
        push_query(&mut text, context, bindings);
        let query = query..text.len();
        text.push('\n');
        canonical::push_headers(&mut text, bindings.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        let date = context.validity.date();
        let string_to_sign = canonical::string_to_sign(date, &target.region, target.service, &text);
        Self { canonical_request: text, string_to_sign, query }
    }

    fn query(&self) -> &str {
        self.canonical_request.get(self.query.clone()).unwrap_or_default()
    }
}

/// The query in canonical order without a sort of what is always the same: the signer's parameters are written in their order, and the request's own
/// parameters, mostly none, are merged in.
fn push_query(text: &mut String, context: &SigningContext<'_>, bindings: &Bindings<'_>) {
    let mut own: alloc::vec::Vec<_> = bindings.query.iter().map(|(name, value)| (encode::query(name), encode::query(value))).collect();
    own.sort_unstable();
    let mut own = own.into_iter().peekable();
    let mut separator = "";
    let mut begin = |text: &mut String, name: &str| {
        while let Some((own_name, value)) = own.next_if(|(own_name, _)| name.is_empty() || own_name.as_ref() < name) {
            canonical::push_parameter(text, separator, &own_name, &value);
            separator = "&";
        }
        if !name.is_empty() {
            for part in [separator, name, "="] {
                text.push_str(part);
            }
            separator = "&";
        }
    };
    let validity = context.validity;
    let date = validity.date();
    if bindings.headers.iter().any(|(name, _)| !names::is_signed_by_default(name)) {
        begin(text, names::ADDITIONAL_HEADERS);
        let listed = bindings.headers.iter().map(|(name, _)| name.as_ref()).filter(|name| !names::is_signed_by_default(name));
        for (index, name) in listed.enumerate() {
            if index > 0 {
                text.push_str("%3B");
            }
            encode::push_query(text, name);
        }
    }
    begin(text, names::CREDENTIAL);
    encode::push_query(text, context.credentials.access_key_id());
    for part in ["%2F", date.day(), "%2F", &context.target.region, "%2F", context.target.service, "%2F", names::SCOPE_END] {
        text.push_str(part);
    }
    begin(text, names::DATE);
    text.push_str(date.as_str());
    begin(text, names::EXPIRES);
    // Writing to a String cannot fail.
    let _ = write!(text, "{}", validity.seconds());
    if let Some(token) = context.credentials.encoded_session_token() {
        begin(text, names::SECURITY_TOKEN);
        text.push_str(token.expose());
    }
    begin(text, names::SIGNATURE_VERSION);
    text.push_str(names::ALGORITHM_VALUE);
    begin(text, "");
}
