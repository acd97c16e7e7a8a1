//! A URL goes where it must, does what it says, and works until it ends.

use valetkey_core::{ObjectRequest, Operation};

use crate::account::account;
use crate::backend::{WireRequest, WireResponse};
use crate::harness::{BODY, Harness};
use crate::keys::check_path;
use crate::profile::Why;
use crate::report::{Record, ensure};
use crate::scene::{Scene, etag, parts_list};

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    for operation in Operation::ALL {
        record.note(format!("{operation}: method and place"), method_and_place(harness, operation).await);
    }
    record.note("an object is written, read and deleted", life_of_an_object(harness).await);
    record.note("a URL works several times", several_times(harness).await);
    record.note("a copy has the bytes of its source", copy(harness).await);
    record.note("an upload in parts", parts(harness, Operation::UploadPart).await);
    record.note("an upload in parts that are copied", parts(harness, Operation::UploadPartCopy).await);
    record.note("an upload that is thrown away", abort(harness).await);
    record.note("a list", list(harness).await);
    for (asked, sent) in
        [(Operation::Get, Operation::Head), (Operation::Head, Operation::Get), (Operation::Get, Operation::Put), (Operation::Put, Operation::Delete)]
    {
        record.note(format!("{asked} is not {sent}"), other_method(harness, asked, sent).await);
    }
}

async fn method_and_place(harness: &Harness<'_>, operation: Operation) -> Result<(), String> {
    let scene = Scene::empty(harness, operation, "urls-place")?;
    let request = scene.request();
    let signed = harness.sign(&request).await?;
    ensure(signed.operation == operation, || format!("the result is of `{}`", signed.operation))?;
    ensure(signed.method == operation.method(), || format!("the method is {}", signed.method))?;
    match request.key() {
        Some(key) => check_path(harness, &signed.url, key)?,
        None => {
            let rest = signed.url.split('?').next().and_then(|path| path.strip_prefix(harness.place.base_url));
            ensure(matches!(rest, Some("" | "/")), || "the URL does not lead to the bucket".to_owned())?;
        }
    }
    account(harness.profile, &request, &signed).map(drop)
}

async fn life_of_an_object(harness: &Harness<'_>) -> Result<(), String> {
    let key = harness.key("urls-life.txt")?;
    harness.put(&key, BODY).await?;
    harness.holds(&key, Some(BODY)).await?;
    let head = harness.accepted(WireRequest::of(&harness.sign(&ObjectRequest::head(key.clone())).await?, [])).await?;
    ensure(head.body.is_empty(), || "HEAD has a body".to_owned())?;
    etag(&head)?;
    harness.delete(&key).await?;
    harness.holds(&key, None).await?;
    let head = harness.sign(&ObjectRequest::head(key)).await?;
    harness.refused(WireRequest::of(&head, []), Why::NoObject).await
}

async fn several_times(harness: &Harness<'_>) -> Result<(), String> {
    let key = harness.key("urls-often.txt")?;
    let put = harness.sign(&ObjectRequest::put(key.clone())).await?;
    let get = harness.sign(&ObjectRequest::get(key.clone())).await?;
    for body in [BODY, b"second", b""] {
        harness.accepted(WireRequest::of(&put, body)).await?;
        for _ in 0..2 {
            let answer = harness.accepted(WireRequest::of(&get, [])).await?;
            ensure(answer.body == body, || "GET gives other bytes than PUT wrote".to_owned())?;
        }
    }
    harness.delete(&key).await
}

async fn copy(harness: &Harness<'_>) -> Result<(), String> {
    let scene = Scene::prepare(harness, Operation::Copy, "urls-copy", None).await?;
    harness.accepted(WireRequest::of(&harness.sign(&scene.request()).await?, [])).await?;
    harness.holds(&scene.key, Some(BODY)).await?;
    harness.holds(scene.source.key(), Some(BODY)).await?;
    harness.delete(&scene.key).await?;
    harness.delete(scene.source.key()).await
}

/// One part, since all but the last have a least size.
async fn parts(harness: &Harness<'_>, by: Operation) -> Result<(), String> {
    let scene = Scene::prepare(harness, by, &format!("urls-{by}"), None).await?;
    let send = async |request: ObjectRequest, body: &[u8]| -> Result<WireResponse, String> {
        let (operation, signed) = (request.operation(), harness.sign(&request).await?);
        harness.accepted(WireRequest::of(&signed, body)).await.map_err(|reason| format!("{operation}: {reason}"))
    };
    harness.holds(&scene.key, None).await?;
    let part = send(scene.request(), &scene.body).await?;
    let listed = send(ObjectRequest::list_parts(scene.key.clone(), &scene.upload_id), &[]).await?;
    ensure(listed.element("PartNumber").as_deref() == Some("1"), || "the list of parts does not name part 1".to_owned())?;
    send(ObjectRequest::complete_multipart(scene.key.clone(), &scene.upload_id), &parts_list(&etag(&part)?)).await?;
    harness.holds(&scene.key, Some(BODY)).await?;
    if by == Operation::UploadPartCopy {
        harness.delete(scene.source.key()).await?;
    }
    harness.delete(&scene.key).await
}

async fn abort(harness: &Harness<'_>) -> Result<(), String> {
    let scene = Scene::prepare(harness, Operation::AbortMultipart, "urls-abort", None).await?;
    harness.accepted(WireRequest::of(&harness.sign(&scene.request()).await?, [])).await?;
    let listed = harness.sign(&ObjectRequest::list_parts(scene.key.clone(), &scene.upload_id)).await?;
    harness.refused(WireRequest::of(&listed, []), Why::NoUpload).await
}

async fn list(harness: &Harness<'_>) -> Result<(), String> {
    let (one, two) = (harness.key("urls-list/one.txt")?, harness.key("urls-list/two.txt")?);
    harness.put(&one, BODY).await?;
    harness.put(&two, BODY).await?;
    let prefix = format!("{}urls-list/", harness.place.key_prefix);
    for (request, has_two) in [(ObjectRequest::list().prefix(&prefix), true), (ObjectRequest::list().prefix(&prefix).max_keys(1), false)] {
        let signed = harness.sign(&request).await?;
        let answer = harness.accepted(WireRequest::of(&signed, [])).await?;
        let text = String::from_utf8_lossy(&answer.body);
        let lists = |key: &str| text.contains(&format!("<Key>{key}</Key>"));
        ensure(lists(one.as_str()) && lists(two.as_str()) == has_two, || format!("`{request:?}` gives another list"))?;
    }
    harness.delete(&one).await?;
    harness.delete(&two).await
}

async fn other_method(harness: &Harness<'_>, asked: Operation, sent: Operation) -> Result<(), String> {
    let key = harness.key("urls-method.txt")?;
    harness.put(&key, BODY).await?;
    let signed = harness.sign(&ObjectRequest::new(asked, Some(key.clone()))).await?;
    let mut request = WireRequest::of(&signed, []);
    request.method = sent.method();
    harness.refused(request, Why::Signature).await?;
    harness.holds(&key, Some(BODY)).await?;
    harness.delete(&key).await
}
