//! What the store refuses, and how each cloud says it.

use std::{error::Error, io, sync::Arc};

mod answer;

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
    /// The bucket has objects, or, on OSS, uploads that nobody completed.
    #[error("the bucket {bucket} is not empty")]
    BucketNotEmpty {
        /// The bucket that was to be deleted.
        bucket: String,
    },
    /// The bucket was to be made in another region than this store is in.
    #[error("{reason}")]
    WrongRegion {
        /// The region that was named.
        location: String,
        /// Why it cannot be had.
        reason: &'static str,
    },
    /// S3 does not take this word for a region.
    #[error("the specified location-constraint is not valid")]
    InvalidLocation {
        /// The region that was named.
        location: String,
    },
    /// The bucket has no cross-origin rules.
    #[error("the bucket {bucket} has no CORS configuration")]
    NoCorsRules {
        /// The bucket.
        bucket: String,
    },
    /// No cross-origin rule allows what a browser asks for.
    #[error("CORSResponse: {reason}")]
    CorsForbidden {
        /// Why.
        reason: &'static str,
        /// The method that was asked for.
        method: String,
        /// Whether it is about a bucket or an object.
        resource: &'static str,
    },
    /// A preflight lacks what it must say.
    #[error("{reason}")]
    BadPreflight {
        /// What it lacks.
        reason: &'static str,
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
    /// What was asked for is not newer than what the client has.
    #[error("the object is not modified")]
    NotModified,
    /// The object has no such part.
    #[error("the object has no part {number}")]
    InvalidPartNumber {
        /// The part that was asked for.
        number: u16,
    },
    /// The source of a copy has more bytes than one request copies.
    #[error("the copy source is larger than the {limit} bytes allowed")]
    CopySourceTooLarge {
        /// How many bytes are allowed.
        limit: u64,
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
    /// A chunk of an `aws-chunked` body that is not the last one has less than 8192 bytes.
    #[error("Only the last chunk is allowed to have a size less than 8192 bytes")]
    ChunkTooSmall {
        /// The chunk that came after it, counted from 1.
        chunk: u64,
        /// How many bytes it has.
        size: u64,
    },
    /// The body ended early, or had more bytes than were promised.
    #[error("the body has {received} bytes where {promised} were promised")]
    IncompleteBody {
        /// How many bytes were promised.
        promised: u64,
        /// How many came.
        received: u64,
    },
    /// An `aws-chunked` body is not one, or has other parts than were announced.
    #[error("the aws-chunked body {reason}")]
    MalformedChunks {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A chunk or the trailer of an `aws-chunked` body has another signature.
    #[error("the signature of a chunk does not match")]
    ChunkSignatureMismatch,
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
}
