//! Listings of objects and of uploads.

use super::{
    super::write::{Document, url_encode},
    buckets::owner,
    etag, root, storage_class,
};
use crate::{
    Cloud,
    objects::{ListQuery, Listing, MAX_KEYS, UploadListing, UploadQuery},
    time::iso8601,
};

/// One page of a listing and what was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListPage<'a> {
    /// The bucket that was listed.
    pub(crate) bucket: &'a str,
    /// What was asked for.
    pub(crate) query: &'a ListQuery,
    /// What was found.
    pub(crate) listing: &'a Listing,
    /// In which version.
    pub(crate) kind: ListKind<'a>,
    /// Whether keys and prefixes are URL-encoded (`encoding-type=url`).
    pub(crate) url_encoded: bool,
}

/// The version of a listing, and where it was to begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ListKind<'a> {
    First { marker: &'a str },
    Second { start_after: &'a str, token: Option<&'a str>, with_owner: bool },
}

impl ListPage<'_> {
    fn key(&self, text: &str) -> String {
        encoded(text, self.url_encoded)
    }

    /// Where it began, and where the next one begins.
    fn position(&self, cloud: Cloud, xml: &mut Document) {
        let listing = self.listing;
        match self.kind {
            ListKind::First { marker } => {
                xml.text("Marker", &self.key(marker));
                // S3 leaves it to the client to go on behind the last key where there are no common prefixes.
                if let Some(next) = listing.next.as_ref().filter(|_| cloud == Cloud::Oss || !self.query.delimiter.is_empty()) {
                    xml.text("NextMarker", &self.key(next.name()));
                }
            }
            ListKind::Second { start_after, token, .. } => {
                if !start_after.is_empty() {
                    xml.text("StartAfter", &self.key(start_after));
                }
                if let Some(token) = token {
                    xml.text("ContinuationToken", token);
                }
                xml.value("KeyCount", listing.objects.len().saturating_add(listing.common_prefixes.len()));
            }
        }
    }
}

/// `ListBucketResult`.
pub(crate) fn list_result(cloud: Cloud, page: &ListPage<'_>) -> String {
    let (query, listing) = (page.query, page.listing);
    let with_owner = matches!(page.kind, ListKind::First { .. } | ListKind::Second { with_owner: true, .. });
    let mut xml = Document::new();
    xml.element(&root(cloud, "ListBucketResult"), |xml| {
        xml.text("Name", page.bucket);
        xml.text("Prefix", &page.key(&query.prefix));
        page.position(cloud, xml);
        xml.value("MaxKeys", query.max_keys.min(MAX_KEYS));
        if !query.delimiter.is_empty() {
            xml.text("Delimiter", &page.key(&query.delimiter));
        }
        if page.url_encoded {
            xml.text("EncodingType", "url");
        }
        xml.value("IsTruncated", listing.next.is_some());
        if let (Some(next), ListKind::Second { .. }) = (&listing.next, page.kind) {
            xml.text("NextContinuationToken", &next.token(page.bucket));
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
                if with_owner {
                    owner(cloud, xml, "Owner");
                }
            });
        }
        for prefix in &listing.common_prefixes {
            xml.element("CommonPrefixes", |xml| xml.text("Prefix", &page.key(prefix)));
        }
    });
    xml.finish()
}

/// `ListMultipartUploadsResult`.
pub(crate) fn list_uploads_result(cloud: Cloud, bucket: &str, query: &UploadQuery, listing: &UploadListing, url_encoded: bool) -> String {
    let key = |text: &str| encoded(text, url_encoded);
    let mut xml = Document::new();
    xml.element(&root(cloud, "ListMultipartUploadsResult"), |xml| {
        if url_encoded {
            xml.text("EncodingType", "url");
        }
        xml.text("Bucket", bucket);
        xml.text("KeyMarker", &key(&query.key_marker));
        xml.text("UploadIdMarker", &query.id_marker);
        if let Some((next, id)) = &listing.next {
            xml.text("NextKeyMarker", &key(next));
            xml.text("NextUploadIdMarker", id);
        } else if cloud == Cloud::Oss {
            // The OSS SDK for Python V1 wants them in every answer.
            xml.text("NextKeyMarker", "");
            xml.text("NextUploadIdMarker", "");
        }
        xml.text("Prefix", &key(&query.prefix));
        if !query.delimiter.is_empty() {
            xml.text("Delimiter", &key(&query.delimiter));
        }
        xml.value("MaxUploads", query.max_uploads.min(MAX_KEYS));
        xml.value("IsTruncated", listing.next.is_some());
        for upload in &listing.uploads {
            xml.element("Upload", |xml| {
                xml.text("Key", &key(&upload.key));
                xml.text("UploadId", &upload.id);
                if cloud == Cloud::S3 {
                    owner(cloud, xml, "Initiator");
                    owner(cloud, xml, "Owner");
                }
                xml.text("StorageClass", storage_class(cloud, upload.attributes.storage_class.as_deref()));
                xml.text("Initiated", &iso8601(upload.initiated));
                if let Some((algorithm, kind)) = upload.checksum.filter(|_| cloud == Cloud::S3) {
                    xml.text("ChecksumAlgorithm", algorithm.name());
                    xml.text("ChecksumType", kind.name());
                }
            });
        }
        for prefix in &listing.common_prefixes {
            xml.element("CommonPrefixes", |xml| xml.text("Prefix", &key(prefix)));
        }
    });
    xml.finish()
}

fn encoded(text: &str, url_encoded: bool) -> String {
    if url_encoded { url_encode(text) } else { text.into() }
}
