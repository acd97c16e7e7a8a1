//! The programs of `docs/uploading.md`, taken out of the guide as they are printed and run against the embedded store, and then once more with each mistake
//! of the guide's tables in place.
//!
//! A client whose tools are not on the machine is reported as ignored, and the reason is printed. In CI those of `.ci/run` must be there.

#![allow(clippy::print_stdout, reason = "why a client is ignored must be seen")]

#[path = "clients/browser.rs"]
mod browser;
#[path = "clients/cloud.rs"]
mod cloud;
#[path = "clients/guide.rs"]
mod guide;
#[path = "clients/post.rs"]
mod post;
#[path = "clients/program.rs"]
mod program;
#[path = "clients/put.rs"]
mod put;
#[path = "clients/tools.rs"]
mod tools;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use guide::{Guide, Snippet};
use tools::{CLIENTS, Tools};

/// A program of the guide and what runs it.
type Run = fn(&Guide, &Snippet, &Tools) -> Result<(), Failed>;

/// What is tried with every client: the name, which of its programs, and how.
const CASES: [(&str, &str, Run); 4] =
    [("put", "put", put::uploads), ("put_mistakes", "put", put::mistakes), ("post", "post", post::uploads), ("post_mistakes", "post", post::mistakes)];

fn main() {
    let arguments = Arguments::from_args();
    let in_ci = std::env::var_os("CI").is_some();
    let guide = Arc::new(Guide::read().expect("docs/uploading.md can be read"));
    let mut trials = Vec::new();
    for client in CLIENTS {
        let tools = (client.find)().map(Arc::new);
        if let Err(reason) = &tools {
            println!("clients: {} is ignored: {reason}", client.id);
        }
        let ignored = tools.is_err() && !(in_ci && client.in_ci);
        let more: Option<(&str, &str, Run)> = match client.id {
            "curl" => Some(("put_table_of_types", "put", put::table_of_types)),
            "browser" => Some(("table_of_habits", "put", browser::table)),
            _ => None,
        };
        for (case, method, run) in CASES.into_iter().chain(more) {
            let (guide, tools) = (guide.clone(), tools.clone());
            let trial = move || run(&guide, guide.snippet(client.id, method)?, &*tools?);
            trials.push(Trial::test(format!("{}_{case}", client.id), trial).with_ignored_flag(ignored));
        }
    }
    trials.push(Trial::test("the_guide_has_every_client", move || guide.check(CLIENTS.iter().map(|client| client.id))));
    libtest_mimic::run(&arguments, trials).exit();
}
