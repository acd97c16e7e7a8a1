//! What all forms of one credential, day and bucket share.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use zeroize::Zeroizing;

use super::rules::FormRules;
use super::write::{push_eq, push_text};
use crate::credentials::{Credentials, Secret};
use crate::target::Target;
use crate::time::Timestamp;

#[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
type Base64 = base64::engine::Simd;
#[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
type Base64 = base64::engine::GeneralPurpose;

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
    pub(super) ends: Vec<(usize, usize)>,
    /// It detects the processor and writes its tables when it is made.
    base64: Base64,
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
            base64: base64(),
        };
        push_eq(&mut texts.head, "bucket", &target.bucket);
        let Self { conditions: [json, json_end], fields: [text, text_end], ends, .. } = &mut texts;
        for (name, value) in [(rules.algorithm.0, rules.algorithm.1), (rules.credential, &credential)] {
            json.push(',');
            push_eq(json, name, value);
            text.push_str(name);
            let name_end = text.len();
            text.push_str(value);
            ends.push((name_end, text.len()));
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
        ends.push((name_end, taken));
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
            ends.push((taken.saturating_add(rules.token.len()), taken.saturating_add(text_end.len())));
        }
        json_end.push_str("]}");
        texts
    }

    /// Bytes of all texts: of fields, and of JSON.
    pub(super) fn len(&self) -> (usize, usize) {
        let of = |texts: &[Zeroizing<String>; 2]| texts.iter().map(|text| text.len()).fold(CLOCK, usize::saturating_add);
        (of(&self.fields), of(&self.conditions).saturating_add(self.head.len()))
    }

    /// Appends the base64 of a policy.
    pub(super) fn push_base64(&self, text: &mut String, json: &str) {
        self.base64.encode_string(json, text);
    }
}

#[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn base64() -> Base64 {
    Base64::standard(base64::engine::general_purpose::PAD)
}

#[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
const fn base64() -> Base64 {
    Base64::new(&base64::alphabet::STANDARD, base64::engine::general_purpose::PAD)
}

/// `HHMMSSZ`
const CLOCK: usize = 7;

/// They hold the session token.
impl core::fmt::Debug for FormTexts {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("FormTexts(..)")
    }
}
