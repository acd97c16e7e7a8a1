//! Whatever differs from what was signed is refused, and reaches nothing.

use valetkey_core::{AuthorizedRequest, Method, Operation};

use super::is_in_header;
use crate::backend::WireRequest;
use crate::harness::{BODY, Harness};
use crate::profile::Why;
use crate::report::Record;
use crate::scene::Scene;

type Change = (String, WireRequest, Why);

pub(super) async fn run(harness: &Harness<'_>, record: &mut Record, scene: &Scene, signed: &AuthorizedRequest) {
    let operation = scene.operation;
    let honest = WireRequest::authorized(signed, scene.body.as_slice());
    let mut changes = headers(harness, signed, &honest);
    changes.extend(places(harness, signed, &honest));
    if is_in_header(signed) {
        changes.extend(parts_of_the_header(signed, &honest));
    }
    for (case, request, why) in changes {
        record.note(format!("{operation}: {case}"), harness.refused(request, why).await);
    }
    let unchanged = match operation {
        Operation::Get | Operation::Head | Operation::Delete | Operation::List => Some(BODY),
        _ => None,
    };
    record.note(format!("{operation}: what was refused changed nothing"), harness.holds(&scene.key, unchanged).await);
}

/// Each header left out and changed, and one more than was signed.
fn headers(harness: &Harness<'_>, signed: &AuthorizedRequest, honest: &WireRequest) -> Vec<Change> {
    let own = &harness.profile.authorization;
    let is_own = |name: &str| ["authorization", own.date, own.payload, own.token].contains(&name);
    let mut changes = Vec::new();
    for (name, value) in signed.headers.iter() {
        if name == "content-length" {
            changes.push((format!("{name} left out"), WireRequest { chunked: true, ..honest.clone() }, Why::LengthMissing));
            let mut longer = honest.clone();
            longer.body.push(b' ');
            changes.push((format!("{name} changed"), longer, Why::Signature));
            continue;
        }
        let (missing, changed) = if is_own(name) { (Why::Authorization, Why::Authorization) } else { (Why::HeaderMissing, Why::Signature) };
        changes.push((format!("{name} left out"), without(honest, name), missing));
        changes.push((format!("{name} changed"), with(honest, name, &format!("{value}x")), changed));
    }
    if let (true, Some((day, time))) = (is_in_header(signed), signed.headers.value(own.date).and_then(|date| date.split_once('T'))) {
        let other_minute = if time.starts_with("00") { "000101Z" } else { "000000Z" };
        changes.push((format!("{} of another minute", own.date), with(honest, own.date, &format!("{day}T{other_minute}")), Why::Authorization));
    }
    let mut stray = honest.clone();
    stray.headers.push((format!("{}stray", harness.profile.header_prefix), "1".to_owned()));
    changes.push(("a header of the cloud's own that is not signed".to_owned(), stray, Why::StrayHeader));
    let mut elsewhere = honest.clone();
    elsewhere.headers.push(("host".to_owned(), "other.example".to_owned()));
    changes.push(("another host".to_owned(), elsewhere, Why::QueryChanged));
    changes
}

/// Another method, path or query.
fn places(harness: &Harness<'_>, signed: &AuthorizedRequest, honest: &WireRequest) -> Vec<Change> {
    let with_url = |url: String| WireRequest { url, ..honest.clone() };
    let (path, query) = signed.url.split_once('?').unwrap_or((signed.url.as_str(), ""));
    let mut changes = Vec::new();
    // A method without a body sends no length, and that is noticed first where the length is signed by its name.
    let other_method = if signed.headers.value("content-length").is_some() { Why::HeaderMissing } else { Why::Signature };
    for method in [Method::Get, Method::Head, Method::Put, Method::Post, Method::Delete] {
        // Whoever takes these at a bucket makes or removes it.
        let is_about_the_bucket = signed.operation == Operation::List && matches!(method, Method::Put | Method::Delete);
        if method != signed.method && !is_about_the_bucket {
            changes.push((format!("method {method}"), WireRequest { method, ..honest.clone() }, other_method));
        }
    }
    if signed.operation != Operation::List {
        changes.push(("path: longer".to_owned(), with_url(format!("{path}x?{query}")), Why::Signature));
    }
    let pairs: Vec<&str> = query.split('&').collect();
    for (at, pair) in pairs.iter().enumerate() {
        let name = pair.split('=').next().unwrap_or_default();
        let with_pair = |other: Option<String>| {
            let pairs = pairs.iter().enumerate().filter_map(|(index, pair)| if index == at { other.clone() } else { Some((*pair).to_owned()) });
            with_url(format!("{path}?{}", pairs.collect::<Vec<_>>().join("&")))
        };
        let longer = if pair.contains('=') { format!("{pair}x") } else { format!("{pair}=x") };
        changes.push((format!("{name}: changed"), with_pair(Some(longer)), Why::QueryChanged));
        changes.push((format!("{name}: dropped"), with_pair(None), Why::QueryChanged));
        changes.push((format!("{name}: twice"), with_pair(Some(format!("{pair}&{pair}"))), Why::QueryChanged));
    }
    for more in ["x=1", "acl", "versionId=1"] {
        changes.push((format!("a parameter more: {more}"), with_url(format!("{}&{more}", signed.url)), Why::QueryChanged));
    }
    let both = format!("{}&{}={}", signed.url, harness.profile.signature_parameter, "0".repeat(64));
    changes.push(("a signature in the URL, too".to_owned(), with_url(both), Why::QueryChanged));
    changes
}

/// Each part of `Authorization` changed, left out, doubled and called otherwise.
fn parts_of_the_header(signed: &AuthorizedRequest, honest: &WireRequest) -> Vec<Change> {
    let value = signed.headers.value("authorization").unwrap_or_default();
    let (algorithm, rest) = value.split_once(' ').unwrap_or((value, ""));
    let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
    let mut changes = Vec::new();
    let mut changed = |case: String, value: String| changes.push((case, with(honest, "authorization", &value), Why::Authorization));
    changed("another algorithm".to_owned(), format!("X{value}"));
    changed("an algorithm and nothing else".to_owned(), algorithm.to_owned());
    for (at, part) in parts.iter().enumerate() {
        let name = part.split('=').next().unwrap_or_default();
        let with_part = |other: &[&str]| {
            let (before, after) = (parts.get(..at).unwrap_or_default(), parts.get(at + 1..).unwrap_or_default());
            format!("{algorithm} {}", [before, other, after].concat().join(","))
        };
        changed(format!("{name}: changed"), with_part(&[&other_end(part)]));
        changed(format!("{name}: left out"), with_part(&[]));
        changed(format!("{name}: twice"), with_part(&[part, part]));
        changed(format!("{name}: called otherwise"), with_part(&[&format!("X{part}")]));
        changed(format!("{name}: empty"), with_part(&[&format!("{name}=")]));
        if name == "Credential" {
            changed("another access key".to_owned(), with_part(&[&part.replacen('=', "=X", 1)]));
        }
    }
    let mut twice = honest.clone();
    twice.headers.push(("authorization".to_owned(), value.to_owned()));
    changes.push(("two of the header".to_owned(), twice, Why::Authorization));
    changes
}

fn without(honest: &WireRequest, name: &str) -> WireRequest {
    let mut request = honest.clone();
    request.headers.retain(|(other, _)| other != name);
    request
}

fn with(honest: &WireRequest, name: &str, value: &str) -> WireRequest {
    let mut request = honest.clone();
    for (_, old) in request.headers.iter_mut().filter(|(other, _)| other == name) {
        value.clone_into(old);
    }
    request
}

/// The same text with another last character.
fn other_end(text: &str) -> String {
    let mut text = text.to_owned();
    let last = text.pop();
    text.push(if last == Some('0') { '1' } else { '0' });
    text
}
