//! The program: signs and verifies presigned URLs and upload forms, moves files by them, shows what they do, and runs the development store.
//!
//! `main` decides the exit code, [`run`] does the work, and [`output`] alone prints.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable))]

mod args;
mod batch;
mod demo;
mod error;
mod input;
mod location;
mod output;
mod post;
mod presign;
mod request;
mod session;
mod store;
mod transfer;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use error::CliError;

fn main() -> ExitCode {
    output::quiet_panics();
    let words: Vec<OsString> = std::env::args_os().collect();
    let json = wants_json(&words);
    let done = std::panic::catch_unwind(|| run(words)).unwrap_or_else(|_| Err(CliError::internal()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, json);
            ExitCode::from(error.exit())
        }
    }
}

fn run(words: Vec<OsString>) -> Result<(), CliError> {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => return output::text(&error.to_string()),
        Err(error) => return Err(args::explain(&error)),
    };
    let global = cli.global;
    match cli.command {
        Command::Presign(args) => match &args.batch {
            Some(_) => batch::run(&global, &args),
            None => presign::run(&global, *args),
        },
        Command::Put(args) => transfer::put(&global, *args),
        Command::Get(args) => transfer::get(&global, *args),
        Command::Post(args) => post::run(&global, &args),
        Command::Verify(args) => verify::run(&global, &args),
        Command::Store(args) => {
            global.refuse("store")?;
            store::run(args)
        }
        Command::Demo => {
            global.refuse("demo")?;
            demo::run()
        }
    }
}

/// Whether errors are wanted as JSON. Looked for in the words themselves, because an error may be that they cannot be read.
fn wants_json(words: &[OsString]) -> bool {
    words.iter().any(|word| word == "--output=json") || words.windows(2).any(|pair| matches!(pair, [flag, value] if flag == "--output" && value == "json"))
}
