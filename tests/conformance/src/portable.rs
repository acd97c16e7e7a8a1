//! Every operation with every constraint: bound so that keeping it is accepted and breaking it refused, or refused by name; never dropped.

use valetkey_core::{ByteRange, Constraint, ConstraintName, ContentType, ObjectRequest, Operation, PresignError, PresignOptions, PresignedRequest};

use crate::account::{Item, account};
use crate::backend::{WireRequest, WireResponse};
use crate::harness::{BODY, Harness, shown};
use crate::headers::{changed_header, without_header};
use crate::profile::Why;
use crate::report::{Record, ensure};
use crate::samples;
use crate::scene::Scene;

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    for operation in Operation::ALL {
        for name in ConstraintName::ALL.iter().copied() {
            let case = format!("{operation} with {name}");
            if !name.applies_to(operation) {
                record.note(case, not_applicable(harness, operation, name).await);
            } else if operation.required().contains(&name) {
                record.note(format!("{operation} without {name}"), missing(harness, operation, name).await);
            } else {
                applicable(harness, record, operation, name, &case).await;
            }
        }
        record.note(format!("{operation} with nothing more than it needs"), in_a_scene(harness, operation, &format!("{operation}"), None).await);
    }
}

async fn not_applicable(harness: &Harness<'_>, operation: Operation, name: ConstraintName) -> Result<(), String> {
    let scene = Scene::empty(harness, operation, "portable/none")?;
    for constraint in samples::of(name, &scene) {
        match harness.presigner.presign(&scene.request().with(constraint), &PresignOptions::new()).await {
            Err(PresignError::NotApplicable { constraint, operation: of }) if constraint == name && of == operation => {}
            Err(other) => return Err(format!("refused as `{}` ({other}); it is `not_applicable`", other.code())),
            Ok(_) => return Err("signed, though it means nothing".to_owned()),
        }
    }
    Ok(())
}

async fn missing(harness: &Harness<'_>, operation: Operation, name: ConstraintName) -> Result<(), String> {
    let scene = Scene::empty(harness, operation, "portable/none")?;
    let all = scene.request();
    let rest = all.constraints().iter().filter(|constraint| constraint.name() != name);
    let request = rest.fold(ObjectRequest::new(operation, all.key().cloned()), |request, constraint| request.with(constraint.clone()));
    match harness.presigner.presign(&request, &PresignOptions::new()).await {
        Err(PresignError::Missing { constraint, operation: of }) if constraint == name && of == operation => Ok(()),
        Err(other) => Err(format!("refused as `{}` ({other}); it is `missing`", other.code())),
        Ok(_) => Err("signed, though the operation needs it".to_owned()),
    }
}

async fn applicable(harness: &Harness<'_>, record: &mut Record, operation: Operation, name: ConstraintName, case: &str) {
    let variants = Scene::empty(harness, operation, "portable/none").map_or(0, |scene| samples::of(name, &scene).len());
    for variant in 0..variants {
        let case = if variants == 1 { case.to_owned() } else { format!("{case} ({} of {variants})", variant + 1) };
        // Refused by name needs no scene, and a scene may need what is refused.
        match refused_by_name(harness, operation, name, variant).await {
            Ok(true) => record.note(case, Ok(())),
            Err(reason) => record.note(case, Err(reason)),
            Ok(false) => record.note(case, in_a_scene(harness, operation, &format!("{operation}-{name}-{variant}"), Some((name, variant))).await),
        }
    }
}

/// Whether the provider says by name that it cannot bind this, which it may not say of the portable subset.
async fn refused_by_name(harness: &Harness<'_>, operation: Operation, name: ConstraintName, variant: usize) -> Result<bool, String> {
    let scene = Scene::empty(harness, operation, "portable/none")?;
    let Some(sample) = samples::of(name, &scene).into_iter().nth(variant) else {
        return Ok(true);
    };
    let is_portable = samples::is_portable(&sample, operation);
    match harness.presigner.presign(&scene.request().with(sample), &PresignOptions::new()).await {
        Ok(_) => Ok(false),
        Err(PresignError::Unsupported { constraint, .. }) if constraint == name => {
            ensure(!is_portable, || format!("{} answers Unsupported to a part of the portable subset", harness.profile.provider)).map(|()| true)
        }
        Err(other) => Err(format!("refused as `{}` ({other}); a constraint that cannot be bound is `unsupported` by its name", other.code())),
    }
}

/// Makes what the operation needs, tries it with one sample or with none, and clears up.
async fn in_a_scene(harness: &Harness<'_>, operation: Operation, place: &str, sample: Option<(ConstraintName, usize)>) -> Result<(), String> {
    let scene = Scene::prepare(harness, operation, &format!("portable/{place}"), sample.map(|(name, _)| name)).await?;
    let sample = sample.and_then(|(name, variant)| samples::of(name, &scene).into_iter().nth(variant));
    Box::pin(kept_and_broken(harness, &scene, sample)).await?;
    scene.clear(harness).await
}

/// First broken in every way, which changes nothing, and then kept.
async fn kept_and_broken(harness: &Harness<'_>, scene: &Scene, sample: Option<Constraint>) -> Result<(), String> {
    let name = sample.as_ref().map(Constraint::name);
    let is_portable = sample.as_ref().is_none_or(|sample| samples::is_portable(sample, scene.operation));
    let request = sample.iter().fold(scene.request(), |request, sample| request.with(sample.clone()));
    let signed = harness.sign(&request).await?;
    let items = account(harness.profile, &request, &signed)?;
    for (_, item) in items.iter().filter(|(of, _)| name.is_none_or(|name| *of == name)) {
        break_item(harness, scene, &signed, item).await.map_err(|reason| format!("{} {reason}", item.name()))?;
    }
    if let Some(sample) = &sample {
        break_otherwise(harness, scene, sample, &signed).await?;
    }
    let answer = harness.send(WireRequest::of(&signed, scene.body.as_slice())).await?;
    if !answer.is_success() {
        // A store need not do all that can be signed; but it must have taken the signature.
        let is_head = scene.operation == Operation::Head;
        let excused = !is_portable && !harness.profile.blames_signature(&answer, is_head);
        return ensure(excused, || format!("kept, and refused with {}", shown(&answer)));
    }
    match &sample {
        Some(sample) => effect(harness, scene, sample, &signed, &answer).await,
        None => Ok(()),
    }
}

async fn break_item(harness: &Harness<'_>, scene: &Scene, signed: &PresignedRequest, item: &Item) -> Result<(), String> {
    match item {
        Item::Header { name, .. } => {
            without_header(harness, signed, scene, name).await.map_err(|reason| format!("left out: {reason}"))?;
            changed_header(harness, signed, scene, name).await.map_err(|reason| format!("changed: {reason}"))
        }
        Item::Parameter { name, .. } => {
            for (how, change) in [("left out", None), ("changed", Some("x"))] {
                let mut request = WireRequest::of(signed, scene.body.as_slice());
                request.url = with_parameter(&signed.url, name, change);
                harness.refused(request, Why::QueryChanged).await.map_err(|reason| format!("{how}: {reason}"))?;
            }
            Ok(())
        }
    }
}

/// The URL without the parameter, or with something at the end of its value.
fn with_parameter(url: &str, name: &str, more: Option<&str>) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs = query.split('&').filter_map(|pair| {
        if pair.split('=').next() != Some(name) {
            return Some(pair.to_owned());
        }
        more.map(|more| if pair.contains('=') { format!("{pair}{more}") } else { format!("{pair}={more}") })
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// What a client can do differently although it sends every header as reported.
async fn break_otherwise(harness: &Harness<'_>, scene: &Scene, sample: &Constraint, signed: &PresignedRequest) -> Result<(), String> {
    let mut request = WireRequest::of(signed, scene.body.as_slice());
    match sample {
        // The checksum of a completed upload is the object's and not the list's.
        Constraint::Checksum(_) if scene.operation == Operation::CompleteMultipart => Ok(()),
        Constraint::ContentMd5(_) | Constraint::Checksum(_) | Constraint::PayloadSha256(_) => {
            if let Some(last) = request.body.last_mut() {
                *last = b' ';
            }
            harness.refused(request, Why::Digest).await.map_err(|reason| format!("with another body: {reason}"))
        }
        Constraint::ContentType(ContentType::Absent) => {
            request.headers.push(("content-type".to_owned(), "text/plain".to_owned()));
            harness.refused(request, Why::StrayHeader).await.map_err(|reason| format!("with a content type: {reason}"))
        }
        Constraint::IfMatch(_) => {
            let stale = harness.sign(&scene.request().if_match("\"00000000000000000000000000000000\"")).await?;
            let request = WireRequest::of(&stale, scene.body.as_slice());
            harness.refused(request, Why::Precondition).await.map_err(|reason| format!("with a stale ETag: {reason}"))
        }
        _ => Ok(()),
    }
}

/// What was asked for is what happens.
async fn effect(harness: &Harness<'_>, scene: &Scene, sample: &Constraint, signed: &PresignedRequest, answer: &WireResponse) -> Result<(), String> {
    match (scene.operation, sample) {
        (Operation::Get, Constraint::Range(range)) => {
            let bytes = match *range {
                ByteRange::Bounded { first, last } => first..last + 1,
                ByteRange::From(first) => first..BODY.len() as u64,
                ByteRange::Last(count) => BODY.len() as u64 - count..BODY.len() as u64,
            };
            let want = BODY.iter().copied().zip(0_u64..).filter(|(_, at)| bytes.contains(at)).map(|(byte, _)| byte);
            ensure(answer.status == 206 && answer.body.iter().copied().eq(want), || "the answer has other bytes than the range".to_owned())
        }
        (Operation::Get | Operation::Head, Constraint::Response(header, value)) => {
            let name = header.parameter().trim_start_matches("response-");
            ensure(answer.header(name) == Some(value), || format!("{name} is {:?} in the answer", answer.header(name)))
        }
        (Operation::Get | Operation::Head, Constraint::DownloadName(_)) => {
            let sent = answer.header("content-disposition").unwrap_or_default();
            ensure(sent.starts_with("attachment; filename="), || format!("content-disposition is `{sent}` in the answer"))
        }
        (Operation::Put | Operation::Copy, Constraint::CreateOnly) => {
            let again = WireRequest::of(signed, scene.body.as_slice());
            harness.refused(again, Why::Exists).await.map_err(|reason| format!("sent again: {reason}"))
        }
        (Operation::Put, _) => stored(harness, scene, sample, signed).await,
        _ => Ok(()),
    }
}

/// The object that was written tells of itself what was signed.
async fn stored(harness: &Harness<'_>, scene: &Scene, sample: &Constraint, signed: &PresignedRequest) -> Result<(), String> {
    let tells = matches!(
        sample.name(),
        ConstraintName::Metadata
            | ConstraintName::CacheControl
            | ConstraintName::ContentDisposition
            | ConstraintName::ContentEncoding
            | ConstraintName::ContentLanguage
            | ConstraintName::ContentType
            | ConstraintName::Expires
    );
    if !tells {
        return Ok(());
    }
    let head = harness.accepted(WireRequest::of(&harness.sign(&ObjectRequest::head(scene.key.clone())).await?, [])).await?;
    for (name, value) in signed.signed_headers.iter() {
        ensure(head.header(name) == Some(value), || format!("the object has {:?} as {name}", head.header(name)))?;
    }
    Ok(())
}
