//! `valetkey store`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `store`
#[derive(Args)]
#[command(
    after_help = "It listens on 127.0.0.1 only, speaks the S3 and the OSS dialect on one port, and verifies every request: presigned URLs, Authorization headers of \
signature version 4, chunk signatures, forms. It does objects, copies, ranges, conditions, multipart uploads, listings, buckets and CORS; what it does not do is refused \
as NotImplemented.\n\n\
With --folder an object that was acknowledged is on the disk, and after a crash there is the old or the new one. One store runs in a folder at a time.\n\n\
--cors-origin lets pages of that origin send GET, PUT, POST, DELETE and HEAD with any header, and read ETag, Location, Content-Range, the request's id, checksums and \
x-oss-hash-crc64ecma of the answer. It holds for every bucket that has no CORS configuration of its own. A request still needs its signature.\n\n\
Ctrl-C ends it when the requests under way are done, a second one at once."
)]
pub(crate) struct StoreArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    pub(crate) port: u16,
    /// Bucket that is made at the start, if it is not there; may be repeated
    #[arg(long, value_name = "NAME", default_value = "media")]
    pub(crate) bucket: Vec<String>,
    /// Folder that keeps the objects; made if it is not there [default: memory]
    #[arg(long, visible_alias = "folder", value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Made-up keys, or the ones of the environment (AWS_*, OSS_*)
    #[arg(long, value_enum, value_name = "FROM", default_value = "fake")]
    pub(crate) credentials: StoreCredentials,
    /// Let everybody read the objects whose ACL is public-read or public-read-write, without a signature, as the clouds do [default: refused]
    #[arg(long)]
    pub(crate) allow_public_read: bool,
    /// Let pages of this origin (https://app.example.com, at most one `*` in it) send requests and read answers; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) cors_origin: Vec<String>,
}

/// Whose signatures the store takes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreCredentials {
    /// Fixed keys that are printed.
    Fake,
    /// What the environment has.
    Env,
}
