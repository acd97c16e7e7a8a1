//! One condition of a policy, as it stands in the JSON.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A condition. Fields stand without `$`; their names compare without regard to case, values exactly.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition<'a> {
    /// `{"field":"value"}` or `["eq","$field","value"]`
    Eq {
        /// The field.
        field: Cow<'a, str>,
        /// Its value.
        value: Cow<'a, str>,
    },
    /// `["starts-with","$field","prefix"]`
    StartsWith {
        /// The field.
        field: Cow<'a, str>,
        /// What its value begins with.
        prefix: Cow<'a, str>,
    },
    /// `["in","$field",["a","b"]]`
    In {
        /// The field.
        field: Cow<'a, str>,
        /// What its value may be.
        values: Cow<'a, [String]>,
    },
    /// `["not-in","$field",["a","b"]]`
    NotIn {
        /// The field.
        field: Cow<'a, str>,
        /// What its value must not be.
        values: Cow<'a, [String]>,
    },
    /// `["content-length-range",min,max]`
    ContentLengthRange {
        /// The fewest bytes.
        min: Bound,
        /// The most bytes.
        max: Bound,
    },
}

/// A bound of a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A number of bytes.
    Bytes(u64),
    /// A text that is no number; a size never keeps to it.
    Text(String),
}

impl Bound {
    /// The number, if it is one.
    #[must_use]
    pub const fn bytes(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(*bytes),
            Self::Text(_) => None,
        }
    }
}

impl<'a> Condition<'a> {
    pub(crate) fn eq(field: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        Self::Eq { field: field.into(), value: value.into() }
    }

    pub(crate) fn starts_with(field: impl Into<Cow<'a, str>>, prefix: impl Into<Cow<'a, str>>) -> Self {
        Self::StartsWith { field: field.into(), prefix: prefix.into() }
    }

    /// The field that it is about; `None` for the size.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Eq { field, .. } | Self::StartsWith { field, .. } | Self::In { field, .. } | Self::NotIn { field, .. } => Some(field),
            Self::ContentLengthRange { .. } => None,
        }
    }

    /// Whether it is about this field.
    #[must_use]
    pub fn is_about(&self, field: &str) -> bool {
        self.field().is_some_and(|own| own.eq_ignore_ascii_case(field))
    }

    /// Whether a value keeps to it. `comma_list`: the value is a list, of which each item must begin so. The size is not judged here.
    #[must_use]
    pub fn holds(&self, value: &str, comma_list: bool) -> bool {
        match self {
            Self::Eq { value: wanted, .. } => value == wanted,
            Self::StartsWith { prefix, .. } if comma_list => value.split(',').all(|item| item.starts_with(&**prefix)),
            Self::StartsWith { prefix, .. } => value.starts_with(&**prefix),
            Self::In { values, .. } => values.iter().any(|one| one == value),
            Self::NotIn { values, .. } => values.iter().all(|one| one != value),
            Self::ContentLengthRange { .. } => true,
        }
    }
}

/// As both clouds quote a condition, `["eq", "$key", "a"]`; tokens and keys of customers are left out.
impl fmt::Display for Condition<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let secret = self.field().is_some_and(is_secret);
        let list = |values: &[String]| {
            let values: alloc::vec::Vec<String> = values.iter().map(|value| quoted(value)).collect();
            format!("[{}]", values.join(", "))
        };
        let (operator, value) = match self {
            Self::Eq { value, .. } => ("eq", quoted(value)),
            Self::StartsWith { prefix, .. } => ("starts-with", quoted(prefix)),
            Self::In { values, .. } => ("in", list(values)),
            Self::NotIn { values, .. } => ("not-in", list(values)),
            Self::ContentLengthRange { min, max } => {
                let shown = |bound: &Bound| match bound {
                    Bound::Bytes(bytes) => bytes.to_string(),
                    Bound::Text(text) => quoted(text),
                };
                return write!(formatter, "[\"content-length-range\", {}, {}]", shown(min), shown(max));
            }
        };
        let value = if secret { "\"..\"" } else { &value };
        write!(formatter, "[\"{operator}\", {}, {value}]", quoted(&format!("${}", self.field().unwrap_or_default())))
    }
}

/// Whether the values of a field are secrets: tokens, keys of customers, signatures.
///
/// ```
/// use valetkey_core::post_policy::is_secret;
///
/// assert!(is_secret("x-amz-security-token") && !is_secret("x-amz-meta-owner"));
/// ```
#[must_use]
pub fn is_secret(field: &str) -> bool {
    let lower = field.to_ascii_lowercase();
    ["security-token", "customer-key", "signature"].iter().any(|part| lower.contains(part)) && !lower.ends_with("signature-version")
}

impl fmt::Debug for Condition<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Condition<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (operator, field) = match self {
            Self::Eq { field, value } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(field, value)?;
                return map.end();
            }
            Self::ContentLengthRange { min, max } => {
                let mut list = serializer.serialize_seq(Some(3))?;
                list.serialize_element("content-length-range")?;
                for bound in [min, max] {
                    match bound {
                        Bound::Bytes(bytes) => list.serialize_element(bytes)?,
                        Bound::Text(text) => list.serialize_element(text)?,
                    }
                }
                return list.end();
            }
            Self::StartsWith { field, .. } => ("starts-with", field),
            Self::In { field, .. } => ("in", field),
            Self::NotIn { field, .. } => ("not-in", field),
        };
        let mut list = serializer.serialize_seq(Some(3))?;
        list.serialize_element(operator)?;
        list.serialize_element(&Dollar(field))?;
        match self {
            Self::StartsWith { prefix, .. } => list.serialize_element(prefix)?,
            Self::In { values, .. } | Self::NotIn { values, .. } => list.serialize_element(values)?,
            Self::Eq { .. } | Self::ContentLengthRange { .. } => {}
        }
        list.end()
    }
}

/// A field's name as the operators write it.
struct Dollar<'a>(&'a str);

impl Serialize for Dollar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("${}", self.0))
    }
}
