//! The hostile forms of the fixtures, over HTTP: status, code, and what is stored, as each row has it.

use std::{path::Path, sync::atomic::Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use valetkey_core::{Credentials, Dialect, Timestamp};
use valetkey_s3::S3;
use valetkey_store::{Cloud, StoreBuilder};

use crate::support::{
    Fixture, Reply,
    form::{FormFile, PostForm},
};

fn rows(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hostile").join(file);
    serde_json::from_str::<Vec<Value>>(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    let pairs = list.as_array().into_iter().flatten();
    pairs.map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned())).collect()
}

/// The store that the rows are written for: both clouds' own hosts, and the keys of the row's `verifier`.
async fn store(base: &Value) -> Fixture {
    let verifier = &base["input"]["verifier"];
    let change = |mut builder: StoreBuilder| {
        for host in verifier["vhost_suffixes"].as_array().unwrap() {
            builder = builder.host(host.as_str().unwrap());
        }
        for key in verifier["keys"].as_array().unwrap() {
            let cloud = if key["provider"] == "oss" { Cloud::Oss } else { Cloud::S3 };
            builder = builder.credentials(cloud, Credentials::new(text(key, "id"), text(key, "secret")).unwrap());
        }
        builder.bucket("examplebucket").bucket("bucket")
    };
    Fixture::with(change).await
}

/// The row's request without a body, which `post_form` and `raw_http` make in their own ways.
fn form(input: &Value) -> PostForm {
    let file = &input["file"];
    let file = file.is_object().then(|| FormFile {
        field: text(file, "field").into(),
        name: file["filename"].as_str().map(str::to_owned),
        content_type: file["content_type"].as_str().map(str::to_owned),
        bytes: vec![b'x'; usize::try_from(file["size"].as_u64().unwrap()).unwrap()],
    });
    assert!(input["file"]["count"].as_u64().is_none_or(|count| count == 1));
    let mut form = PostForm::new(text(input, "url"), pairs(&input["fields"]), b"");
    form.headers.extend(pairs(&input["headers"]).into_iter().filter(|(name, _)| name != "Content-Type"));
    if let Some((_, content_type)) = pairs(&input["headers"]).into_iter().find(|(name, _)| name == "Content-Type") {
        form = form.header("content-type", &content_type);
    }
    PostForm { file, after: pairs(&input["fields_after_file"]), ..form }
}

/// The key that an accepted row must be stored under.
fn stored_key(row: &Value) -> String {
    let key = row["input"]["fields"].as_array().and_then(|fields| fields.iter().find(|field| field[0] == "key"));
    let key = key.map_or("user/eric/a.png", |field| field[1].as_str().unwrap());
    match row["expected"]["note"].as_str().unwrap_or_default().strip_prefix("final key ") {
        Some(note) => note.split(':').next().unwrap().to_owned(),
        None => key.to_owned(),
    }
}

/// What the row expects and a rule of ours overrules: the key is derived from the scope that the form names, so that a scope of another region is
/// another signature, and no policy is read whose signature is not right.
const OVERRULED: &[(&str, (u16, &str))] = &[("VP-064", (403, "SignatureDoesNotMatch"))];

async fn judge(fixture: &Fixture, row: &Value, reply: &Reply) {
    let (id, expected) = (text(row, "id"), &row["expected"]);
    let mut keys = Vec::new();
    for bucket in ["examplebucket", "bucket", "media", "other"] {
        keys.extend(fixture.keys_of(bucket).await);
    }
    if expected["result"] == "accept" {
        assert_eq!((reply.status, keys), (204, vec![stored_key(row)]), "{id}: {reply:?}");
    } else {
        let code = (u16::try_from(expected["status"].as_u64().unwrap()).unwrap(), text(expected, "code").to_owned());
        let code = OVERRULED.iter().find(|(other, _)| *other == id).map_or(code, |(_, (status, code))| (*status, (*code).to_owned()));
        assert_eq!(reply.refusal(), code, "{id}: {reply:?}");
        assert!(keys.is_empty(), "{id}: {keys:?}");
    }
}

#[tokio::test]
async fn every_row_is_judged_as_it_must() {
    let fixtures = rows("fixture.json");
    let controls = fixtures.iter().filter(|row| matches!(text(&row["input"], "kind"), "post_form" | "raw_http")).cloned();
    let mut judged = 0;
    for row in rows("verifier_post.json").into_iter().chain(controls) {
        let input = &row["input"];
        if input["kind"] == "generator" || input["policy_generator"].is_object() {
            continue;
        }
        let base = fixtures.iter().find(|base| base["id"] == input["base"]).unwrap();
        let fixture = store(base).await;
        fixture.now.store(text(input, "now").parse::<Timestamp>().unwrap().as_unix_seconds(), Ordering::SeqCst);
        let form = form(input);
        let wire = if input["kind"] == "raw_http" { form.wire_of(text(input, "body").as_bytes()) } else { form.wire() };
        let reply = fixture.send(&wire).await;
        judge(&fixture, &row, &reply).await;
        judged += 1;
    }
    assert_eq!(judged, 86, "the fixtures promise this many rows");
}

#[tokio::test]
async fn rows_that_are_generated() {
    let fixtures = rows("fixture.json");
    let base = fixtures.iter().find(|row| row["id"] == "FX-RAW-POST").unwrap();
    let (form, body) = (form(&base["input"]), text(&base["input"], "body"));
    let mut judged = 0;
    for row in rows("verifier_post.json").iter().filter(|row| row["input"]["kind"] == "generator") {
        let input = &row["input"];
        let count = |name: &str| input[name].as_u64().map(|count| usize::try_from(count).unwrap());
        let with_headers = |headers: &str| body.replacen("\r\n\r\n", &format!("\r\n{headers}\r\n"), 1);
        let body = match (count("part_header_bytes"), count("part_headers"), count("preamble_bytes")) {
            (Some(bytes), ..) => with_headers(&format!("X: {}\r\n", "a".repeat(bytes))),
            (_, Some(headers), _) => with_headers(&(0..headers).map(|n| format!("X-{n}: a\r\n")).collect::<String>()),
            (.., Some(bytes)) => format!("{}\r\n{body}", "a".repeat(bytes)),
            _ => panic!("{row}"),
        };
        let fixture = store(base).await;
        fixture.now.store(text(&base["input"], "now").parse::<Timestamp>().unwrap().as_unix_seconds(), Ordering::SeqCst);
        let reply = fixture.send(&form.wire_of(body.as_bytes())).await;
        judge(&fixture, row, &reply).await;
        judged += 1;
    }
    assert_eq!(judged, 3, "the fixtures promise this many rows");
}

/// A policy of 100,000 conditions is longer than what S3 takes before a file, so that over HTTP this is what is said; one of 300 is not.
#[tokio::test]
async fn a_policy_of_many_conditions() {
    let fixtures = rows("fixture.json");
    let rows = rows("verifier_post.json");
    let row = rows.iter().find(|row| row["input"]["policy_generator"].is_object()).unwrap();
    let base = fixtures.iter().find(|base| base["id"] == row["input"]["base"]).unwrap();
    let fixture = store(base).await;
    fixture.now.store(text(&base["input"], "now").parse::<Timestamp>().unwrap().as_unix_seconds(), Ordering::SeqCst);
    let generator = &row["input"]["policy_generator"];
    for (conditions, expected) in
        [(300, (400, text(&row["expected"], "code"))), (usize::try_from(generator["n"].as_u64().unwrap()).unwrap(), (400, "MaxPostPreDataLengthExceeded"))]
    {
        let list = vec![generator["conditions_repeat"].to_string(); conditions].join(",");
        let policy = STANDARD.encode(format!("{{\"expiration\":\"2015-12-29T01:00:00.000Z\",\"conditions\":[{list}]}}"));
        let owner = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
        let signature = S3.signing_key(&owner, "20151229", "us-east-1", "s3").sign(&policy);
        let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        let form = form(&base["input"]).set("policy", &policy).set("x-amz-signature", &signature);
        let reply = fixture.send(&form.wire()).await;
        assert_eq!(reply.refusal(), (expected.0, expected.1.to_owned()), "{conditions}");
        assert!(fixture.keys_of("examplebucket").await.is_empty());
    }
}
