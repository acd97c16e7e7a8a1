//! Signing: derived key, the texts of a day, the URL.

use alloc::borrow::Cow;
use alloc::string::String;

use valetkey_core::binding::Bindings;
use valetkey_core::crypto::SigningKey;
use valetkey_core::{
    BodyHeaders, ContentTypeRule, Credentials, Dialect, Gap, HeaderParts, ObjectKey, ObjectRequest, PresignError, PresignedRequest, QueryTemplate, ScopeTexts,
    SigningContext, SigningScope, SigningTrace, Target, Timestamp, UrlParts, encode,
};

use crate::{Oss, canonical, names, post};

pub(crate) fn signing_key(credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey {
    SigningKey::derive("aliyun_v4", credentials.secret_access_key().expose(), [day, region, service, names::SCOPE_END])
}

/// Bytes of the signer's parameters without credential and token, or more.
const NAMES: usize = 256;

/// Writes once a day what stands in every URL and every signed text of the day.
pub(crate) fn prepare(credentials: &Credentials, target: &Target, day: Timestamp) -> SigningScope {
    let date = day.to_basic();
    let (day_text, time_mark) = (date.day(), "T");
    let scope = [day_text, "/", &target.region, "/", target.service, "/", names::SCOPE_END].concat();
    let mut credential = String::new();
    encode::push_query(&mut credential, credentials.access_key_id());
    credential.push_str("%2F");
    encode::push_query(&mut credential, &scope);

    let token = credentials.encoded_session_token();
    let room = credential.len().saturating_add(token.map_or(0, |token| token.expose().len())).saturating_add(NAMES);
    let mut query = QueryTemplate::with_capacity(room).with_bare_names();
    query.parameter(names::CREDENTIAL, &credential);
    query.parameter(names::DATE, &[day_text, time_mark].concat()).gap(Gap::Time);
    query.parameter(names::EXPIRES, "").gap(Gap::Life);
    if let Some(token) = token {
        query.parameter(names::SECURITY_TOKEN, token.expose());
    }
    query.parameter(names::SIGNATURE_VERSION, names::ALGORITHM_VALUE);

    let mut resource = String::new();
    canonical::push_resource(&mut resource, &target.bucket, None);
    // The path of an object begins with the slash.
    resource.pop();
    let mut without_headers = String::from("\n");
    canonical::push_headers(&mut without_headers, core::iter::empty());
    let texts = ScopeTexts {
        query,
        resource: Some(resource),
        no_header_names: "",
        without_headers,
        before_time: [names::ALGORITHM_VALUE, "\n", day_text, time_mark].concat(),
        after_time: ["\n", &scope, "\n"].concat(),
        signature: ["&", names::SIGNATURE, "="].concat(),
    };
    let key = signing_key(credentials, day_text, &target.region, target.service);
    SigningScope::new(key, day, target).with_texts(texts).with_form(&post::RULES, credentials, target, day)
}

#[inline]
pub(crate) fn sign_into(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
    match (BodyHeaders::of(request), request.key()) {
        (Some(headers), Some(key)) => {
            dialect.check_key(key)?;
            sign_body_headers(dialect, context, request, &headers, signed);
            Ok(())
        }
        _ => sign_bindings(dialect, context, request, signed),
    }
}

/// Signs what needs no checks of its own: the lines of the result are those of the canonical request. Of these headers OSS signs all but the length anyway.
#[inline]
fn sign_body_headers(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest, headers: &BodyHeaders<'_>, signed: &mut PresignedRequest) {
    let content_type = if headers.fixes_type() { ContentTypeRule::Fixed } else { dialect.default_content_type() };
    signed.reset(request.operation(), context.validity, content_type);
    signed.do_not_send = DO_NOT_SEND;
    headers.push(&mut signed.signed_headers);

    const LENGTH: &str = "content-length";
    let listed = [(Cow::Borrowed(names::ADDITIONAL_HEADERS), Cow::Borrowed(LENGTH))];
    let (own, additional) = if headers.has_length() { (listed.as_slice(), LENGTH) } else { (&[][..], "") };
    let PresignedRequest { url, signed_headers, .. } = signed;
    let lines = signed_headers.as_lines();
    let parts = (!lines.is_empty()).then(|| HeaderParts {
        bytes: AROUND.saturating_add(lines.len()),
        names: |_: &mut String| {},
        rest: |url: &mut String| {
            for part in ["\n", lines, "\n", additional, "\n", names::UNSIGNED_PAYLOAD] {
                url.push_str(part);
            }
        },
    });
    context.scope.sign_url(url, &context.validity, request, UrlParts { own, headers: parts });
}

const DO_NOT_SEND: Cow<'static, [Cow<'static, str>]> = Cow::Borrowed(&[Cow::Borrowed("content-type"), Cow::Borrowed("content-md5"), Cow::Borrowed("x-oss-*")]);

/// Bytes of a canonical request behind its query, beside the headers.
const AROUND: usize = 32;

fn sign_bindings(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
    let mut bindings = Bindings::new(&dialect);
    bindings.add_all(&dialect, request)?;
    names::review(&mut bindings)?;
    signed.reset(request.operation(), context.validity, bindings.content_type);
    signed.do_not_send = DO_NOT_SEND;
    signed.notes.append(&mut bindings.notes);
    signed.signed_headers.push_all(bindings.headers());

    let mut own = bindings.encoded_query();
    if let Some(listed) = additional(&bindings) {
        let at = own.partition_point(|(name, _)| name.as_ref() < names::ADDITIONAL_HEADERS);
        own.insert(at, (Cow::Borrowed(names::ADDITIONAL_HEADERS), listed));
    }
    let headers = (!bindings.headers.is_empty()).then(|| HeaderParts {
        bytes: bindings.header_bytes(),
        // They are a parameter of their own, at another place.
        names: |_: &mut String| {},
        rest: |url: &mut String| {
            url.push('\n');
            canonical::push_headers(url, bindings.headers());
        },
    });
    context.scope.sign_url(&mut signed.url, &context.validity, request, UrlParts { own: &own, headers });
    Ok(())
}

/// The texts of the same signature, written out as a verifier writes them.
pub(crate) fn trace(dialect: Oss, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<SigningTrace, PresignError> {
    let mut bindings = Bindings::collect(&dialect, request)?;
    names::review(&mut bindings)?;
    let (target, date) = (context.target, context.validity.date());
    let credential = [context.credentials.access_key_id(), date.day(), &target.region, target.service, names::SCOPE_END].join("/");
    let mut life = String::new();
    let _ = core::fmt::Write::write_fmt(&mut life, format_args!("{}", context.validity.seconds()));
    let mut listed = String::new();
    canonical::push_additional(&mut listed, bindings.headers().map(|(name, _)| name), ";");
    let additional = (!listed.is_empty()).then_some((names::ADDITIONAL_HEADERS, listed.as_str()));
    let signers =
        [(names::CREDENTIAL, credential.as_str()), (names::DATE, date.as_str()), (names::EXPIRES, &life), (names::SIGNATURE_VERSION, names::ALGORITHM_VALUE)];
    let token = context.credentials.session_token().map(|token| (names::SECURITY_TOKEN, token.expose()));
    let own = bindings.query.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));

    let mut text = String::from(request.operation().method().as_str());
    text.push('\n');
    canonical::push_resource(&mut text, &target.bucket, request.key().map(ObjectKey::as_str));
    text.push('\n');
    canonical::push_query(&mut text, own.chain(signers).chain(additional).chain(token));
    text.push('\n');
    canonical::push_headers(&mut text, bindings.headers());
    let string_to_sign = canonical::string_to_sign(date, &target.region, target.service, &text);
    Ok(SigningTrace::new(text, string_to_sign))
}

/// The names that OSS would not sign by itself, as a parameter's value. Most requests have one at the most.
fn additional<'b>(bindings: &'b Bindings<'_>) -> Option<Cow<'b, str>> {
    let mut listed = bindings.headers().map(|(name, _)| name).filter(|name| !names::is_signed_by_default(name)).map(encode::query);
    let mut joined = listed.next()?;
    for name in listed {
        let joined = joined.to_mut();
        joined.push_str("%3B");
        joined.push_str(&name);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;
    use core::time::Duration;
    use valetkey_core::{AddressingStyle, ByteRange, Constraint, ContentMd5, Limits, Operation, PresignOptions, SignedHeaders, TargetSettings};

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
            ObjectRequest::get(key("k")).process("image/resize,w_1").traffic_limit(819_200).request_payer(),
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
            let target = Oss.resolve(&place).unwrap();
            for credentials in [&credentials, &with_token] {
                let plain = Oss.prepare(credentials, &target, validity.signed_at());
                let prepared = [plain.expecting(&validity), plain.expecting(&other)];
                for request in requests() {
                    let context = |scope| SigningContext { credentials, scope, target: &target, validity };
                    let signed = Oss.sign(&context(&plain), &request).unwrap();
                    let trace = Oss.trace(&context(&plain), &request).unwrap();
                    let (url, signature) = signed.url.split_at(signed.url.len() - 64);
                    assert_eq!(crypto::read_hex(signature), Some(plain.key().sign(&trace.string_to_sign)), "{url}");
                    let query = url.split_once('?').unwrap().1.strip_suffix(&format!("&{}=", names::SIGNATURE)).unwrap();
                    assert_eq!(trace.canonical_request.lines().nth(2), Some(query));
                    for scope in &prepared {
                        assert_eq!(Oss.sign(&context(scope), &request).unwrap(), signed);
                        Oss.sign_into(&context(scope), &request, &mut reused).unwrap();
                        assert_eq!(reused, signed);
                    }
                }
            }
        }
    }
}
