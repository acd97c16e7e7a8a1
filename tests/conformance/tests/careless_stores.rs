//! A store that does not hold a form to its policy, in one way each, is noticed: the honest presigner's promise is broken there, too.

mod worlds;

use valetkey_conformance::in_process::{DialectPresigner, VerifyingBackend, run_now};
use valetkey_conformance::{Backend, Harness, Module, WireRequest, WireResponse};
use valetkey_core::{ObjectRequest, PresignOptions, Presigner as _};
use worlds::worlds;

/// A part of a form: its headers and its content.
type Part = (String, String);

enum Way {
    /// Another request is judged than the one that came.
    Request(fn(&mut WireRequest)),
    /// Other parts are judged than those that came.
    Parts(fn(&mut Vec<Part>)),
    /// Another answer is given.
    Answer(fn(&mut WireResponse)),
    /// What is refused is stored all the same.
    Stores,
}

struct Careless<'b> {
    honest: &'b VerifyingBackend,
    presigner: &'b DialectPresigner,
    way: &'b Way,
    key: String,
}

#[async_trait::async_trait]
impl Backend for Careless<'_> {
    async fn send(&self, mut request: WireRequest) -> WireResponse {
        let is_form = request.headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("multipart/form-data; boundary=valetkey"));
        match self.way {
            Way::Request(rewrite) if is_form => rewrite(&mut request),
            Way::Parts(rewrite) if is_form => rewrite_parts(&mut request, *rewrite),
            _ => {}
        }
        let mut answer = self.honest.send(request).await;
        match self.way {
            Way::Answer(rewrite) => rewrite(&mut answer),
            Way::Stores if is_form && answer.status >= 400 => {
                let put = ObjectRequest::put(self.key.parse().unwrap());
                let signed = self.presigner.presign(&put, &PresignOptions::new()).await.unwrap();
                assert_eq!(self.honest.send(WireRequest::of(&signed, *b"leak")).await.status, 200);
            }
            _ => {}
        }
        answer
    }
}

fn rewrite_parts(request: &mut WireRequest, rewrite: fn(&mut Vec<Part>)) {
    let boundary = request.headers[0].1.split('=').nth(1).unwrap().to_owned();
    let text = String::from_utf8(request.body.clone()).unwrap();
    let Some((text, _)) = text.split_once(&format!("--{boundary}--\r\n")) else { return };
    let delimiter = format!("--{boundary}\r\n");
    let parts = text.split(&delimiter).skip(1).map(|part| part.strip_suffix("\r\n").unwrap().split_once("\r\n\r\n").unwrap());
    let mut parts: Vec<Part> = parts.map(|(head, content)| (head.to_owned(), content.to_owned())).collect();
    rewrite(&mut parts);
    let parts: String = parts.iter().map(|(head, content)| format!("--{boundary}\r\n{head}\r\n\r\n{content}\r\n")).collect();
    request.body = format!("{parts}--{boundary}--\r\n").into_bytes();
}

fn field<'p>(parts: &'p mut [Part], end: &str) -> Option<&'p mut String> {
    parts.iter_mut().find(|(head, _)| head.ends_with(&format!("{end}\""))).map(|(_, content)| content)
}

fn is_file(part: &Part) -> bool {
    part.0.contains("filename=")
}

/// What the store does, how, and where it does it.
const CARELESS: &[(&str, Way, &[&str])] = &[
    ("ignores what follows the file", Way::Parts(|parts| parts.truncate(parts.iter().position(is_file).map_or(0, |at| at + 1))), BOTH),
    (
        "takes the first of two fields",
        Way::Parts(|parts| {
            let mut seen = Vec::new();
            parts.retain(|(head, _)| {
                let is_new = !seen.contains(&head.to_ascii_lowercase());
                seen.push(head.to_ascii_lowercase());
                is_new
            });
        }),
        BOTH,
    ),
    (
        "takes the first of two files",
        Way::Parts(|parts| {
            let first = parts.iter().position(is_file);
            let mut at = 0;
            parts.retain(|part| {
                at += 1;
                !is_file(part) || Some(at - 1) == first
            });
        }),
        BOTH,
    ),
    (
        "makes up a file",
        Way::Parts(|parts| {
            if !parts.iter().any(is_file) {
                parts.push(("Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: a/b".to_owned(), String::new()));
            }
        }),
        BOTH,
    ),
    (
        "takes hex in upper case",
        Way::Parts(|parts| {
            if let Some(signature) = field(parts, "-signature") {
                signature.make_ascii_lowercase();
            }
        }),
        BOTH,
    ),
    (
        "mends base64",
        Way::Parts(|parts| {
            if let Some(policy) = field(parts, "\"policy") {
                *policy = policy.replace('-', "+").replace('_', "/").replace([' ', '\r', '\n', '='], "");
                while policy.len() % 4 != 0 {
                    policy.push('=');
                }
            }
        }),
        BOTH,
    ),
    ("ignores fields that no condition names", Way::Parts(|parts| parts.retain(|(head, _)| !head.contains("-meta-extra"))), BOTH),
    ("cuts a large file", Way::Parts(|parts| parts.iter_mut().filter(|part| is_file(part)).for_each(|(_, content)| content.truncate(10))), BOTH),
    (
        "tidies keys up",
        Way::Parts(|parts| {
            if let Some(key) = field(parts, "\"key") {
                *key = key.replace("/./", "/").replace("7/../8", "7");
            }
        }),
        BOTH,
    ),
    ("does not look at the host", Way::Request(|request| request.headers.retain(|(name, _)| name != "host")), BOTH),
    ("does not look at the path", Way::Request(|request| request.url = request.url.replace("/posts/tamper/x", "/").replace("/posts/tamper/", "/")), BOTH),
    ("answers 204 to every form", Way::Answer(|answer| answer.status = if matches!(answer.status, 201 | 303) { 204 } else { answer.status }), BOTH),
    (
        "redirects without saying what was stored",
        Way::Answer(|answer| {
            for (_, value) in answer.headers.iter_mut().filter(|(name, _)| name == "location") {
                *value = value.split("bucket=").next().unwrap().to_owned();
            }
        }),
        BOTH,
    ),
    (
        "names another object",
        Way::Answer(|answer| {
            let text = String::from_utf8_lossy(&answer.body).replace("<PostResponse><Bucket>", "<PostResponse><Bucket>other-");
            answer.body = text.into_bytes();
        }),
        BOTH,
    ),
    (
        "forgets the type of the object",
        Way::Answer(|answer| answer.headers.iter_mut().filter(|(name, _)| name == "content-type").for_each(|(_, value)| "a/b".clone_into(value))),
        BOTH,
    ),
    ("forgets metadata", Way::Answer(|answer| answer.headers.retain(|(name, _)| !name.contains("-meta-"))), BOTH),
    ("gives one reason for all", Way::Answer(|answer| replace(answer, "Extra input fields", "Policy Condition failed")), BOTH),
    ("does not name what is wrong", Way::Answer(|answer| replace(answer, "cache-control", "a field")), BOTH),
    ("overwrites", Way::Answer(|answer| takes(answer, "FileAlreadyExists")), &["OSS"]),
    ("does not compare checksums", Way::Answer(|answer| takes(answer, "BadDigest")), &["S3"]),
    ("takes an expired form", Way::Answer(|answer| takes_because(answer, "Policy expired")), BOTH),
    ("takes an early form", Way::Answer(|answer| takes_because(answer, "not yet valid")), BOTH),
    ("stores what it refuses", Way::Stores, BOTH),
];

const BOTH: &[&str] = &["S3", "OSS"];

fn replace(answer: &mut WireResponse, from: &str, to: &str) {
    let text = String::from_utf8_lossy(&answer.body).replace(from, to).replace(&from.replace("cache-control", "Cache-Control"), to);
    answer.body = text.into_bytes();
}

fn takes(answer: &mut WireResponse, code: &str) {
    if answer.error_code.as_deref() == Some(code) {
        answer.status = 204;
    }
}

fn takes_because(answer: &mut WireResponse, reason: &str) {
    if String::from_utf8_lossy(&answer.body).contains(reason) {
        answer.status = 204;
    }
}

#[test]
fn every_careless_store_is_noticed() {
    let mut unnoticed = Vec::new();
    for (what, way, providers) in CARELESS {
        for provider in *providers {
            let (name, world) = worlds().into_iter().find(|(name, _)| name.starts_with(provider) && name.ends_with("virtual-hosted")).unwrap();
            let careless = Careless { honest: world.backend(), presigner: world.presigner(), way, key: "posts/leak".to_owned() };
            let report = run_now(Harness { backend: &careless, ..world.harness() }.run_module(Module::Posts));
            if report.failures().next().is_none() {
                unnoticed.push(format!("{name}: a store that {what}"));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
