//! What is to be signed: one operation on one object (or the list of a bucket), and its constraints.

use alloc::string::String;
use alloc::vec::Vec;

use crate::constraint::Constraint;
use crate::key::ObjectKey;
use crate::operation::Operation;
use crate::time::Timestamp;
use crate::values::{Acl, ByteRange, Checksum, ContentMd5, ContentType, CopySource, CustomerKey, ResponseHeader, ServerSideEncryption, StorageClass};

/// One operation with the constraints that the signature shall bind.
///
/// Every constraint is either bound by the provider or refused by name when it is signed
/// ([`PresignError::Unsupported`](crate::PresignError::Unsupported)); none is dropped. Values are checked when the request is signed, so that building one cannot fail.
///
/// ```
/// use valetkey_core::{ObjectRequest, Operation};
///
/// let request = ObjectRequest::put("avatars/7.png".parse()?)
///     .content_type("image/png")
///     .content_length(52_113)
///     .metadata("owner", "7")
///     .create_only();
/// assert_eq!(request.operation(), Operation::Put);
/// # Ok::<(), valetkey_core::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRequest {
    operation: Operation,
    key: Option<ObjectKey>,
    constraints: Vec<Constraint>,
}

impl ObjectRequest {
    /// Read an object.
    #[must_use]
    pub const fn get(key: ObjectKey) -> Self {
        Self::with_key(Operation::Get, key)
    }

    /// Read an object's headers.
    #[must_use]
    pub const fn head(key: ObjectKey) -> Self {
        Self::with_key(Operation::Head, key)
    }

    /// Write an object.
    #[must_use]
    pub const fn put(key: ObjectKey) -> Self {
        Self::with_key(Operation::Put, key)
    }

    /// Delete an object.
    #[must_use]
    pub const fn delete(key: ObjectKey) -> Self {
        Self::with_key(Operation::Delete, key)
    }

    /// Write an object from `source`.
    #[must_use]
    pub fn copy(key: ObjectKey, source: CopySource) -> Self {
        Self::with_key(Operation::Copy, key).with(Constraint::CopySource(source))
    }

    /// Begin an upload in parts.
    #[must_use]
    pub const fn create_multipart(key: ObjectKey) -> Self {
        Self::with_key(Operation::CreateMultipart, key)
    }

    /// Write part `part_number` (1 to 10000) of the upload `upload_id`.
    #[must_use]
    pub fn upload_part(key: ObjectKey, upload_id: impl Into<String>, part_number: u32) -> Self {
        Self::with_key(Operation::UploadPart, key).part(upload_id, part_number)
    }

    /// Write part `part_number` (1 to 10000) of the upload `upload_id` from `source`.
    #[must_use]
    pub fn upload_part_copy(key: ObjectKey, upload_id: impl Into<String>, part_number: u32, source: CopySource) -> Self {
        Self::with_key(Operation::UploadPartCopy, key).part(upload_id, part_number).with(Constraint::CopySource(source))
    }

    /// Make the parts of `upload_id` an object. The client sends the list of parts as XML; that body is not signed.
    #[must_use]
    pub fn complete_multipart(key: ObjectKey, upload_id: impl Into<String>) -> Self {
        Self::with_key(Operation::CompleteMultipart, key).with(Constraint::UploadId(upload_id.into()))
    }

    /// Throw the parts of `upload_id` away.
    #[must_use]
    pub fn abort_multipart(key: ObjectKey, upload_id: impl Into<String>) -> Self {
        Self::with_key(Operation::AbortMultipart, key).with(Constraint::UploadId(upload_id.into()))
    }

    /// List the parts of `upload_id`.
    #[must_use]
    pub fn list_parts(key: ObjectKey, upload_id: impl Into<String>) -> Self {
        Self::with_key(Operation::ListParts, key).with(Constraint::UploadId(upload_id.into()))
    }

    /// List the bucket (`list-type=2`).
    #[must_use]
    pub const fn list() -> Self {
        Self { operation: Operation::List, key: None, constraints: Vec::new() }
    }

    /// Any operation, for callers that read it from a configuration or a command line: `key` is left out for [`Operation::List`] alone.
    #[must_use]
    pub const fn new(operation: Operation, key: Option<ObjectKey>) -> Self {
        Self { operation, key, constraints: Vec::new() }
    }

    const fn with_key(operation: Operation, key: ObjectKey) -> Self {
        Self { operation, key: Some(key), constraints: Vec::new() }
    }

    fn part(self, upload_id: impl Into<String>, part_number: u32) -> Self {
        self.with(Constraint::PartNumber(part_number)).with(Constraint::UploadId(upload_id.into()))
    }

    /// Adds any constraint. Giving the same one twice is an error when it is signed, but for metadata, tags and raw names that differ.
    #[must_use]
    pub fn with(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// The client must send exactly this `Content-Type`.
    #[must_use]
    pub fn content_type(self, value: impl Into<String>) -> Self {
        self.with(Constraint::ContentType(ContentType::Fixed(value.into())))
    }

    /// The client must send no `Content-Type`. S3 cannot bind this.
    #[must_use]
    pub fn content_type_absent(self) -> Self {
        self.with(Constraint::ContentType(ContentType::Absent))
    }

    /// The client may send any `Content-Type`. OSS cannot bind this.
    #[must_use]
    pub fn content_type_free(self) -> Self {
        self.with(Constraint::ContentType(ContentType::Free))
    }

    /// The body has exactly this many bytes.
    #[must_use]
    pub fn content_length(self, bytes: u64) -> Self {
        self.with(Constraint::ContentLength(bytes))
    }

    /// The body has this MD5.
    #[must_use]
    pub fn content_md5(self, md5: ContentMd5) -> Self {
        self.with(Constraint::ContentMd5(md5))
    }

    /// The body has this checksum.
    #[must_use]
    pub fn checksum(self, checksum: Checksum) -> Self {
        self.with(Constraint::Checksum(checksum))
    }

    /// User metadata: `name` without the provider's prefix.
    #[must_use]
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Constraint::Metadata { name: name.into(), value: value.into() })
    }

    /// `Cache-Control` of the object.
    #[must_use]
    pub fn cache_control(self, value: impl Into<String>) -> Self {
        self.with(Constraint::CacheControl(value.into()))
    }

    /// `Content-Disposition` of the object.
    #[must_use]
    pub fn content_disposition(self, value: impl Into<String>) -> Self {
        self.with(Constraint::ContentDisposition(value.into()))
    }

    /// `Content-Encoding` of the object.
    #[must_use]
    pub fn content_encoding(self, value: impl Into<String>) -> Self {
        self.with(Constraint::ContentEncoding(value.into()))
    }

    /// `Content-Language` of the object.
    #[must_use]
    pub fn content_language(self, value: impl Into<String>) -> Self {
        self.with(Constraint::ContentLanguage(value.into()))
    }

    /// `Expires` of the object: how long caches may keep it. Not the life of the URL.
    #[must_use]
    pub fn cache_expires(self, at: Timestamp) -> Self {
        self.with(Constraint::Expires(at))
    }

    /// The object's storage class.
    #[must_use]
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.with(Constraint::StorageClass(class))
    }

    /// The object's canned ACL.
    #[must_use]
    pub fn acl(self, acl: Acl) -> Self {
        self.with(Constraint::Acl(acl))
    }

    /// One tag of the object.
    #[must_use]
    pub fn tag(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Constraint::Tag { key: key.into(), value: value.into() })
    }

    /// How the store encrypts the object.
    #[must_use]
    pub fn server_side_encryption(self, encryption: ServerSideEncryption) -> Self {
        self.with(Constraint::ServerSideEncryption(encryption))
    }

    /// A key of the customer that the store encrypts with and forgets.
    #[must_use]
    pub fn customer_key(self, key: CustomerKey) -> Self {
        self.with(Constraint::CustomerKey(key))
    }

    /// Refused when the object exists already.
    #[must_use]
    pub fn create_only(self) -> Self {
        self.with(Constraint::CreateOnly)
    }

    /// Only if the object has this ETag.
    #[must_use]
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.with(Constraint::IfMatch(etag.into()))
    }

    /// Only these bytes.
    #[must_use]
    pub fn range(self, range: ByteRange) -> Self {
        self.with(Constraint::Range(range))
    }

    /// The client agrees to pay.
    #[must_use]
    pub fn request_payer(self) -> Self {
        self.with(Constraint::RequestPayer)
    }

    /// Only if the bucket belongs to this account.
    #[must_use]
    pub fn expected_bucket_owner(self, account: impl Into<String>) -> Self {
        self.with(Constraint::ExpectedBucketOwner(account.into()))
    }

    /// The bytes of the source that become the part, first and last included.
    #[must_use]
    pub fn copy_source_range(self, first: u64, last: u64) -> Self {
        self.with(Constraint::CopySourceRange { first, last })
    }

    /// One version of the object.
    #[must_use]
    pub fn version_id(self, id: impl Into<String>) -> Self {
        self.with(Constraint::VersionId(id.into()))
    }

    /// The answer carries this header value instead of the stored one.
    #[must_use]
    pub fn response_header(self, header: ResponseHeader, value: impl Into<String>) -> Self {
        self.with(Constraint::Response(header, value.into()))
    }

    /// The browser saves the answer under this name, any Unicode (RFC 6266: `filename` and `filename*`).
    #[must_use]
    pub fn download_name(self, name: impl Into<String>) -> Self {
        self.with(Constraint::DownloadName(name.into()))
    }

    /// List only keys that begin so.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.with(Constraint::Prefix(prefix.into()))
    }

    /// List keys up to this text after the prefix as one entry.
    #[must_use]
    pub fn delimiter(self, delimiter: impl Into<String>) -> Self {
        self.with(Constraint::Delimiter(delimiter.into()))
    }

    /// At most this many keys in one answer, 1 to 1000.
    #[must_use]
    pub fn max_keys(self, keys: u32) -> Self {
        self.with(Constraint::MaxKeys(keys))
    }

    /// Go on where the last answer ended.
    #[must_use]
    pub fn continuation_token(self, token: impl Into<String>) -> Self {
        self.with(Constraint::ContinuationToken(token.into()))
    }

    /// List only keys after this one.
    #[must_use]
    pub fn start_after(self, key: impl Into<String>) -> Self {
        self.with(Constraint::StartAfter(key.into()))
    }

    /// OSS: process the object before it is sent (`x-oss-process`), for example `image/resize,w_100`.
    #[must_use]
    pub fn process(self, instruction: impl Into<String>) -> Self {
        self.with(Constraint::Process(instruction.into()))
    }

    /// OSS: limit the speed to this many bits per second, 819200 to 838860800.
    #[must_use]
    pub fn traffic_limit(self, bits_per_second: u32) -> Self {
        self.with(Constraint::TrafficLimit(bits_per_second))
    }

    /// S3: sign the SHA-256 of the body (hex) instead of `UNSIGNED-PAYLOAD`.
    #[must_use]
    pub fn payload_sha256(self, hex: impl Into<String>) -> Self {
        self.with(Constraint::PayloadSha256(hex.into()))
    }

    /// Any other header, signed.
    #[must_use]
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Constraint::Header { name: name.into(), value: value.into() })
    }

    /// Any other query parameter, signed. An empty value stands for a name alone.
    #[must_use]
    pub fn query(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Constraint::Query { name: name.into(), value: value.into() })
    }

    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The object; `None` for a list.
    #[must_use]
    pub const fn key(&self) -> Option<&ObjectKey> {
        self.key.as_ref()
    }

    /// What the signature shall bind, in the order given.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }
}
