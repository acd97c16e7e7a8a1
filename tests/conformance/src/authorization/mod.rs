//! What is signed to be sent at once: it does what it says, binds all that was asked for or refuses it by name, and cannot be changed, kept or moved.
//!
//! The signature stands in the `Authorization` header, or in the URL where a presigner knows no other way.

mod tamper;

use valetkey_core::{AuthorizedRequest, ConstraintName, ObjectRequest, Operation, PresignError, Timestamp};

use crate::account::account_authorized;
use crate::backend::{WireRequest, WireResponse};
use crate::digest;
use crate::harness::{BODY, Harness};
use crate::keys::check_path;
use crate::profile::Why;
use crate::report::{Record, ensure};
use crate::samples;
use crate::scene::{Scene, etag, parts_list};

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    for operation in Operation::ALL {
        record.note(format!("{operation}: method and place"), method_and_place(harness, operation).await);
        record.note(format!("{operation}: every constraint is bound or refused by name"), constraints(harness, operation).await);
        match prepared(harness, operation).await {
            Ok((scene, signed)) => {
                tamper::run(harness, record, &scene, &signed).await;
                record.note(format!("{operation}: unchanged it does what it says"), does_what_it_says(harness, &scene, &signed).await);
                record.note(format!("{operation}: clearing up"), scene.clear(harness).await);
            }
            Err(reason) => record.note(format!("{operation}"), Err(reason)),
        }
    }
    for operation in [Operation::Put, Operation::UploadPart, Operation::CompleteMultipart] {
        record.note(format!("{operation}: the body has the digest that is signed"), body_digest(harness, operation).await);
    }
    record.note("the session token goes along", session_token(harness).await);
    if harness.clock.turns() {
        record.note("it is good for a quarter of an hour", quarter_of_an_hour(harness).await);
    } else {
        record.skip("it is good for a quarter of an hour", "the clock cannot be turned");
    }
}

/// Whether the signature stands in the header.
fn is_in_header(signed: &AuthorizedRequest) -> bool {
    signed.headers.value("authorization").is_some()
}

/// Signs, and compares what comes out with what was asked for.
async fn authorize(harness: &Harness<'_>, request: &ObjectRequest) -> Result<AuthorizedRequest, String> {
    let before = harness.clock.now();
    let signed = harness.presigner.authorize(request).await.map_err(|error| format!("not signed: {error}"))?;
    check(harness, request, &signed, before)?;
    Ok(signed)
}

fn check(harness: &Harness<'_>, request: &ObjectRequest, signed: &AuthorizedRequest, before: Timestamp) -> Result<(), String> {
    let operation = request.operation();
    ensure(signed.operation == operation, || format!("the result is of `{}`", signed.operation))?;
    ensure(signed.method == operation.method(), || format!("the method is {}", signed.method))?;
    ensure((before..=harness.clock.now()).contains(&signed.signed_at), || format!("signed_at is {}; it is {before}", signed.signed_at))?;
    match request.key() {
        Some(key) => check_path(harness, &signed.url, key)?,
        None => {
            let rest = signed.url.split('?').next().and_then(|path| path.strip_prefix(harness.place.base_url));
            ensure(matches!(rest, Some("" | "/")), || "the URL does not lead to the bucket".to_owned())?;
        }
    }
    account_authorized(harness.profile, request, signed)?;
    if is_in_header(signed) {
        let own = &harness.profile.authorization;
        let date = signed.headers.value(own.date).unwrap_or_default();
        ensure(Timestamp::from_basic(date) == Ok(signed.signed_at), || format!("`{date}` is signed as the time; it is reported as {}", signed.signed_at))?;
        let value = signed.headers.value("authorization").unwrap_or_default();
        ensure(value.split(' ').next() == Some(own.algorithm), || "the header does not begin with the algorithm".to_owned())?;
    }
    Ok(())
}

async fn method_and_place(harness: &Harness<'_>, operation: Operation) -> Result<(), String> {
    let scene = Scene::empty(harness, operation, "authorization-place")?;
    authorize(harness, &scene.request()).await.map(drop)
}

/// Each constraint by itself: what it becomes is told, or it is refused as a presigned URL refuses it.
async fn constraints(harness: &Harness<'_>, operation: Operation) -> Result<(), String> {
    let scene = Scene::empty(harness, operation, "authorization-none")?;
    for name in ConstraintName::ALL.iter().copied() {
        if operation.required().contains(&name) {
            let all = scene.request();
            let rest = all.constraints().iter().filter(|constraint| constraint.name() != name).cloned();
            let request = rest.fold(ObjectRequest::new(operation, all.key().cloned()), ObjectRequest::with);
            constraint(harness, &request, name, false).await.map_err(|reason| format!("without {name}: {reason}"))?;
            continue;
        }
        for sample in samples::of(name, &scene) {
            let is_portable = samples::is_portable(&sample, operation);
            constraint(harness, &scene.request().with(sample), name, is_portable).await.map_err(|reason| format!("with {name}: {reason}"))?;
        }
    }
    Ok(())
}

async fn constraint(harness: &Harness<'_>, request: &ObjectRequest, name: ConstraintName, is_portable: bool) -> Result<(), String> {
    let (operation, before) = (request.operation(), harness.clock.now());
    let (is_required, applies) = (operation.required().contains(&name), name.applies_to(operation));
    match harness.presigner.authorize(request).await {
        Err(PresignError::Missing { constraint, operation: of }) if is_required && constraint == name && of == operation => Ok(()),
        Err(PresignError::NotApplicable { constraint, operation: of }) if !applies && constraint == name && of == operation => Ok(()),
        Err(PresignError::Unsupported { constraint, .. }) if applies && !is_required && !is_portable && constraint == name => Ok(()),
        Err(other) => Err(format!("refused as `{}` ({other})", other.code())),
        Ok(_) if is_required || !applies => Err("signed; it must be refused by name".to_owned()),
        Ok(signed) => check(harness, request, &signed, before),
    }
}

/// Makes what the operation needs, and signs it with more than it needs.
async fn prepared(harness: &Harness<'_>, operation: Operation) -> Result<(Scene, AuthorizedRequest), String> {
    let scene = Scene::prepare(harness, operation, &format!("authorization-{operation}"), None).await?;
    let request = scene.request().header("X-Trace-Id", "a=1; b").query("x-trace", "a b+c/d");
    let request = match operation {
        Operation::Put => request.content_type("image/png").content_length(scene.body.len() as u64).metadata("owner", "seven  of  nine"),
        Operation::CreateMultipart => request.content_type("image/png").metadata("owner", "7"),
        Operation::List => request.prefix(scene.key.as_str()).max_keys(7),
        _ => request,
    };
    let signed = authorize(harness, &request).await?;
    Ok((scene, signed))
}

/// Sent as it is, it is accepted and has its effect.
async fn does_what_it_says(harness: &Harness<'_>, scene: &Scene, signed: &AuthorizedRequest) -> Result<(), String> {
    let answer = harness.accepted(WireRequest::authorized(signed, scene.body.as_slice())).await?;
    match scene.operation {
        Operation::Get => ensure(answer.body == BODY, || "the answer has other bytes than the object".to_owned()),
        Operation::Head => {
            ensure(answer.body.is_empty(), || "HEAD has a body".to_owned())?;
            etag(&answer).map(drop)
        }
        Operation::Delete => harness.holds(&scene.key, None).await,
        Operation::Put | Operation::Copy | Operation::CompleteMultipart => harness.holds(&scene.key, Some(BODY)).await,
        Operation::CreateMultipart => begun_upload(harness, scene, &answer).await,
        Operation::UploadPart | Operation::UploadPartCopy => complete(harness, scene, &etag(&answer)?).await,
        Operation::AbortMultipart => {
            let listed = authorize(harness, &ObjectRequest::list_parts(scene.key.clone(), &scene.upload_id)).await?;
            harness.refused(WireRequest::authorized(&listed, []), Why::NoUpload).await
        }
        Operation::ListParts => ensure(answer.element("PartNumber").is_none(), || "the list has a part that nobody sent".to_owned()),
        Operation::List => ensure(answer.element("Key").as_deref() == Some(scene.key.as_str()), || "the list does not name the object".to_owned()),
    }
}

/// A part is listed, and completes the object.
async fn complete(harness: &Harness<'_>, scene: &Scene, etag: &str) -> Result<(), String> {
    let listed = authorize(harness, &ObjectRequest::list_parts(scene.key.clone(), &scene.upload_id)).await?;
    let listed = harness.accepted(WireRequest::authorized(&listed, [])).await.map_err(|reason| format!("list-parts: {reason}"))?;
    ensure(listed.element("PartNumber").as_deref() == Some("1"), || "the list of parts does not name part 1".to_owned())?;
    let completed = authorize(harness, &ObjectRequest::complete_multipart(scene.key.clone(), &scene.upload_id)).await?;
    harness.accepted(WireRequest::authorized(&completed, parts_list(etag))).await.map_err(|reason| format!("complete-multipart: {reason}"))?;
    harness.holds(&scene.key, Some(BODY)).await
}

/// The upload exists, and is given up again.
async fn begun_upload(harness: &Harness<'_>, scene: &Scene, answer: &WireResponse) -> Result<(), String> {
    let id = answer.element("UploadId").ok_or("the answer names no UploadId")?;
    let listed = authorize(harness, &ObjectRequest::list_parts(scene.key.clone(), &id)).await?;
    harness.accepted(WireRequest::authorized(&listed, [])).await.map_err(|reason| format!("list-parts: {reason}"))?;
    let aborted = authorize(harness, &ObjectRequest::abort_multipart(scene.key.clone(), &id)).await?;
    harness.accepted(WireRequest::authorized(&aborted, [])).await.map_err(|reason| format!("abort-multipart: {reason}"))?;
    harness.refused(WireRequest::authorized(&listed, []), Why::NoUpload).await
}

/// A digest that is asked for is signed and held against the body, or refused by name.
async fn body_digest(harness: &Harness<'_>, operation: Operation) -> Result<(), String> {
    let scene = Scene::prepare(harness, operation, &format!("authorization-digest-{operation}"), None).await?;
    let request = scene.request().payload_sha256(digest::sha256_hex(&scene.body));
    let before = harness.clock.now();
    let signed = match harness.presigner.authorize(&request).await {
        Err(PresignError::Unsupported { constraint: ConstraintName::PayloadSha256, .. }) => return scene.clear(harness).await,
        result => result.map_err(|error| format!("not signed: {error}"))?,
    };
    check(harness, &request, &signed, before)?;
    let mut other = scene.body.clone();
    if let Some(last) = other.last_mut() {
        *last = b' ';
    }
    harness.refused(WireRequest::authorized(&signed, other), Why::Digest).await.map_err(|reason| format!("with another body: {reason}"))?;
    if operation != Operation::UploadPart {
        harness.holds(&scene.key, None).await?;
    }
    does_what_it_says(harness, &scene, &signed).await?;
    scene.clear(harness).await
}

async fn session_token(harness: &Harness<'_>) -> Result<(), String> {
    let scene = Scene::empty(harness, Operation::List, "authorization-token")?;
    let signed = authorize(harness, &scene.request()).await?;
    if !is_in_header(&signed) {
        return Ok(());
    }
    let sent = signed.headers.value(harness.profile.authorization.token).is_some();
    ensure(sent == harness.session_token, || "a token is sent where there is none, or none where there is one".to_owned())
}

async fn quarter_of_an_hour(harness: &Harness<'_>) -> Result<(), String> {
    let now = harness.clock.now();
    let scene = Scene::prepare(harness, Operation::Get, "authorization-time", None).await?;
    let signed = authorize(harness, &scene.request()).await?;
    let outcome = at_its_limits(harness, &signed).await;
    harness.clock.set(now);
    outcome?;
    scene.clear(harness).await
}

async fn at_its_limits(harness: &Harness<'_>, signed: &AuthorizedRequest) -> Result<(), String> {
    let skew = i64::try_from(harness.profile.authorization.skew).map_err(|error| error.to_string())?;
    let in_header = is_in_header(signed);
    let (early, late) = if in_header { (Why::TooSkewed, Why::TooSkewed) } else { (Why::NotYetValid, Why::Expired) };
    for (shift, refused) in [(-skew - 1, Some(early)), (-skew, None), (0, None), (skew, None), (skew + 1, Some(late))] {
        let at = i64::try_from(signed.signed_at.as_unix_seconds()).ok().and_then(|at| Timestamp::from_unix_seconds(at + shift).ok());
        harness.clock.set(at.ok_or("the time is out of range")?);
        let request = WireRequest::authorized(signed, []);
        let outcome = match refused {
            Some(why) => harness.refused(request, why).await,
            None => harness.accepted(request).await.map(drop),
        };
        outcome.map_err(|reason| format!("{shift} s after it was signed: {reason}"))?;
    }
    Ok(())
}
