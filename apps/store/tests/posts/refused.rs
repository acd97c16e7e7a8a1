//! Forms that are broken: each is refused for its reason, and nothing of it is left.

use std::{path::Path, sync::atomic::Ordering};

use valetkey_core::PostPolicy;
use valetkey_store::Cloud;

use crate::support::{
    CLOUDS, Fixture, NOW,
    form::{FormFile, PostForm, field},
};

type Change = fn(Cloud, PostForm) -> PostForm;
type Said = (u16, &'static str);

/// The name that a field has in each dialect.
fn own(cloud: Cloud, s3: &'static str, oss: &'static str) -> &'static str {
    if cloud == Cloud::S3 { s3 } else { oss }
}

fn signature(cloud: Cloud) -> &'static str {
    own(cloud, "x-amz-signature", "x-oss-signature")
}

fn flipped(text: &str) -> String {
    let last = if text.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &text[..text.len() - 1])
}

const DENIED: Said = (403, "AccessDenied");
const ARGUMENT: Said = (400, "InvalidArgument");
const MALFORMED: Said = (400, "MalformedPOSTRequest");
const SIGNATURE: Said = (403, "SignatureDoesNotMatch");

/// What is broken, and what each cloud says to it.
const TABLE: &[(&str, Change, Said, Said)] = &[
    ("another key", |_, form| form.set("key", "other/a.png"), DENIED, DENIED),
    ("another prefix", |_, form| form.set("key", "UP/a.png"), DENIED, DENIED),
    ("a neighbour's prefix", |_, form| form.set("key", "upper/a.png"), DENIED, DENIED),
    ("a way out of the prefix", |_, form| form.set("key", "up/../other/a.png"), ARGUMENT, (400, "InvalidObjectName")),
    ("no key", |_, form| form.without("key"), ARGUMENT, ARGUMENT),
    ("an empty key", |_, form| form.set("key", ""), ARGUMENT, ARGUMENT),
    ("a long key", |_, form| form.set("key", &format!("up/{}", "a".repeat(1030))), (400, "KeyTooLongError"), (400, "InvalidObjectName")),
    ("a field too many", |cloud, form| form.add(own(cloud, "x-amz-meta-a", "x-oss-meta-a"), "1"), DENIED, DENIED),
    ("an ACL", |cloud, form| form.set(own(cloud, "acl", "x-oss-object-acl"), "public-read"), DENIED, DENIED),
    ("another type", |cloud, form| form.set(own(cloud, "Content-Type", "x-oss-content-type"), "text/html"), DENIED, DENIED),
    ("no type", |cloud, form| form.without(own(cloud, "Content-Type", "x-oss-content-type")), DENIED, DENIED),
    ("a field twice", |_, form| form.add("key", "up/a.png"), ARGUMENT, ARGUMENT),
    ("a field twice, in another case", |_, form| form.add("KEY", "up/a.png"), ARGUMENT, ARGUMENT),
    ("no policy", |_, form| form.without("policy"), ARGUMENT, ARGUMENT),
    ("no signature", |cloud, form| form.without(signature(cloud)), ARGUMENT, ARGUMENT),
    ("nothing of a signature", |_, form| PostForm { fields: vec![("key".into(), "up/a.png".into())], ..form }, DENIED, DENIED),
    (
        "another signature",
        |cloud, form| {
            let value = flipped(form.value(signature(cloud)));
            form.set(signature(cloud), &value)
        },
        SIGNATURE,
        SIGNATURE,
    ),
    ("a signature of another form", |cloud, form| form.set(signature(cloud), "0"), SIGNATURE, SIGNATURE),
    (
        "another policy",
        |_, form| {
            let value = form.value("policy").replacen("ey", "e3", 1);
            form.set("policy", &value)
        },
        SIGNATURE,
        SIGNATURE,
    ),
    (
        "an unknown access key",
        |cloud, form| {
            let name = own(cloud, "x-amz-credential", "x-oss-credential");
            let value = form.value(name).replace("STORE", "THIEF");
            form.set(name, &value)
        },
        (403, "InvalidAccessKeyId"),
        (403, "InvalidAccessKeyId"),
    ),
    ("a token", |cloud, form| form.add(own(cloud, "x-amz-security-token", "x-oss-security-token"), "t"), (400, "InvalidToken"), DENIED),
    ("both clouds' signatures", |cloud, form| form.add(own(cloud, "x-oss-signature", "x-amz-signature"), "0"), ARGUMENT, ARGUMENT),
    ("an older signature", |_, form| form.add("Signature", "x"), ARGUMENT, ARGUMENT),
    ("a field after the file", |_, form| PostForm { after: vec![("x-ignore-a".into(), "1".into())], ..form }, MALFORMED, MALFORMED),
    ("the key after the file", |_, form| PostForm { after: vec![("key".into(), "up/a.png".into())], ..form.without("key") }, ARGUMENT, ARGUMENT),
    ("two files", |_, form| PostForm { after: vec![("file".into(), "second".into())], ..form }, ARGUMENT, (400, "IncorrectNumberOfFilesInPOSTRequest")),
    ("no file", |_, form| PostForm { file: None, ..form.set("key", "up/a.png") }, ARGUMENT, ARGUMENT),
    (
        "a file of another name",
        |_, form| {
            let file = form.file.clone().map(|file| FormFile { field: "upload".into(), ..file });
            PostForm { file, ..form.set("key", "up/a.png") }
        },
        DENIED,
        DENIED,
    ),
    ("another bucket", |_, form| form.path("/other"), DENIED, DENIED),
    ("a bucket that is not there", |_, form| form.path("/nobody"), DENIED, DENIED),
    ("a bucket of its own", |_, form| form.add("bucket", "other"), DENIED, DENIED),
    ("an object", |_, form| form.path("/media/up/a.png"), (405, "MethodNotAllowed"), (405, "MethodNotAllowed")),
    ("no bucket", |_, form| form.path("/"), (404, "NoSuchBucket"), (404, "NoSuchBucket")),
    ("another host", |_, form| PostForm { host: "evil.example".into(), ..form.path("/") }, (404, "NoSuchBucket"), (404, "NoSuchBucket")),
    ("an Authorization", |_, form| form.header("authorization", "AWS4-HMAC-SHA256 Credential=x"), ARGUMENT, ARGUMENT),
    ("a signature of S3 in the query", |_, form| form.path("/media?X-Amz-Signature=0"), ARGUMENT, ARGUMENT),
    ("a signature of OSS in the query", |_, form| form.path("/media?x-oss-signature-version=0"), ARGUMENT, ARGUMENT),
    ("an older signature in the query", |_, form| form.path("/media?OSSAccessKeyId=0"), ARGUMENT, ARGUMENT),
    ("another enclosure", |_, form| form.header("content-type", "text/plain"), (412, "PreconditionFailed"), (412, "PreconditionFailed")),
    ("an operation that is not there", |_, form| form.path("/media?delete"), DENIED, DENIED),
    ("a file that is too large", |_, form| form.bytes(&[0; 101]), (400, "EntityTooLarge"), (400, "EntityTooLarge")),
    ("a file that is too small", |_, form| form.bytes(b""), (400, "EntityTooSmall"), (400, "EntityTooSmall")),
];

fn policy() -> PostPolicy {
    PostPolicy::for_prefix("up/").content_length(1..=100).content_type("image/png")
}

#[tokio::test]
async fn a_broken_form_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    for cloud in CLOUDS {
        let form = fixture.form(cloud, &policy(), b"content of the file");
        for (what, change, s3, oss) in TABLE {
            let (status, code) = if cloud == Cloud::S3 { s3 } else { oss };
            let reply = fixture.send(&change(cloud, form.clone()).wire()).await;
            assert_eq!(reply.refusal(), (*status, (*code).to_owned()), "{cloud:?}, {what}: {reply:?}");
            assert!(!reply.text().contains("content of the file"));
            for bucket in ["media", "other"] {
                assert!(fixture.keys_of(bucket).await.is_empty(), "{cloud:?}, {what}: it is there");
            }
            assert_eq!(files(folder.path()), ["lock", "media.json", "other.json", "valetkey-store.json"], "{cloud:?}, {what}");
        }
        assert_eq!(fixture.send(&form.wire()).await.status, 204, "{cloud:?}: the form itself is right");
        assert_eq!(fixture.call(cloud, &valetkey_core::ObjectRequest::delete("up/a.png".parse().unwrap()), b"").await.status, 204);
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            false => found.push(entry.file_name().unwrap().to_str().unwrap().to_owned()),
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn the_first_and_the_last_second() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let form = fixture.form_by_hand(cloud, r#"{"key":"k"}"#, &[("key", "k")], b"x");
        for (now, taken) in [(NOW - 901, false), (NOW - 900, true), (NOW, true), (NOW + 600, true), (NOW + 601, false)] {
            fixture.now.store(now, Ordering::SeqCst);
            let reply = fixture.send(&form.wire()).await;
            if taken {
                assert_eq!(reply.status, 204, "{cloud:?} {now} {reply:?}");
            } else {
                assert_eq!(reply.refusal(), (403, "AccessDenied".into()), "{cloud:?} {now}");
            }
        }
        fixture.now.store(NOW, Ordering::SeqCst);
    }
}

/// A bucket that the policy names and that is not there is found out by the signer alone.
#[tokio::test]
async fn a_bucket_that_is_gone() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let form = fixture.signing(cloud, &crate::support::credentials(cloud), "gone", |dialect, context| {
            PostForm::of(&valetkey_core::post_policy::sign_post(dialect, context, &policy()).unwrap(), b"x")
        });
        assert_eq!(fixture.send(&form.wire()).await.refusal(), (404, "NoSuchBucket".into()));
        let unsigned = PostForm { fields: Vec::new(), ..form };
        assert_eq!(fixture.send(&unsigned.wire()).await.refusal(), (403, "AccessDenied".into()));
    }
}

#[tokio::test]
async fn the_words_of_a_refusal_are_the_cloud_s() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let reply = fixture.send(&fixture.form(cloud, &policy(), b"x").set("key", "other").wire()).await;
        let message = "Invalid according to Policy: Policy Condition failed: [\"starts-with\", \"$key\", \"up/\"]";
        assert_eq!(reply.element("Message").trim_end_matches('.'), message);
        assert_eq!(reply.header("x-oss-ec").is_some(), cloud == Cloud::Oss, "{reply:?}");
        let older = PostForm { fields: vec![("OSSAccessKeyId".into(), "x".into()), ("Signature".into(), "x".into())], ..fixture.form(cloud, &policy(), b"x") };
        let reply = fixture.send(&older.wire()).await;
        assert!(reply.status == 400 && reply.header("x-oss-request-id").is_some(), "an older form of OSS: {reply:?}");
    }
    let reply = fixture.send(&fixture.form(Cloud::S3, &policy(), b"x").header("content-type", "application/x-www-form-urlencoded").wire()).await;
    assert_eq!(reply.element("Condition"), "Bucket POST must be of the enclosure-type multipart/form-data");
}

/// The same as a form that is signed as a URL.
#[tokio::test]
async fn a_signed_post_at_a_bucket_that_is_no_form() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let list = crate::support::Wire::of(&fixture.sign(cloud, &valetkey_core::ObjectRequest::list()));
        let target = list.target.replace("list-type=2&", "");
        let post = fixture.sign_again(cloud, crate::support::Wire { method: "POST".into(), target, ..list }).body(b"x");
        assert_eq!(fixture.send(&post).await.refusal(), (412, "PreconditionFailed".into()), "{cloud:?}");
    }
}

#[tokio::test]
async fn fields_alone_are_a_form_without_a_file() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let form = PostForm { file: None, ..fixture.form(cloud, &policy(), b"") };
        // What is broken besides is told first.
        for (key, code) in [("up/a.png", "InvalidArgument"), ("up/${filename}", "InvalidArgument"), ("other/a.png", "AccessDenied")] {
            let reply = fixture.send(&form.clone().set("key", key).wire()).await;
            assert_eq!(reply.refusal().1, code, "{cloud:?} {key}");
            assert_eq!(reply.text().contains("exactly one file"), code == "InvalidArgument", "{cloud:?} {key} {reply:?}");
        }
        let trailing = [form.body(), field("key", "k").into_bytes()].concat();
        assert_eq!(fixture.send(&form.wire_of(&trailing)).await.refusal(), (400, "MalformedPOSTRequest".into()));
    }
}
