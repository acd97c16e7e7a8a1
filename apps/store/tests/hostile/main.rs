//! Requests that are signed right and mean harm.

#[path = "../support/mod.rs"]
mod support;

mod durable;
mod rows;

use std::path::{Path, PathBuf};

use support::{CLOUDS, Fixture, Wire, key};
use valetkey_core::{CustomerKey, ObjectRequest};
use valetkey_store::Cloud;

fn files(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn no_key_is_a_path() {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("deep").join("store");
    let fixture = Fixture::start(Some(root.clone())).await;
    let long = format!("/media/{}", "a".repeat(300));
    let slashes = format!("/media/a{}", "/".repeat(1000));
    let paths = [
        "/media/../../etc/passwd",
        "/media/..%2f..%2fetc%2fpasswd",
        "/media/%2e%2e/%2e%2e/x",
        "/media/%252e%252e/x",
        "/media/..%5c..%5cx",
        "/media//etc/passwd",
        "/media/a%00.png",
        "/media/C:%5cx",
        "/media/CON",
        "/media/a.txt::$DATA",
        "/media/a.",
        "/media/.sys/config",
        "/..%2fx/a",
        "/%2e%2e/a",
        "/media/%2A%3F%5Ba-z%5D%7Bx%7D",
        &long,
        &slashes,
    ];
    for cloud in CLOUDS {
        fixture.put(cloud, "victim", b"victim").await;
        let signed = Wire::of(&fixture.sign(cloud, &ObjectRequest::put(key("k"))));
        for path in paths {
            let target = signed.target.replacen("/media/k", path, 1);
            let wire = fixture.sign_again(cloud, Wire { target, ..signed.clone() }).body(b"x");
            let reply = fixture.send(&wire).await;
            assert!(matches!(reply.status, 200 | 400 | 404), "{cloud:?} {path}: {reply:?}");
            let get = fixture.sign_again(cloud, Wire { method: "GET".into(), ..wire.clone() });
            let get = fixture.send(&Wire { body: Vec::new(), ..get }).await;
            assert_eq!(get.status, reply.status, "{cloud:?} {path}: {get:?}");
            if reply.status == 200 {
                let delete = fixture.sign_again(cloud, Wire { method: "DELETE".into(), ..wire.clone() });
                assert_eq!(fixture.send(&Wire { body: Vec::new(), ..delete }).await.status, 204);
            }
        }
        assert_eq!(fixture.get(cloud, "victim").await.body, b"victim", "another key is another object");
    }
    assert_eq!(fixture.keys().await, ["victim"]);
    for file in files(outside.path()) {
        let inside = file.strip_prefix(&root).unwrap_or_else(|_| panic!("{file:?} is outside")).to_str().unwrap().to_owned();
        let ours = ["lock", "valetkey-store.json", "settings/media.json", "settings/other.json"].contains(&inside.as_str())
            || inside.starts_with("blobs/")
            || inside.starts_with("buckets/media/");
        assert!(ours, "{inside}");
    }
}

#[tokio::test]
async fn lists_of_parts_that_are_attacks() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let id = fixture.call(cloud, &ObjectRequest::create_multipart(key("k")), b"").await.element("UploadId");
        let bodies = [
            "<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]><CompleteMultipartUpload>&c;</CompleteMultipartUpload>".to_owned(),
            "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><CompleteMultipartUpload>&a;</CompleteMultipartUpload>".to_owned(),
            format!("<CompleteMultipartUpload {}/>", (0..80_000).map(|n| format!("a{n}=\"\" ")).collect::<String>()),
            "<a>".repeat(100_000),
        ];
        for body in bodies {
            let reply = fixture.call(cloud, &ObjectRequest::complete_multipart(key("k"), &id), body.as_bytes()).await;
            assert_eq!(reply.refusal(), (400, "MalformedXML".into()));
            assert!(!reply.text().contains("root:"));
        }
        let reply = fixture.call(cloud, &ObjectRequest::complete_multipart(key("k"), &id), &vec![b' '; 3 << 20]).await;
        assert_eq!(reply.refusal(), (400, "EntityTooLarge".into()));
    }
}

#[tokio::test]
async fn parameters_and_headers_that_stand_twice() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        fixture.put(cloud, "k", b"x").await;
        let signed = Wire::of(&fixture.sign(cloud, &ObjectRequest::get(key("k"))));
        let target = signed.target.replacen('?', "?response-content-type=a&response-content-type=b&", 1);
        let twice = fixture.sign_again(cloud, Wire { target, ..signed.clone() });
        assert_eq!(fixture.send(&twice).await.status, 400, "{cloud:?}");
        let mut ranges = signed.clone();
        ranges.headers.extend([("range".into(), "bytes=0-0".into()), ("range".into(), "bytes=1-1".into())]);
        assert_eq!(fixture.send(&ranges).await.status, 400, "{cloud:?}");
    }
}

/// As S3 does with the URLs of SDKs that move headers to the query: applied, but for checksums.
#[tokio::test]
async fn headers_in_the_query() {
    let fixture = Fixture::memory().await;
    let signed = Wire::of(&fixture.sign(Cloud::S3, &ObjectRequest::put(key("k"))));
    let target = signed.target.replacen(
        '?',
        "?x-amz-meta-Owner=seven&x-amz-storage-class=GLACIER&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&",
        1,
    );
    let reply = fixture.send(&fixture.sign_again(Cloud::S3, Wire { target, ..signed.clone() }).body(b"x")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let get = fixture.get(Cloud::S3, "k").await;
    assert_eq!((get.header("x-amz-meta-owner"), get.header("x-amz-storage-class")), (Some("seven"), Some("GLACIER")));
    let target = signed.target.replacen("/k?", "/copy?", 1).replacen('?', "?x-amz-copy-source=media%2Fk&", 1);
    let reply = fixture.send(&fixture.sign_again(Cloud::S3, Wire { target, ..signed }).body(b"")).await;
    assert!(reply.text().contains("CopyObjectResult"), "{reply:?}");
}

#[tokio::test]
async fn a_signed_payload_digest_is_an_obligation() {
    let fixture = Fixture::memory().await;
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let put = ObjectRequest::put(key("k")).payload_sha256(abc);
    assert_eq!(fixture.call(Cloud::S3, &put, b"abd").await.refusal(), (400, "XAmzContentSHA256Mismatch".into()));
    assert_eq!(fixture.get(Cloud::S3, "k").await.status, 404);
    assert_eq!(fixture.call(Cloud::S3, &put, b"abc").await.status, 200);
}

#[tokio::test]
async fn a_customer_s_key_is_asked_for_and_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let secret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let with_key = |request: ObjectRequest| request.customer_key(CustomerKey::from_bytes(b"0123456789abcdef0123456789abcdef"));
    assert_eq!(fixture.call(Cloud::S3, &with_key(ObjectRequest::put(key("k"))), b"x").await.status, 200);
    assert_eq!(fixture.get(Cloud::S3, "k").await.refusal(), (400, "InvalidRequest".into()));
    assert_eq!(fixture.call(Cloud::S3, &with_key(ObjectRequest::get(key("k"))), b"").await.body, b"x");
    for file in files(folder.path()) {
        assert!(!std::fs::read_to_string(&file).unwrap().contains(secret), "{file:?}");
    }
}
