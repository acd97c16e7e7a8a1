//! How each cloud says it.

use valetkey_core::verify::Refusal;

use super::StoreError;
use crate::Cloud;

impl StoreError {
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
            Self::BucketNotEmpty { .. } => (409, "BucketNotEmpty"),
            Self::WrongRegion { .. } => (400, by_cloud("IllegalLocationConstraintException", "InvalidLocationConstraint")),
            Self::InvalidLocation { .. } => (400, "InvalidLocationConstraint"),
            Self::NoCorsRules { .. } => (404, "NoSuchCORSConfiguration"),
            Self::CorsForbidden { .. } => (403, "AccessForbidden"),
            Self::BadPreflight { .. } => (400, by_cloud("BadRequest", "InvalidArgument")),
            Self::InvalidBucketName { .. } => (400, "InvalidBucketName"),
            Self::NoSuchKey { .. } => (404, "NoSuchKey"),
            Self::NoSuchUpload { .. } => (404, "NoSuchUpload"),
            Self::ObjectExists { .. } if cloud == Cloud::Oss => (409, "FileAlreadyExists"),
            Self::ObjectExists { .. } => (412, "PreconditionFailed"),
            Self::PreconditionFailed { .. } => (412, "PreconditionFailed"),
            Self::NotModified => (304, "NotModified"),
            Self::InvalidPartNumber { .. } => (416, "InvalidPartNumber"),
            Self::CopySourceTooLarge { .. } => (400, by_cloud("InvalidRequest", "EntityTooLarge")),
            Self::MalformedChunks { .. } => (400, "InvalidRequest"),
            Self::ChunkTooSmall { .. } => (403, "InvalidChunkSizeError"),
            Self::ChunkSignatureMismatch => (403, "SignatureDoesNotMatch"),
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
            Self::CorsForbidden { .. } | Self::ChunkTooSmall { .. } => self.to_string(),
            Self::BucketNotEmpty { .. } => "The bucket you tried to delete is not empty.".into(),
            Self::NoCorsRules { .. } => "The CORS configuration does not exist.".into(),
            Self::ChunkSignatureMismatch => {
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.".into()
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
            Self::NoSuchBucket { bucket }
            | Self::BucketAlreadyExists { bucket }
            | Self::BucketNotEmpty { bucket }
            | Self::NoCorsRules { bucket }
            | Self::InvalidBucketName { bucket, .. } => vec![("BucketName", bucket.clone())],
            Self::InvalidLocation { location } => vec![("LocationConstraint", location.clone())],
            Self::WrongRegion { location, .. } if !location.is_empty() => vec![("LocationConstraint", location.clone())],
            Self::CorsForbidden { method, resource, .. } => vec![("Method", method.clone()), ("ResourceType", (*resource).into())],
            Self::ChunkTooSmall { chunk, size } => vec![("Chunk", chunk.to_string()), ("BadChunkSize", size.to_string())],
            Self::InvalidPartNumber { number } => vec![("PartNumberRequested", number.to_string())],
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
    use std::io;

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
