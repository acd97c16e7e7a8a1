//! `valetkey put FILE|- LOCATION`

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use valetkey::transfer::{Stored, Transfer};
use valetkey::{ObjectRequest, Operation};

use super::source::{Ready, Source};
use super::teller::Teller;
use super::{beside, explain, interrupt, life, options, part_size, presigner, print, tell_unused};
use crate::args::{Global, PutArgs, RequestArgs, TransferArgs};
use crate::error::CliError;
use crate::location::{Location, Provider, Signer};
use crate::request;

/// Stores a file and prints where.
pub(crate) fn run(global: &Global, args: PutArgs) -> Result<(), CliError> {
    let location: Location = args.location.parse()?;
    let source = Source::of(&args.file)?;
    let transfer = args.transfer;
    if transfer.resume && matches!(source, Source::Stream(_)) {
        let message = "--resume: standard input, pipes and devices are gone when the program ends; write the bytes to a file, or leave --resume out";
        return Err(CliError::usage("usage", message));
    }
    let location = named(location, source.name())?;
    let content_type = args.content_type.or_else(|| guessed(source.name(), location.key()));
    let request_args = RequestArgs {
        content_type: content_type.clone(),
        content_md5: args.content_md5,
        checksum: args.checksum,
        meta: args.meta,
        header: args.header,
        create_only: args.create_only,
        ..RequestArgs::default()
    };
    let request = request::build(Operation::Put, location.key(), request_args)?;
    let signer = Signer::of(&location, global, &transfer.place)?;
    check_part_size(&transfer, signer.provider())?;
    // What cannot be signed is refused before standard input is read, with the length that every upload gets.
    let signed = signer.sign(&request.clone().content_length(0), &life(&transfer))?;
    let teller = Arc::new(Teller::new(&transfer, "sending", false));
    if args.create_only {
        signed.notes.iter().for_each(|note| teller.remark(note));
    }
    let state = match &source {
        Source::File { path, .. } => Some(beside(path, "", ".valetkey-upload")),
        Source::Stream(_) => None,
    };
    tell_unused(state.as_deref(), &transfer, &teller);
    let reached = Reached::default();
    let stored = interrupt::run(|stop| send(signer, request, source, &transfer, &teller, &reached, stop));
    teller.end();
    let stored = stored.map_err(|error| explain(error, state.as_deref(), &transfer, |at_once| reached.left(at_once || teller.has_left_parts()).to_owned()))?;
    let location = location.to_string();
    let report = Report {
        location: &location,
        size: stored.size,
        etag: stored.etag.as_deref(),
        content_type: content_type.as_deref(),
        parts: stored.parts,
        checked: stored.checked,
    };
    let lines = [
        ("location", Some(location.clone())),
        ("size", Some(stored.size.to_string())),
        ("etag", stored.etag.clone()),
        ("checked", stored.checked.map(str::to_owned)),
    ];
    print(&report, &lines, &transfer)
}

/// What was stored and where.
#[derive(Serialize)]
struct Report<'a> {
    location: &'a str,
    size: u64,
    etag: Option<&'a str>,
    content_type: Option<&'a str>,
    parts: u32,
    checked: Option<&'a str>,
}

async fn send(
    signer: Signer,
    request: ObjectRequest,
    source: Source,
    args: &TransferArgs,
    teller: &Arc<Teller>,
    reached: &Reached,
    stop: CancellationToken,
) -> Result<Stored, CliError> {
    let file = source.ready(teller, &stop).await?;
    reached.sending.store(true, Ordering::Relaxed);
    reached.in_parts.store(file.size() > part_size(args), Ordering::Relaxed);
    let presigner = presigner(signer, args);
    let (client, options) = (Transfer::new()?, options(args, teller, stop));
    Ok(match file {
        Ready::Named { path, .. } => Box::pin(client.upload_file(presigner, request, path, options)).await?,
        Ready::Nameless { file, .. } => Box::pin(client.upload_open(presigner, request, file, options)).await?,
    })
}

/// How far an upload came.
#[derive(Default)]
struct Reached {
    sending: AtomicBool,
    in_parts: AtomicBool,
}

impl Reached {
    /// What an interruption left. `unclean`: nobody waited for the removal, or it failed.
    fn left(&self, unclean: bool) -> &'static str {
        match (self.sending.load(Ordering::Relaxed), self.in_parts.load(Ordering::Relaxed), unclean) {
            (false, ..) => "nothing was sent",
            (true, false, _) => "nothing is left of the object, unless all of it had been sent",
            (true, true, false) => "the parts that had been sent were removed from the store",
            (true, true, true) => "parts that had been sent may be left at the store",
        }
    }
}

/// The object gets the name of the file where the location names a bucket or a prefix, as `cp` does it with folders.
fn named(location: Location, name: Option<&OsStr>) -> Result<Location, CliError> {
    let prefix = location.key().unwrap_or_default();
    if !prefix.is_empty() && !prefix.ends_with('/') {
        return Ok(location);
    }
    let Some(name) = name else {
        return Err(CliError::usage("missing_key", "the location names no object, and what is put has no name; write the whole key"));
    };
    let Some(name) = name.to_str() else {
        return Err(CliError::usage("invalid_key", "the name of the file is not UTF-8 and would be the name of the object; write the whole key"));
    };
    let key = format!("{prefix}{name}");
    Ok(location.with_key(key))
}

/// The type by the name of the file, else by that of the object. Where neither tells it none is sent, and the store takes its own word for bytes.
fn guessed(name: Option<&OsStr>, key: Option<&str>) -> Option<String> {
    let of = |name: &OsStr| mime_guess::from_path(Path::new(name)).first_raw();
    name.and_then(of).or_else(|| of(OsStr::new(key?))).map(str::to_owned)
}

/// The clouds' limits of a part.
fn check_part_size(args: &TransferArgs, provider: Provider) -> Result<(), CliError> {
    let (least, word) = match provider {
        Provider::S3 => (5 << 20, "5MiB"),
        Provider::Oss => (100 << 10, "100KiB"),
    };
    match args.part_size {
        Some(size) if !(least..=5 << 30).contains(&size) => {
            Err(CliError::usage("usage", format!("--part-size: a part has {word} to 5GiB on {}; choose another size", provider.name())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_stands_below_a_prefix() {
        let named = |location: &str, name: Option<&str>| named(location.parse().unwrap(), name.map(OsStr::new)).map(|location| location.to_string());
        for (location, want) in [
            ("s3://b", "s3://b/a.png"),
            ("s3://b/", "s3://b/a.png"),
            ("oss://b/up/", "oss://b/up/a.png"),
            ("s3://b//", "s3://b//a.png"),
            ("media:", "media:a.png"),
            ("media:up/", "media:up/a.png"),
            ("media:up", "media:up"),
            ("s3://b/k.txt", "s3://b/k.txt"),
        ] {
            assert_eq!(named(location, Some("a.png")).unwrap(), want, "{location}");
        }
        assert_eq!(named("s3://b/up/", None).unwrap_err().code(), "missing_key");
        assert_eq!(named("s3://b/k", None).unwrap(), "s3://b/k");
    }

    #[test]
    fn types_are_told_from_names() {
        for (name, key, want) in [
            (Some("a.png"), "k.jpg", Some("image/png")),
            (Some("a"), "k.jpg", Some("image/jpeg")),
            (None, "deep/k.txt", Some("text/plain")),
            (None, "deep.txt/k", None),
            (Some("Makefile"), "k", None),
        ] {
            assert_eq!(guessed(name.map(OsStr::new), Some(key)).as_deref(), want, "{name:?} {key}");
        }
    }
}
