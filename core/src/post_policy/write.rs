//! The policy as it is signed: written straight into one text.
//!
//! Texts that JSON carries as they are, nearly all, are copied; every other is written by the serializer.

use alloc::string::String;

use super::draft::FormDraft;
use super::form_texts::FormMoment;
use super::values::ValueRule;
use crate::encode::holds_for_all;
use crate::presigned_post::OpenField;

/// Appends the policy: bucket and key first, then the size, what the client chooses, what is fixed, and what the signer adds.
pub(super) fn push_policy(json: &mut String, moment: &FormMoment, draft: &FormDraft) {
    json.push_str(&moment.head);
    let is_key = |open: &&OpenField| open.name() == "key";
    for open in draft.open.iter().take_while(is_key) {
        push_open(json, open);
    }
    // One look at all fields, which are nearly always plain, instead of two at each.
    let are_plain = is_plain(draft.fields.as_text());
    let push_field = |json: &mut String, name: &str, value: &str| if are_plain { push_plain(json, name, value) } else { push_fixed(json, name, value) };
    let mut fields = draft.fields.iter();
    // The key is the first field; open, it has its rules.
    let key = fields.next().filter(|_| !draft.open.iter().take(1).any(|open| is_key(&open)));
    if let Some((name, value)) = key {
        push_field(json, name, value);
    }
    if draft.limits_size {
        json.push_str(",[\"content-length-range\",");
        json.push_str(itoa::Buffer::new().format(draft.limits.min));
        json.push(',');
        json.push_str(itoa::Buffer::new().format(draft.limits.max));
        json.push(']');
    }
    for open in draft.open.iter().skip_while(is_key) {
        push_open(json, open);
    }
    for (name, value) in fields {
        push_field(json, name, value);
    }
    json.push_str(&moment.conditions);
}

/// `,["operator","$field",value]`
#[inline]
fn push_open(json: &mut String, open: &OpenField) {
    let operator = match open.rule() {
        ValueRule::Exact(value) => return push_fixed(json, open.name(), value),
        // As nearly all are.
        ValueRule::Prefix(value) if is_plain(open.name()) && is_plain(value) => {
            for part in [",[\"starts-with\",\"$", open.name(), "\",\"", value, "\"]"] {
                json.push_str(part);
            }
            return;
        }
        ValueRule::Prefix(_) => ",[\"starts-with\",",
        ValueRule::OneOf(_) => ",[\"in\",",
        ValueRule::NoneOf(_) => ",[\"not-in\",",
    };
    json.push_str(operator);
    if is_plain(open.name()) {
        for part in ["\"$", open.name(), "\","] {
            json.push_str(part);
        }
    } else {
        push_text(json, &["$", open.name()].concat());
        json.push(',');
    }
    match open.rule() {
        ValueRule::Exact(value) | ValueRule::Prefix(value) => push_text(json, value),
        ValueRule::OneOf(values) | ValueRule::NoneOf(values) => {
            json.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                push_text(json, value);
            }
            json.push(']');
        }
    }
    json.push(']');
}

/// `,{"field":"value"}`
fn push_fixed(json: &mut String, field: &str, value: &str) {
    json.push(',');
    push_eq(json, field, value);
}

/// The same of texts that JSON carries as they are.
#[inline]
fn push_plain(json: &mut String, field: &str, value: &str) {
    for part in [",{\"", field, "\":\"", value, "\"}"] {
        json.push_str(part);
    }
}

/// `{"field":"value"}`
pub(super) fn push_eq(json: &mut String, field: &str, value: &str) {
    json.push('{');
    push_text(json, field);
    json.push(':');
    push_text(json, value);
    json.push('}');
}

/// A text with its quotes.
#[inline]
pub(super) fn push_text(json: &mut String, text: &str) {
    if is_plain(text) {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        // Of texts nothing can fail.
        json.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Whether JSON carries a text as it is: the serializer escapes quotes, backslashes and controls, and nothing else.
#[inline]
fn is_plain(text: &str) -> bool {
    holds_for_all(text, |byte| (byte >= b' ') & (byte != b'"') & (byte != b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn every_byte_is_written_as_the_serializer_does() {
        for c in (0..=0x2FF_u32).filter_map(char::from_u32) {
            for text in [c.to_string(), alloc::format!("plain text of some length {c} and more of it")] {
                let mut json = String::new();
                push_text(&mut json, &text);
                assert_eq!(json, serde_json::to_string(&text).unwrap());
            }
        }
    }

    proptest! {
        /// Each kind of condition, against the serializer of what a verifier reads.
        #[test]
        fn conditions_are_written_as_the_serializer_does(field in any::<String>(), value in any::<String>(), values in any::<Vec<String>>()) {
            use crate::post_policy::Condition;
            let rules = [ValueRule::Exact(value.clone()), ValueRule::Prefix(value.clone()), ValueRule::OneOf(values.clone()), ValueRule::NoneOf(values.clone())];
            let wanted = [
                Condition::eq(field.as_str(), value.as_str()),
                Condition::starts_with(field.as_str(), value.as_str()),
                Condition::In { field: field.as_str().into(), values: values.as_slice().into() },
                Condition::NotIn { field: field.as_str().into(), values: values.as_slice().into() },
            ];
            for (rule, wanted) in rules.into_iter().zip(wanted) {
                let mut json = String::new();
                push_open(&mut json, &OpenField::new(field.clone(), rule));
                prop_assert_eq!(json, [",", &serde_json::to_string(&wanted).unwrap()].concat());
            }
        }
    }
}
