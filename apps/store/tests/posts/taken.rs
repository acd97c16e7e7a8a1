//! Forms that are signed right: what is stored, and how it is answered.

use valetkey_core::{AddressingStyle, PostPolicy};
use valetkey_store::Cloud;

use crate::support::{BUCKET, CLOUDS, Fixture, Reply, form::PostForm};

fn policy() -> PostPolicy {
    PostPolicy::for_prefix("up/").content_length(1..=10).content_type("image/png").metadata("Owner", "seven").cache_control("no-store")
}

#[tokio::test]
async fn a_form_in_both_dialects_styles_and_kinds_of_storage() {
    let folder = tempfile::tempdir().unwrap();
    for storage in [None, Some(folder.path().to_path_buf())] {
        let mut fixture = Fixture::start(storage).await;
        for style in [AddressingStyle::Path, AddressingStyle::Virtual] {
            fixture.style = style;
            for cloud in CLOUDS {
                let form = fixture.form(cloud, &policy(), b"0123456789");
                let paths: &[&str] = if style == AddressingStyle::Path { &["/media", "/media/"] } else { &["/"] };
                for path in paths {
                    let reply = fixture.send(&form.clone().path(path).wire()).await;
                    assert_eq!((reply.status, reply.body.len()), (204, 0), "{cloud:?} {style:?} {path} {reply:?}");
                    let prefix = if cloud == Cloud::S3 { "x-amz-" } else { "x-oss-" };
                    assert!(reply.header("etag").is_some() && reply.header(&format!("{prefix}request-id")).is_some());
                    let get = fixture.get(cloud, "up/a.png").await;
                    assert_eq!((get.status, get.body.as_slice()), (200, b"0123456789".as_slice()));
                    for (name, value) in [
                        ("content-type", "image/png"),
                        ("cache-control", "no-store"),
                        (&format!("{prefix}meta-owner"), "seven"),
                        ("etag", reply.header("etag").unwrap()),
                    ] {
                        assert_eq!(get.header(name), Some(value), "{get:?}");
                    }
                }
            }
        }
        assert_eq!(fixture.keys().await, ["up/a.png"]);
        fixture.store.shutdown().await;
    }
}

#[tokio::test]
async fn answers() {
    let mut fixture = Fixture::memory().await;
    for style in [AddressingStyle::Path, AddressingStyle::Virtual] {
        fixture.style = style;
        for cloud in CLOUDS {
            let key = "a b/\u{e9}+&=#?.png";
            let base = || PostPolicy::for_key(key.parse().unwrap());
            let post = async |policy: PostPolicy| fixture.send(&fixture.form(cloud, &policy, b"x").wire()).await;
            let object = match style {
                AddressingStyle::Path => format!("http://{}/{BUCKET}/a%20b/%C3%A9%2B%26%3D%23%3F.png", fixture.store.address()),
                _ => format!("http://{BUCKET}.localhost:{}/a%20b/%C3%A9%2B%26%3D%23%3F.png", fixture.store.address().port()),
            };
            let location = (cloud == Cloud::S3).then_some(object.as_str());
            for (status, policy) in [(204, base()), (204, base().success_status(204)), (200, base().success_status(200))] {
                let reply = post(policy).await;
                assert_eq!((reply.status, reply.body.len(), reply.header("location")), (status, 0, location), "{cloud:?}");
                assert!(reply.header("etag").is_some());
            }
            let created = post(base().success_status(201)).await;
            assert_eq!((created.status, created.header("content-type")), (201, Some("application/xml")), "{created:?}");
            assert!(created.text().contains("<PostResponse>"));
            assert_eq!((created.element("Location"), created.element("Bucket")), (object.clone(), BUCKET.into()));
            assert_eq!((created.element("Key"), created.element("ETag").as_str()), (key.replace('&', "&amp;"), created.header("etag").unwrap()));
            let tag = created.header("etag").unwrap().replace('"', "%22");
            let told = format!("bucket={BUCKET}&key=a%20b%2F%C3%A9%2B%26%3D%23%3F.png&etag={tag}");
            for (to, expected) in [
                ("http://app.example/done", format!("http://app.example/done?{told}")),
                ("http://app.example/done?", format!("http://app.example/done?{told}")),
                ("https://app.example:8443/?a=1&b=%26#top", format!("https://app.example:8443/?a=1&b=%26&{told}#top")),
            ] {
                let reply = post(base().success_redirect(to).success_status(201)).await;
                assert_eq!((reply.status, reply.header("location"), reply.body.len()), (303, Some(expected.as_str()), 0), "{cloud:?} {to}");
                assert!(reply.header("etag").is_some());
            }
        }
    }
}

#[tokio::test]
async fn redirects_that_are_none_and_old_ones() {
    let fixture = Fixture::memory().await;
    for (field, to, status) in [
        ("redirect", "http://app.example/", 303),
        ("success_action_redirect", "javascript:alert(1)", 204),
        ("success_action_redirect", "/relative", 204),
        ("success_action_redirect", "", 204),
        ("success_action_status", "418", 204),
    ] {
        let form = fixture.form_by_hand(Cloud::S3, &format!("{{\"key\":\"k\"}},{{\"{field}\":\"{to}\"}}"), &[("key", "k"), (field, to)], b"x");
        let reply = fixture.send(&form.wire()).await;
        assert_eq!(reply.status, status, "{field} {to} {reply:?}");
    }
}

#[tokio::test]
async fn names_of_files() {
    let fixture = Fixture::memory().await;
    for (cloud, name, stored) in [
        (Cloud::S3, "a.png", Ok("up/a.png")),
        (Cloud::S3, "../../etc/passwd", Ok("up/passwd")),
        (Cloud::S3, "C:\\fakepath\\b.png", Ok("up/b.png")),
        (Cloud::S3, "dir/..", Err((400, "InvalidArgument"))),
        (Cloud::S3, "dir/", Err((400, "InvalidArgument"))),
        (Cloud::S3, "", Err((400, "InvalidArgument"))),
        (Cloud::S3, "${filename}", Ok("up/${filename}")),
        (Cloud::S3, "\u{732b} \\\"x\\\".png", Ok("up/\u{732b} &quot;x&quot;.png")),
        (Cloud::Oss, "a.png", Ok("up/a.png")),
        (Cloud::Oss, "dir/a.png", Ok("up/dir/a.png")),
        (Cloud::Oss, "C:\\b.png", Ok("up/C:\\b.png")),
        (Cloud::Oss, "../x", Err((400, "InvalidObjectName"))),
        (Cloud::Oss, "", Err((400, "InvalidArgument"))),
        (Cloud::Oss, "${filename}", Ok("up/${filename}")),
    ] {
        let form = fixture.form(cloud, &PostPolicy::for_prefix("up/"), b"x").file_name(name);
        let reply = fixture.send(&form.wire()).await;
        let before = fixture.keys().await;
        match stored {
            Ok(key) => {
                assert_eq!(reply.status, 204, "{cloud:?} {name} {reply:?}");
                assert!(before.contains(&key.to_owned()), "{cloud:?} {name} {before:?}");
            }
            Err((status, code)) => assert_eq!(reply.refusal(), (status, code.to_owned()), "{cloud:?} {name}"),
        }
    }
    assert_eq!(fixture.keys().await.len(), 7);
}

#[tokio::test]
async fn a_file_as_a_plain_field_and_an_empty_one() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let mut form = fixture.form(cloud, &PostPolicy::for_key("k".parse().unwrap()), b"text\r\nwith -- lines\n");
        for field in ["file", "File", "FILE"] {
            let file = form.file.as_mut().unwrap();
            (file.name, file.content_type, file.field) = (None, None, field.into());
            assert_eq!(fixture.send(&form.wire()).await.status, 204);
            assert_eq!(fixture.get(cloud, "k").await.body, b"text\r\nwith -- lines\n");
        }
        let empty = fixture.send(&form.bytes(b"").wire()).await;
        assert_eq!(empty.status, 204, "a policy without a size takes an empty file, too: {empty:?}");
        assert_eq!(fixture.get(cloud, "k").await.body, b"");
    }
}

#[tokio::test]
async fn sizes_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let refused = |reply: Reply, code: &str, size: &str| {
        assert_eq!(reply.refusal(), (400, code.to_owned()));
        assert_eq!(reply.element("ProposedSize"), size);
    };
    for cloud in CLOUDS {
        for (min, max) in [(2, 10), (100_000, 1_000_000), (16_384, 16_384)] {
            let policy = PostPolicy::for_key("k".parse().unwrap()).content_length(min..=max);
            let of = |size: u64| fixture.form(cloud, &policy, &vec![7; usize::try_from(size).unwrap()]).wire();
            refused(fixture.send(&of(min - 1)).await, "EntityTooSmall", &(min - 1).to_string());
            refused(fixture.send(&of(max + 1)).await, "EntityTooLarge", &(max + 1).to_string());
            assert!(fixture.keys().await.is_empty() && blobs(folder.path()) == 0);
            for size in [min, max] {
                assert_eq!(fixture.send(&of(size)).await.status, 204, "{cloud:?} {size} of {min} to {max}");
                assert_eq!(fixture.get(cloud, "k").await.body.len() as u64, size);
            }
            let much = fixture.send(&of(max + 5_000_000)).await;
            assert_eq!((much.refusal(), much.element("MaxSizeAllowed")), ((400, "EntityTooLarge".into()), max.to_string()));
            assert!(much.element("ProposedSize").parse::<u64>().unwrap() <= max + 16_384, "it was read to its end");
            assert_eq!(fixture.get(cloud, "k").await.body.len() as u64, max, "the object that was there is still there");
            assert_eq!(fixture.call(cloud, &valetkey_core::ObjectRequest::delete("k".parse().unwrap()), b"").await.status, 204);
            assert_eq!(blobs(folder.path()), 0);
        }
    }
}

fn blobs(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder.join("blobs")).unwrap().count()
}

#[tokio::test]
async fn a_large_file_comes_through_whole() {
    let fixture = Fixture::memory().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| [b'\r', b'\n', b'-', b'-', (n % 251) as u8][(n % 5) as usize]).collect();
    for cloud in CLOUDS {
        let form: PostForm = fixture.form(cloud, &PostPolicy::for_key("big".parse().unwrap()), &bytes);
        assert_eq!(fixture.send(&form.wire()).await.status, 204);
        assert!(fixture.get(cloud, "big").await.body == bytes);
    }
}
