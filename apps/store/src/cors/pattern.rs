//! Text with at most one star.

use serde::{Deserialize, Serialize};

use super::invalid;
use crate::StoreError;

/// An origin or a header name of a rule, in which one `*` may stand for any text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Refuses a second star, which the clouds refuse too, and what no header can have.
    pub(crate) fn new(text: String) -> Result<Self, StoreError> {
        if text.matches('*').count() > 1 {
            return Err(invalid("an AllowedOrigin and an AllowedHeader may have one wildcard at most"));
        }
        if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(invalid("an AllowedOrigin and an AllowedHeader may not be empty or have blanks"));
        }
        Ok(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.0 == "*"
    }

    /// Case counts.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self.0.split_once('*') {
            None => self.0 == text,
            // What the star stands for may be empty, but the two ends may not share a character.
            Some((start, end)) => text.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        }
    }

    /// Case does not count, as in the names of headers.
    pub(crate) fn matches_any_case(&self, text: &str) -> bool {
        Self(self.0.to_ascii_lowercase()).matches(&text.to_ascii_lowercase())
    }
}

impl TryFrom<String> for Pattern {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::new(text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}
