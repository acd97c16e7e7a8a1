//! What the store keeps about an object besides its bytes.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Cloud, StoreError, digest::Algorithm};

/// The canned ACLs of S3's objects. Source: Amazon S3 User Guide, "Access control list (ACL) overview".
const S3_ACLS: [&str; 7] =
    ["private", "public-read", "public-read-write", "aws-exec-read", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control"];
/// The ACLs of OSS's objects. Source: OSS documentation, "Object ACLs".
const OSS_ACLS: [&str; 4] = ["default", "private", "public-read", "public-read-write"];

/// What the writer of an object says about it. Values are kept as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attributes {
    /// `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    /// `Content-Encoding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    /// `Expires`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    /// User metadata by its lower-case name, without the cloud's prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) user: BTreeMap<String, String>,
    /// The storage class, in the word of the cloud that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<String>,
    /// The access control word. Kept, and acted on only by a store that allows public reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) acl: Option<String>,
    /// The tag set, URL-encoded as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tagging: Option<String>,
    /// Where a website would send its visitors. Kept and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) website_redirect: Option<String>,
    /// Server-side encryption by the header name without the cloud's prefix, for example `server-side-encryption`. Kept and told,
    /// nothing is encrypted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) encryption: BTreeMap<String, String>,
}

impl Attributes {
    /// Whether everybody may read the object, in the words of both clouds.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.acl.as_deref(), Some("public-read" | "public-read-write"))
    }

    /// Refuses more user metadata than `cloud` allows, and words that are not its own.
    pub(crate) fn check(&self, cloud: Cloud) -> Result<(), StoreError> {
        let invalid = |name, value: &str, reason| Err(StoreError::InvalidArgument { name, value: value.chars().take(100).collect(), reason });
        match (cloud, self.acl.as_deref()) {
            (Cloud::Oss, Some(word)) if !OSS_ACLS.contains(&word) => return invalid("x-oss-object-acl", word, "is no access control word"),
            (Cloud::S3, Some(word)) if !S3_ACLS.contains(&word) => return invalid("x-amz-acl", word, "is no access control word"),
            _ => {}
        }
        if let Some(location) = &self.website_redirect
            && !["/", "http://", "https://"].iter().any(|start| location.starts_with(start))
        {
            return invalid("x-amz-website-redirect-location", location, "must begin with `/`, `http://` or `https://`");
        }
        let size = self.user.iter().map(|(name, value)| name.len().saturating_add(value.len())).fold(0, usize::saturating_add);
        let max = cloud.max_metadata();
        if size > max { Err(StoreError::MetadataTooLarge { size, max }) } else { Ok(()) }
    }
}

/// Everything that the store knows about an object besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectInfo {
    /// The object's key.
    pub(crate) key: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its ETag without quotes: the MD5 in lower-case hex, or the MD5 of the parts' MD5s and `-N`.
    pub(crate) etag: String,
    /// When it was written, in seconds since 1970.
    pub(crate) last_modified: u64,
    /// The CRC-64/XZ of its bytes, which OSS tells as `x-oss-hash-crc64ecma`.
    pub(crate) crc64_ecma: u64,
    /// The checksums that were promised, in base64; of a composite one with `-N`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) checksums: BTreeMap<Algorithm, String>,
    /// How many parts it was uploaded in; `None` if in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<u16>,
    /// The upload that it was completed from. Who completes that a second time is told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<Arc<CompletedUpload>>,
    /// What its writer said about it.
    pub(crate) attributes: Attributes,
}

/// An upload that became an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompletedUpload {
    /// The upload's id.
    pub(crate) id: String,
    /// The parts of the object, by number.
    pub(crate) parts: Vec<Arc<PartInfo>>,
}

/// How the checksum of a multipart object comes from its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChecksumKind {
    /// The checksum of the parts' checksums, and `-N`.
    Composite,
    /// The checksum of the whole object, which only a CRC can combine from parts.
    FullObject,
}

impl ChecksumKind {
    /// S3's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }
}

/// A multipart upload that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadInfo {
    /// The upload's id.
    pub(crate) id: String,
    /// The bucket that it writes to.
    pub(crate) bucket: String,
    /// The key that it writes.
    pub(crate) key: String,
    /// When it began, in seconds since 1970.
    pub(crate) initiated: u64,
    /// The checksum that the object shall have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<(Algorithm, ChecksumKind)>,
    /// What the object's writer says about it.
    pub(crate) attributes: Attributes,
}

/// One part of a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartInfo {
    /// Its number, 1 to 10,000.
    pub(crate) number: u16,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its MD5.
    pub(crate) md5: [u8; 16],
    /// When it was written, in seconds since 1970.
    pub(crate) last_modified: u64,
    /// The CRC-64/XZ of its bytes.
    pub(crate) crc64_ecma: u64,
    /// The checksums that were promised, in base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) checksums: BTreeMap<Algorithm, String>,
}

impl PartInfo {
    /// The part's ETag without quotes.
    pub(crate) fn etag(&self) -> String {
        crate::digest::hex(&self.md5)
    }
}

/// Whether two ETags are the same: quotes do not count, nor does case, because S3 writes them small and OSS in capitals.
pub(crate) fn same_etag(a: &str, b: &str) -> bool {
    let bare = |etag: &'_ str| etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(etag).to_ascii_lowercase();
    bare(a) == bare(b)
}

/// When a write may happen. It is judged in the moment in which the object would become visible, so of two racing create-only writes
/// exactly one wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    /// Always.
    #[default]
    None,
    /// Only if there is no object of that key.
    CreateOnly,
    /// Only if the object that is there has this ETag.
    IfMatch(String),
}

impl WriteCondition {
    /// Judges the condition against what is there now.
    pub(crate) fn judge(&self, key: &str, current: Option<&ObjectInfo>) -> Result<(), StoreError> {
        match (self, current) {
            (Self::None, _) | (Self::CreateOnly, None) => Ok(()),
            (Self::CreateOnly, Some(_)) => Err(StoreError::ObjectExists { key: key.into() }),
            (Self::IfMatch(_), None) => Err(StoreError::NoSuchKey { key: key.into() }),
            (Self::IfMatch(etag), Some(info)) if etag == "*" || same_etag(etag, &info.etag) => Ok(()),
            (Self::IfMatch(_), Some(_)) => Err(StoreError::PreconditionFailed { condition: "If-Match" }),
        }
    }
}
