//! What a signature can bind: each constraint, and the operations that it makes sense for.

use alloc::string::String;
use core::fmt;

use crate::operation::Operation;
use crate::time::Timestamp;
use crate::values::{Acl, ByteRange, Checksum, ContentMd5, ContentType, CopySource, CustomerKey, ResponseHeader, ServerSideEncryption, StorageClass};

macro_rules! constraints {
    ($($(#[$doc:meta])* $variant:ident $(($($tuple:tt)*))? $({$($fields:tt)*})? => $name:literal;)+) => {
        /// One thing that the signature shall bind.
        ///
        /// The list is closed on purpose: a provider matches all of it, so that the compiler finds the constraint that it forgot.
        #[derive(Clone, PartialEq, Eq)]
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

/// Its name alone, with that of a raw header or parameter: a value may be a customer's key.
impl fmt::Debug for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, .. } | Self::Query { name, .. } => write!(formatter, "{} {name}", self.name()),
            other => write!(formatter, "{}", other.name()),
        }
    }
}

impl ConstraintName {
    /// Whether the constraint means something for the operation: a download name on an upload would be signed and never obeyed.
    #[must_use]
    pub const fn applies_to(self, operation: Operation) -> bool {
        use Operation::{AbortMultipart, CompleteMultipart, Copy, CreateMultipart, Get, Head, List, ListParts, Put, UploadPart, UploadPartCopy};
        let makes_object = matches!(operation, Put | Copy | CreateMultipart);
        match self {
            // A client may send a type with everything, and OSS signs it wherever it is sent.
            Self::ContentType | Self::RequestPayer | Self::ExpectedBucketOwner | Self::Header | Self::Query => true,
            Self::ContentLength | Self::ContentMd5 | Self::Checksum | Self::PayloadSha256 => operation.has_body(),
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
            // An upload in parts makes the object when it is completed, and there both clouds check this.
            Self::CreateOnly => matches!(operation, Put | Copy | CompleteMultipart),
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

/// The constraints whose names are the provider's own, as [`Dialect::bind`](crate::Dialect::bind) gets them. All others have the same name everywhere and
/// are bound before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderConstraint<'a> {
    /// No `Content-Type` is sent.
    ContentTypeAbsent,
    /// Any `Content-Type` may be sent.
    ContentTypeFree,
    /// See [`Constraint::Checksum`].
    Checksum(&'a Checksum),
    /// See [`Constraint::Metadata`]; the name is checked.
    Metadata {
        /// Name without prefix.
        name: &'a str,
        /// Value.
        value: &'a str,
    },
    /// See [`Constraint::StorageClass`].
    StorageClass(&'a StorageClass),
    /// See [`Constraint::Acl`].
    Acl(&'a Acl),
    /// See [`Constraint::ServerSideEncryption`].
    ServerSideEncryption(&'a ServerSideEncryption),
    /// See [`Constraint::CustomerKey`].
    CustomerKey(&'a CustomerKey),
    /// See [`Constraint::CreateOnly`].
    CreateOnly,
    /// See [`Constraint::IfMatch`].
    IfMatch(&'a str),
    /// See [`Constraint::RequestPayer`].
    RequestPayer,
    /// See [`Constraint::ExpectedBucketOwner`].
    ExpectedBucketOwner(&'a str),
    /// See [`Constraint::CopySource`].
    CopySource(&'a CopySource),
    /// See [`Constraint::CopySourceRange`]; `first` is not after `last`.
    CopySourceRange {
        /// First byte.
        first: u64,
        /// Last byte.
        last: u64,
    },
    /// See [`Constraint::PayloadSha256`].
    PayloadSha256(&'a str),
    /// See [`Constraint::Process`].
    Process(&'a str),
    /// See [`Constraint::TrafficLimit`].
    TrafficLimit(u32),
}

impl ProviderConstraint<'_> {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> ConstraintName {
        match self {
            Self::ContentTypeAbsent | Self::ContentTypeFree => ConstraintName::ContentType,
            Self::Checksum(_) => ConstraintName::Checksum,
            Self::Metadata { .. } => ConstraintName::Metadata,
            Self::StorageClass(_) => ConstraintName::StorageClass,
            Self::Acl(_) => ConstraintName::Acl,
            Self::ServerSideEncryption(_) => ConstraintName::ServerSideEncryption,
            Self::CustomerKey(_) => ConstraintName::CustomerKey,
            Self::CreateOnly => ConstraintName::CreateOnly,
            Self::IfMatch(_) => ConstraintName::IfMatch,
            Self::RequestPayer => ConstraintName::RequestPayer,
            Self::ExpectedBucketOwner(_) => ConstraintName::ExpectedBucketOwner,
            Self::CopySource(_) => ConstraintName::CopySource,
            Self::CopySourceRange { .. } => ConstraintName::CopySourceRange,
            Self::PayloadSha256(_) => ConstraintName::PayloadSha256,
            Self::Process(_) => ConstraintName::Process,
            Self::TrafficLimit(_) => ConstraintName::TrafficLimit,
        }
    }
}
