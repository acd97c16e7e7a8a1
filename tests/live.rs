//! The conformance suite against real services, where environment variables name a bucket: `docs/conformance.md` says which, and what a run costs.
//!
//! What is not configured is reported as ignored, and never as passed. The runner itself is tried against the embedded store.

#![allow(clippy::print_stdout, reason = "why a service is ignored, and what a run sent, must be seen")]

#[path = "judges/clock.rs"]
mod clock;
#[path = "live/runner.rs"]
mod runner;
#[path = "live/service.rs"]
mod service;
#[path = "live/wire.rs"]
mod wire;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use valetkey_conformance::Module;

use service::{SERVICES, Service, World};

/// Known answers are about no service.
const MODULES: [Module; 8] = [Module::Urls, Module::Headers, Module::Ttl, Module::Keys, Module::Tamper, Module::Portable, Module::Posts, Module::Authorization];

fn main() {
    let mut arguments = Arguments::from_args();
    // Trials of one service share a prefix, and the one that looks at what is left comes last.
    arguments.test_threads = Some(1);
    let worlds: Vec<_> = SERVICES.iter().map(|service| (service, service.world().map(|world| world.map(Arc::new)))).collect();
    let mut trials: Vec<Trial> = worlds.iter().flat_map(|(service, world)| trials(service, world)).collect();
    trials.extend(runner::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    for (service, world) in &worlds {
        if let Ok(Some(world)) = world {
            for note in world.notes() {
                println!("live: {}: {note}", service.id);
            }
            // Also after a choice of trials without the last one.
            if let Err(reason) = world.sweep() {
                println!("live: {}: {reason}", service.id);
            }
        }
    }
    conclusion.exit();
}

/// The modules before one service; without a bucket they are ignored, and with half of a configuration they fail.
fn trials(service: &'static Service, world: &Result<Option<Arc<World>>, String>) -> Vec<Trial> {
    let is_ignored = matches!(world, Ok(None));
    if is_ignored {
        println!("live: {} is ignored: {} is not set", service.id, service.variable("BUCKET"));
    }
    type Run = Box<dyn FnOnce(&World) -> Result<(), Failed> + Send>;
    let trial = |name: String, run: Run| {
        let world = world.clone();
        let run = move || match world {
            Ok(Some(world)) => run(&world),
            Ok(None) => Err(format!("{} is not set", service.variable("BUCKET")).into()),
            Err(reason) => Err(reason.into()),
        };
        Trial::test(format!("{}_{name}", service.id), run).with_ignored_flag(is_ignored)
    };
    let mut trials: Vec<Trial> = MODULES.into_iter().map(|module| trial(module.to_string(), Box::new(move |world| world.run(module)))).collect();
    trials.push(trial("leaves_nothing_behind".to_owned(), Box::new(World::is_clean)));
    trials
}
