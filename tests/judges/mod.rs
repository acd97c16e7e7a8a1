//! What others think of what this library signs: a server and two calculations that share no code with it.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod clock;
pub(crate) mod form;
pub(crate) mod http;
pub(crate) mod memory;
pub(crate) mod recompute;
pub(crate) mod s3s;
pub(crate) mod s3s_gaps;
pub(crate) mod s3s_profile;
