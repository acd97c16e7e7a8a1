//! What a signature can bind: each constraint, its value type, and the operations that it makes sense for.

use alloc::string::{String, ToString};
use core::fmt;

use crate::credentials::Secret;
use crate::key::ObjectKey;
use crate::request::Operation;
use crate::time::Timestamp;

macro_rules! constraints {
    ($($(#[$doc:meta])* $variant:ident $(($($tuple:tt)*))? $({$($fields:tt)*})? => $name:literal;)+) => {
        /// One thing that the signature shall bind.
        ///
        /// The list is closed on purpose: a provider matches all of it, so that the compiler finds the constraint that it forgot.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Constraint { $($(#[$doc])* $variant $(($($tuple)*))? $({$($fields)*})?,)+ }

        /// The name of a [`Constraint`], without its value: for messages, and for `requires` in a configuration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ConstraintName { $(
            #[doc = concat!("`", $name, "`: see [`Constraint::", stringify!($variant), "`].")]
            $variant,
        )+ }

        impl ConstraintName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl Constraint {
            /// Its name.
            #[must_use]
            pub const fn name(&self) -> ConstraintName {
                match self { $(Self::$variant { .. } => ConstraintName::$variant,)+ }
            }
        }
    };
}

constraints! {
    /// The `Content-Type` that the client sends: exactly this, none, or any.
    ContentType(ContentType) => "content-type";
    /// Bytes of the body.
    ContentLength(u64) => "content-length";
    /// MD5 of the body.
    ContentMd5(ContentMd5) => "content-md5";
    /// Another checksum of the body.
    Checksum(Checksum) => "checksum";
    /// User metadata; the name stands without the provider's prefix.
    Metadata {
        /// Name without prefix: letters, digits, `-`, `_`, `.`.
        name: String,
        /// Value.
        value: String
    } => "metadata";
    /// `Cache-Control` of the object.
    CacheControl(String) => "cache-control";
    /// `Content-Disposition` of the object.
    ContentDisposition(String) => "content-disposition";
    /// `Content-Encoding` of the object.
    ContentEncoding(String) => "content-encoding";
    /// `Content-Language` of the object.
    ContentLanguage(String) => "content-language";
    /// `Expires` of the object.
    Expires(Timestamp) => "expires";
    /// Storage class of the object.
    StorageClass(StorageClass) => "storage-class";
    /// Canned ACL of the object.
    Acl(Acl) => "acl";
    /// One tag of the object.
    Tag {
        /// Key.
        key: String,
        /// Value.
        value: String
    } => "tag";
    /// How the store encrypts the object.
    ServerSideEncryption(ServerSideEncryption) => "server-side-encryption";
    /// A key of the customer to encrypt with.
    CustomerKey(CustomerKey) => "customer-key";
    /// Refused when the object exists.
    CreateOnly => "create-only";
    /// Only if the object has this ETag.
    IfMatch(String) => "if-match";
    /// Only these bytes.
    Range(ByteRange) => "range";
    /// The client agrees to pay.
    RequestPayer => "request-payer";
    /// Only if the bucket belongs to this account.
    ExpectedBucketOwner(String) => "expected-bucket-owner";
    /// Where a copy comes from.
    CopySource(CopySource) => "copy-source";
    /// The bytes of the source that become a part, both ends included.
    CopySourceRange {
        /// First byte, from 0.
        first: u64,
        /// Last byte.
        last: u64
    } => "copy-source-range";
    /// One version of the object.
    VersionId(String) => "version-id";
    /// A header of the answer, instead of the stored one.
    Response(ResponseHeader, String) => "response-header";
    /// The name that a browser saves the answer under.
    DownloadName(String) => "download-name";
    /// The upload that a part belongs to.
    UploadId(String) => "upload-id";
    /// The number of a part, 1 to 10000.
    PartNumber(u32) => "part-number";
    /// List: keys that begin so.
    Prefix(String) => "prefix";
    /// List: one entry up to this text.
    Delimiter(String) => "delimiter";
    /// List: at most so many keys, 1 to 1000.
    MaxKeys(u32) => "max-keys";
    /// List: go on here.
    ContinuationToken(String) => "continuation-token";
    /// List: keys after this one.
    StartAfter(String) => "start-after";
    /// List parts: at most so many, 1 to 1000.
    MaxParts(u32) => "max-parts";
    /// List parts: numbers after this one.
    PartNumberMarker(u32) => "part-number-marker";
    /// OSS: process the object before it is sent.
    Process(String) => "process";
    /// OSS: bits per second, 819200 to 838860800.
    TrafficLimit(u32) => "traffic-limit";
    /// S3: SHA-256 of the body in lower-case hex.
    PayloadSha256(String) => "payload-sha256";
    /// Any other header.
    Header {
        /// Name, any case.
        name: String,
        /// Value.
        value: String
    } => "header";
    /// Any other query parameter.
    Query {
        /// Name.
        name: String,
        /// Value; empty for a name alone.
        value: String
    } => "query";
}

impl ConstraintName {
    /// Whether the constraint means something for the operation: a download name on an upload would be signed and never obeyed.
    #[must_use]
    pub const fn applies_to(self, operation: Operation) -> bool {
        use Operation::{AbortMultipart, CompleteMultipart, Copy, CreateMultipart, Get, Head, List, ListParts, Put, UploadPart, UploadPartCopy};
        let has_body = matches!(operation, Put | UploadPart | CompleteMultipart);
        let makes_object = matches!(operation, Put | Copy | CreateMultipart);
        match self {
            // A client may send a type with everything, and OSS signs it wherever it is sent.
            Self::ContentType | Self::RequestPayer | Self::ExpectedBucketOwner | Self::Header | Self::Query => true,
            Self::ContentLength | Self::ContentMd5 | Self::Checksum | Self::PayloadSha256 => has_body,
            Self::Metadata
            | Self::CacheControl
            | Self::ContentDisposition
            | Self::ContentEncoding
            | Self::ContentLanguage
            | Self::Expires
            | Self::StorageClass
            | Self::Acl
            | Self::Tag
            | Self::ServerSideEncryption => makes_object,
            Self::CustomerKey => !matches!(operation, AbortMultipart | List | Operation::Delete),
            Self::CreateOnly => makes_object || matches!(operation, CompleteMultipart),
            Self::IfMatch => matches!(operation, Get | Head | Put | Copy | CompleteMultipart | Operation::Delete),
            Self::Range => matches!(operation, Get | Head),
            Self::CopySource => matches!(operation, Copy | UploadPartCopy),
            Self::CopySourceRange => matches!(operation, UploadPartCopy),
            Self::VersionId => matches!(operation, Get | Head | Operation::Delete),
            Self::Response | Self::DownloadName => matches!(operation, Get | Head),
            Self::UploadId => matches!(operation, UploadPart | UploadPartCopy | CompleteMultipart | AbortMultipart | ListParts),
            Self::PartNumber => matches!(operation, UploadPart | UploadPartCopy),
            Self::Prefix | Self::Delimiter | Self::MaxKeys | Self::ContinuationToken | Self::StartAfter => matches!(operation, List),
            Self::MaxParts | Self::PartNumberMarker => matches!(operation, ListParts),
            Self::Process => matches!(operation, Get | Head),
            Self::TrafficLimit => matches!(operation, Get | Put | UploadPart | Copy | UploadPartCopy),
        }
    }

    /// Whether the operation cannot be signed without it.
    #[must_use]
    pub const fn required_by(self, operation: Operation) -> bool {
        match self {
            Self::UploadId | Self::PartNumber | Self::CopySource => self.applies_to(operation),
            _ => false,
        }
    }

    /// Whether it may be given more than once.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(self, Self::Metadata | Self::Tag | Self::Response | Self::Header | Self::Query)
    }
}

impl fmt::Display for ConstraintName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Which `Content-Type` the client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentType {
    /// Exactly this one.
    Fixed(String),
    /// None. S3 takes an unsigned type, so it cannot bind this.
    Absent,
    /// Any. OSS signs every type that it receives, so it cannot bind this.
    Free,
}

/// A value that is not what its name says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {expected}")]
pub struct ValueError {
    what: String,
    expected: &'static str,
}

impl ValueError {
    pub(crate) fn new(what: impl Into<String>, expected: &'static str) -> Self {
        Self { what: what.into(), expected }
    }
}

/// The MD5 of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentMd5(String);

impl ContentMd5 {
    /// From the 16 bytes.
    #[must_use]
    pub fn from_bytes(digest: [u8; 16]) -> Self {
        Self(base64_text(&digest))
    }

    /// From base64, as the header carries it.
    ///
    /// # Errors
    /// [`ValueError`] unless it is standard base64 of 16 bytes.
    pub fn from_base64(text: &str) -> Result<Self, ValueError> {
        if base64_length(text) == Some(16) {
            Ok(Self(text.to_string()))
        } else {
            Err(ValueError::new("the content MD5 is not the base64 of 16 bytes", "give what `openssl md5 -binary FILE | base64` prints"))
        }
    }

    /// Base64.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A checksum of a body with its algorithm.
///
/// ```
/// use valetkey_core::{Checksum, ChecksumAlgorithm};
///
/// let checksum: Checksum = "crc32=4waSgw==".parse()?;
/// assert_eq!(checksum.algorithm(), ChecksumAlgorithm::Crc32);
/// assert!("crc32=AAAA".parse::<Checksum>().is_err());
/// # Ok::<(), valetkey_core::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    value: String,
}

/// The checksum algorithms of S3 (`x-amz-checksum-*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumAlgorithm {
    /// CRC-32, 4 bytes.
    Crc32,
    /// CRC-32C, 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl ChecksumAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Bytes of the digest.
    #[must_use]
    pub const fn digest_length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl Checksum {
    /// From the algorithm and the base64 of the digest (big-endian for the CRCs).
    ///
    /// # Errors
    /// [`ValueError`] unless the text is standard base64 of as many bytes as the algorithm gives.
    pub fn new(algorithm: ChecksumAlgorithm, base64: &str) -> Result<Self, ValueError> {
        if base64_length(base64) == Some(algorithm.digest_length()) {
            Ok(Self { algorithm, value: base64.to_string() })
        } else {
            let what = alloc::format!("the {} checksum is not the base64 of {} bytes", algorithm.as_str(), algorithm.digest_length());
            Err(ValueError::new(what, "give the base64 of the digest, big-endian for the CRCs"))
        }
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// Base64 of the digest.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// `ALGORITHM=BASE64`, as on the command line.
impl core::str::FromStr for Checksum {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let expected = "write ALGORITHM=BASE64 with crc32, crc32c, crc64nvme, sha1 or sha256";
        let (word, value) = text.split_once('=').ok_or_else(|| ValueError::new("a checksum has no `=`", expected))?;
        let algorithm = ChecksumAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == word);
        let algorithm = algorithm.ok_or_else(|| ValueError::new(alloc::format!("`{}` is not a checksum algorithm", word.escape_debug()), expected))?;
        Self::new(algorithm, value)
    }
}

/// Storage classes that both clouds have, and any other as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageClass {
    /// S3 `STANDARD`, OSS `Standard`.
    Standard,
    /// S3 `STANDARD_IA`, OSS `IA`.
    InfrequentAccess,
    /// S3 `GLACIER`, OSS `Archive`.
    Archive,
    /// The provider's own word.
    Other(String),
}

/// Canned ACLs that both clouds have, and any other as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acl {
    /// `private`
    Private,
    /// `public-read`
    PublicRead,
    /// `public-read-write`
    PublicReadWrite,
    /// The provider's own word.
    Other(String),
}

impl Acl {
    /// The word, the same on both clouds.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
            Self::Other(word) => word,
        }
    }
}

/// Encryption by the store, the kinds that both clouds have, and any other as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerSideEncryption {
    /// `AES256`: a key of the store.
    Aes256,
    /// S3 `aws:kms`, OSS `KMS`: a key of the key service; without an id, its default key.
    Kms {
        /// The key's id.
        key_id: Option<String>,
    },
    /// The provider's own word, such as `aws:kms:dsse` or `SM4`.
    Other {
        /// The word.
        algorithm: String,
        /// The key's id.
        key_id: Option<String>,
    },
}

/// A key of the customer (SSE-C): 32 bytes for AES-256. The client must send it with each request, so whoever gets the URL gets the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerKey(Secret);

impl CustomerKey {
    /// From the 32 bytes.
    #[must_use]
    pub fn from_bytes(key: &[u8; 32]) -> Self {
        Self(Secret::new(base64_text(key)))
    }

    /// Base64 of the key, secret.
    #[must_use]
    pub const fn base64(&self) -> &Secret {
        &self.0
    }
}

/// A range of bytes to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From `first` to `last`, both included, counted from 0.
    Bounded {
        /// First byte.
        first: u64,
        /// Last byte.
        last: u64,
    },
    /// From this byte to the end.
    From(u64),
    /// The last so many bytes.
    Last(u64),
}

impl fmt::Display for ByteRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounded { first, last } => write!(formatter, "bytes={first}-{last}"),
            Self::From(first) => write!(formatter, "bytes={first}-"),
            Self::Last(count) => write!(formatter, "bytes=-{count}"),
        }
    }
}

/// The object that a copy comes from.
///
/// ```
/// use valetkey_core::CopySource;
///
/// let source: CopySource = "archive/2025/report one.pdf".parse()?;
/// assert_eq!((source.bucket(), source.key().as_str()), ("archive", "2025/report one.pdf"));
/// # Ok::<(), valetkey_core::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    bucket: String,
    key: ObjectKey,
    version_id: Option<String>,
}

impl CopySource {
    /// Names the source; the key is taken literally.
    #[must_use]
    pub fn new(bucket: impl Into<String>, key: ObjectKey) -> Self {
        Self { bucket: bucket.into(), key, version_id: None }
    }

    /// One version of the source.
    #[must_use]
    pub fn version_id(mut self, id: impl Into<String>) -> Self {
        self.version_id = Some(id.into());
        self
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The version, when one was named.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version_id.as_deref()
    }

    /// The header's value, the same on both clouds but for the leading slash: `bucket/encoded-key[?versionId=id]`.
    pub fn push_encoded(&self, out: &mut String) {
        crate::encode::push_path(out, &self.bucket);
        out.push('/');
        crate::encode::push_path(out, self.key.as_str());
        if let Some(version) = &self.version_id {
            out.push_str("?versionId=");
            crate::encode::push_query(out, version);
        }
    }
}

/// `BUCKET/KEY`, both literal.
impl core::str::FromStr for CopySource {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let expected = "write BUCKET/KEY, the key as it is";
        match text.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() => {
                let key = key.parse().map_err(|error: crate::KeyError| ValueError::new(alloc::format!("copy source: {error}"), expected))?;
                Ok(Self::new(bucket, key))
            }
            _ => Err(ValueError::new("the copy source names no bucket", expected)),
        }
    }
}

/// The headers of an answer that a signed GET or HEAD may replace (`response-*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseHeader {
    /// `Cache-Control`
    CacheControl,
    /// `Content-Disposition`
    ContentDisposition,
    /// `Content-Encoding`
    ContentEncoding,
    /// `Content-Language`
    ContentLanguage,
    /// `Content-Type`
    ContentType,
    /// `Expires`
    Expires,
}

impl ResponseHeader {
    /// All six.
    pub const ALL: [Self; 6] = [Self::CacheControl, Self::ContentDisposition, Self::ContentEncoding, Self::ContentLanguage, Self::ContentType, Self::Expires];

    /// The query parameter, the same on both clouds.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::CacheControl => "response-cache-control",
            Self::ContentDisposition => "response-content-disposition",
            Self::ContentEncoding => "response-content-encoding",
            Self::ContentLanguage => "response-content-language",
            Self::ContentType => "response-content-type",
            Self::Expires => "response-expires",
        }
    }
}

fn base64_text(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn base64_length(text: &str) -> Option<usize> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok().map(|bytes| bytes.len())
}
