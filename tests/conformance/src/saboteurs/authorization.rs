//! Presigners that are honest about what others send, and break one promise about what is sent at once.

use std::time::Duration;

use valetkey_core::{
    AuthorizedRequest, Constraint, ConstraintName, ObjectRequest, Operation, PresignError, PresignOptions, Presigner, SignedHeaders, Timestamp,
};

use super::{Saboteur, as_operation, drops, map, with_key, without};
use crate::report::Module;

/// How a promise about what is sent at once is broken.
#[derive(Clone, Copy)]
pub(super) enum Trick {
    /// Something else is signed, and reported.
    Request(fn(&ObjectRequest) -> ObjectRequest),
    /// Something else is signed, and reported as what was asked for.
    Pretend(fn(&ObjectRequest) -> ObjectRequest),
    /// Something else is reported.
    Result(fn(&mut AuthorizedRequest)),
    /// What was refused is signed all the same, as something else.
    Despite(fn(&PresignError, &ObjectRequest) -> Option<ObjectRequest>),
    /// A URL of another time is signed in its stead.
    Url(fn(Timestamp) -> Option<PresignOptions>),
    /// A URL is signed, and the header, too.
    Both,
}

impl Trick {
    pub(super) async fn authorize(self, honest: &dyn Presigner, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        match self {
            Self::Request(rewrite) => honest.authorize(&rewrite(request)).await,
            Self::Pretend(rewrite) => {
                let mut signed = honest.authorize(&rewrite(request)).await?;
                signed.operation = request.operation();
                signed.method = request.operation().method();
                Ok(signed)
            }
            Self::Result(rewrite) => {
                let mut signed = honest.authorize(request).await?;
                rewrite(&mut signed);
                Ok(signed)
            }
            Self::Despite(retry) => match honest.authorize(request).await {
                Ok(signed) => Ok(signed),
                Err(error) => match retry(&error, request) {
                    Some(request) => honest.authorize(&request).await,
                    None => Err(error),
                },
            },
            Self::Url(options) => {
                let now = honest.authorize(request).await?.signed_at;
                Ok(honest.presign(request, &options(now).unwrap_or_default()).await?.into())
            }
            Self::Both => {
                let mut signed = honest.authorize(request).await?;
                signed.url = honest.presign(request, &PresignOptions::new()).await?.url;
                Ok(signed)
            }
        }
    }
}

const fn new(name: &'static str, trick: Trick) -> Saboteur {
    Saboteur { name, module: Module::Authorization, needs_token: false, trick: super::Trick::Authorization(trick) }
}

const fn result(name: &'static str, rewrite: fn(&mut AuthorizedRequest)) -> Saboteur {
    new(name, Trick::Result(rewrite))
}

pub(super) const REQUESTS: &[Saboteur] = &[
    // Another operation, object or part.
    new("authorizes-get-for-head", Trick::Pretend(|request| as_operation(request, Operation::Head, Operation::Get))),
    new("authorizes-an-abort-for-a-list-of-parts", Trick::Request(|request| as_operation(request, Operation::ListParts, Operation::AbortMultipart))),
    new("authorizes-another-object", Trick::Request(|request| with_key(request, |key| format!("{key}x")))),
    new("authorizes-the-next-part", Trick::Request(next_part)),
    new("authorizes-another-upload", Trick::Pretend(another_upload)),
    result("reports-another-url", |signed| signed.url = signed.url.replacen("://", "://other-", 1)),
    // Headers.
    result("keeps-a-signed-header-to-itself", |signed| without_header(signed, |name| name == "x-trace-id")),
    result("sends-a-header-that-is-not-signed", |signed| also(signed, "x-unsigned", "1")),
    result("sends-the-host", |signed| also(signed, "host", "examplebucket.example")),
    result("shouts-the-names", |signed| rewrite(signed, |name, value| (name.to_ascii_uppercase(), value.to_owned()))),
    result("does-not-send-the-date", |signed| without_header(signed, |name| name.ends_with("-date"))),
    result("does-not-say-what-the-body-is", |signed| without_header(signed, |name| name.ends_with("-content-sha256"))),
    result("folds-blanks-of-what-it-sends", |signed| {
        rewrite(signed, |name, value| (name.to_owned(), if name.contains("-meta-") { value.replace("  ", " ") } else { value.to_owned() }));
    }),
    Saboteur { needs_token: true, ..result("does-not-send-the-token", |signed| without_header(signed, |name| name.ends_with("-security-token"))) },
    // The body.
    new("leaves-the-digest-out", Trick::Request(|request| drops(request, ConstraintName::PayloadSha256))),
    result("says-another-digest", |signed| {
        rewrite(signed, |name, value| (name.to_owned(), if name.ends_with("-content-sha256") { "0".repeat(64) } else { value.to_owned() }));
    }),
    new("forgets-the-length", Trick::Request(|request| drops(request, ConstraintName::ContentLength))),
    // The time.
    new("authorizes-for-an-hour-ago", Trick::Url(|now| Some(PresignOptions::new().signed_at(earlier(now, 3600)?)))),
    new("authorizes-for-a-minute-ago", Trick::Url(|now| Some(PresignOptions::new().signed_at(earlier(now, 60)?)))),
    new("authorizes-for-half-a-day", Trick::Url(|_| Some(PresignOptions::new().expires_in(Duration::from_secs(40_000))))),
    result("reports-another-signing-time", |signed| signed.signed_at = earlier(signed.signed_at, 60).unwrap_or(signed.signed_at)),
    // The signature.
    new("signs-twice", Trick::Both),
    result("signs-nothing", |signed| without_header(signed, |name| name == "authorization")),
    result("adds-to-what-it-authorized", |signed| {
        let separator = if signed.url.contains('?') { '&' } else { '?' };
        signed.url.push_str(&format!("{separator}x-id=PutObject"));
    }),
    // Constraints.
    new("drops-metadata-of-its-own-requests", Trick::Request(|request| drops(request, ConstraintName::Metadata))),
    new("drops-the-prefix-of-its-own-lists", Trick::Request(|request| drops(request, ConstraintName::Prefix))),
    new(
        "authorizes-what-it-cannot-bind",
        Trick::Despite(|error, request| match error {
            PresignError::Unsupported { constraint, .. } => Some(without(request, *constraint)),
            _ => None,
        }),
    ),
    new(
        "authorizes-what-means-nothing",
        Trick::Despite(|error, request| match error {
            PresignError::NotApplicable { constraint, .. } => Some(without(request, *constraint)),
            _ => None,
        }),
    ),
    new(
        "makes-up-a-part-number-of-its-own",
        Trick::Despite(|error, request| match error {
            PresignError::Missing { constraint: ConstraintName::PartNumber, .. } => Some(request.clone().with(Constraint::PartNumber(1))),
            _ => None,
        }),
    ),
];

fn next_part(request: &ObjectRequest) -> ObjectRequest {
    map(request, |constraint| match constraint {
        Constraint::PartNumber(number) => Some(Constraint::PartNumber(number + 1)),
        other => Some(other),
    })
}

fn another_upload(request: &ObjectRequest) -> ObjectRequest {
    map(request, |constraint| match constraint {
        Constraint::UploadId(id) => Some(Constraint::UploadId(format!("{id}x"))),
        other => Some(other),
    })
}

fn earlier(now: Timestamp, seconds: i64) -> Option<Timestamp> {
    i64::try_from(now.as_unix_seconds()).ok().and_then(|now| Timestamp::from_unix_seconds(now - seconds).ok())
}

fn rewrite(signed: &mut AuthorizedRequest, change: impl Fn(&str, &str) -> (String, String)) {
    signed.headers = signed.headers.iter().map(|(name, value)| change(name, value)).collect();
}

fn without_header(signed: &mut AuthorizedRequest, is_dropped: impl Fn(&str) -> bool) {
    signed.headers =
        signed.headers.iter().filter(|(name, _)| !is_dropped(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<SignedHeaders>();
}

fn also(signed: &mut AuthorizedRequest, name: &str, value: &str) {
    let all = signed.headers.iter().chain([(name, value)]).map(|(name, value)| (name.to_owned(), value.to_owned()));
    signed.headers = all.collect();
}
