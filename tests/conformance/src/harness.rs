//! The thing under test with all that the suite needs to try it, and the run.

use valetkey_core::{ObjectKey, ObjectRequest, PresignOptions, PresignedRequest, Presigner};

use crate::backend::{Backend, TestClock, WireRequest, WireResponse};
use crate::profile::{Profile, Why};
use crate::report::{Module, Record, Report, ensure};
use crate::vectors::Vector;
use crate::{authorization, headers, keys, portable, posts, tamper, ttl, urls, vectors};

/// The body that the suite writes when a case says nothing else.
pub(crate) const BODY: &[u8] = b"valetkey conformance body\n";

/// Where a run works: in a bucket that exists, and that holds nothing that matters.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// What each URL must begin with, before `/KEY`: scheme, authority and, path style, the bucket. Nothing is ever sent elsewhere.
    pub base_url: &'a str,
    /// What keys begin with. With a prefix, keys that are about their beginning are skipped.
    pub key_prefix: &'a str,
}

/// A presigner, something that verifies what it signs, the clock of both, and what is promised.
///
/// ```
/// use valetkey_conformance::in_process::{InProcess, run_now};
/// use valetkey_conformance::{Harness, Module, Profile, saboteurs};
/// use valetkey_core::{Credentials, TargetSettings};
///
/// let settings = TargetSettings::new("examplebucket").region("cn-hangzhou");
/// let credentials = Credentials::new("LTAI5tExampleKeyId", "ExampleAccessKeySecret")?;
/// let world = InProcess::new(&valetkey_oss::Oss, &Profile::OSS, &settings, credentials, "2026-11-22T10:30:00Z".parse()?)?;
/// let liar = saboteurs::all().find(|saboteur| saboteur.name == "default-is-an-hour").unwrap().around(world.presigner());
/// let report = run_now(Harness { presigner: &liar, ..world.harness() }.run_module(Module::Ttl));
/// assert!(report.failed_modules().contains(&Module::Ttl));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Harness<'a> {
    /// What is tried. Its credentials do not end during a run, and its store sets no limit of its own on life.
    pub presigner: &'a dyn Presigner,
    /// Where signed requests are sent.
    pub backend: &'a dyn Backend,
    /// The clock of both.
    pub clock: &'a dyn TestClock,
    /// What the provider promises.
    pub profile: &'a Profile,
    /// Where to work.
    pub place: Place<'a>,
    /// Whether the credentials have a session token.
    pub session_token: bool,
    /// Known answers, when there are any.
    pub vectors: &'a [Vector],
}

impl<'a> Harness<'a> {
    /// Puts a harness together, without session token and vectors.
    #[must_use]
    pub const fn new(presigner: &'a dyn Presigner, backend: &'a dyn Backend, clock: &'a dyn TestClock, profile: &'a Profile, place: Place<'a>) -> Self {
        Self { presigner, backend, clock, profile, place, session_token: false, vectors: &[] }
    }

    /// Says that the credentials have a session token, which shortens the longest life on some clouds.
    #[must_use]
    pub const fn session_token(mut self) -> Self {
        self.session_token = true;
        self
    }

    /// Adds known answers.
    #[must_use]
    pub const fn vectors(mut self, vectors: &'a [Vector]) -> Self {
        self.vectors = vectors;
        self
    }

    /// Tries every promise.
    pub async fn run(&self) -> Report {
        let mut report = Report::default();
        for module in Module::ALL {
            report.append(self.run_module(module).await);
        }
        report
    }

    /// Tries one promise. The clock is turned back to where it was.
    pub async fn run_module(&self, module: Module) -> Report {
        let start = self.clock.now();
        let mut record = Record::new(module);
        match module {
            Module::Vectors => vectors::run(self, &mut record).await,
            Module::Urls => Box::pin(urls::run(self, &mut record)).await,
            Module::Headers => Box::pin(headers::run(self, &mut record)).await,
            Module::Ttl => Box::pin(ttl::run(self, &mut record)).await,
            Module::Keys => Box::pin(keys::run(self, &mut record)).await,
            Module::Tamper => Box::pin(tamper::run(self, &mut record)).await,
            Module::Portable => Box::pin(portable::run(self, &mut record)).await,
            Module::Posts => Box::pin(posts::run(self, &mut record)).await,
            Module::Authorization => Box::pin(authorization::run(self, &mut record)).await,
        }
        if self.clock.turns() {
            self.clock.set(start);
        }
        record.finish()
    }

    pub(crate) fn max_life(&self) -> u32 {
        if self.session_token { self.profile.max_life_with_token } else { self.profile.max_life }
    }

    /// A key under the prefix.
    pub(crate) fn key(&self, name: &str) -> Result<ObjectKey, String> {
        ObjectKey::new(format!("{}{name}", self.place.key_prefix)).map_err(|error| format!("the suite's own key: {error}"))
    }

    /// Signs now, for the default life.
    pub(crate) async fn sign(&self, request: &ObjectRequest) -> Result<PresignedRequest, String> {
        self.presigner.presign(request, &PresignOptions::new()).await.map_err(|error| format!("not signed: {error}"))
    }

    /// Sends a request, unless its URL leads elsewhere.
    pub(crate) async fn send(&self, request: WireRequest) -> Result<WireResponse, String> {
        let rest = request.url.strip_prefix(self.place.base_url);
        ensure(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])), || "the URL leads out of the bucket".to_owned())?;
        Ok(self.backend.send(request).await)
    }

    /// Sends what must be accepted.
    pub(crate) async fn accepted(&self, request: WireRequest) -> Result<WireResponse, String> {
        let answer = self.send(request).await?;
        ensure(answer.is_success(), || format!("refused with {}", shown(&answer)))?;
        Ok(answer)
    }

    /// Sends what must be refused, for this reason.
    pub(crate) async fn refused(&self, request: WireRequest, why: Why) -> Result<(), String> {
        let is_head = request.method == valetkey_core::Method::Head;
        let answer = self.send(request).await?;
        ensure(!answer.is_success(), || format!("accepted with {}; it must be refused ({why:?})", answer.status))?;
        ensure(self.profile.says(&answer, why, is_head), || format!("refused with {}; {why:?} is said with {:?}", shown(&answer), self.profile.codes(why)))
    }

    /// Writes an object, by a plain URL.
    pub(crate) async fn put(&self, key: &ObjectKey, body: &[u8]) -> Result<WireResponse, String> {
        let signed = self.sign(&ObjectRequest::put(key.clone())).await?;
        self.accepted(WireRequest::of(&signed, body)).await.map_err(|reason| format!("PUT: {reason}"))
    }

    /// Reads an object, by a plain URL; `None` when there is none.
    pub(crate) async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, String> {
        let signed = self.sign(&ObjectRequest::get(key.clone())).await?;
        let answer = self.send(WireRequest::of(&signed, [])).await?;
        if self.profile.says(&answer, Why::NoObject, false) {
            return Ok(None);
        }
        ensure(answer.is_success(), || format!("GET: refused with {}", shown(&answer)))?;
        Ok(Some(answer.body))
    }

    /// Deletes an object, by a plain URL.
    pub(crate) async fn delete(&self, key: &ObjectKey) -> Result<(), String> {
        let signed = self.sign(&ObjectRequest::delete(key.clone())).await?;
        self.accepted(WireRequest::of(&signed, [])).await.map(drop).map_err(|reason| format!("DELETE: {reason}"))
    }

    /// The object must hold exactly this; `None`: it must not exist.
    pub(crate) async fn holds(&self, key: &ObjectKey, body: Option<&[u8]>) -> Result<(), String> {
        let found = self.get(key).await?;
        ensure(found.as_deref() == body, || match (&found, body) {
            (Some(_), Some(_)) => "the object holds other bytes".to_owned(),
            (Some(_), None) => "the object exists".to_owned(),
            (None, _) => "the object does not exist".to_owned(),
        })
    }
}

/// Status and code; the body may repeat what was sent.
pub(crate) fn shown(answer: &WireResponse) -> String {
    format!("{} {}", answer.status, answer.error_code.as_deref().unwrap_or("(no code)"))
}
