//! The values of a policy: what a field's value must be, and the callback of OSS.

use alloc::string::String;
use alloc::vec::Vec;

/// What the value of a field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueRule {
    /// Exactly this.
    Exact(String),
    /// Anything that begins so; an empty prefix takes anything, but the field must be there.
    Prefix(String),
    /// One of these. OSS only.
    OneOf(Vec<String>),
    /// None of these. OSS only.
    NoneOf(Vec<String>),
}

impl ValueRule {
    pub(crate) fn one_of<V: Into<String>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }
}

/// A request that OSS sends to the application when an upload is complete, and whose answer it gives to the browser.
///
/// Source: OSS documentation, "Callback".
///
/// ```
/// use valetkey_core::post_policy::Callback;
///
/// let callback = Callback::new("https://app.example.com/uploaded", "object=${object}&size=${size}&user=${x:user}").variable("user", "7");
/// # let _ = callback;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    url: String,
    host: Option<String>,
    body: String,
    body_type: CallbackBodyType,
    variables: Vec<(String, ValueRule)>,
}

/// How the body of a callback is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CallbackBodyType {
    /// `application/x-www-form-urlencoded`
    #[default]
    Form,
    /// `application/json`
    Json,
}

impl CallbackBodyType {
    /// The media type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }
}

impl Callback {
    /// Where the request goes and what it says: `${bucket}`, `${object}`, `${etag}`, `${size}`, `${mimeType}` and `${x:NAME}` are filled in by OSS.
    #[must_use]
    pub fn new(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { url: url.into(), host: None, body: body.into(), body_type: CallbackBodyType::Form, variables: Vec::new() }
    }

    /// The `Host` of the request; left out, that of the URL.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// How the body is written.
    #[must_use]
    pub const fn body_type(mut self, body_type: CallbackBodyType) -> Self {
        self.body_type = body_type;
        self
    }

    /// A variable `x:NAME` with a fixed value, a field of its own.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), ValueRule::Exact(value.into())));
        self
    }

    /// A variable `x:NAME` whose value the client chooses, within a prefix (which may be empty).
    #[must_use]
    pub fn variable_prefix(mut self, name: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.variables.push((name.into(), ValueRule::Prefix(prefix.into())));
        self
    }

    /// Where the request goes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The `Host` of the request, where it is not that of the URL.
    #[must_use]
    pub fn callback_host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// What the request says.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// How the body is written.
    #[must_use]
    pub const fn media_type(&self) -> CallbackBodyType {
        self.body_type
    }

    /// The variables, names without `x:`.
    #[must_use]
    pub fn variables(&self) -> &[(String, ValueRule)] {
        &self.variables
    }
}
