//! The conformance suite: a presigner of any provider proves its promises against something that verifies.
//!
//! A provider gives the suite its [`Presigner`](valetkey_core::Presigner), a way to send requests ([`Backend`]), a clock that both read
//! ([`TestClock`]), what its cloud answers ([`Profile`]) and a [`Place`] to work in; [`Harness::run`] does the rest. Each promise is a [`Module`].
//! Every promise is tried kept and broken: what is kept must be accepted, what is broken must be refused for the right reason.
//!
//! ```
//! use valetkey_conformance::in_process::{InProcess, run_now};
//! use valetkey_conformance::{Module, Profile};
//! use valetkey_core::{Credentials, TargetSettings};
//!
//! let settings = TargetSettings::new("examplebucket").region("eu-central-1");
//! let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
//! let world = InProcess::new(&valetkey_s3::S3, &Profile::S3, &settings, credentials, "2026-11-22T10:30:00Z".parse()?)?;
//! run_now(world.harness().run_module(Module::Ttl)).assert_passed();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The suite is tested itself: each of the [`saboteurs`] breaks one promise, and must fail in the module that it names.

mod account;
mod authorization;
mod backend;
mod digest;
mod form_profile;
mod harness;
mod headers;
pub mod in_process;
mod keys;
mod portable;
mod posts;
mod profile;
mod report;
pub mod saboteurs;
mod samples;
mod scene;
mod tamper;
mod ttl;
mod urls;
mod vectors;
mod wire_form;

pub use backend::{Backend, TestClock, WireRequest, WireResponse};
pub use form_profile::{FormAnswers, FormProfile};
pub use harness::{Harness, Place};
pub use profile::{Answers, AuthorizationProfile, Profile};
pub use report::{Finding, Module, Outcome, Report};
pub use vectors::Vector;
pub use wire_form::{FilePart, WireForm};
