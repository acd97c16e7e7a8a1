//! What a browser form may upload: one object or the objects under a prefix, within stated limits.
//!
//! [`PostPolicy`] is what an application says; a dialect gives it the provider's names ([`FormDraft`]), [`sign_post`] makes a
//! [`PresignedPost`](crate::PresignedPost) of it, and [`judge`] decides whether a form that comes back keeps to it.

mod checks;
mod condition;
mod document;
mod draft;
mod error;
mod form_texts;
mod judge;
mod rules;
mod sign;
mod text;
mod values;
mod write;

pub use condition::{Bound, Condition, is_secret};
pub use document::{MAX_CONDITIONS, MAX_POLICY_BYTES, PolicyDocument, PolicyDocumentError};
pub use draft::{FormDraft, ProviderFormCondition};
pub use error::PolicyError;
pub(crate) use form_texts::{FormMoment, FormTexts};
pub use judge::{Form, Judgement, MAX_FILE_BYTES, SizeLimits, judge};
pub use rules::{BeyondMaximum, FileNameRule, FormRules};
pub use sign::sign_post;
pub use text::sign_policy;
pub use values::{Callback, CallbackBodyType, ValueRule};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use crate::key::ObjectKey;
use crate::values::{Acl, Checksum, ServerSideEncryption, StorageClass};

/// What stands for the name of the uploaded file in the field `key`.
pub const FILE_NAME: &str = "${filename}";

/// What a form may upload. It names a key or a prefix by construction; the bucket, the credential and the date are pinned by whoever signs.
///
/// Every value that is fixed here becomes a field of the form and a condition of its policy, so that a holder of the form can neither change nor leave it
/// out. What the provider cannot enforce is an error when it is signed.
///
/// ```
/// use valetkey_core::PostPolicy;
///
/// let avatar = PostPolicy::for_prefix("uploads/7/").content_length(1..=5 << 20).content_type_prefix("image/");
/// let report = PostPolicy::for_key("reports/2026.pdf".parse()?).content_type("application/pdf").metadata("owner", "7").success_status(201);
/// # let _ = (avatar, report);
/// # Ok::<(), valetkey_core::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostPolicy {
    key: KeyRule,
    conditions: Vec<FormCondition>,
}

/// Which keys a form may write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRule {
    /// This one.
    Exact(ObjectKey),
    /// Every key that begins so.
    Prefix {
        /// What the key begins with.
        prefix: String,
        /// Whether the prefix may end in the middle of a name: `uploads/7` also lets `uploads/70/x` in.
        open: bool,
        /// What follows the prefix unless the client says otherwise; `${filename}` is the name of the file.
        name: String,
    },
}

/// One thing that a policy says. Names of variants are those of the builder's methods.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormCondition {
    /// Bytes of the file, both ends included.
    ContentLength {
        /// The fewest.
        min: u64,
        /// The most.
        max: u64,
    },
    /// The object's type.
    ContentType(ValueRule),
    /// `Cache-Control` of the object.
    CacheControl(String),
    /// `Content-Disposition` of the object.
    ContentDisposition(String),
    /// `Content-Encoding` of the object.
    ContentEncoding(String),
    /// `Expires` of the object.
    ExpiresHeader(String),
    /// User metadata.
    Metadata {
        /// The name, without the provider's prefix.
        name: String,
        /// Its value.
        rule: ValueRule,
    },
    /// Canned ACL.
    Acl(Acl),
    /// Storage class.
    StorageClass(StorageClass),
    /// Encryption by the store.
    ServerSideEncryption(ServerSideEncryption),
    /// A tag.
    Tag {
        /// The key of the tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// A checksum of the file.
    Checksum(Checksum),
    /// Never overwrite an object.
    CreateOnly,
    /// The status of the answer.
    SuccessStatus(u16),
    /// Where the answer sends the browser.
    SuccessRedirect(String),
    /// A request of the store to the application when the object is there.
    Callback(Callback),
    /// A condition under the provider's own name of a field.
    Raw {
        /// The field, without `$`.
        field: String,
        /// What its value must be.
        rule: ValueRule,
    },
}

impl KeyRule {
    /// Bytes of the field `key`.
    fn bytes(&self) -> usize {
        match self {
            Self::Exact(key) => key.as_str().len(),
            Self::Prefix { prefix, name, .. } => prefix.len().saturating_add(name.len()),
        }
    }
}

impl PostPolicy {
    /// One object.
    #[must_use]
    pub const fn for_key(key: ObjectKey) -> Self {
        Self { key: KeyRule::Exact(key), conditions: Vec::new() }
    }

    /// The objects under a prefix, which ends in `/` (any other is refused when it is signed). The client may name the object; left alone, it is called as
    /// the file is.
    #[must_use]
    pub fn for_prefix(prefix: impl Into<String>) -> Self {
        Self::under(prefix.into(), false)
    }

    /// The objects whose keys begin so, wherever the prefix ends: `uploads/7` also lets `uploads/70/x` in.
    #[must_use]
    pub fn for_open_prefix(prefix: impl Into<String>) -> Self {
        Self::under(prefix.into(), true)
    }

    fn under(prefix: String, open: bool) -> Self {
        Self { key: KeyRule::Prefix { prefix, open, name: FILE_NAME.into() }, conditions: Vec::new() }
    }

    /// What follows the prefix unless the client says otherwise, where [`FILE_NAME`] stands for the name of the file: `photo-${filename}`. Of a policy for one
    /// key it changes nothing.
    #[must_use]
    pub fn object_name(mut self, template: impl Into<String>) -> Self {
        if let KeyRule::Prefix { name, .. } = &mut self.key {
            *name = template.into();
        }
        self
    }

    /// Bytes of the file, both ends included; at most 5 GiB, the limit of both clouds.
    #[must_use]
    pub fn content_length(self, bytes: RangeInclusive<u64>) -> Self {
        self.with(FormCondition::ContentLength { min: *bytes.start(), max: *bytes.end() })
    }

    /// The object's type, exactly.
    #[must_use]
    pub fn content_type(self, value: impl Into<String>) -> Self {
        self.with(FormCondition::ContentType(ValueRule::Exact(value.into())))
    }

    /// What the object's type begins with, such as `image/`; the client chooses. Take a list where types such as `image/svg+xml` would harm: a browser runs
    /// scripts in them.
    #[must_use]
    pub fn content_type_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(FormCondition::ContentType(ValueRule::Prefix(prefix.into())))
    }

    /// The object's type is one of these; the client chooses. OSS only: on S3 sign one form per type.
    #[must_use]
    pub fn content_type_one_of<V: Into<String>>(self, values: impl IntoIterator<Item = V>) -> Self {
        self.with(FormCondition::ContentType(ValueRule::one_of(values)))
    }

    /// `Cache-Control` of the object.
    #[must_use]
    pub fn cache_control(self, value: impl Into<String>) -> Self {
        self.with(FormCondition::CacheControl(value.into()))
    }

    /// `Content-Disposition` of the object.
    #[must_use]
    pub fn content_disposition(self, value: impl Into<String>) -> Self {
        self.with(FormCondition::ContentDisposition(value.into()))
    }

    /// `Content-Encoding` of the object.
    #[must_use]
    pub fn content_encoding(self, value: impl Into<String>) -> Self {
        self.with(FormCondition::ContentEncoding(value.into()))
    }

    /// The header `Expires` of the object, an HTTP date; it has nothing to do with the life of the form.
    #[must_use]
    pub fn expires_header(self, value: impl Into<String>) -> Self {
        self.with(FormCondition::ExpiresHeader(value.into()))
    }

    /// User metadata, exactly. The name is given without the provider's prefix.
    #[must_use]
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(FormCondition::Metadata { name: name.into(), rule: ValueRule::Exact(value.into()) })
    }

    /// User metadata whose value the client chooses, within a prefix (which may be empty).
    #[must_use]
    pub fn metadata_prefix(self, name: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.with(FormCondition::Metadata { name: name.into(), rule: ValueRule::Prefix(prefix.into()) })
    }

    /// Canned ACL of the object. Left out, the bucket's own rule holds, on OSS too.
    #[must_use]
    pub fn acl(self, acl: Acl) -> Self {
        self.with(FormCondition::Acl(acl))
    }

    /// Storage class.
    #[must_use]
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.with(FormCondition::StorageClass(class))
    }

    /// Encryption by the store.
    #[must_use]
    pub fn server_side_encryption(self, encryption: ServerSideEncryption) -> Self {
        self.with(FormCondition::ServerSideEncryption(encryption))
    }

    /// A tag of the object; S3 only. Call it once for each tag.
    #[must_use]
    pub fn tag(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(FormCondition::Tag { key: key.into(), value: value.into() })
    }

    /// The checksum that the file must have; S3 only.
    #[must_use]
    pub fn checksum(self, checksum: Checksum) -> Self {
        self.with(FormCondition::Checksum(checksum))
    }

    /// Never overwrite an object; OSS only, and ignored there on a bucket with versions.
    #[must_use]
    pub fn create_only(self) -> Self {
        self.with(FormCondition::CreateOnly)
    }

    /// The status of the answer to an upload: 200, 201 (with an XML body that names the object) or 204. Left out, it is 204.
    #[must_use]
    pub fn success_status(self, status: u16) -> Self {
        self.with(FormCondition::SuccessStatus(status))
    }

    /// Where the answer (303) sends the browser, with `bucket`, `key` and `etag` added to the query. It wins over the status.
    #[must_use]
    pub fn success_redirect(self, url: impl Into<String>) -> Self {
        self.with(FormCondition::SuccessRedirect(url.into()))
    }

    /// A request that the store sends when the object is there; OSS only.
    #[must_use]
    pub fn callback(self, callback: Callback) -> Self {
        self.with(FormCondition::Callback(callback))
    }

    /// A field under the provider's own name, fixed to a value.
    #[must_use]
    pub fn eq(self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(FormCondition::Raw { field: field.into(), rule: ValueRule::Exact(value.into()) })
    }

    /// A field under the provider's own name, whose value begins so. For `key` it narrows the prefix.
    #[must_use]
    pub fn starts_with(self, field: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.with(FormCondition::Raw { field: field.into(), rule: ValueRule::Prefix(prefix.into()) })
    }

    /// A field under the provider's own name, whose value is one of these; OSS only.
    #[must_use]
    pub fn is_in<V: Into<String>>(self, field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        self.with(FormCondition::Raw { field: field.into(), rule: ValueRule::one_of(values) })
    }

    /// A field under the provider's own name, whose value is none of these; OSS only.
    #[must_use]
    pub fn not_in<V: Into<String>>(self, field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        self.with(FormCondition::Raw { field: field.into(), rule: ValueRule::NoneOf(values.into_iter().map(Into::into).collect()) })
    }

    /// Adds a condition that is at hand as a value.
    #[must_use]
    pub fn with(mut self, condition: FormCondition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Which keys the form may write.
    #[must_use]
    pub const fn key(&self) -> &KeyRule {
        &self.key
    }

    /// Everything else that it says, in the order given.
    #[must_use]
    pub fn conditions(&self) -> &[FormCondition] {
        &self.conditions
    }
}

/// The word for it and the name of its field. A value may be a secret that was put here by mistake.
impl fmt::Debug for FormCondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentLength { min, max } => write!(formatter, "content-length({min}..={max})"),
            Self::Metadata { name, .. } | Self::Raw { field: name, .. } => write!(formatter, "{}({name:?})", self.name()),
            _ => formatter.write_str(self.name()),
        }
    }
}

impl FormCondition {
    /// The word for it, in errors and on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ContentLength { .. } => "content-length",
            Self::ContentType(_) => "content-type",
            Self::CacheControl(_) => "cache-control",
            Self::ContentDisposition(_) => "content-disposition",
            Self::ContentEncoding(_) => "content-encoding",
            Self::ExpiresHeader(_) => "expires-header",
            Self::Metadata { .. } => "metadata",
            Self::Acl(_) => "acl",
            Self::StorageClass(_) => "storage-class",
            Self::ServerSideEncryption(_) => "server-side-encryption",
            Self::Tag { .. } => "tag",
            Self::Checksum(_) => "checksum",
            Self::CreateOnly => "create-only",
            Self::SuccessStatus(_) => "success-status",
            Self::SuccessRedirect(_) => "success-redirect",
            Self::Callback(_) => "callback",
            Self::Raw { .. } => "condition",
        }
    }

    /// How many others may have the names of its fields: metadata another metadata, any field a raw one, a variable another variable.
    pub(crate) const fn free_names(&self) -> usize {
        match self {
            Self::Metadata { .. } => 1,
            Self::Raw { .. } | Self::Callback(_) => 2,
            _ => 0,
        }
    }

    /// Whether it may stand more than once.
    pub(crate) const fn repeats(&self) -> bool {
        matches!(self, Self::Metadata { .. } | Self::Tag { .. } | Self::Raw { .. })
    }
}
