//! The XML that both clouds speak: error bodies, results, and what little clients send.

mod parse;
mod render;
mod tagging;
mod walk;
mod write;

pub(crate) use parse::{MAX_LIST_BODY, complete_list};
pub(crate) use render::{
    CompleteResult, ErrorBody, ListPage, complete_result, copy_object_result, copy_part_result, error, etag, initiate_result, list_parts_result, list_result,
    post_response,
};
pub(crate) use tagging::tagging;
