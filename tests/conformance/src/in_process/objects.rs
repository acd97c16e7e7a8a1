//! Objects and uploads in memory, with as much of the clouds' behaviour as the suite looks at.

use std::collections::BTreeMap;

use valetkey_core::verify::{Payload, SuccessAction, Verified, VerifiedForm};
use valetkey_core::{ChecksumAlgorithm, encode};

use crate::backend::WireResponse;
use crate::digest;
use crate::profile::{Profile, Why};

/// A status and an error code.
type Refused = (u16, &'static str);

/// A verified request.
pub(super) struct Call<'a> {
    pub(super) profile: &'a Profile,
    pub(super) verified: &'a Verified,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

impl Call<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A header with the provider's prefix.
    fn own(&self, name: &str) -> Option<&str> {
        self.header(&format!("{}{name}", self.profile.header_prefix))
    }

    fn has(&self, parameter: &str) -> bool {
        self.verified.parameter(parameter).is_some()
    }

    fn no(&self, why: Why) -> Refused {
        no(self.profile, why)
    }

    /// What the object tells of itself when it is read.
    fn attributes(&self) -> BTreeMap<String, String> {
        self.headers.iter().filter(|(name, _)| is_kept(self.profile, name)).cloned().collect()
    }

    /// Every digest that was promised must be the body's.
    fn check_digests(&self) -> Result<(), Refused> {
        let md5 = self.header("content-md5").is_none_or(|promised| promised == digest::base64(&digest::md5(self.body)));
        let payload = !matches!(self.verified.payload(), Payload::Sha256(promised) if *promised != digest::sha256(self.body));
        let checksum = |algorithm: &ChecksumAlgorithm| {
            let promised = self.own(&format!("checksum-{}", algorithm.as_str()));
            promised.is_none_or(|promised| digest::checksum(*algorithm, self.body).as_deref() == Some(promised))
        };
        let checksums = self.has("uploadId") && !self.has("partNumber") || ChecksumAlgorithm::ALL.iter().all(checksum);
        if md5 && payload && checksums { Ok(()) } else { Err(self.no(Why::Digest)) }
    }

    fn check_conditions(&self, found: Option<&Object>) -> Result<(), Refused> {
        let (name, value) = self.profile.create_only;
        if found.is_some() && self.header(name) == Some(value) {
            return Err(self.no(Why::Exists));
        }
        match self.header("if-match") {
            Some(etag) if found.is_none_or(|object| object.etag != etag) => Err(self.no(Why::Precondition)),
            _ => Ok(()),
        }
    }

    fn part_number(&self) -> u32 {
        self.verified.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

const CUSTOMER_KEY: &str = "server-side-encryption-customer-key-md5";

fn no(profile: &Profile, why: Why) -> Refused {
    profile.codes(why).first().copied().unwrap_or((400, "InvalidRequest"))
}

/// Whether an object tells of a header when it is read.
fn is_kept(profile: &Profile, name: &str) -> bool {
    const PLAIN: [&str; 6] = ["content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"];
    let own = name.strip_prefix(profile.header_prefix);
    PLAIN.contains(&name) || own.is_some_and(|own| own.starts_with("meta-") || own == "storage-class" || own == CUSTOMER_KEY)
}

#[derive(Debug, Clone)]
struct Object {
    body: Vec<u8>,
    attributes: BTreeMap<String, String>,
    etag: String,
}

impl Object {
    fn new(body: Vec<u8>, attributes: BTreeMap<String, String>) -> Self {
        let etag = format!("\"{}\"", digest::md5_hex(&body));
        Self { body, attributes, etag }
    }
}

#[derive(Debug)]
struct Upload {
    key: String,
    attributes: BTreeMap<String, String>,
    parts: BTreeMap<u32, Object>,
}

/// The bucket.
#[derive(Debug, Default)]
pub(super) struct Objects {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    begun: u32,
}

impl Objects {
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Decided as the clouds do: by method, key and the parameters that make an operation.
    pub(super) fn act(&mut self, call: &Call<'_>) -> Result<WireResponse, Refused> {
        let upload = call.verified.parameter("uploadId");
        let Some(key) = call.verified.key().map(|key| key.as_str().to_owned()) else {
            return if call.verified.parameter("list-type") == Some("2") { Ok(self.list(call)) } else { Err((501, "NotImplemented")) };
        };
        if call.verified.parameter("versionId").is_some_and(|version| version != "null") {
            return Err((404, "NoSuchVersion"));
        }
        if let Some(id) = upload
            && self.uploads.get(id).is_none_or(|upload| upload.key != key)
        {
            return Err(call.no(Why::NoUpload));
        }
        match (call.verified.method(), upload) {
            ("GET", Some(id)) => Ok(self.list_parts(id)),
            ("GET" | "HEAD", None) => self.read(call, &key),
            ("PUT", Some(id)) => self.put_part(call, id),
            ("PUT", None) => self.put(call, key),
            ("DELETE", Some(id)) => {
                self.uploads.remove(id);
                Ok(WireResponse::new(204, Vec::new(), Vec::new()))
            }
            ("DELETE", None) => {
                call.check_conditions(self.objects.get(&key).filter(|_| call.header("if-match").is_some()))?;
                self.objects.remove(&key);
                Ok(WireResponse::new(204, Vec::new(), Vec::new()))
            }
            ("POST", Some(id)) => self.complete(call, id, key),
            ("POST", None) if call.has("uploads") => Ok(self.begin(call, key)),
            _ => Err((405, "MethodNotAllowed")),
        }
    }

    /// The bytes of the copy's source, or the request's own.
    fn content(&self, call: &Call<'_>) -> Result<Option<Object>, Refused> {
        let Some(source) = call.own("copy-source") else {
            call.check_digests()?;
            return Ok(None);
        };
        let path = encode::decode(source.trim_start_matches('/')).map_err(|_| (400, "InvalidArgument"))?;
        let (bucket, key) = path.split_once('/').ok_or((400, "InvalidArgument"))?;
        let object = self.objects.get(key).filter(|_| Some(bucket) == call.verified.bucket()).ok_or(call.no(Why::NoObject))?;
        let mut copy = object.clone();
        if let Some(range) = call.own("copy-source-range") {
            let (first, last) = bounds(range, copy.body.len()).ok_or((400, "InvalidArgument"))?;
            copy.body = copy.body.get(first..=last).unwrap_or_default().to_vec();
        }
        Ok(Some(copy))
    }

    fn put(&mut self, call: &Call<'_>, key: String) -> Result<WireResponse, Refused> {
        call.check_conditions(self.objects.get(&key))?;
        let copy = self.content(call)?;
        let is_copy = copy.is_some();
        let object = match copy {
            Some(copy) => Object::new(copy.body, copy.attributes),
            None => Object::new(call.body.to_vec(), call.attributes()),
        };
        let answer = written(&object.etag, is_copy.then_some("CopyObjectResult"));
        self.objects.insert(key, object);
        Ok(answer)
    }

    fn read(&self, call: &Call<'_>, key: &str) -> Result<WireResponse, Refused> {
        let object = self.objects.get(key).ok_or(call.no(Why::NoObject))?;
        let kept = object.attributes.get(&format!("{}{CUSTOMER_KEY}", call.profile.header_prefix)).map(String::as_str);
        if kept != call.own(CUSTOMER_KEY) {
            return Err((400, "InvalidRequest"));
        }
        if call.header("if-match").is_some() {
            call.check_conditions(Some(object))?;
        }
        let (status, body) = match call.header("range") {
            Some(range) => {
                let (first, last) = bounds(range, object.body.len()).ok_or((416, "InvalidRange"))?;
                (206, object.body.get(first..=last).unwrap_or_default())
            }
            None => (200, object.body.as_slice()),
        };
        let mut headers = object.attributes.clone();
        headers.insert("etag".to_owned(), object.etag.clone());
        headers.insert("content-length".to_owned(), body.len().to_string());
        for (name, value) in call.verified.query() {
            if let Some(name) = name.strip_prefix("response-") {
                headers.insert(name.to_owned(), value.clone());
            }
        }
        Ok(WireResponse::new(status, headers.into_iter().collect(), body.to_vec()))
    }

    /// Stores the file of a form and answers as the form asks.
    pub(super) fn post(&mut self, profile: &Profile, form: &VerifiedForm, file: Vec<u8>) -> Result<WireResponse, Refused> {
        let key = form.key().as_str();
        let (name, value) = profile.create_only;
        if self.objects.contains_key(key) && form.field(name) == Some(value) {
            return Err(no(profile, Why::Exists));
        }
        for algorithm in ChecksumAlgorithm::ALL {
            let promised = form.field(&format!("{}checksum-{}", profile.header_prefix, algorithm.as_str()));
            if promised.is_some_and(|promised| digest::checksum(algorithm, &file).as_deref() != Some(promised)) {
                return Err(no(profile, Why::Digest));
            }
        }
        let type_field = profile.forms.map_or("content-type", |forms| forms.content_type);
        let named = |(name, value): &(String, String)| {
            let lower = name.to_ascii_lowercase();
            let name = if name.eq_ignore_ascii_case(type_field) { "content-type".to_owned() } else { lower };
            is_kept(profile, &name).then(|| (name, value.clone()))
        };
        let object = Object::new(file, form.fields().iter().filter_map(named).collect());
        let etag = object.etag.clone();
        self.objects.insert(key.to_owned(), object);
        let headers = vec![("etag".to_owned(), etag.clone())];
        Ok(match form.success_action() {
            SuccessAction::Status(201) => {
                let (bucket, key, etag) = (escaped(form.bucket()), escaped(key), escaped(&etag));
                let body = format!("<PostResponse><Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>{etag}</ETag></PostResponse>");
                WireResponse::new(201, headers, body.into_bytes())
            }
            SuccessAction::Status(status) => WireResponse::new(status, headers, Vec::new()),
            SuccessAction::Redirect(url) => {
                let more = [("bucket", form.bucket()), ("key", key), ("etag", &etag)].map(|(name, value)| format!("{name}={}", encode::query(value)));
                let url = format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, more.join("&"));
                WireResponse::new(303, vec![("location".to_owned(), url)], Vec::new())
            }
        })
    }

    fn begin(&mut self, call: &Call<'_>, key: String) -> WireResponse {
        self.begun += 1;
        let id = format!("upload-{}", self.begun);
        let body = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        self.uploads.insert(id, Upload { key, attributes: call.attributes(), parts: BTreeMap::new() });
        WireResponse::new(200, Vec::new(), body.into_bytes())
    }

    fn put_part(&mut self, call: &Call<'_>, id: &str) -> Result<WireResponse, Refused> {
        let copy = self.content(call)?;
        let result = copy.is_some().then_some("CopyPartResult");
        let part = Object::new(copy.map_or_else(|| call.body.to_vec(), |copy| copy.body), BTreeMap::new());
        let answer = written(&part.etag, result);
        let upload = self.uploads.get_mut(id).ok_or(call.no(Why::NoUpload))?;
        upload.parts.insert(call.part_number(), part);
        Ok(answer)
    }

    fn list_parts(&self, id: &str) -> WireResponse {
        let parts = self.uploads.get(id).into_iter().flat_map(|upload| upload.parts.keys());
        let parts: String = parts.map(|number| format!("<Part><PartNumber>{number}</PartNumber></Part>")).collect();
        WireResponse::new(200, Vec::new(), format!("<ListPartsResult>{parts}</ListPartsResult>").into_bytes())
    }

    fn complete(&mut self, call: &Call<'_>, id: &str, key: String) -> Result<WireResponse, Refused> {
        call.check_digests()?;
        call.check_conditions(self.objects.get(&key))?;
        let text = String::from_utf8_lossy(call.body).into_owned();
        let upload = self.uploads.get(id).ok_or(call.no(Why::NoUpload))?;
        let named = |(number, part): (&u32, &Object)| text.contains(&format!("<PartNumber>{number}</PartNumber><ETag>{}</ETag>", part.etag));
        if upload.parts.is_empty() || !upload.parts.iter().all(named) {
            return Err((400, "InvalidPart"));
        }
        let body = upload.parts.values().flat_map(|part| part.body.iter().copied()).collect();
        let object = Object::new(body, upload.attributes.clone());
        let answer = written(&object.etag, Some("CompleteMultipartUploadResult"));
        self.uploads.remove(id);
        self.objects.insert(key, object);
        Ok(answer)
    }

    fn list(&self, call: &Call<'_>) -> WireResponse {
        let text = |name: &str| call.verified.parameter(name).unwrap_or_default();
        let after = text("continuation-token").max(text("start-after"));
        let max: usize = text("max-keys").parse().unwrap_or(1000);
        let mut keys = self.objects.keys().filter(|key| key.starts_with(text("prefix")) && key.as_str() > after).peekable();
        let mut body = String::from("<ListBucketResult>");
        let mut last = "";
        for key in keys.by_ref().take(max) {
            body.push_str(&format!("<Contents><Key>{}</Key></Contents>", escaped(key)));
            last = key;
        }
        if keys.peek().is_some() {
            body.push_str(&format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(last)));
        }
        body.push_str("</ListBucketResult>");
        WireResponse::new(200, Vec::new(), body.into_bytes())
    }
}

fn written(etag: &str, result: Option<&str>) -> WireResponse {
    let body = result.map_or_else(String::new, |result| format!("<{result}><ETag>{}</ETag></{result}>", escaped(etag)));
    WireResponse::new(200, vec![("etag".to_owned(), etag.to_owned())], body.into_bytes())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// First and last byte of `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT`.
fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", count) => (size.saturating_sub(count.parse().ok()?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}
