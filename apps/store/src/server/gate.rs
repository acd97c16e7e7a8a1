//! The only way in: a request becomes a [`Verified`] value here, a form a [`VerifiedForm`], or is refused.

use std::collections::HashMap;

use http::{Method, request::Parts};
use valetkey_core::{
    Credentials, Dialect, Scheme, Timestamp, encode,
    post_policy::Form,
    verify::{Audience, FormVerification, IncomingRequest, Verification, Verified, VerifiedForm, VerifyError},
};
use valetkey_oss::Oss;
use valetkey_s3::S3;

use super::{form::is_form, operation::is_subresource};
use crate::Cloud;

/// Who may sign, in the eyes of one cloud's dialect, and for where.
pub(super) struct Gate {
    s3: Side,
    oss: Side,
}

struct Side {
    dialect: &'static dyn Dialect,
    keys: HashMap<String, Credentials>,
    audience: Audience,
}

/// Where a request points, before anything proves that it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `None` for a host that is not served here.
    pub(super) bucket: Option<String>,
    pub(super) key: Option<String>,
}

/// By what a request is to be judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By its signature.
    Signed,
    /// By the form in its body.
    Form(Place),
    /// A POST at a bucket that is neither.
    NotAForm,
    /// It shows nothing. The object that it wants to read may be one for everybody.
    Anonymous(Place),
}

impl Gate {
    /// `hosts` are the authorities under which the store is reached, in path style and behind a bucket's name.
    pub(super) fn new(hosts: &[String], credentials: &[(Cloud, Credentials)], regions: &HashMap<Cloud, String>) -> Self {
        let side = |cloud| {
            let audience = hosts.iter().fold(Audience::new(), |audience, host| audience.host(valetkey_core::signed_host(Scheme::Http, host)));
            let keys = credentials.iter().filter(|(of, _)| *of == cloud).map(|(_, key)| (key.access_key_id().to_owned(), key.clone())).collect();
            Side { dialect: dialect(cloud), keys, audience: regions.get(&cloud).into_iter().fold(audience, Audience::region) }
        };
        Self { s3: side(Cloud::S3), oss: side(Cloud::Oss) }
    }

    /// Verifies a request as it came over the wire.
    pub(super) fn verify(&self, cloud: Cloud, head: &Parts, now: Timestamp) -> Result<Verified, VerifyError> {
        let side = self.side(cloud);
        with_request(head, |request| {
            let pending = Verification::parse(side.dialect, request, &side.audience)?;
            let credentials = side.keys.get(pending.access_key_id());
            pending.finish(credentials, now)
        })
    }

    /// Verifies the fields of a form.
    pub(super) fn verify_form(&self, cloud: Cloud, form: &Form<'_>, now: Timestamp) -> Result<VerifiedForm, VerifyError> {
        let side = self.side(cloud);
        let pending = FormVerification::parse(side.dialect, form, self.region(cloud))?;
        let credentials = side.keys.get(pending.access_key_id());
        pending.finish(credentials, now)
    }

    /// Decides by what a request is to be judged. What cannot even be read is left to the verification, which says why.
    pub(super) fn kind(&self, head: &Parts) -> Kind {
        let (Some(parameters), Some(place)) = (parameters(head), self.place(head)) else { return Kind::Signed };
        let in_query = parameters.iter().any(|(name, _)| is_signature(&name.to_ascii_lowercase()));
        let is_authenticated = in_query || head.headers.contains_key("authorization");
        let has_subresource = parameters.iter().any(|(name, value)| is_subresource(name, value));
        match (&head.method, &place) {
            _ if has_subresource => Kind::Signed,
            (&Method::POST, Place { key: Some(_), .. }) if in_query => Kind::Signed,
            (&Method::POST, _) if is_form(&head.headers) => Kind::Form(place),
            (&Method::POST, Place { bucket: Some(_), key: None }) if !is_authenticated => Kind::NotAForm,
            (&Method::GET | &Method::HEAD, Place { bucket: Some(_), key: Some(_) }) if !is_authenticated => Kind::Anonymous(place),
            _ => Kind::Signed,
        }
    }

    pub(super) fn place(&self, head: &Parts) -> Option<Place> {
        let located = with_request(head, |request| {
            let (host, target) = (request.host()?, request.parsed_target()?);
            // Both clouds' sides have the same hosts.
            self.s3.audience.locate(&host, target.path, |_| None)
        });
        located.ok().map(|place| Place { bucket: place.bucket().map(str::to_owned), key: place.key().map(str::to_owned) })
    }

    /// The region that a cloud's signatures must be for, if there is one. A setting may have the host's label; a scope never has it.
    pub(super) fn region(&self, cloud: Cloud) -> Option<&str> {
        let region = self.side(cloud).audience.expected_region();
        match cloud {
            Cloud::S3 => region,
            Cloud::Oss => region.map(|region| region.strip_prefix("oss-").unwrap_or(region)),
        }
    }

    fn side(&self, cloud: Cloud) -> &Side {
        match cloud {
            Cloud::S3 => &self.s3,
            Cloud::Oss => &self.oss,
        }
    }
}

/// The dialect of a cloud.
pub(super) fn dialect(cloud: Cloud) -> &'static dyn Dialect {
    match cloud {
        Cloud::S3 => &S3,
        Cloud::Oss => &Oss,
    }
}

/// Whether a request carries a signature anywhere but in a form.
pub(super) fn is_signed_outside(head: &Parts) -> bool {
    let in_query = parameters(head).is_some_and(|parameters| parameters.iter().any(|(name, _)| is_signature(&name.to_ascii_lowercase())));
    in_query || head.headers.contains_key("authorization")
}

fn with_request<T>(head: &Parts, judge: impl FnOnce(&IncomingRequest<'_>) -> Result<T, VerifyError>) -> Result<T, VerifyError> {
    if head.uri.authority().is_some() {
        // What an absolute target says of the host is not what the signature covers.
        return Err(VerifyError::MalformedRequest { what: "the target is not a path" });
    }
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let headers: Vec<(&str, &[u8])> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    judge(&IncomingRequest { scheme: Scheme::Http, method: head.method.as_str(), target, headers: &headers })
}

/// The decoded parameters of the query; `None` where it cannot be decoded.
fn parameters(head: &Parts) -> Option<Vec<(String, String)>> {
    encode::decode_query(head.uri.query().unwrap_or_default()).ok()
}

/// Whether a parameter (lower case) belongs to a signature of either cloud, of any version.
fn is_signature(lower_case: &str) -> bool {
    [Cloud::S3, Cloud::Oss].into_iter().any(|cloud| {
        let rules = dialect(cloud).form_rules();
        rules.pinned().contains(&lower_case) || [rules.token, rules.signature].contains(&lower_case) || (rules.foreign)(lower_case)
    })
}

/// The dialect that a request is written in. The names of the query decide, then the headers; what has neither is answered in S3's words.
pub(super) fn cloud_of(head: &Parts) -> Cloud {
    let query = head.uri.query().unwrap_or_default().to_ascii_lowercase();
    let has = |prefix: &str| query.split('&').any(|pair| pair.starts_with(prefix));
    let authorization = head.headers.get("authorization").map(http::HeaderValue::as_bytes).unwrap_or_default();
    if ["x-amz-algorithm=", "x-amz-credential=", "x-amz-signature="].into_iter().any(has) {
        return Cloud::S3;
    }
    // A preflight says only which headers will come.
    let announced = head.headers.get("access-control-request-headers").map(http::HeaderValue::as_bytes).unwrap_or_default().to_ascii_lowercase();
    let oss = announced.windows(6).any(|window| window == b"x-oss-")
        || has("x-oss-")
        || has("ossaccesskeyid=")
        || authorization.starts_with(b"OSS")
        || head.headers.keys().any(|name| name.as_str().starts_with("x-oss-"));
    if oss { Cloud::Oss } else { Cloud::S3 }
}

/// The dialect that a form is written in, by the names of its fields. One that has neither's is answered in S3's words.
pub(super) fn cloud_of_form(fields: &[(String, String)]) -> Cloud {
    let is_of = |cloud: Cloud| {
        let rules = dialect(cloud).form_rules();
        let own = [rules.algorithm.0, rules.signature, rules.credential, rules.date];
        fields.iter().any(|(name, _)| own.iter().any(|own| name.eq_ignore_ascii_case(own)))
    };
    let is_older_oss = || fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("OSSAccessKeyId"));
    if !is_of(Cloud::S3) && (is_of(Cloud::Oss) || is_older_oss()) { Cloud::Oss } else { Cloud::S3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_of_a_request() {
        let table = [
            ("/b/k?X-Amz-Algorithm=x", "x", Cloud::S3),
            ("/b/k?x-oss-signature=x", "x", Cloud::Oss),
            ("/b/k?prefix=x-oss-&X-Amz-Algorithm=1", "x", Cloud::S3),
            ("/b/k?x-oss-signature=x&x-amz-meta-a=1", "x", Cloud::Oss),
            ("/b/k?a=X-Amz-Date", "x", Cloud::S3),
            ("/b/k?OSSAccessKeyId=1", "x", Cloud::Oss),
            ("/b/k", "x", Cloud::S3),
            ("/b/k", "x-oss-meta-a", Cloud::Oss),
        ];
        for (target, header, cloud) in table {
            let (head, ()) = http::Request::get(target).header(header, "1").body(()).unwrap().into_parts();
            assert_eq!(cloud_of(&head), cloud, "{target} {header}");
        }
    }

    #[test]
    fn the_dialect_of_a_form() {
        for (names, cloud) in [
            (&["key", "X-Amz-Signature"][..], Cloud::S3),
            (&["x-amz-algorithm"], Cloud::S3),
            (&["x-oss-signature-version"], Cloud::Oss),
            (&["X-OSS-Signature"], Cloud::Oss),
            (&["OSSAccessKeyId", "Signature"], Cloud::Oss),
            (&["AWSAccessKeyId", "signature"], Cloud::S3),
            (&["x-oss-meta-a", "x-amz-date"], Cloud::S3),
            (&["key", "policy"], Cloud::S3),
            (&[], Cloud::S3),
        ] {
            let fields: Vec<(String, String)> = names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
            assert_eq!(cloud_of_form(&fields), cloud, "{names:?}");
        }
    }

    #[test]
    fn by_what_a_request_is_judged() {
        let gate = Gate::new(&["h:9000".into()], &[], &HashMap::new());
        let place = |bucket: Option<&str>, key: Option<&str>| Place { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned) };
        let form = ("content-type", "Multipart/Form-Data; boundary=B");
        for (method, target, header, kind) in [
            ("POST", "/media", form, Kind::Form(place(Some("media"), None))),
            ("POST", "/media/?x=y", form, Kind::Form(place(Some("media"), None))),
            ("POST", "/media?X-Amz-Signature=1", form, Kind::Form(place(Some("media"), None))),
            ("POST", "/media/k", form, Kind::Form(place(Some("media"), Some("k")))),
            ("POST", "/", form, Kind::Form(place(None, None))),
            ("POST", "/media/k?uploads", form, Kind::Signed),
            ("POST", "/media?delete", form, Kind::Signed),
            ("POST", "/media/k?x-oss-signature=1", form, Kind::Signed),
            ("POST", "/media/%zz", form, Kind::Signed),
            ("PUT", "/media", form, Kind::Signed),
            ("POST", "/media", ("content-type", "text/plain"), Kind::NotAForm),
            ("POST", "/media", ("authorization", "AWS4"), Kind::Signed),
            ("POST", "/media?x-amz-credential=1", ("x", "y"), Kind::Signed),
            ("POST", "/media/k", ("x", "y"), Kind::Signed),
            ("GET", "/media/k", ("x", "y"), Kind::Anonymous(place(Some("media"), Some("k")))),
            ("HEAD", "/media/k?v=1", ("x", "y"), Kind::Anonymous(place(Some("media"), Some("k")))),
            ("GET", "/media/k?acl", ("x", "y"), Kind::Signed),
            ("GET", "/media/k?abac", ("x", "y"), Kind::Signed),
            ("GET", "/media/k?versionId=1", ("x", "y"), Kind::Signed),
            ("GET", "/media/k?Signature=1", ("x", "y"), Kind::Signed),
            ("GET", "/media/k", ("authorization", "x"), Kind::Signed),
            ("GET", "/media", ("x", "y"), Kind::Signed),
            ("DELETE", "/media/k", ("x", "y"), Kind::Signed),
        ] {
            let request = http::Request::builder().method(method).uri(target).header("host", "h:9000").header(header.0, header.1);
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(gate.kind(&head), kind, "{method} {target} {header:?}");
        }
    }
}
