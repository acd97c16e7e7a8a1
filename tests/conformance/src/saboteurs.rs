//! Presigners that break one promise each. The suite must catch every one of them, or it proves nothing.
//!
//! ```
//! use valetkey_conformance::saboteurs;
//!
//! for saboteur in saboteurs::all() {
//!     println!("{} must fail in {}", saboteur.name, saboteur.module);
//! }
//! ```

mod authorization;
mod forms;

use std::time::Duration;

use async_trait::async_trait;
use valetkey_core::{
    AuthorizedRequest, Constraint, ConstraintName, ContentTypeRule, ExpirationReason, LifeError, Method, ObjectKey, ObjectRequest, Operation, PostPolicy,
    PresignError, PresignOptions, PresignedPost, PresignedRequest, Presigner, SignedHeaders,
};

use crate::report::Module;

/// How a promise is broken.
#[derive(Clone, Copy)]
enum Trick {
    /// Something else is signed.
    Request(fn(&ObjectRequest) -> ObjectRequest),
    /// Something else is reported.
    Result(fn(&mut PresignedRequest)),
    /// What was refused is signed all the same, as something else.
    Despite(fn(&PresignError, &ObjectRequest, &PresignOptions) -> Option<(ObjectRequest, PresignOptions)>),
    /// A constraint is left out of what is signed, and stands in the report all the same.
    Pretend(ConstraintName, &'static str),
    /// Another life is signed than the honest one, which is reported when `true`.
    Life(fn(&PresignedRequest, &PresignOptions) -> Option<PresignOptions>, bool),
    /// Requests are signed honestly, and forms are not.
    Form(forms::Trick),
    /// What others send is signed honestly, and what is sent at once is not.
    Authorization(authorization::Trick),
}

/// A way to break one promise.
#[derive(Clone, Copy)]
pub struct Saboteur {
    /// What it does.
    pub name: &'static str,
    /// Where it must fail.
    pub module: Module,
    /// Whether it shows only with a session token.
    pub needs_token: bool,
    trick: Trick,
}

impl Saboteur {
    /// Puts it around an honest presigner.
    pub fn around<'p>(&self, honest: &'p dyn Presigner) -> impl Presigner + 'p {
        Sabotaged { honest, trick: self.trick }
    }
}

struct Sabotaged<'p> {
    honest: &'p dyn Presigner,
    trick: Trick,
}

#[async_trait]
impl Presigner for Sabotaged<'_> {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        match self.trick {
            Trick::Request(rewrite) => self.honest.presign(&rewrite(request), options).await,
            Trick::Result(rewrite) => {
                let mut signed = self.honest.presign(request, options).await?;
                rewrite(&mut signed);
                Ok(signed)
            }
            Trick::Pretend(constraint, header) => {
                let honest = self.honest.presign(request, options).await?;
                if honest.signed_headers.value(header).is_none() {
                    return Ok(honest);
                }
                let mut signed = self.honest.presign(&without(request, constraint), options).await?;
                signed.signed_headers = honest.signed_headers;
                Ok(signed)
            }
            Trick::Form(_) | Trick::Authorization(_) => self.honest.presign(request, options).await,
            Trick::Despite(retry) => match self.honest.presign(request, options).await {
                Ok(signed) => Ok(signed),
                Err(error) => match retry(&error, request, options) {
                    Some((request, options)) => self.honest.presign(&request, &options).await,
                    None => Err(error),
                },
            },
            Trick::Life(other, hides) => {
                let first = self.honest.presign(request, options).await?;
                let Some(options) = other(&first, options) else {
                    return Ok(first);
                };
                let mut second = self.honest.presign(request, &options).await?;
                if hides {
                    second.expiration = first.expiration;
                    second.expiration_reason = first.expiration_reason;
                }
                Ok(second)
            }
        }
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        match self.trick {
            Trick::Form(trick) => trick.presign_post(self.honest, policy, options).await,
            _ => self.honest.presign_post(policy, options).await,
        }
    }

    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        match self.trick {
            Trick::Authorization(trick) => trick.authorize(self.honest, request).await,
            _ => self.honest.authorize(request).await,
        }
    }
}

const fn new(name: &'static str, module: Module, trick: Trick) -> Saboteur {
    Saboteur { name, module, needs_token: false, trick }
}

const fn request(name: &'static str, module: Module, rewrite: fn(&ObjectRequest) -> ObjectRequest) -> Saboteur {
    new(name, module, Trick::Request(rewrite))
}

const fn result(name: &'static str, module: Module, rewrite: fn(&mut PresignedRequest)) -> Saboteur {
    new(name, module, Trick::Result(rewrite))
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Saboteur> {
    REQUESTS.iter().chain(forms::FORMS).chain(authorization::REQUESTS)
}

const REQUESTS: &[Saboteur] = &[
    // The URL.
    result("writes-hex-in-lower-case", Module::Vectors, |signed| rewrite_query(signed, |query| query.replace("%2F", "%2f"))),
    result("signs-for-https-and-says-http", Module::Urls, |signed| {
        signed.url = swap(&signed.url, "://", |scheme| if scheme == "https" { "http" } else { "https" });
    }),
    result("changes-the-bucket-in-the-host", Module::Urls, |signed| signed.url = signed.url.replacen("://", "://other-", 1)),
    result("forgets-the-bucket", Module::Urls, |signed| signed.url = without_bucket(&signed.url)),
    result("reports-another-method", Module::Urls, |signed| signed.method = if signed.method == Method::Put { Method::Post } else { Method::Put }),
    request("signs-get-for-head", Module::Urls, |request| as_operation(request, Operation::Head, Operation::Get)),
    request("signs-the-next-part", Module::Urls, |request| {
        map(request, |constraint| match constraint {
            Constraint::PartNumber(number) => Some(Constraint::PartNumber(number + 1)),
            other => Some(other),
        })
    }),
    // Headers.
    result("leaves-a-header-out-of-the-report", Module::Headers, |signed| rewrite_headers(signed, |headers| drop(headers.pop()))),
    result("reports-a-header-that-is-not-signed", Module::Headers, |signed| rewrite_headers(signed, |headers| headers.push(("x-unsigned".into(), "1".into())))),
    result("reports-names-in-upper-case", Module::Headers, |signed| {
        rewrite_headers(signed, |headers| headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase()));
    }),
    request("hoists-a-header-into-the-query", Module::Headers, |request| {
        map(request, |constraint| match constraint {
            Constraint::CacheControl(value) => Some(Constraint::Query { name: "cache-control".to_owned(), value }),
            other => Some(other),
        })
    }),
    request("adds-a-parameter", Module::Headers, |request| request.clone().query("x-id", "PutObject")),
    request("adds-a-header", Module::Headers, |request| request.clone().header("x-client", "1")),
    request("folds-blanks-in-metadata", Module::Headers, |request| {
        map(request, |constraint| match constraint {
            Constraint::Metadata { name, value } => Some(Constraint::Metadata { name, value: value.split_whitespace().collect::<Vec<_>>().join(" ") }),
            other => Some(other),
        })
    }),
    request("keeps-only-the-first-metadata", Module::Headers, |request| {
        let mut seen = 0;
        map(request, |constraint| {
            seen += i32::from(constraint.name() == ConstraintName::Metadata);
            (constraint.name() != ConstraintName::Metadata || seen == 1).then_some(constraint)
        })
    }),
    new("pretends-to-sign-the-length", Module::Headers, Trick::Pretend(ConstraintName::ContentLength, "content-length")),
    result("says-free-where-the-type-is-fixed", Module::Headers, |signed| signed.content_type = ContentTypeRule::Free),
    result("does-not-say-what-not-to-send", Module::Headers, |signed| signed.do_not_send = Vec::new().into()),
    result("forbids-what-is-taken", Module::Headers, |signed| {
        signed.do_not_send = signed.do_not_send.iter().cloned().chain(["x-stray".into()]).collect::<Vec<_>>().into();
    }),
    // Life.
    result("reports-an-end-one-second-late", Module::Ttl, |signed| signed.expiration = signed.expiration.checked_add(1).unwrap_or(signed.expiration)),
    result("reports-a-longer-life", Module::Ttl, |signed| signed.expiration = signed.expiration.checked_add(3600).unwrap_or(signed.expiration)),
    result("lies-about-the-signing-time", Module::Ttl, |signed| signed.signed_at = signed.signed_at.checked_add(60).unwrap_or(signed.signed_at)),
    result("calls-the-default-requested", Module::Ttl, |signed| signed.expiration_reason = ExpirationReason::Requested),
    new("signs-one-second-more", Module::Ttl, Trick::Life(|first, _| one_second_more(first), true)),
    new("default-is-an-hour", Module::Ttl, Trick::Life(|_, asked| (*asked == PresignOptions::new()).then(|| lasting(3600)), false)),
    new("lets-the-duration-win", Module::Ttl, Trick::Life(duration_beside_instant, false)),
    new(
        "clamps-a-long-life",
        Module::Ttl,
        Trick::Despite(|error, request, _| match error {
            PresignError::Life(LifeError::OverProviderMaximum { max, .. }) => Some((request.clone(), lasting(u64::from(*max)))),
            _ => None,
        }),
    ),
    new(
        "takes-no-life-as-a-second",
        Module::Ttl,
        Trick::Despite(|error, request, _| match error {
            PresignError::Life(LifeError::Zero) => Some((request.clone(), lasting(1))),
            _ => None,
        }),
    ),
    new(
        "rounds-a-fraction",
        Module::Ttl,
        Trick::Despite(|error, request, _| match error {
            PresignError::Life(LifeError::Fraction { life }) => Some((request.clone(), lasting(life.as_secs() + 1))),
            _ => None,
        }),
    ),
    new(
        "takes-a-past-end-for-the-default",
        Module::Ttl,
        Trick::Despite(|error, request, _| match error {
            PresignError::Life(LifeError::Past { .. }) => Some((request.clone(), PresignOptions::new())),
            _ => None,
        }),
    ),
    // Keys.
    request("folds-double-slashes", Module::Keys, |request| with_key(request, |key| key.replace("//", "/"))),
    request("strips-a-slash-at-the-end", Module::Keys, |request| with_key(request, |key| key.trim_end_matches('/').to_owned())),
    request("decodes-keys", Module::Keys, |request| with_key(request, |key| key.replace("%2F", "/").replace("%20", " "))),
    request("composes-unicode", Module::Keys, |request| with_key(request, |key| key.replace("e\u{301}", "\u{e9}"))),
    request("trims-keys", Module::Keys, |request| with_key(request, |key| key.trim().to_owned())),
    request("lower-cases-keys", Module::Keys, |request| with_key(request, str::to_ascii_lowercase)),
    result("writes-a-space-as-plus", Module::Keys, |signed| signed.url = swap(&signed.url, "?", |path| path.replace("%20", "+"))),
    result("leaves-brackets-as-they-are", Module::Keys, |signed| signed.url = swap(&signed.url, "?", |path| path.replace("%5B", "[").replace("%5D", "]"))),
    // Tampering succeeds where the URL was changed after it was signed.
    result("adds-to-a-signed-url", Module::Tamper, |signed| signed.url.push_str("&x-client=1")),
    // Constraints.
    request("drops-content-length", Module::Portable, |request| drops(request, ConstraintName::ContentLength)),
    request("drops-content-md5", Module::Portable, |request| drops(request, ConstraintName::ContentMd5)),
    request("drops-metadata", Module::Portable, |request| drops(request, ConstraintName::Metadata)),
    request("drops-create-only", Module::Portable, |request| drops(request, ConstraintName::CreateOnly)),
    request("drops-the-range", Module::Portable, |request| drops(request, ConstraintName::Range)),
    request("drops-the-version", Module::Portable, |request| drops(request, ConstraintName::VersionId)),
    request("drops-response-overrides", Module::Portable, |request| drops(request, ConstraintName::Response)),
    request("drops-the-prefix", Module::Portable, |request| drops(request, ConstraintName::Prefix)),
    new("pretends-to-sign-the-range", Module::Portable, Trick::Pretend(ConstraintName::Range, "range")),
    new(
        "drops-what-it-cannot-bind",
        Module::Portable,
        Trick::Despite(|error, request, options| match error {
            PresignError::Unsupported { constraint, .. } => Some((without(request, *constraint), *options)),
            _ => None,
        }),
    ),
    new(
        "drops-what-means-nothing",
        Module::Portable,
        Trick::Despite(|error, request, options| match error {
            PresignError::NotApplicable { constraint, .. } => Some((without(request, *constraint), *options)),
            _ => None,
        }),
    ),
    new(
        "makes-up-a-part-number",
        Module::Portable,
        Trick::Despite(|error, request, options| match error {
            PresignError::Missing { constraint: ConstraintName::PartNumber, .. } => Some((request.clone().with(Constraint::PartNumber(1)), *options)),
            _ => None,
        }),
    ),
];

const fn lasting(seconds: u64) -> PresignOptions {
    PresignOptions::new().expires_in(Duration::from_secs(seconds))
}

fn one_second_more(first: &PresignedRequest) -> Option<PresignOptions> {
    Some(PresignOptions::new().signed_at(first.signed_at).expires_at(first.expiration.checked_add(1)?))
}

/// Options cannot be read, so the duration that stands beside the instant is found by comparing.
fn duration_beside_instant(first: &PresignedRequest, asked: &PresignOptions) -> Option<PresignOptions> {
    let both = PresignOptions::new().expires_at(first.expiration);
    (1..=3600).find(|seconds| both.expires_in(Duration::from_secs(*seconds)) == *asked).map(lasting)
}

fn map(request: &ObjectRequest, mut change: impl FnMut(Constraint) -> Option<Constraint>) -> ObjectRequest {
    let kept = request.constraints().iter().cloned().filter_map(&mut change);
    kept.fold(ObjectRequest::new(request.operation(), request.key().cloned()), ObjectRequest::with)
}

fn without(request: &ObjectRequest, name: ConstraintName) -> ObjectRequest {
    map(request, |constraint| (constraint.name() != name).then_some(constraint))
}

/// Drops what would be bound, and leaves alone what is refused anyway.
fn drops(request: &ObjectRequest, name: ConstraintName) -> ObjectRequest {
    if name.applies_to(request.operation()) { without(request, name) } else { request.clone() }
}

fn as_operation(request: &ObjectRequest, from: Operation, to: Operation) -> ObjectRequest {
    let operation = if request.operation() == from { to } else { request.operation() };
    let other = ObjectRequest::new(operation, request.key().cloned());
    request.constraints().iter().cloned().fold(other, ObjectRequest::with)
}

fn with_key(request: &ObjectRequest, change: impl Fn(&str) -> String) -> ObjectRequest {
    let key = request.key().and_then(|key| ObjectKey::new(change(key.as_str())).ok()).or_else(|| request.key().cloned());
    let other = ObjectRequest::new(request.operation(), key);
    request.constraints().iter().cloned().fold(other, ObjectRequest::with)
}

fn rewrite_headers(signed: &mut PresignedRequest, change: impl FnOnce(&mut Vec<(String, String)>)) {
    let mut headers: Vec<_> = signed.signed_headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    change(&mut headers);
    signed.signed_headers = headers.into_iter().collect::<SignedHeaders>();
}

fn rewrite_query(signed: &mut PresignedRequest, change: impl FnOnce(&str) -> String) {
    if let Some((path, query)) = signed.url.split_once('?') {
        signed.url = format!("{path}?{}", change(query));
    }
}

/// Changes what stands before the first `separator`.
fn swap<T: AsRef<str>>(url: &str, separator: &str, change: impl FnOnce(&str) -> T) -> String {
    let (before, after) = url.split_once(separator).unwrap_or((url, ""));
    format!("{}{separator}{after}", change(before).as_ref())
}

/// The bucket is the first segment of the path after an address, and the first label of any other host.
fn without_bucket(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let is_address = rest.starts_with(|first: char| first.is_ascii_digit());
    match (is_address, rest.split_once('/'), rest.split_once('.')) {
        (true, Some((host, path)), _) => format!("{scheme}://{host}/{}", path.split_once('/').map_or("", |(_, key)| key)),
        (false, _, Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}
