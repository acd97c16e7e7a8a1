//! The only way in: a request becomes a [`Verified`] value here or is refused.

use std::collections::HashMap;

use http::request::Parts;
use valetkey_core::{
    Credentials, Dialect, Scheme, Timestamp,
    verify::{Audience, IncomingRequest, Refusal, Verification, Verified, VerifyError},
};
use valetkey_oss::Oss;
use valetkey_s3::S3;

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

impl Gate {
    /// `hosts` are the authorities under which the store is reached, in path style and behind a bucket's name.
    pub(super) fn new(hosts: &[String], credentials: &[(Cloud, Credentials)], regions: &HashMap<Cloud, String>) -> Self {
        let side = |cloud, dialect| {
            let audience = hosts.iter().fold(Audience::new(), |audience, host| audience.host(valetkey_core::signed_host(Scheme::Http, host)));
            let keys = credentials.iter().filter(|(of, _)| *of == cloud).map(|(_, key)| (key.access_key_id().to_owned(), key.clone())).collect();
            Side { dialect, keys, audience: regions.get(&cloud).into_iter().fold(audience, Audience::region) }
        };
        Self { s3: side(Cloud::S3, &S3), oss: side(Cloud::Oss, &Oss) }
    }

    /// Verifies a request as it came over the wire.
    pub(super) fn verify(&self, cloud: Cloud, head: &Parts, now: Timestamp) -> Result<Verified, Refusal> {
        let side = match cloud {
            Cloud::S3 => &self.s3,
            Cloud::Oss => &self.oss,
        };
        side.verify(head, now).map_err(|error| side.dialect.refusal(&error))
    }
}

impl Side {
    fn verify(&self, head: &Parts, now: Timestamp) -> Result<Verified, VerifyError> {
        if head.uri.authority().is_some() {
            // What an absolute target says of the host is not what the signature covers.
            return Err(VerifyError::MalformedRequest { what: "the target is not a path" });
        }
        let target = head.uri.path_and_query().map_or("", |target| target.as_str());
        let headers: Vec<(&str, &[u8])> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = IncomingRequest { scheme: Scheme::Http, method: head.method.as_str(), target, headers: &headers };
        let pending = Verification::parse(self.dialect, &request, &self.audience)?;
        let credentials = self.keys.get(pending.access_key_id());
        pending.finish(credentials, now)
    }
}

/// The dialect that a request is written in. The names of the query decide, then the headers; what has neither is answered in S3's words.
pub(super) fn cloud_of(head: &Parts) -> Cloud {
    let query = head.uri.query().unwrap_or_default().to_ascii_lowercase();
    let has = |prefix: &str| query.split('&').any(|pair| pair.starts_with(prefix));
    let authorization = head.headers.get("authorization").map(http::HeaderValue::as_bytes).unwrap_or_default();
    if ["x-amz-algorithm=", "x-amz-credential=", "x-amz-signature="].into_iter().any(has) {
        return Cloud::S3;
    }
    let oss =
        has("x-oss-") || has("ossaccesskeyid=") || authorization.starts_with(b"OSS") || head.headers.keys().any(|name| name.as_str().starts_with("x-oss-"));
    if oss { Cloud::Oss } else { Cloud::S3 }
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
}
