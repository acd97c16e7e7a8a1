//! The vocabulary and the rules of valetkey, without a provider.
//!
//! No clock, no environment, no network, no file: every function is a function of its arguments, and `no_std` proves it.
//!
//! - What is to be signed: [`ObjectRequest`], [`Constraint`], [`PostPolicy`], [`PresignOptions`].
//! - What comes out: [`PresignedRequest`], [`PresignedPost`]; for the process that signs, [`AuthorizedRequest`].
//! - What an application holds: [`Presigner`]. What a provider writes: [`Dialect`].
//! - The way back: [`verify`].

#![no_std]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable))]
#![cfg_attr(not(test), deny(clippy::string_slice))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod authorized;
pub mod binding;
mod body_headers;
mod constraint;
mod credentials;
pub mod crypto;
mod dialect;
mod disposition;
pub mod encode;
mod endpoint;
mod error;
mod key;
mod operation;
mod options;
pub mod post_policy;
mod presigned;
mod presigned_post;
mod presigner;
mod query_template;
mod request;
mod signing_scope;
mod target;
mod time;
mod values;
pub mod verify;

pub use authorized::AuthorizedRequest;
pub use body_headers::BodyHeaders;
pub use constraint::{Constraint, ConstraintName, ProviderConstraint};
pub use credentials::{Credentials, CredentialsError, CredentialsProvider, Secret};
pub use dialect::{Capability, Dialect, SigningContext};
pub use endpoint::Endpoint;
pub use error::{PresignError, error_json};
pub use key::{KeyError, ObjectKey};
pub use operation::{Method, Operation, UnknownOperation};
pub use options::{ExpirationReason, LifeError, Limits, PresignOptions, Validity};
pub use post_policy::PostPolicy;
pub use presigned::{ContentTypeRule, PresignedRequest, SignedHeaders, SigningTrace};
pub use presigned_post::{FileLimits, FormFields, OpenField, PresignedPost};
pub use presigner::Presigner;
pub use query_template::{Gap, OwnParameters, QueryTemplate};
pub use request::ObjectRequest;
pub use signing_scope::{HeaderParts, ScopeTexts, SigningScope, UrlParts};
pub use target::{AddressingStyle, Scheme, Target, TargetError, TargetSettings, signed_host};
pub use time::{BasicTime, TimeError, Timestamp};
pub use values::{
    Acl, ByteRange, Checksum, ChecksumAlgorithm, ContentMd5, ContentType, CopySource, CustomerKey, ResponseHeader, ServerSideEncryption, StorageClass,
    ValueError,
};
