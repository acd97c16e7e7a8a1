//! Buckets made, told and deleted by requests.

use valetkey_core::ObjectRequest;
use valetkey_store::{Cloud, StoreBuilder};

use crate::support::{CLOUDS, Fixture, Reply, key};

fn names(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().split("<Name>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_bucket_lives_and_goes() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let created = fixture.ask(cloud, "PUT", "/fresh", b"").await;
        assert_eq!((created.status, created.header("location"), created.body.len()), (200, Some("/fresh"), 0), "{cloud:?} {created:?}");
        let code = if cloud == Cloud::S3 { "BucketAlreadyOwnedByYou" } else { "BucketAlreadyExists" };
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh/", b"").await.refusal(), (409, code.into()));
        assert_eq!(names(&fixture.ask(cloud, "GET", "/", b"").await), ["fresh", "media", "other"]);
        assert_eq!(fixture.ask(cloud, "HEAD", "/fresh", b"").await.status, 200);
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh/a", b"x").await.status, 200);
        assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.refusal(), (409, "BucketNotEmpty".into()));
        assert_eq!(fixture.ask(cloud, "DELETE", "/fresh/a", b"").await.status, 204);
        assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.status, 204);
        assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.refusal(), (404, "NoSuchBucket".into()));
        assert_eq!(fixture.ask(cloud, "HEAD", "/fresh", b"").await.status, 404);
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh/a", b"x").await.refusal(), (404, "NoSuchBucket".into()));
        for name in ["ab", "Fresh", "a_b", "192.168.0.1", "%2e%2e%5cx"] {
            assert_eq!(fixture.ask(cloud, "PUT", &format!("/{name}"), b"").await.refusal(), (400, "InvalidBucketName".into()), "{name}");
        }
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh", b"<Other/>").await.refusal(), (400, "MalformedXML".into()));
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh", &[b' '; 20_000]).await.refusal(), (400, "EntityTooLarge".into()));
        let prefix = if cloud == Cloud::S3 { "x-amz-acl" } else { "x-oss-acl" };
        let public = fixture.ask_with(cloud, "PUT", "/fresh", &[(prefix, "public-read")], b"").await;
        assert_eq!(public.refusal(), (501, "NotImplemented".into()), "an access word that would not be obeyed");
    }
    assert_eq!(names(&fixture.ask(Cloud::S3, "GET", "/", b"").await), ["media", "other"]);
}

#[tokio::test]
async fn uploads_that_nobody_completed() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh", b"").await.status, 200);
        let id = fixture.ask(cloud, "POST", "/fresh/k?uploads", b"").await.element("UploadId");
        let part = format!("/fresh/k?partNumber=1&uploadId={id}");
        assert_eq!(fixture.ask(cloud, "PUT", &part, b"x").await.status, 200);
        if cloud == Cloud::Oss {
            assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.refusal(), (409, "BucketNotEmpty".into()));
            assert_eq!(fixture.ask(cloud, "DELETE", &format!("/fresh/k?uploadId={id}"), b"").await.status, 204);
        }
        assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.status, 204);
        assert_eq!(fixture.ask(cloud, "PUT", "/fresh", b"").await.status, 200);
        assert_eq!(fixture.ask(cloud, "PUT", &part, b"x").await.refusal(), (404, "NoSuchUpload".into()), "it went with its bucket");
        assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.status, 204);
    }
}

fn in_region(region: &str) -> Vec<u8> {
    format!("<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>")
        .into_bytes()
}

#[tokio::test]
async fn a_bucket_is_in_the_store_s_region() {
    let set = Fixture::with(|builder| builder.region(Cloud::S3, "eu-central-1").region(Cloud::Oss, "oss-eu-central-1")).await;
    let any = Fixture::memory().await;
    let illegal = Err((400, "IllegalLocationConstraintException"));
    let invalid = Err((400, "InvalidLocationConstraint"));
    for (fixture, cloud, body, outcome) in [
        (&set, Cloud::S3, in_region("eu-central-1"), Ok(())),
        (&set, Cloud::S3, in_region("eu-west-1"), illegal),
        (&set, Cloud::S3, vec![], illegal),
        (&set, Cloud::S3, in_region("us-east-1"), invalid),
        (&set, Cloud::Oss, vec![], Ok(())),
        (&set, Cloud::Oss, in_region("oss-eu-central-1"), Ok(())),
        (&set, Cloud::Oss, in_region("oss-cn-hangzhou"), invalid),
        (&any, Cloud::S3, in_region("eu-west-1"), Ok(())),
        (&any, Cloud::S3, in_region("us-east-1"), invalid),
        (&any, Cloud::Oss, b"<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>".to_vec(), Ok(())),
    ] {
        let reply = fixture.ask(cloud, "PUT", "/fresh", &body).await;
        let case = format!("{cloud:?} {}", String::from_utf8_lossy(&body));
        match outcome {
            Ok(()) => {
                assert_eq!(reply.status, 200, "{case}: {}", reply.text());
                assert_eq!(fixture.ask(cloud, "DELETE", "/fresh", b"").await.status, 204);
            }
            Err((status, code)) => assert_eq!(reply.refusal(), (status, code.to_owned()), "{case}"),
        }
    }
    let head = set.ask(Cloud::S3, "HEAD", "/media", b"").await;
    assert_eq!(head.header("x-amz-bucket-region"), Some("eu-central-1"));
    assert!(set.ask(Cloud::S3, "GET", "/media?location", b"").await.text().contains("\">eu-central-1</LocationConstraint>"));
    assert_eq!(set.ask(Cloud::Oss, "GET", "/media/?location", b"").await.element("LocationConstraint"), "oss-eu-central-1");
    assert!(any.ask(Cloud::S3, "GET", "/media?location", b"").await.text().contains("\"></LocationConstraint>"), "the oldest region has no name");
    let mut oldest = Fixture::with(|builder| builder.region(Cloud::S3, "us-east-1")).await;
    assert_eq!(oldest.ask(Cloud::S3, "PUT", "/media", b"").await.refusal(), (400, "AuthorizationHeaderMalformed".into()), "the scope is of another region");
    oldest.region = "us-east-1";
    assert_eq!(oldest.ask(Cloud::S3, "PUT", "/media", b"").await.status, 200, "there an owner may make it again");
}

#[tokio::test]
async fn what_clients_ask_about_a_bucket() {
    let fixture = Fixture::memory().await;
    let info = fixture.ask(Cloud::Oss, "GET", "/media/?bucketInfo", b"").await;
    assert_eq!((info.element("Name"), info.element("Location"), info.element("Grant")), ("media".into(), "oss-cn-hangzhou".into(), "private".into()));
    assert_eq!(info.element("CreationDate"), "2026-11-22T10:30:00.000Z");
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media?bucketInfo", b"").await.refusal(), (501, "NotImplemented".into()));
    for cloud in CLOUDS {
        let versioning = fixture.ask(cloud, "GET", "/media?versioning", b"").await;
        assert!(versioning.status == 200 && !versioning.text().contains("Status"), "{versioning:?}");
        for (method, target) in
            [("PUT", "/media?versioning"), ("GET", "/media?policy"), ("PUT", "/media?tagging"), ("PUT", "/media/k?tagging"), ("GET", "/media?acl")]
        {
            assert_eq!(fixture.ask(cloud, method, target, b"").await.refusal(), (501, "NotImplemented".into()), "{method} {target}");
        }
        for (method, target, code) in [
            ("PATCH", "/media", 405),
            ("PUT", "/", 405),
            ("GET", "/media?cors&location", 400),
            ("GET", "/media?list-type=1", 400),
            ("POST", "/media/k?location", 405),
        ] {
            assert_eq!(fixture.ask(cloud, method, target, b"").await.status, code, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn lists_of_buckets_in_pages() {
    let fixture = Fixture::with(|builder| ["aa-1", "aa-2", "aa-3"].into_iter().fold(builder, StoreBuilder::bucket)).await;
    let first = fixture.ask(Cloud::S3, "GET", "/?max-buckets=2&prefix=aa", b"").await;
    assert_eq!((names(&first), first.element("BucketRegion")), (vec!["aa-1".to_owned(), "aa-2".to_owned()], "us-east-1".into()));
    let token = first.element("ContinuationToken");
    let second = fixture.ask(Cloud::S3, "GET", &format!("/?continuation-token={token}&max-buckets=2&prefix=aa"), b"").await;
    assert_eq!(names(&second), ["aa-3"]);
    assert!(!second.text().contains("ContinuationToken"));
    assert!(names(&fixture.ask(Cloud::S3, "GET", "/?bucket-region=eu-west-1", b"").await).is_empty());
    for target in
        ["/?continuation-token=aa-1", &format!("/?continuation-token={}", token.to_lowercase()), "/?max-buckets=0", "/?max-buckets=10001", "/?max-buckets=x"]
    {
        assert_eq!(fixture.ask(Cloud::S3, "GET", target, b"").await.refusal(), (400, "InvalidArgument".into()), "{target}");
    }
    let first = fixture.ask(Cloud::Oss, "GET", "/?max-keys=2&prefix=aa", b"").await;
    assert_eq!(
        (names(&first), first.element("IsTruncated"), first.element("NextMarker")),
        (vec!["aa-1".to_owned(), "aa-2".to_owned()], "true".into(), "aa-2".into())
    );
    let second = fixture.ask(Cloud::Oss, "GET", "/?marker=aa-2&max-keys=2&prefix=aa", b"").await;
    assert_eq!((names(&second), second.element("IsTruncated")), (vec!["aa-3".to_owned()], "false".into()));
    assert_eq!(fixture.ask(Cloud::Oss, "GET", "/?max-keys=1001", b"").await.refusal(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn buckets_and_what_they_are_told_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || Fixture::start(Some(folder.path().to_path_buf())).await;
    let rules = b"<CORSConfiguration><CORSRule><AllowedOrigin>https://a</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
    let fixture = open().await;
    assert_eq!(fixture.ask(Cloud::S3, "PUT", "/a.b.json", &in_region("eu-west-1")).await.status, 200);
    assert_eq!(fixture.ask(Cloud::S3, "PUT", "/gone", b"").await.status, 200);
    assert_eq!(fixture.ask(Cloud::S3, "DELETE", "/gone", b"").await.status, 204);
    assert_eq!(fixture.ask_with(Cloud::S3, "PUT", "/a.b.json?cors", &[], rules).await.status, 200);
    let id = fixture.call(Cloud::S3, &ObjectRequest::create_multipart(key("k")), b"").await.element("UploadId");
    fixture.store.shutdown().await;
    let fixture = open().await;
    assert_eq!(names(&fixture.ask(Cloud::S3, "GET", "/", b"").await), ["a.b.json", "media", "other"]);
    assert_eq!(fixture.ask(Cloud::S3, "HEAD", "/a.b.json", b"").await.header("x-amz-bucket-region"), Some("eu-west-1"));
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/a.b.json?cors", b"").await.element("AllowedOrigin"), "https://a");
    assert_eq!(fixture.ask(Cloud::S3, "DELETE", "/a.b.json?cors", b"").await.status, 204);
    assert_eq!(fixture.ask(Cloud::S3, "DELETE", "/media", b"").await.status, 204);
    fixture.store.shutdown().await;
    let fixture = open().await;
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/a.b.json?cors", b"").await.refusal(), (404, "NoSuchCORSConfiguration".into()));
    let part = fixture.ask(Cloud::S3, "PUT", &format!("/media/k?partNumber=1&uploadId={id}"), b"x").await;
    assert_eq!(part.refusal(), (404, "NoSuchUpload".into()), "the bucket is another one");
}
