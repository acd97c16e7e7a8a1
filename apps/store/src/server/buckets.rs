//! The operations on buckets themselves.

use http::StatusCode;

use super::{
    Call,
    body::RequestBody,
    headers::put,
    listing::number,
    receive,
    respond::{Answer, AnswerBody, answer, xml_answer},
};
use crate::{
    Cloud, StoreError,
    objects::{BucketInfo, ObjectStore, Place},
    xml,
};

/// The region of a bucket that names none, in a store that names none.
fn default_region(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::S3 => "us-east-1",
        Cloud::Oss => "cn-hangzhou",
    }
}

/// A bucket's region: the store's, if it has one, or what its maker named, if that was said in the same cloud's words.
fn region<'a>(cloud: Cloud, set: Option<&'a str>, info: &'a BucketInfo) -> &'a str {
    let named = info.region.as_deref().filter(|_| cloud == Cloud::S3);
    set.or(named).unwrap_or(default_region(cloud))
}

/// PUT of a bucket.
pub(super) async fn create(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody, set: Option<&str>) -> Result<Answer, StoreError> {
    // What is not kept is refused and not ignored: nobody else could read such a bucket.
    match call.headers.own("acl")? {
        None | Some("private") => {}
        Some(_) => return Err(StoreError::NotImplemented { what: "an ACL of a bucket (`private` is what it has)" }),
    }
    match call.headers.get("x-amz-object-ownership")? {
        None | Some("BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter") => {}
        Some(_) => return Err(StoreError::InvalidRequest { reason: "x-amz-object-ownership is not one of its words" }),
    }
    // A client may send no body, and then need not say how long it is.
    let has_body = call.headers.map.contains_key("content-length") || call.headers.map.contains_key("transfer-encoding");
    let text = match has_body {
        true => receive::document(call, body, call.headers.promises(call.verified.payload())?, xml::MAX_BUCKET_BODY).await?,
        false => receive::nothing(call, body).await.map(|()| Default::default())?,
    };
    let asked = xml::bucket_request(call.cloud(), &text)?;
    check_location(call.cloud(), asked.location.as_deref(), set)?;
    let location = asked.location.filter(|_| call.cloud() == Cloud::S3);
    let info = BucketInfo { created: call.now, region: location, storage_class: asked.storage_class, cors: None };
    match store.create_bucket(call.bucket(), info).await {
        // In its oldest region S3 lets an owner make a bucket again.
        Err(StoreError::BucketAlreadyExists { .. }) if call.cloud() == Cloud::S3 && set == Some("us-east-1") => {}
        other => other?,
    }
    let mut answer = answer(StatusCode::OK, AnswerBody::empty());
    put(answer.headers_mut(), "location", &format!("/{}", call.bucket()));
    Ok(answer)
}

/// Refuses a bucket that would be in another region than the store.
fn check_location(cloud: Cloud, location: Option<&str>, set: Option<&str>) -> Result<(), StoreError> {
    let refuse = |reason| Err(StoreError::WrongRegion { location: location.unwrap_or_default().chars().take(100).collect(), reason });
    match (cloud, location, set) {
        (Cloud::S3, Some("us-east-1"), _) => {
            // S3 knows that region only by leaving it out.
            Err(StoreError::InvalidLocation { location: "us-east-1".into() })
        }
        (Cloud::S3, Some("EU"), Some("eu-west-1")) | (Cloud::S3, None, None | Some("us-east-1")) | (_, Some(_), None) | (Cloud::Oss, None, _) => Ok(()),
        (Cloud::S3, None, Some(_)) => refuse("the unspecified location constraint is incompatible for the region specific endpoint this request was sent to"),
        (Cloud::S3, Some(location), Some(set)) if location == set => Ok(()),
        (Cloud::Oss, Some(location), Some(set)) if location.strip_prefix("oss-").unwrap_or(location) == set => Ok(()),
        (_, Some(_), Some(_)) => refuse("the location constraint is incompatible for the region specific endpoint this request was sent to"),
    }
}

/// DELETE of a bucket.
pub(super) async fn delete(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    store.delete_bucket(call.cloud(), call.bucket()).await?;
    Ok(answer(StatusCode::NO_CONTENT, AnswerBody::empty()))
}

/// HEAD of a bucket.
pub(super) fn head(store: &ObjectStore, call: &Call<'_>, set: Option<&str>) -> Result<Answer, StoreError> {
    let info = store.bucket(call.bucket())?;
    let mut answer = answer(StatusCode::OK, AnswerBody::empty());
    match call.cloud() {
        Cloud::S3 => put(answer.headers_mut(), "x-amz-bucket-region", region(Cloud::S3, set, &info)),
        Cloud::Oss => put(answer.headers_mut(), "x-oss-bucket-region", &format!("oss-{}", region(Cloud::Oss, set, &info))),
    }
    Ok(answer)
}

/// GET of a bucket's region.
pub(super) fn location(store: &ObjectStore, call: &Call<'_>, set: Option<&str>) -> Result<Answer, StoreError> {
    let info = store.bucket(call.bucket())?;
    Ok(xml_answer(StatusCode::OK, xml::location_result(call.cloud(), region(call.cloud(), set, &info))))
}

/// GET of what OSS knows about a bucket.
pub(super) fn info(store: &ObjectStore, call: &Call<'_>, set: Option<&str>) -> Result<Answer, StoreError> {
    let info = store.bucket(call.bucket())?;
    let bucket = xml::BucketEntry { name: call.bucket(), info: &info, region: region(call.cloud(), set, &info), host: call.host };
    Ok(xml_answer(StatusCode::OK, xml::bucket_info_result(&bucket)))
}

/// GET of a bucket's versioning: it never had any.
pub(super) fn versioning(call: &Call<'_>) -> Answer {
    xml_answer(StatusCode::OK, xml::versioning_result(call.cloud()))
}

/// GET of the list of buckets.
pub(super) fn list(store: &ObjectStore, call: &Call<'_>, set: Option<&str>) -> Result<Answer, StoreError> {
    let prefix = call.text("prefix");
    let (name, default, most) = match call.cloud() {
        Cloud::S3 => ("max-buckets", 10_000, 10_000),
        Cloud::Oss => ("max-keys", 100, 1000),
    };
    let max = number(call, name, default)?;
    if !(1..=most).contains(&max) {
        return Err(StoreError::InvalidArgument { name, value: max.to_string(), reason: "is out of its range" });
    }
    // S3 goes on behind a token, OSS behind a name.
    let after = match (call.cloud(), call.verified.parameter("continuation-token")) {
        (Cloud::S3, Some(token)) => Place::of_token(token, "")?.name().to_owned(),
        (Cloud::S3, None) => String::new(),
        (Cloud::Oss, _) => call.text("marker").to_owned(),
    };
    let only = call.verified.parameter("bucket-region").filter(|_| call.cloud() == Cloud::S3);
    let (found, more) = store.buckets(prefix, &after, max as usize);
    let next = found.last().filter(|_| more).map(|(name, _)| match call.cloud() {
        Cloud::S3 => Place::Key(name.clone()).token(""),
        Cloud::Oss => name.clone(),
    });
    let entries = found.iter().map(|(name, info)| xml::BucketEntry { name, info, region: region(call.cloud(), set, info), host: call.host });
    let buckets = entries.filter(|entry| only.is_none_or(|only| only == entry.region)).collect();
    // S3 tells regions and prefix only to who asks with parameters.
    let asked = !call.verified.query().is_empty();
    let page = xml::BucketPage { buckets, prefix, marker: &after, max, next, asked };
    Ok(xml_answer(StatusCode::OK, xml::list_buckets_result(call.cloud(), &page)))
}
