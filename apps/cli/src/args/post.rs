//! The flags of `post`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{LifeArgs, PlaceArgs};
use crate::request;

/// `post LOCATION`
#[derive(Args)]
#[command(
    after_help = "LOCATION: s3://BUCKET/KEY, oss://BUCKET/KEY, or STORE:KEY with a store of the configuration. A KEY that ends in `/` is a prefix: the client names \
the object, and left alone it is called as the file is. Any other KEY is the one object.\n\
A SIZE is a number of bytes, or of KiB, MiB or GiB. Whoever holds the form may upload until it ends, as often as they like.\n\
A value that begins with `-` is written --flag=VALUE."
)]
pub(crate) struct PostArgs {
    /// The object, or a prefix that ends in `/`; with --policy, the bucket alone will do
    pub(crate) location: String,
    #[command(flatten)]
    pub(crate) rules: PolicyArgs,
    #[command(flatten)]
    pub(crate) life: LifeArgs,
    /// Sign the policy in FILE (`-`: standard input) byte for byte, instead of writing one of these flags
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Upload FILE by the form instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// With --file: its type, where the form leaves it open [default: told from its name]
    #[arg(long, value_name = "TYPE")]
    pub(crate) file_type: Option<String>,
    /// What to print: the whole form, a page, or a shell command [default: json; with --file text, or json]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<PostOutput>,
}

/// What the policy says.
#[derive(Args)]
pub(crate) struct PolicyArgs {
    /// The most bytes of the file [default: 5GiB, the limit of both clouds]
    #[arg(long, value_name = "SIZE", value_parser = request::size)]
    pub(crate) max_size: Option<u64>,
    /// The fewest bytes of the file
    #[arg(long, value_name = "SIZE", value_parser = request::size)]
    pub(crate) min_size: Option<u64>,
    /// The object's type: image/png; what it begins with: 'image/*'; one of a list: image/png,image/jpeg (OSS only); any: '*/*'
    #[arg(long, value_name = "TYPE", value_parser = request::type_rule)]
    pub(crate) content_type: Option<TypeRule>,
    /// Canned ACL of the object: private, public-read, public-read-write, or the provider's own word
    #[arg(long, value_name = "WORD")]
    pub(crate) acl: Option<String>,
    /// User metadata; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = request::pair)]
    pub(crate) meta: Vec<(String, String)>,
    /// Status of the answer: 200, 201 (with XML that names the object) or 204 [default: 204]
    #[arg(long, value_name = "STATUS", value_parser = request::success_status)]
    pub(crate) success_status: Option<u16>,
    /// Where the answer sends the browser; wins over --success-status
    #[arg(long, value_name = "URL")]
    pub(crate) redirect: Option<String>,
    /// Cache-Control of the object
    #[arg(long, value_name = "VALUE")]
    pub(crate) cache_control: Option<String>,
    /// Content-Disposition of the object
    #[arg(long, value_name = "VALUE")]
    pub(crate) content_disposition: Option<String>,
    /// Storage class, in the provider's word
    #[arg(long, value_name = "CLASS")]
    pub(crate) storage_class: Option<String>,
    /// Refused when the object exists (OSS only)
    #[arg(long)]
    pub(crate) create_only: bool,
    /// Every key that begins with KEY, wherever it ends: `up/7` also takes `up/70/x`
    #[arg(long)]
    pub(crate) open_prefix: bool,
}

/// Which types an object may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypeRule {
    Exact(String),
    Prefix(String),
    OneOf(Vec<String>),
}

/// How a form is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PostOutput {
    /// One line of JSON.
    Json,
    /// A page that works as it stands, without a script.
    Html,
    /// A curl command for a POSIX shell; FILE stands for the file.
    Curl,
}
