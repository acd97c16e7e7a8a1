//! What a verified request asks for: decided by method, by bucket or key, and by the sub-resource in the query.

use valetkey_core::verify::Verified;

use crate::StoreError;

/// What the store does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    GetObject,
    HeadObject,
    PutObject,
    CopyObject,
    DeleteObject,
    CreateUpload,
    UploadPart,
    UploadPartCopy,
    CompleteUpload,
    AbortUpload,
    ListParts,
    ListObjects,
    HeadBucket,
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
    "bucketInfo",
    "callback",
    "cname",
    "cors",
    "delete",
    "encryption",
    "img",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "live",
    "location",
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
    "tagging",
    "torrent",
    "transferAcceleration",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "x-oss-process",
];

/// Parameters that make another operation of a request and that the store has.
const IMPLEMENTED: &[&str] = &["list-type", "partNumber", "uploadId", "uploads", "versionId"];

/// What S3 says to a POST at a bucket that is neither a form nor an operation.
pub(super) const NOT_A_FORM: &str = "Bucket POST must be of the enclosure-type multipart/form-data";

/// Whether a parameter makes another operation of a request.
pub(super) fn is_subresource(name: &str) -> bool {
    IMPLEMENTED.contains(&name) || NOT_IMPLEMENTED.contains(&name)
}

impl Operation {
    /// Classifies a request. `has_copy_source` says whether it names an object to copy.
    pub(super) fn of(verified: &Verified, has_copy_source: bool) -> Result<Self, StoreError> {
        let has = |name: &str| verified.query().iter().any(|(other, _)| other == name);
        for (n, (name, _)) in verified.query().iter().enumerate() {
            if verified.query().iter().skip(n.saturating_add(1)).any(|(other, _)| other == name) {
                return Err(StoreError::InvalidRequest { reason: "a query parameter stands more than once" });
            }
        }
        if let Some(what) = NOT_IMPLEMENTED.iter().find(|name| has(name)) {
            return Err(StoreError::NotImplemented { what });
        }
        if let Some(version_id) = verified.parameter("versionId").filter(|version| *version != "null") {
            return Err(StoreError::NoSuchVersion { version_id: version_id.chars().take(100).collect() });
        }
        let method_not_allowed = || StoreError::MethodNotAllowed { method: verified.method().into() };
        if verified.key().is_none() {
            return match verified.method() {
                "GET" if verified.parameter("list-type") == Some("2") && !has("uploads") => Ok(Self::ListObjects),
                "GET" => Err(StoreError::NotImplemented { what: "this listing (list-type=2 is)" }),
                "HEAD" => Ok(Self::HeadBucket),
                "PUT" => Err(StoreError::NotImplemented { what: "making buckets by a request" }),
                "DELETE" => Err(StoreError::NotImplemented { what: "deleting buckets" }),
                "POST" => Err(StoreError::PreconditionFailed { condition: NOT_A_FORM }),
                _ => Err(method_not_allowed()),
            };
        }
        match (verified.method(), has("uploadId"), has("partNumber")) {
            (method, ..) if has("uploads") && method != "POST" => Err(method_not_allowed()),
            ("GET" | "HEAD", false, true) => Err(StoreError::NotImplemented { what: "reading one part of an object" }),
            ("GET", true, false) => Ok(Self::ListParts),
            ("GET", false, false) => Ok(Self::GetObject),
            ("HEAD", false, false) => Ok(Self::HeadObject),
            ("PUT", true, true) if has_copy_source => Ok(Self::UploadPartCopy),
            ("PUT", true, true) => Ok(Self::UploadPart),
            ("PUT", false, false) if has_copy_source => Ok(Self::CopyObject),
            ("PUT", false, false) => Ok(Self::PutObject),
            ("POST", false, false) if has("uploads") => Ok(Self::CreateUpload),
            ("POST", true, false) => Ok(Self::CompleteUpload),
            ("POST", false, false) => Err(method_not_allowed()),
            ("DELETE", true, false) => Ok(Self::AbortUpload),
            ("DELETE", false, false) => Ok(Self::DeleteObject),
            ("GET" | "HEAD" | "PUT" | "POST" | "DELETE", ..) => {
                Err(StoreError::InvalidRequest { reason: "uploadId and partNumber do not go with this method" })
            }
            _ => Err(method_not_allowed()),
        }
    }
}
