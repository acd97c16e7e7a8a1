//! Hand out access to object storage without handing out the keys.
//!
//! An application that owns cloud credentials signs a URL for one object, or an upload form, for a short time, within stated limits; a browser, a phone or a job that has no
//! credentials uses it. The same code signs for Amazon S3 (Signature Version 4) and for Alibaba Cloud OSS (Signature V4); which one is a line of
//! configuration.
//!
//! ```no_run
//! use std::time::Duration;
//! use valetkey::{ObjectRequest, PresignOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let presigner = valetkey::Config::from_file("valetkey.toml")?.store("media")?.presigner()?;
//! let put = presigner
//!     .presign(
//!         &ObjectRequest::put("avatars/7.png".parse()?).content_type("image/png").content_length(52_113),
//!         &PresignOptions::new().expires_in(Duration::from_secs(600)),
//!     )
//!     .await?;
//! println!("{} {} until {}", put.method, put.url, put.expiration);
//! for (name, value) in put.signed_headers.iter() {
//!     println!("the client must send {name}: {value}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - What to sign: [`ObjectRequest`] or [`PostPolicy`], and [`PresignOptions`]; what comes out: [`PresignedRequest`], [`PresignedPost`].
//! - What an application holds: [`Presigner`]. Without a configuration file: `S3Presigner` and `OssPresigner`.
//! - What was received: [`verify`].
//! - Sending it: `transfer`.
//!
//! Cargo features: `s3`, `oss`, `config`, `transfer`, all on by default. A feature adds API and changes nothing else.

#![cfg_attr(docsrs, feature(doc_cfg))]

/// The examples of the README, compiled.
#[cfg(all(doctest, feature = "s3", feature = "config"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod clock;
#[cfg(feature = "config")]
#[cfg_attr(
    not(any(feature = "s3", feature = "oss")),
    allow(dead_code, unused_imports, unused_variables, unreachable_code, reason = "without a provider no store can be configured")
)]
mod config;
pub mod credentials;
mod presigner;
mod session;
#[cfg(feature = "transfer")]
pub mod transfer;

pub use clock::{Clock, FixedClock, SystemClock};
#[cfg(feature = "config")]
pub use config::{Config, ConfigError, ConfigProblem, StoreConfig, life_from_text};
pub use presigner::LocalPresigner;
#[cfg(feature = "oss")]
pub use presigner::OssPresigner;
#[cfg(feature = "s3")]
pub use presigner::S3Presigner;
pub use session::SigningSession;
pub use valetkey_core::*;
#[cfg(feature = "oss")]
pub use valetkey_oss::Oss;
#[cfg(feature = "s3")]
pub use valetkey_s3::S3;
