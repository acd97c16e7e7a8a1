//! The command line, and one line for what is wrong with it.

mod explain;
mod post;
mod store;
mod transfer;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use valetkey::{AddressingStyle, Checksum, ContentMd5, CopySource, Endpoint, Timestamp, life_from_text};

pub(crate) use explain::explain;
pub(crate) use post::{PolicyArgs, PostArgs, PostOutput, TypeRule};
pub(crate) use store::{StoreArgs, StoreCredentials};
pub(crate) use transfer::{GetArgs, PutArgs, TransferArgs, TransferOutput};

use crate::error::CliError;
use crate::request;

/// Signs and verifies presigned URLs and upload forms for Amazon S3 and Alibaba Cloud OSS, and moves files by them.
///
/// Credentials come from the environment or from where the configuration says; no flag takes a secret.
#[derive(Parser)]
#[command(name = "valetkey", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, or not valid; 2 the command line is wrong; 3 configuration, region or credentials; \
4 refused, or a batch line failed; 5 no answer; 130 interrupted. Errors are one line on standard error.";

/// Flags of every command that uses a configuration.
#[derive(Args)]
pub(crate) struct Global {
    /// Configuration file [default: VALETKEY_CONFIG, ./valetkey.toml, valetkey/config.toml in the user's configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// verify: the store of the configuration whose secret signed [default: VALETKEY_STORE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) store: Option<String>,
}

impl Global {
    /// For commands that use no configuration: a flag is obeyed or refused.
    pub(crate) fn refuse(&self, command: &str) -> Result<(), CliError> {
        let given = [("--config", self.config.is_some()), ("--store", self.store.is_some())].into_iter().find(|(_, given)| *given);
        match given {
            Some((flag, _)) => Err(CliError::usage("usage", format!("`{flag}` means nothing for `valetkey {command}`; leave it out"))),
            None => Ok(()),
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sign a request, or a stream of them
    Presign(Box<PresignArgs>),
    /// Store a file, in parts where it is large
    Put(Box<PutArgs>),
    /// Fetch an object to a file or to standard output
    Get(Box<GetArgs>),
    /// Sign an upload form for browsers, or upload a file by one
    Post(Box<PostArgs>),
    /// Check a presigned URL or a form with the secret that signed it
    Verify(Box<VerifyArgs>),
    /// Run a development store on this machine that speaks both dialects
    Store(StoreArgs),
    /// Show uploads, downloads and refusals through both clouds' dialects against a store of its own
    Demo,
}

/// `presign OPERATION LOCATION` and `presign --batch FILE LOCATION`.
#[derive(Args)]
#[command(
    override_usage = "valetkey presign [OPTIONS] OPERATION LOCATION\n       valetkey presign --batch FILE|- [OPTIONS] LOCATION",
    after_help = "OPERATION: get, head, put, delete, copy, create-multipart, upload-part, upload-part-copy, complete-multipart, abort-multipart, list-parts, list.\n\
LOCATION: s3://BUCKET[/KEY], oss://BUCKET[/KEY], or STORE:KEY with a store of the configuration. The key is taken literally.\n\
A value that begins with `-` is written --flag=VALUE."
)]
pub(crate) struct PresignArgs {
    /// What to sign, and where
    #[arg(value_names = ["OPERATION", "LOCATION"], num_args = 0..=2)]
    pub(crate) words: Vec<String>,
    /// Sign each line of JSON in FILE (`-`: standard input); LOCATION names the bucket alone
    #[arg(long, value_name = "FILE")]
    pub(crate) batch: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) life: LifeArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// What to print: the URL (and on standard error the headers to send), the whole result, or a shell command
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<PresignOutput>,
}

/// Where requests go; wins over environment and configuration.
#[derive(Args)]
pub(crate) struct PlaceArgs {
    /// Region [default: the store's; AWS_REGION, AWS_DEFAULT_REGION; OSS_REGION]
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Endpoint with its scheme [default: the store's, or without a store AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; OSS_ENDPOINT; else the cloud's own]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<Endpoint>,
    /// How the bucket stands in the URL: auto, virtual, path, custom-domain
    #[arg(long, value_name = "STYLE")]
    pub(crate) addressing: Option<AddressingStyle>,
}

/// When, and for how long. In a batch, for the lines that do not say it themselves.
#[derive(Args, Clone, Copy)]
pub(crate) struct LifeArgs {
    /// Life: 15m, 1h30m, 7d, or seconds [default: up to 15m]
    #[arg(long, value_name = "DURATION", value_parser = life_from_text)]
    pub(crate) expires: Option<std::time::Duration>,
    /// End of life; wins over --expires
    #[arg(long, value_name = "RFC3339")]
    pub(crate) expires_at: Option<Timestamp>,
    /// Sign as of this time instead of now
    #[arg(long, value_name = "RFC3339")]
    pub(crate) at: Option<Timestamp>,
}

/// What the signature shall bind: by flags, or by the fields of a batch line.
#[derive(Args, Default, PartialEq)]
pub(crate) struct RequestArgs {
    /// The client must send exactly this type
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// Bytes of the body
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) content_length: Option<u64>,
    /// MD5 of the body
    #[arg(long, value_name = "BASE64", value_parser = ContentMd5::from_base64)]
    pub(crate) content_md5: Option<ContentMd5>,
    /// Checksum of the body: crc32, crc32c, crc64nvme, sha1, sha256
    #[arg(long, value_name = "ALGO=BASE64")]
    pub(crate) checksum: Option<Checksum>,
    /// User metadata; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = request::pair)]
    pub(crate) meta: Vec<(String, String)>,
    /// Another header to sign; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = request::header)]
    pub(crate) header: Vec<(String, String)>,
    /// Another query parameter to sign (`NAME=` for a name alone); may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = request::pair)]
    pub(crate) query: Vec<(String, String)>,
    /// Version of the object
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// Upload that the part belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) upload_id: Option<String>,
    /// Number of the part, 1 to 10000
    #[arg(long, value_name = "N")]
    pub(crate) part_number: Option<u32>,
    /// Object to copy, the key literally
    #[arg(long, value_name = "BUCKET/KEY")]
    pub(crate) copy_source: Option<CopySource>,
    /// Refused when the object exists
    #[arg(long)]
    pub(crate) create_only: bool,
    /// Name that a browser saves the object under: a file name of any Unicode, without `/` and `\`
    #[arg(long, value_name = "NAME")]
    pub(crate) download_name: Option<String>,
    /// list: keys that begin so
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// list: one entry up to this text
    #[arg(long)]
    pub(crate) delimiter: Option<String>,
    /// list: at most so many keys, 1 to 1000
    #[arg(long, value_name = "N")]
    pub(crate) max_keys: Option<u32>,
    /// list: go on here
    #[arg(long, value_name = "TOKEN")]
    pub(crate) continuation_token: Option<String>,
}

/// How a signed request is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresignOutput {
    /// The URL on standard output; on standard error each header to send as `name: value`, and remarks as `# TEXT`.
    Url,
    /// One line of JSON.
    Json,
    /// A curl command for a POSIX shell; FILE stands for the body.
    Curl,
}

/// `verify URL` and `verify --form FILE`
#[derive(Args)]
#[command(
    override_usage = "valetkey verify [OPTIONS] URL\n       valetkey verify --form FILE|- [OPTIONS]",
    after_help = "The store is the one of --store, else of VALETKEY_STORE, else the configuration's default where it is of the URL's cloud. It says bucket, region, \
endpoint and credentials. Without a store the credentials are the environment's, and the clouds' public hosts are known besides the environment's endpoint.\n\
At an endpoint, path style (HOST/BUCKET/KEY) and virtual-hosted URLs (BUCKET.HOST/KEY) are known, and with --bucket on OSS the bucket's own host too. On S3, \
where no signature covers the bucket, the bucket's own host is known from a store whose addressing is custom-domain.\n\
A form is what `valetkey post` prints, an object of its fields, or a list of [NAME, VALUE] pairs. The bucket is that of its URL; without a URL, of --bucket or the \
store."
)]
pub(crate) struct VerifyArgs {
    /// The URL exactly as it was received; `-` reads it from standard input
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Judge the form in FILE (`-`: standard input) instead of a URL
    #[arg(long, value_name = "FILE")]
    pub(crate) form: Option<PathBuf>,
    /// Method of the request [default: GET]
    #[arg(long)]
    pub(crate) method: Option<String>,
    /// A header that came with the request; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = request::header)]
    pub(crate) header: Vec<(String, String)>,
    /// With --form: bytes of the file, or KiB, MiB, GiB [default: not judged]
    #[arg(long, value_name = "SIZE", value_parser = request::size)]
    pub(crate) size: Option<u64>,
    /// With --form: the type that the client gives, where the form leaves it open
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// With --form: the name of the file [default: ${filename}, so that the key is shown as it is]
    #[arg(long, value_name = "NAME")]
    pub(crate) file_name: Option<String>,
    /// Judge as of this time instead of now
    #[arg(long, value_name = "RFC3339")]
    pub(crate) at: Option<Timestamp>,
    /// The bucket that it must be for [default: the store's]; without store and endpoint, the URL may have a host that is not the cloud's own
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// The endpoint that was signed for [default: the store's, or without a store AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; OSS_ENDPOINT; else the cloud's own]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<Endpoint>,
    /// The region that it must be for [default: the store's]
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// What to print
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    pub(crate) output: VerifyOutput,
}

/// How a verified request is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyOutput {
    /// A line for each thing.
    Text,
    /// One line of JSON.
    Json,
}

fn bytes(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "the length is a number of bytes, such as 52113".to_owned())
}
