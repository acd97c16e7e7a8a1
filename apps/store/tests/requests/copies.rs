//! Copies, their conditions, and one part of an object.

use valetkey_core::ObjectRequest;
use valetkey_store::Cloud;

use crate::support::{CLOUDS, Fixture, key};

fn own(cloud: Cloud, name: &str) -> String {
    format!("{}{name}", if cloud == Cloud::S3 { "x-amz-" } else { "x-oss-" })
}

async fn copy(fixture: &Fixture, cloud: Cloud, target: &str, headers: &[(&str, &str)]) -> crate::support::Reply {
    let named: Vec<(String, &str)> = headers.iter().map(|(name, value)| (own(cloud, name), *value)).collect();
    let named: Vec<(&str, &str)> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    fixture.ask_with(cloud, "PUT", target, &named, b"").await
}

#[tokio::test]
async fn a_copy_happens_when_its_conditions_hold() {
    let fixture = Fixture::memory().await;
    let (before, after) = ("Sat, 21 Nov 2026 00:00:00 GMT", "Mon, 23 Nov 2026 00:00:00 GMT");
    for cloud in CLOUDS {
        fixture.put(cloud, "from", b"abc").await;
        let etag = fixture.get(cloud, "from").await.header("etag").unwrap().to_owned();
        let unchanged = if cloud == Cloud::S3 { 412 } else { 304 };
        let table: &[(&[(&str, &str)], u16)] = &[
            (&[], 200),
            (&[("copy-source-if-match", &etag)], 200),
            (&[("copy-source-if-match", "\"x\"")], 412),
            (&[("copy-source-if-none-match", "\"x\"")], 200),
            (&[("copy-source-if-none-match", &etag)], unchanged),
            (&[("copy-source-if-modified-since", before)], 200),
            (&[("copy-source-if-modified-since", after)], unchanged),
            (&[("copy-source-if-unmodified-since", after)], 200),
            (&[("copy-source-if-unmodified-since", before)], 412),
            (&[("copy-source-if-match", &etag), ("copy-source-if-unmodified-since", before)], 200),
            (&[("copy-source-if-none-match", &etag), ("copy-source-if-modified-since", before)], unchanged),
        ];
        for (conditions, status) in table {
            let target = format!("/other/to-{cloud:?}");
            let headers = [&[("copy-source", "/media/from")], *conditions].concat();
            let reply = copy(&fixture, cloud, &target, &headers).await;
            assert_eq!(reply.status, *status, "{cloud:?} {conditions:?}: {}", reply.text());
            if *status == 304 {
                assert!(reply.body.is_empty());
            }
            let there = fixture.ask(cloud, "DELETE", &target, b"").await;
            assert_eq!(there.status, 204);
        }
    }
}

#[tokio::test]
async fn a_copy_is_of_what_was_named() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let meta = own(cloud, "meta-a");
        let put = fixture
            .ask_with(cloud, "PUT", "/media/from", &[(&meta, "kept"), ("content-type", "text/plain"), (&own(cloud, "tagging"), "a=1&b=2%203")], b"abc")
            .await;
        assert_eq!(put.status, 200, "{}", put.text());
        let of = |name: &'static str| [("copy-source", name)];
        for (source, status) in [
            ("media/from", 200),
            ("/media/fr%6fm", 200),
            ("/media/from?versionId=null", 200),
            ("/media/from?versionId=1", 404),
            ("/media/absent", 404),
            ("/nobody/from", 404),
            ("from", 400),
            ("/media/%zz", 400),
            ("", 400),
        ] {
            assert_eq!(copy(&fixture, cloud, "/other/to", &of(source)).await.status, status, "{cloud:?} {source}");
        }
        let head = fixture.ask(cloud, "HEAD", "/other/to", b"").await;
        assert_eq!((head.header(&meta), head.header(&own(cloud, "tagging-count"))), (Some("kept"), Some("2")));
        let tags = fixture.ask(cloud, "GET", "/other/to?tagging", b"").await;
        assert!(tags.text().contains("<Tag><Key>b</Key><Value>2 3</Value></Tag>"), "{}", tags.text());
        let replace = copy(&fixture, cloud, "/other/to", &[("copy-source", "/media/from"), ("metadata-directive", "REPLACE"), ("meta-b", "new")]).await;
        assert_eq!(replace.status, 200);
        let head = fixture.ask(cloud, "HEAD", "/other/to", b"").await;
        assert_eq!((head.header(&meta), head.header(&own(cloud, "meta-b"))), (None, Some("new")));
        assert_eq!(copy(&fixture, cloud, "/other/to", &[("copy-source", "/media/from"), ("metadata-directive", "MERGE")]).await.status, 400);
        let onto = copy(&fixture, cloud, "/media/from", &of("/media/from")).await;
        match cloud {
            Cloud::S3 => assert_eq!(onto.refusal(), (400, "InvalidRequest".into()), "nothing would change"),
            Cloud::Oss => assert_eq!(onto.status, 200),
        }
        let changed = copy(&fixture, cloud, "/media/from", &[("copy-source", "/media/from"), ("metadata-directive", "REPLACE"), ("meta-c", "1")]).await;
        assert_eq!(changed.status, 200);
        let get = fixture.ask(cloud, "GET", "/media/from", b"").await;
        assert_eq!((get.body.as_slice(), get.header(&meta), get.header(&own(cloud, "meta-c"))), (b"abc".as_slice(), None, Some("1")));
    }
}

#[tokio::test]
async fn writes_and_deletes_with_conditions() {
    let fixture = Fixture::memory().await;
    fixture.put(Cloud::S3, "k", b"abc").await;
    let etag = fixture.get(Cloud::S3, "k").await.header("etag").unwrap().to_owned();
    for (method, headers, status, code) in [
        ("PUT", &[("if-match", "\"x\"")][..], 412, "PreconditionFailed"),
        ("PUT", &[("if-none-match", "*")], 412, "PreconditionFailed"),
        ("PUT", &[("if-none-match", "\"x\"")], 501, "NotImplemented"),
        ("PUT", &[("if-match", "\"x\""), ("if-none-match", "*")], 400, "InvalidRequest"),
        ("DELETE", &[("if-match", "\"x\"")], 412, "PreconditionFailed"),
        ("DELETE", &[("x-amz-if-match-size", "3")], 501, "NotImplemented"),
    ] {
        assert_eq!(fixture.ask_with(Cloud::S3, method, "/media/k", headers, b"").await.refusal(), (status, code.into()), "{method} {headers:?}");
        assert_eq!(fixture.get(Cloud::S3, "k").await.body, b"abc");
    }
    assert_eq!(fixture.ask_with(Cloud::S3, "PUT", "/media/absent", &[("if-match", &etag)], b"").await.refusal(), (404, "NoSuchKey".into()));
    assert_eq!(fixture.ask_with(Cloud::S3, "PUT", "/media/k", &[("if-match", &etag)], b"abc").await.status, 200);
    assert_eq!(fixture.ask_with(Cloud::S3, "DELETE", "/media/k", &[("if-match", &etag)], b"").await.status, 204);
    assert_eq!(fixture.ask_with(Cloud::S3, "PUT", "/media/k", &[("if-none-match", "*")], b"abc").await.status, 200);
    let oss = fixture.ask_with(Cloud::Oss, "PUT", "/media/k", &[("x-oss-forbid-overwrite", "true")], b"x").await;
    assert_eq!(oss.refusal(), (409, "FileAlreadyExists".into()));
    let copied = fixture.ask_with(Cloud::Oss, "PUT", "/media/k", &[("x-oss-forbid-overwrite", "true"), ("x-oss-copy-source", "/media/k")], b"").await;
    assert_eq!(copied.refusal(), (409, "FileAlreadyExists".into()));
}

#[tokio::test]
async fn one_part_of_an_object() {
    let fixture = Fixture::memory().await;
    let first = vec![b'a'; 5 << 20];
    let id = fixture.call(Cloud::S3, &ObjectRequest::create_multipart(key("big")), b"").await.element("UploadId");
    let mut list = String::new();
    for (number, bytes) in [(2, first.as_slice()), (7, b"end")] {
        let etag = fixture.ask(Cloud::S3, "PUT", &format!("/media/big?partNumber={number}&uploadId={id}"), bytes).await.header("etag").unwrap().to_owned();
        list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    let complete = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    assert_eq!(fixture.ask(Cloud::S3, "POST", &format!("/media/big?uploadId={id}"), complete.as_bytes()).await.status, 200);
    let last = fixture.ask(Cloud::S3, "GET", "/media/big?partNumber=7", b"").await;
    assert_eq!((last.status, last.body.as_slice(), last.header("x-amz-mp-parts-count")), (206, b"end".as_slice(), Some("2")));
    assert_eq!(last.header("content-range"), Some("bytes 5242880-5242882/5242883"));
    let head = fixture.ask(Cloud::S3, "HEAD", "/media/big?partNumber=2", b"").await;
    assert_eq!((head.status, head.header("content-length")), (206, Some("5242880")));
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media/big?partNumber=1", b"").await.refusal(), (416, "InvalidPartNumber".into()));
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media/big?partNumber=0", b"").await.refusal(), (400, "InvalidArgument".into()));
    assert_eq!(fixture.ask_with(Cloud::S3, "GET", "/media/big?partNumber=2", &[("range", "bytes=0-1")], b"").await.refusal(), (400, "InvalidRequest".into()));
    fixture.put(Cloud::S3, "small", b"abc").await;
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media/small?partNumber=1", b"").await.body, b"abc");
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media/small?partNumber=2", b"").await.refusal(), (416, "InvalidPartNumber".into()));
    assert_eq!(fixture.ask(Cloud::Oss, "GET", "/media/small?partNumber=1", b"").await.refusal(), (501, "NotImplemented".into()));
}
