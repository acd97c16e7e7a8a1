//! How a form that was taken is answered.

use http::{StatusCode, request::Parts};
use url::Url;
use valetkey_core::{
    encode,
    verify::{SuccessAction, VerifiedForm},
};

use crate::{
    Cloud,
    objects::ObjectInfo,
    server::{
        headers::{put, put_digests, put_encryption},
        respond::{Answer, AnswerBody, answer, xml_answer},
    },
    xml,
};

/// The answer that the form asks for.
pub(super) fn taken(cloud: Cloud, head: &Parts, form: &VerifiedForm, info: &ObjectInfo) -> Answer {
    let location = location(head, form);
    let redirect = match form.success_action() {
        // As S3 does, a URL that cannot be read is as good as none.
        SuccessAction::Redirect(to) => redirect(&to, form, &xml::etag(cloud, &info.etag)).ok_or(StatusCode::NO_CONTENT),
        SuccessAction::Status(status) => Err(StatusCode::from_u16(status).unwrap_or(StatusCode::NO_CONTENT)),
    };
    let mut answer = match redirect {
        Err(StatusCode::CREATED) => xml_answer(StatusCode::CREATED, xml::post_response(cloud, &location, form.bucket(), info)),
        Err(status) => answer(status, AnswerBody::empty()),
        Ok(_) => answer(StatusCode::SEE_OTHER, AnswerBody::empty()),
    };
    let headers = answer.headers_mut();
    put_digests(headers, cloud, &info.etag, info.crc64_ecma, info.checksums.iter());
    put_encryption(headers, cloud, info);
    match (redirect, cloud) {
        (Ok(to), _) => put(headers, "location", to.as_str()),
        (Err(_), Cloud::S3) => put(headers, "location", &location),
        (Err(_), Cloud::Oss) => {}
    }
    answer
}

/// The object's own URL, in the style in which the form was sent.
fn location(head: &Parts, form: &VerifiedForm) -> String {
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut location = format!("http://{host}/");
    if head.uri.path() != "/" {
        encode::push_path(&mut location, form.bucket());
        location.push('/');
    }
    encode::push_path(&mut location, form.key().as_str());
    location
}

fn redirect(to: &str, form: &VerifiedForm, etag: &str) -> Option<Url> {
    let mut url = Url::parse(to).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut query = url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&")).unwrap_or_default();
    for (name, value) in [("bucket=", form.bucket()), ("&key=", form.key().as_str()), ("&etag=", etag)] {
        query.push_str(name);
        encode::push_query(&mut query, value);
    }
    url.set_query(Some(&query));
    Some(url)
}
