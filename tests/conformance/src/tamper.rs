//! Nothing of a URL can be changed: whatever differs is refused, and reaches nothing.

use valetkey_core::{Method, ObjectRequest, Operation, PresignedRequest};

use crate::backend::WireRequest;
use crate::harness::{BODY, Harness};
use crate::profile::Why;
use crate::report::Record;
use crate::scene::Scene;

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    for operation in [Operation::Get, Operation::Put, Operation::Delete] {
        let prepared = async {
            let scene = Scene::prepare(harness, operation, &format!("tamper-{operation}"), None).await?;
            // A change that gets through must show, so there is something to change.
            harness.put(&scene.key, BODY).await?;
            let signed = harness.sign(&request(&scene)).await?;
            Ok((scene, signed))
        };
        let (scene, signed) = match prepared.await {
            Ok(prepared) => prepared,
            Err(reason) => {
                record.note(format!("{operation}"), Err(reason));
                continue;
            }
        };
        for (case, request, why) in changes(harness, &signed, b"changed".as_slice()) {
            record.note(format!("{operation}: {case}"), harness.refused(request, why).await);
        }
        record.note(format!("{operation}: the object is what it was"), harness.holds(&scene.key, Some(BODY)).await);
        let body = if operation == Operation::Put { BODY } else { b"" };
        record.note(format!("{operation}: unchanged it is accepted"), harness.accepted(WireRequest::of(&signed, body)).await.map(drop));
        record.note(format!("{operation}: clearing up"), scene.clear(harness).await);
    }
}

fn request(scene: &Scene) -> ObjectRequest {
    let request = scene.request().query("x-trace", "a b+c/d");
    match scene.operation {
        Operation::Get => request.download_name("a.txt").header("X-Trace-Id", "a"),
        Operation::Put => request.content_type("image/png").metadata("owner", "7"),
        _ => request.header("X-Trace-Id", "a"),
    }
}

/// Every change with the reason that it must be refused for.
fn changes(harness: &Harness<'_>, signed: &PresignedRequest, body: &[u8]) -> Vec<(String, WireRequest, Why)> {
    let honest = WireRequest::of(signed, if signed.method == Method::Put { body } else { b"" });
    let with_url = |url: String| WireRequest { url, ..honest.clone() };
    let (path, query) = signed.url.split_once('?').unwrap_or((signed.url.as_str(), ""));
    let pairs: Vec<&str> = query.split('&').collect();
    let join = |pairs: &[String]| with_url(format!("{path}?{}", pairs.join("&")));
    let owned = || pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<String>>();
    let mut changes = Vec::new();

    for method in [Method::Get, Method::Head, Method::Put, Method::Post, Method::Delete] {
        if method != signed.method {
            changes.push((format!("method {method}"), WireRequest { method, ..honest.clone() }, Why::Signature));
        }
    }
    for (what, path) in [("last character", other_end(path)), ("longer", format!("{path}x")), ("a segment more", format!("{path}/x"))] {
        changes.push((format!("path: {what}"), with_url(format!("{path}?{query}")), Why::Signature));
    }
    for (at, pair) in pairs.iter().enumerate() {
        let name = pair.split('=').next().unwrap_or_default();
        let why = if name == harness.profile.signature_parameter { Why::Signature } else { Why::QueryChanged };
        let mut changed = owned();
        changed[at] = if *pair == name { format!("{name}=x") } else { other_end(pair) };
        changes.push((format!("{name}: last character"), join(&changed), why));
        let mut dropped = owned();
        dropped.remove(at);
        changes.push((format!("{name}: dropped"), join(&dropped), Why::QueryChanged));
        let mut doubled = owned();
        doubled.push((*pair).to_owned());
        changes.push((format!("{name}: twice"), join(&doubled), Why::QueryChanged));
        let mut renamed = owned();
        renamed[at] = format!("y{pair}");
        changes.push((format!("{name}: renamed"), join(&renamed), Why::QueryChanged));
    }
    for more in ["x=1", "acl", "response-content-type=text%2Fhtml", "versionId=1", "uploadId=1&partNumber=1"] {
        changes.push((format!("a parameter more: {more}"), with_url(format!("{}&{more}", signed.url)), Why::QueryChanged));
    }
    let shorter = signed.url.get(..signed.url.len().saturating_sub(1)).unwrap_or_default();
    changes.push(("the signature, a character less".to_owned(), with_url(shorter.to_owned()), Why::QueryChanged));
    changes.push(("no query".to_owned(), with_url(path.to_owned()), Why::QueryChanged));
    let mut elsewhere = honest.clone();
    elsewhere.headers.push(("host".to_owned(), "other.example".to_owned()));
    changes.push(("another host".to_owned(), elsewhere, Why::QueryChanged));
    changes
}

/// The same text with another last character, which stays an escape where it was one.
fn other_end(text: &str) -> String {
    let mut text = text.to_owned();
    let last = text.pop();
    text.push(if last == Some('0') { '1' } else { '0' });
    text
}
