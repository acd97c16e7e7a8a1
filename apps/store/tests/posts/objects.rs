//! What the fields say of the object.

use valetkey_core::{Acl, Checksum, ChecksumAlgorithm, PostPolicy, ServerSideEncryption, StorageClass, post_policy::Callback};
use valetkey_store::Cloud;

use crate::support::{CLOUDS, Fixture, Reply, form::PostForm, key};

fn policy() -> PostPolicy {
    PostPolicy::for_key(key("k"))
}

async fn posted(fixture: &Fixture, cloud: Cloud, form: &PostForm) -> Reply {
    let reply = fixture.send(&form.wire()).await;
    assert_eq!(reply.status, 204, "{cloud:?} {reply:?}");
    fixture.get(cloud, "k").await
}

#[tokio::test]
async fn headers_of_the_object() {
    let fixture = Fixture::memory().await;
    for (cloud, prefix) in [(Cloud::S3, "x-amz-"), (Cloud::Oss, "x-oss-")] {
        let class = if cloud == Cloud::S3 { "STANDARD_IA" } else { "IA" };
        let policy = policy()
            .content_type("text/plain; charset=utf-8")
            .cache_control("max-age=60")
            .content_disposition("attachment; filename=\"\u{e9}.txt\"")
            .content_encoding("gzip")
            .expires_header("Wed, 21 Oct 2026 07:28:00 GMT")
            .metadata("Name", "Z\u{fc}rich")
            .metadata_prefix("free", "")
            .storage_class(StorageClass::InfrequentAccess)
            .server_side_encryption(ServerSideEncryption::Kms { key_id: Some("key-1".into()) });
        let form = fixture.form(cloud, &policy, b"x").set(&format!("{prefix}meta-free"), "chosen");
        let get = posted(&fixture, cloud, &form).await;
        let encryption = match cloud {
            Cloud::S3 => [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "key-1")],
            Cloud::Oss => [("x-oss-server-side-encryption", "KMS"), ("x-oss-server-side-encryption-key-id", "key-1")],
        };
        let (name, free, storage) = (format!("{prefix}meta-name"), format!("{prefix}meta-free"), format!("{prefix}storage-class"));
        let plain = [
            ("content-type", "text/plain; charset=utf-8"),
            ("cache-control", "max-age=60"),
            ("content-disposition", "attachment; filename=\"\u{e9}.txt\""),
            ("content-encoding", "gzip"),
            ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
            (&name, "Z\u{fc}rich"),
            (&free, "chosen"),
            (&storage, class),
        ];
        for (name, value) in plain.into_iter().chain(encryption) {
            assert_eq!(get.header(name), Some(value), "{cloud:?} {get:?}");
        }
    }
}

#[tokio::test]
async fn where_the_type_comes_from() {
    let fixture = Fixture::memory().await;
    // What the policy fixes, the fields, the type of the file's own part, and what the object has.
    for (cloud, conditions, fields, part, expected) in [
        (Cloud::S3, "", &[][..], Some("image/png"), "binary/octet-stream"),
        (Cloud::S3, r#",["starts-with","$Content-Type",""]"#, &[("Content-Type", "a/b")], Some("image/png"), "a/b"),
        (Cloud::S3, r#",["starts-with","$Content-Type",""]"#, &[("Content-Type", "")], Some("image/png"), "binary/octet-stream"),
        (
            Cloud::Oss,
            r#",["starts-with","$x-oss-content-type",""],["starts-with","$content-type",""]"#,
            &[("x-oss-content-type", "a/b"), ("content-type", "c/d")],
            Some("image/png"),
            "a/b",
        ),
        (Cloud::Oss, r#",["starts-with","$content-type",""]"#, &[("content-type", "c/d")], Some("image/png"), "image/png"),
        (Cloud::Oss, r#",["starts-with","$content-type",""]"#, &[("content-type", "c/d")], None, "c/d"),
        (Cloud::Oss, "", &[], Some("image/png"), "image/png"),
        (Cloud::Oss, "", &[], None, "application/octet-stream"),
    ] {
        let fields = [&[("key", "k")], fields].concat();
        let mut form = fixture.form_by_hand(cloud, &format!("{{\"key\":\"k\"}}{conditions}"), &fields, b"x");
        form.file.as_mut().unwrap().content_type = part.map(str::to_owned);
        let get = posted(&fixture, cloud, &form).await;
        assert_eq!(get.header("content-type"), Some(expected), "{cloud:?} {conditions} {part:?}");
    }
}

#[tokio::test]
async fn checksums_are_kept_or_the_object_is_not() {
    let fixture = Fixture::memory().await;
    let policy = policy().checksum(Checksum::new(ChecksumAlgorithm::Crc32, "NSRBwg==").unwrap());
    let form = fixture.form(Cloud::S3, &policy, b"abd");
    assert_eq!(fixture.send(&form.wire()).await.refusal(), (400, "BadDigest".into()));
    assert!(fixture.keys().await.is_empty());
    let reply = fixture.send(&form.bytes(b"abc").wire()).await;
    assert_eq!((reply.status, reply.header("x-amz-checksum-crc32")), (204, Some("NSRBwg==")));
    let md5 = "kAFQmDzST7DWlj99KOF/cg==";
    for (cloud, code) in [(Cloud::S3, "BadDigest"), (Cloud::Oss, "InvalidDigest")] {
        let form = fixture.form_by_hand(cloud, &format!("{{\"key\":\"md5\"}},{{\"Content-MD5\":\"{md5}\"}}"), &[("key", "md5"), ("Content-MD5", md5)], b"abd");
        assert_eq!(fixture.send(&form.wire()).await.refusal(), (400, code.into()));
        assert_eq!(fixture.send(&form.bytes(b"abc").wire()).await.status, 204);
    }
}

#[tokio::test]
async fn tags_are_xml() {
    let fixture = Fixture::memory().await;
    let form = fixture.form(Cloud::S3, &policy().tag("team", "a&b").tag("cost", "7"), b"x");
    assert_eq!(posted(&fixture, Cloud::S3, &form).await.header("x-amz-tagging-count"), Some("2"));
    for tagging in ["team=a", "<Tagging>", "<!DOCTYPE x><Tagging><TagSet/></Tagging>", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"] {
        let form = fixture.form_by_hand(Cloud::S3, r#"{"key":"bad"},["starts-with","$tagging",""]"#, &[("key", "bad"), ("tagging", tagging)], b"x");
        assert_eq!(fixture.send(&form.wire()).await.refusal(), (400, "MalformedXML".into()), "{tagging}");
    }
    assert_eq!(fixture.keys().await, ["k"]);
}

#[tokio::test]
async fn create_only() {
    let fixture = Fixture::memory().await;
    let form = fixture.form(Cloud::Oss, &policy().create_only(), b"first");
    assert_eq!(fixture.send(&form.wire()).await.status, 204);
    assert_eq!(fixture.send(&form.clone().bytes(b"second").wire()).await.refusal(), (409, "FileAlreadyExists".into()));
    assert_eq!(fixture.get(Cloud::Oss, "k").await.body, b"first");
    let free = fixture.form(Cloud::Oss, &policy(), b"third");
    assert_eq!(fixture.send(&free.wire()).await.status, 204, "without it a form overwrites");
    let text =
        fixture.form_by_hand(Cloud::Oss, r#"{"key":"k"},{"x-oss-forbid-overwrite":"maybe"}"#, &[("key", "k"), ("x-oss-forbid-overwrite", "maybe")], b"x");
    assert_eq!(fixture.send(&text.wire()).await.refusal(), (400, "InvalidArgument".into()));
    assert_eq!(fixture.get(Cloud::Oss, "k").await.body, b"third");
}

/// Fields that the policy allows and the store cannot do, or that no header can have.
#[tokio::test]
async fn what_no_put_could_say_no_form_can() {
    let fixture = Fixture::memory().await;
    let long = "a".repeat(3000);
    for (cloud, field, value, status, code) in [
        (Cloud::S3, "x-amz-object-lock-mode", "GOVERNANCE", 501, "NotImplemented"),
        (Cloud::S3, "x-amz-website-redirect-location", "evil", 400, "InvalidArgument"),
        (Cloud::S3, "acl", "everybody", 400, "InvalidArgument"),
        (Cloud::S3, "x-amz-meta-a b", "x", 400, "InvalidArgument"),
        (Cloud::S3, "x-amz-meta-a", &long, 400, "MetadataTooLarge"),
        (Cloud::S3, "x-amz-checksum-crc32", "x", 400, "InvalidRequest"),
        (Cloud::S3, "Content-Encoding", "aws-chunked", 400, "InvalidRequest"),
        (Cloud::S3, "Cache-Control", "a\r\nSet-Cookie: b", 400, "InvalidArgument"),
        (Cloud::Oss, "x-oss-object-acl", "everybody", 400, "InvalidArgument"),
        (Cloud::Oss, "x-oss-object-acl", "authenticated-read", 400, "InvalidArgument"),
    ] {
        let quoted = value.replace("\r\n", "\\r\\n");
        let form = fixture.form_by_hand(cloud, &format!("{{\"key\":\"bad\"}},{{\"{field}\":\"{quoted}\"}}"), &[("key", "bad"), (field, value)], b"x");
        assert_eq!(fixture.send(&form.wire()).await.refusal(), (status, code.into()), "{field}: {value}");
    }
    assert!(fixture.keys().await.is_empty());
    let form = fixture.form_by_hand(
        Cloud::S3,
        r#"{"key":"k"},{"x-amz-website-redirect-location":"/elsewhere"}"#,
        &[("key", "k"), ("x-amz-website-redirect-location", "/elsewhere")],
        b"x",
    );
    assert_eq!(posted(&fixture, Cloud::S3, &form).await.header("x-amz-website-redirect-location"), Some("/elsewhere"));
}

#[tokio::test]
async fn what_is_ignored_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let form = fixture.form(Cloud::S3, &policy(), b"x").add("x-ignore-note", "remember me").add("X-Ignore-Cache-Control", "remember me");
    let get = posted(&fixture, Cloud::S3, &form).await;
    assert!(get.headers.iter().all(|(name, value)| !name.contains("ignore") && !value.contains("remember")), "{get:?}");
    for record in std::fs::read_dir(folder.path().join("buckets/media")).unwrap() {
        assert!(!std::fs::read_to_string(record.unwrap().path()).unwrap().contains("remember"));
    }
}

#[tokio::test]
async fn a_callback_is_not_sent_and_a_log_is_told() {
    use std::sync::{Arc, Mutex};
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&lines);
    let fixture = Fixture::with(|builder| builder.observer(move |event| sink.lock().unwrap().push_str(&format!("{event:?}\n")))).await;
    let callback = Callback::new("http://127.0.0.1:9/never", "object=${object}").variable("user", "the-user");
    let form = fixture.form(Cloud::Oss, &policy().callback(callback), b"x");
    assert_eq!(fixture.send(&form.wire()).await.status, 204);
    let refused = fixture.send(&form.clone().set("key", "other").wire()).await;
    assert_eq!(refused.refusal(), (403, "AccessDenied".into()));
    for cloud in CLOUDS {
        let form = fixture.form(cloud, &policy().metadata("secret", "the-value"), b"the-file");
        assert_eq!(fixture.send(&form.wire()).await.status, 204);
    }
    let lines = lines.lock().unwrap();
    let events: Vec<&str> = lines.lines().collect();
    assert!(events[0].contains("callback was not sent") && events[0].contains("Some((\"media\", Some(\"k\")))"), "{lines}");
    assert!(events[1].contains("target: None") && events[1].contains("AccessDenied") && events[1].contains("note: None"), "{lines}");
    assert!(events[2].contains("note: None") && events[2].contains("POST"), "{lines}");
    for value in ["the-value", "the-file", "the-user", form.value("policy"), form.value("x-oss-signature"), "other"] {
        assert!(!lines.contains(value), "{value} is in {lines}");
    }
}

#[tokio::test]
async fn an_acl_is_remembered() {
    let fixture = Fixture::with(|builder| builder.allow_public_read(true)).await;
    for cloud in CLOUDS {
        let form = fixture.form(cloud, &policy().acl(Acl::PublicRead), b"everybody's");
        assert_eq!(posted(&fixture, cloud, &form).await.body, b"everybody's");
        let anonymous = fixture.send(&crate::public::anonymous(&fixture, "GET", "/media/k")).await;
        assert_eq!((anonymous.status, anonymous.body.as_slice()), (200, b"everybody's".as_slice()), "{cloud:?}");
        let private = fixture.form(cloud, &policy(), b"mine");
        posted(&fixture, cloud, &private).await;
        assert_eq!(fixture.send(&crate::public::anonymous(&fixture, "GET", "/media/k")).await.status, 403, "{cloud:?}: an object that is written again");
    }
}
