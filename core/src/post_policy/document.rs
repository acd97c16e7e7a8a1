//! A policy as it is sent: read strictly, because what one reader skips another obeys.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::condition::{Bound, Condition};
use crate::time::Timestamp;

/// The longest policy text that is looked at, bytes.
pub const MAX_POLICY_BYTES: usize = 64 << 10;

/// The most conditions.
pub const MAX_CONDITIONS: usize = 256;

/// A policy text and what it says.
///
/// ```
/// use valetkey_core::post_policy::PolicyDocument;
///
/// let policy = PolicyDocument::from_json(r#"{"expiration":"2026-11-22T11:30:00Z","conditions":[{"bucket":"media"},["starts-with","$key","up/"]]}"#)?;
/// assert_eq!(policy.conditions().len(), 2);
/// assert!(PolicyDocument::from_json(r#"{"expiration":"2026-11-22T11:30:00Z"}"#).is_err());
/// # Ok::<(), valetkey_core::post_policy::PolicyDocumentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    text: String,
    expiration: Timestamp,
    conditions: Vec<Condition<'static>>,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct PolicyDocumentError {
    what: String,
}

impl PolicyDocumentError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl PolicyDocument {
    /// Reads the JSON: exactly `expiration` and `conditions`, each once, and nothing after it.
    ///
    /// # Errors
    /// [`PolicyDocumentError`] with the place and the rule that is broken.
    pub fn from_json(text: &str) -> Result<Self, PolicyDocumentError> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(PolicyDocumentError::new(format!("it is longer than {MAX_POLICY_BYTES} bytes")));
        }
        let Parts { expiration, conditions } = serde_json::from_str(text).map_err(|error| PolicyDocumentError::new(describe(&error)))?;
        Ok(Self { text: text.to_owned(), expiration, conditions })
    }

    /// Reads the base64 of a policy as a form carries it: the standard alphabet, padding, no line ends.
    ///
    /// # Errors
    /// [`PolicyDocumentError`]; as for [`from_json`](Self::from_json).
    pub fn from_base64(text: &str) -> Result<Self, PolicyDocumentError> {
        // A third more than the text itself.
        if text.len() > MAX_POLICY_BYTES.div_ceil(3).saturating_mul(4) {
            return Err(PolicyDocumentError::new(format!("it is longer than {MAX_POLICY_BYTES} bytes")));
        }
        let bytes = BASE64.decode(text).map_err(|_| PolicyDocumentError::new("it is not standard base64 with padding and without line ends"))?;
        let text = String::from_utf8(bytes).map_err(|_| PolicyDocumentError::new("it is not UTF-8"))?;
        Self::from_json(&text)
    }

    /// The text, byte for byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The last second in which an upload may begin; a fraction of a second is left out.
    #[must_use]
    pub const fn expiration(&self) -> Timestamp {
        self.expiration
    }

    /// What it demands, in its own order.
    #[must_use]
    pub fn conditions(&self) -> &[Condition<'static>] {
        &self.conditions
    }

    /// The value that a field is fixed to by the first condition that does.
    #[must_use]
    pub fn fixed(&self, field: &str) -> Option<&str> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Eq { value, .. } if condition.is_about(field) => Some(&**value),
            _ => None,
        })
    }
}

/// The text holds the session token, so it is not shown.
impl fmt::Debug for PolicyDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PolicyDocument").field("expiration", &self.expiration).field("conditions", &self.conditions).finish_non_exhaustive()
    }
}

/// The reason without the values that the text holds: one may be a token.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {} column {}", error.line(), error.column());
    if text.starts_with("invalid type") || text.starts_with("invalid value") {
        return format!("a value has a wrong type at {place}");
    }
    text
}

/// Reads an ISO 8601 time in UTC, `YYYY-MM-DDTHH:MM:SSZ` with or without a fraction.
fn read_expiration(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
    let shape = whole.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    let fraction_is_plain = (fraction.is_empty() || fraction.starts_with('.')) && (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (shape && fraction_is_plain).then(|| Timestamp::from_rfc3339_floored(text).ok()).flatten()
}

/// The two members of a policy.
struct Parts {
    expiration: Timestamp,
    conditions: Vec<Condition<'static>>,
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not derived: a derived reader takes a list for the object, too.
        deserializer.deserialize_map(PartsVisitor)
    }
}

struct PartsVisitor;

impl<'de> Visitor<'de> for PartsVisitor {
    type Value = Parts;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `expiration` and `conditions`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts, A::Error> {
        let (mut expiration, mut conditions) = (None, None);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match &*name {
                "expiration" if expiration.is_some() => return Err(de::Error::custom("`expiration` stands twice")),
                "conditions" if conditions.is_some() => return Err(de::Error::custom("`conditions` stands twice")),
                "expiration" => {
                    let text: String = map.next_value()?;
                    let expected = "`expiration` is not a time in UTC of the form YYYY-MM-DDTHH:MM:SSZ";
                    expiration = Some(read_expiration(&text).ok_or_else(|| de::Error::custom(expected))?);
                }
                "conditions" => conditions = Some(map.next_value::<Conditions>()?.0),
                other => {
                    let shown: String = other.chars().take(40).collect();
                    return Err(de::Error::custom(format!("`{}` is not a member of a policy; `expiration` and `conditions` are", shown.escape_debug())));
                }
            }
        }
        let expiration = expiration.ok_or_else(|| de::Error::custom("`expiration` is missing"))?;
        let conditions = conditions.ok_or_else(|| de::Error::custom("`conditions` is missing"))?;
        Ok(Parts { expiration, conditions })
    }
}

struct Conditions(Vec<Condition<'static>>);

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ConditionsVisitor)
    }
}

struct ConditionsVisitor;

impl<'de> Visitor<'de> for ConditionsVisitor {
    type Value = Conditions;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of conditions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Conditions, A::Error> {
        let mut conditions = Vec::new();
        while let Some(Read(condition)) = list.next_element()? {
            if conditions.len() == MAX_CONDITIONS {
                return Err(de::Error::custom(format!("there are more than {MAX_CONDITIONS} conditions")));
            }
            conditions.push(condition);
        }
        if conditions.is_empty() { Err(de::Error::custom("`conditions` is empty")) } else { Ok(Conditions(conditions)) }
    }
}

/// One condition in either shape.
struct Read(Condition<'static>);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = Read;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a condition")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let one = "a simple condition must have exactly one property";
        let Some((field, value)) = map.next_entry::<String, String>()? else {
            return Err(de::Error::custom(one));
        };
        if map.next_key::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(one));
        }
        if field.is_empty() {
            return Err(de::Error::custom("the field of a condition has no name"));
        }
        Ok(Read(Condition::eq(field, value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read, A::Error> {
        let few = || de::Error::custom("a condition has fewer than three parts");
        let operator: String = list.next_element()?.ok_or_else(few)?;
        let condition = if operator.eq_ignore_ascii_case("content-length-range") {
            let Size(min) = list.next_element()?.ok_or_else(few)?;
            let Size(max) = list.next_element()?.ok_or_else(few)?;
            if let (Bound::Bytes(min), Bound::Bytes(max)) = (&min, &max)
                && min > max
            {
                return Err(de::Error::custom("the smallest size is greater than the greatest"));
            }
            Condition::ContentLengthRange { min, max }
        } else {
            let Some(known) = ["eq", "starts-with", "in", "not-in"].into_iter().find(|known| operator.eq_ignore_ascii_case(known)) else {
                let shown: String = operator.chars().take(40).collect();
                return Err(de::Error::custom(format!("`{}` is not an operator", shown.escape_debug())));
            };
            let field: String = list.next_element()?.ok_or_else(few)?;
            let Some(field) = field.strip_prefix('$').filter(|field| !field.is_empty()) else {
                return Err(de::Error::custom("the field of a condition does not begin with `$`"));
            };
            let field = field.to_owned();
            match known {
                "eq" => Condition::eq(field, list.next_element::<String>()?.ok_or_else(few)?),
                "starts-with" => Condition::starts_with(field, list.next_element::<String>()?.ok_or_else(few)?),
                list_operator => {
                    let values: Vec<String> = list.next_element()?.ok_or_else(few)?;
                    if values.is_empty() {
                        return Err(de::Error::custom("the list of a condition is empty"));
                    }
                    let (field, values) = (Cow::Owned(field), Cow::Owned(values));
                    if list_operator == "in" { Condition::In { field, values } } else { Condition::NotIn { field, values } }
                }
            }
        };
        if list.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::custom("a condition has more than three parts"));
        }
        Ok(Read(condition))
    }
}

/// A bound: a whole number, or a text that may be one.
struct Size(Bound);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number of bytes")
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(Bound::Bytes(bytes)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        Ok(Size(Bound::Text(text.to_owned())))
    }
}

#[cfg(test)]
mod tests;
