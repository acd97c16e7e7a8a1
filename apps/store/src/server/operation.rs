//! What a verified request asks for: decided by method, by bucket or key, and by the sub-resource in the query.

use valetkey_core::verify::Verified;

use crate::{Cloud, StoreError};

/// What the store does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListBuckets,
    CreateBucket,
    DeleteBucket,
    HeadBucket,
    BucketLocation,
    BucketInfo,
    BucketVersioning,
    PutCors,
    Cors,
    DeleteCors,
    ListObjects,
    ListObjectsV2,
    ListUploads,
    DeleteObjects,
    GetObject,
    HeadObject,
    PutObject,
    CopyObject,
    DeleteObject,
    Tagging,
    CreateUpload,
    UploadPart,
    UploadPartCopy,
    CompleteUpload,
    AbortUpload,
    ListParts,
}

impl Operation {
    /// Whether the body of the request says something. Of every other operation it must be what was signed, which is nothing.
    pub(super) fn reads_body(self) -> bool {
        matches!(self, Self::CreateBucket | Self::PutCors | Self::DeleteObjects | Self::PutObject | Self::UploadPart | Self::CompleteUpload)
    }
}

/// Parameters that make another operation of a request and that the store does not have. To ignore one would be to do something else than
/// what was signed.
const NOT_IMPLEMENTED: &[&str] = &[
    "accelerate",
    "accessPoint",
    "acl",
    "analytics",
    "append",
    "asyncFetch",
    "attributes",
    "callback",
    "callback-var",
    "cname",
    "comp",
    "encryption",
    "img",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "live",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "processConfiguration",
    "publicAccessBlock",
    "qos",
    "referer",
    "renameObject",
    "regions",
    "replication",
    "requestPayment",
    "resourceGroup",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "stat",
    "style",
    "symlink",
    "torrent",
    "transferAcceleration",
    "versions",
    "vod",
    "website",
    "worm",
    "x-oss-async-process",
    "x-oss-process",
];

/// Parameters that may stand without a value and say something of the operation that the request is without them. Every other name that stands
/// alone names a sub-resource, which the clouds get new ones of.
const PLAIN: &[&str] = &[
    "bucket-region",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "sequential",
    "start-after",
    "upload-id-marker",
    "x-id",
];

/// Parameters that make another operation of a request and that the store has.
const IMPLEMENTED: &[&str] = &["list-type", "partNumber", "versionId"];

/// The same, of which a request may have one.
const SUBRESOURCES: &[&str] = &["bucketInfo", "cors", "delete", "location", "objectMeta", "tagging", "uploadId", "uploads", "versioning"];

/// What S3 says to a POST at a bucket that is neither a form nor an operation.
pub(super) const NOT_A_FORM: &str = "Bucket POST must be of the enclosure-type multipart/form-data";

/// Whether a parameter makes another operation of a request.
pub(super) fn is_subresource(name: &str, value: &str) -> bool {
    is_known(name) || is_unknown(name, value)
}

fn is_known(name: &str) -> bool {
    IMPLEMENTED.contains(&name) || SUBRESOURCES.contains(&name) || NOT_IMPLEMENTED.contains(&name)
}

/// Whether a parameter is one that the store has not heard of and that looks like a sub-resource.
fn is_unknown(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_said_of_another = PLAIN.contains(&name) || ["response-", "x-amz-", "x-oss-"].iter().any(|start| lower.starts_with(start));
    value.is_empty() && !is_known(name) && !is_said_of_another
}

impl Operation {
    /// Classifies a request. `has_copy_source` says whether it names an object to copy.
    pub(super) fn of(cloud: Cloud, verified: &Verified, has_copy_source: bool) -> Result<Self, StoreError> {
        let has = |name: &str| verified.query().iter().any(|(other, _)| other == name);
        for (n, (name, _)) in verified.query().iter().enumerate() {
            if verified.query().iter().skip(n.saturating_add(1)).any(|(other, _)| other == name) {
                return Err(StoreError::InvalidRequest { reason: "a query parameter stands more than once" });
            }
        }
        if let Some(what) = NOT_IMPLEMENTED.iter().find(|name| has(name)) {
            return Err(StoreError::NotImplemented { what });
        }
        if verified.query().iter().any(|(name, value)| is_unknown(name, value)) {
            return Err(StoreError::NotImplemented { what: "this sub-resource" });
        }
        if let Some(version_id) = verified.parameter("versionId").filter(|version| *version != "null") {
            return Err(StoreError::NoSuchVersion { version_id: version_id.chars().take(100).collect() });
        }
        let mut subresources = SUBRESOURCES.iter().copied().filter(|name| has(name));
        let subresource = match (subresources.next(), subresources.next()) {
            (_, Some(_)) => return Err(StoreError::InvalidRequest { reason: "the request names more than one sub-resource" }),
            (Some(name @ ("bucketInfo" | "objectMeta")), None) if cloud == Cloud::S3 => return Err(StoreError::NotImplemented { what: name }),
            (subresource, None) => subresource,
        };
        let method = verified.method();
        let done = match (verified.bucket(), verified.key()) {
            (None, _) => Self::of_service(method, subresource),
            (Some(_), None) => Self::of_bucket(method, subresource, verified.parameter("list-type"))?,
            (Some(_), Some(_)) => Self::of_object(method, subresource, has("partNumber"), has_copy_source)?,
        };
        // The rest of a sub-resource's methods is what the store does not have, and methods without one are nothing that a cloud has.
        done.ok_or_else(|| match subresource {
            Some(what @ ("tagging" | "versioning")) if matches!(method, "PUT" | "DELETE") => StoreError::NotImplemented { what },
            _ => StoreError::MethodNotAllowed { method: method.into() },
        })
    }

    fn of_service(method: &str, subresource: Option<&str>) -> Option<Self> {
        (method == "GET" && subresource.is_none()).then_some(Self::ListBuckets)
    }

    fn of_bucket(method: &str, subresource: Option<&str>, list_type: Option<&str>) -> Result<Option<Self>, StoreError> {
        Ok(Some(match (method, subresource) {
            ("GET", None) => match list_type {
                Some("2") => Self::ListObjectsV2,
                None => Self::ListObjects,
                Some(other) => {
                    return Err(StoreError::InvalidArgument { name: "list-type", value: other.chars().take(100).collect(), reason: "must be 2, or left out" });
                }
            },
            ("HEAD", None) => Self::HeadBucket,
            ("PUT", None) => Self::CreateBucket,
            ("DELETE", None) => Self::DeleteBucket,
            ("POST", None) => return Err(StoreError::PreconditionFailed { condition: NOT_A_FORM }),
            ("GET", Some("location")) => Self::BucketLocation,
            ("GET", Some("bucketInfo")) => Self::BucketInfo,
            ("GET", Some("versioning")) => Self::BucketVersioning,
            ("GET", Some("cors")) => Self::Cors,
            ("PUT", Some("cors")) => Self::PutCors,
            ("DELETE", Some("cors")) => Self::DeleteCors,
            ("GET", Some("uploads")) => Self::ListUploads,
            ("POST", Some("delete")) => Self::DeleteObjects,
            (_, Some("tagging")) => return Err(StoreError::NotImplemented { what: "tags of buckets" }),
            _ => return Ok(None),
        }))
    }

    fn of_object(method: &str, subresource: Option<&str>, has_part: bool, has_copy_source: bool) -> Result<Option<Self>, StoreError> {
        Ok(Some(match (method, subresource, has_part) {
            ("GET", None, _) => Self::GetObject,
            ("HEAD", None, _) | ("HEAD", Some("objectMeta"), false) => Self::HeadObject,
            ("GET", Some("tagging"), false) => Self::Tagging,
            ("GET", Some("uploadId"), false) => Self::ListParts,
            ("PUT", Some("uploadId"), true) if has_copy_source => Self::UploadPartCopy,
            ("PUT", Some("uploadId"), true) => Self::UploadPart,
            ("PUT", None, false) if has_copy_source => Self::CopyObject,
            ("PUT", None, false) => Self::PutObject,
            ("POST", Some("uploads"), false) => Self::CreateUpload,
            ("POST", Some("uploadId"), false) => Self::CompleteUpload,
            ("DELETE", Some("uploadId"), false) => Self::AbortUpload,
            ("DELETE", None, false) => Self::DeleteObject,
            ("GET" | "HEAD" | "PUT" | "POST" | "DELETE", None | Some("uploadId"), _) if has_part || (subresource.is_some() && method == "PUT") => {
                return Err(StoreError::InvalidRequest { reason: "uploadId and partNumber do not go with this method" });
            }
            _ => return Ok(None),
        }))
    }
}
