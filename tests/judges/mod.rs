//! What others think of the forms that this library signs: a server and two calculations that share no code with it.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod form;
pub(crate) mod recompute;
pub(crate) mod s3s;
