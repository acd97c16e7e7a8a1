//! A development store on loopback that speaks the S3 and the Alibaba Cloud OSS dialect and verifies every request before it acts.
//!
//! It is what the demo, the tests and a developer without a cloud account run against: [`Store::builder`] starts one. It keeps objects in
//! memory or in a folder, and it is honest about what it is: a development store, not a place for production data.
//!
//! # Browser forms
//!
//! `multipart/form-data` sent to a bucket is judged by the policy in its fields, of which the names tell the cloud. The body is read strictly: one
//! boundary, line ends of CR LF, nothing before the first delimiter and at most a line end after the last, no parameter or header twice, no `name*`,
//! no `filename*`, no `Content-Transfer-Encoding`, UTF-8, the file last. It is read as a stream and within limits: 64 parts, 8 KiB for the head of a
//! part, and before the file 20 KiB for S3 (its own limit, counted from the first byte of the body to the one before the file's content) and 128 KiB
//! in all and 64 KiB for a field on OSS (which itself takes more). Until the file comes a client has a minute.
//!
//! Where this store does other than the clouds:
//!
//! - The field `callback` of OSS is taken and nobody is called; the answer is as if it was not there, and the observer is told in [`Event::note`].
//! - A form may come without a `Content-Length`, in chunks.
//! - Fields after the file are refused, where S3 ignores them.
//! - `Content-MD5` as a field is checked.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable))]

mod chunked;
mod cloud;
mod cors;
mod digest;
mod error;
mod objects;
mod open_error;
mod range;
mod server;
mod time;
mod xml;

pub use cloud::Cloud;
pub use cors::CorsRule;
pub use error::StoreError;
pub use open_error::OpenError;
pub use server::{Event, Running, StartError, Store, StoreBuilder};
