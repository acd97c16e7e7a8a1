//! Without a valid signature nothing is read and nothing is changed.

mod support;

use std::sync::atomic::Ordering;

use support::{BUCKET, CLOUDS, Fixture, NOW, Wire, credentials, key};
use valetkey_core::{Credentials, ObjectRequest};
use valetkey_store::{Cloud, Store};

/// Requests of every operation, each as it is signed.
fn every_operation(fixture: &Fixture, cloud: Cloud, upload_id: &str) -> Vec<Wire> {
    let source = || valetkey_core::CopySource::new(BUCKET, key("secret"));
    let requests = [
        ObjectRequest::get(key("secret")),
        ObjectRequest::head(key("secret")),
        ObjectRequest::put(key("new")),
        ObjectRequest::delete(key("secret")),
        ObjectRequest::copy(key("new"), source()),
        ObjectRequest::create_multipart(key("new")),
        ObjectRequest::upload_part(key("new"), upload_id, 1),
        ObjectRequest::upload_part_copy(key("new"), upload_id, 1, source()),
        ObjectRequest::complete_multipart(key("new"), upload_id),
        ObjectRequest::abort_multipart(key("new"), upload_id),
        ObjectRequest::list_parts(key("new"), upload_id),
        ObjectRequest::list(),
    ];
    requests.iter().map(|request| Wire::of(&fixture.sign(cloud, request))).collect()
}

#[tokio::test]
async fn no_operation_without_a_valid_signature() {
    let fixture = Fixture::memory().await;
    fixture.put(Cloud::S3, "secret", b"secret").await;
    for cloud in CLOUDS {
        let id = fixture.call(cloud, &ObjectRequest::create_multipart(key("new")), b"").await.element("UploadId");
        for wire in every_operation(&fixture, cloud, &id) {
            let what = format!("{cloud:?} {} {}", wire.method, wire.target.split('?').next().unwrap());
            let tampered = |change: &dyn Fn(&mut Wire)| {
                let mut wire = wire.clone();
                change(&mut wire);
                wire
            };
            let is_auth = |pair: &&str| pair.to_ascii_lowercase().starts_with("x-amz-") || pair.to_ascii_lowercase().starts_with("x-oss-");
            let (path, query) = wire.target.split_once('?').unwrap();
            let rest = query.split('&').filter(|pair| !is_auth(pair)).collect::<Vec<_>>().join("&");
            let unsigned = tampered(&|wire| {
                wire.target = format!("{path}?{rest}");
                wire.headers.retain(|(name, _)| name == "host");
            });
            let signature = if cloud == Cloud::S3 { "X-Amz-Signature=" } else { "x-oss-signature=" };
            let start = query.find(signature).unwrap() + signature.len();
            let flipped = if &query[start..=start] == "0" { "1" } else { "0" };
            let wrong = format!("{}{flipped}{}", &query[..start], &query[start + 1..]);
            let changes = [
                unsigned,
                tampered(&|wire| wire.target = format!("{path}?{wrong}")),
                tampered(&|wire| wire.target = wire.target.replacen("/media", "/other", 1)),
                tampered(&|wire| wire.target.push_str("&x=y")),
                tampered(&|wire| wire.method = if wire.method == "PUT" { "POST" } else { "PUT" }.into()),
                tampered(&|wire| wire.headers.push((if cloud == Cloud::S3 { "x-amz-acl" } else { "x-oss-object-acl" }.into(), "public-read".into()))),
            ];
            for (n, change) in changes.into_iter().enumerate() {
                let reply = fixture.send(&change.body(b"body")).await;
                assert_eq!(reply.status, 403, "{what}, change {n}: {reply:?}");
                assert!(!reply.text().contains("secret"), "{what}, change {n}: {reply:?}");
            }
            fixture.now.store(NOW + 901, Ordering::SeqCst);
            let late = fixture.send(&wire.clone().body(b"body")).await;
            assert_eq!(late.status, 403, "{what}: {late:?}");
            if wire.method != "HEAD" {
                assert_eq!(
                    (late.element("Code"), late.element("Message")),
                    ("AccessDenied".into(), "Request has expired".to_owned() + if cloud == Cloud::S3 { "" } else { "." })
                );
            }
            fixture.now.store(NOW, Ordering::SeqCst);
        }
        assert_eq!(fixture.keys().await, ["secret"]);
        let parts = fixture.call(cloud, &ObjectRequest::list_parts(key("new"), &id), b"").await;
        assert_eq!((parts.status, parts.text().matches("<Part>").count()), (200, 0));
    }
}

#[tokio::test]
async fn a_key_of_one_cloud_is_nobody_in_the_other() {
    let fixture = Fixture::memory().await;
    for (cloud, other) in [(Cloud::S3, Cloud::Oss), (Cloud::Oss, Cloud::S3)] {
        let signed = fixture.sign_as(cloud, &credentials(other), BUCKET, &ObjectRequest::list());
        assert_eq!(fixture.send(&Wire::of(&signed)).await.refusal(), (403, "InvalidAccessKeyId".into()));
        let stranger = Credentials::new(credentials(cloud).access_key_id(), "guessed").unwrap();
        let signed = fixture.sign_as(cloud, &stranger, BUCKET, &ObjectRequest::list());
        assert_eq!(fixture.send(&Wire::of(&signed)).await.refusal(), (403, "SignatureDoesNotMatch".into()));
    }
}

#[tokio::test]
async fn what_nobody_signed_is_denied_before_it_is_understood() {
    let fixture = Fixture::memory().await;
    fixture.put(Cloud::S3, "a", b"a").await;
    for (method, target) in [
        ("GET", "/media/a"),
        ("DELETE", "/media/a"),
        ("GET", "/media?policy"),
        ("PUT", "/media/a?acl"),
        ("POST", "/media/a?uploads"),
        ("POST", "/media"),
        ("GET", "/"),
        ("TRACE", "/media/a"),
        ("GET", "/nobody/a"),
    ] {
        for header in ["x-a", "x-oss-a", "x-amz-copy-source"] {
            let host = fixture.store.address().to_string();
            let headers = vec![("host".into(), host), (header.into(), "/media/a".into()), ("content-type".into(), "multipart/form-data; boundary=B".into())];
            let reply = fixture.send(&Wire { method: method.into(), target: target.into(), headers, body: b"--B--\r\n".to_vec(), with_length: true }).await;
            assert_eq!(reply.refusal(), (403, "AccessDenied".into()), "{method} {target} {header}");
        }
    }
    assert_eq!(fixture.get(Cloud::S3, "a").await.body, b"a");
}

#[tokio::test]
async fn heads_are_refused_without_a_body() {
    let fixture = Fixture::memory().await;
    let s3 = fixture.call(Cloud::S3, &ObjectRequest::head(key("absent")), b"").await;
    assert_eq!((s3.status, s3.body.len()), (404, 0));
    let oss = fixture.call(Cloud::Oss, &ObjectRequest::head(key("absent")), b"").await;
    let body = oss.header("x-oss-err").expect("the error in a header");
    use base64::Engine as _;
    let body = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(body).unwrap()).unwrap();
    assert!(oss.status == 404 && oss.body.is_empty() && body.contains("<Code>NoSuchKey</Code>"), "{body}");
}

#[tokio::test]
async fn errors_are_text_and_not_markup() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let reply = fixture.get(cloud, "<script>alert(1)</script>").await;
        assert!(reply.text().contains("&lt;script&gt;") && !reply.text().contains("<script>"));
        assert_eq!(reply.header("content-type"), Some("application/xml"));
        assert_eq!(reply.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    }
}

#[tokio::test]
async fn unknown_buckets_and_hosts() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let signed = fixture.sign_as(cloud, &credentials(cloud), "nobody", &ObjectRequest::get(key("k")));
        assert_eq!(fixture.send(&Wire::of(&signed)).await.refusal(), (404, "NoSuchBucket".into()));
    }
    let signed = Wire::of(&fixture.sign(Cloud::S3, &ObjectRequest::list()));
    assert_eq!(fixture.send(&signed.header("host", "evil.example")).await.status, 403);
}

#[tokio::test]
async fn only_loopback_and_only_good_names() {
    let error = Store::builder().bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");
    assert!(Store::builder().bucket("Not_A_Bucket").bind("127.0.0.1:0".parse().unwrap()).await.is_err());
}

#[tokio::test]
async fn a_log_sees_no_signature() {
    use std::sync::{Arc, Mutex};
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&lines);
    let mut fixture = Fixture::memory().await;
    fixture.store = Store::builder()
        .bucket(BUCKET)
        .credentials(Cloud::S3, credentials(Cloud::S3))
        .clock(|| support::at(NOW))
        .observer(move |event| sink.lock().unwrap().push_str(&format!("{event:?}\n")))
        .bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let signed = fixture.sign(Cloud::S3, &ObjectRequest::get(key("k")));
    let signature = signed.url.split("X-Amz-Signature=").nth(1).unwrap();
    assert_eq!(fixture.send(&Wire::of(&signed)).await.status, 404);
    assert_eq!(fixture.send(&Wire::of(&signed).header("x-amz-acl", "private")).await.status, 403);
    let lines = lines.lock().unwrap();
    assert!(lines.contains("NoSuchKey") && lines.contains("AccessDenied") && lines.contains("media"), "{lines}");
    assert!(!lines.contains(signature) && !lines.contains("X-Amz-"), "{lines}");
}
