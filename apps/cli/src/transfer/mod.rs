//! `valetkey put` and `valetkey get`: bytes between a file and a store.

mod get;
mod interrupt;
mod put;
mod source;
mod teller;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use valetkey::transfer::{RetryPolicy, TransferOptions};
use valetkey::{AuthorizedRequest, ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost, PresignedRequest, Presigner};

use crate::args::{TransferArgs, TransferOutput};
use crate::error::CliError;
use crate::location::Signer;
use crate::output;

pub(crate) use get::run as get;
pub(crate) use put::run as put;
use teller::Teller;

/// The library's options for these flags.
fn options(args: &TransferArgs, teller: &Arc<Teller>, stop: CancellationToken) -> TransferOptions {
    let hearing = Arc::clone(teller);
    TransferOptions::new()
        .part_size(part_size(args))
        .parallel(args.parallel)
        .resume(args.resume)
        .retry(RetryPolicy::new().retries(args.retries))
        .observe(move |event| hearing.hear(event))
        .stop_when(stop.cancelled_owned())
}

/// How each request is signed.
fn life(args: &TransferArgs) -> PresignOptions {
    args.expires.map_or_else(PresignOptions::new, |life| PresignOptions::new().expires_in(life))
}

/// Signs each URL for the life of these flags.
fn presigner(signer: Signer, args: &TransferArgs) -> Arc<dyn Presigner> {
    let presigner = signer.into_presigner();
    match args.expires {
        Some(life) => Arc::new(WithLife { presigner, life }),
        None => presigner,
    }
}

/// Signs for a life of its own what leaves it open.
struct WithLife {
    presigner: Arc<dyn Presigner>,
    life: Duration,
}

#[async_trait]
impl Presigner for WithLife {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.presigner.presign(request, &options.expires_in(self.life)).await
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.presigner.presign_post(policy, options).await
    }

    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        self.presigner.authorize(request).await
    }
}

fn part_size(args: &TransferArgs) -> u64 {
    args.part_size.unwrap_or(TransferOptions::DEFAULT_PART_SIZE)
}

/// Prints a result: JSON, or a line for each thing that is known.
fn print(report: &impl Serialize, lines: &[(&str, Option<String>)], args: &TransferArgs) -> Result<(), CliError> {
    match (args.output, args.quiet) {
        (Some(TransferOutput::Json), _) => output::json(&json(report)?),
        (None, true) => Ok(()),
        _ => output::text(&text(lines)),
    }
}

fn json(report: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string(report).map_err(|error| CliError::failure("output", error.to_string()))
}

fn text(lines: &[(&str, Option<String>)]) -> String {
    lines.iter().filter_map(|(name, value)| Some(format!("{name}: {}\n", output::one_line(value.as_deref()?)))).collect()
}

/// The path with something around its last name, as the library names what it keeps for a later run.
fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(after);
    path.with_file_name(name)
}

/// An earlier run left something that this one does not use.
fn tell_unused(state: Option<&Path>, args: &TransferArgs, teller: &Teller) {
    if let Some(state) = state.filter(|state| !args.resume && state.exists()) {
        teller.remark(&format!("{} of an earlier run is not used; --resume goes on with it", state.display()));
    }
}

/// Errors after which the same command does not go on: the record cannot be used, is gone, or belongs to what is no more.
const FINAL: [&str; 6] = ["transfer_state", "source_changed", "object_changed", "checksum_mismatch", "too_large", "not_in_parts"];

/// Says what an error left behind. `state` is what a later run goes on with.
fn explain(error: CliError, state: Option<&Path>, args: &TransferArgs, interrupted: impl FnOnce(bool) -> String) -> CliError {
    let kept = state.filter(|state| args.resume && state.exists());
    match kept {
        Some(_) if FINAL.contains(&error.code()) => error,
        Some(state) => error.and(&format!("{} keeps what is done, and the same command goes on with it", state.display())),
        None if error.is_interruption() => {
            let left = interrupted(error.is_at_once());
            error.and(&left)
        }
        None => error,
    }
}
