//! What becomes of a typed policy on each provider: its text, its fields, and what is refused by name.
#![cfg(all(feature = "s3", feature = "oss"))]

#[path = "post_policies/limits.rs"]
mod limits;
mod support;
#[path = "post_policies/texts.rs"]
mod texts;

use std::time::Duration;

use proptest::prelude::*;
use support::{AnyPresigner, dialect, seconds};
use valetkey::post_policy::{Callback, CallbackBodyType, Form, FormCondition, PolicyDocument, ValueRule};
use valetkey::verify::{FormVerification, VerifiedForm, VerifyError};
use valetkey::{
    Acl, Checksum, Credentials, ObjectKey, PostPolicy, PresignError, PresignOptions, PresignedPost, ServerSideEncryption, StorageClass, TargetSettings,
    Timestamp,
};

const BOTH: [&str; 2] = ["s3", "oss"];

fn now() -> Timestamp {
    "2026-11-22T10:30:00Z".parse().unwrap()
}

fn known(token: Option<&str>) -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap().with_session_token(token.unwrap_or_default()).unwrap()
}

fn presigner(provider: &str, token: Option<&str>) -> AnyPresigner {
    let settings = TargetSettings::new("media").region(if provider == "s3" { "eu-central-1" } else { "cn-hangzhou" });
    AnyPresigner::new(provider, &settings, known(token), now()).unwrap()
}

fn sign(provider: &str, policy: &PostPolicy) -> Result<PresignedPost, PresignError> {
    presigner(provider, None).sign_post(policy, &PresignOptions::new())
}

fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

/// Policy text and fields without those of the signature.
fn written(form: &PresignedPost) -> (String, Vec<(String, String)>) {
    let policy = PolicyDocument::from_base64(form.fields.value("policy").unwrap()).unwrap();
    let fields = form.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (policy.as_str().to_owned(), fields)
}

fn verify(provider: &str, form: &PresignedPost, file_name: &str) -> Result<VerifiedForm, VerifyError> {
    let fields = written(form).1;
    let received = Form { bucket: "media", fields: &fields, file_name, size: None };
    FormVerification::parse(dialect(provider), &received, None)?.finish(Some(&known(None)), now())
}

/// The conditions between those of key and signature, as they stand in the policy.
fn middle(provider: &str, policy: &PostPolicy) -> String {
    let (text, _) = written(&sign(provider, policy).unwrap_or_else(|error| panic!("{provider}: {error}")));
    let (_, rest) = text.split_once(r#"{"key":"k"},"#).unwrap_or_else(|| panic!("{text}"));
    let (middle, _) = rest.split_once(if provider == "s3" { r#"{"x-amz-algorithm""# } else { r#"{"x-oss-signature-version""# }).unwrap();
    let pinned = r#"{"x-oss-object-acl":"default"},{"x-oss-content-type":"application/octet-stream"},"#;
    let middle = middle.strip_suffix(pinned).unwrap_or(middle);
    middle.strip_suffix(r#"{"x-oss-object-acl":"default"},"#).unwrap_or(middle).trim_end_matches(',').to_owned()
}

#[test]
fn a_form_is_the_same_bytes_for_the_same_input() {
    let policy = PostPolicy::for_prefix("uploads/7/").content_length(1..=5 << 20).content_type_prefix("image/").metadata("Owner", "7");
    for (provider, url, text) in [
        (
            "s3",
            "https://media.s3.eu-central-1.amazonaws.com/",
            r#"{"expiration":"2026-11-22T10:45:00Z","conditions":[{"bucket":"media"},["starts-with","$key","uploads/7/"],["content-length-range",1,5242880],["starts-with","$Content-Type","image/"],{"x-amz-meta-owner":"7"},{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261122/eu-central-1/s3/aws4_request"},{"x-amz-date":"20261122T103000Z"},{"x-amz-security-token":"TOKEN"}]}"#,
        ),
        (
            "oss",
            "https://media.oss-cn-hangzhou.aliyuncs.com/",
            r#"{"expiration":"2026-11-22T10:45:00.000Z","conditions":[{"bucket":"media"},["starts-with","$key","uploads/7/"],["content-length-range",1,5242880],["starts-with","$x-oss-content-type","image/"],{"x-oss-meta-owner":"7"},{"x-oss-object-acl":"default"},{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"AKIAIOSFODNN7EXAMPLE/20261122/cn-hangzhou/oss/aliyun_v4_request"},{"x-oss-date":"20261122T103000Z"},{"x-oss-security-token":"TOKEN"}]}"#,
        ),
    ] {
        let presigner = presigner(provider, Some("TOKEN"));
        let form = presigner.sign_post(&policy, &PresignOptions::new()).unwrap();
        assert_eq!(presigner.sign_post(&policy, &PresignOptions::new()).unwrap(), form);
        let (policy, fields) = written(&form);
        assert_eq!((form.url.as_str(), policy.as_str()), (url, text));
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let (meta, auth) = if provider == "s3" {
            (vec!["x-amz-meta-owner"], ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "policy", "x-amz-signature"])
        } else {
            let auth = ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token", "policy", "x-oss-signature"];
            (vec!["x-oss-meta-owner", "x-oss-object-acl"], auth)
        };
        assert_eq!(names, [vec!["key"], meta, auth.to_vec()].concat());
        assert_eq!(form.fields.value("key"), Some("uploads/7/${filename}"));

        let json: serde_json::Value = serde_json::from_str(&form.to_json()).unwrap();
        let members: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(members.len(), 9, "{members:?}");
        assert_eq!(json["method"], "POST");
        assert_eq!(json["expiration"], "2026-11-22T10:45:00Z");
        assert_eq!(json["expiration_reason"], "default");
        assert_eq!(json["file_limits"], serde_json::json!({"min": 1, "max": 5_242_880, "content_type": "image/*"}));
        let type_field = if provider == "s3" { "Content-Type" } else { "x-oss-content-type" };
        assert_eq!(json["open_fields"], serde_json::json!([{"name": "key", "starts_with": "uploads/7/"}, {"name": type_field, "starts_with": "image/"}]));
        assert!(form.to_json().contains(r#""fields":{"key":"uploads/7/${filename}","#), "in the order of sending");
        assert_eq!(json["notes"].as_array().unwrap().is_empty(), provider == "s3");
        let shown = format!("{form:?}");
        assert!(!shown.contains("TOKEN") && !shown.contains(form.fields.value("policy").unwrap()), "{shown}");
    }
}

#[test]
fn each_condition_under_the_providers_names() {
    let k = || PostPolicy::for_key(key("k"));
    let callback = || {
        Callback::new("https://app.example.com/done", "o=${object}")
            .body_type(CallbackBodyType::Json)
            .host("app")
            .variable("user", "7")
            .variable_prefix("tag", "")
    };
    let b64 = "eyJjYWxsYmFja1VybCI6Imh0dHBzOi8vYXBwLmV4YW1wbGUuY29tL2RvbmUiLCJjYWxsYmFja0hvc3QiOiJhcHAiLCJjYWxsYmFja0JvZHkiOiJvPSR7b2JqZWN0fSIsImNhbGxiYWNrQm9keVR5cGUiOiJhcHBsaWNhdGlvbi9qc29uIn0=";
    let callback_text = format!(r#"["starts-with","$x:tag",""],{{"callback":"{b64}"}},{{"x:user":"7"}}"#);
    let kms = || ServerSideEncryption::Kms { key_id: Some("id-1".into()) };
    let sum: Checksum = "crc32=4waSgw==".parse().unwrap();
    let rows: Vec<(PostPolicy, &str, &str)> = vec![
        (k().content_length(0..=0), r#"["content-length-range",0,0]"#, r#"["content-length-range",0,0]"#),
        (k().content_length(0..=5 << 30), r#"["content-length-range",0,5368709120]"#, r#"["content-length-range",0,5368709120]"#),
        (k().content_type("image/png"), r#"{"Content-Type":"image/png"}"#, r#"{"x-oss-content-type":"image/png"}"#),
        (k().content_type_prefix(""), r#"["starts-with","$Content-Type",""]"#, r#"["starts-with","$x-oss-content-type",""]"#),
        (k().content_type_one_of(["a/b", "c/d"]), "unsupported", r#"["in","$x-oss-content-type",["a/b","c/d"]]"#),
        (k().is_in("Content-type", ["a/b"]), "unsupported", r#"["in","$x-oss-content-type",["a/b"]]"#),
        (k().cache_control("no-store"), r#"{"Cache-Control":"no-store"}"#, r#"{"Cache-Control":"no-store"}"#),
        (k().content_disposition("inline"), r#"{"Content-Disposition":"inline"}"#, r#"{"Content-Disposition":"inline"}"#),
        (k().content_encoding("gzip"), r#"{"Content-Encoding":"gzip"}"#, r#"{"Content-Encoding":"gzip"}"#),
        (
            k().expires_header("Sun, 22 Nov 2026 10:30:00 GMT"),
            r#"{"Expires":"Sun, 22 Nov 2026 10:30:00 GMT"}"#,
            r#"{"Expires":"Sun, 22 Nov 2026 10:30:00 GMT"}"#,
        ),
        (k().metadata("A", "é\"\\$1"), r#"{"x-amz-meta-a":"é\"\\$1"}"#, r#"{"x-oss-meta-a":"é\"\\$1"}"#),
        (k().metadata_prefix("a", "u-"), r#"["starts-with","$x-amz-meta-a","u-"]"#, r#"["starts-with","$x-oss-meta-a","u-"]"#),
        (k().acl(Acl::PublicRead), r#"{"acl":"public-read"}"#, r#"{"x-oss-object-acl":"public-read"},{"x-oss-content-type":"application/octet-stream"}"#),
        (k().storage_class(StorageClass::InfrequentAccess), r#"{"x-amz-storage-class":"STANDARD_IA"}"#, r#"{"x-oss-storage-class":"IA"}"#),
        (
            k().server_side_encryption(kms()),
            r#"{"x-amz-server-side-encryption":"aws:kms"},{"x-amz-server-side-encryption-aws-kms-key-id":"id-1"}"#,
            r#"{"x-oss-server-side-encryption":"KMS"},{"x-oss-server-side-encryption-key-id":"id-1"}"#,
        ),
        (
            k().tag("a", "1").tag("b<", "\"&"),
            r#"{"tagging":"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b&lt;</Key><Value>&quot;&amp;</Value></Tag></TagSet></Tagging>"}"#,
            "unsupported",
        ),
        (k().checksum(sum), r#"{"x-amz-checksum-crc32":"4waSgw=="}"#, "unsupported"),
        (k().create_only(), "unsupported", r#"{"x-oss-forbid-overwrite":"true"}"#),
        (k().success_status(201), r#"{"success_action_status":"201"}"#, r#"{"success_action_status":"201"}"#),
        (
            k().success_redirect("https://a.example/ok?x=1"),
            r#"{"success_action_redirect":"https://a.example/ok?x=1"}"#,
            r#"{"success_action_redirect":"https://a.example/ok?x=1"}"#,
        ),
        (k().callback(callback()), "unsupported", &callback_text),
        (k().eq("name", "n"), r#"{"name":"n"}"#, r#"{"name":"n"}"#),
        (k().starts_with("name", ""), r#"["starts-with","$name",""]"#, r#"["starts-with","$name",""]"#),
        (k().starts_with("x-amz-storage-class", "S"), "unsupported", r#"["starts-with","$x-amz-storage-class","S"]"#),
        (k().is_in("cache-control", ["a", "b"]), "unsupported", r#"["in","$cache-control",["a","b"]]"#),
        (k().not_in("cache-control", ["a"]), "unsupported", r#"["not-in","$cache-control",["a"]]"#),
    ];
    for (policy, s3, oss) in rows {
        for (provider, want) in [("s3", s3), ("oss", oss)] {
            if want == "unsupported" {
                let error = sign(provider, &policy).unwrap_err();
                assert_eq!(error.code(), "unsupported", "{provider} {policy:?}");
                let named = [policy.conditions()[0].name(), "content-type"];
                assert!(named.iter().any(|name| error.to_string().contains(name)), "{error}");
                continue;
            }
            let pin = r#",{"x-oss-object-acl":"default"}"#;
            let got = middle(provider, &policy);
            assert_eq!(got.strip_suffix(pin).unwrap_or(&got), want, "{provider}");
            // Everything that is fixed is a field with the same value, and everything else is open.
            let form = sign(provider, &policy).unwrap();
            let mut filled = form.clone();
            for open in form.unfilled() {
                let value = match open.rule() {
                    ValueRule::Prefix(prefix) => format!("{prefix}x"),
                    ValueRule::OneOf(values) => values[0].clone(),
                    _ => "x".to_owned(),
                };
                filled = filled.fill(open.name(), &value).unwrap();
            }
            verify(provider, &filled, "f.png").unwrap_or_else(|error| panic!("{provider} {policy:?}: {error}"));
        }
    }
}

#[test]
fn what_would_allow_more_or_nothing_is_refused() {
    let k = || PostPolicy::for_key(key("k"));
    let rows: Vec<(PostPolicy, &str, &str)> = vec![
        (PostPolicy::for_prefix(""), "unsafe_policy", "empty prefix"),
        (PostPolicy::for_open_prefix(""), "unsafe_policy", "empty prefix"),
        (PostPolicy::for_prefix("uploads/7"), "unsafe_policy", "does not end in `/`"),
        (PostPolicy::for_prefix("a/../b/"), "invalid_key", ".."),
        (PostPolicy::for_prefix("${filename}/"), "unsafe_policy", "${filename}"),
        (PostPolicy::for_prefix("up/").object_name(".."), "invalid_key", ".."),
        (PostPolicy::for_key(key("up/${filename}")), "unsafe_policy", "give the prefix"),
        (k().content_length(RangeBackwards::of(10, 1)), "unsafe_policy", "greater"),
        (k().content_length(0..=(5 << 30) + 1), "unsafe_policy", "5 GiB"),
        (k().content_length(1..=2).content_length(1..=3), "duplicate", "content-length"),
        (k().content_type("a/b").content_type_prefix("a/"), "duplicate", "content-type"),
        (k().content_type("a/b").eq("content-TYPE", "a/b"), "duplicate", "given twice"),
        (k().metadata("a", "1").metadata("A", "2"), "duplicate", "given twice"),
        (k().eq("x", "1").starts_with("X", ""), "duplicate", "given twice"),
        (k().metadata("a b", "1"), "invalid_value", "name of metadata"),
        (k().metadata("a", "1\r\n2"), "invalid_value", "control character"),
        (k().metadata("a", "${filename}"), "unsafe_policy", "${filename}"),
        (k().cache_control(""), "invalid_value", "empty"),
        (k().content_type(" "), "invalid_value", "empty"),
        (k().success_status(302), "invalid_value", "302"),
        (k().success_redirect("javascript:alert(1)"), "invalid_value", "http"),
        (k().success_redirect("/relative"), "invalid_value", "http"),
        (k().success_redirect("https://a.example/\n"), "invalid_value", "control"),
        (k().eq("$name", "1"), "invalid_value", "without `$`"),
        (k().eq("", "1"), "invalid_value", "name of a field"),
        (k().eq("key", "k"), "reserved", "signer"),
        (k().eq("Bucket", "media"), "reserved", "signer"),
        (k().eq("policy", "x"), "reserved", "signer"),
        (k().starts_with("file", ""), "reserved", "signer"),
        (k().eq("content-length-range", "1"), "reserved", "signer"),
        (k().eq("AWSAccessKeyId", "x"), "reserved", "signer"),
        (k().eq("signature", "x"), "reserved", "signer"),
        (PostPolicy::for_open_prefix("up/$"), "unsafe_policy", "${filename}"),
        (PostPolicy::for_open_prefix("up/${file"), "unsafe_policy", "${filename}"),
        (PostPolicy::for_prefix("up/").starts_with("key", "up/$"), "unsafe_policy", "${filename}"),
        (k().content_type_prefix("image/").starts_with("Content-Type", "text/"), "unsafe_policy", "no value"),
        (k().metadata_prefix("a", "x").metadata_prefix("A", "y"), "unsafe_policy", "no value"),
        (k().success_redirect("https:evil.example"), "invalid_value", "http"),
        (k().success_redirect("https:\\\\evil.example"), "invalid_value", "http"),
        (k().success_redirect("https://app.example@evil.example/"), "invalid_value", "http"),
        (k().eq("redirect", "javascript:alert(1)"), "invalid_value", "http"),
        (k().eq("success_action_status", "999"), "invalid_value", "999"),
        (k().eq("a\\", "1"), "invalid_value", "name of a field"),
        (k().eq("x-amz-server-side-encryption-customer-key", "c2VjcmV0"), "unsupported", "everybody"),
    ];
    for provider in BOTH {
        for (policy, code, part) in &rows {
            let error = sign(provider, policy).map(|form| written(&form).0).unwrap_err();
            assert_eq!(error.code(), *code, "{provider} {policy:?}: {error}");
            assert!(error.to_string().contains(part), "{provider}: {error}");
        }
    }
    for (provider, name) in [("s3", "x-amz-date"), ("s3", "X-Amz-Security-Token"), ("oss", "x-oss-credential"), ("oss", "x-oss-signature")] {
        assert_eq!(sign(provider, &k().eq(name, "x")).unwrap_err().code(), "reserved", "{name}");
    }
    // An open prefix says so, and a raw rule narrows a prefix but not a single key.
    for provider in BOTH {
        sign(provider, &PostPolicy::for_open_prefix("uploads/7")).unwrap();
        sign(provider, &PostPolicy::for_prefix("a/").object_name("b-${filename}").starts_with("key", "a/b")).unwrap();
        assert_eq!(sign(provider, &PostPolicy::for_prefix("a/").starts_with("key", "a/b")).unwrap_err().code(), "unsafe_policy");
    }
    assert_eq!(sign("oss", &PostPolicy::for_key(key("/a"))).unwrap_err().code(), "invalid_key");
    assert_eq!(sign("oss", &k().is_in("name", Vec::<String>::new())).unwrap_err().code(), "invalid_value");
}

/// A range that ends before it begins, as a caller may have one from elsewhere.
struct RangeBackwards;

impl RangeBackwards {
    const fn of(start: u64, end: u64) -> std::ops::RangeInclusive<u64> {
        start..=end
    }
}

#[test]
fn the_life_of_a_form() {
    let week = 604_800;
    let policy = PostPolicy::for_key(key("k"));
    for (provider, token, life, code) in [
        ("s3", None, week, None),
        ("s3", Some("T"), week, None),
        ("s3", None, week + 1, Some("life_over_provider_maximum")),
        ("oss", None, week, None),
        ("oss", None, week + 1, Some("life_over_provider_maximum")),
        ("oss", Some("T"), 43_200, None),
        ("oss", Some("T"), 43_201, Some("life_over_provider_maximum")),
        ("s3", None, 0, Some("life_zero")),
    ] {
        let outcome = presigner(provider, token).sign_post(&policy, &seconds(life));
        assert_eq!(outcome.as_ref().err().map(PresignError::code), code, "{provider} {life}");
    }
    let fraction = PresignOptions::new().expires_in(Duration::from_millis(1500));
    assert_eq!(presigner("s3", None).sign_post(&policy, &fraction).unwrap_err().code(), "life_fraction");
}

#[test]
fn a_page_that_escapes_everything() {
    let nasty = "a\"><script>alert('&')</script>";
    let policy = PostPolicy::for_prefix("u/").content_length(1..=5 << 20).content_type_prefix("image/").metadata("note", nasty).metadata_prefix("by", "u<");
    for provider in BOTH {
        let page = sign(provider, &policy).unwrap().to_html();
        assert!(!page.contains("<script") && page.contains("a&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"), "{page}");
        assert!(page.contains(r#"enctype="multipart/form-data""#) && page.contains(r#"method="post""#));
        assert!(page.contains(r#"<label for="file">"#) && page.contains(r#"accept="image/*""#) && page.contains("1 byte to 5 MiB."));
        assert!(page.contains(r#"value="u&lt;""#), "an open field is an input");
        assert!(page.contains(r#"value="image/" aria-describedby="field-0-hint" required pattern="image\u{2f}.+">"#), "the rest of the type is asked for");
        let last_input = page.rfind("<input").unwrap();
        assert!(page[last_input..].starts_with(r#"<input id="file""#), "the file goes last");
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    }
    let list = sign("oss", &PostPolicy::for_key(key("k")).content_type_one_of(["image/png", "image/jpeg"])).unwrap().to_html();
    assert!(list.contains(r#"<option value="image/jpeg">"#) && list.contains(r#"accept="image/png,image/jpeg""#), "{list}");
}

#[test]
fn a_curl_line_that_nothing_interprets() {
    let policy = PostPolicy::for_key(key("it's @here;type=x")).metadata("a", "<file").content_type_prefix("image/");
    let line = sign("s3", &policy).unwrap().to_curl("my \"photo\";1's.png");
    assert!(line.starts_with("curl --globoff --form-string 'key=it'\\''s @here;type=x' --form-string 'x-amz-meta-a=<file' "), "{line}");
    assert!(line.contains("--form-string 'Content-Type=TYPE' --form 'file=@\"my \\\"photo\\\";1'\\''s.png\"' 'https://media."), "{line}");
    assert_eq!(line.matches(" --form ").count(), 1);
}

#[test]
fn open_fields_are_filled_within_their_rules() {
    let form = sign("s3", &PostPolicy::for_prefix("u/").content_type_prefix("image/").metadata("a", "1")).unwrap();
    let filled = form.clone().fill("KEY", "u/x.png").unwrap().fill_content_type("image/png").unwrap();
    assert_eq!((filled.fields.value("key"), filled.fields.value("Content-Type")), (Some("u/x.png"), Some("image/png")));
    assert_eq!(filled.unfilled().count(), 0);
    assert_eq!(verify("s3", &filled, "f").unwrap().key().as_str(), "u/x.png");
    for (field, value) in
        [("key", "v/x"), ("x-amz-meta-a", "2"), ("acl", "public-read"), ("Content-Type", "text/html"), ("Content-Type", "image/png,text/html")]
    {
        assert_eq!(form.clone().fill(field, value).unwrap_err().code(), "refused_value", "{field}");
    }
    assert!(verify("s3", &form, "f").is_err(), "the type is still missing");
    let fixed = sign("oss", &PostPolicy::for_key(key("k")).content_type("image/png")).unwrap();
    assert!(fixed.clone().fill_content_type("image/png").is_ok());
    assert!(fixed.clone().fill_content_type("image/gif").is_err());
    assert!(sign("s3", &PostPolicy::for_key(key("k"))).unwrap().fill_content_type("image/gif").is_err());
    assert!(fixed.file_limits.check(5 << 30).is_ok() && fixed.file_limits.check((5 << 30) + 1).is_err());
}

proptest! {
    /// Whatever a value holds, the policy says that and nothing else, and the form keeps to it.
    #[test]
    fn no_value_changes_the_policy(prefix in "[^\u{0}$]{1,40}", value in "[^\\p{Cc}$]{0,60}", name in "[^\\p{Cc}/\\\\]{1,20}") {
        let prefix = format!("u/{prefix}/");
        prop_assume!(ObjectKey::new(format!("{prefix}x")).is_ok() && name != "." && name != "..");
        let policy = PostPolicy::for_prefix(prefix.clone()).metadata("a", value.clone());
        for provider in BOTH {
            let form = sign(provider, &policy).unwrap();
            let document = PolicyDocument::from_base64(form.fields.value("policy").unwrap()).unwrap();
            prop_assert_eq!(document.conditions().len(), if provider == "s3" { 6 } else { 8 });
            let verified = verify(provider, &form, &name).unwrap();
            prop_assert_eq!(verified.key().as_str(), format!("{prefix}{name}"));
            prop_assert_eq!(verified.field(if provider == "s3" { "x-amz-meta-a" } else { "x-oss-meta-a" }), Some(value.as_str()));
        }
    }
}

#[test]
fn conditions_can_be_given_as_values() {
    let built = PostPolicy::for_key(key("k")).with(FormCondition::SuccessStatus(201));
    assert_eq!(built, PostPolicy::for_key(key("k")).success_status(201));
}
