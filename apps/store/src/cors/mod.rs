//! Cross-origin rules: what a browser may send from another origin, and what it may read of the answer.
//!
//! A rule says origins, methods and headers. Nothing here opens a way around a signature: the rules decide what a browser shows to a page.

use serde::{Deserialize, Serialize};

use crate::StoreError;

mod pattern;

use pattern::Pattern;

/// The most rules of one bucket: S3's limit. OSS has 20.
pub(crate) const MAX_RULES: usize = 100;
/// The longest ID of a rule, in characters.
const MAX_ID: usize = 255;

/// The methods that a rule can name, in both clouds.
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/// One rule for requests that browsers send from other origins.
///
/// ```
/// use valetkey_store::CorsRule;
///
/// # fn main() -> Result<(), valetkey_store::StoreError> {
/// let rule = CorsRule::new(["https://app.example.com"], ["GET", "PUT"])?.allow_headers(["content-type", "x-amz-*"])?.expose_headers(["ETag"])?.max_age(600);
/// # let _ = valetkey_store::Store::builder().cors(rule);
/// // A pattern has at most one star.
/// assert!(CorsRule::new(["https://*.*.example.com"], ["GET"]).is_err());
/// # Ok(())
/// # }
/// ```
///
/// Source: Amazon S3 User Guide, "Elements of a CORS configuration"; OSS documentation, "PutBucketCors".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorsRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) origins: Vec<Pattern>,
    pub(crate) methods: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) headers: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) exposed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u32>,
}

impl CorsRule {
    /// A rule for these origins and methods. An origin is what a browser sends (`https://app.example.com`, with a port that is not the default one),
    /// with at most one `*` in the place of any text; methods are GET, PUT, POST, DELETE and HEAD.
    ///
    /// # Errors
    /// [`StoreError::InvalidRequest`] for a rule without origins or methods, for another method, and for an origin with two stars or a control character.
    pub fn new<O: Into<String>, M: Into<String>>(origins: impl IntoIterator<Item = O>, methods: impl IntoIterator<Item = M>) -> Result<Self, StoreError> {
        let origins = origins.into_iter().map(|origin| Pattern::new(origin.into())).collect::<Result<Vec<_>, _>>()?;
        let methods: Vec<String> = methods.into_iter().map(Into::into).collect();
        if origins.is_empty() || methods.is_empty() {
            return Err(invalid("a CORS rule needs an AllowedOrigin and an AllowedMethod"));
        }
        if methods.iter().any(|method| !METHODS.contains(&method.as_str())) {
            return Err(invalid("an AllowedMethod is one of GET, PUT, POST, DELETE and HEAD"));
        }
        Ok(Self { id: None, origins, methods, headers: Vec::new(), exposed: Vec::new(), max_age: None })
    }

    /// Lets a browser send these headers, each with at most one `*` in the place of any text. Case does not count.
    ///
    /// # Errors
    /// [`StoreError::InvalidRequest`] for a name with two stars or a control character.
    pub fn allow_headers<H: Into<String>>(mut self, names: impl IntoIterator<Item = H>) -> Result<Self, StoreError> {
        for name in names {
            self.headers.push(Pattern::new(name.into())?);
        }
        Ok(self)
    }

    /// Lets a page read these headers of an answer. Neither cloud takes a `*` here.
    ///
    /// # Errors
    /// [`StoreError::InvalidRequest`] for what is not the name of a header.
    pub fn expose_headers<H: Into<String>>(mut self, names: impl IntoIterator<Item = H>) -> Result<Self, StoreError> {
        for name in names {
            let name = name.into();
            if name.contains('*') {
                return Err(invalid("an ExposeHeader may not have a wildcard"));
            }
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(invalid("an ExposeHeader is not the name of a header"));
            }
            self.exposed.push(name);
        }
        Ok(self)
    }

    /// Lets a browser remember the answer to a preflight for so many seconds.
    #[must_use]
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.max_age = Some(seconds);
        self
    }

    /// Names the rule; S3 gives the name back.
    pub(crate) fn id(mut self, id: String) -> Result<Self, StoreError> {
        if id.chars().count() > MAX_ID {
            return Err(invalid("the ID of a CORS rule has at most 255 characters"));
        }
        self.id = Some(id);
        Ok(self)
    }

    fn allows(&self, ask: &Ask<'_>) -> bool {
        self.origins.iter().any(|origin| origin.matches(ask.origin))
            && self.methods.iter().any(|method| method == ask.method)
            && ask.headers.iter().all(|header| self.headers.iter().any(|pattern| pattern.matches_any_case(header)))
    }

    /// Whether the rule is for every origin, and answers so.
    pub(crate) fn is_for_all(&self) -> bool {
        self.origins.iter().any(Pattern::is_everything)
    }
}

/// The rules of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorsRules {
    pub(crate) rules: Vec<CorsRule>,
    /// OSS: `Vary: Origin` stands in every answer, so that a cache never gives one origin's answer to another.
    #[serde(default)]
    pub(crate) always_vary: bool,
}

/// What a browser asks for.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) origin: &'a str,
    pub(crate) method: &'a str,
    pub(crate) headers: Vec<&'a str>,
}

impl CorsRules {
    /// Rules within the limits.
    pub(crate) fn new(rules: Vec<CorsRule>, max: usize) -> Result<Self, StoreError> {
        if rules.is_empty() {
            return Err(StoreError::MalformedXml { reason: "a CORS configuration needs a CORSRule" });
        }
        if rules.len() > max.min(MAX_RULES) {
            return Err(invalid("there are more CORS rules than the cloud takes"));
        }
        Ok(Self { rules, always_vary: false })
    }

    /// The first rule that allows all that is asked for.
    pub(crate) fn matching(&self, ask: &Ask<'_>) -> Option<&CorsRule> {
        self.rules.iter().find(|rule| rule.allows(ask))
    }
}

fn invalid(reason: &'static str) -> StoreError {
    StoreError::InvalidRequest { reason }
}

#[cfg(test)]
mod tests;
