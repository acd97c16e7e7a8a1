//! A development store on loopback that speaks the S3 and the Alibaba Cloud OSS dialect and verifies every request before it acts.
//!
//! It is what the demo, the tests and a developer without a cloud account run against: [`Store::builder`] starts one. It keeps objects in
//! memory or in a folder, and it is honest about what it is: a development store, not a place for production data.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable))]

mod cloud;
mod digest;
mod error;
mod objects;
mod open_error;
mod range;
mod server;
mod time;
mod xml;

pub use cloud::Cloud;
pub use error::StoreError;
pub use open_error::OpenError;
pub use server::{Event, Running, StartError, Store, StoreBuilder};
