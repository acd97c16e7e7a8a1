//! The program as a script sees it: exit codes, streams, and what it must never print.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batch;
mod command_line;
mod documented;
mod form_vectors;
mod get;
mod interrupted;
mod place;
mod post;
mod put;
mod store;
#[cfg(unix)]
mod store_killed;
mod support;
mod upload;
mod vectors;
mod verify;
mod verify_form;
