//! The XML that both clouds speak: error bodies, results, and what little clients send.

mod read;
mod render;
mod write;

pub(crate) use read::{MAX_BUCKET_BODY, MAX_CORS_BODY, MAX_DELETE_BODY, MAX_LIST_BODY, bucket_request, complete_list, cors_rules, delete_request, tagging};
pub(crate) use render::{
    BucketEntry, BucketPage, CompleteResult, Deleted, ErrorBody, ListKind, ListPage, bucket_info_result, complete_result, copy_object_result, copy_part_result,
    cors_result, delete_result, error, etag, initiate_result, list_buckets_result, list_parts_result, list_result, list_uploads_result, location_result,
    post_response, tagging_result, versioning_result,
};
