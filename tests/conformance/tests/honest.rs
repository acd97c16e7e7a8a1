//! Both dialects keep every promise of the suite.

mod worlds;

use valetkey_conformance::in_process::run_now;
use valetkey_conformance::{Module, Outcome};
use worlds::worlds;

#[test]
fn honest_presigners_pass_every_module() {
    for (name, world) in worlds() {
        let vectors = worlds::vectors(&world);
        let report = run_now(world.harness().vectors(&vectors).run());
        let failures: Vec<String> = report.failures().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{name}: {} failures\n{}", failures.len(), failures.join("\n"));
        report.assert_passed();
        for module in Module::ALL {
            let passed = report.findings().iter().filter(|finding| finding.module == module && finding.outcome == Outcome::Passed).count();
            assert!(passed > 0, "{name}: {module} tried nothing");
        }
    }
}

#[test]
fn without_vectors_the_module_is_skipped_and_not_passed() {
    let (_, world) = worlds().remove(0);
    let report = run_now(world.harness().run_module(Module::Vectors));
    assert_eq!((report.findings().len(), report.skipped().count()), (1, 1));
}

/// So a run may be repeated in the same bucket, also after one that ended early.
#[test]
fn nothing_is_left_behind_and_a_run_can_be_repeated() {
    for (name, world) in worlds() {
        for _ in 0..2 {
            run_now(world.harness().run()).assert_passed();
            assert_eq!(world.backend().object_count(), 0, "{name}");
        }
    }
}
