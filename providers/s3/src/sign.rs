//! Signing: derived key, canonical text, URL.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use valetkey_core::binding::Bindings;
use valetkey_core::crypto::{self, SigningKey};
use valetkey_core::{Credentials, ObjectRequest, PresignError, PresignedRequest, SignedHeaders, SigningContext, SigningTrace, encode};

use crate::{S3, canonical, names};

pub(crate) fn signing_key(credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey {
    SigningKey::derive("AWS4", credentials.secret_access_key().expose(), [day, region, service, names::SCOPE_END])
}

pub(crate) fn sign(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<PresignedRequest, PresignError> {
    let mut bindings = Bindings::collect(&dialect, request)?;
    add_notes(&mut bindings, context, request);
    let stages = Stages::build(context, request, &bindings);
    let signature = context.key.sign(&stages.string_to_sign);

    let (path, query) = stages.path_and_query();
    let target = context.target;
    let mut url = String::with_capacity(target.authority.len() + path.len() + query.len() + 96);
    for part in [target.scheme.as_str(), "://", &target.authority, path, "?", query, "&", names::SIGNATURE, "="] {
        url.push_str(part);
    }
    crypto::push_hex(&mut url, &signature);

    let headers: SignedHeaders = bindings.headers.iter().map(|(name, value)| (name, value)).collect();
    let mut signed = PresignedRequest::new(request.operation(), url, context.validity, headers, bindings.content_type);
    signed.do_not_send = Cow::Borrowed(&[Cow::Borrowed("x-amz-*")]);
    signed.notes = bindings.notes;
    Ok(signed)
}

pub(crate) fn trace(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<SigningTrace, PresignError> {
    let bindings = Bindings::collect(&dialect, request)?;
    let stages = Stages::build(context, request, &bindings);
    Ok(SigningTrace::new(stages.canonical_request, stages.string_to_sign))
}

fn add_notes(bindings: &mut Bindings<'_>, context: &SigningContext<'_>, request: &ObjectRequest) {
    let outside_latin1 = |value: &str| value.chars().any(|c| u32::from(c) > 0xFF);
    if bindings.query.iter().any(|(name, value)| name.starts_with("response-") && outside_latin1(value)) {
        bindings.note("S3 answers 400 to a response header outside of ISO-8859-1; for a file name use the download name, which is encoded");
    }
    let target = context.target;
    let starts_the_path = target.path_prefix.is_empty() && request.key().is_some_and(|key| key.as_str().starts_with('/'));
    if starts_the_path {
        bindings.note("the path begins with two slashes, which some HTTP clients make one; path style addressing avoids it");
    }
    // Amazon S3 User Guide: the SOAP interface took this key on virtual hosts.
    if request.key().is_some_and(|key| key.as_str() == "soap") && target.path_prefix.is_empty() {
        bindings.note("Amazon S3 does not serve the key `soap` on virtual-hosted addresses; use path style");
    }
}

struct Stages {
    canonical_request: String,
    string_to_sign: String,
    path: core::ops::Range<usize>,
    query: core::ops::Range<usize>,
}

impl Stages {
    /// Path and query stand in the canonical request exactly as they stand in the URL, so both are written once.
    fn build(context: &SigningContext<'_>, request: &ObjectRequest, bindings: &Bindings<'_>) -> Self {
        let target = context.target;
        let date = context.validity.date();
        let token = context.credentials.encoded_session_token().map_or(0, |token| token.expose().len());
        let mut text = String::with_capacity(512_usize.saturating_add(token));
        text.push_str(request.operation().method().as_str());
        text.push('\n');
        let path = text.len();
        target.push_path(&mut text, request.key());
        let path = path..text.len();
        text.push('\n');
        let query = text.len();
        push_query(&mut text, context, bindings);
        let query = query..text.len();
        text.push('\n');
        let payload = bindings.query.iter().find(|(name, _)| name == names::CONTENT_SHA256).map(|(_, value)| value.as_ref());
        canonical::push_headers(&mut text, with_host(bindings, &target.host), payload);
        let string_to_sign = canonical::string_to_sign(date, &target.region, target.service, &text);
        Self { canonical_request: text, string_to_sign, path, query }
    }

    fn path_and_query(&self) -> (&str, &str) {
        let part = |range: &core::ops::Range<usize>| self.canonical_request.get(range.clone()).unwrap_or_default();
        (part(&self.path), part(&self.query))
    }
}

/// The signed headers in the order of their names, `host` in its place.
fn with_host<'b>(bindings: &'b Bindings<'_>, host: &'b str) -> impl Iterator<Item = (&'b str, &'b str)> + Clone {
    let middle = bindings.headers.partition_point(|(name, _)| name.as_ref() < "host");
    let (before, after) = bindings.headers.split_at_checked(middle).unwrap_or((&[], &[]));
    let borrowed = |(name, value): &'b (Cow<'_, str>, Cow<'_, str>)| (name.as_ref(), value.as_ref());
    before.iter().map(borrowed).chain([("host", host)]).chain(after.iter().map(borrowed))
}

/// The query in canonical order without a sort of what is always the same: the signer's parameters are written in their order, and the request's own
/// parameters, mostly none, are merged in.
fn push_query(text: &mut String, context: &SigningContext<'_>, bindings: &Bindings<'_>) {
    let mut own: Vec<_> = bindings.query.iter().map(|(name, value)| (encode::query(name), encode::query(value))).collect();
    own.sort_unstable();
    let mut own = own.into_iter().peekable();
    let mut separator = "";
    let mut begin = |text: &mut String, name: &str| {
        while let Some((own_name, value)) = own.next_if(|(own_name, _)| name.is_empty() || own_name.as_ref() < name) {
            for part in [separator, &own_name, "=", &value] {
                text.push_str(part);
            }
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
    begin(text, names::ALGORITHM);
    text.push_str(names::ALGORITHM_VALUE);
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
    begin(text, names::SIGNED_HEADERS);
    for (index, (name, _)) in with_host(bindings, "").enumerate() {
        if index > 0 {
            text.push_str("%3B");
        }
        encode::push_query(text, name);
    }
    begin(text, "");
}
