//! The fields of a form: those that are fixed, and those that the client fills.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::post_policy::ValueRule;

/// The fields to send: names and exact values, in the order of sending.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FormFields(Vec<(Cow<'static, str>, String)>);

impl FormFields {
    pub(crate) fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    pub(crate) fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Replaces the value of a field, or adds the field at the end.
    pub(crate) fn set(&mut self, name: String, value: &str) {
        match self.0.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            Some((_, old)) => value.clone_into(old),
            None => self.push(name, value),
        }
    }

    /// Names and values, in the order of sending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// The value of a field, by its exact name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    pub(crate) fn value_ignoring_case(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// How many fields.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// For presigners that are not made of a provider.
impl<N: Into<Cow<'static, str>>, V: Into<String>> FromIterator<(N, V)> for FormFields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for FormFields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter().map(|(name, _)| (name, format_args!("..")))).finish()
    }
}

impl Serialize for FormFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A field whose value the client chooses.
///
/// In JSON: `name`, and one of `starts_with`, `one_of`, `none_of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenField {
    name: Cow<'static, str>,
    rule: ValueRule,
}

impl OpenField {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, rule: ValueRule) -> Self {
        Self { name: name.into(), rule }
    }

    /// Its name in the form.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its value must be.
    #[must_use]
    pub const fn rule(&self) -> &ValueRule {
        &self.rule
    }

    /// Whether the rule takes a value.
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        match &self.rule {
            ValueRule::Exact(wanted) => value == wanted,
            // In a type, commas make a list, of which each item must begin so.
            ValueRule::Prefix(prefix) if self.name.eq_ignore_ascii_case("content-type") => value.split(',').all(|item| item.starts_with(prefix.as_str())),
            ValueRule::Prefix(prefix) => value.starts_with(prefix.as_str()),
            ValueRule::OneOf(values) => values.iter().any(|one| one == value),
            ValueRule::NoneOf(values) => values.iter().all(|one| one != value),
        }
    }

    /// A value to begin with, which the rule takes.
    pub(crate) fn example(&self) -> &str {
        match &self.rule {
            ValueRule::Exact(value) | ValueRule::Prefix(value) => value,
            ValueRule::OneOf(values) => values.first().map_or("", |first| first),
            ValueRule::NoneOf(_) => "",
        }
    }

    /// The rule in the words of an error.
    pub(crate) fn describe(&self) -> String {
        match &self.rule {
            ValueRule::Exact(value) => format!("must be `{value}`"),
            ValueRule::Prefix(prefix) => format!("must begin with `{prefix}`"),
            ValueRule::OneOf(values) => format!("must be one of `{}`", values.join("`, `")),
            ValueRule::NoneOf(values) => format!("must be none of `{}`", values.join("`, `")),
        }
    }
}

impl Serialize for OpenField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", &self.name)?;
        match &self.rule {
            ValueRule::Exact(value) => map.serialize_entry("is", value)?,
            ValueRule::Prefix(prefix) => map.serialize_entry("starts_with", prefix)?,
            ValueRule::OneOf(values) => map.serialize_entry("one_of", values)?,
            ValueRule::NoneOf(values) => map.serialize_entry("none_of", values)?,
        }
        map.end()
    }
}
