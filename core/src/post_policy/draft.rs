//! From a policy to the fields and conditions of a form: the checks that every provider shares.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem::discriminant;

use super::checks::{accept, can_all_hold, check_prefix_end, check_url, check_value, has_dollar, has_file_name, is_harmless};
use super::form_texts::FormMoment;
use super::rules::FileNameRule;
use super::values::{Callback, ValueRule};
use super::{FILE_NAME, FormCondition, KeyRule, MAX_FILE_BYTES, PolicyError, PostPolicy};
use crate::binding::is_token;
use crate::dialect::Dialect;
use crate::error::PresignError;
use crate::key::ObjectKey;
use crate::presigned_post::{FileLimits, FormFields, OpenField};
use crate::target::Target;
use crate::values::{Acl, Checksum, ServerSideEncryption, StorageClass};

/// Bytes of what a usual condition says, in its field and in base64.
const CONDITION: usize = 80;
/// Bytes of the signature, and of what a provider pins.
const OTHERS: usize = 160;

pub(super) const NO_SIZE: &str = "the policy sets no size: a file of up to 5 GiB is taken";

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
pub struct FormDraft {
    pub(super) fields: FormFields,
    pub(super) open: Vec<OpenField>,
    pub(super) limits: FileLimits,
    /// What the provider does not enforce.
    pub notes: Vec<Cow<'static, str>>,
    pub(super) limits_size: bool,
    compares_dollar: bool,
    /// One text for what is needed for a while: the key that is checked, then the JSON.
    pub(super) scratch: String,
}

impl FormDraft {
    /// Of no policy yet, with room for the form of this one.
    #[inline]
    pub(super) fn new(policy: &PostPolicy, moment: &FormMoment) -> Self {
        // The signature's own fields and what a provider pins, beside one for each condition; and the text of a usual form with the policy's base64.
        let fields = policy.conditions().len().saturating_add(10);
        let own = policy.key().bytes().saturating_mul(3).saturating_add(policy.conditions().len().saturating_mul(CONDITION)).saturating_add(OTHERS);
        let json = moment.head.len().saturating_add(moment.conditions.len());
        let bytes = json.saturating_mul(4).saturating_div(3).saturating_add(moment.fields.len()).saturating_add(own);
        Self {
            fields: FormFields::with_capacity(fields, bytes),
            open: if matches!(policy.key(), KeyRule::Prefix { .. }) { Vec::with_capacity(2) } else { Vec::new() },
            limits: FileLimits { min: 0, max: MAX_FILE_BYTES, content_type: None },
            notes: Vec::new(),
            limits_size: false,
            compares_dollar: false,
            scratch: String::with_capacity(json.saturating_add(own)),
        }
    }

    /// Fixes a field: it stands in the form and in a condition, so that it can neither be changed nor left out.
    #[inline]
    pub fn fix(&mut self, name: &str, value: &str) {
        self.compares_dollar |= has_dollar(value);
        self.fields.push(name, value);
    }

    /// How many conditions the policy has at the most: bucket and size, what is fixed, what is open.
    pub(super) fn conditions(&self) -> usize {
        self.fields.len().saturating_add(self.open.len()).saturating_add(2)
    }

    /// Adds a remark on what the provider does not enforce.
    pub fn note(&mut self, note: &'static str) {
        // Most forms have one.
        if self.notes.is_empty() {
            self.notes = Vec::with_capacity(1);
        }
        self.notes.push(Cow::Borrowed(note));
    }

    /// Whether a text that is compared holds `$`: a value, a prefix, an item of a list.
    #[must_use]
    pub const fn compares_dollar(&self) -> bool {
        self.compares_dollar
    }

    /// Whether a list is among the rules of a field.
    #[must_use]
    pub fn has_list(&self, field: &str) -> bool {
        let is_list = |open: &OpenField| matches!(open.rule(), ValueRule::OneOf(_) | ValueRule::NoneOf(_));
        self.open.iter().any(|open| is_list(open) && open.name().eq_ignore_ascii_case(field))
    }

    /// Whether a field is fixed or has a rule already.
    #[must_use]
    #[inline]
    pub fn is_about(&self, field: &str) -> bool {
        self.fields.has_ignoring_case(field) || self.open.iter().any(|open| open.name().eq_ignore_ascii_case(field))
    }

    /// Gives a field its rule.
    ///
    /// # Errors
    /// [`PolicyError`] for an empty list, and for what the provider cannot enforce on this field.
    #[inline]
    pub fn rule(&mut self, dialect: &(impl Dialect + ?Sized), condition: &'static str, name: &str, rule: &ValueRule) -> Result<(), PolicyError> {
        let rules = dialect.form_rules();
        match rule {
            ValueRule::Exact(value) => {
                self.fix(name, value);
                return Ok(());
            }
            ValueRule::Prefix(_) if (rules.exact_only)(&name.to_ascii_lowercase()) => {
                let reason = "this field takes exact values only; fix it";
                return Err(PolicyError::Unsupported { provider: rules.provider, condition, reason });
            }
            ValueRule::Prefix(prefix) if rules.comma_lists && condition == "content-type" && prefix.contains(',') => {
                let reason = "a type with a comma is judged as a list, of which no item begins so".into();
                return Err(PolicyError::Unsafe { condition, reason });
            }
            ValueRule::Prefix(prefix) => self.compares_dollar |= prefix.contains('$'),
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
            ValueRule::OneOf(values) | ValueRule::NoneOf(values) => {
                self.compares_dollar |= values.iter().any(|value| value.contains('$'));
            }
        }
        self.open.push(OpenField::new(name.to_string(), rule.clone()));
        Ok(())
    }

    /// Runs everything that a policy says through the dialect. The bucket comes first.
    ///
    /// # Errors
    /// [`PresignError`] for what the provider cannot enforce, for a policy that would allow more than it seems to or could never be met, for a name that is
    /// given twice or that the signer owns.
    pub(super) fn add_all(&mut self, dialect: &(impl Dialect + ?Sized), target: &Target, policy: &PostPolicy) -> Result<(), PresignError> {
        let (rules, draft) = (dialect.form_rules(), self);
        draft.add_key(dialect, policy.key())?;
        let mut free_names = 0_usize;
        for (index, condition) in policy.conditions().iter().enumerate() {
            let name = condition.name();
            let mut earlier = policy.conditions().iter().take(index);
            let seen_before = earlier.any(|other| discriminant(other) == discriminant(condition));
            if seen_before && !condition.repeats() {
                return Err(PresignError::Duplicate { name: name.to_string() });
            }
            if !is_harmless(condition) {
                check_value(condition)?;
            }
            free_names = free_names.saturating_add(condition.free_names());
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
                    draft.add_metadata(dialect, key, rule)?;
                }
                FormCondition::SuccessStatus(status) => {
                    if ![200, 201, 204].contains(status) {
                        let reason = format!("{status} is not 200, 201 or 204, and the store would answer 204");
                        return Err(PolicyError::InvalidValue { condition: name, reason }.into());
                    }
                    draft.fix("success_action_status", &status.to_string());
                }
                FormCondition::SuccessRedirect(url) => {
                    check_url(name, url)?;
                    draft.fix("success_action_redirect", url.as_str());
                }
                FormCondition::Raw { field, rule } => draft.add_raw(dialect, field, rule)?,
                FormCondition::Acl(acl) => dialect.bind_form(ProviderFormCondition::Acl(acl), draft)?,
                FormCondition::StorageClass(class) => dialect.bind_form(ProviderFormCondition::StorageClass(class), draft)?,
                FormCondition::ServerSideEncryption(encryption) => {
                    dialect.bind_form(ProviderFormCondition::ServerSideEncryption(encryption), draft)?;
                }
                // One field holds them all, written at the first.
                FormCondition::Tag { .. } if seen_before => {}
                FormCondition::Tag { .. } => {
                    let tags: Vec<(&str, &str)> = policy.conditions().iter().filter_map(as_tag).collect();
                    dialect.bind_form(ProviderFormCondition::Tags(&tags), draft)?;
                }
                FormCondition::Checksum(checksum) => dialect.bind_form(ProviderFormCondition::Checksum(checksum), draft)?,
                FormCondition::CreateOnly => dialect.bind_form(ProviderFormCondition::CreateOnly, draft)?,
                FormCondition::Callback(callback) => dialect.bind_form(ProviderFormCondition::Callback(callback), draft)?,
            }
        }
        if !draft.limits_size {
            draft.note(NO_SIZE);
        }
        dialect.review_form(target, draft)?;
        // The names of all others differ by themselves.
        if free_names > 1 {
            draft.check_names()?;
        }
        Ok(())
    }

    #[inline]
    fn add_key(&mut self, dialect: &(impl Dialect + ?Sized), key: &KeyRule) -> Result<(), PresignError> {
        let unsafe_prefix = |reason: String| PolicyError::Unsafe { condition: "key", reason };
        match key {
            KeyRule::Exact(key) => {
                dialect.check_key(key)?;
                if has_file_name(key.as_str()) {
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
                let dollar = has_dollar(prefix);
                if dollar {
                    check_prefix_end(prefix)?;
                }
                if dollar && has_file_name(prefix) {
                    return Err(unsafe_prefix(format!("`{FILE_NAME}` belongs into the name after the prefix, and the prefix is what stands before it")).into());
                }
                let mut field = core::mem::take(&mut self.scratch);
                field.push_str(prefix);
                field.push_str(name);
                let field = ObjectKey::new(field)?;
                dialect.check_key(&field)?;
                self.compares_dollar |= dollar;
                self.fields.push("key", field.as_str());
                self.scratch = field.into_string();
                self.open.push(OpenField::new("key", ValueRule::Prefix(prefix.clone())));
            }
        }
        Ok(())
    }

    #[inline]
    fn add_metadata(&mut self, dialect: &(impl Dialect + ?Sized), key: &str, rule: &ValueRule) -> Result<(), PolicyError> {
        let prefix = dialect.form_rules().metadata_prefix;
        let push_name = |field: &mut String| {
            field.push_str(prefix);
            let lower = key.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| key.to_ascii_lowercase());
            field.push_str(lower.as_deref().unwrap_or(key));
        };
        if let ValueRule::Exact(value) = rule {
            self.compares_dollar |= has_dollar(value);
            self.fields.push_named(push_name, value);
            return Ok(());
        }
        let mut field = String::new();
        push_name(&mut field);
        self.rule(dialect, "metadata", &field, rule)
    }

    #[inline]
    fn add_size(&mut self, min: u64, max: u64) -> Result<(), PolicyError> {
        let reason = if min > max {
            format!("the smallest size, {min}, is greater than the greatest, {max}, so that no file fits")
        } else if max > MAX_FILE_BYTES {
            format!("{max} bytes are more than a form carries (5 GiB, {MAX_FILE_BYTES} bytes)")
        } else {
            (self.limits.min, self.limits.max, self.limits_size) = (min, max, true);
            return Ok(());
        };
        Err(PolicyError::Unsafe { condition: "content-length", reason })
    }

    fn add_raw(&mut self, dialect: &(impl Dialect + ?Sized), field: &str, rule: &ValueRule) -> Result<(), PresignError> {
        let plain =
            !field.is_empty() && !field.starts_with('$') && !field.chars().any(|c| c.is_control() || matches!(c, '"' | '=' | '\\')) && field.trim() == field;
        if !plain {
            let reason = format!("`{}` cannot be the name of a field; write it without `$`", field.escape_debug());
            return Err(PolicyError::InvalidValue { condition: "condition", reason }.into());
        }
        let lower = field.to_ascii_lowercase();
        if lower == "key" && !matches!(rule, ValueRule::Exact(_)) && self.open.iter().any(|open| open.name() == "key") {
            if let ValueRule::Prefix(prefix) = rule {
                check_prefix_end(prefix)?;
            }
            if matches!(rule, ValueRule::NoneOf(_)) && dialect.form_rules().file_name == FileNameRule::KeyAfterwards {
                self.note("`not-in` on the key is judged before `${filename}` is replaced: a file of that name can still write such a key");
            }
            return Ok(self.rule(dialect, "condition", "key", rule)?);
        }
        match (lower.as_str(), rule) {
            ("success_action_redirect" | "redirect", ValueRule::Exact(url)) => check_url("success-redirect", url)?,
            ("success_action_status", ValueRule::Exact(status)) if !["200", "201", "204"].contains(&status.as_str()) => {
                let reason = format!("`{}` is not 200, 201 or 204, and the store would answer 204", status.escape_debug());
                return Err(PolicyError::InvalidValue { condition: "success-status", reason }.into());
            }
            _ if super::is_secret(&lower) && !dialect.form_rules().owns(&lower) => {
                let reason = "it would stand in the form and in its policy for everybody to read; sign a put";
                return Err(PolicyError::Unsupported { provider: dialect.form_rules().provider, condition: "condition", reason }.into());
            }
            _ => {}
        }
        if lower == "content-type" || lower == dialect.form_rules().content_type {
            // The provider may decide the type by a field of another name.
            self.limits.content_type = accept(rule);
            return Ok(self.rule(dialect, "content-type", dialect.form_rules().content_type, rule)?);
        }
        if dialect.form_rules().owns(&lower) || lower == "content-length-range" {
            return Err(PresignError::Reserved { name: field.to_string() });
        }
        Ok(self.rule(dialect, "condition", field, rule)?)
    }

    /// A field that two rules fix would be sent twice or could not be met; two rules on an open field narrow it.
    fn check_names(&self) -> Result<(), PresignError> {
        for (index, (name, _)) in self.fields.iter().enumerate() {
            let is_key_of_a_prefix = name == "key";
            let again = self.fields.iter().skip(index.saturating_add(1)).any(|(other, _)| other.eq_ignore_ascii_case(name));
            if again || (!is_key_of_a_prefix && self.open.iter().any(|open| open.name().eq_ignore_ascii_case(name))) {
                return Err(PresignError::Duplicate { name: name.to_string() });
            }
        }
        if let Some(default) = self.fields.value("key")
            && let Some(refused) = self.open.iter().find(|open| open.name() == "key" && !open.takes(default))
        {
            let reason = format!("the field `key` stands for {default:?}, which {}; give another name after the prefix", refused.describe());
            return Err(PolicyError::Unsafe { condition: "key", reason }.into());
        }
        for (index, open) in self.open.iter().enumerate() {
            let rules = || self.open.iter().filter(|other| other.name().eq_ignore_ascii_case(open.name()));
            if index > 0 && rules().count() > 1 && !can_all_hold(&rules().collect::<Vec<_>>()) {
                let reason = format!("no value of `{}` keeps to all of its rules", open.name().escape_debug());
                return Err(PolicyError::Unsafe { condition: "condition", reason }.into());
            }
        }
        Ok(())
    }
}

fn as_tag(condition: &FormCondition) -> Option<(&str, &str)> {
    match condition {
        FormCondition::Tag { key, value } => Some((key, value)),
        _ => None,
    }
}
