//! The services, what the environment says of them, and a run.

use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::Failed;
use tokio::runtime::Runtime;
use valetkey::{
    Clock, Credentials, CredentialsError, Endpoint, ObjectKey, ObjectRequest, OssPresigner, PresignOptions, Presigner, S3Presigner, SystemClock, Target,
    TargetSettings,
};
use valetkey_conformance::{Backend, Harness, Module, Outcome, Place, Profile, WireRequest};

use crate::clock::StandingClock;
use crate::wire::Wire;

/// Makes a presigner, and tells where it leads.
type MakePresigner = fn(&TargetSettings, Arc<Credentials>, Arc<StandingClock>) -> Result<(Box<dyn Presigner>, Target), String>;

/// A cloud that the suite knows.
pub(crate) struct Service {
    pub(crate) id: &'static str,
    profile: &'static Profile,
    credentials: fn() -> Result<Credentials, CredentialsError>,
    presigner: MakePresigner,
}

pub(crate) const SERVICES: [Service; 2] = [
    Service {
        id: "s3",
        profile: &Profile::S3,
        credentials: valetkey::credentials::s3_from_env,
        presigner: |settings, credentials, clock| {
            let presigner = S3Presigner::new(settings, credentials).map_err(|error| error.to_string())?.with_clock(clock);
            let target = presigner.target().clone();
            Ok((Box::new(presigner), target))
        },
    },
    Service {
        id: "oss",
        profile: &Profile::OSS,
        credentials: valetkey::credentials::oss_from_env,
        presigner: |settings, credentials, clock| {
            let presigner = OssPresigner::new(settings, credentials).map_err(|error| error.to_string())?.with_clock(clock);
            let target = presigner.target().clone();
            Ok((Box::new(presigner), target))
        },
    },
];

impl Service {
    /// The name of a variable: `VALETKEY_LIVE_S3_BUCKET`.
    pub(crate) fn variable(&self, what: &str) -> String {
        format!("VALETKEY_LIVE_{}_{what}", self.id.to_ascii_uppercase())
    }

    /// The service as the environment names it; `None` without a bucket. What is there and cannot be used is an error.
    pub(crate) fn world(&'static self) -> Result<Option<World>, String> {
        let variable = |what: &str| std::env::var(self.variable(what)).ok().filter(|value| !value.is_empty());
        let Some(bucket) = variable("BUCKET") else { return Ok(None) };
        let mut settings = TargetSettings::new(&bucket);
        if let Some(region) = variable("REGION") {
            settings = settings.region(region);
        }
        if let Some(endpoint) = variable("ENDPOINT") {
            settings = settings.endpoint(endpoint.parse::<Endpoint>().map_err(|error| format!("{}: {error}", self.variable("ENDPOINT")))?);
        }
        if let Some(style) = variable("ADDRESSING") {
            settings = settings.addressing(style.parse().map_err(|error| format!("{}: {error}", self.variable("ADDRESSING")))?);
        }
        let credentials = (self.credentials)().map_err(|error| error.to_string())?;
        let session_token = credentials.session_token().is_some();
        let clock = Arc::new(StandingClock::new());
        let (presigner, target) = (self.presigner)(&settings, Arc::new(credentials), clock.clone()).map_err(|error| format!("{bucket}: {error}"))?;
        let base_url = format!("{}://{}{}", target.scheme.as_str(), target.authority, target.path_prefix);
        // The time tells whose prefix an old one is, and the number keeps two runs of one second apart.
        let now = SystemClock.now().map_err(|error| error.to_string())?.to_basic();
        let key_prefix = format!("valetkey-live-{}-{:08x}/", now.as_str(), fastrand::u32(..));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(|error| error.to_string())?;
        let wire = Wire::new(&base_url, &key_prefix)?;
        Ok(Some(World { service: self, presigner, clock, wire, bucket, base_url, key_prefix, session_token, runtime, notes: Mutex::default() }))
    }
}

/// A service to run against.
pub(crate) struct World {
    service: &'static Service,
    presigner: Box<dyn Presigner>,
    clock: Arc<StandingClock>,
    wire: Wire,
    bucket: String,
    base_url: String,
    key_prefix: String,
    session_token: bool,
    runtime: Runtime,
    notes: Mutex<Vec<String>>,
}

impl World {
    /// Tries one promise.
    pub(crate) fn run(&self, module: Module) -> Result<(), Failed> {
        // The module's own time, all of it.
        self.clock.catch_up();
        let place = Place { bucket: &self.bucket, base_url: &self.base_url, key_prefix: &self.key_prefix };
        let harness = Harness::new(self.presigner.as_ref(), &self.wire, &*self.clock, self.service.profile, place);
        let harness = if self.session_token { harness.session_token() } else { harness };
        let report = self.runtime.block_on(Box::pin(harness.run_module(module)));
        let failures: Vec<String> = report.failures().map(ToString::to_string).collect();
        let passed = report.findings().iter().filter(|finding| finding.outcome == Outcome::Passed).count();
        let note = format!("{module}: {passed} cases passed, {} could not be tried", report.skipped().count());
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        if !failures.is_empty() {
            return Err(format!("{} of {} cases failed:\n{}", failures.len(), report.findings().len(), failures.join("\n")).into());
        }
        if passed == 0 { Err("no case was tried".into()) } else { Ok(()) }
    }

    /// What each module tried, and what was sent in the classes by which the clouds charge.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notes.push(self.wire.sent());
        notes
    }

    /// Nothing may be left under the prefix; what is, is removed.
    pub(crate) fn is_clean(&self) -> Result<(), Failed> {
        match self.sweep()? {
            left if left.is_empty() => Ok(()),
            left => Err(format!("these were left, and are removed now: {left:?}").into()),
        }
    }

    /// Removes whatever is under the prefix, and tells what it was.
    pub(crate) fn sweep(&self) -> Result<Vec<String>, String> {
        self.clock.catch_up();
        self.runtime.block_on(async {
            let mut left: Vec<String> = Vec::new();
            while let Some(key) = self.first_key().await? {
                if left.contains(&key) {
                    return Err(format!("{key:?} cannot be removed"));
                }
                let request = ObjectRequest::delete(ObjectKey::new(&*key).map_err(|error| error.to_string())?);
                self.send(&request).await?;
                left.push(key);
            }
            Ok(left)
        })
    }

    async fn first_key(&self) -> Result<Option<String>, String> {
        let body = self.send(&ObjectRequest::list().prefix(&*self.key_prefix).max_keys(1)).await?;
        let text = String::from_utf8(body).map_err(|error| error.to_string())?;
        let key = text.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>")).map(|(key, _)| key.to_owned());
        let entities = [("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        Ok(key.map(|key| entities.iter().fold(key, |key, (entity, plain)| key.replace(entity, plain))))
    }

    async fn send(&self, request: &ObjectRequest) -> Result<Vec<u8>, String> {
        let signed = self.presigner.presign(request, &PresignOptions::new()).await.map_err(|error| error.to_string())?;
        let answer = self.wire.send(WireRequest::of(&signed, [])).await;
        let code = answer.error_code.unwrap_or_default();
        if (200..300).contains(&answer.status) { Ok(answer.body) } else { Err(format!("{}: {} {code}", request.operation(), answer.status)) }
    }
}
