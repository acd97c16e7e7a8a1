//! What a signature says of a body, in every operation that has one, and in those that have none.

use valetkey_store::Cloud;

use crate::support::{Fixture, authorize::sha256};

const CORS: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";

#[tokio::test]
async fn another_body_than_the_signed_one_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    fixture.put(Cloud::S3, "k", b"kept").await;
    let id = fixture.ask(Cloud::S3, "POST", "/media/up?uploads", b"").await.element("UploadId");
    let etag = fixture.ask(Cloud::S3, "PUT", &format!("/media/up?partNumber=1&uploadId={id}"), b"x").await.header("etag").unwrap().to_owned();
    let list = format!("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>");
    let blobs = || std::fs::read_dir(folder.path().join("blobs")).unwrap().count();
    let before = blobs();
    let delete = "<Delete><Object><Key>k</Key></Object></Delete>";
    let part = format!("/media/up?partNumber=1&uploadId={id}");
    let complete = format!("/media/up?uploadId={id}");
    for (method, target, body) in [
        ("PUT", "/media/k", "new"),
        ("PUT", part.as_str(), "new"),
        ("POST", &complete, &list),
        ("POST", "/media?delete", delete),
        ("PUT", "/media?cors", CORS),
        ("PUT", "/fresh", "<CreateBucketConfiguration/>"),
        ("DELETE", "/media/k", "a body that nobody needs"),
        ("POST", "/media/up?uploads", "a body that nobody needs"),
        ("DELETE", &complete, "a body that nobody needs"),
    ] {
        // Signed for another body, and for the empty one; sent with a length and in chunks.
        for signed in [sha256(b"another"), sha256(b"")] {
            let (wire, _) = fixture.authorize(Cloud::S3, fixture.raw(method, target), &signed);
            let wire = wire.header("content-md5", "").without("content-md5");
            let reply = fixture.send(&wire.body(body.as_bytes())).await;
            assert_eq!(reply.status, 400, "{method} {target}: {reply:?}");
            let code = reply.element("Code");
            assert!(code == "XAmzContentSHA256Mismatch" || target.ends_with("?delete"), "{method} {target}: {code}");
        }
    }
    for (method, target) in [("GET", "/media/k"), ("DELETE", "/media/k"), ("GET", "/media?list-type=2")] {
        let (wire, _) = fixture.authorize(Cloud::S3, fixture.raw(method, target), &sha256(b"a body that is not sent"));
        assert_eq!(fixture.send(&wire).await.refusal(), (400, "XAmzContentSHA256Mismatch".into()), "{method} {target}");
    }
    assert_eq!((fixture.get(Cloud::S3, "k").await.body.as_slice(), blobs()), (b"kept".as_slice(), before));
    assert_eq!(fixture.ask(Cloud::S3, "HEAD", "/fresh", b"").await.status, 404);
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media?cors", b"").await.status, 404);
    assert_eq!(fixture.ask(Cloud::S3, "POST", &complete, list.as_bytes()).await.status, 200, "the upload is still there");
}

#[tokio::test]
async fn oss_takes_a_body_without_a_length() {
    let fixture = Fixture::memory().await;
    for (cloud, status) in [(Cloud::Oss, 200), (Cloud::S3, 501)] {
        let (wire, _) = fixture.authorize(cloud, fixture.raw("PUT", "/media/k").header("transfer-encoding", "chunked"), "UNSIGNED-PAYLOAD");
        let reply = fixture.send(&wire.without_length().body(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    assert_eq!(fixture.get(Cloud::Oss, "k").await.body, b"hello world");
}
