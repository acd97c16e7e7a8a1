//! The suite is tested itself: whoever breaks a promise is caught where it is promised.

mod worlds;

use std::collections::BTreeSet;
use std::sync::Arc;

use valetkey_conformance::in_process::{DialectPresigner, ManualClock, VerifyingBackend, run_now};
use valetkey_conformance::{Backend, Harness, Module, Place, Profile, WireRequest, WireResponse, saboteurs};
use valetkey_core::verify::Audience;
use valetkey_core::{Credentials, Dialect as _, Target, TargetSettings};
use valetkey_oss::Oss;
use worlds::worlds;

#[test]
fn every_saboteur_fails_in_its_module() {
    assert!(saboteurs::ALL.len() >= 20);
    let mut survivors = Vec::new();
    for saboteur in saboteurs::ALL {
        // New worlds for each, so that none is caught for what another one left behind.
        for (name, world) in worlds().into_iter().filter(|(name, _)| name.ends_with("virtual-hosted")) {
            let vectors = worlds::vectors(&world);
            let presigner = saboteur.around(world.presigner());
            let harness = Harness { presigner: &presigner, ..world.harness().vectors(&vectors) };
            let report = run_now(harness.run_module(saboteur.module));
            if !report.failed_modules().contains(&saboteur.module) {
                survivors.push(format!("{name}: {} is not caught in {}", saboteur.name, saboteur.module));
            }
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

#[test]
fn each_module_has_its_saboteur_and_each_saboteur_its_name() {
    let modules: BTreeSet<Module> = saboteurs::ALL.iter().map(|saboteur| saboteur.module).collect();
    assert_eq!(modules, Module::ALL.into_iter().collect());
    let names: BTreeSet<&str> = saboteurs::ALL.iter().map(|saboteur| saboteur.name).collect();
    assert_eq!(names.len(), saboteurs::ALL.len());
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
    type Way = fn(WireRequest) -> WireRequest;
    let table: [(&str, Way, bool, &[Module]); 3] = [
        ("answers 200 to everything", same, true, &[Module::Urls, Module::Headers, Module::Ttl, Module::Tamper, Module::Portable]),
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
