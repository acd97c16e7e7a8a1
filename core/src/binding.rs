//! From constraints to the headers and query parameters that are signed: the checks that every provider shares.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem::discriminant;

use smallvec::SmallVec;

use crate::constraint::{Constraint, ConstraintName, ProviderConstraint};
use crate::dialect::Dialect;
use crate::encode;
use crate::error::PresignError;
use crate::presigned::ContentTypeRule;
use crate::query_template::OwnParameters;
use crate::request::ObjectRequest;
use crate::values::ContentType;

/// Names and values; a handful needs no allocation.
pub type Pairs<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 3]>;

/// The headers and query parameters of a request, under the provider's names, checked and sorted by name.
pub struct Bindings<'a> {
    /// Lower-case names, values without blanks at their ends; sorted by name, no name twice.
    pub headers: Pairs<'a>,
    /// Decoded names and values in the order given; no name twice.
    pub query: Pairs<'a>,
    /// What the client may do with `Content-Type`.
    pub content_type: ContentTypeRule,
    /// What the provider does not enforce.
    pub notes: Vec<Cow<'static, str>>,
    tagging: String,
}

impl<'a> Bindings<'a> {
    /// Runs every constraint of the request through the dialect.
    ///
    /// # Errors
    /// [`PresignError`] for a constraint that the operation, the provider or its own value rules out, for a name that is given twice, for a name that the
    /// signer owns, and for what the operation needs and does not have.
    pub fn collect(dialect: &(impl Dialect + ?Sized), request: &'a ObjectRequest) -> Result<Self, PresignError> {
        let mut bindings = Self::new(dialect);
        bindings.add_all(dialect, request)?;
        Ok(bindings)
    }

    /// Of no request yet.
    #[must_use]
    pub fn new(dialect: &(impl Dialect + ?Sized)) -> Self {
        let content_type = dialect.default_content_type();
        Self { headers: Pairs::new(), query: Pairs::new(), content_type, notes: Vec::new(), tagging: String::new() }
    }

    /// What [`collect`](Self::collect) does, in place.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn add_all(&mut self, dialect: &(impl Dialect + ?Sized), request: &'a ObjectRequest) -> Result<(), PresignError> {
        let operation = request.operation();
        match request.key() {
            Some(key) if operation.takes_key() => dialect.check_key(key)?,
            None if !operation.takes_key() => {}
            Some(_) => return Err(PresignError::UnexpectedKey { operation }),
            None => return Err(PresignError::Key(crate::KeyError::Empty)),
        }
        dialect.bind_operation(operation, self);
        for (index, constraint) in request.constraints().iter().enumerate() {
            let name = constraint.name();
            if !name.applies_to(operation) {
                return Err(PresignError::NotApplicable { constraint: name, operation });
            }
            let earlier = request.constraints().get(..index).unwrap_or_default();
            if !name.repeats() && earlier.iter().any(|other| discriminant(other) == discriminant(constraint)) {
                return Err(PresignError::Duplicate { name: name.to_string() });
            }
            self.add(dialect, request, constraint)?;
        }
        self.finish(dialect, request)
    }

    fn add(&mut self, dialect: &(impl Dialect + ?Sized), request: &ObjectRequest, constraint: &'a Constraint) -> Result<(), PresignError> {
        let own = |bindings: &mut Self, constraint: ProviderConstraint<'a>| dialect.bind(constraint, request.operation(), bindings);
        match constraint {
            Constraint::Header { name, value } => {
                if !is_token(name) {
                    return Err(PresignError::invalid(ConstraintName::Header, format!("`{}` cannot be the name of a header", name.escape_debug())));
                }
                let lower = lower_case(name);
                if is_reserved(dialect, &lower) {
                    return Err(PresignError::Reserved { name: name.clone() });
                }
                // What a typed constraint checks is checked here too, or no client could keep the promise.
                match &*lower {
                    "content-length" if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) || value.parse::<u64>().is_err() => {
                        let reason = "the content length is not a number of bytes".to_string();
                        return Err(PresignError::InvalidHeader { name: lower.into_owned(), reason });
                    }
                    "content-md5" => drop(crate::ContentMd5::from_base64(value)?),
                    _ => {}
                }
                self.header(lower, value.as_str());
            }
            Constraint::Query { name, value } => {
                if name.is_empty() {
                    return Err(PresignError::invalid(ConstraintName::Query, "the name of a query parameter is empty"));
                }
                if is_reserved(dialect, &lower_case(name)) {
                    return Err(PresignError::Reserved { name: name.clone() });
                }
                self.query(name.as_str(), value.as_str());
            }
            Constraint::Tag { key, value } => {
                if key.is_empty() {
                    return Err(PresignError::invalid(ConstraintName::Tag, "the key of a tag is empty"));
                }
                if !self.tagging.is_empty() {
                    self.tagging.push('&');
                }
                encode::push_query(&mut self.tagging, key);
                self.tagging.push('=');
                encode::push_query(&mut self.tagging, value);
            }
            Constraint::ContentType(ContentType::Fixed(value)) => {
                if value.trim().is_empty() {
                    return Err(PresignError::invalid(ConstraintName::ContentType, "the content type is empty; to demand that none is sent, use `absent`"));
                }
                self.header("content-type", value.as_str());
            }
            Constraint::ContentMd5(md5) => self.header("content-md5", md5.as_str()),
            Constraint::ContentLength(bytes) => self.header("content-length", String::from(itoa::Buffer::new().format(*bytes))),
            Constraint::CacheControl(value) => self.header("cache-control", value.as_str()),
            Constraint::ContentDisposition(value) => self.header("content-disposition", value.as_str()),
            Constraint::ContentEncoding(value) => self.header("content-encoding", value.as_str()),
            Constraint::ContentLanguage(value) => self.header("content-language", value.as_str()),
            Constraint::Expires(at) => self.header("expires", at.to_http_date()),
            Constraint::Range(range) => {
                if matches!(range, crate::ByteRange::Bounded { first, last } if first > last) || matches!(range, crate::ByteRange::Last(0)) {
                    return Err(PresignError::invalid(ConstraintName::Range, "the range names no byte; the first must not come after the last"));
                }
                self.header("range", range.to_string());
            }
            Constraint::UploadId(id) if id.is_empty() => return Err(PresignError::invalid(ConstraintName::UploadId, "the upload id is empty")),
            Constraint::UploadId(id) => self.query("uploadId", id.as_str()),
            Constraint::PartNumber(number) => {
                within(ConstraintName::PartNumber, *number, 1, 10_000)?;
                self.query("partNumber", number.to_string());
            }
            Constraint::VersionId(id) if id.is_empty() => return Err(PresignError::invalid(ConstraintName::VersionId, "the version id is empty")),
            Constraint::VersionId(id) => self.query("versionId", id.as_str()),
            Constraint::Response(header, value) => self.query(header.parameter(), value.as_str()),
            Constraint::DownloadName(name) => {
                let value = crate::disposition::attachment(name)?;
                self.query(crate::ResponseHeader::ContentDisposition.parameter(), value);
            }
            Constraint::Prefix(value) => self.query("prefix", value.as_str()),
            Constraint::Delimiter(value) => self.query("delimiter", value.as_str()),
            Constraint::MaxKeys(keys) => {
                within(ConstraintName::MaxKeys, *keys, 1, 1000)?;
                self.query("max-keys", keys.to_string());
            }
            Constraint::ContinuationToken(value) if value.is_empty() => {
                return Err(PresignError::invalid(ConstraintName::ContinuationToken, "the continuation token is empty; leave it out to begin at the start"));
            }
            Constraint::ContinuationToken(value) => self.query("continuation-token", value.as_str()),
            Constraint::StartAfter(value) => self.query("start-after", value.as_str()),
            Constraint::MaxParts(parts) => {
                within(ConstraintName::MaxParts, *parts, 1, 1000)?;
                self.query("max-parts", parts.to_string());
            }
            Constraint::PartNumberMarker(number) => {
                within(ConstraintName::PartNumberMarker, *number, 0, 10_000)?;
                self.query("part-number-marker", number.to_string());
            }
            Constraint::Metadata { name, .. } if !is_token(name) => {
                return Err(PresignError::invalid(ConstraintName::Metadata, format!("`{}` cannot be the name of metadata", name.escape_debug())));
            }
            Constraint::CopySourceRange { first, last } if first > last => {
                return Err(PresignError::invalid(ConstraintName::CopySourceRange, "the range names no byte; the first must not come after the last"));
            }
            Constraint::ContentType(ContentType::Absent) => return own(self, ProviderConstraint::ContentTypeAbsent),
            Constraint::ContentType(ContentType::Free) => return own(self, ProviderConstraint::ContentTypeFree),
            Constraint::Checksum(checksum) => return own(self, ProviderConstraint::Checksum(checksum)),
            Constraint::Metadata { name, value } => return own(self, ProviderConstraint::Metadata { name, value }),
            Constraint::StorageClass(class) => return own(self, ProviderConstraint::StorageClass(class)),
            Constraint::Acl(acl) => return own(self, ProviderConstraint::Acl(acl)),
            Constraint::ServerSideEncryption(encryption) => return own(self, ProviderConstraint::ServerSideEncryption(encryption)),
            Constraint::CustomerKey(key) => return own(self, ProviderConstraint::CustomerKey(key)),
            Constraint::CreateOnly => return own(self, ProviderConstraint::CreateOnly),
            Constraint::IfMatch(etag) => return own(self, ProviderConstraint::IfMatch(etag)),
            Constraint::RequestPayer => return own(self, ProviderConstraint::RequestPayer),
            Constraint::ExpectedBucketOwner(account) if account.is_empty() => {
                return Err(PresignError::invalid(ConstraintName::ExpectedBucketOwner, "the account is empty"));
            }
            Constraint::ExpectedBucketOwner(account) => return own(self, ProviderConstraint::ExpectedBucketOwner(account)),
            Constraint::CopySource(source) => return own(self, ProviderConstraint::CopySource(source)),
            Constraint::CopySourceRange { first, last } => return own(self, ProviderConstraint::CopySourceRange { first: *first, last: *last }),
            Constraint::PayloadSha256(digest) => return own(self, ProviderConstraint::PayloadSha256(digest)),
            Constraint::Process(instruction) => return own(self, ProviderConstraint::Process(instruction)),
            Constraint::TrafficLimit(bits) => return own(self, ProviderConstraint::TrafficLimit(*bits)),
        }
        Ok(())
    }

    /// Adds a header under its wire name, lower case.
    pub fn header(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.headers.push((name.into(), trimmed(value.into())));
    }

    /// Adds a query parameter under its wire name.
    pub fn query(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.query.push((name.into(), value.into()));
    }

    /// Adds a remark on what the provider does not enforce.
    pub fn note(&mut self, note: impl Into<Cow<'static, str>>) {
        self.notes.push(note.into());
    }

    /// The query parameters, encoded and sorted by their encoded names.
    #[must_use]
    pub fn encoded_query(&self) -> OwnParameters<'_> {
        if self.query.is_empty() {
            return OwnParameters::new();
        }
        let mut encoded: OwnParameters<'_> = self.query.iter().map(|(name, value)| (encode::query(name), encode::query(value))).collect();
        encoded.sort_unstable();
        encoded
    }

    /// Bytes of a canonical text of the headers, and more than their names take in a list: twice the names, the values, and what stands around them.
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        const AROUND: usize = 128;
        if self.headers.is_empty() {
            return 0;
        }
        self.headers().map(|(name, value)| name.len().saturating_mul(2).saturating_add(value.len()).saturating_add(6)).fold(AROUND, usize::saturating_add)
    }

    /// The headers.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The signed value of a header.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_ref())
    }

    fn finish(&mut self, dialect: &(impl Dialect + ?Sized), request: &ObjectRequest) -> Result<(), PresignError> {
        let operation = request.operation();
        for required in operation.required() {
            if !request.constraints().iter().any(|constraint| constraint.name() == *required) {
                return Err(PresignError::Missing { constraint: *required, operation });
            }
        }
        if self.headers.is_empty() && self.query.is_empty() && self.tagging.is_empty() {
            return Ok(());
        }
        if !self.tagging.is_empty() {
            let tagging = core::mem::take(&mut self.tagging);
            self.header(dialect.tagging_header(), tagging);
        }
        self.headers.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, value) in &self.headers {
            // Nearly all values are plain, and one look at the bytes says so.
            if encode::holds_for_all(value, |byte| byte.wrapping_sub(b' ') <= b'~' - b' ') {
                continue;
            }
            if let Some(bad) = value.chars().find(|c| c.is_control()) {
                let reason = format!("the value of `{name}` has the control character {}; headers cannot carry it", bad.escape_default());
                return Err(PresignError::InvalidHeader { name: name.to_string(), reason });
            }
            if !value.is_ascii() {
                let note = format!("the value of `{name}` is not ASCII: the client must send it as UTF-8 bytes, exactly as signed");
                self.notes.push(Cow::Owned(note));
            }
        }
        if let Some(name) = twice(self.headers.iter().map(|(name, _)| name)) {
            return Err(PresignError::Duplicate { name });
        }
        for (name, value) in &self.query {
            // These become headers of the answer; everywhere else in a query a control character is harmless (keys may hold one).
            if name.starts_with("response-") && value.chars().any(char::is_control) {
                let reason = format!("the value of `{name}` has a control character; headers cannot carry it");
                return Err(PresignError::InvalidHeader { name: name.to_string(), reason });
            }
        }
        // A store that sees a name in both places may take either.
        if let Some((name, _)) = self.query.iter().find(|(name, _)| self.header_value(&lower_case(name)).is_some()) {
            return Err(PresignError::Duplicate { name: name.to_string() });
        }
        let mut names: SmallVec<[&Cow<'_, str>; 4]> = self.query.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        if let Some(name) = twice(names.into_iter()) {
            return Err(PresignError::Duplicate { name });
        }
        match self.header_value("content-type") {
            Some(_) if request.constraints().iter().any(|c| matches!(c, Constraint::ContentType(ContentType::Absent | ContentType::Free))) => {
                Err(PresignError::Duplicate { name: "content-type".to_string() })
            }
            Some(_) => {
                self.content_type = ContentTypeRule::Fixed;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Values may be a customer's key, so only names are shown.
impl core::fmt::Debug for Bindings<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = |pairs: &[(Cow<'_, str>, Cow<'_, str>)]| pairs.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        formatter.debug_struct("Bindings").field("headers", &names(&self.headers)).field("query", &names(&self.query)).finish_non_exhaustive()
    }
}

fn is_reserved(dialect: &(impl Dialect + ?Sized), lower_case: &str) -> bool {
    dialect.owns_name(lower_case) || matches!(lower_case, "host" | "authorization")
}

fn twice<'n>(mut names: impl Iterator<Item = &'n Cow<'n, str>>) -> Option<String> {
    let mut last = names.next()?;
    for name in names {
        if name == last {
            return Some(name.to_string());
        }
        last = name;
    }
    None
}

fn within(constraint: ConstraintName, value: u32, min: u32, max: u32) -> Result<(), PresignError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(PresignError::invalid(constraint, format!("{value} is not within {min} to {max}"))) }
}

fn trimmed(value: Cow<'_, str>) -> Cow<'_, str> {
    // Both clouds sign values without the blanks around them, and HTTP does not keep those anyway.
    let blanks = [' ', '\t'];
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if !is_blank(value.as_bytes().first()) && !is_blank(value.as_bytes().last()) {
        return value;
    }
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(blanks)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(blanks).to_string()),
    }
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

/// A field name of HTTP (RFC 9110, section 5.6.2).
#[must_use]
pub fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~'))
}
