//! The clouds' own clients, as their package indexes and distributions have them, against the embedded store: each operation that `docs/sdks.md` promises is a
//! test, and so is each program that stands there.
//!
//! A client that is not on the machine is reported as ignored, and the reason is printed; in CI those of `.ci/run` and of the package indexes must be there.

#![allow(clippy::print_stdout, reason = "why a client is ignored must be seen")]

#[path = "sdks/clients.rs"]
mod clients;
#[path = "clients/guide.rs"]
#[allow(dead_code, reason = "the tables of a page are read, not the programs of the other guide")]
mod guide;
#[path = "sdks/operations.rs"]
mod operations;
#[path = "sdks/page.rs"]
mod page;
#[path = "sdks/program.rs"]
mod program;
#[path = "sdks/stores.rs"]
mod stores;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

use clients::{CLIENTS, Client, Missing, Tools};
use operations::Report;
use page::Example;

/// What a trial does with the tools of its client.
type Run = Box<dyn FnOnce(&Tools) -> Result<(), Failed> + Send>;

fn main() {
    let arguments = Arguments::from_args();
    let examples: Vec<_> = page::examples().expect("docs/sdks.md has programs").into_iter().map(Arc::new).collect();
    let promised = page::operations().expect("docs/sdks.md has a table of operations");
    let mut trials = vec![(0, Trial::test("the_page_has_every_client", || page::check(&CLIENTS)))];
    for client in &CLIENTS {
        let operations = promised.iter().find(|(id, _)| id == client.id).map(|(_, operations)| operations.as_slice()).unwrap_or_default();
        trials.extend(trials_of(client, operations, &examples));
    }
    // The first operation of each client runs its program: so those of different clients run beside each other.
    trials.sort_by_key(|(nth, _)| *nth);
    libtest_mimic::run(&arguments, trials.into_iter().map(|(_, trial)| trial).collect()).exit();
}

/// The trials of a client, each with its place among them.
fn trials_of(client: &'static Client, operations: &[String], examples: &[Arc<Example>]) -> Vec<(usize, Trial)> {
    let tools = (client.find)();
    if let Err(Missing::Optional(reason) | Missing::Promised(reason)) = &tools {
        println!("sdks: {} is not there: {reason}", client.id);
    }
    let may_be_missing = matches!(tools, Err(Missing::Optional(_))) || std::env::var_os("CI").is_none();
    let ignored = tools.is_err() && may_be_missing;
    let tools: Result<Arc<Tools>, Failed> = match tools {
        Ok(tools) => Ok(Arc::new(tools)),
        Err(Missing::Optional(reason) | Missing::Promised(reason)) => Err(reason.into()),
    };
    let trial = |name: &str, run: Run| {
        let tools = tools.clone();
        Trial::test(format!("{}_{name}", client.id), move || run(&*tools?)).with_ignored_flag(ignored)
    };
    // The operations of a client are one run of its program.
    let report: Arc<OnceLock<Result<Report, String>>> = Arc::default();
    let all: Arc<[String]> = operations.into();
    let mut trials = Vec::new();
    for operation in operations {
        let (report, all, name) = (report.clone(), all.clone(), operation.clone());
        let run = move |tools: &Tools| report.get_or_init(|| Report::of(client, &all, tools)).clone()?.check(&name);
        trials.push(trial(operation, Box::new(run)));
    }
    for example in examples.iter().filter(|example| example.client == client.example) {
        let (kept, broken) = (example.clone(), example.clone());
        trials.push(trial("example", Box::new(move |tools| kept.check(tools))));
        if example.has_mistakes() {
            trials.push(trial("missing_settings", Box::new(move |tools| broken.check_mistakes(tools))));
        }
    }
    trials.into_iter().enumerate().collect()
}
