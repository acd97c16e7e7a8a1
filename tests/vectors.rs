//! Signatures made by the official SDKs and documents: every stage compared, and each accepted and refused by the verifier.
#![cfg(all(feature = "s3", feature = "oss"))]

mod support;

use serde_json::Value;
use support::{AnyPresigner, Received, credentials, json, pairs, request_from_wire, seconds, text};
use valetkey::verify::Audience;
use valetkey::{TargetSettings, Timestamp};

const FILES: [(&str, &str); 2] = [("s3", "vectors/s3-sigv4.json"), ("oss", "vectors/oss-v4.json")];

fn cases() -> Vec<(&'static str, Value)> {
    FILES.iter().flat_map(|(provider, file)| json(file)["cases"].as_array().unwrap().iter().map(|case| (*provider, case.clone())).collect::<Vec<_>>()).collect()
}

fn date(case: &Value) -> Timestamp {
    let text = text(case, "date");
    Timestamp::from_basic(text).or_else(|_| text.parse()).unwrap()
}

/// The stages that the case is compared against: the SDK's own, or the reference where the SDK is known to be wrong.
struct Stages {
    url: Option<String>,
    canonical_request: Option<String>,
    string_to_sign: Option<String>,
    signature: String,
}

fn stages(case: &Value) -> Stages {
    let from = if case["expect"]["against"] == "reference" { &case["reference"] } else { case };
    let own = |field: &str| from[field].as_str().map(ToOwned::to_owned);
    let signature = own("signature").or_else(|| own("expected_signature")).unwrap();
    let url = own("url").or_else(|| own("expected_url")).or_else(|| case["expect"]["url"].as_str().map(ToOwned::to_owned));
    Stages { url, canonical_request: own("canonical_request"), string_to_sign: own("string_to_sign"), signature }
}

/// Scheme, authority, raw path and the sorted raw query: the order of parameters is free.
fn comparable(url: &str) -> (String, Vec<String>) {
    let (place, query) = url.split_once('?').unwrap();
    // `uploads` and `uploads=` are the same parameter.
    let mut query: Vec<String> = query.split('&').map(|pair| pair.strip_suffix('=').unwrap_or(pair).to_owned()).collect();
    query.sort();
    (place.to_owned(), query)
}

#[tokio::test]
async fn every_stage_of_every_vector_is_reproduced() {
    let mut signed_cases = 0;
    for (provider, case) in cases() {
        let expect = &case["expect"];
        if expect["sign"] != true {
            continue;
        }
        let name = text(&case, "name");
        let mut settings = TargetSettings::new(text(expect, "bucket")).region(text(expect, "region")).addressing(text(expect, "addressing").parse().unwrap());
        settings.endpoint = expect["endpoint"].as_str().map(|endpoint| endpoint.parse().unwrap());
        let presigner =
            AnyPresigner::new(provider, &settings, credentials(&case["credentials"]), date(&case)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let operation = text(expect, "operation").parse().unwrap();
        let options = seconds(expect["expires_seconds"].as_u64().unwrap());
        let want = stages(&case);
        for typed in [true, false] {
            let request = request_from_wire(operation, expect["key"].as_str(), &pairs(&expect["headers"]), &pairs(&expect["query"]), typed);
            let signed = presigner.sign(&request, &options).unwrap_or_else(|error| panic!("{name} typed={typed}: {error}"));
            let trace = presigner.trace(&request, &options).await.unwrap();
            if let Some(canonical) = &want.canonical_request {
                assert_eq!(&trace.canonical_request, canonical, "{name} typed={typed}");
            }
            if let Some(string_to_sign) = &want.string_to_sign {
                assert_eq!(&trace.string_to_sign, string_to_sign, "{name} typed={typed}");
            }
            assert!(signed.url.contains(&format!("ignature={}", want.signature)), "{name} typed={typed}");
            let url = want.url.as_deref().unwrap_or_else(|| panic!("{name}: no URL to compare"));
            assert_eq!(comparable(&signed.url), comparable(url), "{name} typed={typed}");
            assert_eq!(signed.method.as_str(), text(expect, "method"), "{name}");
        }
        signed_cases += 1;
    }
    assert_eq!(signed_cases, 111, "the fixtures promise this many cases for the signer");
}

/// The URL and headers that a client of the case would send, and the audience that they are for.
fn received(case: &Value) -> (Received, Audience) {
    let expect = &case["expect"];
    let url = stages(case).url.unwrap();
    let sent = ["signed_headers", "expected_signed_headers"].iter().map(|field| pairs(&case[*field])).find(|headers| !headers.is_empty());
    let sent = if expect["headers"].is_object() { pairs(&expect["headers"]) } else { sent.unwrap_or_default() };
    let received = Received::from_url(text(case, "method"), &url, &sent);
    let (host, bucket) = (received.host(), text(expect, "bucket"));
    let audience = match host.strip_prefix(&format!("{bucket}.")) {
        Some(base) => Audience::new().host(base),
        None if received.target.contains(&format!("/{}", valetkey::encode::query(bucket))) => Audience::new().host(host.clone()),
        None => Audience::new().bucket_host(host.clone(), bucket),
    };
    let scope = received.target.split("redential=").nth(1).unwrap();
    let region = scope.split("%2F").nth(2).unwrap().to_owned();
    let base_path = expect["endpoint"].as_str().and_then(|endpoint| endpoint.parse::<valetkey::Endpoint>().ok()).map(|e| e.base_path().to_owned());
    (received, audience.region(region).base_path(base_path.unwrap_or_default()))
}

#[test]
fn every_vector_is_accepted_as_it_is_and_refused_when_anything_differs() {
    let mut verified_cases = 0;
    for (provider, case) in cases() {
        if case["expect"]["verify"] != true {
            continue;
        }
        let name = text(&case, "name");
        let (request, audience) = received(&case);
        let keys = [credentials(&case["credentials"])];
        let at = date(&case);
        let life = case["expires_seconds"].as_u64().or(case["expect"]["expires_seconds"].as_u64()).unwrap();
        let verify = |request: &Received, now: Timestamp| request.verify(provider, &audience, &keys, now);

        let verified = verify(&request, at).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verified.bucket(), case["expect"]["bucket"].as_str(), "{name}");
        assert_eq!(verified.key().map(valetkey::ObjectKey::as_str), case["expect"]["key"].as_str(), "{name}");
        let last = at.checked_add(life).unwrap();
        assert_eq!(verified.expiration(), last, "{name}");
        assert!(verify(&request, last).is_ok(), "{name}: the last second");
        assert_eq!(verify(&request, last.checked_add(1).unwrap()).unwrap_err().code(), "expired", "{name}: one second too late");

        for at_byte in 0..request.target.len() {
            let mut target = request.target.clone().into_bytes();
            target[at_byte] = if target[at_byte] == b'Z' { b'Y' } else { b'Z' };
            let Ok(target) = String::from_utf8(target) else { continue };
            let changed = Received { target, ..request.clone() };
            assert!(verify(&changed, at).is_err(), "{name}: accepted {}", changed.target);
        }
        for (index, (header, value)) in request.headers.iter().enumerate().filter(|(_, (_, value))| !value.is_empty()) {
            let mut changed = request.clone();
            changed.headers[index].1 = value.iter().map(|byte| if *byte == b'Z' { b'Y' } else { b'Z' }).collect();
            assert!(verify(&changed, at).is_err(), "{name}: accepted another {header}");
        }
        let other_method = Received { method: if request.method == "PUT" { "GET".into() } else { "PUT".into() }, ..request.clone() };
        assert!(verify(&other_method, at).is_err(), "{name}: accepted another method");
        verified_cases += 1;
    }
    assert_eq!(verified_cases, 133, "the fixtures promise this many cases for the verifier");
}

/// What is refused by rule is refused by the signer and by the verifier, for that rule, although the signature is right.
#[test]
fn what_is_refused_by_rule_is_refused_both_ways() {
    let mut refused = 0;
    for (provider, case) in cases() {
        let reason = case["expect"]["refused"].as_str().unwrap_or_default();
        let code = match reason {
            "dot segment" => "unsafe_key",
            "life outside 1..604800 seconds" | "life over 12 hours with a session token" => "expires_out_of_range",
            _ => continue,
        };
        let name = text(&case, "name");
        if code == "unsafe_key" && case["key"].is_string() {
            assert!(text(&case, "key").parse::<valetkey::ObjectKey>().is_err(), "{name}");
        }
        if let Some(life) = case["expires_seconds"].as_u64().filter(|_| code == "expires_out_of_range") {
            let settings = TargetSettings::new(text(&case, "bucket")).region(text(&case, "region"));
            let presigner = AnyPresigner::new(provider, &settings, credentials(&case["credentials"]), date(&case)).unwrap();
            let request = valetkey::ObjectRequest::get("k".parse().unwrap());
            assert!(presigner.sign(&request, &seconds(life)).is_err_and(|error| error.code().starts_with("life_")), "{name}");
        }
        if let Some(url) = case["expected_url"].as_str() {
            let request = Received::from_url(text(&case, "method"), url, &[]);
            let outcome = request.verify(provider, &Audience::public(), &[credentials(&case["credentials"])], date(&case));
            assert_eq!(outcome.unwrap_err().code(), code, "{name}");
            refused += 1;
        }
    }
    assert_eq!(refused, 7, "the fixtures promise this many URLs that are refused by rule");
}

/// What is neither signed nor verified says why.
#[test]
fn every_other_vector_has_a_reason() {
    for (_, case) in cases() {
        let expect = &case["expect"];
        let used = expect["sign"] == true && expect["verify"] == true;
        let reason = expect["refused"].as_str().or(expect["later"].as_str());
        assert!(used || expect["verify"] == true || expect["form"].is_string() || expect["authorization"].is_string() || reason.is_some(), "{}", case["name"]);
    }
}
