//! `post --file`: uploads to the embedded store, of this process and over HTTP.

use std::path::Path;

use serde_json::Value;

use crate::place::Place;
use crate::support::{ENV, OSS_ID, Ran, S3_ID, run};

impl Place {
    fn post(&self, location: &str, more: &[&str], env: &[(&str, &str)]) -> Ran {
        self.run(&[&["post", location], more].concat(), env)
    }
}

#[test]
fn a_file_arrives_under_its_name_and_with_its_type() {
    let place = Place::start();
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for provider in ["s3", "oss"] {
        let location = |key: &str| format!("{provider}://media/{key}");
        for (key, name, bytes, more, object, content_type) in [
            ("exact.bin", "photo.png", &b"12345"[..], &["--content-type", "image/*"][..], "exact.bin", "image/png"),
            ("up/", "été 文 🦀.jpeg", b"12345", &["--content-type", "image/*"], "up/été 文 🦀.jpeg", "image/jpeg"),
            ("up/", "it's [a]{b} 100% +;,&'=.txt", b"x", &["--content-type", "*/*"], "up/it's [a]{b} 100% +;,&'=.txt", "text/plain"),
            ("up/", "qu\"ote", b"x", &["--content-type", "*/*", "--file-type", "a/b"], "up/qu%22ote", "a/b"),
            ("up/", "empty", b"", &["--content-type", "text/plain", "--max-size", "0"], "up/empty", "text/plain"),
            ("up/7", "b.png", b"x", &["--open-prefix", "--content-type", "image/png", "--file-type", "image/png"], "up/7b.png", "image/png"),
            ("deep \"é\"\n/k", "a.png", b"x", &["--content-type", "image/png"], "deep \"é\"\n/k", "image/png"),
            ("big", "big.bin", &big, &["--content-type", "a/b", "--max-size", "3000000"], "big", "a/b"),
        ] {
            let file = place.file(name, bytes);
            let ran = place.post(&location(key), &[more, &["--file", &file, "--output", "json"]].concat(), ENV).succeeded(name);
            let answer: Value = serde_json::from_str(&ran.out).unwrap();
            assert_eq!((answer["status"].as_u64(), answer.as_object().unwrap().len()), (Some(204), 3), "{name}: {}", ran.out);
            assert!(answer["etag"].as_str().is_some_and(|etag| etag.len() == 34), "{name}: {}", ran.out);
            let stored = place.stored(provider, object);
            assert!(stored.0 == bytes && stored.1 == content_type, "{provider} {object}: {}", stored.1);
        }
        let file = place.file("a.png", b"x");
        // Without a type, both clouds store one that runs nowhere.
        place.post(&location("typeless"), &["--file", &file], ENV).succeeded("no type");
        assert!(place.stored(provider, "typeless").1.ends_with("/octet-stream"));
        let ran = place.post(&location("k"), &["--file", &file, "--success-status", "201"], ENV).succeeded("201");
        assert!(ran.out.starts_with("status: 201\netag: \"") && ran.out.contains("\nlocation: http://") && ran.err.is_empty(), "{} {}", ran.out, ran.err);
        let ran = place.post(&location("k"), &["--file", &file, "--redirect", "http://127.0.0.1:1/done?a=1", "--output", "json"], ENV).succeeded("303");
        let answer: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(answer["status"].as_u64(), Some(303));
        assert!(answer["location"].as_str().unwrap().starts_with("http://127.0.0.1:1/done?a=1&bucket=media&key=k&etag="), "{}", ran.out);
    }
    let file = place.file("list.jpg", b"x");
    place.post("oss://media/list", &["--file", &file, "--content-type", "image/png,image/jpeg"], ENV).succeeded("a list");
    assert_eq!(place.stored("oss", "list").1, "image/jpeg");
}

/// A policy of its own, which leaves the type of the object to the part of the file.
#[test]
fn a_policy_of_its_own_is_uploaded_by() {
    let place = Place::start();
    let now = valetkey::Clock::now(&valetkey::SystemClock).unwrap();
    let date = now.to_basic();
    let end = now.checked_add(600).unwrap();
    let rules = |credential: &str, names: [&str; 3], algorithm: &str| {
        format!(
            "{{\"expiration\":\"{end}\",\"conditions\":[{{\"bucket\":\"media\"}},[\"starts-with\",\"$key\",\"own/\"],{{\"{}\":\"{algorithm}\"}},{{\"{}\":\"{credential}\"}},{{\"{}\":\"{}\"}}]}}",
            names[0],
            names[1],
            names[2],
            date.as_str()
        )
    };
    let (s3_scope, oss_scope) =
        (format!("{S3_ID}/{}/eu-central-1/s3/aws4_request", date.day()), format!("{OSS_ID}/{}/cn-hangzhou/oss/aliyun_v4_request", date.day()));
    for (provider, policy, file_type, content_type) in [
        ("s3", rules(&s3_scope, ["x-amz-algorithm", "x-amz-credential", "x-amz-date"], "AWS4-HMAC-SHA256"), None, "binary/octet-stream"),
        ("oss", rules(&oss_scope, ["x-oss-signature-version", "x-oss-credential", "x-oss-date"], "OSS4-HMAC-SHA256"), None, "image/png"),
        ("oss", rules(&oss_scope, ["x-oss-signature-version", "x-oss-credential", "x-oss-date"], "OSS4-HMAC-SHA256"), Some("a/b"), "a/b"),
    ] {
        let (policy, file) = (place.file("policy.json", policy.as_bytes()), place.file("photo.png", b"12345"));
        let typed: Vec<&str> = file_type.into_iter().flat_map(|value| ["--file-type", value]).collect();
        place.post(&format!("{provider}://media"), &[&["--policy", &policy, "--file", &file], typed.as_slice()].concat(), ENV).succeeded(provider);
        assert_eq!(place.stored(provider, "own/photo.png"), (b"12345".to_vec(), content_type.to_owned()), "{provider}");
    }
}

#[test]
fn a_refusal_ends_with_4_and_no_answer_with_5() {
    let place = Place::start();
    let file = place.file("a.png", b"x");
    let other_secret: Vec<_> = ENV.iter().map(|(name, value)| (*name, if name.contains("SECRET") { "another-secret" } else { value })).collect();
    let other_id: Vec<_> = ENV.iter().map(|(name, value)| (*name, if name.ends_with("KEY_ID") { "AKIAOTHER" } else { value })).collect();
    place.post("oss://media/there", &["--file", &file], ENV).succeeded("there");
    for (location, more, env, part) in [
        ("s3://media/k", &[][..], &other_secret[..], "403 SignatureDoesNotMatch"),
        ("oss://media/k", &[], &other_secret, "403 SignatureDoesNotMatch"),
        ("s3://media/k", &[], &other_id, "403 InvalidAccessKeyId"),
        ("s3://media/k", &["--at", "2026-01-01T00:00:00Z"], ENV, "403 AccessDenied: Invalid according to Policy: Policy expired."),
        ("s3://nothere/k", &[], ENV, "404 NoSuchBucket"),
        ("oss://media/there", &["--create-only"], ENV, "409 FileAlreadyExists"),
    ] {
        let ran = place.post(location, &[&["--file", &file], more].concat(), env);
        ran.failed_with(4, &format!("valetkey: the store refused with {part}"), location);
        let ran = place.post(location, &[&["--file", &file, "--output", "json"], more].concat(), env);
        ran.failed_with(4, "{\"error\":{\"code\":\"refused\",\"message\":\"the store refused with ", location);
        assert!(!ran.err.contains("ignature\":") && !ran.err.contains("another-secret"), "{}", ran.err);
    }
    // A port that the system gives to nobody.
    let nobody = "127.0.0.1:1";
    let ran = run(&["post", "s3://media/k", "--endpoint", &format!("http://{nobody}"), "--file", &file, "--output", "json"], ENV);
    ran.failed_with(5, "{\"error\":{\"code\":\"no_answer\",\"message\":\"no answer from the store: ", "nobody listens");
    assert!(!ran.err.contains("/media"), "{}", ran.err);
    // Not even a connection is made for what cannot be.
    run(&["post", "s3://media/k", "--endpoint", &format!("http://{nobody}"), "--file", &file, "--min-size", "2"], ENV).failed_with(
        2,
        "fewer than",
        "too small",
    );
}

/// Names that are no text, which only Unix has.
#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_name_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::start();
    let path = place.folder.path().join(Path::new(std::ffi::OsStr::from_bytes(b"a\xff.png")));
    std::fs::write(&path, "x").unwrap();
    let post = |location: &str| {
        let mut command = crate::support::program(ENV);
        command.args(["post", location, "--endpoint", &place.endpoint, "--file"]).arg(&path);
        crate::support::finish(command.output().unwrap(), ENV)
    };
    post("s3://media/up/").failed_with(2, "not UTF-8", "a name for the object");
    post("s3://media/k").succeeded("a key of its own");
    let fifo = place.folder.path().join("fifo");
    if std::process::Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()) {
        place.post("s3://media/k", &["--file", fifo.to_str().unwrap()], ENV).failed_with(2, "not a regular file", "a pipe");
    }
}
