//! The `Authorization` header, against signatures that the official SDKs and documents made: signed, accepted, and refused when anything differs.
#![cfg(all(feature = "s3", feature = "oss"))]

mod support;

use serde_json::Value;
use support::{Received, credentials, json, pairs, text};
use valetkey::verify::{Audience, Payload, VerifyError};
use valetkey::{FixedClock, LocalPresigner, ObjectRequest, Oss, Presigner, S3, TargetSettings, Timestamp};

const FILES: [(&str, &str); 2] = [("s3", "vectors/s3-sigv4.json"), ("oss", "vectors/oss-v4.json")];

fn cases() -> Vec<(&'static str, Value)> {
    let of = |(provider, file): (&'static str, &str)| json(file)["cases"].as_array().unwrap().iter().map(|case| (provider, case.clone())).collect::<Vec<_>>();
    FILES.into_iter().flat_map(of).filter(|(_, case)| case["expect"]["authorization"].is_string()).collect()
}

fn date(case: &Value) -> Timestamp {
    let text = text(case, "date");
    Timestamp::from_basic(text).or_else(|_| text.parse()).unwrap()
}

/// The header that the case gives, or the one that its stages make; without the blanks after commas, in which the SDKs differ.
fn authorization(provider: &str, case: &Value) -> String {
    let given = ["authorization", "Authorization"].iter().find_map(|name| {
        let headers = if case["expected_headers"].is_object() { &case["expected_headers"] } else { &case["expected_signed_headers"] };
        headers[*name].as_str()
    });
    let given = given.or_else(|| case["expected_authorization"].as_str()).map(ToOwned::to_owned);
    let made = || {
        let scope = text(case, "string_to_sign").lines().nth(2).unwrap();
        let id = text(&case["credentials"], "access_key_id");
        let names = text(case, "canonical_request").lines().rev().nth(1).unwrap();
        let signature = case["signature"].as_str().or(case["expected_signature"].as_str()).unwrap();
        match (provider, names) {
            ("s3", names) => format!("AWS4-HMAC-SHA256 Credential={id}/{scope},SignedHeaders={names},Signature={signature}"),
            (_, "") => format!("OSS4-HMAC-SHA256 Credential={id}/{scope},Signature={signature}"),
            (_, names) => format!("OSS4-HMAC-SHA256 Credential={id}/{scope},AdditionalHeaders={names},Signature={signature}"),
        }
    };
    given.unwrap_or_else(made).replace(", ", ",")
}

/// The request as a server receives it.
fn received(provider: &str, case: &Value) -> Received {
    let expect = &case["expect"];
    let mut headers: Vec<(String, Vec<u8>)> = vec![("Host".to_owned(), text(expect, "host").into())];
    let canonical = text(case, "canonical_request");
    for line in canonical.lines().skip(3).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        let sent = case["input_headers"][name].as_str().unwrap_or(value);
        if name != "host" {
            headers.push((name.to_owned(), sent.into()));
        }
    }
    headers.push(("Authorization".to_owned(), authorization(provider, case).into()));
    Received { scheme: valetkey::Scheme::Https, method: text(case, "method").to_owned(), target: text(expect, "target").to_owned(), headers }
}

fn presigner(provider: &str, case: &Value) -> Box<dyn Presigner> {
    let expect = &case["expect"];
    let mut settings = TargetSettings::new(text(expect, "bucket")).region(text(expect, "region"));
    if let Some(endpoint) = expect["endpoint"].as_str() {
        settings = settings.endpoint(endpoint.parse().unwrap()).addressing(valetkey::AddressingStyle::Virtual);
    }
    let (credentials, clock) = (std::sync::Arc::new(credentials(&case["credentials"])), FixedClock::at(date(case)));
    match provider {
        "s3" => Box::new(LocalPresigner::<S3>::new(&settings, credentials).unwrap().with_clock(clock)),
        _ => Box::new(LocalPresigner::<Oss>::new(&settings, credentials).unwrap().with_clock(clock)),
    }
}

#[tokio::test]
async fn every_vector_is_signed_as_its_maker_signed_it() {
    let mut signed_cases = 0;
    for (provider, case) in cases() {
        let (name, expect) = (text(&case, "name"), &case["expect"]);
        let Some(operation) = expect["operation"].as_str() else { continue };
        let mut request =
            support::request_from_wire(operation.parse().unwrap(), expect["key"].as_str(), &pairs(&expect["headers"]), &pairs(&expect["query"]), true);
        if let Some(digest) = expect["payload_sha256"].as_str() {
            request = request.payload_sha256(digest);
        }
        // The SDKs sign a digest of every body that they are given; here it is said in the request.
        let signed = presigner(provider, &case).authorize(&request).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let header = |wanted: &str| signed.headers.value(wanted).unwrap_or_else(|| panic!("{name}: no {wanted}"));
        assert_eq!(header("authorization").replace(", ", ","), authorization(provider, &case), "{name}");
        let url = format!("https://{}{}", text(expect, "host"), text(expect, "target"));
        let query = |url: &str| url.split_once('?').map(|(_, query)| query.split('&').map(ToOwned::to_owned).collect::<std::collections::BTreeSet<_>>());
        assert_eq!((signed.url.split('?').next(), query(&signed.url)), (url.split('?').next(), query(&url)), "{name}");
        // What is sent is what a verifier takes.
        let sent: Vec<_> = signed.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let received = Received::from_url(signed.method.as_str(), &signed.url, &sent);
        received.verify(provider, &Audience::public(), &[credentials(&case["credentials"])], date(&case)).unwrap_or_else(|error| panic!("{name}: {error}"));
        signed_cases += 1;
    }
    assert_eq!(signed_cases, 10, "the fixtures promise this many cases for the signer");
}

#[test]
fn every_vector_is_accepted_as_it_is_and_refused_when_anything_differs() {
    let mut verified_cases = 0;
    for (provider, case) in cases() {
        let (name, expect) = (text(&case, "name"), &case["expect"]);
        let request = received(provider, &case);
        let (audience, keys, at) = (Audience::public().region(text(expect, "region")), [credentials(&case["credentials"])], date(&case));
        let verify = |request: &Received, now: Timestamp| request.verify(provider, &audience, &keys, now);
        if expect["authorization"] == "refused" {
            assert_eq!(verify(&request, at).unwrap_err().code(), "unsafe_key", "{name}");
            continue;
        }
        let verified = verify(&request, at).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verified.bucket(), expect["bucket"].as_str(), "{name}");
        assert_eq!(verified.key().map(valetkey::ObjectKey::as_str), expect["key"].as_str(), "{name}");
        let digest = text(&case, "canonical_request").lines().last().unwrap();
        match verified.payload() {
            Payload::Unsigned => assert_eq!(digest, "UNSIGNED-PAYLOAD", "{name}"),
            Payload::Sha256(sha256) => assert_eq!(valetkey::crypto::read_hex(digest), Some(*sha256), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        // Fifteen minutes either way, and no second more.
        let seconds = i64::try_from(at.as_unix_seconds()).unwrap();
        for (shift, ok) in [(900, true), (901, false), (-900, true), (-901, false)] {
            let outcome = verify(&request, Timestamp::from_unix_seconds(seconds + shift).unwrap());
            assert_eq!(outcome.as_ref().map(|_| "ok").map_err(VerifyError::code), if ok { Ok("ok") } else { Err("too_skewed") }, "{name} {shift}");
        }
        for (index, byte) in request.target.bytes().enumerate().skip(1) {
            let mut target = request.target.clone().into_bytes();
            target[index] = if byte == b'Z' { b'Y' } else { b'Z' };
            let changed = Received { target: String::from_utf8(target).unwrap(), ..request.clone() };
            assert!(verify(&changed, at).is_err(), "{name}: accepted {}", changed.target);
        }
        for (index, (header, value)) in request.headers.iter().enumerate() {
            // Each byte of the header that signs, and of the others one.
            let bytes = if header == "Authorization" { 0..value.len() } else { 0..1 };
            for at_byte in bytes {
                let mut changed = request.clone();
                let byte = &mut changed.headers[index].1[at_byte];
                *byte = if *byte == b'7' { b'8' } else { b'7' };
                assert!(verify(&changed, at).is_err(), "{name}: accepted another {header}: {}", String::from_utf8_lossy(&changed.headers[index].1));
            }
            let mut without = request.clone();
            without.headers.remove(index);
            assert!(verify(&without, at).is_err(), "{name}: accepted without {header}");
        }
        let other_method = Received { method: if request.method == "PUT" { "GET".into() } else { "PUT".into() }, ..request.clone() };
        assert_eq!(verify(&other_method, at).unwrap_err(), VerifyError::SignatureMismatch, "{name}");
        verified_cases += 1;
    }
    assert_eq!(verified_cases, 13, "the fixtures promise this many cases for the verifier");
}

/// One row: what is changed about a good request, the error, and what each cloud answers.
type Row = (&'static str, fn(&mut Received), &'static str, (u16, &'static str), (u16, &'static str, Option<&'static str>));

fn replace(request: &mut Received, from: &str, to: &str) {
    for (name, value) in &mut request.headers {
        if name == "Authorization" {
            *value = String::from_utf8(value.clone()).unwrap().replacen(from, to, 1).into();
        }
    }
}

fn flip_last(request: &mut Received) {
    let last = request.headers.last_mut().and_then(|(_, value)| value.last_mut()).unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
}

fn set(request: &mut Received, suffix: &str, to: &str) {
    for (_, value) in request.headers.iter_mut().filter(|(name, _)| name.starts_with("x-") && name.ends_with(suffix)) {
        *value = to.into();
    }
}

fn remove(request: &mut Received, suffix: &str) {
    request.headers.retain(|(name, _)| !(name.starts_with("x-") && name.ends_with(suffix)));
}

#[test]
fn a_broken_header_is_refused_for_its_own_reason_in_the_words_of_each_cloud() {
    let malformed = (400, "AuthorizationHeaderMalformed");
    let argument = |ec: Option<&'static str>| (400, "InvalidArgument", ec);
    let rows: &[Row] = &[
        ("another algorithm", |r| replace(r, "4-HMAC-SHA256", "4-HMAC-MD5"), "unsupported_algorithm", (400, "InvalidRequest"), argument(None)),
        (
            "the older signature",
            |r| r.headers.last_mut().unwrap().1 = b"AWS AKID:c2ln".to_vec(),
            "unsupported_algorithm",
            (400, "InvalidRequest"),
            argument(None),
        ),
        ("a bearer token", |r| r.headers.last_mut().unwrap().1 = b"Bearer abc".to_vec(), "unsupported_algorithm", (400, "InvalidRequest"), argument(None)),
        ("no part", |r| r.headers.last_mut().unwrap().1.truncate(16), "malformed_parameter", malformed, argument(None)),
        ("no credential", |r| replace(r, "Credential=", "Credentials="), "malformed_parameter", malformed, argument(None)),
        ("a signature twice", |r| r.headers.last_mut().unwrap().1.extend(b",Signature=00"), "duplicate_parameter", malformed, argument(None)),
        ("a part in another case", |r| replace(r, "Signature=", "signature="), "malformed_parameter", malformed, argument(None)),
        ("an unknown part", |r| r.headers.last_mut().unwrap().1.extend(b",Life=9"), "malformed_parameter", malformed, argument(None)),
        ("two headers", |r| r.headers.push(r.headers.last().unwrap().clone()), "duplicate_parameter", malformed, argument(None)),
        ("another suffix", |r| replace(r, "v4_request", "v5_request"), "malformed_parameter", malformed, argument(Some("0002-00000213"))),
        ("another suffix of S3", |r| replace(r, "aws4_request", "aws5_request"), "malformed_parameter", malformed, argument(Some("0002-00000213"))),
        ("a scope date of another form", |r| replace(r, "/20", "/2x"), "malformed_parameter", malformed, argument(Some("0002-00000223"))),
        ("another day", |r| replace(r, "/20", "/19"), "scope_mismatch", malformed, (403, "SignatureDoesNotMatch", Some("0002-00000223"))),
        (
            "another region",
            |r| ["eu-central-1", "cn-hangzhou"].iter().for_each(|region| replace(r, region, "us-east-9")),
            "scope_mismatch",
            malformed,
            argument(Some("0002-00000228")),
        ),
        (
            "another service",
            |r| ["/s3/", "/oss/"].iter().for_each(|service| replace(r, service, "/iam/")),
            "scope_mismatch",
            malformed,
            (403, "SignatureDoesNotMatch", Some("0002-00000224")),
        ),
        (
            "a signature that is too short",
            |r| {
                r.headers.last_mut().unwrap().1.pop();
            },
            "malformed_signature",
            (403, "SignatureDoesNotMatch"),
            (403, "SignatureDoesNotMatch", Some("0002-00000201")),
        ),
        ("another signature", flip_last, "signature_mismatch", (403, "SignatureDoesNotMatch"), (403, "SignatureDoesNotMatch", Some("0002-00000201"))),
        ("another key", |r| replace(r, "Credential=", "Credential=X"), "unknown_access_key", (403, "InvalidAccessKeyId"), (403, "InvalidAccessKeyId", None)),
        ("no date", |r| remove(r, "-date"), "missing_date", (403, "AccessDenied"), (403, "AccessDenied", Some("0002-00000503"))),
        (
            "a date of another form",
            |r| set(r, "-date", "2024-02-29T12:34:56Z"),
            "missing_date",
            (403, "AccessDenied"),
            (403, "AccessDenied", Some("0002-00000503")),
        ),
        ("nothing of the body", |r| remove(r, "-content-sha256"), "missing_payload", (400, "InvalidArgument"), argument(Some("0002-00000214"))),
        ("nonsense of the body", |r| set(r, "-content-sha256", "E3B0"), "missing_payload", (400, "InvalidArgument"), argument(Some("0002-00000214"))),
        (
            "a parameter of a URL, too",
            |r| r.target.push_str("?X-Amz-Signature=00&x-oss-signature=00"),
            "mixed_authentication",
            (400, "InvalidArgument"),
            argument(None),
        ),
    ];
    for (provider, case_name) in [("s3", "hdr-put-unsigned-payload/botocore"), ("oss", "header-put-type")] {
        let (_, case) = cases().into_iter().find(|(_, case)| case["name"] == case_name).unwrap();
        let (audience, keys) = (Audience::public(), [credentials(&case["credentials"])]);
        for (what, change, code, s3, oss) in rows {
            let mut request = received(provider, &case);
            if provider == "oss" && *what == "another suffix of S3" || provider == "s3" && *what == "another suffix" {
                continue;
            }
            change(&mut request);
            let error = request.verify(provider, &audience, &keys, date(&case)).map(|_| ()).expect_err(what);
            let refusal = support::dialect(provider).refusal(&error);
            assert_eq!(error.code(), *code, "{provider}: {what}: {error}");
            if provider == "s3" {
                assert_eq!((refusal.status, refusal.code), *s3, "{what}: {error}");
            } else {
                assert_eq!((refusal.status, refusal.code, refusal.ec), *oss, "{what}: {error}");
            }
        }
    }
}

/// What S3 signs and OSS does not is refused there by name; what is sent and not signed is refused on S3.
#[tokio::test]
async fn headers_that_are_not_signed_are_refused() {
    let (_, case) = cases().into_iter().find(|(_, case)| case["name"] == "hdr-put-unsigned-payload/botocore").unwrap();
    let keys = [credentials(&case["credentials"])];
    let mut request = received("s3", &case);
    request.headers.push(("x-amz-copy-source".to_owned(), b"other/key".to_vec()));
    let error = request.verify("s3", &Audience::public(), &keys, date(&case)).map(|_| ()).unwrap_err();
    assert_eq!(error, VerifyError::UnsignedHeaders { names: vec!["x-amz-copy-source".to_owned()] });
    // No parameter stands for a header here, as it may in a URL.
    let mut request = received("s3", &case);
    request.target.push_str("?x-amz-date=20240229T123456Z");
    remove(&mut request, "-date");
    assert_eq!(request.verify("s3", &Audience::public(), &keys, date(&case)).map(|_| ()).unwrap_err().code(), "mixed_authentication");

    let (_, oss) = cases().into_iter().find(|(_, case)| case["name"] == "header-put-type").unwrap();
    let put = ObjectRequest::put("k".parse().unwrap()).payload_sha256("0".repeat(64));
    assert_eq!(presigner("oss", &oss).authorize(&put).await.unwrap_err().code(), "unsupported");
}

/// The token belongs to the credentials: left out, or another, it is refused.
#[test]
fn a_session_token_is_judged_in_the_header_too() {
    for (provider, case_name, header) in [("s3", "hdr-session-token/botocore", "x-amz-security-token"), ("oss", "go-header-token", "x-oss-security-token")] {
        let (_, case) = cases().into_iter().find(|(_, case)| case["name"] == case_name).unwrap();
        let known = &case["credentials"];
        let request = received(provider, &case);
        assert!(request.headers.iter().any(|(name, _)| name == header), "{case_name}");
        let without = valetkey::Credentials::new(text(known, "access_key_id"), credentials(known).secret_access_key().expose()).unwrap();
        let other = without.clone().with_session_token("another").unwrap();
        for keys in [without, other] {
            let error = request.verify(provider, &Audience::public(), &[keys], date(&case)).map(|_| ()).unwrap_err();
            assert_eq!(error, VerifyError::TokenMismatch, "{case_name}");
        }
    }
}

/// A blank in a query, as the SDK oss2 sends it: signed as `%20`, sent as `+`. On S3 a plus stays one.
#[tokio::test]
async fn a_plus_in_a_query_is_a_blank_on_oss_alone() {
    for (provider, case_name, read) in [("s3", "hdr-put-unsigned-payload/botocore", None), ("oss", "header-put-type", Some("a b"))] {
        let (_, case) = cases().into_iter().find(|(_, case)| case["name"] == case_name).unwrap();
        let list = ObjectRequest::list().prefix("a b");
        let signed = presigner(provider, &case).authorize(&list).await.unwrap();
        let sent: Vec<_> = signed.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let received = Received::from_url("GET", &signed.url.replace("a%20b", "a+b"), &sent);
        let verified = received.verify(provider, &Audience::public(), &[credentials(&case["credentials"])], date(&case));
        assert_eq!(verified.ok().and_then(|verified| verified.parameter("prefix").map(ToOwned::to_owned)).as_deref(), read, "{provider}");
    }
}

/// Example of AWS's documents: 66560 bytes of `a` in chunks of 64 KiB. Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header:
/// Transferring Payload in Multiple Chunks".
#[test]
fn the_documented_chunks_verify_in_their_order_and_in_no_other() {
    use sha2::{Digest as _, Sha256};
    let headers = [
        ("Host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("content-length", "66824"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "66560"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    let request = Received { scheme: valetkey::Scheme::Https, method: "PUT".into(), target: "/examplebucket/chunkObject.txt".into(), headers };
    let credentials = valetkey::Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
    let now = Timestamp::from_basic("20130524T000000Z").unwrap();
    let verified = request.verify("s3", &Audience::public(), &[credentials], now).unwrap();
    let Payload::Chunked { signatures: Some(signatures), has_trailer: false } = verified.payload() else { panic!("{:?}", verified.payload()) };
    let digest = |bytes: &[u8]| <[u8; 32]>::from(Sha256::digest(bytes));
    let chunks = [
        (digest(&[b'a'; 65536]), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (digest(&[b'a'; 1024]), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (digest(&[]), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ];
    let mut in_order = signatures.clone();
    for (sha256, signature) in &chunks {
        in_order.check_chunk(sha256, signature).unwrap();
    }
    for order in [[1, 0, 2], [0, 2, 1], [0, 0, 1]] {
        let mut judged = signatures.clone();
        let outcome = order.iter().try_for_each(|index| judged.check_chunk(&chunks[*index].0, chunks[*index].1));
        assert_eq!(outcome, Err(VerifyError::SignatureMismatch), "{order:?}");
    }
    let mut judged = signatures.clone();
    assert_eq!(judged.check_chunk(&chunks[1].0, chunks[0].1), Err(VerifyError::SignatureMismatch));
    assert_eq!(judged.check_chunk(&chunks[0].0, &chunks[0].1.to_uppercase()), Err(VerifyError::MalformedSignature));
}
