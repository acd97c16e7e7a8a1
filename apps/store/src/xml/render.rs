//! The bodies of answers.

use valetkey_core::verify::Refusal;

use super::write::{Document, url_encode};
use crate::{
    Cloud,
    objects::{ListQuery, Listing, MAX_KEYS, ObjectInfo, PartInfo, PartListing, UploadInfo},
    time::iso8601,
};

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

/// One page of a listing and what was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListPage<'a> {
    /// The bucket that was listed.
    pub(crate) bucket: &'a str,
    /// What was asked for.
    pub(crate) query: &'a ListQuery,
    /// What was found.
    pub(crate) listing: &'a Listing,
    /// Whether keys and prefixes are URL-encoded (`encoding-type=url`).
    pub(crate) url_encoded: bool,
}

impl ListPage<'_> {
    fn key(&self, text: &str) -> String {
        if self.url_encoded { url_encode(text) } else { text.into() }
    }
}

/// `ListBucketResult` of version 2.
pub(crate) fn list_result(cloud: Cloud, page: &ListPage<'_>) -> String {
    let (query, listing) = (page.query, page.listing);
    let mut xml = Document::new();
    xml.element(&root(cloud, "ListBucketResult"), |xml| {
        xml.text("Name", page.bucket);
        xml.text("Prefix", &page.key(&query.prefix));
        if !query.start_after.is_empty() {
            xml.text("StartAfter", &page.key(&query.start_after));
        }
        if let Some(token) = &query.continuation_token {
            xml.text("ContinuationToken", token);
        }
        xml.value("KeyCount", listing.objects.len().saturating_add(listing.common_prefixes.len()));
        xml.value("MaxKeys", query.max_keys.min(MAX_KEYS));
        if !query.delimiter.is_empty() {
            xml.text("Delimiter", &page.key(&query.delimiter));
        }
        if page.url_encoded {
            xml.text("EncodingType", "url");
        }
        xml.value("IsTruncated", listing.next.is_some());
        if let Some(next) = &listing.next {
            xml.text("NextContinuationToken", next);
        }
        for info in &listing.objects {
            xml.element("Contents", |xml| {
                xml.text("Key", &page.key(&info.key));
                xml.text("LastModified", &iso8601(info.last_modified));
                xml.text("ETag", &etag(cloud, &info.etag));
                if cloud == Cloud::Oss {
                    xml.text("Type", if info.parts.is_some() { "Multipart" } else { "Normal" });
                }
                xml.value("Size", info.size);
                xml.text("StorageClass", storage_class(cloud, info.attributes.storage_class.as_deref()));
            });
        }
        for prefix in &listing.common_prefixes {
            xml.element("CommonPrefixes", |xml| xml.text("Prefix", &page.key(prefix)));
        }
    });
    xml.finish()
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
