//! The XML that clients send, read strictly: no document types, no entities of its own, within limits.

mod bucket;
mod complete;
mod cors;
mod delete;
mod tagging;
mod tree;
mod walk;

pub(crate) use bucket::{MAX_BUCKET_BODY, bucket_request};
pub(crate) use complete::{MAX_LIST_BODY, complete_list};
pub(crate) use cors::{MAX_CORS_BODY, cors_rules};
pub(crate) use delete::{MAX_DELETE_BODY, delete_request};
pub(crate) use tagging::tagging;
