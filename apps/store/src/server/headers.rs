//! Headers of a request, under the names of each cloud, as the store's own vocabulary; and back.

use crate::{
    Cloud, StoreError,
    chunked::{Announced, Decoder},
    digest::{Algorithm, Promises},
    objects::{Attributes, ObjectInfo, WriteCondition},
    xml,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use md5::{Digest as _, Md5};
use valetkey_core::verify::Payload;

/// Headers that ask for something that the store does not do. To ignore one would be to promise it.
const NOT_IMPLEMENTED: &[&str] = &[
    "x-amz-bucket-object-lock-enabled",
    "x-amz-expected-bucket-owner",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-source-expected-bucket-owner",
    "x-amz-write-offset-bytes",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-grant-read",
    "x-amz-grant-write",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-grant-full-control",
    "x-oss-callback",
    "x-oss-callback-var",
    "x-oss-process",
];

/// The headers of a request. Each is looked at under its lower-case name, and each that is looked at may stand only once.
///
/// Some SDKs put `x-amz-*` headers into the signed query; S3 takes them from there, but for checksums, and so does this. A header wins.
#[derive(Clone, Copy)]
pub(super) struct Headers<'a> {
    pub(super) cloud: Cloud,
    pub(super) map: &'a HeaderMap,
    pub(super) query: &'a [(String, String)],
}

impl<'a> Headers<'a> {
    /// A header's value.
    pub(super) fn get(&self, name: &str) -> Result<Option<&'a str>, StoreError> {
        let mut values = self.map.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(self.hoisted(name)) };
        if values.next().is_some() {
            return Err(StoreError::InvalidRequest { reason: "a header stands more than once" });
        }
        text(value).map(Some)
    }

    fn hoisted(&self, name: &str) -> Option<&'a str> {
        let found = self.hoisted_all().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    fn hoisted_all(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_header = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.starts_with("x-amz-") && !name.starts_with("x-amz-checksum-") && name != "x-amz-sdk-checksum-algorithm"
        };
        let pairs = self.query.iter().filter(move |_| self.cloud == Cloud::S3).map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(move |(name, _)| is_header(name))
    }

    /// The value of a header that has the cloud's prefix (`x-amz-`, `x-oss-`) before `name`.
    pub(super) fn own(&self, name: &str) -> Result<Option<&'a str>, StoreError> {
        self.get(&format!("{}{name}", prefix(self.cloud)))
    }

    /// Refuses what the store does not do.
    pub(super) fn check_implemented(&self) -> Result<(), StoreError> {
        if let Some(what) = NOT_IMPLEMENTED.iter().find(|name| self.map.contains_key(**name) || self.hoisted(name).is_some()) {
            return Err(StoreError::NotImplemented { what });
        }
        // A parameter that stands for a header must be able to be one, or it would be kept and never told.
        let is_header = |(name, value): &(&str, &str)| HeaderName::try_from(*name).is_ok() && HeaderValue::from_bytes(value.as_bytes()).is_ok();
        if let Some((name, _)) = self.hoisted_all().find(|pair| !is_header(pair)) {
            let value = name.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(StoreError::InvalidArgument { name: "query", value, reason: "stands for a header that cannot be one" });
        }
        Ok(())
    }

    /// What the writer says about the object.
    pub(super) fn attributes(&self) -> Result<Attributes, StoreError> {
        let plain = |name| Ok::<_, StoreError>(self.get(name)?.map(str::to_owned));
        let own = |name| Ok::<_, StoreError>(self.own(name)?.map(str::to_owned));
        let mut attributes = Attributes {
            content_type: plain("content-type")?.filter(|value| !value.is_empty()),
            cache_control: plain("cache-control")?,
            content_disposition: plain("content-disposition")?,
            content_encoding: self.content_encoding()?,
            content_language: plain("content-language")?,
            expires: plain("expires")?,
            storage_class: own("storage-class")?,
            acl: match self.cloud {
                Cloud::S3 => own("acl")?,
                Cloud::Oss => own("object-acl")?,
            },
            tagging: own("tagging")?,
            website_redirect: match self.cloud {
                Cloud::S3 => own("website-redirect-location")?,
                Cloud::Oss => None,
            },
            ..Default::default()
        };
        let (meta, encryption) = (format!("{}meta-", prefix(self.cloud)), format!("{}server-side-", prefix(self.cloud)));
        for (name, value) in self.hoisted_all() {
            let name = name.to_ascii_lowercase();
            if let Some(short) = name.strip_prefix(&meta) {
                attributes.user.insert(short.into(), value.into());
            } else if name.starts_with(&encryption) && !name.ends_with("-customer-key") {
                attributes.encryption.insert(name.get(prefix(self.cloud).len()..).unwrap_or_default().into(), value.into());
            }
        }
        for name in self.map.keys() {
            if let Some(short) = name.as_str().strip_prefix(&meta) {
                // Several values of one name are one, joined as HTTP joins them and as the signature covers them.
                let values = self.map.get_all(name).iter().map(text).collect::<Result<Vec<_>, _>>()?;
                attributes.user.insert(short.into(), values.join(","));
            } else if name.as_str().starts_with(&encryption) && !name.as_str().ends_with("-customer-key") {
                let short = name.as_str().get(prefix(self.cloud).len()..).unwrap_or_default();
                attributes.encryption.insert(short.into(), self.get(name.as_str())?.unwrap_or_default().into());
            }
        }
        self.check_new_customer_key()?;
        attributes.check(self.cloud)?;
        Ok(attributes)
    }

    /// `Content-Encoding` without `aws-chunked`, which is a coding of the request and not of the object.
    fn content_encoding(&self) -> Result<Option<String>, StoreError> {
        let Some(value) = self.get("content-encoding")? else { return Ok(None) };
        if self.cloud == Cloud::Oss || !names_chunks(value) {
            return Ok(Some(value.to_owned()));
        }
        let rest: Vec<&str> = value.split(',').map(str::trim).filter(|token| !token.is_empty() && !names_chunks(token)).collect();
        Ok(Some(rest.join(",")).filter(|rest| !rest.is_empty()))
    }

    /// How an `aws-chunked` body is to be read; `None` for any other body.
    pub(super) fn chunks(&self, payload: &Payload) -> Result<Option<Decoder>, StoreError> {
        let (trailer, length) = (self.get("x-amz-trailer")?, self.get("x-amz-decoded-content-length")?);
        let Payload::Chunked { signatures, has_trailer } = payload else {
            if self.cloud == Cloud::S3 && self.get("content-encoding")?.is_some_and(names_chunks) {
                return Err(StoreError::InvalidRequest { reason: "Content-Encoding names aws-chunked, and x-amz-content-sha256 does not" });
            }
            return match trailer.or(length) {
                None => Ok(None),
                Some(_) => Err(StoreError::InvalidRequest { reason: "x-amz-trailer and x-amz-decoded-content-length go with an aws-chunked body" }),
            };
        };
        let announced = match (trailer, has_trailer) {
            (Some(name), true) => Some(Announced::read(name)?),
            (None, false) => None,
            (Some(_), false) => return Err(StoreError::InvalidRequest { reason: "x-amz-trailer announces what x-amz-content-sha256 does not" }),
            (None, true) => return Err(StoreError::InvalidRequest { reason: "x-amz-trailer does not say what the trailer will be" }),
        };
        let length = length.ok_or(StoreError::MissingContentLength)?;
        let length = length.bytes().all(|byte| byte.is_ascii_digit()).then(|| length.parse().ok()).flatten();
        let length = length.ok_or(StoreError::InvalidRequest { reason: "x-amz-decoded-content-length is not a number" })?;
        Ok(Some(Decoder::new(signatures.clone(), announced, length)))
    }

    /// What the request promises of its body, but for its length. `payload` is what the signature says of it.
    pub(super) fn promises(&self, payload: &Payload) -> Result<Promises, StoreError> {
        let mut promises = self.body_promises(payload)?;
        if self.cloud == Cloud::Oss {
            return match self.get("x-oss-hash-crc64ecma")? {
                Some(value) => promises.crc64_ecma(value),
                None => Ok(promises),
            };
        }
        let checksums = self.object_checksums()?;
        let trailer = self.get("x-amz-trailer")?.map(Announced::read).transpose()?;
        if let Some(Announced(algorithm)) = trailer {
            promises = promises.compute(algorithm);
        }
        let announced = self.get("x-amz-sdk-checksum-algorithm")?;
        let is_there = |name: &str| {
            let sent = checksums.iter().map(|(algorithm, _)| *algorithm).chain(trailer.map(|trailer| trailer.0));
            sent.into_iter().any(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
        };
        if announced.is_some_and(|name| !is_there(name)) {
            return Err(StoreError::InvalidRequest { reason: "x-amz-sdk-checksum-algorithm announces a checksum, and none was sent" });
        }
        for (algorithm, value) in checksums {
            promises = promises.checksum(algorithm, &value)?;
        }
        Ok(promises)
    }

    /// What the request promises of its body where the checksum headers are about something else: the object that an upload becomes.
    pub(super) fn body_promises(&self, payload: &Payload) -> Result<Promises, StoreError> {
        let promises = match payload {
            Payload::Unsigned => Promises::new(),
            Payload::Sha256(digest) => Promises::new().payload_sha256(*digest),
            Payload::Chunked { .. } => Promises::new(),
            _ => return Err(StoreError::NotImplemented { what: "this x-amz-content-sha256" }),
        };
        match self.get("content-md5")? {
            Some(value) => promises.content_md5(value),
            None => Ok(promises),
        }
    }

    /// The checksums of the S3 headers.
    pub(super) fn object_checksums(&self) -> Result<Vec<(Algorithm, String)>, StoreError> {
        let mut found = Vec::new();
        for name in self.map.keys() {
            let Some(short) = name.as_str().strip_prefix("x-amz-checksum-").filter(|short| !matches!(*short, "algorithm" | "mode" | "type")) else { continue };
            let algorithm = Algorithm::from_name(short).ok_or(StoreError::NotImplemented { what: "this checksum algorithm" })?;
            found.push((algorithm, self.get(name.as_str())?.unwrap_or_default().to_owned()));
        }
        Ok(found)
    }

    /// The size that an upload must become.
    pub(super) fn object_size(&self) -> Result<Option<u64>, StoreError> {
        let Some(text) = self.get("x-amz-mp-object-size")? else { return Ok(None) };
        let size = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        size.map(Some).ok_or(StoreError::InvalidRequest { reason: "x-amz-mp-object-size is not a number" })
    }

    /// The condition of a write.
    pub(super) fn write_condition(&self) -> Result<WriteCondition, StoreError> {
        if self.cloud == Cloud::Oss {
            return match self.own("forbid-overwrite")? {
                Some(value) if value.eq_ignore_ascii_case("true") => Ok(WriteCondition::CreateOnly),
                None => Ok(WriteCondition::None),
                Some(value) if value.eq_ignore_ascii_case("false") => Ok(WriteCondition::None),
                Some(value) => Err(StoreError::InvalidArgument { name: "x-oss-forbid-overwrite", value: value.into(), reason: "must be true or false" }),
            };
        }
        match (self.get("if-none-match")?, self.get("if-match")?) {
            (None, None) => Ok(WriteCondition::None),
            (Some("*"), None) => Ok(WriteCondition::CreateOnly),
            (Some(_), None) => Err(StoreError::NotImplemented { what: "If-None-Match with an ETag on a write (`*` is)" }),
            (None, Some(etag)) => Ok(WriteCondition::IfMatch(etag.into())),
            (Some(_), Some(_)) => Err(StoreError::InvalidRequest { reason: "If-Match and If-None-Match do not go together on a write" }),
        }
    }

    /// Refuses to write an object with a customer's key unless all that is needed to read it again is there: algorithm, key, and the key's MD5.
    fn check_new_customer_key(&self) -> Result<(), StoreError> {
        let header = |last: &str| self.own(&format!("server-side-encryption-customer-{last}"));
        let said = match (header("algorithm")?, header("key")?, header("key-md5")?) {
            (None, None, None) => return Ok(()),
            (Some("AES256"), Some(key), Some(digest)) => STANDARD.decode(key).ok().filter(|key| key.len() == 32).map(|key| (key, digest)),
            _ => None,
        };
        match said {
            Some((key, digest)) if STANDARD.encode(Md5::digest(&key)) == digest => Ok(()),
            _ => Err(StoreError::InvalidRequest { reason: "a customer's key needs the algorithm AES256, the base64 of 32 bytes, and the MD5 of these" }),
        }
    }

    /// Refuses to read an object with a customer's key unless the request names the same key, as the clouds do. Nothing is encrypted here,
    /// but a program that forgets the headers shall learn it here.
    /// `of` is what stands before the names of the headers: nothing, or `copy-source-` for the source of a copy.
    pub(super) fn check_customer_key(&self, info: &ObjectInfo, of: &str) -> Result<(), StoreError> {
        let kept = info.attributes.encryption.iter().find(|(name, _)| name.eq_ignore_ascii_case(CUSTOMER_KEY_DIGEST));
        match (kept, self.own(&format!("{of}{CUSTOMER_KEY_DIGEST}"))?) {
            (Some((_, kept)), Some(given)) if kept == given => Ok(()),
            (None, None) => Ok(()),
            (Some(_), _) => Err(StoreError::InvalidRequest { reason: "the object has a customer's key, and the request does not name that key" }),
            (None, Some(_)) => Err(StoreError::InvalidRequest { reason: "the object has no customer's key, and the request names one" }),
        }
    }
}

/// The name, behind the cloud's prefix, of the header with the MD5 of a customer's key.
const CUSTOMER_KEY_DIGEST: &str = "server-side-encryption-customer-key-md5";

/// What every header of the cloud begins with.
pub(super) fn prefix(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::S3 => "x-amz-",
        Cloud::Oss => "x-oss-",
    }
}

fn names_chunks(coding: &str) -> bool {
    coding.split(',').any(|token| token.trim().eq_ignore_ascii_case("aws-chunked"))
}

fn text(value: &HeaderValue) -> Result<&str, StoreError> {
    std::str::from_utf8(value.as_bytes()).map(str::trim).map_err(|_| StoreError::InvalidRequest { reason: "a header is not UTF-8" })
}

/// Puts a header in an answer; a value that no header can have is left out, which the readers of values make impossible.
pub(super) fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
        headers.insert(name, value);
    }
}

/// The ETag and the digests of what was written.
pub(super) fn put_digests<'a>(headers: &mut HeaderMap, cloud: Cloud, etag: &str, crc64: u64, checksums: impl Iterator<Item = (&'a Algorithm, &'a String)>) {
    put(headers, "etag", &xml::etag(cloud, etag));
    match cloud {
        Cloud::S3 => checksums.for_each(|(algorithm, value)| put(headers, &format!("x-amz-checksum-{}", algorithm.name().to_ascii_lowercase()), value)),
        Cloud::Oss => put(headers, "x-oss-hash-crc64ecma", &crc64.to_string()),
    }
}

/// All that GET and HEAD tell about an object, but for length, range and overrides.
pub(super) fn describe(headers: &mut HeaderMap, cloud: Cloud, info: &ObjectInfo, with_checksums: bool) {
    let attributes = &info.attributes;
    let checksums = info.checksums.iter().filter(|_| with_checksums);
    put_digests(headers, cloud, &info.etag, info.crc64_ecma, checksums);
    let default_type = match cloud {
        Cloud::S3 => "binary/octet-stream",
        Cloud::Oss => "application/octet-stream",
    };
    put(headers, "content-type", attributes.content_type.as_deref().unwrap_or(default_type));
    put(headers, "last-modified", &crate::time::http_date(info.last_modified));
    put(headers, "accept-ranges", "bytes");
    let plain = [
        (header::CACHE_CONTROL, &attributes.cache_control),
        (header::CONTENT_DISPOSITION, &attributes.content_disposition),
        (header::CONTENT_ENCODING, &attributes.content_encoding),
        (header::CONTENT_LANGUAGE, &attributes.content_language),
        (header::EXPIRES, &attributes.expires),
    ];
    for (name, value) in plain {
        if let Some(value) = value {
            put(headers, name.as_str(), value);
        }
    }
    let own = prefix(cloud);
    for (name, value) in &attributes.user {
        put(headers, &format!("{own}meta-{name}"), value);
    }
    put_encryption(headers, cloud, info);
    match (cloud, attributes.storage_class.as_deref()) {
        (Cloud::S3, Some(class)) if class != "STANDARD" => put(headers, "x-amz-storage-class", class),
        (Cloud::S3, _) => {}
        (Cloud::Oss, class) => put(headers, "x-oss-storage-class", class.unwrap_or("Standard")),
    }
    if let Some(tagging) = &attributes.tagging {
        let name = if cloud == Cloud::S3 { "x-amz-tagging-count" } else { "x-oss-tagging-count" };
        put(headers, name, &tagging.split('&').filter(|tag| !tag.is_empty()).count().to_string());
    }
    match (cloud, &attributes.website_redirect) {
        (Cloud::S3, Some(location)) => put(headers, "x-amz-website-redirect-location", location),
        (Cloud::S3, None) => {}
        (Cloud::Oss, _) => put(headers, "x-oss-object-type", if info.parts.is_some() { "Multipart" } else { "Normal" }),
    }
}

/// The words about encryption.
pub(super) fn put_encryption(headers: &mut HeaderMap, cloud: Cloud, info: &ObjectInfo) {
    for (name, value) in &info.attributes.encryption {
        put(headers, &format!("{}{name}", prefix(cloud)), value);
    }
}
