//! Listings page by page, in both versions, and of uploads.

use valetkey_store::Cloud;

use crate::support::{CLOUDS, Fixture, Reply};

fn all(reply: &Reply, mark: &str) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().split(mark).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_give_every_entry_once() {
    let fixture = Fixture::memory().await;
    for name in ["a", "b/1", "b/2", "c d&e", "f"] {
        fixture.put(Cloud::S3, name, b"x").await;
    }
    for cloud in CLOUDS {
        for version in [1, 2] {
            for size in [1, 2, 3] {
                let (mut found, mut position) = (Vec::new(), String::new());
                loop {
                    let kind = if version == 2 { "list-type=2&" } else { "" };
                    let page = fixture.ask(cloud, "GET", &format!("/media?{kind}delimiter=%2F&encoding-type=url&max-keys={size}{position}"), b"").await;
                    let entries = [all(&page, "<Key>"), all(&page, "<CommonPrefixes><Prefix>")].concat();
                    assert!(entries.len() <= size);
                    found.extend(entries);
                    if page.element("IsTruncated") == "false" {
                        break;
                    }
                    position = match version {
                        1 => format!("&marker={}", page.element("NextMarker")),
                        _ => format!("&continuation-token={}", page.element("NextContinuationToken")),
                    };
                }
                found.sort();
                assert_eq!(found, ["a", "b/", "c%20d%26e", "f"], "{cloud:?} version {version}, {size} a page");
            }
        }
        let with_owner = fixture.ask(cloud, "GET", "/media?list-type=2&fetch-owner=true", b"").await;
        assert_eq!(all(&with_owner, "<Owner><ID>").len(), 5);
        let after = fixture.ask(cloud, "GET", "/media?list-type=2&start-after=b%2F2", b"").await;
        assert_eq!((all(&after, "<Key>").len(), after.element("StartAfter")), (2, "b/2".into()));
        for target in ["list-type=2&continuation-token=YQ", "max-keys=-1", "max-keys=x", "encoding-type=gzip", "list-type=2&fetch-owner=maybe"] {
            assert_eq!(fixture.ask(cloud, "GET", &format!("/media?{target}"), b"").await.refusal(), (400, "InvalidArgument".into()), "{cloud:?} {target}");
        }
        let empty = fixture.ask(cloud, "GET", "/media?list-type=2&continuation-token=", b"").await;
        assert_eq!(empty.status, if cloud == Cloud::S3 { 400 } else { 200 }, "{cloud:?}: an empty token");
        let first = fixture.ask(cloud, "GET", "/media?list-type=2&max-keys=1", b"").await.element("NextContinuationToken");
        let elsewhere = fixture.ask(cloud, "GET", &format!("/other?list-type=2&continuation-token={first}"), b"").await;
        assert_eq!(elsewhere.refusal(), (400, "InvalidArgument".into()), "the token of another bucket");
    }
    let none = fixture.ask(Cloud::S3, "GET", "/media?list-type=2&max-keys=0", b"").await;
    assert_eq!((none.element("KeyCount"), none.element("IsTruncated")), ("0".into(), "false".into()));
    assert_eq!(fixture.ask(Cloud::Oss, "GET", "/media?list-type=2&max-keys=0", b"").await.refusal(), (400, "InvalidArgument".into()));
    assert_eq!(fixture.ask(Cloud::Oss, "GET", "/media?max-keys=1001", b"").await.refusal(), (400, "InvalidArgument".into()));
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media?max-keys=1001", b"").await.element("MaxKeys"), "1000");
    assert_eq!(fixture.ask(Cloud::Oss, "GET", "/media", b"").await.element("MaxKeys"), "100");
}

#[tokio::test]
async fn uploads_that_are_under_way() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let mut begun = Vec::new();
        for name in ["a", "a", "b/1", "b/2"] {
            fixture.now.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            begun.push((name.to_owned(), fixture.ask(cloud, "POST", &format!("/media/{name}?uploads"), b"").await.element("UploadId")));
        }
        let whole = fixture.ask(cloud, "GET", "/media?uploads", b"").await;
        let listed: Vec<_> = all(&whole, "<Key>").into_iter().zip(all(&whole, "<UploadId>")).collect();
        assert_eq!(listed, begun, "by key, then by the time they began");
        let first = fixture.ask(cloud, "GET", "/media?uploads&max-uploads=1&delimiter=%2F", b"").await;
        assert_eq!((first.element("NextKeyMarker"), first.element("NextUploadIdMarker")), begun[0].clone());
        let rest = fixture.ask(cloud, "GET", &format!("/media?uploads&delimiter=%2F&key-marker=a&upload-id-marker={}", begun[0].1), b"").await;
        assert_eq!((all(&rest, "<UploadId>"), all(&rest, "<CommonPrefixes><Prefix>")), (vec![begun[1].1.clone()], vec!["b/".to_owned()]));
        assert_eq!(all(&fixture.ask(cloud, "GET", "/media?uploads&prefix=b", b"").await, "<UploadId>").len(), 2);
        assert!(all(&fixture.ask(cloud, "GET", "/other?uploads", b"").await, "<UploadId>").is_empty());
        for (name, id) in begun {
            assert_eq!(fixture.ask(cloud, "DELETE", &format!("/media/{name}?uploadId={id}"), b"").await.status, 204);
        }
    }
}
