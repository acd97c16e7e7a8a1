//! Shared by the integration tests: fixtures, dialects by name, requests from their wire form, received requests from a URL.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use valetkey::verify::{Audience, IncomingRequest, Verification, Verified, VerifyError};
use valetkey::{
    Constraint, ContentMd5, ContentType, CopySource, Credentials, Dialect, FixedClock, LocalPresigner, ObjectKey, ObjectRequest, Operation, Oss, PostPolicy,
    PresignError, PresignOptions, PresignedPost, PresignedRequest, ResponseHeader, S3, Scheme, SigningTrace, TargetSettings, Timestamp,
};

/// A file of `fixtures/`.
pub(crate) fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// A JSON file of `fixtures/`.
pub(crate) fn json(path: &str) -> Value {
    let text = std::fs::read_to_string(fixture(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of a field that must be there.
pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}"))
}

/// Pairs of an array of pairs or of an object.
pub(crate) fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        Value::Array(items) => items.iter().map(|pair| (text_at(pair, 0), pair.get(1).and_then(Value::as_str).unwrap_or_default().to_owned())).collect(),
        Value::Null => Vec::new(),
        other => panic!("no pairs: {other}"),
    }
}

fn text_at(pair: &Value, index: usize) -> String {
    pair[index].as_str().unwrap().to_owned()
}

pub(crate) fn credentials(value: &Value) -> Credentials {
    let secret = value["secret_access_key"].as_str().or(value["access_key_secret"].as_str()).unwrap();
    let token = value["session_token"].as_str().or(value["security_token"].as_str());
    Credentials::new(text(value, "access_key_id"), secret).unwrap().with_session_token(token.unwrap_or_default()).unwrap()
}

/// `s3` or `oss` at one place, with the clock at one moment.
pub(crate) enum AnyPresigner {
    S3(LocalPresigner<S3>, Arc<Credentials>),
    Oss(LocalPresigner<Oss>, Arc<Credentials>),
}

impl AnyPresigner {
    pub(crate) fn new(provider: &str, settings: &TargetSettings, credentials: Credentials, now: Timestamp) -> Result<Self, valetkey::TargetError> {
        let credentials = Arc::new(credentials);
        let clock = FixedClock::at(now);
        Ok(match provider {
            "s3" => Self::S3(LocalPresigner::new(settings, credentials.clone())?.with_clock(clock), credentials),
            _ => Self::Oss(LocalPresigner::new(settings, credentials.clone())?.with_clock(clock), credentials),
        })
    }

    pub(crate) fn sign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        match self {
            Self::S3(presigner, credentials) => presigner.sign(credentials, request, options),
            Self::Oss(presigner, credentials) => presigner.sign(credentials, request, options),
        }
    }

    pub(crate) fn sign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        match self {
            Self::S3(presigner, credentials) => presigner.sign_post(credentials, policy, options),
            Self::Oss(presigner, credentials) => presigner.sign_post(credentials, policy, options),
        }
    }

    pub(crate) fn sign_policy(&self, policy: &str, key: Option<&ObjectKey>) -> Result<PresignedPost, PresignError> {
        match self {
            Self::S3(presigner, credentials) => presigner.sign_policy(credentials, policy, key),
            Self::Oss(presigner, credentials) => presigner.sign_policy(credentials, policy, key),
        }
    }

    pub(crate) async fn trace(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<SigningTrace, PresignError> {
        match self {
            Self::S3(presigner, _) => presigner.presign_traced(request, options).await.map(|(_, trace)| trace),
            Self::Oss(presigner, _) => presigner.presign_traced(request, options).await.map(|(_, trace)| trace),
        }
    }
}

pub(crate) fn dialect(provider: &str) -> &'static dyn Dialect {
    if provider == "s3" { &S3 } else { &Oss }
}

pub(crate) fn seconds(life: u64) -> PresignOptions {
    PresignOptions::new().expires_in(Duration::from_secs(life))
}

/// A request from its wire form. `typed` uses a typed constraint wherever there is one for the name; otherwise names are given raw where they may be.
pub(crate) fn request_from_wire(
    operation: Operation,
    key: Option<&str>,
    headers: &[(String, String)],
    query: &[(String, String)],
    typed: bool,
) -> ObjectRequest {
    let mut request = ObjectRequest::new(operation, key.map(|key| key.parse().unwrap()));
    for (name, value) in headers {
        request = request.with(header_constraint(name, value, typed));
    }
    for (name, value) in query {
        let owned_by_operation = matches!((operation, name.as_str()), (Operation::CreateMultipart, "uploads") | (Operation::List, "list-type"));
        if !owned_by_operation {
            request = request.with(query_constraint(operation, name, value, typed));
        }
    }
    request
}

fn header_constraint(name: &str, value: &str, typed: bool) -> Constraint {
    let raw = || Constraint::Header { name: name.to_owned(), value: value.to_owned() };
    if let "x-amz-copy-source" | "x-oss-copy-source" = name {
        let (path, version) = value.split_once("?versionId=").map_or((value, None), |(path, version)| (path, Some(version)));
        let path = valetkey::encode::decode(path.trim_start_matches('/')).unwrap();
        let source: CopySource = path.parse().unwrap();
        return Constraint::CopySource(match version {
            Some(version) => source.version_id(version),
            None => source,
        });
    }
    if !typed {
        return raw();
    }
    let meta = name.strip_prefix("x-amz-meta-").or_else(|| name.strip_prefix("x-oss-meta-"));
    match name {
        _ if meta.is_some() => Constraint::Metadata { name: meta.unwrap().to_owned(), value: value.to_owned() },
        "content-type" => Constraint::ContentType(ContentType::Fixed(value.to_owned())),
        "content-length" => Constraint::ContentLength(value.parse().unwrap()),
        "content-md5" => ContentMd5::from_base64(value).map_or_else(|_| raw(), Constraint::ContentMd5),
        "cache-control" => Constraint::CacheControl(value.to_owned()),
        "content-disposition" => Constraint::ContentDisposition(value.to_owned()),
        "content-encoding" => Constraint::ContentEncoding(value.to_owned()),
        "content-language" => Constraint::ContentLanguage(value.to_owned()),
        "x-oss-forbid-overwrite" if value == "true" => Constraint::CreateOnly,
        "if-none-match" if value == "*" => Constraint::CreateOnly,
        _ => raw(),
    }
}

fn query_constraint(operation: Operation, name: &str, value: &str, typed: bool) -> Constraint {
    let owned = value.to_owned();
    let takes = |constraint: Constraint| constraint.name().applies_to(operation).then_some(constraint);
    let required = match name {
        "uploadId" => takes(Constraint::UploadId(owned.clone())),
        "partNumber" => value.parse().ok().map(Constraint::PartNumber).and_then(takes),
        _ => None,
    };
    let optional = match name {
        "versionId" => Some(Constraint::VersionId(owned)),
        "prefix" => Some(Constraint::Prefix(owned)),
        "delimiter" => Some(Constraint::Delimiter(owned)),
        "continuation-token" => Some(Constraint::ContinuationToken(owned)),
        "start-after" => Some(Constraint::StartAfter(owned)),
        "max-keys" => value.parse().ok().map(Constraint::MaxKeys),
        "max-parts" => value.parse().ok().map(Constraint::MaxParts),
        "x-oss-process" => Some(Constraint::Process(owned)),
        _ => ResponseHeader::ALL.into_iter().find(|header| header.parameter() == name).map(|header| Constraint::Response(header, owned)),
    };
    let raw = Constraint::Query { name: name.to_owned(), value: value.to_owned() };
    required.or(optional.and_then(takes).filter(|_| typed)).unwrap_or(raw)
}

/// A request as a server would receive it from a client that was given a URL.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) scheme: Scheme,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Received {
    /// Splits a URL by hand, so that nothing is normalised.
    pub(crate) fn from_url(method: &str, url: &str, headers: &[(String, String)]) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(at);
        let mut all = vec![("Host".to_owned(), authority.as_bytes().to_vec())];
        all.extend(headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")).map(|(name, value)| (name.clone(), value.as_bytes().to_vec())));
        Self { scheme: if scheme == "http" { Scheme::Http } else { Scheme::Https }, method: method.to_owned(), target: target.to_owned(), headers: all }
    }

    pub(crate) fn host(&self) -> String {
        valetkey::signed_host(self.scheme, std::str::from_utf8(&self.headers[0].1).unwrap())
    }

    pub(crate) fn verify(&self, provider: &str, audience: &Audience, credentials: &[Credentials], now: Timestamp) -> Result<Verified, VerifyError> {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = IncomingRequest { scheme: self.scheme, method: &self.method, target: &self.target, headers: &headers };
        let pending = Verification::parse(dialect(provider), &request, audience)?;
        let found = credentials.iter().find(|credentials| credentials.access_key_id() == pending.access_key_id());
        pending.finish(found, now)
    }
}
