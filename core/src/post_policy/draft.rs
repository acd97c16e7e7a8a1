//! From a policy to the fields and conditions of a form: the checks that every provider shares.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::condition::{Bound, Condition};
use super::values::{Callback, ValueRule};
use super::{FILE_NAME, FormCondition, KeyRule, MAX_FILE_BYTES, PolicyError, PostPolicy};
use crate::binding::is_token;
use crate::dialect::Dialect;
use crate::error::PresignError;
use crate::key::ObjectKey;
use crate::presigned_post::{FileLimits, FormFields, OpenField};
use crate::target::Target;
use crate::values::{Acl, Checksum, ServerSideEncryption, StorageClass};

/// What a dialect gives its own names to.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ProviderFormCondition<'a> {
    /// Canned ACL.
    Acl(&'a Acl),
    /// Storage class.
    StorageClass(&'a StorageClass),
    /// Encryption by the store.
    ServerSideEncryption(&'a ServerSideEncryption),
    /// All tags, key and value, in the order given.
    Tags(&'a [(&'a str, &'a str)]),
    /// A checksum of the file.
    Checksum(&'a Checksum),
    /// Never overwrite an object.
    CreateOnly,
    /// A request of the store to the application.
    Callback(&'a Callback),
}

/// Fields, conditions and remarks of a form that is being written.
pub struct FormDraft<'a> {
    pub(super) fields: FormFields,
    pub(super) conditions: Vec<Condition<'a>>,
    pub(super) open: Vec<OpenField>,
    pub(super) limits: FileLimits,
    /// What the provider does not enforce.
    pub notes: Vec<Cow<'static, str>>,
}

impl<'a> FormDraft<'a> {
    /// Fixes a field: it stands in the form and in a condition, so that it can neither be changed nor left out.
    pub fn fix(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'a, str>>) {
        let (name, value) = (name.into(), value.into());
        self.conditions.push(Condition::Eq { field: name.clone(), value: value.clone() });
        self.fields.push(name, value.into_owned());
    }

    /// Adds a remark on what the provider does not enforce.
    pub fn note(&mut self, note: &'static str) {
        self.notes.push(Cow::Borrowed(note));
    }

    /// Whether a text that is compared passes a test: a value, a prefix, an item of a list.
    #[must_use]
    pub fn compares(&self, test: impl Fn(&str) -> bool) -> bool {
        self.conditions.iter().any(|condition| match condition {
            Condition::Eq { value: text, .. } | Condition::StartsWith { prefix: text, .. } => test(text),
            Condition::In { values, .. } | Condition::NotIn { values, .. } => values.iter().any(|value| test(value)),
            Condition::ContentLengthRange { .. } => false,
        })
    }

    /// Whether a list is among the rules of a field.
    #[must_use]
    pub fn has_list(&self, field: &str) -> bool {
        let is_list = |condition: &Condition<'_>| matches!(condition, Condition::In { .. } | Condition::NotIn { .. });
        self.conditions.iter().any(|condition| is_list(condition) && condition.is_about(field))
    }

    /// Whether a field is pinned already.
    #[must_use]
    pub fn is_about(&self, field: &str) -> bool {
        self.conditions.iter().any(|condition| condition.is_about(field))
    }

    /// Gives a field its rule.
    ///
    /// # Errors
    /// [`PolicyError`] for an empty list, and for what the provider cannot enforce on this field.
    pub fn rule(
        &mut self,
        dialect: &(impl Dialect + ?Sized),
        condition: &'static str,
        name: impl Into<Cow<'static, str>>,
        rule: &'a ValueRule,
    ) -> Result<(), PolicyError> {
        let (name, rules) = (name.into(), dialect.form_rules());
        let field = || -> Cow<'a, str> { name.clone() };
        match rule {
            ValueRule::Exact(value) => {
                self.fix(name, value.as_str());
                return Ok(());
            }
            ValueRule::Prefix(_) if (rules.exact_only)(&name.to_ascii_lowercase()) => {
                let reason = "this field takes exact values only; fix it";
                return Err(PolicyError::Unsupported { provider: rules.provider, condition, reason });
            }
            ValueRule::Prefix(prefix) => self.conditions.push(Condition::starts_with(field(), prefix.as_str())),
            ValueRule::OneOf(_) | ValueRule::NoneOf(_) if !rules.lists => {
                let reason = match condition {
                    "content-type" => "its policies have no lists; sign one form per type",
                    _ => "its policies have neither `in` nor `not-in`; sign one form per value",
                };
                return Err(PolicyError::Unsupported { provider: rules.provider, condition, reason });
            }
            ValueRule::OneOf(values) | ValueRule::NoneOf(values) if values.is_empty() => {
                return Err(PolicyError::InvalidValue { condition, reason: "the list of values is empty".into() });
            }
            ValueRule::OneOf(values) => self.conditions.push(Condition::In { field: field(), values: Cow::Borrowed(values) }),
            ValueRule::NoneOf(values) => self.conditions.push(Condition::NotIn { field: field(), values: Cow::Borrowed(values) }),
        }
        self.open.push(OpenField::new(name, rule.clone()));
        Ok(())
    }

    /// Runs everything that a policy says through the dialect. The bucket comes first.
    ///
    /// # Errors
    /// [`PresignError`] for what the provider cannot enforce, for a policy that would allow more than it seems to or could never be met, for a name that is
    /// given twice or that the signer owns.
    pub(super) fn collect(
        dialect: &(impl Dialect + ?Sized),
        target: &'a Target,
        policy: &'a PostPolicy,
        tags: &'a [(&'a str, &'a str)],
    ) -> Result<Self, PresignError> {
        let rules = dialect.form_rules();
        let mut draft = Self {
            fields: FormFields::with_capacity(policy.conditions().len().saturating_add(8)),
            conditions: Vec::with_capacity(policy.conditions().len().saturating_add(8)),
            open: Vec::new(),
            limits: FileLimits { min: 0, max: MAX_FILE_BYTES, content_type: None },
            notes: Vec::new(),
        };
        draft.conditions.push(Condition::eq("bucket", target.bucket.as_str()));
        draft.add_key(dialect, policy.key())?;
        for (index, condition) in policy.conditions().iter().enumerate() {
            let name = condition.name();
            let mut earlier = policy.conditions().iter().take(index);
            let seen_before = earlier.any(|other| other.name() == name);
            if seen_before && !condition.repeats() {
                return Err(PresignError::Duplicate { name: name.to_string() });
            }
            check_value(condition)?;
            match condition {
                FormCondition::ContentLength { min, max } => draft.add_size(*min, *max)?,
                FormCondition::ContentType(rule) => {
                    draft.limits.content_type = accept(rule);
                    draft.rule(dialect, name, rules.content_type, rule)?;
                }
                FormCondition::CacheControl(value) => draft.fix("Cache-Control", value.as_str()),
                FormCondition::ContentDisposition(value) => draft.fix("Content-Disposition", value.as_str()),
                FormCondition::ContentEncoding(value) => draft.fix("Content-Encoding", value.as_str()),
                FormCondition::ExpiresHeader(value) => draft.fix("Expires", value.as_str()),
                FormCondition::Metadata { name: key, rule } => {
                    if !is_token(key) {
                        let reason = format!("`{}` cannot be the name of metadata", key.escape_debug());
                        return Err(PolicyError::InvalidValue { condition: name, reason }.into());
                    }
                    draft.rule(dialect, name, format!("{}{}", rules.metadata_prefix, key.to_ascii_lowercase()), rule)?;
                }
                FormCondition::SuccessStatus(status) => {
                    if ![200, 201, 204].contains(status) {
                        let reason = format!("{status} is not 200, 201 or 204, and the store would answer 204");
                        return Err(PolicyError::InvalidValue { condition: name, reason }.into());
                    }
                    draft.fix("success_action_status", status.to_string());
                }
                FormCondition::SuccessRedirect(url) => {
                    check_url(name, url)?;
                    draft.fix("success_action_redirect", url.as_str());
                }
                FormCondition::Raw { field, rule } => draft.add_raw(dialect, field, rule)?,
                FormCondition::Acl(acl) => dialect.bind_form(ProviderFormCondition::Acl(acl), &mut draft)?,
                FormCondition::StorageClass(class) => dialect.bind_form(ProviderFormCondition::StorageClass(class), &mut draft)?,
                FormCondition::ServerSideEncryption(encryption) => {
                    dialect.bind_form(ProviderFormCondition::ServerSideEncryption(encryption), &mut draft)?;
                }
                // One field holds them all, written at the first.
                FormCondition::Tag { .. } if seen_before => {}
                FormCondition::Tag { .. } => dialect.bind_form(ProviderFormCondition::Tags(tags), &mut draft)?,
                FormCondition::Checksum(checksum) => dialect.bind_form(ProviderFormCondition::Checksum(checksum), &mut draft)?,
                FormCondition::CreateOnly => dialect.bind_form(ProviderFormCondition::CreateOnly, &mut draft)?,
                FormCondition::Callback(callback) => dialect.bind_form(ProviderFormCondition::Callback(callback), &mut draft)?,
            }
        }
        if !policy.conditions().iter().any(|condition| matches!(condition, FormCondition::ContentLength { .. })) {
            draft.note("the policy sets no size: a file of up to 5 GiB is taken");
        }
        dialect.review_form(target, &mut draft)?;
        draft.check_names()?;
        Ok(draft)
    }

    fn add_key(&mut self, dialect: &(impl Dialect + ?Sized), key: &'a KeyRule) -> Result<(), PresignError> {
        let unsafe_prefix = |reason: String| PolicyError::Unsafe { condition: "key", reason };
        match key {
            KeyRule::Exact(key) => {
                dialect.check_key(key)?;
                if key.as_str().contains(FILE_NAME) {
                    let reason = format!(
                        "`{FILE_NAME}` in an exact key is never the name of a file, or writes another key than the policy names; give the prefix before it"
                    );
                    return Err(unsafe_prefix(reason).into());
                }
                self.fix("key", key.as_str());
            }
            KeyRule::Prefix { prefix, open, name } => {
                if prefix.is_empty() {
                    return Err(unsafe_prefix("an empty prefix takes every key of the bucket; name a prefix".into()).into());
                }
                if !open && !prefix.ends_with('/') {
                    let reason = format!(
                        "the prefix `{}` does not end in `/`, so that it would take keys of other names, too; end it in `/`, or say that it is open",
                        prefix.escape_debug()
                    );
                    return Err(unsafe_prefix(reason).into());
                }
                if prefix.contains(FILE_NAME) {
                    return Err(unsafe_prefix(format!("`{FILE_NAME}` belongs into the name after the prefix, and the prefix is what stands before it")).into());
                }
                let field = format!("{prefix}{name}");
                dialect.check_key(&ObjectKey::new(field.as_str())?)?;
                self.conditions.push(Condition::starts_with("key", prefix.as_str()));
                self.fields.push("key", field);
                self.open.push(OpenField::new("key", ValueRule::Prefix(prefix.clone())));
            }
        }
        Ok(())
    }

    fn add_size(&mut self, min: u64, max: u64) -> Result<(), PolicyError> {
        let reason = if min > max {
            format!("the smallest size, {min}, is greater than the greatest, {max}, so that no file fits")
        } else if max > MAX_FILE_BYTES {
            format!("{max} bytes are more than a form carries (5 GiB, {MAX_FILE_BYTES} bytes)")
        } else {
            self.conditions.push(Condition::ContentLengthRange { min: Bound::Bytes(min), max: Bound::Bytes(max) });
            (self.limits.min, self.limits.max) = (min, max);
            return Ok(());
        };
        Err(PolicyError::Unsafe { condition: "content-length", reason })
    }

    fn add_raw(&mut self, dialect: &(impl Dialect + ?Sized), field: &'a str, rule: &'a ValueRule) -> Result<(), PresignError> {
        let plain = !field.is_empty() && !field.starts_with('$') && !field.chars().any(|c| c.is_control() || c == '"') && field.trim() == field;
        if !plain {
            let reason = format!("`{}` cannot be the name of a field; write it without `$`", field.escape_debug());
            return Err(PolicyError::InvalidValue { condition: "condition", reason }.into());
        }
        let lower = field.to_ascii_lowercase();
        if lower == "key" && !matches!(rule, ValueRule::Exact(_)) && self.open.iter().any(|open| open.name() == "key") {
            return Ok(self.rule(dialect, "condition", "key", rule)?);
        }
        if lower == "content-type" {
            // The provider may decide the type by a field of another name.
            self.limits.content_type = accept(rule);
            return Ok(self.rule(dialect, "content-type", dialect.form_rules().content_type, rule)?);
        }
        if dialect.form_rules().owns(&lower) || lower == "content-length-range" {
            return Err(PresignError::Reserved { name: field.to_string() });
        }
        Ok(self.rule(dialect, "condition", field.to_string(), rule)?)
    }

    /// A field that two rules fix would be sent twice or could not be met; two rules on an open field narrow it.
    fn check_names(&self) -> Result<(), PresignError> {
        for (index, condition) in self.conditions.iter().enumerate() {
            let Some(field) = condition.field() else { continue };
            let mut later = self.conditions.iter().skip(index.saturating_add(1)).filter(|other| other.is_about(field));
            let fixes = |one: &Condition<'_>| matches!(one, Condition::Eq { .. });
            if later.any(|other| fixes(condition) || fixes(other)) {
                return Err(PresignError::Duplicate { name: field.to_string() });
            }
        }
        if let Some(default) = self.fields.value("key")
            && let Some(refused) = self.conditions.iter().find(|condition| condition.is_about("key") && !condition.holds(default, false))
        {
            let reason = format!("the field `key` stands for {default:?}, which the condition {refused} refuses; give another name after the prefix");
            return Err(PolicyError::Unsafe { condition: "key", reason }.into());
        }
        Ok(())
    }
}

/// Which files a page should offer, in the words of the attribute `accept` of HTML.
fn accept(rule: &ValueRule) -> Option<String> {
    match rule {
        ValueRule::Exact(value) => Some(value.clone()),
        ValueRule::Prefix(prefix) if prefix.is_empty() => None,
        ValueRule::Prefix(prefix) => Some(format!("{prefix}*")),
        ValueRule::OneOf(values) => Some(values.join(",")),
        ValueRule::NoneOf(_) => None,
    }
}

pub(super) fn check_url(condition: &'static str, text: &str) -> Result<(), PolicyError> {
    let fine = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none());
    if fine && text.is_ascii() && !text.contains(' ') {
        return Ok(());
    }
    let reason = format!("`{}` is not an absolute http or https URL", text.chars().take(200).collect::<String>().escape_debug());
    Err(PolicyError::InvalidValue { condition, reason })
}

/// What no field can carry, and what the policy could never match again.
fn check_value(condition: &FormCondition) -> Result<(), PolicyError> {
    let name = condition.name();
    let check = |value: &str, may_be_empty: bool| {
        if value.chars().any(char::is_control) {
            return Err(PolicyError::InvalidValue { condition: name, reason: "the value has a control character".into() });
        }
        if value.contains(FILE_NAME) {
            let reason =
                format!("`{FILE_NAME}` is replaced before or after the policy is judged, so that this value would not be kept; only a key may have it");
            return Err(PolicyError::Unsafe { condition: name, reason });
        }
        if value.trim().is_empty() && !may_be_empty {
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
