//! Signing: derived key, the texts of a day, the URL.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use valetkey_core::binding::Bindings;
use valetkey_core::crypto::SigningKey;
use valetkey_core::{
    BodyHeaders, ContentTypeRule, Credentials, Dialect, Gap, HeaderParts, ObjectRequest, PresignError, PresignedRequest, QueryTemplate, ScopeTexts,
    SignedHeaders, SigningContext, SigningScope, SigningTrace, Target, Timestamp, UrlParts, encode,
};

use crate::{S3, canonical, names, post};

pub(crate) fn signing_key(credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey {
    SigningKey::derive("AWS4", credentials.secret_access_key().expose(), [day, region, service, names::SCOPE_END])
}

/// Bytes of the signer's parameters without credential and token, or more.
const NAMES: usize = 256;

/// Writes once a day what stands in every URL and every signed text of the day.
pub(crate) fn prepare(credentials: &Credentials, target: &Target, day: Timestamp) -> SigningScope {
    let date = day.to_basic();
    let (day_text, time_mark) = (date.day(), "T");
    let mut scope = String::new();
    canonical::push_scope(&mut scope, day_text, &target.region, target.service);
    let mut credential = String::new();
    encode::push_query(&mut credential, credentials.access_key_id());
    credential.push_str("%2F");
    encode::push_query(&mut credential, &scope);

    let token = credentials.encoded_session_token();
    let room = credential.len().saturating_add(token.map_or(0, |token| token.expose().len())).saturating_add(NAMES);
    let mut query = QueryTemplate::with_capacity(room);
    query.parameter(names::ALGORITHM, names::ALGORITHM_VALUE).parameter(names::CREDENTIAL, &credential);
    query.parameter(names::DATE, &[day_text, time_mark].concat()).gap(Gap::Time);
    query.parameter(names::EXPIRES, "").gap(Gap::Life);
    if let Some(token) = token {
        query.parameter(names::SECURITY_TOKEN, token.expose());
    }
    query.parameter(names::SIGNED_HEADERS, "").gap(Gap::SignedHeaders);

    let mut without_headers = String::from("\n");
    canonical::push_headers(&mut without_headers, core::iter::once(("host", target.host.as_str())), None);
    let texts = ScopeTexts {
        query,
        resource: None,
        no_header_names: "host",
        without_headers,
        before_time: [names::ALGORITHM_VALUE, "\n", day_text, time_mark].concat(),
        after_time: ["\n", &scope, "\n"].concat(),
        signature: ["&", names::SIGNATURE, "="].concat(),
    };
    let key = signing_key(credentials, day_text, &target.region, target.service);
    SigningScope::new(key, day, target).with_texts(texts).with_form(&post::RULES, credentials, target, day)
}

#[inline]
pub(crate) fn sign_into(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
    match (BodyHeaders::of(request), request.key()) {
        (Some(headers), Some(key)) => {
            dialect.check_key(key)?;
            sign_body_headers(dialect, context, request, &headers, signed);
            Ok(())
        }
        _ => sign_bindings(dialect, context, request, signed),
    }
}

/// The query's and the canonical request's names of each [set](BodyHeaders::set) of headers.
const SIGNED_NAMES: [(&str, &str); BodyHeaders::SETS] = [
    ("host", "host"),
    ("content-length%3Bhost", "content-length;host"),
    ("content-md5%3Bhost", "content-md5;host"),
    ("content-length%3Bcontent-md5%3Bhost", "content-length;content-md5;host"),
    ("content-type%3Bhost", "content-type;host"),
    ("content-length%3Bcontent-type%3Bhost", "content-length;content-type;host"),
    ("content-md5%3Bcontent-type%3Bhost", "content-md5;content-type;host"),
    ("content-length%3Bcontent-md5%3Bcontent-type%3Bhost", "content-length;content-md5;content-type;host"),
];

/// Signs what needs no checks of its own: the lines of the result are those of the canonical request, and all stand before `host`.
#[inline]
fn sign_body_headers(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest, headers: &BodyHeaders<'_>, signed: &mut PresignedRequest) {
    let content_type = if headers.fixes_type() { ContentTypeRule::Fixed } else { dialect.default_content_type() };
    signed.reset(request.operation(), context.validity, content_type);
    signed.do_not_send = DO_NOT_SEND;
    add_key_notes(&mut signed.notes, context, request);
    headers.push(&mut signed.signed_headers);

    let PresignedRequest { url, signed_headers, .. } = signed;
    let (lines, host) = (signed_headers.as_lines(), &*context.target.host);
    let (in_query, in_text) = SIGNED_NAMES.get(headers.set()).copied().unwrap_or_default();
    let parts = (!lines.is_empty()).then(|| HeaderParts {
        bytes: AROUND.saturating_add(lines.len()).saturating_add(host.len()).saturating_add(in_text.len()),
        names: |url: &mut String| url.push_str(in_query),
        rest: |url: &mut String| {
            for part in ["\n", lines, "host:", host, "\n\n", in_text, "\n", names::UNSIGNED_PAYLOAD] {
                url.push_str(part);
            }
        },
    });
    context.scope.sign_url(url, &context.validity, request, UrlParts { own: &[], headers: parts });
}

const DO_NOT_SEND: Cow<'static, [Cow<'static, str>]> = Cow::Borrowed(&[Cow::Borrowed("x-amz-*")]);

/// Bytes of a canonical request behind its query, beside host and names.
const AROUND: usize = 32;

fn sign_bindings(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
    let mut bindings = Bindings::new(&dialect);
    bindings.add_all(&dialect, request)?;
    add_notes(&mut bindings, context, request);
    signed.reset(request.operation(), context.validity, bindings.content_type);
    signed.do_not_send = DO_NOT_SEND;
    signed.notes.append(&mut bindings.notes);
    signed.signed_headers.push_all(bindings.headers());

    let PresignedRequest { url, signed_headers, .. } = signed;
    let own = bindings.encoded_query();
    let payload = bindings.query.iter().find(|(name, _)| name == names::CONTENT_SHA256).map(|(_, value)| value.as_ref());
    let headers = (!bindings.headers.is_empty() || payload.is_some()).then(|| HeaderParts {
        bytes: bindings.header_bytes().saturating_add(context.target.host.len()).saturating_add(payload.map_or(0, str::len)),
        names: |url: &mut String| push_names(url, &bindings),
        rest: |url: &mut String| {
            url.push('\n');
            push_headers(url, &bindings, signed_headers, &context.target.host, payload);
        },
    });
    context.scope.sign_url(url, &context.validity, request, UrlParts { own: &own, headers });
    Ok(())
}

/// The texts of the same signature, written out as a verifier writes them.
pub(crate) fn trace(dialect: S3, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<SigningTrace, PresignError> {
    let bindings = Bindings::collect(&dialect, request)?;
    let (target, date) = (context.target, context.validity.date());
    let mut credential = String::from(context.credentials.access_key_id());
    credential.push('/');
    canonical::push_scope(&mut credential, date.day(), &target.region, target.service);
    let mut life = String::new();
    let _ = core::fmt::Write::write_fmt(&mut life, format_args!("{}", context.validity.seconds()));
    let mut signed_names = String::new();
    for (name, _) in with_host(&bindings, "") {
        signed_names.push_str(if signed_names.is_empty() { "" } else { ";" });
        signed_names.push_str(name);
    }
    let signers = [
        (names::ALGORITHM, names::ALGORITHM_VALUE),
        (names::CREDENTIAL, &credential),
        (names::DATE, date.as_str()),
        (names::EXPIRES, &life),
        (names::SIGNED_HEADERS, &signed_names),
    ];
    let token = context.credentials.session_token().map(|token| (names::SECURITY_TOKEN, token.expose()));
    let own = bindings.query.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let payload = bindings.query.iter().find(|(name, _)| name == names::CONTENT_SHA256).map(|(_, value)| value.as_ref());

    let mut text = String::from(request.operation().method().as_str());
    text.push('\n');
    target.push_path(&mut text, request.key());
    text.push('\n');
    canonical::push_query(&mut text, own.chain(signers).chain(token));
    text.push('\n');
    canonical::push_headers(&mut text, with_host(&bindings, &target.host), payload);
    let string_to_sign = canonical::string_to_sign(date, &target.region, target.service, &text);
    Ok(SigningTrace::new(text, string_to_sign))
}

fn add_notes(bindings: &mut Bindings<'_>, context: &SigningContext<'_>, request: &ObjectRequest) {
    let outside_latin1 = |value: &str| value.chars().any(|c| u32::from(c) > 0xFF);
    if bindings.query.iter().any(|(name, value)| name.starts_with("response-") && outside_latin1(value)) {
        bindings.note("S3 answers 400 to a response header outside of ISO-8859-1; for a file name use the download name, which is encoded");
    }
    add_key_notes(&mut bindings.notes, context, request);
}

#[inline]
fn add_key_notes(notes: &mut Vec<Cow<'static, str>>, context: &SigningContext<'_>, request: &ObjectRequest) {
    let target = context.target;
    let starts_the_path = target.path_prefix.is_empty() && request.key().is_some_and(|key| key.as_str().starts_with('/'));
    if starts_the_path {
        notes.push("the path begins with two slashes, which some HTTP clients make one; path style addressing avoids it".into());
    }
    // Amazon S3 User Guide: the SOAP interface took this key on virtual hosts.
    if request.key().is_some_and(|key| key.as_str() == "soap") && target.path_prefix.is_empty() {
        notes.push("Amazon S3 does not serve the key `soap` on virtual-hosted addresses; use path style".into());
    }
}

/// The names of the signed headers, as a parameter's value.
fn push_names(url: &mut String, bindings: &Bindings<'_>) {
    for (index, (name, _)) in with_host(bindings, "").enumerate() {
        if index > 0 {
            url.push_str("%3B");
        }
        encode::push_query(url, name);
    }
}

/// What [`canonical::push_headers`] writes; where no value has blanks to fold, the lines of the result are those of the canonical request.
fn push_headers(url: &mut String, bindings: &Bindings<'_>, signed: &SignedHeaders, host: &str, payload: Option<&str>) {
    if signed.has_blanks() {
        return canonical::push_headers(url, with_host(bindings, host), payload);
    }
    let before: usize = bindings.headers().take_while(|(name, _)| *name < "host").map(|(name, value)| name.len() + value.len() + 2).sum();
    let (before, after) = signed.as_lines().split_at_checked(before).unwrap_or((signed.as_lines(), ""));
    for part in [before, "host:", host, "\n", after, "\n"] {
        url.push_str(part);
    }
    for (index, (name, _)) in with_host(bindings, "").enumerate() {
        if index > 0 {
            url.push(';');
        }
        url.push_str(name);
    }
    url.push('\n');
    url.push_str(payload.unwrap_or(names::UNSIGNED_PAYLOAD));
}

/// The signed headers in the order of their names, `host` in its place.
fn with_host<'b>(bindings: &'b Bindings<'_>, host: &'b str) -> impl Iterator<Item = (&'b str, &'b str)> + Clone {
    let middle = bindings.headers.partition_point(|(name, _)| name.as_ref() < "host");
    bindings.headers().take(middle).chain(core::iter::once(("host", host))).chain(bindings.headers().skip(middle))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;
    use core::time::Duration;
    use valetkey_core::{AddressingStyle, ByteRange, Constraint, ContentMd5, Limits, Operation, PresignOptions, TargetSettings};

    use valetkey_core::crypto;

    use super::*;

    fn requests() -> Vec<ObjectRequest> {
        let key = |key: &str| key.parse().unwrap();
        let long = "k".repeat(1000);
        let mut requests: Vec<ObjectRequest> =
            ["a", "a b/\u{fc}+%2F", "photos//x", "-._~", "x/y/z.jpg", &long].map(|text| ObjectRequest::get(key(text))).into();
        requests.extend([
            ObjectRequest::put(key("k")).content_type("image/png").content_length(5).metadata("Owner", "7  8"),
            ObjectRequest::get(key("k")).content_type("image/png"),
            ObjectRequest::put(key("k")).content_type("text/plain;  charset=utf-8").content_length(5),
            ObjectRequest::put(key("k")).header("cache-control", "no-cache").header("zz", "last").header("accept", "*/*"),
            ObjectRequest::get(key("k")).download_name("\u{e9}t\u{e9}.txt").version_id("v/1"),
            ObjectRequest::get(key("k")).range(ByteRange::From(5)).query("zeta", "1").query("Alpha", "").query("x-b", "\u{fc}").query("~", "~"),
            ObjectRequest::get(key("k")).query("X-Between", "1").query("x-oss-between", "2").query("x-p", "3"),
            ObjectRequest::create_multipart(key("k")),
            ObjectRequest::upload_part(key("k"), "id=/+", 7),
            ObjectRequest::list().prefix("a/").delimiter("/").max_keys(10),
            ObjectRequest::list(),
            ObjectRequest::put(key("/soap")).payload_sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ]);
        for set in 0..BodyHeaders::SETS {
            let mut request = ObjectRequest::put(key("k"));
            if set & 4 != 0 {
                request = request.content_type("image/png");
            }
            if set & 2 != 0 {
                request = request.with(Constraint::ContentMd5(ContentMd5::from_bytes([7; 16])));
            }
            requests.push(if set & 1 != 0 { request.content_length(5) } else { request });
        }
        requests
    }

    /// The text that a verifier would build has the signature that stands in the URL, however the scope was prepared and whatever the result was before.
    #[test]
    fn what_is_signed_is_what_is_traced() {
        let credentials = Credentials::new("AKID+1", "secret").unwrap();
        let with_token = credentials.clone().with_session_token("token/+==").unwrap();
        let life = PresignOptions::new().expires_in(Duration::from_secs(600)).signed_at("2026-11-22T01:02:03Z".parse().unwrap());
        let limits = Limits { provider_max: 43_200, provider_name: "", store_max: None };
        let validity = life.resolve("2026-11-22T00:00:00Z".parse().unwrap(), limits, None).unwrap();
        let other = life.expires_in(Duration::from_secs(1)).resolve("2026-11-22T00:00:00Z".parse().unwrap(), limits, None).unwrap();
        let settings = || TargetSettings::new("bucket1").region("eu-central-1");
        let gateway = "http://gw.example:9000/base/path";
        let places = [
            settings().addressing(AddressingStyle::Virtual),
            settings().endpoint(gateway.parse().unwrap()).addressing(AddressingStyle::Path),
            settings().endpoint(gateway.parse().unwrap()).addressing(AddressingStyle::Virtual),
            settings().endpoint(gateway.parse().unwrap()).addressing(AddressingStyle::CustomDomain),
        ];
        let mut reused = PresignedRequest::new(Operation::Get, String::new(), validity, SignedHeaders::new(), ContentTypeRule::Free);
        for place in places {
            let target = S3.resolve(&place).unwrap();
            for credentials in [&credentials, &with_token] {
                let plain = S3.prepare(credentials, &target, validity.signed_at());
                let prepared = [plain.expecting(&validity), plain.expecting(&other)];
                for request in requests() {
                    let context = |scope| SigningContext { credentials, scope, target: &target, validity };
                    let signed = S3.sign(&context(&plain), &request).unwrap();
                    let trace = S3.trace(&context(&plain), &request).unwrap();
                    let (url, signature) = signed.url.split_at(signed.url.len() - 64);
                    assert_eq!(crypto::read_hex(signature), Some(plain.key().sign(&trace.string_to_sign)), "{url}");
                    let query = url.split_once('?').unwrap().1.strip_suffix(&format!("&{}=", names::SIGNATURE)).unwrap();
                    assert_eq!(trace.canonical_request.lines().nth(2), Some(query));
                    for scope in &prepared {
                        assert_eq!(S3.sign(&context(scope), &request).unwrap(), signed);
                        S3.sign_into(&context(scope), &request, &mut reused).unwrap();
                        assert_eq!(reused, signed);
                    }
                }
            }
        }
    }
}
