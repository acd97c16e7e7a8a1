//! The reported headers are the whole contract: all of what was asked for, nothing else, and each of them counts.

use valetkey_core::{
    ByteRange, Constraint, ContentMd5, ContentType, ContentTypeRule, ObjectRequest, Operation, PresignError, PresignOptions, PresignedRequest,
};

use crate::account::account;
use crate::backend::WireRequest;
use crate::digest;
use crate::harness::Harness;
use crate::profile::Why;
use crate::report::{Record, ensure};
use crate::scene::Scene;

/// Headers that nobody asked for: sent, each is either taken or refused, and what is refused must have been said.
const STRAYS: &[(&str, &str)] = &[
    ("cache-control", "no-cache"),
    ("x-stray", "1"),
    ("x-amz-meta-stray", "1"),
    ("x-amz-acl", "public-read"),
    ("x-oss-meta-stray", "1"),
    ("x-oss-object-acl", "public-read"),
];

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    for operation in Operation::ALL {
        every_header_counts(harness, record, operation).await;
    }
    record.note("a value outside of ASCII", outside_of_ascii(harness).await);
    for asked in [None, Some(ContentType::Fixed("image/png".to_owned())), Some(ContentType::Absent), Some(ContentType::Free)] {
        record.note(format!("content type: {asked:?}"), content_type(harness, asked).await);
    }
    for operation in [Operation::Put, Operation::Get] {
        strays(harness, record, operation).await;
    }
}

/// All that can be asked for at once, for each operation, without what only one provider can do.
fn rich(scene: &Scene) -> ObjectRequest {
    let body = scene.body.as_slice();
    let request = scene.request().header("X-Trace-Id", "a=1; b").query("x-trace", "a b+c/d");
    match scene.operation {
        Operation::Put => metadata(request)
            .content_type("text/plain; charset=utf-8")
            .content_length(body.len() as u64)
            .content_md5(ContentMd5::from_bytes(digest::md5(body)))
            .create_only(),
        Operation::CreateMultipart => metadata(request).content_type("image/png"),
        Operation::Copy => request.metadata("owner", "7"),
        Operation::Get | Operation::Head => request.range(ByteRange::From(2)).if_match(&scene.etag).download_name("Bericht März.pdf"),
        Operation::UploadPart | Operation::CompleteMultipart => {
            request.content_length(body.len() as u64).content_md5(ContentMd5::from_bytes(digest::md5(body)))
        }
        Operation::List => request.prefix(scene.key.as_str()).delimiter("/").max_keys(7),
        Operation::Delete | Operation::UploadPartCopy | Operation::AbortMultipart | Operation::ListParts => request,
    }
}

fn metadata(request: ObjectRequest) -> ObjectRequest {
    request
        .metadata("owner", "seven  of  nine")
        .metadata("Mixed-Case", "Yes; 50%")
        .cache_control("private, max-age=60")
        .content_disposition("inline; filename=\"a b.txt\"")
        .content_encoding("identity")
        .content_language("de, en")
        .tag("team", "red & blue")
        .tag("stage", "1/2")
}

async fn every_header_counts(harness: &Harness<'_>, record: &mut Record, operation: Operation) {
    let scene = match Scene::prepare(harness, operation, &format!("headers-{operation}"), None).await {
        Ok(scene) => scene,
        Err(reason) => return record.note(format!("{operation}"), Err(reason)),
    };
    let request = rich(&scene);
    let signed = match harness.sign(&request).await {
        Ok(signed) => signed,
        Err(reason) => return record.note(format!("{operation}"), Err(reason)),
    };
    record.note(format!("{operation}: exactly what was asked for is bound and reported"), account(harness.profile, &request, &signed).map(drop));
    for (name, _) in signed.signed_headers.iter() {
        record.note(format!("{operation}: {name} left out"), without_header(harness, &signed, &scene, name).await);
        record.note(format!("{operation}: {name} changed"), changed_header(harness, &signed, &scene, name).await);
    }
    if operation == Operation::Put {
        record.note("put: a refused request writes nothing", harness.holds(&scene.key, None).await);
    }
    let kept = harness.accepted(WireRequest::of(&signed, scene.body.as_slice())).await;
    record.note(format!("{operation}: sent as reported"), kept.map(drop));
    record.note(format!("{operation}: clearing up"), scene.clear(harness).await);
}

/// A request that does not send a header, and nothing else that differs.
pub(crate) async fn without_header(harness: &Harness<'_>, signed: &PresignedRequest, scene: &Scene, name: &str) -> Result<(), String> {
    let mut request = WireRequest::of(signed, scene.body.as_slice());
    if name == "content-length" {
        request.chunked = true;
        return harness.refused(request, Why::LengthMissing).await;
    }
    request.headers.retain(|(other, _)| other != name);
    harness.refused(request, Why::HeaderMissing).await
}

/// A request with another value in a header, and nothing else that differs.
pub(crate) async fn changed_header(harness: &Harness<'_>, signed: &PresignedRequest, scene: &Scene, name: &str) -> Result<(), String> {
    let mut request = WireRequest::of(signed, scene.body.as_slice());
    if name == "content-length" {
        request.body.push(b' ');
        return harness.refused(request, Why::Signature).await;
    }
    for (_, value) in request.headers.iter_mut().filter(|(other, _)| other == name) {
        value.push('x');
    }
    harness.refused(request, Why::Signature).await
}

async fn outside_of_ascii(harness: &Harness<'_>) -> Result<(), String> {
    let scene = Scene::empty(harness, Operation::Put, "headers-unicode")?;
    let request = scene.request().metadata("city", "Zürich 东京");
    let signed = harness.sign(&request).await?;
    account(harness.profile, &request, &signed)?;
    ensure(!signed.notes.is_empty(), || "no note says that the value must be sent as UTF-8".to_owned())?;
    harness.accepted(WireRequest::of(&signed, scene.body.as_slice())).await?;
    scene.clear(harness).await
}

async fn content_type(harness: &Harness<'_>, asked: Option<ContentType>) -> Result<(), String> {
    let scene = Scene::empty(harness, Operation::Put, "headers-type")?;
    let request = asked.into_iter().fold(scene.request(), |request, rule| request.with(Constraint::ContentType(rule)));
    let signed = match harness.presigner.presign(&request, &PresignOptions::new()).await {
        Err(PresignError::Unsupported { constraint, .. }) if constraint.as_str() == "content-type" => return Ok(()),
        result => result.map_err(|error| format!("not signed: {error}"))?,
    };
    account(harness.profile, &request, &signed)?;
    let fixed = signed.signed_headers.value("content-type").map(ToOwned::to_owned);
    ensure(fixed.is_some() == (signed.content_type == ContentTypeRule::Fixed), || "the rule and the reported headers do not go together".to_owned())?;
    for sent in [None, Some("text/x-stray"), fixed.as_deref()] {
        let mut request = WireRequest::of(&signed, scene.body.as_slice());
        request.headers.retain(|(name, _)| name != "content-type");
        request.headers.extend(sent.map(|value| ("content-type".to_owned(), value.to_owned())));
        let why = match (signed.content_type, sent) {
            (ContentTypeRule::Fixed, None) => Some(Why::HeaderMissing),
            (ContentTypeRule::Fixed, Some(value)) if fixed.as_deref() != Some(value) => Some(Why::Signature),
            (ContentTypeRule::Absent, Some(_)) => Some(Why::StrayHeader),
            _ => None,
        };
        let outcome = match why {
            Some(why) => harness.refused(request, why).await,
            None => harness.accepted(request).await.map(drop),
        };
        outcome.map_err(|reason| format!("{} with {sent:?}: {reason}", harness.profile.provider))?;
    }
    scene.clear(harness).await
}

/// A client learns of every header that must not be sent, and of none that may be.
async fn strays(harness: &Harness<'_>, record: &mut Record, operation: Operation) {
    let prepared = async {
        let scene = Scene::prepare(harness, operation, &format!("headers-stray-{operation}"), None).await?;
        let signed = harness.sign(&scene.request()).await?;
        Ok((scene, signed))
    };
    let (scene, signed) = match prepared.await {
        Ok(prepared) => prepared,
        Err(reason) => return record.note(format!("{operation}: headers that nobody asked for"), Err(reason)),
    };
    let md5 = digest::base64(&digest::md5(&scene.body));
    for (name, value) in STRAYS.iter().copied().chain([("content-type", "text/x-stray"), ("content-md5", md5.as_str())]) {
        let mut request = WireRequest::of(&signed, scene.body.as_slice());
        request.headers.push((name.to_owned(), value.to_owned()));
        let is_told = is_told(&signed, name);
        let outcome = if is_told { harness.refused(request, Why::StrayHeader).await } else { harness.accepted(request).await.map(drop) };
        let told = if is_told { "reported as refused" } else { "not reported as refused" };
        record.note(format!("{operation}: {name}, {told}"), outcome);
    }
    record.note(format!("{operation}: clearing up after headers that nobody asked for"), scene.clear(harness).await);
}

fn is_told(signed: &PresignedRequest, name: &str) -> bool {
    let by_list = signed.do_not_send.iter().any(|entry| entry.strip_suffix('*').map_or(entry == name, |prefix| name.starts_with(prefix)));
    by_list || (name == "content-type" && signed.content_type == ContentTypeRule::Absent)
}
