//! Objects that everybody may read, where the store allows it.

use valetkey_core::{Acl, AddressingStyle, CopySource, ObjectRequest};
use valetkey_store::Cloud;

use crate::support::{BUCKET, CLOUDS, Fixture, Wire, key};

pub(crate) fn anonymous(fixture: &Fixture, method: &str, target: &str) -> Wire {
    let headers = vec![("host".into(), fixture.store.address().to_string())];
    Wire { method: method.into(), target: target.into(), headers, body: Vec::new(), with_length: method != "HEAD" }
}

async fn filled(fixture: &Fixture) {
    for (name, acl) in [
        ("read", Some(Acl::PublicRead)),
        ("write", Some(Acl::PublicReadWrite)),
        ("private", Some(Acl::Private)),
        ("members", Some(Acl::Other("authenticated-read".into()))),
        ("none", None),
    ] {
        let put = ObjectRequest::put(key(name)).content_type("text/plain");
        let put = acl.into_iter().fold(put, ObjectRequest::acl);
        assert_eq!(fixture.call(Cloud::S3, &put, b"0123456789").await.status, 200);
    }
}

#[tokio::test]
async fn nobody_reads_without_a_signature_unless_the_store_allows_it() {
    for allow in [None, Some(false)] {
        let fixture = Fixture::with(|builder| allow.into_iter().fold(builder, valetkey_store::StoreBuilder::allow_public_read)).await;
        filled(&fixture).await;
        for name in ["read", "write", "private", "none", "absent"] {
            assert_eq!(fixture.send(&anonymous(&fixture, "GET", &format!("/media/{name}"))).await.refusal(), (403, "AccessDenied".into()), "{name}");
            assert_eq!(fixture.send(&anonymous(&fixture, "HEAD", &format!("/media/{name}"))).await.status, 403, "{name}");
        }
    }
}

#[tokio::test]
async fn a_public_object_and_nothing_else() {
    let fixture = Fixture::with(|builder| builder.allow_public_read(true)).await;
    filled(&fixture).await;
    for name in ["read", "write", "read?v=7", "%72ead"] {
        let get = fixture.send(&anonymous(&fixture, "GET", &format!("/media/{name}"))).await;
        assert_eq!((get.status, get.body.as_slice(), get.header("content-type")), (200, b"0123456789".as_slice(), Some("text/plain")), "{name}");
        let head = fixture.send(&anonymous(&fixture, "HEAD", &format!("/media/{name}"))).await;
        assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("10")), "{name}");
    }
    let virtual_style = anonymous(&fixture, "GET", "/read").header("host", &format!("{BUCKET}.localhost:{}", fixture.store.address().port()));
    assert_eq!(fixture.send(&virtual_style).await.status, 200);
    let range = fixture.send(&anonymous(&fixture, "GET", "/media/read").header("range", "bytes=2-4")).await;
    assert_eq!((range.status, range.body.as_slice()), (206, b"234".as_slice()));
    let etag = fixture.get(Cloud::S3, "read").await.header("etag").unwrap().to_owned();
    assert_eq!(fixture.send(&anonymous(&fixture, "GET", "/media/read").header("if-none-match", &etag)).await.status, 304);
    let oss = fixture.send(&anonymous(&fixture, "GET", "/media/read").header("x-oss-request-payer", "requester")).await;
    assert!(oss.status == 200 && oss.header("x-oss-object-type") == Some("Normal"), "the words of the dialect: {oss:?}");

    for (method, target) in [
        ("GET", "/media/private"),
        ("GET", "/media/members"),
        ("GET", "/media/none"),
        ("GET", "/media/absent"),
        ("GET", "/nobody/read"),
        ("GET", "/other/read"),
        ("GET", "/media"),
        ("GET", "/media/"),
        ("GET", "/media?list-type=2"),
        ("GET", "/"),
        ("GET", "/media/read?acl"),
        ("GET", "/media/read?tagging"),
        ("GET", "/media/read?uploadId=1"),
        ("GET", "/media/read?versionId=null"),
        ("GET", "/media/read?partNumber=1"),
        ("GET", "/media/read?x-oss-process=image/resize"),
        ("PUT", "/media/read"),
        ("PUT", "/media/write"),
        ("DELETE", "/media/write"),
        ("POST", "/media/write?uploads"),
    ] {
        let reply = fixture.send(&anonymous(&fixture, method, target)).await;
        assert_eq!(reply.refusal(), (403, "AccessDenied".into()), "{method} {target}");
        assert!(!reply.text().contains("0123456789"));
    }
    let unknown_host = anonymous(&fixture, "GET", "/media/read").header("host", "evil.example");
    assert_eq!(fixture.send(&unknown_host).await.status, 403);
    let (bearer, old) = (anonymous(&fixture, "GET", "/media/read").header("authorization", "Bearer x"), anonymous(&fixture, "GET", "/media/read?Signature=x"));
    for (authorized, status) in [(bearer, 400), (old, 403)] {
        assert_eq!(fixture.send(&authorized).await.status, status, "a signature that is none is judged as one");
    }
    for target in ["/media/read?response-content-type=text/html", "/media/read?a=b&response-content-disposition=attachment"] {
        assert_eq!(fixture.send(&anonymous(&fixture, "GET", target)).await.refusal(), (400, "InvalidRequest".into()), "{target}");
    }
    assert_eq!(fixture.send(&anonymous(&fixture, "GET", "/media/none?response-content-type=a")).await.status, 403);
}

#[tokio::test]
async fn access_is_not_copied_and_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let path = folder.path().to_path_buf();
        let fixture = Fixture::with(|builder| builder.folder(path).allow_public_read(true)).await;
        if round == 0 {
            for cloud in CLOUDS {
                let name = format!("{cloud:?}");
                assert_eq!(fixture.call(cloud, &ObjectRequest::put(key(&name)).acl(Acl::PublicRead), b"x").await.status, 200);
                let copy = ObjectRequest::copy(key(&format!("{name} copy")), CopySource::new(BUCKET, key(&name)));
                assert_eq!(fixture.call(cloud, &copy, b"").await.status, 200);
            }
        }
        for cloud in CLOUDS {
            assert_eq!(fixture.send(&anonymous(&fixture, "GET", &format!("/media/{cloud:?}"))).await.status, 200);
            assert_eq!(fixture.send(&anonymous(&fixture, "GET", &format!("/media/{cloud:?}%20copy"))).await.status, 403);
        }
        fixture.store.shutdown().await;
    }
    let fixture = Fixture { style: AddressingStyle::Path, ..Fixture::start(Some(folder.path().to_path_buf())).await };
    assert_eq!(fixture.send(&anonymous(&fixture, "GET", "/media/S3")).await.status, 403, "a store that does not allow it");
}
