//! What the store does for requests that are signed right, in both dialects.

mod support;

use support::{BUCKET, CLOUDS, Fixture, Wire, key};
use valetkey_core::{AddressingStyle, ByteRange, ContentMd5, CopySource, ObjectRequest, ResponseHeader};
use valetkey_store::Cloud;

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 251) as u8).collect()
}

#[tokio::test]
async fn a_round_trip_in_both_dialects_styles_and_kinds_of_storage() {
    let folder = tempfile::tempdir().unwrap();
    for storage in [None, Some(folder.path().to_path_buf())] {
        let mut fixture = Fixture::start(storage).await;
        for style in [AddressingStyle::Path, AddressingStyle::Virtual] {
            fixture.style = style;
            for (cloud, other) in [(Cloud::S3, Cloud::Oss), (Cloud::Oss, Cloud::S3)] {
                let body = pattern(1_000_000);
                let name = "ordner/\u{e9}t\u{e9} 100%+1?.png";
                let put = ObjectRequest::put(key(name))
                    .content_type("image/png")
                    .content_length(body.len() as u64)
                    .metadata("owner", "seven")
                    .cache_control("no-store")
                    .content_disposition("inline");
                let reply = fixture.call(cloud, &put, &body).await;
                assert_eq!(reply.status, 200, "{cloud:?} {style:?} {reply:?}");
                let head = fixture.call(cloud, &ObjectRequest::head(key(name)), b"").await;
                let prefix = if cloud == Cloud::S3 { "x-amz-" } else { "x-oss-" };
                let expected = [
                    ("content-length", "1000000"),
                    ("content-type", "image/png"),
                    ("cache-control", "no-store"),
                    ("content-disposition", "inline"),
                    (&format!("{prefix}meta-owner"), "seven"),
                    ("last-modified", "Sun, 22 Nov 2026 10:30:00 GMT"),
                    ("accept-ranges", "bytes"),
                    ("x-content-type-options", "nosniff"),
                    ("content-security-policy", "sandbox; default-src 'none'"),
                    ("etag", reply.header("etag").unwrap()),
                ];
                for (name, value) in expected {
                    assert_eq!(head.header(name), Some(value), "{head:?}");
                }
                assert!(head.body.is_empty() && head.header(&format!("{prefix}request-id")).is_some());
                let get = fixture.get(cloud, name).await;
                assert!(get.status == 200 && get.body == body);
                assert!(fixture.get(other, name).await.body == body, "the other dialect reads the same object");
                let range = fixture.call(cloud, &ObjectRequest::get(key(name)).range(ByteRange::Bounded { first: 10, last: 19 }), b"").await;
                assert_eq!((range.status, range.header("content-range")), (206, Some("bytes 10-19/1000000")));
                assert_eq!(range.body, body[10..20]);
                for _ in 0..2 {
                    assert_eq!(fixture.call(cloud, &ObjectRequest::delete(key(name)), b"").await.status, 204);
                }
                assert_eq!(fixture.get(cloud, name).await.refusal(), (404, "NoSuchKey".into()));
            }
        }
        fixture.store.shutdown().await;
    }
}

#[tokio::test]
async fn uploads_in_parts() {
    let fixture = Fixture::memory().await;
    for (cloud, min) in [(Cloud::S3, 5 << 20), (Cloud::Oss, 100 << 10)] {
        let created = fixture.call(cloud, &ObjectRequest::create_multipart(key("big")).metadata("a", "b"), b"").await;
        assert_eq!((created.status, created.element("Bucket"), created.element("Key")), (200, BUCKET.into(), "big".into()));
        let id = created.element("UploadId");
        let mut list = String::new();
        for (number, bytes) in [(1, pattern(min)), (2, b"end".to_vec())] {
            let reply = fixture.call(cloud, &ObjectRequest::upload_part(key("big"), &id, number), &bytes).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", reply.header("etag").unwrap()));
        }
        let copied = fixture.call(cloud, &ObjectRequest::upload_part(key("big"), &id, 3), b"unused").await;
        assert_eq!(copied.status, 200);
        let parts = fixture.call(cloud, &ObjectRequest::list_parts(key("big"), &id), b"").await;
        assert_eq!((parts.status, parts.text().matches("<Part>").count(), parts.element("IsTruncated")), (200, 3, "false".into()));
        let complete = ObjectRequest::complete_multipart(key("big"), &id);
        let refused = fixture.call(cloud, &complete, b"<CompleteMultipartUpload/>").await;
        assert_eq!(refused.refusal(), (400, "MalformedXML".into()));
        let body = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        let completed = fixture.call(cloud, &complete, body.as_bytes()).await;
        assert_eq!(completed.status, 200, "{completed:?}");
        assert!(completed.element("ETag").ends_with("-2\""), "{completed:?}");
        assert_eq!(completed.element("Location"), format!("{}/{BUCKET}/big", fixture.store.endpoint()));
        let get = fixture.get(cloud, "big").await;
        assert!(get.body == [pattern(min), b"end".to_vec()].concat());
        let again = fixture.call(cloud, &complete, body.as_bytes()).await;
        match cloud {
            Cloud::S3 => assert_eq!((again.status, again.element("ETag")), (200, completed.element("ETag"))),
            Cloud::Oss => assert_eq!(again.refusal(), (404, "NoSuchUpload".into())),
        }
        let other = fixture.call(cloud, &complete, body.replacen("<PartNumber>2<", "<PartNumber>3<", 1).as_bytes()).await;
        assert_eq!(other.refusal(), (404, "NoSuchUpload".into()), "another list is not the one that was completed");
        let created = fixture.call(cloud, &ObjectRequest::create_multipart(key("gone")), b"").await;
        let id = created.element("UploadId");
        assert_eq!(fixture.call(cloud, &ObjectRequest::abort_multipart(key("gone"), &id), b"").await.status, 204);
        assert_eq!(fixture.call(cloud, &ObjectRequest::abort_multipart(key("gone"), &id), b"").await.status, 404);
    }
}

#[tokio::test]
async fn copies() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let put = ObjectRequest::put(key("from \u{e9}")).content_type("text/plain").metadata("kept", "yes");
        assert_eq!(fixture.call(cloud, &put, b"0123456789").await.status, 200);
        let source = || CopySource::new(BUCKET, key("from \u{e9}"));
        let copied = fixture.call(cloud, &ObjectRequest::copy(key("to"), source()), b"").await;
        assert_eq!(copied.status, 200, "{copied:?}");
        let get = fixture.get(cloud, "to").await;
        let meta = if cloud == Cloud::S3 { "x-amz-meta-kept" } else { "x-oss-meta-kept" };
        assert_eq!((get.body.as_slice(), get.header(meta), get.header("content-type")), (b"0123456789".as_slice(), Some("yes"), Some("text/plain")));
        let absent = fixture.call(cloud, &ObjectRequest::copy(key("to"), CopySource::new(BUCKET, key("absent"))), b"").await;
        assert_eq!(absent.refusal(), (404, "NoSuchKey".into()));
        let id = fixture.call(cloud, &ObjectRequest::create_multipart(key("parts")), b"").await.element("UploadId");
        let part = fixture.call(cloud, &ObjectRequest::upload_part_copy(key("parts"), &id, 1, source()).copy_source_range(2, 4), b"").await;
        assert_eq!(part.status, 200, "{part:?}");
        let list = format!("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>", part.element("ETag"));
        assert_eq!(fixture.call(cloud, &ObjectRequest::complete_multipart(key("parts"), &id), list.as_bytes()).await.status, 200);
        assert_eq!(fixture.get(cloud, "parts").await.body, b"234");
    }
}

#[tokio::test]
async fn listings() {
    let fixture = Fixture::memory().await;
    for name in ["a", "b/1", "b/2", "c&d", "e"] {
        fixture.put(Cloud::S3, name, b"x").await;
    }
    for cloud in CLOUDS {
        let mut request = ObjectRequest::list().delimiter("/").max_keys(2);
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let page = fixture.call(cloud, &request, b"").await;
            assert_eq!(page.status, 200, "{page:?}");
            pages += 1;
            let text = page.text();
            let after = |mark: &str| text.split(mark).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>();
            found.extend([after("<Key>"), after("<CommonPrefixes><Prefix>")].concat());
            if page.element("IsTruncated") == "false" {
                break;
            }
            request = ObjectRequest::list().delimiter("/").max_keys(2).continuation_token(page.element("NextContinuationToken"));
        }
        found.sort();
        assert_eq!((found, pages), (["a", "b/", "c&amp;d", "e"].map(str::to_owned).to_vec(), 2));
        let below = fixture.call(cloud, &ObjectRequest::list().prefix("b/"), b"").await;
        assert_eq!(below.element("KeyCount"), "2");
        let malformed = fixture.call(cloud, &ObjectRequest::list().query("max-keys", "many"), b"").await;
        assert_eq!(malformed.refusal(), (400, "InvalidArgument".into()));
    }
}

#[tokio::test]
async fn create_only_and_conditions() {
    let fixture = Fixture::memory().await;
    for (cloud, refusal) in [(Cloud::S3, (412, "PreconditionFailed")), (Cloud::Oss, (409, "FileAlreadyExists"))] {
        let name = format!("once {cloud:?}");
        let create = ObjectRequest::put(key(&name)).create_only();
        assert_eq!(fixture.call(cloud, &create, b"first").await.status, 200);
        assert_eq!(fixture.call(cloud, &create, b"second").await.refusal(), (refusal.0, refusal.1.to_owned()));
        let get = fixture.get(cloud, &name).await;
        assert_eq!(get.body, b"first");
        let etag = get.header("etag").unwrap().to_owned();
        let signed = Wire::of(&fixture.sign(cloud, &ObjectRequest::get(key(&name))));
        let not_modified = fixture.send(&signed.clone().header("if-none-match", &etag)).await;
        assert_eq!((not_modified.status, not_modified.body.len(), not_modified.header("etag")), (304, 0, Some(etag.as_str())));
        assert_eq!(fixture.send(&signed.clone().header("if-match", "\"other\"")).await.refusal(), (412, "PreconditionFailed".into()));
        let whole = fixture.send(&signed.clone().header("range", "bytes=0-1").header("if-range", "\"other\"")).await;
        assert_eq!((whole.status, whole.body.as_slice()), (200, b"first".as_slice()));
    }
}

#[tokio::test]
async fn overrides_and_ranges() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        fixture.put(cloud, "x", b"0123456789").await;
        let get = ObjectRequest::get(key("x"))
            .response_header(ResponseHeader::ContentType, "text/html")
            .response_header(ResponseHeader::CacheControl, "no-cache")
            .download_name("na\u{ef}ve.txt");
        let reply = fixture.call(cloud, &get, b"").await;
        assert_eq!((reply.status, reply.header("content-type"), reply.header("cache-control")), (200, Some("text/html"), Some("no-cache")));
        assert!(reply.header("content-disposition").unwrap().contains("filename*=UTF-8''na%C3%AFve.txt"), "{reply:?}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        let signed = Wire::of(&fixture.sign(cloud, &ObjectRequest::get(key("x"))));
        let many = format!("bytes={}", "0-0,".repeat(1000));
        let table: [(&str, u16); 8] = [
            ("bytes=5-2", 200),
            ("bytes=abc", 200),
            ("bytes=0-0,2-3", 200),
            ("bytes=-0", 416),
            ("bytes=10-", 416),
            (&many, 416),
            ("bytes=99999999999999999999-", 416),
            ("bytes=18446744073709551615-18446744073709551615", 416),
        ];
        for (range, status) in table {
            let reply = fixture.send(&signed.clone().header("range", range)).await;
            assert_eq!(reply.status, status, "{range}");
            if status == 416 {
                assert_eq!((reply.element("Code"), reply.header("content-range")), ("InvalidRange".into(), Some("bytes */10")));
            } else {
                assert_eq!(reply.body, b"0123456789");
            }
        }
        for parameter in ["response-content-disposition=inline%0D%0ASet-Cookie%3Ax", "response-content-type=text%2F%E2%98%83"] {
            let wire = Wire { target: signed.target.replacen('?', &format!("?{parameter}&"), 1), ..signed.clone() };
            let reply = fixture.send(&fixture.sign_again(cloud, wire)).await;
            assert_eq!(reply.refusal(), (400, "InvalidArgument".into()), "{reply:?}");
            assert_eq!(reply.header("set-cookie"), None);
        }
    }
}

#[tokio::test]
async fn digests_are_kept_or_the_object_is_not() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let name = format!("md5 {cloud:?}");
        let put = ObjectRequest::put(key(&name)).content_md5(ContentMd5::from_base64("kAFQmDzST7DWlj99KOF/cg==").unwrap());
        let code = if cloud == Cloud::S3 { "BadDigest" } else { "InvalidDigest" };
        assert_eq!(fixture.call(cloud, &put, b"abd").await.refusal(), (400, code.into()));
        assert_eq!(fixture.get(cloud, &name).await.status, 404);
        assert_eq!(fixture.call(cloud, &put, b"abc").await.status, 200);
    }
    let crc32 = valetkey_core::Checksum::new(valetkey_core::ChecksumAlgorithm::Crc32, "NSRBwg==").unwrap();
    let put = ObjectRequest::put(key("crc")).checksum(crc32);
    assert_eq!(fixture.call(Cloud::S3, &put, b"abd").await.refusal(), (400, "BadDigest".into()));
    let reply = fixture.call(Cloud::S3, &put, b"abc").await;
    assert_eq!((reply.status, reply.header("x-amz-checksum-crc32")), (200, Some("NSRBwg==")));
    let head = fixture.call(Cloud::S3, &ObjectRequest::head(key("crc")).header("x-amz-checksum-mode", "ENABLED"), b"").await;
    assert_eq!(head.header("x-amz-checksum-crc32"), Some("NSRBwg=="), "{head:?}");
    let crc64 = fixture.call(Cloud::Oss, &ObjectRequest::put(key("crc64")), b"123456789").await;
    assert_eq!(crc64.header("x-oss-hash-crc64ecma"), Some("11051210869376104954"));
}

#[tokio::test]
async fn what_the_store_does_not_do_it_says() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        fixture.put(cloud, "x", b"x").await;
        for (name, value) in [("acl", ""), ("torrent", ""), ("policy", "")] {
            let reply = fixture.call(cloud, &ObjectRequest::get(key("x")).query(name, value), b"").await;
            assert_eq!(reply.refusal(), (501, "NotImplemented".into()), "{name}");
        }
        let reply = fixture.call(cloud, &ObjectRequest::get(key("x")).version_id("abc"), b"").await;
        assert_eq!(reply.refusal(), (404, "NoSuchVersion".into()));
    }
    let lock = ObjectRequest::put(key("x")).header("x-amz-object-lock-mode", "GOVERNANCE");
    assert_eq!(fixture.call(Cloud::S3, &lock, b"y").await.refusal(), (501, "NotImplemented".into()));
    assert_eq!(fixture.get(Cloud::S3, "x").await.body, b"x");
}
