//! Policies that are given as text.

use super::*;

#[test]
fn a_policy_text_is_for_its_signer_alone() {
    let texts = |provider: &str| written(&sign(provider, &PostPolicy::for_prefix("u/").content_length(1..=9)).unwrap()).0;
    for (provider, date, algorithm) in [("s3", "x-amz-date", "x-amz-algorithm"), ("oss", "x-oss-date", "x-oss-signature-version")] {
        let good = texts(provider);
        let signer = presigner(provider, None);
        let form = signer.sign_policy(&good, None).unwrap();
        assert_eq!((written(&form).0.as_str(), form.fields.value("key"), form.file_limits.max), (good.as_str(), Some("u/${filename}"), 9));
        assert_eq!(signer.sign_policy(&good, Some(&key("u/1"))).unwrap().fields.value("key"), Some("u/1"));
        for (from, to, code) in [
            ("media", "other", "policy_mismatch"),
            ("AKIAIOSFODNN7EXAMPLE", "AKIAOTHER", "policy_mismatch"),
            ("/20261122/", "/20261121/", "policy_mismatch"),
            ("HMAC-SHA256", "HMAC-SHA1", "policy_mismatch"),
            (date, "x-other", "policy_mismatch"),
            (algorithm, "x-other", "policy_mismatch"),
            ("expiration", "Expiration", "invalid_policy"),
            ("2026-11-22T10:45", "2026-12-22T10:45", "life_over_provider_maximum"),
            ("2026-11-22T10:45", "2026-11-22T10:30", "life_past"),
        ] {
            assert_ne!(good.replace(from, to), good, "{from}");
            let error = signer.sign_policy(&good.replace(from, to), None).unwrap_err();
            assert_eq!(error.code(), code, "{provider} {from}: {error}");
        }
        assert_eq!(signer.sign_policy(&good, Some(&key("v/1"))).unwrap_err().code(), "policy_mismatch");
        let error = presigner(provider, Some("TOKEN")).sign_policy(&good, None).unwrap_err();
        assert!(error.code() == "policy_mismatch" && !error.to_string().contains("TOKEN"), "{error}");
    }
}

/// A policy text that its own store would refuse whatever is uploaded is not signed.
#[test]
fn dead_policy_texts_are_not_signed() {
    for (provider, broken) in [
        ("s3", r#"{"x-amz-date":"20250101T000000Z"}"#),
        ("s3", r#"{"bucket":"other"}"#),
        ("s3", r#"["starts-with","$bucket","oth"]"#),
        ("s3", r#"{"Content-Type":"image/png"},{"content-type":"image/gif"}"#),
        ("s3", r#"["in","$acl",["private"]]"#),
        ("s3", r#"["starts-with","$x-amz-storage-class",""]"#),
        ("s3", r#"["content-length-range",0,5],["content-length-range",10,20]"#),
        ("s3", r#"["content-length-range",6000000000,7000000000]"#),
        ("s3", r#"["content-length-range","+5","10"]"#),
        ("s3", r#"{"x-amz-meta-a":"${filename}"}"#),
        ("s3", r#"{"policy":"x"}"#),
        ("s3", r#"{"file":"x"}"#),
        ("s3", r#"{"AWSAccessKeyId":"x"}"#),
        ("s3", r#"{"x-oss-date":"x"}"#),
        ("s3", r#"{"x-amz-meta-a":"1\r\n2"}"#),
        ("s3", r#"{"a=b":"1"}"#),
        ("oss", r#"["content-length-range","1","10"]"#),
        ("oss", r#"{"x-oss-signature":"x"}"#),
    ] {
        let good = written(&sign(provider, &PostPolicy::for_prefix("u/")).unwrap()).0;
        let text = good.replace("]}", &format!(",{broken}]}}"));
        let error = presigner(provider, None).sign_policy(&text, None).map(|form| written(&form).1).unwrap_err();
        assert_eq!(error.code(), "policy_mismatch", "{provider} {broken}: {error}");
    }
    // What may be and is not wise is said.
    for (provider, text, note) in [
        ("s3", r#"["starts-with","$key",""]"#, "every key"),
        ("s3", r#"["starts-with","$key","u/"]"#, "sets no size"),
        ("oss", r#"{"key":"u/${filename}"}"#, "another key"),
        ("oss", r#"["starts-with","$key","u/"]"#, "x-oss-object-acl"),
    ] {
        let good = written(&sign(provider, &PostPolicy::for_prefix("u/")).unwrap()).0;
        let good = good.replace(r#"{"x-oss-object-acl":"default"},"#, "");
        let form = presigner(provider, None).sign_policy(&good.replace(r#"["starts-with","$key","u/"]"#, text), None).unwrap();
        assert!(form.notes.iter().any(|one| one.contains(note)), "{provider} {text}: {:?}", form.notes);
    }
    let typed = written(&sign("s3", &PostPolicy::for_prefix("u/").content_type_prefix("image/")).unwrap()).0;
    let form = presigner("s3", None).sign_policy(&typed, None).unwrap();
    assert_eq!(form.file_limits.content_type.as_deref(), Some("image/*"));
    assert!(form.fill_content_type("image/png").is_ok());
}
