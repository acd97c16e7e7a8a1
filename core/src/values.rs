//! The values that constraints carry, checked where they are made.

use alloc::string::{String, ToString};
use core::fmt;

use crate::credentials::Secret;
use crate::key::ObjectKey;

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
