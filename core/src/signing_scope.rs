//! What all signatures of one credential, day and place share, and how a URL is signed with it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::crypto::{self, Mac, Sha256, SigningKey};
use crate::operation::Method;
use crate::options::Validity;
use crate::post_policy::{FormMoment, FormRules, FormTexts};
use crate::query_template::{Gap, QueryTemplate};
use crate::request::ObjectRequest;
use crate::target::Target;
use crate::time::{BasicTime, Timestamp};

/// A derived key, and the texts that all signatures of its credential scope at one target share.
///
/// A presigner makes it once for a day and keeps it, so that a signature writes only what is new in it. [`Dialect::prepare`](crate::Dialect::prepare) makes it.
#[derive(Debug, Clone)]
pub struct SigningScope {
    day: Arc<Day>,
    /// Beside the day: the signing time and life that are expected.
    moment: Option<Arc<Moment>>,
}

/// The texts of a [`SigningScope`], for dialects that write from them; others leave them empty.
#[derive(Debug, Default)]
pub struct ScopeTexts {
    /// The query of a URL.
    pub query: QueryTemplate,
    /// `/BUCKET` where the canonical request names the object by bucket and key, and nothing where it has the path of the URL.
    pub resource: Option<String>,
    /// What stands in the gap of the signed headers where a request binds none.
    pub no_header_names: &'static str,
    /// The canonical request from the end of the query, where a request binds no header.
    pub without_headers: String,
    /// The string to sign up to the time of the day.
    pub before_time: String,
    /// The string to sign between the time of the day and the digest.
    pub after_time: String,
    /// The parameter of the signature, from `&` to `=`.
    pub signature: String,
}

/// What a URL has of its own, beside path, time and life.
pub struct UrlParts<'a, N, R> {
    /// The request's own parameters.
    pub own: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// What the headers make of the canonical request; `None` where none is bound.
    pub headers: Option<HeaderParts<N, R>>,
}

/// What bound headers make of the canonical request.
pub struct HeaderParts<N, R> {
    /// Bytes that are written at the most.
    pub bytes: usize,
    /// Writes the names of the signed headers.
    pub names: N,
    /// Writes the canonical request from the end of the query.
    pub rest: R,
}

#[derive(Debug)]
struct Day {
    key: SigningKey,
    number: u64,
    date: BasicTime,
    /// For each method the canonical request up to the path of an object.
    heads: [String; Method::COUNT],
    /// The URL of an object up to its key.
    objects: String,
    /// The URL of the bucket.
    bucket: String,
    /// Where the path of both begins.
    path_at: usize,
    /// Where the part of an object's path begins that is signed.
    signed_at: usize,
    texts: ScopeTexts,
    form: Option<FormTexts>,
}

/// What is the same in all signatures of a second with one life.
struct Moment {
    signed_at: Timestamp,
    seconds: u32,
    /// The URL from the query to the signature, where nothing but the defaults is signed. It holds the session token, as does the next.
    query: Zeroizing<String>,
    /// Where in it the names of the headers stand that are signed anyway, which those of a request take the place of.
    names: Option<Range<usize>>,
    /// The canonical request from the end of the path.
    canonical: Zeroizing<String>,
    /// HMAC after the string to sign up to the digest.
    mac: Mac,
    form: Option<FormMoment>,
}

impl SigningScope {
    /// A key, without texts.
    #[must_use]
    pub fn new(key: SigningKey, day: Timestamp, target: &Target) -> Self {
        let origin = [target.scheme.as_str(), "://", &target.authority].concat();
        let day = Day {
            key,
            number: day.day(),
            date: day.to_basic(),
            objects: [&origin, &*target.path_prefix, "/"].concat(),
            bucket: [&*origin, &target.bucket_path].concat(),
            path_at: origin.len(),
            signed_at: origin.len(),
            heads: Method::LINES.map(String::from),
            texts: ScopeTexts::default(),
            form: None,
        };
        Self { day: Arc::new(day), moment: None }
    }

    /// Adds the texts. Of a scope that was cloned they stay as they are.
    #[must_use]
    pub fn with_texts(mut self, texts: ScopeTexts) -> Self {
        if let Some(day) = Arc::get_mut(&mut self.day) {
            if let Some(bucket) = &texts.resource {
                // A base path of the endpoint is not signed, and the bucket is, whether it stands in the path or not.
                day.signed_at = day.objects.len().saturating_sub(1);
                day.heads.iter_mut().for_each(|head| head.push_str(bucket));
            }
            day.texts = texts;
        }
        self
    }

    /// Prepares what all forms of the day have. Left out, each form writes it.
    #[must_use]
    pub fn with_form(mut self, rules: &FormRules, credentials: &Credentials, target: &Target, day: Timestamp) -> Self {
        if let Some(own) = Arc::get_mut(&mut self.day) {
            own.form = Some(FormTexts::new(rules, credentials, target, day));
        }
        self
    }

    pub(crate) fn form(&self) -> Option<&FormTexts> {
        self.day.form.as_ref()
    }

    pub(crate) fn form_moment(&self, validity: &Validity) -> Option<&FormMoment> {
        self.moment(validity)?.form.as_ref()
    }

    /// The same scope, prepared for one signing time and life, of which many signatures are expected. It signs others as well.
    #[must_use]
    pub fn expecting(&self, validity: &Validity) -> Self {
        let texts = &self.day.texts;
        let clock = validity.signed_at().clock();
        let clock = core::str::from_utf8(&clock).unwrap_or_default();
        let mut query = Zeroizing::new(String::with_capacity(texts.query.len().saturating_add(CLOCK_AND_LIFE + HEX)));
        let mut names = None;
        texts.query.push(&mut query, &[], |query, gap| {
            fill(query, gap, clock, validity, texts.no_header_names);
            if gap == Gap::SignedHeaders {
                // After the question mark.
                names = Some(query.len().saturating_sub(texts.no_header_names.len()).saturating_add(1)..query.len().saturating_add(1));
            }
        });
        let canonical = Zeroizing::new(["\n", &query, &texts.without_headers].concat());
        let query = Zeroizing::new(["?", &query, &texts.signature].concat());
        let mac = self.start(clock);
        let form = self.form().map(|texts| FormMoment::new(texts, validity));
        let moment = Moment { signed_at: validity.signed_at(), seconds: validity.seconds(), query, names, canonical, mac, form };
        Self { day: Arc::clone(&self.day), moment: Some(Arc::new(moment)) }
    }

    /// The derived key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.day.key
    }

    /// The day, `YYYYMMDD`.
    #[must_use]
    pub fn day(&self) -> &str {
        self.day.date.day()
    }

    /// Whether a moment is of this day (UTC).
    #[must_use]
    pub fn is_of(&self, moment: Timestamp) -> bool {
        self.day.number == moment.day()
    }

    /// Whether it is [prepared](Self::expecting) for just this signing time and life.
    #[must_use]
    pub fn expects(&self, validity: &Validity) -> bool {
        self.moment(validity).is_some()
    }

    fn moment(&self, validity: &Validity) -> Option<&Moment> {
        self.moment.as_deref().filter(|moment| moment.signed_at == validity.signed_at() && moment.seconds == validity.seconds())
    }

    /// Writes a URL into `url`, which is empty, and signs it, for a canonical request of method, path, query and the rest, a line each.
    ///
    /// Path and query stand in the canonical request exactly as they stand in the URL, so they are hashed there. The rest is written behind the URL and taken
    /// away again: a text of one allocation.
    #[inline]
    pub fn sign_url(
        &self,
        url: &mut String,
        validity: &Validity,
        request: &ObjectRequest,
        parts: UrlParts<'_, impl Fn(&mut String), impl FnOnce(&mut String)>,
    ) {
        let day = &*self.day;
        match (self.moment(validity), parts) {
            (Some(moment), UrlParts { own: [], headers: None }) => day.sign_plain(url, moment, request),
            (moment, parts) => {
                let digest = day.write(url, moment, validity, request, parts);
                let mut mac = moment.map_or_else(|| self.start_at(validity), |moment| moment.mac.clone());
                push_signature(url, &mut mac, &digest);
            }
        }
    }

    fn start_at(&self, validity: &Validity) -> Mac {
        self.start(core::str::from_utf8(&validity.signed_at().clock()).unwrap_or_default())
    }

    fn start(&self, clock: &str) -> Mac {
        let mut mac = self.day.key.start();
        for part in [&self.day.texts.before_time, clock, &self.day.texts.after_time] {
            mac.update(part);
        }
        mac
    }
}

impl Day {
    /// A URL of which nothing but the key is new.
    fn sign_plain(&self, url: &mut String, moment: &Moment, request: &ObjectRequest) {
        self.make_room(url, request, moment.query.len().saturating_add(HEX));
        let mut hash = Sha256::new();
        self.push_path(url, request, &mut hash);
        hash.update(&moment.canonical);
        url.push_str(&moment.query);
        let mut mac = moment.mac.clone();
        push_signature(url, &mut mac, &hash.complete());
    }

    /// Any URL, up to the signature. Gives the digest of the canonical request.
    #[inline]
    fn write(
        &self,
        url: &mut String,
        moment: Option<&Moment>,
        validity: &Validity,
        request: &ObjectRequest,
        parts: UrlParts<'_, impl Fn(&mut String), impl FnOnce(&mut String)>,
    ) -> [u8; 32] {
        let texts = &self.texts;
        let own = parts.own.iter().map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(2)).fold(0, usize::saturating_add);
        let of_headers = parts.headers.as_ref().map_or(texts.without_headers.len(), |headers| headers.bytes);
        let behind = of_headers.saturating_mul(2).max(texts.signature.len().saturating_add(HEX));
        self.make_room(url, request, [texts.query.len(), own, behind, CLOCK_AND_LIFE].into_iter().fold(0, usize::saturating_add));

        let mut hash = Sha256::new();
        self.push_path(url, request, &mut hash);
        url.push('?');
        let query = url.len();
        let names = parts.headers.as_ref().map(|headers| &headers.names);
        match moment {
            Some(moment) if texts.query.is_outside(parts.own) => self.push_around(url, moment, parts.own, names),
            _ => {
                let clock = validity.signed_at().clock();
                let clock = core::str::from_utf8(&clock).unwrap_or_default();
                texts.query.push(url, parts.own, |url, gap| match (gap, names) {
                    (Gap::SignedHeaders, Some(names)) => names(url),
                    _ => fill(url, gap, clock, validity, texts.no_header_names),
                });
            }
        }
        let end = url.len();
        match parts.headers {
            Some(headers) => (headers.rest)(url),
            None => url.push_str(&texts.without_headers),
        }
        hash.update("\n");
        hash.update(url.get(query..).unwrap_or_default());
        url.truncate(end);
        url.push_str(&texts.signature);
        hash.complete()
    }

    /// The query from the text of the moment, where all own parameters stand before or behind it.
    #[inline]
    fn push_around(&self, url: &mut String, moment: &Moment, own: &[(Cow<'_, str>, Cow<'_, str>)], names: Option<&impl Fn(&mut String)>) {
        let split = self.texts.query.first_behind(own);
        let (before, behind) = own.split_at_checked(split).unwrap_or((own, &[]));
        for (name, value) in before {
            self.texts.query.push_own(url, name, value);
            url.push('&');
        }
        let end = moment.query.len().saturating_sub(self.texts.signature.len());
        let part = |range: Range<usize>| moment.query.get(range).unwrap_or_default();
        match (names, &moment.names) {
            (Some(names), Some(Range { start: gap, end: behind_gap })) => {
                url.push_str(part(1..*gap));
                names(url);
                url.push_str(part(*behind_gap..end));
            }
            _ => url.push_str(part(1..end)),
        }
        for (name, value) in behind {
            url.push('&');
            self.texts.query.push_own(url, name, value);
        }
    }

    /// Writes the URL up to the query, and hashes method and path.
    #[inline]
    fn push_path(&self, url: &mut String, request: &ObjectRequest, hash: &mut Sha256) {
        hash.update(self.heads.get(request.operation().method().index()).map_or("", |head| head));
        match request.key() {
            Some(key) => {
                url.push_str(&self.objects);
                crate::encode::push_path(url, key.as_str());
                hash.update(url.get(self.signed_at..).unwrap_or_default());
            }
            None => {
                url.push_str(&self.bucket);
                hash.update(if self.texts.resource.is_some() { "/" } else { url.get(self.path_at..).unwrap_or_default() });
            }
        }
    }

    #[inline]
    fn make_room(&self, url: &mut String, request: &ObjectRequest, beside_path: usize) {
        let path = request.key().map_or(self.bucket.len(), |key| self.objects.len().saturating_add(key.as_str().len()));
        let room = path.saturating_add(beside_path);
        if url.capacity() == 0 {
            *url = String::with_capacity(room);
        } else {
            url.reserve(room);
        }
    }
}

#[inline]
fn fill(query: &mut String, gap: Gap, clock: &str, validity: &Validity, names: &str) {
    match gap {
        Gap::Time => query.push_str(clock),
        Gap::Life => query.push_str(itoa::Buffer::new().format(validity.seconds())),
        Gap::SignedHeaders => query.push_str(names),
    }
}

#[inline]
fn push_signature(url: &mut String, mac: &mut Mac, digest: &[u8; 32]) {
    mac.update_bytes(&crypto::hex(digest));
    crypto::push_hex(url, &mac.complete());
}

impl Drop for Moment {
    fn drop(&mut self) {
        self.mac.wipe();
    }
}

/// Its texts hold the session token, and its hash is derived from the key.
impl core::fmt::Debug for Moment {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Moment(..)")
    }
}

/// `HHMMSSZ`, and the digits of the longest life.
const CLOCK_AND_LIFE: usize = 7 + 10;
const HEX: usize = 64;

#[cfg(test)]
mod tests;
