//! Many objects deleted by one request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use valetkey_store::Cloud;

use crate::support::{CLOUDS, Fixture, Reply};

fn list(keys: impl Iterator<Item = String>, more: &str) -> String {
    let objects: String = keys.map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    format!("<Delete>{more}{objects}</Delete>")
}

async fn delete(fixture: &Fixture, cloud: Cloud, body: &str) -> Reply {
    let md5 = STANDARD.encode(Md5::digest(body));
    fixture.ask_with(cloud, "POST", "/media?delete", &[("content-md5", &md5)], body.as_bytes()).await
}

#[tokio::test]
async fn a_list_is_deleted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    for cloud in CLOUDS {
        for name in ["a&b", "*", "victim", "v"] {
            fixture.put(cloud, name, b"x").await;
        }
        let reply = delete(&fixture, cloud, &list(["a&amp;b", "*", "absent"].map(str::to_owned).into_iter(), "")).await;
        assert_eq!((reply.status, reply.text().matches("<Deleted>").count()), (200, 3), "{}", reply.text());
        assert_eq!(fixture.keys().await, ["v", "victim"]);
        let quiet = delete(&fixture, cloud, &list(["v".to_owned()].into_iter(), "<Quiet>true</Quiet>")).await;
        assert_eq!((quiet.status, quiet.text().matches("Key").count()), (200, 0));
        let version = "<Delete><Object><Key>victim</Key><VersionId>7</VersionId></Object></Delete>";
        let kept = delete(&fixture, cloud, version).await;
        assert_eq!((kept.status, kept.element("Code")), (200, "NoSuchVersion".into()));
        assert_eq!(fixture.keys().await, ["victim"]);
    }
    let etag = "<Delete><Object><Key>victim</Key><ETag>\"x\"</ETag></Object></Delete>";
    assert_eq!(delete(&fixture, Cloud::S3, etag).await.element("Code"), "PreconditionFailed");
    assert_eq!(fixture.keys().await, ["victim"]);
    assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 1);
}

#[tokio::test]
async fn lists_that_are_refused_delete_nothing() {
    let fixture = Fixture::memory().await;
    fixture.put(Cloud::S3, "k0", b"x").await;
    for cloud in CLOUDS {
        let many = |count| list((0..count).map(|n| format!("k{n}")), "");
        assert_eq!(delete(&fixture, cloud, &many(1001)).await.refusal(), (400, "MalformedXML".into()));
        let entity = "<!DOCTYPE a [<!ENTITY b \"k0\">]><Delete><Object><Key>&b;</Key></Object></Delete>";
        assert_eq!(delete(&fixture, cloud, entity).await.refusal(), (400, "MalformedXML".into()));
        let wrong = fixture.ask_with(cloud, "POST", "/media?delete", &[("content-md5", "kAFQmDzST7DWlj99KOF/cg==")], many(1).as_bytes()).await;
        assert_eq!(wrong.refusal(), (400, if cloud == Cloud::S3 { "BadDigest" } else { "InvalidDigest" }.into()));
        let unsure = fixture.ask(cloud, "POST", "/media?delete", many(1).replace("k0", "other").as_bytes()).await;
        match cloud {
            Cloud::S3 => assert_eq!(unsure.refusal(), (400, "InvalidRequest".into()), "no digest of the body"),
            Cloud::Oss => assert_eq!(unsure.status, 200),
        }
        let too_large = vec![b' '; (2 << 20) + 1];
        let md5 = STANDARD.encode(Md5::digest(&too_large));
        assert_eq!(fixture.ask_with(cloud, "POST", "/media?delete", &[("content-md5", &md5)], &too_large).await.refusal(), (400, "EntityTooLarge".into()));
        assert_eq!(fixture.keys().await, ["k0"]);
    }
    let checksum = "x-amz-checksum-crc32";
    let reply = fixture.ask_with(Cloud::S3, "POST", "/media?delete", &[(checksum, "AAAAAA==")], list(["k0".to_owned()].into_iter(), "").as_bytes()).await;
    assert_eq!(reply.refusal(), (400, "BadDigest".into()));
    let reply = delete(&fixture, Cloud::S3, &list((0..1000).map(|n| format!("k{n}")), "")).await;
    assert_eq!((reply.status, reply.text().matches("<Deleted>").count()), (200, 1000));
}
