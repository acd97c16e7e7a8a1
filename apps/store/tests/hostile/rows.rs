//! The rows of `fixtures/hostile/dev_store.json`: each request is sent as it stands there, to a store of both clouds' dialects.
//!
//! In a row's text `{a*300}` stands for 300 times `a`, `{a|b}` for one request with each, and `{md5}` for the body's MD5.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use serde_json::Value;
use valetkey_core::ObjectRequest;
use valetkey_store::Cloud;

use crate::{
    files,
    support::{CLOUDS, Fixture, Reply, Wire, key},
};

fn rows(ids: std::ops::RangeInclusive<usize>) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hostile/dev_store.json");
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let found: Vec<Value> =
        ids.clone().map(|n| rows.iter().find(|row| row["id"] == format!("DS-{n:03}")).unwrap_or_else(|| panic!("DS-{n:03}")).clone()).collect();
    assert_eq!(found.len(), ids.count());
    found
}

/// All texts that a row's text stands for.
fn expand(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else { return vec![text.to_owned()] };
    let (inside, after) = rest.split_once('}').unwrap();
    let repeated = inside.rsplit_once('*').and_then(|(unit, count)| Some(unit.repeat(count.parse().ok()?)));
    let choices: Vec<String> = match repeated {
        Some(repeated) => vec![repeated],
        None if inside.contains('|') => inside.split('|').map(str::to_owned).collect(),
        None => vec![format!("{{{inside}}}")],
    };
    let ends = expand(after);
    choices.iter().flat_map(|choice| ends.iter().map(move |end| format!("{before}{choice}{end}"))).collect()
}

fn one(text: &str) -> String {
    expand(text).concat()
}

/// The requests of a row. Those that are signed are so as a URL, without the row's headers: these come on top.
fn requests(fixture: &Fixture, cloud: Cloud, row: &Value) -> Vec<Wire> {
    let input = &row["input"];
    let body = one(input["body"].as_str().unwrap_or_default());
    let request = |target: String| {
        let target = target.replacen("/b", "/media", 1);
        let method = input["method"].as_str().unwrap();
        let wire = match input["signed"] == true {
            false => fixture.raw(method, &target),
            true => signed(fixture, cloud, method, &target),
        };
        let wire = input["headers"].as_object().unwrap().iter().fold(wire, |wire, (name, value)| {
            let value = one(value.as_str().unwrap()).replace("{md5}", &STANDARD.encode(Md5::digest(&body)));
            wire.header(&name.to_ascii_lowercase(), &value)
        });
        let wire = wire.body(body.as_bytes());
        // OSS signs a few plain headers whenever they are there.
        if cloud == Cloud::Oss { fixture.sign_again(cloud, wire) } else { wire }
    };
    expand(input["target"].as_str().unwrap()).into_iter().map(request).collect()
}

fn signed(fixture: &Fixture, cloud: Cloud, method: &str, target: &str) -> Wire {
    let any = Wire::of(&fixture.sign(cloud, &ObjectRequest::get(key("k"))));
    let (_, signature) = any.target.split_once('?').unwrap();
    let join = if target.contains('?') { '&' } else { '?' };
    fixture.sign_again(cloud, Wire { method: method.into(), target: format!("{target}{join}{signature}"), ..any })
}

async fn prepared(fixture: &Fixture, cloud: Cloud, row: &Value) {
    let stored_type = row["input"]["stored_type"].as_str();
    for name in ["a", "victim", "x", "x.html", "x.svg"] {
        let put = stored_type.into_iter().fold(ObjectRequest::put(key(name)), ObjectRequest::content_type);
        assert_eq!(fixture.call(cloud, &put, b"<script>before</script>").await.status, 200);
    }
}

fn assert_refused(reply: &Reply, row: &Value, cloud: Cloud) {
    let expected = &row["expected"];
    let (status, reason) = (expected["status"].as_u64().unwrap(), expected["reason"].as_str().unwrap());
    assert_eq!((u64::from(reply.status), reply.element("Code")), (status, reason.to_owned()), "{} {cloud:?}: {}", row["id"], reply.text());
}

#[tokio::test]
async fn ds_001_to_013_no_key_is_a_path() {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("deep").join("store");
    let fixture = Fixture::start(Some(root.clone())).await;
    for (row, cloud) in rows(1..=13).iter().flat_map(|row| CLOUDS.map(|cloud| (row, cloud))) {
        assert_eq!(row["expected"]["reason"], "InsideRoot");
        for wire in requests(&fixture, cloud, row) {
            let reply = fixture.send(&wire).await;
            assert!(matches!(reply.status, 200 | 400 | 404), "{}: {reply:?}", row["id"]);
            let names = files(outside.path()).into_iter().map(|file| file.strip_prefix(&root).expect("inside of the folder").to_str().unwrap().to_owned());
            let ours = |name: &str| {
                ["blobs/", "buckets/media/", "settings/"].iter().any(|start| name.starts_with(start)) || ["lock", "valetkey-store.json"].contains(&name)
            };
            assert!(names.into_iter().all(|name| ours(&name)), "{}", row["id"]);
        }
    }
}

#[tokio::test]
async fn ds_014_to_018_every_key_is_an_object_of_its_own() {
    for (row, cloud) in rows(14..=18).iter().flat_map(|row| CLOUDS.map(|cloud| (row, cloud))) {
        assert_eq!(row["expected"]["reason"], "Distinct");
        let fixture = Fixture::memory().await;
        prepared(&fixture, cloud, row).await;
        let before = fixture.keys().await;
        for wire in requests(&fixture, cloud, row) {
            let reply = fixture.send(&wire).await;
            let get = Wire { body: Vec::new(), ..fixture.sign_again(cloud, Wire { method: "GET".into(), ..wire.clone() }) };
            match (wire.method.as_str(), reply.status) {
                ("PUT", 200) => assert_eq!(fixture.send(&get).await.body, b"x", "{}", row["id"]),
                ("PUT", 400) => assert_eq!(fixture.send(&get).await.status, 400, "{}", row["id"]),
                ("DELETE", 204) => {}
                other => panic!("{}: {other:?}", row["id"]),
            }
            for name in &before {
                assert_eq!(fixture.get(cloud, name).await.body, b"<script>before</script>", "{} touched {name}", row["id"]);
            }
            if wire.method == "PUT" {
                let delete = fixture.sign_again(cloud, Wire { method: "DELETE".into(), ..wire.clone() });
                assert!(matches!(fixture.send(&Wire { body: Vec::new(), ..delete }).await.status, 204 | 400));
            }
            assert_eq!(fixture.keys().await, before, "{}", row["id"]);
        }
    }
    // A thousand slashes are as many characters as any other thousand.
    let fixture = Fixture::memory().await;
    let name = format!("a{}", "/".repeat(1000));
    fixture.put(Cloud::S3, &name, b"slashes").await;
    assert_eq!((fixture.get(Cloud::S3, &name).await.body, fixture.keys().await.len()), (b"slashes".to_vec(), 1));
}

#[tokio::test]
async fn ds_020_to_024_nobody_does_anything() {
    for (row, cloud) in rows(20..=24).iter().flat_map(|row| CLOUDS.map(|cloud| (row, cloud))) {
        // Nobody can send a header of S3 in OSS's dialect: there it has no meaning.
        if cloud == Cloud::Oss && row["input"]["signed"] == true {
            continue;
        }
        let fixture = Fixture::memory().await;
        prepared(&fixture, cloud, row).await;
        let before = fixture.keys().await;
        let requests = requests(&fixture, cloud, row);
        assert!(!requests.is_empty());
        for wire in requests {
            assert_refused(&fixture.send(&wire).await, row, cloud);
        }
        assert_eq!(fixture.keys().await, before, "{}", row["id"]);
    }
}

#[tokio::test]
async fn ds_025_to_030_one_range_at_most() {
    for (row, cloud) in rows(25..=30).iter().flat_map(|row| CLOUDS.map(|cloud| (row, cloud))) {
        let fixture = Fixture::memory().await;
        prepared(&fixture, cloud, row).await;
        for wire in requests(&fixture, cloud, row) {
            let reply = fixture.send(&wire).await;
            match row["expected"]["result"].as_str().unwrap() {
                "accept" => assert_eq!((reply.status, reply.body.as_slice()), (200, b"<script>before</script>".as_slice()), "{}", row["id"]),
                _ => assert_refused(&reply, row, cloud),
            }
        }
    }
}

#[tokio::test]
async fn ds_031_to_035_what_is_stored_never_runs() {
    for (row, cloud) in rows(31..=35).iter().flat_map(|row| CLOUDS.map(|cloud| (row, cloud))) {
        let fixture = Fixture::memory().await;
        prepared(&fixture, cloud, row).await;
        for wire in requests(&fixture, cloud, row) {
            let reply = fixture.send(&wire).await;
            assert_eq!(reply.header("set-cookie"), None, "{}", row["id"]);
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{}", row["id"]);
            assert_eq!(reply.header("content-security-policy"), Some("sandbox; default-src 'none'"), "{}", row["id"]);
            match (row["expected"]["result"].as_str().unwrap(), reply.status) {
                ("reject", _) => assert_refused(&reply, row, cloud),
                (_, 404) => assert!(!reply.text().contains("<script>") && reply.text().contains("&lt;script&gt;"), "{}", reply.text()),
                (_, status) => assert_eq!((status, reply.body.as_slice()), (200, b"<script>before</script>".as_slice()), "{}", row["id"]),
            }
        }
    }
}

#[tokio::test]
async fn ds_036_to_041_documents_that_are_attacks() {
    for (row, cloud) in rows(36..=41).iter().flat_map(|row| CLOUDS.map(|cloud| (row, cloud))) {
        let fixture = Fixture::memory().await;
        prepared(&fixture, cloud, row).await;
        let before = fixture.keys().await;
        let id = fixture.call(cloud, &ObjectRequest::create_multipart(key("up")), b"").await.element("UploadId");
        for wire in requests(&fixture, cloud, row) {
            let reply = fixture.send(&wire).await;
            assert_refused(&reply, row, cloud);
            assert!(!reply.text().contains("root:"));
            // The same, renamed, where other documents are read; some take less.
            let text = String::from_utf8(wire.body).unwrap();
            for (method, target, root) in [
                ("POST", format!("/media/up?uploadId={id}"), "CompleteMultipartUpload"),
                ("PUT", "/media?cors".to_owned(), "CORSConfiguration"),
                ("PUT", "/fresh".to_owned(), "CreateBucketConfiguration"),
            ] {
                let body = text.replace("<Delete", &format!("<{root}")).replace("</Delete", &format!("</{root}"));
                let reply = fixture.ask(cloud, method, &target, body.as_bytes()).await;
                assert!(
                    reply.status == 400 && ["MalformedXML", "EntityTooLarge"].contains(&reply.element("Code").as_str()),
                    "{} {target}: {}",
                    row["id"],
                    reply.text()
                );
            }
        }
        assert_eq!(fixture.keys().await, before, "{}", row["id"]);
    }
}

/// What a request alone cannot show has a test of its own, which bears the row's number.
#[test]
fn every_row_has_a_test() {
    let sources = [include_str!("rows.rs"), include_str!("durable.rs"), include_str!("../../src/objects/tests/crash.rs")].concat();
    for (n, row) in (1..).zip(rows(1..=48)) {
        let is_scenario = row["input"]["kind"] == "store_scenario";
        let covered = match is_scenario {
            true => sources.contains(&format!("fn ds_{n:03}_")),
            false => [1..=13, 14..=18, 20..=24, 25..=30, 31..=35, 36..=41].iter().any(|ids| ids.contains(&n)),
        };
        assert!(covered, "{}", row["id"]);
    }
}
