//! What no field can carry, and what a policy could never match again.

use alloc::format;
use alloc::string::String;

use super::values::ValueRule;
use super::{FILE_NAME, FormCondition, PolicyError};
use crate::encode::holds_for_all;
use crate::presigned_post::OpenField;
use crate::values::{Acl, ServerSideEncryption, StorageClass};

#[inline]
pub(super) fn has_dollar(text: &str) -> bool {
    !holds_for_all(text, |byte| byte != b'$')
}

/// Looked for by its first byte, since most texts have none.
#[inline]
pub(super) fn has_file_name(text: &str) -> bool {
    has_dollar(text) && text.contains(FILE_NAME)
}

/// C0, DEL and C1. The last stand in UTF-8 as two bytes, of which the first is 0xC2.
#[inline]
pub(super) fn has_control(text: &str) -> bool {
    !holds_for_all(text, |byte| (byte >= 0x20) & (byte != 0x7f) & (byte != 0xc2)) && text.chars().any(char::is_control)
}

/// A prefix that ends inside of `${filename}` would hold for the text and not for the key that is written.
#[inline]
pub(super) fn check_prefix_end(prefix: &str) -> Result<(), PolicyError> {
    let is_cut = has_dollar(prefix) && FILE_NAME.char_indices().skip(1).filter_map(|(at, _)| FILE_NAME.get(..at)).any(|beginning| prefix.ends_with(beginning));
    if is_cut {
        let reason = format!("the prefix `{}` ends inside of what may be `{FILE_NAME}`; end it elsewhere", prefix.escape_debug());
        return Err(PolicyError::Unsafe { condition: "key", reason });
    }
    Ok(())
}

pub(super) fn check_url(condition: &'static str, text: &str) -> Result<(), PolicyError> {
    // A browser reads `https:host` and `https:\\host` as URLs, too; a name before `@` hides the host from people.
    let begins = ["http://", "https://"].iter().any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let fine = url::Url::parse(text).is_ok_and(|url| url.has_host() && url.password().is_none() && url.username().is_empty());
    if begins && fine && text.is_ascii() && !text.contains([' ', '\\']) {
        return Ok(());
    }
    let reason = format!("`{}` is not an absolute http or https URL", text.chars().take(200).collect::<String>().escape_debug());
    Err(PolicyError::InvalidValue { condition, reason })
}

/// Visible characters without `$`, as nearly all values are: one look says that nothing can be wrong with them.
#[inline]
fn is_visible(value: &str) -> bool {
    !value.is_empty() && holds_for_all(value, |byte| (byte.wrapping_sub(b'!') <= b'~' - b'!') & (byte != b'$'))
}

/// Whether [`check_value`] has nothing to find: so it is with nearly all that forms say.
#[inline]
pub(super) fn is_harmless(condition: &FormCondition) -> bool {
    match condition {
        FormCondition::ContentLength { .. } => true,
        FormCondition::ContentType(ValueRule::Exact(value)) | FormCondition::Metadata { rule: ValueRule::Exact(value), .. } => is_visible(value),
        _ => false,
    }
}

/// What no field can carry, and what the policy could never match again.
pub(super) fn check_value(condition: &FormCondition) -> Result<(), PolicyError> {
    let name = condition.name();
    let check = |value: &str, may_be_empty: bool| {
        if is_visible(value) {
            return Ok(());
        }
        if has_control(value) {
            return Err(PolicyError::InvalidValue { condition: name, reason: "the value has a control character".into() });
        }
        if has_file_name(value) {
            let reason =
                format!("`{FILE_NAME}` is replaced before or after the policy is judged, so that this value would not be kept; only a key may have it");
            return Err(PolicyError::Unsafe { condition: name, reason });
        }
        if !may_be_empty && value.trim().is_empty() {
            return Err(PolicyError::InvalidValue { condition: name, reason: "the value is empty".into() });
        }
        Ok(())
    };
    match condition {
        FormCondition::ContentType(rule) => match rule {
            ValueRule::Exact(value) => check(value, false),
            ValueRule::Prefix(prefix) => check(prefix, true),
            ValueRule::OneOf(values) | ValueRule::NoneOf(values) => values.iter().try_for_each(|value| check(value, false)),
        },
        FormCondition::Metadata { rule, .. } | FormCondition::Raw { rule, .. } => match rule {
            ValueRule::Exact(value) | ValueRule::Prefix(value) => check(value, true),
            ValueRule::OneOf(values) | ValueRule::NoneOf(values) => values.iter().try_for_each(|value| check(value, true)),
        },
        FormCondition::CacheControl(value)
        | FormCondition::ContentDisposition(value)
        | FormCondition::ContentEncoding(value)
        | FormCondition::ExpiresHeader(value)
        | FormCondition::SuccessRedirect(value)
        | FormCondition::Acl(Acl::Other(value))
        | FormCondition::StorageClass(StorageClass::Other(value)) => check(value, false),
        FormCondition::ServerSideEncryption(encryption) => match encryption {
            ServerSideEncryption::Aes256 | ServerSideEncryption::Kms { key_id: None } => Ok(()),
            ServerSideEncryption::Kms { key_id: Some(id) } => check(id, false),
            ServerSideEncryption::Other { algorithm, key_id } => {
                check(algorithm, false)?;
                key_id.as_deref().map_or(Ok(()), |id| check(id, false))
            }
        },
        FormCondition::Tag { key, value } => {
            check(key, false)?;
            check(value, true)
        }
        FormCondition::Callback(callback) => {
            check_url(name, callback.url())?;
            callback.variables().iter().try_for_each(|(variable, rule)| {
                let plain = !variable.is_empty() && variable.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
                if !plain {
                    let reason = format!("`{}` cannot be the name of a variable: it is made of a-z, 0-9, `_` and `-`, without `x:`", variable.escape_debug());
                    return Err(PolicyError::InvalidValue { condition: name, reason });
                }
                match rule {
                    ValueRule::Exact(value) | ValueRule::Prefix(value) => check(value, true),
                    ValueRule::OneOf(_) | ValueRule::NoneOf(_) => Ok(()),
                }
            })
        }
        _ => Ok(()),
    }
}

/// Whether a value keeps to several rules of one field: an item of a list, or something that begins as the longest prefix.
pub(super) fn can_all_hold(rules: &[&OpenField]) -> bool {
    let holds = |value: &str| rules.iter().all(|rule| rule.takes(value));
    rules.iter().any(|one| match one.rule() {
        ValueRule::Exact(value) => holds(value),
        ValueRule::Prefix(prefix) => holds(prefix) || holds(&format!("{prefix}x")),
        ValueRule::OneOf(values) => values.iter().any(|value| holds(value)),
        ValueRule::NoneOf(_) => false,
    }) || rules.iter().all(|rule| matches!(rule.rule(), ValueRule::NoneOf(_)))
}

/// Which files a page should offer, in the words of the attribute `accept` of HTML.
pub(super) fn accept(rule: &ValueRule) -> Option<String> {
    match rule {
        ValueRule::Exact(value) => Some(value.clone()),
        ValueRule::Prefix(prefix) if prefix.is_empty() => None,
        ValueRule::Prefix(prefix) => Some(format!("{prefix}*")),
        ValueRule::OneOf(values) => Some(values.join(",")),
        ValueRule::NoneOf(_) => None,
    }
}
