//! What must exist before an operation can be tried: the object, the upload, the source of a copy.

use valetkey_core::{ConstraintName, CopySource, ObjectKey, ObjectRequest, Operation};

use crate::backend::{WireRequest, WireResponse};
use crate::harness::{BODY, Harness, shown};
use crate::profile::Why;
use crate::report::ensure;
use crate::samples;

const NO_UPLOAD: &str = "none";

/// The things of one case, under keys of its own.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) operation: Operation,
    pub(crate) key: ObjectKey,
    pub(crate) source: CopySource,
    /// What the client sends.
    pub(crate) body: Vec<u8>,
    /// The ETag of the object that exists.
    pub(crate) etag: String,
    pub(crate) upload_id: String,
    /// Where a list goes on.
    pub(crate) token: String,
}

impl Scene {
    /// A scene in which nothing exists: enough to sign.
    pub(crate) fn empty(harness: &Harness<'_>, operation: Operation, name: &str) -> Result<Self, String> {
        let key = harness.key(&format!("{name}.txt"))?;
        let source = CopySource::new(harness.place.bucket, harness.key(&format!("{name}-source é.txt"))?);
        let body = if matches!(operation, Operation::Put | Operation::UploadPart) { BODY.to_vec() } else { Vec::new() };
        let text = |text: &str| text.to_owned();
        Ok(Self { operation, key, source, body, etag: text("\"0\""), upload_id: text(NO_UPLOAD), token: text("none") })
    }

    /// Makes what the operation needs. A customer's key goes into everything that it must have been in before.
    pub(crate) async fn prepare(harness: &Harness<'_>, operation: Operation, name: &str, constraint: Option<ConstraintName>) -> Result<Self, String> {
        let mut scene = Self::empty(harness, operation, name)?;
        // An earlier run may have ended before it cleared up.
        scene.clear(harness).await?;
        scene.fill(harness, constraint).await.map_err(|reason| format!("preparing: {reason}"))?;
        Ok(scene)
    }

    async fn fill(&mut self, harness: &Harness<'_>, constraint: Option<ConstraintName>) -> Result<(), String> {
        let with_key = |request: ObjectRequest| match constraint {
            Some(ConstraintName::CustomerKey) => request.customer_key(samples::customer_key()),
            _ => request,
        };
        let send = async |request: ObjectRequest, body: &[u8]| {
            let signed = harness.sign(&request).await?;
            harness.accepted(WireRequest::of(&signed, body)).await
        };
        let needs_object = matches!(self.operation, Operation::Get | Operation::Head | Operation::Delete | Operation::List);
        if needs_object || matches!(constraint, Some(ConstraintName::IfMatch)) {
            let written = send(with_key(ObjectRequest::put(self.key.clone())), BODY).await?;
            self.etag = etag(&written)?;
        }
        if matches!(self.operation, Operation::Copy | Operation::UploadPartCopy) {
            send(ObjectRequest::put(self.source.key().clone()), BODY).await?;
        }
        if self.operation.required().contains(&ConstraintName::UploadId) {
            let begun = send(with_key(ObjectRequest::create_multipart(self.key.clone())), &[]).await?;
            self.upload_id = begun.element("UploadId").ok_or("the answer names no UploadId")?;
        }
        if self.operation == Operation::CompleteMultipart {
            let part = send(with_key(ObjectRequest::upload_part(self.key.clone(), &self.upload_id, 1)), BODY).await?;
            self.body = parts_list(&etag(&part)?);
        }
        if self.operation == Operation::List && matches!(constraint, Some(ConstraintName::ContinuationToken)) {
            send(ObjectRequest::put(self.second()?), BODY).await?;
            let page = send(ObjectRequest::list().prefix(self.key.as_str()).max_keys(1), &[]).await?;
            self.token = page.element("NextContinuationToken").ok_or("the list has no NextContinuationToken")?;
        }
        Ok(())
    }

    /// Removes what the case may have left. It makes no difference whether it did.
    pub(crate) async fn clear(&self, harness: &Harness<'_>) -> Result<(), String> {
        if self.upload_id != NO_UPLOAD {
            let signed = harness.sign(&ObjectRequest::abort_multipart(self.key.clone(), &self.upload_id)).await?;
            let answer = harness.send(WireRequest::of(&signed, [])).await?;
            let is_gone = answer.is_success() || harness.profile.says(&answer, Why::NoUpload, false);
            ensure(is_gone, || format!("clearing up: the upload stays, {}", shown(&answer)))?;
        }
        for key in [&self.key, self.source.key(), &self.second()?] {
            harness.delete(key).await.map_err(|reason| format!("clearing up: {reason}"))?;
        }
        Ok(())
    }

    /// Another object, for a list of two.
    fn second(&self) -> Result<ObjectKey, String> {
        ObjectKey::new(format!("{}2", self.key)).map_err(|error| error.to_string())
    }

    /// The operation with what it cannot be signed without.
    pub(crate) fn request(&self) -> ObjectRequest {
        let key = self.key.clone();
        match self.operation {
            Operation::Get => ObjectRequest::get(key),
            Operation::Head => ObjectRequest::head(key),
            Operation::Put => ObjectRequest::put(key),
            Operation::Delete => ObjectRequest::delete(key),
            Operation::Copy => ObjectRequest::copy(key, self.source.clone()),
            Operation::CreateMultipart => ObjectRequest::create_multipart(key),
            Operation::UploadPart => ObjectRequest::upload_part(key, &self.upload_id, 1),
            Operation::UploadPartCopy => ObjectRequest::upload_part_copy(key, &self.upload_id, 1, self.source.clone()),
            Operation::CompleteMultipart => ObjectRequest::complete_multipart(key, &self.upload_id),
            Operation::AbortMultipart => ObjectRequest::abort_multipart(key, &self.upload_id),
            Operation::ListParts => ObjectRequest::list_parts(key, &self.upload_id),
            Operation::List => ObjectRequest::list(),
        }
    }
}

pub(crate) fn etag(answer: &WireResponse) -> Result<String, String> {
    answer.header("etag").map(ToOwned::to_owned).or_else(|| answer.element("ETag")).ok_or_else(|| "the answer has no ETag".to_owned())
}

/// The list that completes an upload of one part. The line end is there to be changed without changing the list.
pub(crate) fn parts_list(etag: &str) -> Vec<u8> {
    format!("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>\n").into_bytes()
}
