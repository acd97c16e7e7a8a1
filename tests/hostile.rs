//! Hostile inputs: each row of the fixtures with the outcome it must have.
#![cfg(all(feature = "s3", feature = "oss", feature = "config"))]

mod support;

#[path = "hostile/posts.rs"]
mod posts;

use serde_json::Value;
use support::{AnyPresigner, Received, dialect, json, pairs, text};
use valetkey::verify::Audience;
use valetkey::{Config, Credentials, Endpoint, ObjectRequest, PresignOptions, ResponseHeader, TargetSettings, Timestamp, encode, life_from_text};

fn provider(row: &Value) -> &'static str {
    if row["input"]["provider"] == "oss" { "oss" } else { "s3" }
}

/// The fixtures' word for a reason, and ours; some of theirs have several of ours.
const REASONS: &[(&str, &str)] = &[
    ("ParamMalformed", "malformed_parameter"),
    ("SignatureMismatch", "signature_mismatch"),
    ("UnsignedSecurityHeader", "unsigned_headers"),
    ("SignatureMalformed", "malformed_signature"),
    ("MalformedPath", "malformed_path"),
    ("MalformedQuery", "malformed_query"),
    ("DuplicateParam", "duplicate_parameter"),
    ("UnsupportedPayloadMode", "unsupported_payload"),
    ("ExpiresOutOfRange", "expires_out_of_range"),
    ("ScopeMismatch", "scope_mismatch"),
    ("UnsupportedAlgorithm", "unsupported_algorithm"),
    ("TokenMismatch", "token_mismatch"),
    ("Expired", "expired"),
    ("UnknownKey", "unknown_access_key"),
    ("MissingParam", "missing_parameter"),
    ("HostNotSigned", "host_not_signed"),
    ("SignedHeaderMissing", "signed_header_missing"),
    ("MixedAuth", "mixed_authentication"),
    ("KeyUnsafe", "unsafe_key"),
    ("MalformedRequest", "malformed_request"),
    ("TooLarge", "too_large"),
    ("BucketMismatch", "bucket_mismatch"),
    ("ConditionFailed", "condition_failed"),
    ("ConditionFailed", "field_not_bound"),
    ("DuplicateField", "duplicate_field"),
    ("EntityTooLarge", "entity_too_large"),
    ("EntityTooSmall", "entity_too_small"),
    ("ExpiresOutOfRange", "expiration_out_of_range"),
    ("ExtraField", "extra_field"),
    ("KeyUnsafe", "no_file_name"),
    ("MalformedForm", "malformed_form"),
    ("MethodNotAllowed", "not_at_bucket"),
    ("MissingField", "missing_field"),
    ("PolicyMalformed", "invalid_policy"),
];

/// The keys that every row's verifier knows, by provider.
fn keys(provider: &str, row: &Value) -> Vec<Credentials> {
    let token = row["input"]["session_token"].as_str().unwrap_or_default();
    let all = [
        ("s3", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("oss", "LTAIEXAMPLEKEYID", "oss-example-secret-0123456789"),
        ("oss", "ak", "sk"),
    ];
    let own = all.iter().filter(|(of, ..)| *of == provider);
    own.map(|(_, id, secret)| Credentials::new(*id, *secret).unwrap().with_session_token(token).unwrap()).collect()
}

#[test]
fn the_url_verifiers_judge_every_row_as_they_must() {
    let fixtures = json("hostile/fixture.json");
    let controls = fixtures.as_array().unwrap().iter().filter(|row| row["input"]["kind"] == "http_request").cloned();
    let rows = json("hostile/verifier_url.json");
    let mut judged = 0;
    for row in rows.as_array().unwrap().iter().cloned().chain(controls) {
        let (id, input, expected) = (text(&row, "id"), &row["input"], &row["expected"]);
        let provider = provider(&row);
        let mut target = text(input, "target").to_owned();
        if let Some(count) = input["signed_headers_many"].as_u64() {
            let names: String = (0..count).map(|index| format!("h{index:05}%3B")).collect();
            target = target.replace("SignedHeaders=host", &format!("SignedHeaders={names}host"));
        }
        let headers = pairs(&input["headers"]).into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let scheme = if input["scheme"] == "http" { valetkey::Scheme::Http } else { valetkey::Scheme::Https };
        let request = Received { scheme, method: text(input, "method").to_owned(), target, headers };
        let audience = if provider == "s3" {
            Audience::new().host("s3.amazonaws.com").region("us-east-1")
        } else {
            Audience::new().host("oss-cn-hangzhou.aliyuncs.com").region("cn-hangzhou")
        };
        let outcome = request.verify(provider, &audience, &keys(provider, &row), text(input, "now").parse().unwrap());
        judged += 1;
        match (expected["result"].as_str().unwrap(), outcome) {
            ("accept", Ok(verified)) => {
                if id == "VU-126" {
                    assert_eq!(verified.key().unwrap().as_str(), "test.txt", "{id}: one decoding, one key");
                }
            }
            ("reject", Err(error)) => {
                let reasons: Vec<&str> = REASONS.iter().filter(|(theirs, _)| expected["reason"] == *theirs).map(|(_, ours)| *ours).collect();
                assert!(reasons.contains(&error.code()), "{id}: {expected}: {} ({error})", error.code());
                let refusal = dialect(provider).refusal(&error);
                assert_eq!(u64::from(refusal.status), expected["status"].as_u64().unwrap(), "{id}: {error}");
                assert_eq!(refusal.code, text(expected, "code"), "{id}: {error}");
                let shown = format!("{error} {error:?} {refusal:?}");
                assert!(!has_signature(&shown), "{id}: a signature is shown: {shown}");
            }
            (want, got) => panic!("{id}: wanted {want}, got {:?} ({})", got.map_err(|error| error.to_string()), row["why"]),
        }
    }
    assert_eq!(judged, 97 + 4);
}

/// 64 hex digits in a row.
fn has_signature(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|run| run.len() >= 64)
}

fn settings(row: &Value) -> TargetSettings {
    let bucket = row["input"]["args"]["bucket"].as_str().unwrap_or("examplebucket");
    let settings = TargetSettings::new(bucket).region("eu-central-1");
    if row["expected"]["addressing"] == "path" { settings.addressing(valetkey::AddressingStyle::Path) } else { settings }
}

/// One call of the library as a row describes it; the error's name.
fn call(provider: &str, row: &Value) -> Result<String, &'static str> {
    let args = &row["input"]["args"];
    if let Some(endpoint) = args["endpoint"].as_str() {
        return endpoint.parse::<Endpoint>().map(|endpoint| endpoint.to_string()).map_err(|error| error.code());
    }
    let now: Timestamp = args["now"].as_str().unwrap_or("2026-11-22T10:30:00Z").parse().map_err(|_| "invalid_time")?;
    let life = life_from_text(text(args, "ttl")).map_err(|_| "invalid_life")?;
    let key = text(args, "key").parse().map_err(|_| "invalid_key")?;
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret").unwrap();
    let presigner = AnyPresigner::new(provider, &settings(row), credentials, now).map_err(|error| error.code())?;
    let mut request = if row["input"]["fn"] == "presign_put" { ObjectRequest::put(key) } else { ObjectRequest::get(key) };
    for (name, value) in pairs(&args["headers"]) {
        request = request.header(name, value);
    }
    for (name, value) in pairs(&args["query"]) {
        request = request.query(name, value);
    }
    if let Some(value) = args["response_content_disposition"].as_str() {
        request = request.response_header(ResponseHeader::ContentDisposition, value);
    }
    presigner.sign(&request, &PresignOptions::new().expires_in(life)).map(|signed| signed.url).map_err(|error| error.code())
}

#[test]
fn the_library_answers_every_row_as_it_must() {
    let rows = json("hostile/library_api.json");
    let mut called = 0;
    for row in rows.as_array().unwrap() {
        let id = text(row, "id");
        // Policies of forms are another test.
        if row["input"]["fn"] == "post_policy" || row["expected"]["result"] == "safe" {
            continue;
        }
        called += 1;
        let outcome = call("s3", row);
        let allowed: &[&str] = match row["expected"]["reason"].as_str() {
            None => {
                let url = outcome.unwrap_or_else(|code| panic!("{id}: {code} ({})", row["why"]));
                assert_key_survives(id, &url, text(&row["input"]["args"], "key"), text(&row["input"]["args"], "bucket"));
                continue;
            }
            Some("InvalidTtl") => &["invalid_life"],
            Some("InvalidTime") => &["invalid_time"],
            Some("InvalidKey") => &["invalid_key"],
            Some("InvalidBucket") => &["invalid_bucket"],
            Some("InvalidEndpoint") => &["invalid_endpoint"],
            // A raw name that the signer owns has an error of its own.
            Some("InvalidHeader") => &["invalid_header", "invalid_value", "reserved"],
            Some(other) => panic!("{id}: {other}"),
        };
        assert!(outcome.as_ref().is_err_and(|code| allowed.contains(code)), "{id}: {outcome:?}");
    }
    assert_eq!(called, 31);
}

/// The path decodes to the key byte for byte, and a WHATWG parser leaves it alone.
fn assert_key_survives(id: &str, url: &str, key: &str, bucket: &str) {
    let path = url.split("://").nth(1).unwrap().split_once('/').unwrap().1.split('?').next().unwrap();
    let path = path.strip_prefix(&format!("{bucket}/")).filter(|_| !url.contains(&format!("//{bucket}."))).unwrap_or(path);
    assert_eq!(encode::decode(path).unwrap(), key, "{id}");
    assert_eq!(url::Url::parse(url).unwrap().as_str(), url, "{id}");
}

/// Rows `debug_all`, `serialize_config`, `panic_in_signer`: nothing that a program could print of ours holds a secret, a token, a URL's query or a signature.
#[test]
fn nothing_shows_a_secret() {
    let secrets = ["very-secret-value", "session-token-value"];
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", secrets[0]).unwrap().with_session_token(secrets[1]).unwrap();
    let config = Config::from_text(
        "[stores.m]\nprovider='s3'\nbucket='media'\nregion='eu-central-1'\n[stores.m.credentials]\nsource='static'\naccess_key_id={env='A'}\nsecret_access_key={env='B'}\n",
        "valetkey.toml",
    );
    let mut shown = format!("{credentials:?} {config:?}");
    for provider in ["s3", "oss"] {
        let now = "2026-11-22T10:30:00Z".parse().unwrap();
        let settings = TargetSettings::new("media").region("eu-central-1");
        let presigner = AnyPresigner::new(provider, &settings, credentials.clone(), now).unwrap();
        let request = ObjectRequest::put("a".parse().unwrap()).content_type("text/plain");
        let signed = presigner.sign(&request, &PresignOptions::new()).unwrap();
        let received = Received::from_url("GET", &signed.url, &[]);
        let audience = Audience::public();
        let error = received.verify(provider, &audience, std::slice::from_ref(&credentials), now).unwrap_err();
        let failed = presigner.sign(&request.clone().header("x-amz-date", "1").header("x-oss-date", "1"), &PresignOptions::new()).unwrap_err();
        let inner = match &presigner {
            AnyPresigner::S3(presigner, credentials) => format!("{presigner:?} {credentials:?}"),
            AnyPresigner::Oss(presigner, credentials) => format!("{presigner:?} {credentials:?}"),
        };
        let trace = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(presigner.trace(&request, &PresignOptions::new())).unwrap();
        shown += &posts::shown(provider, &credentials, now);
        shown += &format!("{signed:?} {signed:#?} {error} {error:?} {failed} {failed:?} {inner} {trace:?}");
    }
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(!has_signature(&shown), "{shown}");
}

#[test]
fn every_hostile_configuration_is_refused() {
    let rows = json("hostile/config.json");
    let mut refused = 0;
    for row in rows.as_array().unwrap() {
        let id = text(row, "id");
        if row["input"]["kind"] != "config" {
            continue;
        }
        let error = Config::from_text(text(&row["input"], "text"), "valetkey.toml").unwrap_err();
        assert!(error.position().is_some(), "{id}: {error}");
        assert!(error.to_string().contains("allowed: ") || error.to_string().contains("TOML"), "{id}: {error}");
        refused += 1;
    }
    assert_eq!(refused, 21);
}

/// Row CF-037: what is no file is not read.
#[test]
fn what_is_no_plain_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.toml");
    std::fs::File::create(&large).unwrap().set_len(11 * 1024 * 1024).unwrap();
    let mut paths = vec![folder.path().to_path_buf(), large, folder.path().join("missing.toml")];
    #[cfg(unix)]
    {
        let looped = folder.path().join("loop.toml");
        std::os::unix::fs::symlink(&looped, &looped).unwrap();
        let pipe = folder.path().join("pipe.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        paths.extend([looped, pipe]);
    }
    for path in paths {
        let error = Config::from_file(&path).unwrap_err();
        assert_eq!(error.code(), "config_unreadable", "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
