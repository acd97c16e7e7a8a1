//! Many objects deleted by one request.

use http::StatusCode;

use super::{
    Call,
    body::RequestBody,
    listing::url_encoded,
    receive,
    respond::{Answer, xml_answer},
};
use crate::{
    Cloud, StoreError,
    objects::{ObjectStore, WriteCondition},
    xml,
};

/// POST of a list of objects to delete. What comes of each stands in the answer.
pub(super) async fn objects(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let url_encoded = url_encoded(call)?;
    let promises = call.headers.promises(call.verified.payload())?;
    if call.cloud() == Cloud::S3 && !promises.has_digest() {
        return Err(StoreError::InvalidRequest { reason: "Missing required header for this request: Content-MD5 OR x-amz-checksum-*" });
    }
    let text = receive::document(call, body, promises, xml::MAX_DELETE_BODY).await?;
    let request = xml::delete_request(call.cloud(), &text)?;
    let mut refused = Vec::new();
    let (mut going, mut outcomes) = (Vec::new(), Vec::new());
    for object in request.objects {
        match object.version_id.filter(|version| version != "null") {
            Some(version_id) => refused.push((object.key, StoreError::NoSuchVersion { version_id })),
            None => going.push((object.key, object.etag.map_or(WriteCondition::None, WriteCondition::IfMatch))),
        }
    }
    let keys: Vec<String> = going.iter().map(|(key, _)| key.clone()).collect();
    for (key, outcome) in keys.into_iter().zip(store.delete_all(call.bucket(), going).await?) {
        outcomes.push(xml::Deleted { key, error: outcome.err() });
    }
    outcomes.extend(refused.into_iter().map(|(key, error)| xml::Deleted { key, error: Some(error) }));
    Ok(xml_answer(StatusCode::OK, xml::delete_result(call.cloud(), &outcomes, request.quiet, url_encoded)))
}
