//! The fields of a form: those that are fixed, and those that the client fills.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use smallvec::SmallVec;

use crate::post_policy::{ValueRule, is_secret};

/// The fields to send: names and exact values, in the order of sending.
///
/// ```
/// use valetkey_core::FormFields;
///
/// let fields: FormFields = [("key", "uploads/7/${filename}"), ("policy", "e30=")].into_iter().collect();
/// assert_eq!(fields.value("policy"), Some("e30="));
/// assert_eq!(fields.iter().next(), Some(("key", "uploads/7/${filename}")));
/// ```
// All names and values in one text, so that a form of twelve fields costs one allocation and not twenty-four.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FormFields {
    text: String,
    /// Where each name and its value end. Those of most forms need no allocation.
    ends: Ends,
}

type Ends = SmallVec<[(u32, u32); 16]>;

/// Where a text ends. What has 4 GiB is no form; no store takes a hundredth of it.
#[inline]
fn end(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

impl FormFields {
    #[inline]
    pub(crate) fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Ends::with_capacity(fields) }
    }

    #[inline]
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.push_with(name, |text| text.push_str(value));
    }

    /// Adds a field whose value is written in place.
    #[inline]
    pub(crate) fn push_with(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        self.text.push_str(name);
        let name_end = end(&self.text);
        write(&mut self.text);
        self.ends.push((name_end, end(&self.text)));
    }

    /// Adds fields that stand one after another in `text`, and end there as `ends` says.
    #[inline]
    pub(crate) fn push_prepared(&mut self, text: &str, ends: &[(u32, u32)]) {
        let start = end(&self.text);
        self.text.push_str(text);
        self.ends.extend(ends.iter().map(|(name, value)| (start.saturating_add(*name), start.saturating_add(*value))));
    }

    /// Adds a field whose name is written in place.
    #[inline]
    pub(crate) fn push_named(&mut self, write_name: impl FnOnce(&mut String), value: &str) {
        write_name(&mut self.text);
        let name_end = end(&self.text);
        self.text.push_str(value);
        self.ends.push((name_end, end(&self.text)));
    }

    /// Replaces the value of a field, or adds the field at the end.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let mut is_new = true;
        let mut changed = Self::with_capacity(self.ends.len().saturating_add(1), self.text.len().saturating_add(value.len()));
        for (other, old) in self.iter() {
            let same = other.eq_ignore_ascii_case(name);
            is_new &= !same;
            changed.push(other, if same { value } else { old });
        }
        if is_new {
            changed.push(name, value);
        }
        *self = changed;
    }

    /// All names and values, one after another.
    #[inline]
    pub(crate) fn as_text(&self) -> &str {
        &self.text
    }

    /// Bytes of all names and values.
    #[inline]
    pub(crate) const fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Names and values, in the order of sending.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().filter_map(move |&(name_end, value_end)| {
            let (name_end, value_end) = (name_end as usize, value_end as usize);
            let field = (self.text.get(start..name_end)?, self.text.get(name_end..value_end)?);
            start = value_end;
            Some(field)
        })
    }

    /// Whether there is a field of this name, in any case. Most names differ in their length already.
    #[inline]
    pub(crate) fn has_ignoring_case(&self, name: &str) -> bool {
        let mut start = 0;
        self.ends.iter().any(|&(name_end, value_end)| {
            let from = core::mem::replace(&mut start, value_end as usize);
            let name_end = name_end as usize;
            name_end.saturating_sub(from) == name.len() && self.text.get(from..name_end).is_some_and(|other| other.eq_ignore_ascii_case(name))
        })
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
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// For presigners that are not made of a provider.
impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for FormFields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut all = Self::default();
        for (name, value) in fields {
            all.push(name.as_ref(), value.as_ref());
        }
        all
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
#[derive(Clone, PartialEq, Eq)]
pub struct OpenField {
    name: Cow<'static, str>,
    rule: ValueRule,
}

/// What a rule compares with may be a customer's key.
impl fmt::Debug for OpenField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("OpenField");
        debug.field("name", &self.name);
        if is_secret(&self.name) { debug.finish_non_exhaustive() } else { debug.field("rule", &self.rule).finish() }
    }
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
        if is_secret(&self.name) {
            return "must keep to its condition".into();
        }
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
