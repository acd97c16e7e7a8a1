//! The flags of `put` and `get`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use valetkey::transfer::TransferOptions;
use valetkey::{Checksum, ContentMd5, life_from_text};

use super::PlaceArgs;
use crate::request;

/// `put FILE LOCATION`
#[derive(Args)]
#[command(
    override_usage = "valetkey put [OPTIONS] FILE|- LOCATION",
    after_help = "LOCATION: s3://BUCKET/KEY, oss://BUCKET/KEY, or STORE:KEY with a store of the configuration. The key is taken literally; where it is left out or ends in \
`/`, the name of the file is put behind it.\n\
A FILE that is not a regular one, and standard input (`-`), is first copied to a temporary file (in TMPDIR), because stores must be told the length.\n\
Ctrl-C removes what was sent of a FILE that is larger than --part-size; with --resume it is kept, and the same command goes on. A second Ctrl-C ends at once.\n\
A FILE that begins with `-` is written ./-FILE, or after `--`."
)]
pub(crate) struct PutArgs {
    /// File to store; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to store it
    #[arg(value_name = "LOCATION")]
    pub(crate) location: String,
    /// Type of the object [default: told from the name of the file, else from the key's; unknown: none is sent]
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// MD5 that the bytes must have; for one request alone, see --part-size
    #[arg(long, value_name = "BASE64", value_parser = ContentMd5::from_base64)]
    pub(crate) content_md5: Option<ContentMd5>,
    /// Checksum that the bytes must have: crc32, crc32c, crc64nvme, sha1, sha256; for one request alone, see --part-size
    #[arg(long, value_name = "ALGO=BASE64")]
    pub(crate) checksum: Option<Checksum>,
    /// User metadata; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = request::pair)]
    pub(crate) meta: Vec<(String, String)>,
    /// Another header to sign and send; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = request::header)]
    pub(crate) header: Vec<(String, String)>,
    /// Refused when the object exists
    #[arg(long)]
    pub(crate) create_only: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
}

/// `get LOCATION [FILE]`
#[derive(Args)]
#[command(
    override_usage = "valetkey get [OPTIONS] LOCATION [FILE|-]",
    after_help = "LOCATION: s3://BUCKET/KEY, oss://BUCKET/KEY, or STORE:KEY with a store of the configuration. The key is taken literally.\n\
A FILE that exists is replaced when all bytes are there and were checked, and stays as it is until then. In a FILE that is a folder, the object gets the last name \
of its key.\n\
Ctrl-C removes what came; with --resume it is kept beside FILE, and the same command goes on. A second Ctrl-C ends at once.\n\
A FILE that begins with `-` is written ./-FILE, or after `--`."
)]
pub(crate) struct GetArgs {
    /// Object to fetch
    #[arg(value_name = "LOCATION")]
    pub(crate) location: String,
    /// File or folder to fetch it to [default: standard output, which is also `-`]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Version of the object
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// Another header to sign and send; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = request::header)]
    pub(crate) header: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
}

/// What both directions take.
#[derive(Args)]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Life of each URL: 15m, 1h30m, 7d, or seconds; one that has ended is signed anew [default: up to 15m]
    #[arg(long, value_name = "DURATION", value_parser = life_from_text)]
    pub(crate) expires: Option<Duration>,
    /// What is larger goes in parts of this size: bytes, or KiB, MiB, GiB [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = part_size)]
    pub(crate) part_size: Option<u64>,
    /// Parts at a time
    #[arg(long, value_name = "N", value_parser = parallel, default_value_t = TransferOptions::DEFAULT_PARALLEL)]
    pub(crate) parallel: usize,
    /// How often a request that failed is made again; those that the store refused are not
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) retries: u32,
    /// Go on with an earlier transfer in parts, and keep what is done when this one ends early
    #[arg(long)]
    pub(crate) resume: bool,
    /// No progress bar (which is shown on a terminal alone)
    #[arg(long)]
    pub(crate) no_progress: bool,
    /// Neither bar nor remarks, and a result only where --output asks for one
    #[arg(long)]
    pub(crate) quiet: bool,
    /// How the result is printed [default: text]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<TransferOutput>,
}

/// How the result of a transfer is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransferOutput {
    /// A line for each thing.
    Text,
    /// One line of JSON.
    Json,
}

fn part_size(text: &str) -> Result<u64, String> {
    match request::size(text)? {
        0 => Err("a part has at least one byte".to_owned()),
        size => Ok(size),
    }
}

fn parallel(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|parts| (1..=1024).contains(parts)).ok_or("the number of parts at a time is 1 to 1024")
}
