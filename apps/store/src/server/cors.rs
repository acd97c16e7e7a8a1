//! Cross-origin rules: configured by requests, and obeyed in every answer.

use http::{HeaderMap, StatusCode, request::Parts};

use super::{
    Call, Service,
    body::RequestBody,
    gate::Place,
    headers::put,
    receive,
    respond::{Answer, AnswerBody, answer, xml_answer},
};
use crate::{
    Cloud, StoreError,
    cors::{Ask, CorsRule, CorsRules},
    objects::ObjectStore,
    xml,
};

/// PUT of a bucket's rules.
pub(super) async fn put_rules(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody) -> Result<Answer, StoreError> {
    let promises = call.headers.promises(call.verified.payload())?;
    let text = receive::document(call, body, promises, xml::MAX_CORS_BODY).await?;
    let rules = xml::cors_rules(call.cloud(), &text)?;
    store.configure_bucket(call.bucket(), move |info| info.cors = Some(rules)).await?;
    Ok(answer(StatusCode::OK, AnswerBody::empty()))
}

/// GET of the rules that hold for a bucket.
pub(super) fn get(store: &ObjectStore, call: &Call<'_>, default: Option<&CorsRules>) -> Result<Answer, StoreError> {
    let info = store.bucket(call.bucket())?;
    let rules = info.cors.as_ref().or(default).ok_or_else(|| StoreError::NoCorsRules { bucket: call.bucket().into() })?;
    Ok(xml_answer(StatusCode::OK, xml::cors_result(call.cloud(), rules)))
}

/// DELETE of a bucket's rules.
pub(super) async fn delete(store: &ObjectStore, call: &Call<'_>) -> Result<Answer, StoreError> {
    store.configure_bucket(call.bucket(), |info| info.cors = None).await?;
    Ok(answer(StatusCode::NO_CONTENT, AnswerBody::empty()))
}

/// What an answer tells the browser.
#[derive(Default)]
pub(super) struct CrossOrigin {
    /// The rule that allows the request, and the origin it is from.
    allowed: Option<(CorsRule, String)>,
    always_vary: bool,
}

impl CrossOrigin {
    /// Writes it down. Without a rule that matches there is nothing to tell, but for `Vary` where OSS is asked to say it always.
    pub(super) fn tell(&self, cloud: Cloud, headers: &mut HeaderMap) {
        let Some((rule, origin)) = &self.allowed else {
            if self.always_vary {
                put(headers, "vary", "Origin");
            }
            return;
        };
        tell_rule(cloud, rule, origin, headers);
    }
}

fn tell_rule(cloud: Cloud, rule: &CorsRule, origin: &str, headers: &mut HeaderMap) {
    put(headers, "access-control-allow-origin", if rule.is_for_all() { "*" } else { origin });
    if cloud == Cloud::S3 {
        if !rule.is_for_all() {
            put(headers, "access-control-allow-credentials", "true");
        }
        put(headers, "access-control-allow-methods", &rule.methods.join(", "));
    }
    if !rule.exposed.is_empty() {
        put(headers, "access-control-expose-headers", &rule.exposed.join(", "));
    }
    match cloud {
        Cloud::S3 => put(headers, "vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
        Cloud::Oss => put(headers, "vary", "Origin"),
    }
}

impl Service {
    /// The rules of the bucket that a request points to.
    fn cors_rules(&self, place: &Place) -> Option<CorsRules> {
        let info = self.objects.bucket(place.bucket.as_deref()?).ok()?;
        info.cors.clone().or_else(|| self.cors.as_deref().cloned())
    }

    /// What the answer to a request, done or refused, tells a browser. A preflight is answered apart.
    pub(super) fn cors_of(&self, head: &Parts) -> CrossOrigin {
        let rules = self.gate.place(head).and_then(|place| self.cors_rules(&place));
        let Some(rules) = rules else { return CrossOrigin::default() };
        let always_vary = rules.always_vary;
        let asked = one(&head.headers, "origin").filter(|_| head.method != http::Method::OPTIONS);
        let allowed = asked.and_then(|origin| {
            let rule = rules.matching(&Ask { origin, method: head.method.as_str(), headers: Vec::new() })?;
            Some((rule.clone(), origin.to_owned()))
        });
        CrossOrigin { allowed, always_vary }
    }

    /// Answers what a browser asks before it sends a request. It carries no signature and reaches nothing but the rules.
    pub(super) fn preflight(&self, head: &Parts, cloud: Cloud) -> Result<Answer, StoreError> {
        let origin = one(&head.headers, "origin").ok_or(StoreError::BadPreflight { reason: "Insufficient information. Origin request header needed" })?;
        let method = one(&head.headers, "access-control-request-method");
        let method = method.ok_or(StoreError::BadPreflight { reason: "Invalid Access-Control-Request-Method: null" })?;
        let list = head.headers.get_all("access-control-request-headers").iter().map(|value| value.to_str().ok());
        let headers = list.map(|list| list.map(|list| list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect::<Vec<_>>()));
        let headers = headers.collect::<Option<Vec<_>>>().map(|lists| lists.concat());
        let place = self.gate.place(head).unwrap_or(Place { bucket: None, key: None });
        let resource = if place.key.is_some() { "OBJECT" } else { "BUCKET" };
        let refuse = |reason| StoreError::CorsForbidden { reason, method: method.chars().take(100).collect(), resource };
        // A bucket that is not there is refused in the same words: who asks has shown nothing.
        let rules = self.cors_rules(&place).ok_or_else(|| refuse("CORS is not enabled for this bucket."))?;
        let ask = headers.map(|headers| Ask { origin, method, headers });
        let rule = ask.as_ref().and_then(|ask| rules.matching(ask)).ok_or_else(|| {
            refuse(
                "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or \
                 Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
            )
        })?;
        let mut answer = answer(StatusCode::OK, AnswerBody::empty());
        let told = answer.headers_mut();
        tell_rule(cloud, rule, origin, told);
        put(told, "access-control-allow-methods", &rule.methods.join(", "));
        let asked: Vec<String> = ask.iter().flat_map(|ask| &ask.headers).map(|name| name.to_ascii_lowercase()).collect();
        if !asked.is_empty() {
            put(told, "access-control-allow-headers", &asked.join(", "));
        }
        if let Some(seconds) = rule.max_age {
            put(told, "access-control-max-age", &seconds.to_string());
        }
        Ok(answer)
    }
}

/// A header that stands once, as text.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
