//! How each cloud says no: every reason with the status, code and, on OSS, the error number that its documents name.
#![cfg(all(feature = "s3", feature = "oss"))]

mod support;

use support::{AnyPresigner, Received, dialect, seconds};
use valetkey::post_policy::PolicyDocument;
use valetkey::verify::{Audience, FormError, VerifyError};
use valetkey::{Credentials, KeyError, ObjectRequest, TargetSettings, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A reason; S3's status and code; OSS's status, code and EC (none where the documents name none).
type Row = (VerifyError, (u16, &'static str), (u16, &'static str, Option<&'static str>));

#[test]
fn every_reason_has_the_clouds_own_answer() {
    use VerifyError as E;
    let moment = at("2026-11-22T10:30:00Z");
    let name = |text: &str| text.to_owned();
    let rows: Vec<Row> = vec![
        (E::NotSigned, (403, "AccessDenied"), (403, "AccessDenied", None)),
        (E::MalformedRequest { what: "x" }, (400, "InvalidRequest"), (400, "InvalidRequest", None)),
        (E::MalformedPath, (400, "InvalidURI"), (400, "InvalidURI", None)),
        (E::MalformedQuery, (400, "InvalidURI"), (400, "InvalidURI", None)),
        (E::TooLarge { max: 1 }, (414, "RequestURITooLong"), (414, "RequestURITooLong", None)),
        (E::MixedAuthentication, (400, "InvalidArgument"), (400, "InvalidArgument", None)),
        (E::MissingParameter { name: "x-oss-expires" }, (400, "AuthorizationQueryParametersError"), (400, "InvalidArgument", Some("0002-00000215"))),
        (E::MissingParameter { name: "x-oss-signature" }, (400, "AuthorizationQueryParametersError"), (400, "InvalidArgument", Some("0002-00000219"))),
        (E::DuplicateParameter { name: "x" }, (400, "AuthorizationQueryParametersError"), (400, "InvalidArgument", None)),
        (E::MalformedParameter { name: "x", reason: "y" }, (400, "AuthorizationQueryParametersError"), (400, "InvalidArgument", None)),
        (
            E::MalformedParameter { name: "x-oss-additional-headers", reason: "y" },
            (400, "AuthorizationQueryParametersError"),
            (400, "InvalidArgument", Some("0002-00000076")),
        ),
        (E::UnsupportedAlgorithm { expected: "x" }, (400, "AuthorizationQueryParametersError"), (400, "InvalidArgument", None)),
        (E::ExpiresOutOfRange { max: 1 }, (400, "AuthorizationQueryParametersError"), (400, "InvalidArgument", Some("0002-00000232"))),
        (
            E::ScopeMismatch { part: "region", expected: Some(name("r")) },
            (400, "AuthorizationQueryParametersError"),
            (403, "SignatureDoesNotMatch", Some("0002-00000226")),
        ),
        (E::MalformedSignature, (403, "SignatureDoesNotMatch"), (403, "SignatureDoesNotMatch", Some("0002-00000201"))),
        (E::SignatureMismatch, (403, "SignatureDoesNotMatch"), (403, "SignatureDoesNotMatch", Some("0002-00000201"))),
        (E::SignedHeaderMissing { name: name("range") }, (403, "SignatureDoesNotMatch"), (400, "InvalidArgument", Some("0002-00000077"))),
        (E::ConflictingValue { name: name("range") }, (403, "SignatureDoesNotMatch"), (400, "InvalidArgument", None)),
        (E::UnknownAccessKey { access_key_id: name("AK") }, (403, "InvalidAccessKeyId"), (403, "InvalidAccessKeyId", None)),
        (E::TokenMismatch, (400, "InvalidToken"), (403, "AccessDenied", Some("0002-00000006"))),
        (E::TokenExpired, (400, "ExpiredToken"), (403, "AccessDenied", Some("0002-00000007"))),
        (E::NotYetValid { signed_at: moment, expiration: moment, now: moment }, (403, "AccessDenied"), (403, "AccessDenied", Some("0002-00000235"))),
        (E::Expired { expiration: moment, seconds: 1, now: moment }, (403, "AccessDenied"), (403, "AccessDenied", Some("0002-00000236"))),
        (E::UnsupportedPayload, (501, "NotImplemented"), (403, "AccessDenied", None)),
        (E::MissingPayload { name: "x" }, (400, "InvalidArgument"), (400, "InvalidArgument", Some("0002-00000214"))),
        (E::MissingDate { name: "x" }, (403, "AccessDenied"), (403, "AccessDenied", Some("0002-00000503"))),
        (E::TooSkewed { signed_at: moment, now: moment }, (403, "RequestTimeTooSkewed"), (403, "RequestTimeTooSkewed", Some("0002-00000504"))),
        (E::MissingParameter { name: "Credential" }.in_authorization(), (400, "AuthorizationHeaderMalformed"), (400, "InvalidArgument", Some("0002-00000213"))),
        (
            E::ScopeMismatch { part: "region", expected: Some(name("r")) }.in_authorization(),
            (400, "AuthorizationHeaderMalformed"),
            (400, "InvalidArgument", Some("0002-00000228")),
        ),
        (
            E::MalformedParameter { name: "AdditionalHeaders", reason: "x" }.in_authorization(),
            (400, "AuthorizationHeaderMalformed"),
            (400, "InvalidArgument", Some("0002-00000210")),
        ),
        (E::SignedHeaderMissing { name: name("range") }.in_authorization(), (403, "SignatureDoesNotMatch"), (400, "InvalidArgument", Some("0002-00000211"))),
        (E::UnknownHost, (404, "NoSuchBucket"), (404, "NoSuchBucket", None)),
        (E::UnsafeKey(KeyError::DotSegment { segment: ".." }), (400, "InvalidArgument"), (400, "InvalidObjectName", None)),
        (E::UnsafeKey(KeyError::TooLong { bytes: 2000, max: 1024 }), (400, "KeyTooLongError"), (400, "InvalidObjectName", None)),
    ];
    for (error, s3, oss) in rows {
        let refusal = dialect("s3").refusal(&error);
        assert_eq!((refusal.status, refusal.code), s3, "s3: {error:?}");
        let refusal = dialect("oss").refusal(&error);
        assert_eq!((refusal.status, refusal.code, refusal.ec), oss, "oss: {error:?}");
    }
}

#[test]
fn every_reason_for_a_form_has_the_clouds_own_answer() {
    use FormError as E;
    let moment = at("2026-11-22T10:30:00Z");
    let name = |text: &str| text.to_owned();
    let form = VerifyError::from;
    let no_policy = PolicyDocument::from_json("{}").unwrap_err();
    let argument = (400, "InvalidArgument");
    let denied = (403, "AccessDenied");
    let mismatch = (403, "SignatureDoesNotMatch");
    let oss = |(status, code): (u16, &'static str), ec: &'static str| (status, code, Some(ec).filter(|ec| !ec.is_empty()));
    let too_long = (400, "MaxPostPreDataLengthExceeded");
    let rows: Vec<Row> = vec![
        (form(E::Malformed { what: "x" }), (400, "MalformedPOSTRequest"), (400, "MalformedPOSTRequest", Some("0006-00000104"))),
        (form(E::NotAtBucket), (405, "MethodNotAllowed"), (405, "MethodNotAllowed", None)),
        (form(E::TooMuchBeforeFile { max: 1 }), too_long, (400, "FieldItemTooLong", Some("0006-00000112"))),
        (form(E::FieldTooLong { name: name("key"), max: 1 }), too_long, (400, "FieldItemTooLong", Some("0006-00000110"))),
        (form(E::MissingField { name: "policy" }), argument, oss(argument, "0002-00000702")),
        (form(E::MissingField { name: "x-oss-signature" }), argument, oss(argument, "0002-00000703")),
        (form(E::MissingField { name: "key" }), argument, oss(argument, "")),
        (form(E::FileCount { count: 0 }), argument, oss(argument, "0006-00000107")),
        (form(E::FileCount { count: 2 }), argument, (400, "IncorrectNumberOfFilesInPOSTRequest", None)),
        (form(E::DuplicateField { name: name("key") }), argument, oss(argument, "")),
        (form(E::MalformedField { name: name("x-amz-date"), reason: "x" }), argument, oss(argument, "")),
        (form(E::Policy(no_policy)), (400, "InvalidPolicyDocument"), (400, "InvalidPolicyDocument", Some("0006-00000201"))),
        (form(E::SignatureMismatch), mismatch, oss(mismatch, "0002-00000705")),
        (form(E::ScopeMismatch { part: "day", expected: None }), argument, oss(mismatch, "0002-00000709")),
        (form(E::ScopeMismatch { part: "region", expected: Some(name("r")) }), argument, oss(mismatch, "0002-00000715")),
        (form(E::ScopeMismatch { part: "service", expected: None }), argument, oss(mismatch, "0002-00000710")),
        (form(E::FieldNotBound { name: "x-oss-date" }), denied, oss(denied, "0006-00000228")),
        (form(E::ExtraField { name: name("acl") }), denied, oss(denied, "0006-00000228")),
        (form(E::ConditionFailed { condition: name("c") }), denied, oss(denied, "0006-00000227")),
        (form(E::BucketMismatch { bucket: name("b") }), denied, oss(denied, "0006-00000227")),
        (form(E::NotYetValid { signed_at: moment, now: moment }), denied, oss(denied, "")),
        (form(E::Expired { expiration: moment, now: moment }), denied, oss(denied, "")),
        (form(E::ExpirationOutOfRange { max: 1 }), denied, oss(denied, "")),
        (form(E::TooLarge { size: 2, max: 1 }), (400, "EntityTooLarge"), (400, "EntityTooLarge", Some("0006-00000003"))),
        (form(E::TooSmall { size: 1, min: 2 }), (400, "EntityTooSmall"), (400, "EntityTooSmall", Some("0006-00000004"))),
        (form(E::NoFileName), argument, oss(argument, "")),
        (form(E::UnsafeKey(KeyError::DotSegment { segment: ".." })), argument, (400, "InvalidObjectName", None)),
        (form(E::UnsafeKey(KeyError::TooLong { bytes: 2000, max: 1024 })), (400, "KeyTooLongError"), (400, "InvalidObjectName", None)),
    ];
    let mut codes: Vec<&str> = rows.iter().map(|(error, ..)| error.code()).collect();
    codes.dedup();
    assert_eq!(codes.len(), 22, "each reason of `FormError` has its rows: {codes:?}");
    for (error, s3, oss) in rows {
        let refusal = dialect("s3").refusal(&error);
        assert_eq!((refusal.status, refusal.code), s3, "s3: {error:?}");
        let refusal = dialect("oss").refusal(&error);
        assert_eq!((refusal.status, refusal.code, refusal.ec), oss, "oss: {error:?}");
    }
}

/// A case: what is signed, and what the client then does differently.
struct Case {
    provider: &'static str,
    name: &'static str,
    request: ObjectRequest,
    change: fn(&mut Received),
    /// `None`: accepted all the same.
    code: Option<&'static str>,
}

#[test]
fn what_the_client_may_and_may_not_change() {
    let put = || ObjectRequest::put("k".parse().unwrap());
    let get = || ObjectRequest::get("k".parse().unwrap());
    let cases = [
        Case {
            provider: "s3",
            name: "a parameter of the signature in another case beside",
            request: get(),
            change: |r| r.target += "&x-amz-expires=5",
            code: Some("duplicate_parameter"),
        },
        Case { provider: "oss", name: "the same on OSS", request: get(), change: |r| r.target += "&X-Oss-Expires=5", code: Some("duplicate_parameter") },
        Case { provider: "s3", name: "an ordinary header unsigned", request: put(), change: |r| add(r, "content-type", "text/plain"), code: None },
        Case { provider: "s3", name: "the same header twice", request: put().metadata("a", "1,2"), change: split_metadata, code: None },
        Case {
            provider: "s3",
            name: "blanks around and inside",
            request: put().metadata("a", "b c"),
            change: |r| set(r, "x-amz-meta-a", "  b   c "),
            code: None,
        },
        Case {
            provider: "s3",
            name: "an amz header unsigned",
            request: put(),
            change: |r| add(r, "X-Amz-Copy-Source", "other/secret"),
            code: Some("unsigned_headers"),
        },
        // A parameter may stand for an `x-amz-*` header, and for no other.
        Case {
            provider: "s3",
            name: "a signed header that does not come",
            request: get().header("range", "bytes=0-1"),
            change: |r| remove(r, "range"),
            code: Some("signed_header_missing"),
        },
        Case {
            provider: "s3",
            name: "an authorization header too",
            request: get(),
            change: |r| add(r, "authorization", "AWS4 x"),
            code: Some("mixed_authentication"),
        },
        Case {
            provider: "oss",
            name: "a type that was not signed",
            request: put(),
            change: |r| add(r, "content-type", "text/plain"),
            code: Some("signature_mismatch"),
        },
        Case { provider: "oss", name: "an ordinary header unsigned", request: put(), change: |r| add(r, "cache-control", "no-cache"), code: None },
        Case { provider: "oss", name: "blanks around", request: put().metadata("a", "b"), change: |r| set(r, "x-oss-meta-a", " b "), code: None },
        Case {
            provider: "oss",
            name: "blanks inside",
            request: put().metadata("a", "b c"),
            change: |r| set(r, "x-oss-meta-a", "b  c"),
            code: Some("signature_mismatch"),
        },
        Case {
            provider: "oss",
            name: "an additional header that does not come",
            request: put().content_length(5),
            change: |r| remove(r, "content-length"),
            code: Some("signed_header_missing"),
        },
        Case {
            provider: "oss",
            name: "a header that contradicts its parameter",
            request: get().traffic_limit(819_200),
            change: |r| add(r, "x-oss-traffic-limit", "838860800"),
            code: Some("conflicting_value"),
        },
        Case {
            provider: "s3",
            name: "a bucket with an encoded slash",
            request: get(),
            change: |r| r.target = r.target.replacen("/k?", "%2Fk?", 1),
            code: Some("malformed_path"),
        },
        Case {
            provider: "oss",
            name: "a bucket with an encoded slash",
            request: get(),
            change: |r| r.target = r.target.replacen("/k?", "%2Fk?", 1),
            code: Some("malformed_path"),
        },
    ];
    for case in cases {
        let now = at("2026-11-22T10:30:00Z");
        let credentials = Credentials::new("AK", "secret").unwrap();
        let settings = TargetSettings::new("media").region("cn-hangzhou").endpoint("http://127.0.0.1:9000".parse().unwrap());
        let presigner = AnyPresigner::new(case.provider, &settings, credentials.clone(), now).unwrap();
        let signed = presigner.sign(&case.request, &seconds(60)).unwrap();
        let headers: Vec<_> = signed.signed_headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut received = Received::from_url(signed.method.as_str(), &signed.url, &headers);
        let audience = Audience::new().host("127.0.0.1:9000").region("cn-hangzhou");
        let verify = |received: &Received| received.verify(case.provider, &audience, std::slice::from_ref(&credentials), now);
        assert!(verify(&received).is_ok(), "{} {}: as signed", case.provider, case.name);
        (case.change)(&mut received);
        let outcome = verify(&received).err().map(|error| error.code());
        assert_eq!(outcome, case.code, "{} {}", case.provider, case.name);
    }
}

fn add(request: &mut Received, name: &str, value: &str) {
    request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

fn set(request: &mut Received, name: &str, value: &str) {
    remove(request, name);
    add(request, name, value);
}

fn remove(request: &mut Received, name: &str) {
    request.headers.retain(|(other, _)| other != name);
}

fn split_metadata(request: &mut Received) {
    set(request, "x-amz-meta-a", "1");
    add(request, "x-amz-meta-a", "2");
}

/// Temporary credentials end what they signed, to the second that the signer reports.
#[test]
fn the_token_ends_with_the_credentials() {
    for provider in ["s3", "oss"] {
        let now = at("2026-11-22T10:30:00Z");
        let end = at("2026-11-22T10:31:00Z");
        let credentials = Credentials::new("AK", "secret").unwrap().with_session_token("T").unwrap().with_expiration(end);
        let settings = TargetSettings::new("media").region("cn-hangzhou");
        let presigner = AnyPresigner::new(provider, &settings, credentials.clone(), now).unwrap();
        let signed = presigner.sign(&ObjectRequest::get("k".parse().unwrap()), &valetkey::PresignOptions::new()).unwrap();
        assert_eq!(signed.expiration, end);
        let received = Received::from_url("GET", &signed.url, &[]);
        let verify = |credentials: &Credentials, now: Timestamp| {
            received.verify(provider, &Audience::public(), std::slice::from_ref(credentials), now).map_err(|error| error.code())
        };
        assert!(verify(&credentials, end).is_ok());
        let shorter = Credentials::new("AK", "secret").unwrap().with_session_token("T").unwrap().with_expiration(at("2026-11-22T10:30:30Z"));
        assert!(verify(&shorter, at("2026-11-22T10:30:30Z")).is_ok());
        assert_eq!(verify(&shorter, at("2026-11-22T10:30:31Z")).unwrap_err(), "token_expired");
        let other = Credentials::new("AK", "secret").unwrap().with_session_token("U").unwrap();
        assert_eq!(verify(&other, now).unwrap_err(), "token_mismatch");
        let none = Credentials::new("AK", "secret").unwrap();
        assert_eq!(verify(&none, now).unwrap_err(), "token_mismatch");
    }
}

/// Constraints whose value is out of range, and what is said about what cannot be enforced.
#[test]
fn values_are_judged_and_remarks_are_made() {
    let sign = |provider: &str, request: &ObjectRequest| {
        let settings = TargetSettings::new("media").region("cn-hangzhou");
        let presigner = AnyPresigner::new(provider, &settings, Credentials::new("AK", "secret").unwrap(), at("2026-11-22T10:30:00Z")).unwrap();
        presigner.sign(request, &seconds(60))
    };
    let get = || ObjectRequest::get("k".parse().unwrap());
    for (bits, works) in [(819_199, false), (819_200, true), (838_860_800, true), (838_860_801, false)] {
        assert_eq!(sign("oss", &get().traffic_limit(bits)).is_ok(), works, "{bits}");
    }
    for (provider, name, code) in [
        ("s3", "X-Amz-Signature", "reserved"),
        ("s3", "AWSAccessKeyId", "reserved"),
        ("s3", "x-oss-signature", "reserved"),
        ("oss", "x-oss-security-token", "reserved"),
        ("oss", "x-amz-signature", "reserved"),
        ("s3", "Host", "reserved"),
        ("oss", "authorization", "reserved"),
    ] {
        assert_eq!(sign(provider, &get().query(name, "1")).unwrap_err().code(), code, "{provider} {name}");
        assert_eq!(sign(provider, &get().header(name, "1")).unwrap_err().code(), code, "{provider} {name}");
    }
    let put = || ObjectRequest::put("k".parse().unwrap());
    for (request, code) in [
        (put().header("Content-Length", "abc"), "invalid_header"),
        (put().header("content-length", "-1"), "invalid_header"),
        (put().header("content-md5", "zz"), "invalid_value"),
        (put().header("content-length", "5").content_length(5), "duplicate"),
        (get().version_id(""), "invalid_value"),
        (ObjectRequest::list().continuation_token(""), "invalid_value"),
        (ObjectRequest::create_multipart("k".parse().unwrap()).create_only(), "not_applicable"),
    ] {
        for provider in ["s3", "oss"] {
            assert_eq!(sign(provider, &request).unwrap_err().code(), code, "{provider} {request:?}");
        }
    }
    for (provider, request, remark) in [
        ("s3", ObjectRequest::get("soap".parse().unwrap()), "soap"),
        ("s3", ObjectRequest::get("/k".parse().unwrap()), "two slashes"),
        ("oss", ObjectRequest::put("k".parse().unwrap()).create_only(), "versioning"),
        ("s3", ObjectRequest::put("k".parse().unwrap()).metadata("a", "é"), "UTF-8"),
        ("s3", ObjectRequest::put("k".parse().unwrap()).payload_sha256("0".repeat(64)), "not verified"),
    ] {
        let signed = sign(provider, &request).unwrap();
        assert!(signed.notes.iter().any(|note| note.contains(remark)), "{remark}: {:?}", signed.notes);
    }
}
