//! The operations that write. Everything that can be refused without the body is refused before the body is asked for.

use http::StatusCode;

use super::{
    Call,
    body::RequestBody,
    headers::{put_digests, put_encryption},
    receive,
    respond::{Answer, AnswerBody, answer},
};
use crate::{
    Cloud, StoreError,
    objects::{ObjectStore, PutObject, WriteCondition},
};

/// PUT of an object.
pub(super) async fn put_object(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let put = PutObject {
        bucket: call.bucket().into(),
        key: call.key()?.into(),
        attributes: call.headers.attributes()?,
        condition: call.headers.write_condition()?,
        now: call.now,
    };
    store.check_condition(&put.bucket, &put.key, &put.condition)?;
    let promises = call.headers.promises(call.verified.payload())?;
    let staged = receive::object(store, call, body, promises).await?;
    let info = store.put(put, staged).await?;
    let mut answer = answer(StatusCode::OK, AnswerBody::empty());
    put_digests(answer.headers_mut(), call.cloud(), &info.etag, info.crc64_ecma, info.checksums.iter());
    put_encryption(answer.headers_mut(), call.cloud(), &info);
    Ok(answer)
}

/// DELETE of an object.
pub(super) async fn delete_object(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    let condition = match call.headers.get("if-match")? {
        Some(etag) if call.cloud() == Cloud::S3 => WriteCondition::IfMatch(etag.into()),
        _ => WriteCondition::None,
    };
    store.delete(call.bucket(), call.key()?, condition).await?;
    Ok(answer(StatusCode::NO_CONTENT, AnswerBody::empty()))
}
