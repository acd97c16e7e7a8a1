//! `verify --form`: what is accepted, for which bucket, and why not.

use serde_json::{Value, json};

use crate::support::{ENV, OSS_ID, Ran, S3_ID, run, run_with_input};

const AT: &str = "2026-11-22T10:30:00Z";

fn sign(line: &[&str]) -> Value {
    let ran = run(&[&["post"], line, &["--at", AT]].concat(), ENV).succeeded(&line.join(" "));
    serde_json::from_str(&ran.out).unwrap()
}

fn verify(form: &Value, more: &[&str]) -> Ran {
    let at: &[&str] = if more.contains(&"--at") { &[] } else { &["--at", AT] };
    run_with_input(&[&["verify", "--form", "-"], more, at].concat(), ENV, form.to_string().as_bytes())
}

fn with(form: &Value, field: &str, value: Value) -> Value {
    let mut changed = form.clone();
    changed["fields"][field] = value;
    changed
}

fn without(form: &Value, field: &str) -> Value {
    let mut changed = form.clone();
    assert!(changed["fields"].as_object_mut().unwrap().remove(field).is_some());
    changed
}

#[test]
fn what_was_verified_is_said() {
    let form = sign(&["s3://media/a\u{1b}é/", "--content-type", "image/*", "--max-size", "5KiB", "--meta", "owner=7", "--expires", "1h"]);
    let ran = verify(&form, &["--content-type", "image/png"]).succeeded("text");
    let want = format!(
        "valid: signed S3 form\nbucket: media\nkey: a\\u{{1b}}é/${{filename}}\naccess key id: {S3_ID}\nsigned at: {AT}\nexpiration: 2026-11-22T11:30:00Z\n\
         file: 0 to 5120 bytes\nanswer: 204\nfield Content-Type: image/png\nfield x-amz-meta-owner: 7\n\
         the client chooses: [\"starts-with\", \"$key\", \"a\\u001bé/\"]\nthe client chooses: [\"starts-with\", \"$Content-Type\", \"image/\"]\n"
    );
    assert_eq!((ran.out, ran.err.as_str()), (want, ""));

    let ran = verify(&form, &["--content-type", "image/png", "--output", "json", "--file-name", "dir/b.png", "--size", "5KiB"]).succeeded("json");
    assert!(!ran.out.trim_end().chars().any(char::is_control));
    let want = json!({
        "provider": "s3", "bucket": "media", "key": "a\u{1b}é/b.png", "access_key_id": S3_ID, "signed_at": AT, "expiration": "2026-11-22T11:30:00Z",
        "file_limits": {"min": 0, "max": 5120}, "fields": {"Content-Type": "image/png", "x-amz-meta-owner": "7"}, "success_status": 204, "success_redirect": null,
        "open": ["[\"starts-with\", \"$key\", \"a\\u001bé/\"]", "[\"starts-with\", \"$Content-Type\", \"image/\"]"]
    });
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), want);

    let form = sign(&["oss://media/k", "--redirect", "https://app.example/done", "--success-status", "200"]);
    let ran = verify(&form, &[]).succeeded("oss");
    assert!(ran.out.contains(OSS_ID) && ran.out.contains("\nanswer: 303, to https://app.example/done\n"), "{}", ran.out);

    // A key of a customer stands in the form, and in nothing that we print.
    let policy = "{\"expiration\":\"2026-11-22T11:30:00Z\",\"conditions\":[{\"bucket\":\"media\"},{\"key\":\"k\"},\
        {\"x-amz-server-side-encryption-customer-key\":\"hidden\"},{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"},{\"x-amz-date\":\"20261122T103000Z\"},\
        {\"x-amz-credential\":\"AKIAIOSFODNN7EXAMPLE/20261122/eu-central-1/s3/aws4_request\"}]}";
    let form: Value = serde_json::from_str(&run_with_input(&["post", "s3://media", "--policy", "-"], ENV, policy.as_bytes()).succeeded("policy").out).unwrap();
    let ran = verify(&form, &[]).succeeded("a customer's key");
    assert!(ran.out.contains("field x-amz-server-side-encryption-customer-key: (secret)\n") && !ran.out.contains("hidden"), "{}", ran.out);
    assert!(!verify(&form, &["--output", "json"]).succeeded("json").out.contains("hidden"));
    verify(&with(&form, "x-amz-server-side-encryption-customer-key", "other".into()), &[]).failed_with(1, "does not hold", "another key");
}

#[test]
fn what_is_invalid_ends_with_1() {
    let s3 = sign(&["s3://media/up/", "--content-type", "image/*", "--min-size", "2", "--max-size", "9"]);
    let oss = sign(&["oss://media/up/", "--content-type", "image/png,image/jpeg", "--min-size", "2", "--max-size", "9"]);
    let png = ["--content-type", "image/png"];
    let token = with(&s3, "x-amz-security-token", "hidden".into());
    let mut doubled: Vec<Value> = s3["fields"].as_object().unwrap().iter().map(|(name, value)| json!([name, value])).collect();
    doubled.push(json!(["KEY", "up/other"]));
    let elsewhere = |url: &str| {
        let mut moved = s3.clone();
        moved["url"] = url.into();
        moved
    };
    for (form, more, code, part) in [
        (s3.clone(), &[][..], "condition_failed", "the client chooses the type, which --content-type gives here (S3 would answer 403 AccessDenied)"),
        (s3.clone(), &["--content-type", "text/html"], "condition_failed", "[\"starts-with\", \"$Content-Type\", \"image/\"]"),
        (s3.clone(), &["--content-type", "image/png", "--size", "10"], "entity_too_large", "(S3 would answer 400 EntityTooLarge)"),
        (s3.clone(), &["--content-type", "image/png", "--size", "1"], "entity_too_small", "fewer than the 2"),
        (s3.clone(), &["--content-type", "image/png", "--at", "2026-11-22T10:45:01Z"], "expired", "expired at 2026-11-22T10:45:00Z"),
        (s3.clone(), &["--content-type", "image/png", "--at", "2026-11-22T10:14:59Z"], "not_yet_valid", "not yet valid"),
        (s3.clone(), &["--content-type", "image/png", "--file-name", ""], "no_file_name", "give it with --file-name"),
        (s3.clone(), &["--content-type", "image/png", "--file-name", ".."], "unsafe_key", "segment `..`"),
        (s3.clone(), &["--content-type", "image/png", "--region", "us-east-1"], "scope_mismatch", "region"),
        (s3.clone(), &["--content-type", "image/png", "--bucket", "other"], "other_bucket", "of the bucket media, not other"),
        (oss.clone(), &["--content-type", "image/gif"], "condition_failed", "(OSS would answer 403 AccessDenied)"),
        (oss.clone(), &["--content-type", "image/png", "--size", "10"], "entity_too_large", "(OSS would answer 400 EntityTooLarge)"),
        (with(&s3, "key", "other/a".into()), &png, "condition_failed", "$key"),
        (with(&s3, "x-amz-meta-a", "1".into()), &png, "extra_field", "x-amz-meta-a"),
        (with(&s3, "x-amz-signature", "0".repeat(64).into()), &png, "signature_mismatch", "another secret"),
        (with(&s3, "x-amz-signature", "hidden".into()), &png, "signature_mismatch", ""),
        (with(&s3, "policy", "e30=".into()), &png, "signature_mismatch", ""),
        (with(&s3, "x-amz-credential", "AKOTHER/20261122/eu-central-1/s3/aws4_request".into()), &png, "unknown_access_key", "AKOTHER"),
        (with(&s3, "x-amz-credential", "hidden".into()), &png, "malformed_field", "x-amz-credential"),
        (with(&s3, "x-oss-signature", "hidden".into()), &png, "mixed_authentication", "two ways"),
        (without(&s3, "policy"), &png, "missing_field", "`policy`"),
        (without(&s3, "key"), &png, "missing_field", "`key`"),
        (token, &png, "token_mismatch", "token"),
        (json!({"url": "https://media.s3.eu-central-1.amazonaws.com/", "fields": doubled}), &png, "duplicate_field", "more than once"),
        (json!({"key": "a"}), &[], "not_signed", "as `valetkey post` prints it"),
        (json!([]), &[], "not_signed", ""),
        (json!({"AWSAccessKeyId": S3_ID, "policy": "hidden", "signature": "hidden", "key": "a"}), &["--bucket", "media"], "", "(S3 would answer 400"),
        (elsewhere("https://other.s3.eu-central-1.amazonaws.com/"), &png, "bucket_mismatch", "not for the bucket `other`"),
        (elsewhere("https://media.s3.us-east-1.amazonaws.com/"), &png, "scope_mismatch", "region"),
        (elsewhere("https://media.s3.eu-central-1.amazonaws.com/up/a"), &png, "not_at_bucket", "405"),
        (elsewhere("https://static.example/"), &png, "unknown_host", "--endpoint"),
        (elsewhere("https://other.example/"), &png, "unknown_host", "--endpoint"),
        (elsewhere("https://user@media.s3.eu-central-1.amazonaws.com/"), &png, "malformed_request", "user name"),
    ] {
        let what = format!("{code} {more:?}");
        let ran = verify(&form, more);
        ran.failed_with(1, part, &what);
        assert!(ran.err.starts_with("valetkey: invalid: "), "{what}: {}", ran.err);
        let ran = verify(&form, &[more, &["--output", "json"]].concat());
        ran.failed_with(1, &format!("{{\"error\":{{\"code\":\"{code}"), &what);
        let signature = form["fields"]["x-amz-signature"].as_str().unwrap_or("hidden");
        assert!(!ran.err.contains("hidden") && !ran.err.contains(signature), "{what}: {}", ran.err);
    }
    for (form, more) in [
        (&s3, &["--content-type", "image/png", "--size", "2", "--at", "2026-11-22T10:45:00Z"][..]),
        (&s3, &["--content-type", "image/png", "--bucket", "media", "--region", "eu-central-1", "--size", "9"]),
        (&oss, &["--content-type", "image/jpeg", "--file-name", "b.jpg"]),
        (&oss, &["--content-type", "image/jpeg", "--region", "oss-cn-hangzhou"]),
    ] {
        verify(form, more).succeeded(&format!("{more:?}"));
    }
}

/// The bucket that was verified, or the reason.
#[test]
fn which_bucket_a_form_is_of() {
    let bucket = |name: &str| Ok(format!("\nbucket: {name}\n"));
    let (ip, domain) = ("http://127.0.0.1:9000", "https://static.example.com");
    for (signed, more, env, want) in [
        ("s3://media/k", &[][..], None, bucket("media")),
        ("s3://media/k --addressing path", &[], None, bucket("media")),
        // No part of a form's URL is signed: it is enough that it names the policy's bucket.
        ("s3://media/k --endpoint http://127.0.0.1:9000", &[], None, bucket("media")),
        ("s3://media/k --endpoint https://s3.example --addressing virtual", &[], None, bucket("media")),
        ("s3://media/k --endpoint https://static.example.com --addressing custom-domain", &[], None, Err("no bucket that is known")),
        ("s3://media/k --endpoint http://127.0.0.1:9000", &["--endpoint", ip], None, bucket("media")),
        ("s3://media/k --endpoint http://127.0.0.1:9000", &["--bucket", "media"], None, bucket("media")),
        ("s3://media/k --endpoint http://127.0.0.1:9000", &["--bucket", "other"], None, Err("of the bucket media, not other")),
        ("s3://media/k --endpoint http://127.0.0.1:9000", &[], Some(("AWS_ENDPOINT_URL", ip)), bucket("media")),
        ("s3://media/k --endpoint http://127.0.0.1:9000/base", &["--endpoint", "http://127.0.0.1:9000/base"], None, bucket("media")),
        ("s3://media/k --endpoint https://static.example.com --addressing custom-domain", &["--endpoint", domain, "--bucket", "media"], None, bucket("media")),
        (
            "s3://media/k --endpoint https://static.example.com --addressing custom-domain",
            &["--endpoint", domain, "--bucket", "other"],
            None,
            Err("not for the bucket `other`"),
        ),
        ("oss://media/k", &[], None, bucket("media")),
        ("oss://media/k --endpoint http://127.0.0.1:9000", &["--endpoint", ip], None, bucket("media")),
        ("oss://media/k --endpoint https://gw.example", &["--endpoint", "https://gw.example"], None, bucket("media")),
        ("oss://media/k --endpoint https://static.example.com --addressing custom-domain", &["--endpoint", domain, "--bucket", "media"], None, bucket("media")),
    ] {
        let form = sign(&signed.split(' ').collect::<Vec<_>>());
        let env: Vec<_> = ENV.iter().copied().chain(env).collect();
        let ran = run_with_input(&[&["verify", "--form", "-", "--at", AT], more].concat(), &env, form.to_string().as_bytes());
        match want {
            Ok(part) => assert!(ran.succeeded(signed).out.contains(&part), "{signed} {more:?}"),
            Err(part) => ran.failed_with(1, part, &format!("{signed} {more:?}")),
        }
    }
    // The fields alone are of the bucket that their policy names.
    let fields = sign(&["s3://media/k"])["fields"].clone();
    assert!(verify(&fields, &[]).succeeded("no bucket").out.contains("\nbucket: media\n"));
    verify(&fields, &["--bucket", "other"]).failed_with(1, "not for the bucket `other`", "another bucket");
    verify(&fields, &["--bucket", "media"]).succeeded("the bucket");
    let pairs: Vec<Value> = fields.as_object().unwrap().iter().map(|(name, value)| json!([name, value])).collect();
    verify(&Value::from(pairs), &["--bucket", "media"]).succeeded("pairs");
}

#[test]
fn a_store_says_bucket_region_and_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("valetkey.toml");
    let text = "default = \"media\"\n[stores.media]\nprovider = \"s3\"\nbucket = \"media\"\nregion = \"eu-central-1\"\nendpoint = \"http://127.0.0.1:9000\"\n\
                [stores.cn]\nprovider = \"oss\"\nbucket = \"files\"\nregion = \"oss-cn-hangzhou\"\n";
    std::fs::write(&path, text).unwrap();
    let env = [ENV, &[("VALETKEY_CONFIG", path.to_str().unwrap())]].concat();
    let sign = |location: &str| run(&["post", location, "--at", AT], &env).succeeded(location).out;
    let (media, cn) = (sign("media:k"), sign("cn:k"));
    let fields = serde_json::from_str::<Value>(&media).unwrap()["fields"].to_string();
    let elsewhere = run(&["post", "s3://other/k", "--endpoint", "http://127.0.0.1:9000", "--at", AT], &env).succeeded("other").out;
    for (form, more, want) in [
        (&media, &[][..], Ok("bucket: media\n")),
        (&media, &["--store", "media"], Ok("bucket: media\n")),
        (&fields, &[], Ok("bucket: media\n")),
        (&cn, &["--store", "cn"], Ok("bucket: files\n")),
        (&cn, &[], Ok("bucket: files\n")),
        (&media, &["--store", "cn"], Err("(OSS would answer 4")),
        (&elsewhere, &[], Err("of the bucket other, not media, which the store `media` has")),
        (&elsewhere, &["--bucket", "other"], Ok("bucket: other\n")),
        (&media, &["--region", "us-east-1"], Err("region")),
    ] {
        let ran = run_with_input(&[&["verify", "--form", "-", "--at", AT], more].concat(), &env, form.as_bytes());
        match want {
            Ok(part) => assert!(ran.succeeded(form).out.contains(part)),
            Err(part) => ran.failed_with(1, part, &format!("{more:?}")),
        }
    }
}

#[test]
fn wrong_use_ends_with_2_and_no_credentials_with_3() {
    let form = sign(&["s3://media/k"]);
    for (line, part) in [
        ("verify", "URL is missing"),
        ("verify --form", "needs a value"),
        ("verify https://h/ --form -", "not both"),
        ("verify --form - --method POST", "`--method` means nothing for a form"),
        ("verify --form - --header a:b", "`--header` means nothing for a form"),
        ("verify https://h/ --size 5", "`--size` means nothing for a URL"),
        ("verify https://h/ --content-type a/b", "`--content-type` means nothing for a URL"),
        ("verify https://h/ --file-name a", "`--file-name` means nothing for a URL"),
        ("verify --form /nowhere/form.json", "cannot be read"),
        ("verify --form /", "it is a folder"),
        ("verify --form - --size 5MB", "MiB"),
    ] {
        run(&line.split(' ').collect::<Vec<_>>(), ENV).failed_with(2, part, line);
    }
    let mut odd = form.clone();
    odd["url"] = "ftp://h/".into();
    verify(&odd, &[]).failed_with(2, "https://", "no URL");
    verify(&form["fields"], &["--bucket", "media", "--endpoint", "http://h"]).failed_with(2, "the JSON has no `url`", "an endpoint for nothing");
    let typed = sign(&["s3://media/k", "--content-type", "image/png"]);
    verify(&typed, &["--content-type", "image/png"]).succeeded("the same type");
    verify(&typed, &["--content-type", "image/gif"]).failed_with(1, "[\"eq\", \"$Content-Type\", \"image/png\"]", "another type");
    for input in [&b""[..], b"{", b"\xff", b"5", b"{\"fields\":{\"key\":5}}", b"[[\"key\"]]", &vec![b'['; 5000], &vec![b' '; (1 << 20) + 1]] {
        run_with_input(&["verify", "--form", "-"], ENV, input).failed_with(2, "--form: ", "no form");
    }
    let text = form.to_string();
    run_with_input(&["verify", "--form", "-"], &[], text.as_bytes()).failed_with(3, "AWS_ACCESS_KEY_ID", "no credentials");
}
