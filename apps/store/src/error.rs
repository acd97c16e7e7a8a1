//! What the store refuses, and how each cloud says it.

use std::{error::Error, io, sync::Arc};

use valetkey_core::verify::Refusal;

use crate::Cloud;

/// Why the store did not do what it was asked. Each cloud has its own code and status for it: [`StoreError::answer`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The bucket does not exist.
    #[error("there is no bucket {bucket}")]
    NoSuchBucket {
        /// The bucket that was asked for.
        bucket: String,
    },
    /// A bucket of that name is there already.
    #[error("the bucket {bucket} exists already")]
    BucketAlreadyExists {
        /// The bucket that was to be made.
        bucket: String,
    },
    /// The name breaks the rules that the clouds have for new buckets.
    #[error("the bucket name {bucket:?} is not valid: {reason}")]
    InvalidBucketName {
        /// The refused name.
        bucket: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// The object does not exist.
    #[error("there is no object of that key")]
    NoSuchKey {
        /// The key that was asked for.
        key: String,
    },
    /// The multipart upload does not exist, or belongs to another object, or is finished.
    #[error("there is no multipart upload of that id for this object")]
    NoSuchUpload {
        /// The upload id that was asked for.
        upload_id: String,
    },
    /// A create-only write found an object.
    #[error("the object exists already")]
    ObjectExists {
        /// The key of the object that is there.
        key: String,
    },
    /// A condition of the request does not hold.
    #[error("the condition {condition} does not hold")]
    PreconditionFailed {
        /// The header that did not hold, for example `If-Match`.
        condition: &'static str,
    },
    /// The range lies outside the object.
    #[error("the range does not lie in the object's {size} bytes")]
    InvalidRange {
        /// The range as it was asked for.
        range: String,
        /// The object's size.
        size: u64,
    },
    /// The body has another digest than was promised.
    #[error("the body does not have the promised {digest}")]
    BadDigest {
        /// The digest that differs, for example `Content-MD5` or `CRC32C`.
        digest: &'static str,
        /// What was promised, as it was written.
        promised: String,
        /// What the body has, in the same writing.
        computed: String,
    },
    /// The body has another SHA-256 than the one that the signature covers.
    #[error("the body does not have the signed SHA-256")]
    PayloadDigestMismatch,
    /// A `Content-MD5` that is not the base64 of 16 bytes.
    #[error("the Content-MD5 is not the base64 of 16 bytes")]
    InvalidDigest {
        /// The value as it was written.
        value: String,
    },
    /// A checksum that is not the base64 of as many bytes as its algorithm has.
    #[error("the {algorithm} checksum is not the base64 of its bytes")]
    InvalidChecksum {
        /// The algorithm's name, for example `CRC32C`.
        algorithm: &'static str,
    },
    /// The body is above a limit.
    #[error("the body is larger than the {limit} bytes allowed")]
    EntityTooLarge {
        /// How many bytes were allowed.
        limit: u64,
    },
    /// A part that is not the last one is too small.
    #[error("part {number} has {size} bytes, at least {min} are needed")]
    EntityTooSmall {
        /// The part's number.
        number: u16,
        /// Its size.
        size: u64,
        /// The least size.
        min: u64,
    },
    /// A part of the list was not uploaded, or has another ETag.
    #[error("part {number} was not uploaded or has another ETag")]
    InvalidPart {
        /// The part's number.
        number: u16,
        /// The upload it was to belong to.
        upload_id: String,
    },
    /// The parts of the list do not ascend.
    #[error("the parts of the list do not ascend")]
    InvalidPartOrder {
        /// The upload that was to be completed.
        upload_id: String,
    },
    /// The body ended early, or had more bytes than were promised.
    #[error("the body has {received} bytes where {promised} were promised")]
    IncompleteBody {
        /// How many bytes were promised.
        promised: u64,
        /// How many came.
        received: u64,
    },
    /// The request needs a `Content-Length`.
    #[error("the request needs a Content-Length")]
    MissingContentLength,
    /// The XML of the body is not what the operation takes.
    #[error("the XML is not what this operation takes: {reason}")]
    MalformedXml {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The object has no such version: the store keeps none.
    #[error("the object has no version of that id; this store keeps no versions")]
    NoSuchVersion {
        /// The version that was asked for.
        version_id: String,
    },
    /// Things in the request do not go together.
    #[error("{reason}")]
    InvalidRequest {
        /// What does not go together.
        reason: &'static str,
    },
    /// A parameter has a value that the operation does not take.
    #[error("{name}: {reason}")]
    InvalidArgument {
        /// The parameter's name.
        name: &'static str,
        /// Its value as it was written.
        value: String,
        /// What is allowed.
        reason: &'static str,
    },
    /// The key is longer than the cloud allows.
    #[error("the key has {size} bytes, at most {max} are allowed")]
    KeyTooLong {
        /// The key's size.
        size: usize,
        /// The largest size.
        max: usize,
    },
    /// The key is empty.
    #[error("the key is empty")]
    EmptyKey,
    /// There is more user metadata than the cloud allows.
    #[error("the user metadata has {size} bytes, at most {max} are allowed")]
    MetadataTooLarge {
        /// Its size.
        size: usize,
        /// The largest size.
        max: usize,
    },
    /// The method is not one of this resource's.
    #[error("the method {method} is not allowed here")]
    MethodNotAllowed {
        /// The method.
        method: String,
    },
    /// The store does not do this.
    #[error("the store does not implement {what}")]
    NotImplemented {
        /// What was asked for.
        what: &'static str,
    },
    /// The disk, the folder or the program failed. The cause is for the log, the client sees none of it.
    #[error("the store failed while it {doing}")]
    Internal {
        /// What the store was doing.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// An [`StoreError::Internal`] from a failure of the file system.
    pub(crate) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Internal { doing, source: Arc::new(source) }
    }

    /// An [`StoreError::Internal`] from any other failure.
    pub(crate) fn internal(doing: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal { doing, source: Arc::new(source) }
    }

    /// Status, code, message and details as `cloud` would answer.
    ///
    /// ```
    /// use valetkey_store::{Cloud, StoreError};
    /// let error = StoreError::ObjectExists { key: "a".into() };
    /// assert_eq!((error.answer(Cloud::S3).status, error.answer(Cloud::S3).code), (412, "PreconditionFailed"));
    /// assert_eq!((error.answer(Cloud::Oss).status, error.answer(Cloud::Oss).code), (409, "FileAlreadyExists"));
    /// ```
    pub fn answer(&self, cloud: Cloud) -> Refusal {
        let (status, code) = self.status_and_code(cloud);
        Refusal { details: self.details(cloud), ..Refusal::new(status, code, self.message()) }
    }

    fn status_and_code(&self, cloud: Cloud) -> (u16, &'static str) {
        let by_cloud = |s3, oss| match cloud {
            Cloud::S3 => s3,
            Cloud::Oss => oss,
        };
        match self {
            Self::NoSuchBucket { .. } => (404, "NoSuchBucket"),
            Self::BucketAlreadyExists { .. } => (409, by_cloud("BucketAlreadyOwnedByYou", "BucketAlreadyExists")),
            Self::InvalidBucketName { .. } => (400, "InvalidBucketName"),
            Self::NoSuchKey { .. } => (404, "NoSuchKey"),
            Self::NoSuchUpload { .. } => (404, "NoSuchUpload"),
            Self::ObjectExists { .. } if cloud == Cloud::Oss => (409, "FileAlreadyExists"),
            Self::ObjectExists { .. } => (412, "PreconditionFailed"),
            Self::PreconditionFailed { .. } => (412, "PreconditionFailed"),
            Self::InvalidRange { .. } => (416, "InvalidRange"),
            Self::BadDigest { digest, .. } => (400, if *digest == "Content-MD5" { by_cloud("BadDigest", "InvalidDigest") } else { "BadDigest" }),
            Self::PayloadDigestMismatch => (400, by_cloud("XAmzContentSHA256Mismatch", "InvalidDigest")),
            Self::InvalidDigest { .. } => (400, "InvalidDigest"),
            Self::InvalidChecksum { .. } => (400, by_cloud("InvalidRequest", "InvalidArgument")),
            Self::EntityTooLarge { .. } => (400, "EntityTooLarge"),
            Self::EntityTooSmall { .. } => (400, "EntityTooSmall"),
            Self::InvalidPart { .. } => (400, "InvalidPart"),
            Self::InvalidPartOrder { .. } => (400, "InvalidPartOrder"),
            Self::IncompleteBody { .. } => (400, "IncompleteBody"),
            Self::MissingContentLength => (411, "MissingContentLength"),
            Self::MalformedXml { .. } => (400, "MalformedXML"),
            Self::NoSuchVersion { .. } => (404, "NoSuchVersion"),
            Self::InvalidRequest { .. } => (400, by_cloud("InvalidRequest", "InvalidArgument")),
            Self::InvalidArgument { .. } => (400, "InvalidArgument"),
            Self::KeyTooLong { .. } => (400, by_cloud("KeyTooLongError", "InvalidObjectName")),
            Self::EmptyKey => (400, by_cloud("InvalidURI", "InvalidObjectName")),
            Self::MetadataTooLarge { .. } => (400, by_cloud("MetadataTooLarge", "InvalidArgument")),
            Self::MethodNotAllowed { .. } => (405, "MethodNotAllowed"),
            Self::NotImplemented { .. } => (501, "NotImplemented"),
            Self::Internal { .. } => (500, "InternalError"),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::NoSuchBucket { .. } => "The specified bucket does not exist.".into(),
            Self::NoSuchKey { .. } => "The specified key does not exist.".into(),
            Self::NoSuchUpload { .. } => {
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.".into()
            }
            Self::PreconditionFailed { .. } => "At least one of the pre-conditions you specified did not hold.".into(),
            Self::ObjectExists { .. } => "The object you specified already exists and the request does not allow overwriting it.".into(),
            Self::InvalidRange { .. } => "The requested range is not satisfiable.".into(),
            Self::Internal { .. } => "We encountered an internal error. Please try again.".into(),
            other => {
                let mut text = other.to_string();
                if let Some(first) = text.get(..1).map(str::to_uppercase) {
                    text.replace_range(..1, &first);
                }
                text.push('.');
                text
            }
        }
    }

    fn details(&self, cloud: Cloud) -> Vec<(&'static str, String)> {
        match self {
            Self::NoSuchBucket { bucket } | Self::BucketAlreadyExists { bucket } | Self::InvalidBucketName { bucket, .. } => {
                vec![("BucketName", bucket.clone())]
            }
            Self::NoSuchKey { key } => vec![("Key", key.clone())],
            Self::NoSuchUpload { upload_id } | Self::InvalidPartOrder { upload_id } => vec![("UploadId", upload_id.clone())],
            Self::ObjectExists { .. } if cloud == Cloud::S3 => vec![("Condition", "If-None-Match".into())],
            Self::PreconditionFailed { condition } => vec![("Condition", (*condition).into())],
            Self::NoSuchVersion { version_id } => vec![("VersionId", version_id.clone())],
            Self::InvalidRange { range, size } => vec![("RangeRequested", range.clone()), ("ActualObjectSize", size.to_string())],
            Self::BadDigest { digest, promised, computed } if *digest == "Content-MD5" => {
                vec![("ExpectedDigest", promised.clone()), ("CalculatedDigest", computed.clone())]
            }
            Self::InvalidDigest { value } => vec![("Content-MD5", value.clone())],
            Self::EntityTooLarge { limit } => vec![("MaxSizeAllowed", limit.to_string())],
            Self::EntityTooSmall { number, size, min } => {
                vec![("ProposedSize", size.to_string()), ("MinSizeAllowed", min.to_string()), ("PartNumber", number.to_string())]
            }
            Self::InvalidPart { number, upload_id } => vec![("UploadId", upload_id.clone()), ("PartNumber", number.to_string())],
            Self::InvalidArgument { name, value, .. } => vec![("ArgumentName", (*name).into()), ("ArgumentValue", value.clone())],
            Self::KeyTooLong { size, max } => vec![("Size", size.to_string()), ("MaxSizeAllowed", max.to_string())],
            Self::MetadataTooLarge { size, max } => vec![("Size", size.to_string()), ("MaxSizeAllowed", max.to_string())],
            Self::MethodNotAllowed { method } => vec![("Method", method.clone())],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_own_code() {
        let bad = |digest| StoreError::BadDigest { digest, promised: "a".into(), computed: "b".into() };
        type Said = (u16, &'static str);
        let table: [(StoreError, Said, Said); 8] = [
            (StoreError::NoSuchKey { key: "k".into() }, (404, "NoSuchKey"), (404, "NoSuchKey")),
            (StoreError::ObjectExists { key: "k".into() }, (412, "PreconditionFailed"), (409, "FileAlreadyExists")),
            (bad("Content-MD5"), (400, "BadDigest"), (400, "InvalidDigest")),
            (bad("CRC32"), (400, "BadDigest"), (400, "BadDigest")),
            (StoreError::InvalidChecksum { algorithm: "CRC32" }, (400, "InvalidRequest"), (400, "InvalidArgument")),
            (StoreError::KeyTooLong { size: 2000, max: 1024 }, (400, "KeyTooLongError"), (400, "InvalidObjectName")),
            (StoreError::MissingContentLength, (411, "MissingContentLength"), (411, "MissingContentLength")),
            (StoreError::NotImplemented { what: "chunked bodies" }, (501, "NotImplemented"), (501, "NotImplemented")),
        ];
        for (error, s3, oss) in table {
            let (a, b) = (error.answer(Cloud::S3), error.answer(Cloud::Oss));
            assert_eq!((a.status, a.code), s3, "{error}");
            assert_eq!((b.status, b.code), oss, "{error}");
        }
    }

    #[test]
    fn a_failure_of_the_disk_shows_no_path() {
        let error = StoreError::io("wrote an object")(io::Error::other("/secret/path: disk full"));
        let answer = error.answer(Cloud::S3);
        assert_eq!(answer.code, "InternalError");
        assert!(!format!("{answer:?}").contains("secret"));
    }
}
