//! The XML that both clouds speak: error bodies, results, and the one list that clients send.

mod parse;
mod render;
mod write;

pub(crate) use parse::{MAX_LIST_BODY, complete_list};
pub(crate) use render::{
    CompleteResult, ErrorBody, ListPage, complete_result, copy_object_result, copy_part_result, error, etag, initiate_result, list_parts_result, list_result,
};
