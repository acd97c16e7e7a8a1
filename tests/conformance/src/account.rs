//! What each constraint must become on the wire, and whether a signed request carries exactly that: nothing dropped, hoisted, changed or added.

use valetkey_core::{
    AuthorizedRequest, Constraint, ConstraintName, ContentType, ContentTypeRule, ObjectRequest, Operation, PresignedRequest, ResponseHeader,
    ServerSideEncryption, StorageClass, encode,
};

use crate::digest;
use crate::profile::Profile;
use crate::report::ensure;

/// A header to send or a parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Header { name: String, value: String },
    Parameter { name: String, value: String },
}

impl Item {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Header { name, .. } | Self::Parameter { name, .. } => name,
        }
    }

    fn value(&self) -> &str {
        match self {
            Self::Header { value, .. } | Self::Parameter { value, .. } => value,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Header,
    Query,
    /// The providers differ, and both bind it.
    Either,
}

#[derive(Debug)]
enum Rule {
    Is(String),
    Ends(String),
}

impl Rule {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Is(want) => text == want,
            Self::Ends(want) => text.ends_with(want.as_str()),
        }
    }
}

/// One thing that a constraint must become.
#[derive(Debug)]
struct Wire {
    of: ConstraintName,
    place: Where,
    name: Rule,
    value: Rule,
}

impl Wire {
    fn fits(&self, item: &Item) -> bool {
        let place = match item {
            Item::Header { .. } => self.place != Where::Query,
            Item::Parameter { .. } => self.place != Where::Header,
        };
        place && self.name.fits(&item.name().to_ascii_lowercase()) && self.value.fits(item.value())
    }
}

/// Compares a signed request with what was asked for. Gives each thing on the wire with the constraint that it comes from.
pub(crate) fn account(profile: &Profile, request: &ObjectRequest, signed: &PresignedRequest) -> Result<Vec<(ConstraintName, Item)>, String> {
    check_content_type(profile, request, signed)?;
    let headers: Vec<_> = signed.signed_headers.iter().collect();
    let items = items_of_url(profile, request.operation(), &signed.url, &headers)?;
    compare(profile, request, items)
}

/// As [`account`], of a request that is signed to be sent at once.
pub(crate) fn account_authorized(profile: &Profile, request: &ObjectRequest, signed: &AuthorizedRequest) -> Result<Vec<(ConstraintName, Item)>, String> {
    let headers: Vec<_> = signed.headers.iter().collect();
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        let items = items_of_url(profile, request.operation(), &signed.url, &headers)?;
        return compare(profile, request, items);
    }
    let own = &profile.authorization;
    for name in ["authorization", own.date, own.payload] {
        let times = headers.iter().filter(|(other, _)| *other == name).count();
        ensure(times == 1, || format!("{name} stands {times} times among the headers"))?;
    }
    let asked = request.constraints().iter().any(|constraint| constraint.name() == ConstraintName::PayloadSha256);
    let is_own = |name: &str| ["authorization", own.date, own.token].contains(&name) || (name == own.payload && !asked);
    let rest: Vec<_> = headers.into_iter().filter(|(name, _)| !is_own(name)).collect();
    // A parameter that signs is one too many here, so all are looked at.
    let items = items(request.operation(), &signed.url, &rest, |_| true)?;
    compare(profile, request, items)
}

fn compare(profile: &Profile, request: &ObjectRequest, mut items: Vec<Item>) -> Result<Vec<(ConstraintName, Item)>, String> {
    let mut found = Vec::new();
    for wire in wires(profile, request) {
        let Some(at) = items.iter().position(|item| wire.fits(item)) else {
            let names: Vec<&str> = items.iter().map(Item::name).collect();
            return Err(format!("`{}` is not bound as it was asked for: {wire:?} is not among {names:?}", wire.of));
        };
        found.push((wire.of, items.remove(at)));
    }
    let names: Vec<&str> = items.iter().map(Item::name).collect();
    ensure(items.is_empty(), || format!("nobody asked for {names:?}"))?;
    Ok(found)
}

fn check_content_type(profile: &Profile, request: &ObjectRequest, signed: &PresignedRequest) -> Result<(), String> {
    let asked = request.constraints().iter().find_map(|constraint| match constraint {
        Constraint::ContentType(ContentType::Fixed(_)) => Some(ContentTypeRule::Fixed),
        Constraint::ContentType(ContentType::Absent) => Some(ContentTypeRule::Absent),
        Constraint::ContentType(ContentType::Free) => Some(ContentTypeRule::Free),
        Constraint::Header { name, .. } if name.eq_ignore_ascii_case("content-type") => Some(ContentTypeRule::Fixed),
        _ => None,
    });
    let want = asked.unwrap_or(profile.content_type);
    ensure(signed.content_type == want, || format!("content_type is reported as {:?}; it is {want:?}", signed.content_type))
}

/// All reported headers, and all parameters but those of the signature and of the operation itself.
fn items_of_url(profile: &Profile, operation: Operation, url: &str, headers: &[(&str, &str)]) -> Result<Vec<Item>, String> {
    let parameters = parameters(url)?;
    for name in [profile.signature_parameter, profile.date_parameter, profile.life_parameter] {
        let times = parameters.iter().filter(|(other, _)| other == name).count();
        ensure(times == 1, || format!("{name} stands {times} times in the URL"))?;
    }
    items(operation, url, headers, |name| !profile.owns(name))
}

fn parameters(url: &str) -> Result<Vec<(String, String)>, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    encode::decode_query(query).map_err(|error| format!("the query of the URL: {error}"))
}

/// The headers, and of the parameters the ones to look at without those of the operation itself.
fn items(operation: Operation, url: &str, headers: &[(&str, &str)], is_looked_at: impl Fn(&str) -> bool) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    for (name, value) in headers.iter().copied() {
        ensure(!name.bytes().any(|byte| byte.is_ascii_uppercase()), || format!("the header name {name} is not lower case"))?;
        ensure(name != "host", || "host is reported; clients set it themselves".to_owned())?;
        items.push(Item::Header { name: name.to_owned(), value: value.to_owned() });
    }
    let is_operation = |name: &str, value: &str| match operation {
        Operation::CreateMultipart => name == "uploads" && value.is_empty(),
        Operation::List => name == "list-type" && value == "2",
        _ => false,
    };
    let asked = parameters(url)?.into_iter().filter(|(name, value)| is_looked_at(name) && !is_operation(name, value));
    items.extend(asked.map(|(name, value)| Item::Parameter { name, value }));
    Ok(items)
}

fn wires(profile: &Profile, request: &ObjectRequest) -> Vec<Wire> {
    let mut wires: Vec<Wire> = request.constraints().iter().flat_map(|constraint| wires_of(profile, constraint)).collect();
    let tags: Vec<String> = request.constraints().iter().filter_map(tag).collect();
    if !tags.is_empty() {
        wires.push(Wire { of: ConstraintName::Tag, place: Where::Header, name: ends("-tagging"), value: is(tags.join("&")) });
    }
    wires
}

fn tag(constraint: &Constraint) -> Option<String> {
    match constraint {
        Constraint::Tag { key, value } => Some(format!("{}={}", encode::query(key), encode::query(value))),
        _ => None,
    }
}

fn is(text: impl Into<String>) -> Rule {
    Rule::Is(text.into())
}

fn ends(text: impl Into<String>) -> Rule {
    Rule::Ends(text.into())
}

/// The list is closed: a constraint that is forgotten here does not compile.
fn wires_of(profile: &Profile, constraint: &Constraint) -> Vec<Wire> {
    let of = constraint.name();
    let header = |name: Rule, value: Rule| vec![Wire { of, place: Where::Header, name, value }];
    let query = |name: &str, value: Rule| vec![Wire { of, place: Where::Query, name: is(name.to_ascii_lowercase()), value }];
    let either = |name: &str, value: Rule| vec![Wire { of, place: Where::Either, name: ends(name), value }];
    match constraint {
        Constraint::ContentType(ContentType::Fixed(value)) => header(is("content-type"), is(value)),
        // Tags share one header, so they are counted together.
        Constraint::ContentType(ContentType::Absent | ContentType::Free) | Constraint::Tag { .. } => Vec::new(),
        Constraint::ContentLength(bytes) => header(is("content-length"), is(bytes.to_string())),
        Constraint::ContentMd5(md5) => header(is("content-md5"), is(md5.as_str())),
        Constraint::Checksum(checksum) => header(ends(format!("-checksum-{}", checksum.algorithm().as_str())), is(checksum.value())),
        Constraint::Metadata { name, value } => header(ends(format!("-meta-{}", name.to_ascii_lowercase())), is(value)),
        Constraint::CacheControl(value) => header(is("cache-control"), is(value)),
        Constraint::ContentDisposition(value) => header(is("content-disposition"), is(value)),
        Constraint::ContentEncoding(value) => header(is("content-encoding"), is(value)),
        Constraint::ContentLanguage(value) => header(is("content-language"), is(value)),
        Constraint::Expires(at) => header(is("expires"), is(at.to_http_date())),
        Constraint::StorageClass(class) => header(ends("-storage-class"), storage_class(profile, class)),
        Constraint::Acl(acl) => header(ends("-acl"), is(acl.as_str())),
        Constraint::ServerSideEncryption(encryption) => encryption_wires(profile, encryption),
        Constraint::CustomerKey(key) => {
            let base64 = key.base64().expose();
            let values = [("algorithm", "AES256".to_owned()), ("key", base64.to_owned()), ("key-md5", digest::md5_of_base64(base64))];
            values.into_iter().flat_map(|(name, value)| header(ends(format!("-encryption-customer-{name}")), is(value))).collect()
        }
        Constraint::CreateOnly => header(is(profile.create_only.0), is(profile.create_only.1)),
        Constraint::IfMatch(etag) => header(is("if-match"), is(etag)),
        Constraint::Range(range) => header(is("range"), is(range.to_string())),
        Constraint::RequestPayer => either("-request-payer", is("requester")),
        Constraint::ExpectedBucketOwner(account) => header(ends("-expected-bucket-owner"), is(account)),
        Constraint::CopySource(source) => {
            let mut value = String::new();
            source.push_encoded(&mut value);
            header(ends("-copy-source"), ends(value))
        }
        Constraint::CopySourceRange { first, last } => header(ends("-copy-source-range"), is(format!("bytes={first}-{last}"))),
        Constraint::VersionId(id) => query("versionId", is(id)),
        Constraint::Response(name, value) => query(name.parameter(), is(value)),
        Constraint::DownloadName(name) => query(ResponseHeader::ContentDisposition.parameter(), ends(format!("; filename*=UTF-8''{}", encode::query(name)))),
        Constraint::UploadId(id) => query("uploadId", is(id)),
        Constraint::PartNumber(number) => query("partNumber", is(number.to_string())),
        Constraint::Prefix(value) => query("prefix", is(value)),
        Constraint::Delimiter(value) => query("delimiter", is(value)),
        Constraint::MaxKeys(keys) => query("max-keys", is(keys.to_string())),
        Constraint::ContinuationToken(value) => query("continuation-token", is(value)),
        Constraint::StartAfter(value) => query("start-after", is(value)),
        Constraint::MaxParts(parts) => query("max-parts", is(parts.to_string())),
        Constraint::PartNumberMarker(number) => query("part-number-marker", is(number.to_string())),
        Constraint::Process(instruction) => either("-process", is(instruction)),
        Constraint::TrafficLimit(bits) => either("-traffic-limit", is(bits.to_string())),
        Constraint::PayloadSha256(hex) => either("-content-sha256", is(hex)),
        Constraint::Header { name, value } => header(is(name.to_ascii_lowercase()), is(value)),
        Constraint::Query { name, value } => query(name, is(value)),
    }
}

fn storage_class(profile: &Profile, class: &StorageClass) -> Rule {
    match class {
        StorageClass::InfrequentAccess => is(profile.infrequent_access),
        StorageClass::Other(word) => is(word),
        // `Standard` and `Archive` have a word of each cloud; the sample is the one between them.
        StorageClass::Standard | StorageClass::Archive => ends(""),
    }
}

fn encryption_wires(profile: &Profile, encryption: &ServerSideEncryption) -> Vec<Wire> {
    let (word, key_id) = match encryption {
        ServerSideEncryption::Aes256 => ("AES256", None),
        ServerSideEncryption::Kms { key_id } => (profile.kms, key_id.as_ref()),
        ServerSideEncryption::Other { algorithm, key_id } => (algorithm.as_str(), key_id.as_ref()),
    };
    let wire = |name: &str, value: &str| Wire { of: ConstraintName::ServerSideEncryption, place: Where::Header, name: ends(name), value: is(value) };
    [("-server-side-encryption", Some(word)), ("-key-id", key_id.map(String::as_str))]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| wire(name, value)))
        .collect()
}
