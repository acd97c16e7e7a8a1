//! What all forms of one credential, day and bucket share, and what those of one second do.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::rules::FormRules;
use super::write::{push_eq, push_text};
use crate::credentials::{Credentials, Secret};
use crate::options::Validity;
use crate::target::Target;
use crate::time::Timestamp;

/// The signer's own fields and conditions, which come last in each form, with gaps for the time of the day.
pub(crate) struct FormTexts {
    /// The bucket itself: a form is sent there, whatever its key.
    pub(super) url: String,
    /// The JSON between expiration and the first condition on a field.
    pub(super) head: String,
    /// The JSON up to the time of the day, and to its end.
    pub(super) conditions: [Zeroizing<String>; 2],
    /// Names and values up to the time of the day, and to the end. They hold the session token, as do the conditions.
    pub(super) fields: [Zeroizing<String>; 2],
    /// Where each name and its value end.
    pub(super) ends: Vec<(u32, u32)>,
    /// Whether the end is written with milliseconds.
    milliseconds: bool,
}

/// The texts of [`FormTexts`] with the times of one signing time and life in their gaps. Both hold the session token.
pub(crate) struct FormMoment {
    /// The JSON up to the first condition on a field.
    pub(super) head: String,
    /// The JSON of the signer's own conditions, to its end.
    pub(super) conditions: Zeroizing<String>,
    /// Names and values of the signer's own fields.
    pub(super) fields: Zeroizing<String>,
}

impl FormMoment {
    pub(crate) fn new(texts: &FormTexts, validity: &Validity) -> Self {
        let clock = validity.signed_at().clock();
        let clock = core::str::from_utf8(&clock).unwrap_or_default();
        let [json, json_end] = &texts.conditions;
        let [fields, fields_end] = &texts.fields;
        let end = expiration(validity.expiration(), texts.milliseconds);
        Self {
            head: ["{\"expiration\":\"", &end, &texts.head].concat(),
            conditions: Zeroizing::new([json, clock, json_end].concat()),
            fields: Zeroizing::new([fields, clock, fields_end].concat()),
        }
    }
}

/// `YYYY-MM-DDTHH:MM:SS` and `Z` or `.000Z`: the end as the provider's samples write it.
fn expiration(end: Timestamp, milliseconds: bool) -> String {
    let text = end.to_string();
    if milliseconds { text.replace('Z', ".000Z") } else { text }
}

impl FormTexts {
    pub(crate) fn new(rules: &FormRules, credentials: &Credentials, target: &Target, day: Timestamp) -> Self {
        let date = day.to_basic();
        let credential = [credentials.access_key_id(), date.day(), &target.region, target.service, rules.scope_end].join("/");
        let day_and_mark = [date.day(), "T"].concat();
        let mut texts = Self {
            url: [target.scheme.as_str(), "://", &target.authority, &target.bucket_path].concat(),
            head: String::from("\",\"conditions\":["),
            conditions: Default::default(),
            fields: Default::default(),
            ends: Vec::new(),
            milliseconds: rules.milliseconds,
        };
        push_eq(&mut texts.head, "bucket", &target.bucket);
        let Self { conditions: [json, json_end], fields: [text, text_end], ends, .. } = &mut texts;
        for (name, value) in [(rules.algorithm.0, rules.algorithm.1), (rules.credential, &credential)] {
            json.push(',');
            push_eq(json, name, value);
            text.push_str(name);
            let name_end = text.len();
            text.push_str(value);
            ends.push((at(name_end), at(text.len())));
        }
        json.push_str(",{");
        push_text(json, rules.date);
        for part in [":\"", &day_and_mark] {
            json.push_str(part);
        }
        text.push_str(rules.date);
        let name_end = text.len();
        text.push_str(&day_and_mark);
        let taken = text.len().saturating_add(CLOCK);
        ends.push((at(name_end), at(taken)));
        json_end.push_str("\"}");
        if let Some(token) = credentials.session_token().map(Secret::expose) {
            // What a text leaves behind when it grows is not wiped.
            for text in [&mut *json_end, &mut *text_end] {
                text.reserve(rules.token.len().saturating_add(token.len()).saturating_add(16));
            }
            json_end.push(',');
            push_eq(json_end, rules.token, token);
            for part in [rules.token, token] {
                text_end.push_str(part);
            }
            ends.push((at(taken.saturating_add(rules.token.len())), at(taken.saturating_add(text_end.len()))));
        }
        json_end.push_str("]}");
        texts
    }
}

/// Appends the base64 of a policy.
#[cfg(feature = "simd")]
pub(super) fn push_base64(text: &mut String, json: &str) {
    base64_simd::STANDARD.encode_append(json, text);
}

/// Appends the base64 of a policy.
#[cfg(not(feature = "simd"))]
pub(super) fn push_base64(text: &mut String, json: &str) {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode_string(json, text);
}

/// A place in the text of the fields.
fn at(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// `HHMMSSZ`
const CLOCK: usize = 7;

impl core::fmt::Debug for FormMoment {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("FormMoment(..)")
    }
}

/// They hold the session token.
impl core::fmt::Debug for FormTexts {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("FormTexts(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    /// Around the ends of what is encoded at once.
    #[test]
    fn every_length_is_encoded_as_the_portable_engine_does() {
        let text: String = (0..600_u32).filter_map(|n| char::from_u32(0x20 + n * 7 % 95)).collect();
        for length in 0..text.len() {
            let mut encoded = String::from("before");
            push_base64(&mut encoded, &text[..length]);
            assert_eq!(encoded, ["before", &base64::engine::general_purpose::STANDARD.encode(&text[..length])].concat());
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let texts = FormMoment { head: "h".into(), conditions: Zeroizing::new("token".into()), fields: Zeroizing::new("token".into()) };
        assert_eq!(alloc::format!("{texts:?}"), "FormMoment(..)");
    }
}
