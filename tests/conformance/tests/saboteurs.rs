//! The suite is tested itself: whoever breaks a promise is caught where it is promised.

mod worlds;

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use valetkey_conformance::in_process::{DialectPresigner, ManualClock, VerifyingBackend, run_now};
use valetkey_conformance::{Backend, Harness, Module, Place, Profile, WireRequest, WireResponse, saboteurs};
use valetkey_core::crypto::push_hex;
use valetkey_core::verify::Audience;
use valetkey_core::{
    AuthorizedRequest, Credentials, Dialect, ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost, PresignedRequest, Presigner, Target,
    TargetSettings,
};
use valetkey_oss::Oss;
use valetkey_s3::S3;
use worlds::worlds;

#[test]
fn every_saboteur_fails_in_its_module_on_s3() {
    every_saboteur_fails_in_its_module("S3");
}

#[test]
fn every_saboteur_fails_in_its_module_on_oss() {
    every_saboteur_fails_in_its_module("OSS");
}

fn every_saboteur_fails_in_its_module(provider: &str) {
    assert!(saboteurs::all().count() >= 80);
    let mut survivors = Vec::new();
    for saboteur in saboteurs::all() {
        // New worlds for each, so that none is caught for what another one left behind.
        let is_its_place = |name: &str| if saboteur.needs_token { name.contains("token") } else { name.ends_with("virtual-hosted") };
        let (name, world) = worlds().into_iter().find(|(name, _)| name.starts_with(provider) && is_its_place(name)).unwrap();
        let vectors = worlds::vectors(&world);
        let presigner = saboteur.around(world.presigner());
        let harness = Harness { presigner: &presigner, ..world.harness().vectors(&vectors) };
        let report = run_now(harness.run_module(saboteur.module));
        if !report.failed_modules().contains(&saboteur.module) {
            survivors.push(format!("{name}: {} is not caught in {}", saboteur.name, saboteur.module));
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

#[test]
fn each_module_has_its_saboteur_and_each_saboteur_its_name() {
    let modules: BTreeSet<Module> = saboteurs::all().map(|saboteur| saboteur.module).collect();
    assert_eq!(modules, Module::ALL.into_iter().collect());
    let names: BTreeSet<&str> = saboteurs::all().map(|saboteur| saboteur.name).collect();
    assert_eq!(names.len(), saboteurs::all().count());
}

/// The canonical resource of OSS is `/bucket/key` whatever the host; who signs the path of the URL instead is refused. No wrapper can break this from outside.
#[test]
fn who_forgets_the_bucket_in_the_resource_of_oss_is_caught() {
    let clock = Arc::new(ManualClock::new("2026-11-22T10:30:00Z".parse().unwrap()));
    let credentials = Credentials::new("AKIDEXAMPLE", "ExampleSecretAccessKey").unwrap();
    let right = Oss.resolve(&TargetSettings::new("examplebucket").region("cn-hangzhou")).unwrap();
    let backend = VerifyingBackend::new(&Oss, &Profile::OSS, Audience::public(), "examplebucket", credentials.clone(), Arc::clone(&clock));
    for (bucket, passes) in [("examplebucket", true), ("", false), ("other", false)] {
        let target = Target { bucket: bucket.to_owned(), ..right.clone() };
        let presigner = DialectPresigner::new(&Oss, target, credentials.clone(), Arc::clone(&clock));
        let base_url = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com";
        let place = Place { bucket: "examplebucket", base_url, key_prefix: "" };
        let report = run_now(Harness::new(&presigner, &backend, &*clock, &Profile::OSS, place).run_module(Module::Urls));
        assert_eq!(report.failed_modules().is_empty(), passes, "bucket `{bucket}`");
    }
}

/// The date in a header is that of the signature, so no wrapper can make it another one; a clock that is wrong can.
#[test]
fn who_authorizes_by_another_clock_is_caught() {
    type World = (&'static dyn Dialect, &'static Profile, &'static str, &'static str);
    let worlds: [World; 2] =
        [(&S3, &Profile::S3, "eu-central-1", "s3.eu-central-1.amazonaws.com"), (&Oss, &Profile::OSS, "cn-hangzhou", "oss-cn-hangzhou.aliyuncs.com")];
    let credentials = Credentials::new("AKIDEXAMPLE", "ExampleSecretAccessKey").unwrap();
    // A time that the store would still take is a lie all the same.
    for (theirs, passes) in [("10:30:00", true), ("10:29:00", false), ("10:14:59", false), ("10:45:01", false)] {
        for (dialect, profile, region, host) in worlds {
            let clock = |time: &str| Arc::new(ManualClock::new(format!("2026-11-22T{time}Z").parse().unwrap()));
            let (clock, other) = (clock("10:30:00"), clock(theirs));
            let target = dialect.resolve(&TargetSettings::new("examplebucket").region(region)).unwrap();
            let backend = VerifyingBackend::new(dialect, profile, Audience::public(), "examplebucket", credentials.clone(), Arc::clone(&clock));
            let honest = DialectPresigner::new(dialect, target.clone(), credentials.clone(), Arc::clone(&clock));
            let authorizing = DialectPresigner::new(dialect, target, credentials.clone(), if passes { Arc::clone(&clock) } else { other });
            let presigner = Two { honest, authorizing };
            let base_url = format!("https://examplebucket.{host}");
            let place = Place { bucket: "examplebucket", base_url: &base_url, key_prefix: "" };
            let report = run_now(Harness::new(&presigner, &backend, &*clock, profile, place).run_module(Module::Authorization));
            assert_eq!(report.failed_modules().is_empty(), passes, "{} at {theirs}", profile.provider);
        }
    }
}

/// One presigner for what others send, and another for what is sent at once.
struct Two {
    honest: DialectPresigner,
    authorizing: DialectPresigner,
}

#[async_trait::async_trait]
impl Presigner for Two {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.honest.presign(request, options).await
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.honest.presign_post(policy, options).await
    }

    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        self.authorizing.authorize(request).await
    }
}

/// A presigner that knows no other way signs a URL, and that keeps every promise, too.
#[test]
fn who_signs_a_url_in_its_stead_passes() {
    struct UrlsAlone<'p>(&'p DialectPresigner);

    #[async_trait::async_trait]
    impl Presigner for UrlsAlone<'_> {
        async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
            self.0.presign(request, options).await
        }

        async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
            self.0.presign_post(policy, options).await
        }
    }

    for (name, world) in worlds() {
        let urls = UrlsAlone(world.presigner());
        let report = run_now(Harness { presigner: &urls, ..world.harness() }.run_module(Module::Authorization));
        let failures: Vec<String> = report.failures().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{name}: {}", failures.join("\n"));
    }
}

/// Signs what an honest presigner writes, with another policy text.
struct Resigned<'p> {
    honest: &'p DialectPresigner,
    dialect: &'static dyn Dialect,
    secret: Credentials,
    rewrite: fn(&mut Vec<Value>),
}

#[async_trait::async_trait]
impl Presigner for Resigned<'_> {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.honest.presign(request, options).await
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        let mut form = self.honest.presign_post(policy, options).await?;
        let rules = self.dialect.form_rules();
        let mut text: Value = serde_json::from_slice(&BASE64.decode(form.fields.value("policy").unwrap()).unwrap()).unwrap();
        (self.rewrite)(text["conditions"].as_array_mut().unwrap());
        let scope: Vec<&str> = form.fields.value(rules.credential).unwrap().split('/').collect();
        let key = self.dialect.signing_key(&self.secret, scope[1], scope[2], scope[3]);
        let policy = BASE64.encode(text.to_string());
        let mut signature = String::new();
        push_hex(&mut signature, &key.sign(&policy));
        // A field without a condition is not sent, as a saboteur who knows the cloud would do.
        let is_named = |name: &str| text.to_string().to_ascii_lowercase().contains(&format!("\"{}\"", name.to_ascii_lowercase())) || name == "key";
        let kept = form.fields.iter().filter(|(name, _)| is_named(name)).map(|(name, value)| (name.to_owned(), value.to_owned()));
        form.fields = kept.chain([("policy".to_owned(), policy.clone()), (rules.signature.to_owned(), signature.clone())]).collect();
        Ok(form)
    }
}

/// What only a presigner that writes its own policies could get wrong. The form works, and allows more than it should.
#[test]
fn who_writes_a_loose_policy_is_caught() {
    type Rewrite = fn(&mut Vec<Value>);
    let table: [(&str, &str, Rewrite); 8] = [
        ("OSS", "is honest", |_| {}),
        ("OSS", "leaves the ACL open", |conditions| conditions.retain(|condition| condition.get("x-oss-object-acl").is_none())),
        ("OSS", "leaves the type open", |conditions| conditions.retain(|condition| condition.get("x-oss-content-type").is_none())),
        ("OSS", "names no bucket", |conditions| conditions.retain(|condition| condition.get("bucket").is_none())),
        ("OSS", "takes any bucket", |conditions| conditions[0] = json!(["starts-with", "$bucket", ""])),
        ("S3", "takes any date", |conditions| {
            let date = conditions.iter().position(|condition| condition.get("x-amz-date").is_some()).unwrap();
            conditions[date] = json!(["starts-with", "$x-amz-date", ""]);
        }),
        ("S3", "lets a redirect be added", |conditions| conditions.push(json!(["starts-with", "$success_action_redirect", ""]))),
        ("S3", "says a thing twice", |conditions| conditions.push(conditions[0].clone())),
    ];
    for (provider, what, rewrite) in table {
        let (name, world) = worlds().into_iter().find(|(name, _)| name.starts_with(provider)).unwrap();
        let dialect: &'static dyn Dialect = if provider == "S3" { &S3 } else { &Oss };
        let secret = Credentials::new("AKIDEXAMPLE", "ExampleSecretAccessKey").unwrap();
        let loose = Resigned { honest: world.presigner(), dialect, secret, rewrite };
        let report = run_now(Harness { presigner: &loose, ..world.harness() }.run_module(Module::Posts));
        assert_eq!(report.failures().next().is_some(), what != "is honest", "{name}: who {what}");
    }
}

/// A store that does not verify well, in one way.
struct Careless<'b> {
    honest: &'b VerifyingBackend,
    way: fn(WireRequest) -> WireRequest,
    hides_refusals: bool,
}

#[async_trait::async_trait]
impl Backend for Careless<'_> {
    async fn send(&self, request: WireRequest) -> WireResponse {
        let mut answer = self.honest.send((self.way)(request)).await;
        if self.hides_refusals && answer.status == 403 {
            answer.status = 200;
        }
        answer
    }
}

/// A promise is also broken when the other side does not hold the client to it.
#[test]
fn a_careless_backend_is_noticed() {
    let same = |request| request;
    let without_stray = |mut request: WireRequest| {
        request.url = request.url.replace("&x=1", "");
        request
    };
    let without_host = |mut request: WireRequest| {
        request.headers.retain(|(name, _)| name != "host");
        request
    };
    const EVERY: &[Module] = &[Module::Urls, Module::Headers, Module::Ttl, Module::Tamper, Module::Portable, Module::Posts, Module::Authorization];
    type Way = fn(WireRequest) -> WireRequest;
    let table: [(&str, Way, bool, &[Module]); 3] = [
        ("answers 200 to everything", same, true, EVERY),
        ("does not look at other parameters", without_stray, false, &[Module::Tamper]),
        ("does not look at the host", without_host, false, &[Module::Tamper]),
    ];
    for (what, way, hides_refusals, modules) in table {
        for (name, world) in worlds().into_iter().filter(|(name, _)| !name.contains("path style")) {
            let careless = Careless { honest: world.backend(), way, hides_refusals };
            for module in modules {
                let report = run_now(Harness { backend: &careless, ..world.harness() }.run_module(*module));
                assert!(report.failed_modules().contains(module), "{name}: a backend that {what} passes {module}");
            }
        }
    }
}
