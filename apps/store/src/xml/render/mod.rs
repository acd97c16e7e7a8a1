//! The bodies of answers.

use valetkey_core::verify::Refusal;

use super::write::{Document, url_encode};
use crate::{
    Cloud, StoreError,
    objects::{MAX_KEYS, ObjectInfo, PartInfo, PartListing, UploadInfo},
    time::iso8601,
};

mod buckets;
mod list;

pub(crate) use buckets::{BucketEntry, BucketPage, bucket_info_result, cors_result, list_buckets_result, location_result, tagging_result, versioning_result};
pub(crate) use list::{ListKind, ListPage, list_result, list_uploads_result};

/// An error as it is told to a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorBody<'a> {
    /// The cloud whose words are used.
    pub(crate) cloud: Cloud,
    /// Code, message and details.
    pub(crate) refusal: &'a Refusal,
    /// The request's id.
    pub(crate) request_id: &'a str,
    /// The host that answers.
    pub(crate) host_id: &'a str,
}

/// The body of an error.
pub(crate) fn error(body: &ErrorBody<'_>) -> String {
    let mut xml = Document::new();
    xml.element("Error", |xml| {
        xml.text("Code", body.refusal.code);
        xml.text("Message", &body.refusal.message);
        if body.cloud == Cloud::S3 {
            details(xml, body);
        }
        xml.text("RequestId", body.request_id);
        xml.text("HostId", body.host_id);
        if body.cloud == Cloud::Oss {
            details(xml, body);
            if let Some(ec) = body.refusal.ec {
                xml.text("EC", ec);
            }
        }
    });
    xml.finish()
}

fn details(xml: &mut Document, body: &ErrorBody<'_>) {
    for (name, value) in &body.refusal.details {
        xml.text(name, value);
    }
}

/// `InitiateMultipartUploadResult`.
pub(crate) fn initiate_result(cloud: Cloud, upload: &UploadInfo, url_encoded: bool) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "InitiateMultipartUploadResult"), |xml| {
        place(xml, upload, url_encoded);
        xml.text("UploadId", &upload.id);
    });
    xml.finish()
}

/// What `CompleteMultipartUploadResult` tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompleteResult<'a> {
    /// The object's own URL, without a signature.
    pub(crate) location: &'a str,
    /// The bucket.
    pub(crate) bucket: &'a str,
    /// The object.
    pub(crate) info: &'a ObjectInfo,
    /// Whether the key is URL-encoded (`encoding-type=url`).
    pub(crate) url_encoded: bool,
}

/// `CompleteMultipartUploadResult`.
pub(crate) fn complete_result(cloud: Cloud, result: &CompleteResult<'_>) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "CompleteMultipartUploadResult"), |xml| {
        if result.url_encoded {
            xml.text("EncodingType", "url");
        }
        xml.text("Location", result.location);
        xml.text("Bucket", result.bucket);
        let key = &result.info.key;
        xml.text("Key", &if result.url_encoded { url_encode(key) } else { key.clone() });
        xml.text("ETag", &etag(cloud, &result.info.etag));
        for (algorithm, value) in &result.info.checksums {
            if cloud == Cloud::S3 {
                xml.text(&format!("Checksum{}", algorithm.name()), value);
            }
        }
    });
    xml.finish()
}

/// `PostResponse`, for a form that asks for the status 201.
pub(crate) fn post_response(cloud: Cloud, location: &str, bucket: &str, info: &ObjectInfo) -> String {
    let mut xml = Document::new();
    xml.element("PostResponse", |xml| {
        xml.text("Location", location);
        xml.text("Bucket", bucket);
        xml.text("Key", &info.key);
        xml.text("ETag", &etag(cloud, &info.etag));
    });
    xml.finish()
}

/// `ListPartsResult`.
pub(crate) fn list_parts_result(cloud: Cloud, page: &PartListing, marker: u16, max_parts: u32, url_encoded: bool) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "ListPartsResult"), |xml| {
        place(xml, &page.upload, url_encoded);
        xml.text("UploadId", &page.upload.id);
        xml.text("StorageClass", storage_class(cloud, page.upload.attributes.storage_class.as_deref()));
        xml.value("PartNumberMarker", marker);
        xml.value("NextPartNumberMarker", page.parts.last().map_or(0, |part| part.number));
        xml.value("MaxParts", max_parts.min(MAX_KEYS));
        xml.value("IsTruncated", page.next.is_some());
        for part in &page.parts {
            xml.element("Part", |xml| {
                xml.value("PartNumber", part.number);
                xml.text("LastModified", &iso8601(part.last_modified));
                xml.text("ETag", &etag(cloud, &part.etag()));
                xml.value("Size", part.size);
                match cloud {
                    Cloud::S3 => part.checksums.iter().for_each(|(algorithm, value)| xml.text(&format!("Checksum{}", algorithm.name()), value)),
                    Cloud::Oss => xml.value("HashCrc64ecma", part.crc64_ecma),
                }
            });
        }
    });
    xml.finish()
}

/// `CopyObjectResult`.
pub(crate) fn copy_object_result(cloud: Cloud, info: &ObjectInfo) -> String {
    copy_result(cloud, "CopyObjectResult", &info.etag, info.last_modified)
}

/// `CopyPartResult`.
pub(crate) fn copy_part_result(cloud: Cloud, part: &PartInfo) -> String {
    copy_result(cloud, "CopyPartResult", &part.etag(), part.last_modified)
}

fn copy_result(cloud: Cloud, name: &str, tag: &str, last_modified: u64) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, name), |xml| {
        xml.text("LastModified", &iso8601(last_modified));
        xml.text("ETag", &etag(cloud, tag));
    });
    xml.finish()
}

/// What came of one object of many that were to be deleted.
#[derive(Debug)]
pub(crate) struct Deleted {
    pub(crate) key: String,
    pub(crate) error: Option<StoreError>,
}

/// `DeleteResult`. `quiet` leaves out what was done.
pub(crate) fn delete_result(cloud: Cloud, outcomes: &[Deleted], quiet: bool, url_encoded: bool) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "DeleteResult"), |xml| {
        if url_encoded {
            xml.text("EncodingType", "url");
        }
        for Deleted { key, error } in outcomes {
            let key = if url_encoded { url_encode(key) } else { key.clone() };
            match error.as_ref().map(|error| error.answer(cloud)) {
                None if quiet => {}
                None => xml.element("Deleted", |xml| xml.text("Key", &key)),
                Some(refusal) => xml.element("Error", |xml| {
                    xml.text("Key", &key);
                    xml.text("Code", refusal.code);
                    xml.text("Message", &refusal.message);
                }),
            }
        }
    });
    xml.finish()
}

/// The ETag with its quotes, in the case of the cloud.
pub(crate) fn etag(cloud: Cloud, etag: &str) -> String {
    match cloud {
        Cloud::S3 => format!("\"{etag}\""),
        Cloud::Oss => format!("\"{}\"", etag.to_ascii_uppercase()),
    }
}

fn root(cloud: Cloud, name: &str) -> String {
    match cloud {
        Cloud::S3 => format!("{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""),
        Cloud::Oss => name.into(),
    }
}

fn place(xml: &mut Document, upload: &UploadInfo, url_encoded: bool) {
    if url_encoded {
        xml.text("EncodingType", "url");
    }
    xml.text("Bucket", &upload.bucket);
    xml.text("Key", &if url_encoded { url_encode(&upload.key) } else { upload.key.clone() });
}

fn storage_class(cloud: Cloud, written: Option<&str>) -> &str {
    written.unwrap_or(match cloud {
        Cloud::S3 => "STANDARD",
        Cloud::Oss => "Standard",
    })
}

#[cfg(test)]
mod tests;
