//! The decision: whether a form keeps to its policy.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::condition::{Bound, Condition};
use super::document::{PolicyDocument, PolicyDocumentError};
use super::rules::{BeyondMaximum, FileNameRule, FormRules};
use super::{FILE_NAME, condition};
use crate::dialect::Dialect;
use crate::key::ObjectKey;
use crate::time::Timestamp;
use crate::verify::{FormError, MAX_CLOCK_SKEW};

/// The most bytes of a file that a form may carry, on both clouds: 5 GiB.
pub const MAX_FILE_BYTES: u64 = 5 << 30;

/// A form as it was received, without its file.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// The bucket that the URL names; what the form says of it must agree.
    pub bucket: &'a str,
    /// Fields in the order received, no name twice.
    pub fields: &'a [(String, String)],
    /// The name of the file, as its part says it.
    pub file_name: &'a str,
    /// Bytes of the file; `None` while they are not counted yet, and then [`SizeLimits`] is an obligation.
    pub size: Option<u64>,
}

/// What a form that keeps to its policy asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The object, with the name of the file in it.
    pub key: ObjectKey,
    /// Every other field, but for those of the signature and those that are to be ignored.
    pub fields: Vec<(String, String)>,
    /// How many bytes the file may have.
    pub sizes: SizeLimits,
    /// The last second in which an upload may begin.
    pub expiration: Timestamp,
}

/// How many bytes a file may have, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimits {
    /// The fewest.
    pub min: u64,
    /// The most.
    pub max: u64,
}

impl SizeLimits {
    /// Judges a size.
    ///
    /// # Errors
    /// [`FormError::TooLarge`] and [`FormError::TooSmall`].
    pub const fn check(&self, size: u64) -> Result<(), FormError> {
        if size > self.max {
            return Err(FormError::TooLarge { size, max: self.max });
        }
        if size < self.min {
            return Err(FormError::TooSmall { size, min: self.min });
        }
        Ok(())
    }
}

/// Decides whether a form keeps to its policy at a moment: time, the pinned fields of the signature, the bucket, every condition, every field, the size, the
/// key. That policy and credential are authentic is decided before, by the signature.
///
/// # Errors
/// [`FormError`] with the first rule that is broken.
pub fn judge(dialect: &(impl Dialect + ?Sized), policy: &PolicyDocument, form: &Form<'_>, now: Timestamp) -> Result<Judgement, FormError> {
    let rules = dialect.form_rules();
    // Before the time: a date that the policy does not have says nothing about the form's window.
    for name in rules.pinned() {
        let Some(fixed) = policy.fixed(name) else {
            return Err(FormError::FieldNotBound { name });
        };
        if !form.fields.iter().any(|(field, value)| field.eq_ignore_ascii_case(name) && value == fixed) {
            return Err(FormError::ConditionFailed { condition: Condition::eq(name, fixed).to_string() });
        }
        if name == rules.algorithm.0 && fixed != rules.algorithm.1 {
            return Err(FormError::UnsupportedAlgorithm { expected: rules.algorithm.1 });
        }
    }
    let expiration = judge_time(rules, policy, form, now)?;
    judge_bucket(rules, policy, form)?;

    let fields = fields_to_judge(rules, form)?;
    let value = |name: &str| fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    let mut sizes = SizeLimits { min: 0, max: MAX_FILE_BYTES };
    for condition in policy.conditions() {
        check_shape(rules, condition)?;
        let failed = || FormError::ConditionFailed { condition: condition.to_string() };
        match condition {
            Condition::ContentLengthRange { min, max } => {
                let range = (read_bound(rules, min)?, read_bound(rules, max)?);
                let (Some(min), Some(max)) = range else { return Err(failed()) };
                if min > max {
                    return Err(PolicyDocumentError::new("the smallest size is greater than the greatest").into());
                }
                sizes = SizeLimits { min: sizes.min.max(min), max: sizes.max.min(max) };
            }
            _ if condition.is_about("bucket") => {}
            _ => {
                let name = condition.field().unwrap_or_default();
                let comma_list = rules.comma_lists && name.eq_ignore_ascii_case("content-type");
                if !value(name).is_some_and(|value| condition.holds(value, comma_list)) {
                    return Err(failed());
                }
            }
        }
    }
    for (name, _) in &fields {
        let lower = name.to_ascii_lowercase();
        let free = matches!(lower.as_str(), "policy" | "file") || lower == rules.signature || (rules.uncovered)(&lower);
        if !free && !policy.conditions().iter().any(|condition| condition.is_about(name)) {
            return Err(FormError::ExtraField { name: name.clone() });
        }
    }
    if let Some(size) = form.size {
        sizes.check(size)?;
    }
    let key = final_key(dialect, policy, value("key").unwrap_or_default(), form.file_name)?;
    let is_kept = |name: &str| !rules.owns(name) && !(rules.uncovered)(name);
    let fields = fields.into_iter().filter(|(name, _)| is_kept(&name.to_ascii_lowercase())).collect();
    Ok(Judgement { key, fields, sizes, expiration })
}

/// The signing time's window and the end.
fn judge_time(rules: &FormRules, policy: &PolicyDocument, form: &Form<'_>, now: Timestamp) -> Result<Timestamp, FormError> {
    let date = form.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(rules.date)).map(|(_, value)| value.as_str());
    let date = date.ok_or(FormError::MissingField { name: rules.date })?;
    let malformed = |reason| FormError::MalformedField { name: rules.date.to_owned(), reason };
    let signed_at = Timestamp::from_basic(date).map_err(|_| malformed("is not a date of the form YYYYMMDDTHHMMSSZ"))?;
    let last = signed_at.checked_add(u64::from(rules.max_life)).ok_or_else(|| malformed("lies too far ahead"))?;
    if signed_at.seconds_since(now).is_some_and(|ahead| ahead > MAX_CLOCK_SKEW) {
        return Err(FormError::NotYetValid { signed_at, now });
    }
    let expiration = policy.expiration().min(last);
    if now > expiration {
        return Err(FormError::Expired { expiration, now });
    }
    if policy.expiration() > last && rules.beyond_maximum == BeyondMaximum::Refused {
        return Err(FormError::ExpirationOutOfRange { max: rules.max_life });
    }
    Ok(expiration)
}

/// The URL's bucket is the authority: what the policy and the form say of it must agree.
fn judge_bucket(rules: &FormRules, policy: &PolicyDocument, form: &Form<'_>) -> Result<(), FormError> {
    let mismatch = Err(FormError::BucketMismatch { bucket: form.bucket.to_owned() });
    let mut conditions = policy.conditions().iter().filter(|condition| condition.is_about("bucket")).peekable();
    if rules.needs_bucket && conditions.peek().is_none() {
        return mismatch;
    }
    let field = form.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("bucket"));
    if !conditions.all(|condition| condition.holds(form.bucket, false)) || field.is_some_and(|(_, value)| value != form.bucket) {
        return mismatch;
    }
    Ok(())
}

/// What the provider's policies do not have is refused: it would be a condition that nobody keeps.
fn check_shape(rules: &FormRules, condition: &Condition<'_>) -> Result<(), FormError> {
    let lower = condition.field().unwrap_or_default().to_ascii_lowercase();
    let what = match condition {
        Condition::In { .. } | Condition::NotIn { .. } if !rules.lists => "the operators `in` and `not-in` are not known here",
        Condition::StartsWith { .. } if (rules.exact_only)(&lower) => "a field that takes exact values only has a prefix",
        _ => return Ok(()),
    };
    Err(PolicyDocumentError::new(what).into())
}

fn read_bound(rules: &FormRules, bound: &Bound) -> Result<Option<u64>, FormError> {
    match bound {
        Bound::Bytes(bytes) => Ok(Some(*bytes)),
        Bound::Text(_) if !rules.numeric_texts => Err(PolicyDocumentError::new("a size is not a whole number").into()),
        Bound::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(text.parse().ok()),
        Bound::Text(_) => Ok(None),
    }
}

/// The fields as the conditions see them.
fn fields_to_judge(rules: &FormRules, form: &Form<'_>) -> Result<Vec<(String, String)>, FormError> {
    let mut fields = form.fields.to_vec();
    if rules.file_name == FileNameRule::EveryFieldBefore {
        let name = form.file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        for (field, value) in &mut fields {
            let lower = field.to_ascii_lowercase();
            if !value.contains(FILE_NAME) || lower == "policy" || lower == rules.signature || condition::is_secret(&lower) {
                continue;
            }
            if lower == "key" && name.is_empty() {
                return Err(FormError::NoFileName);
            }
            if lower != "key" && name.chars().any(char::is_control) {
                return Err(FormError::MalformedField { name: field.clone(), reason: "has a control character" });
            }
            *value = value.replace(FILE_NAME, name);
        }
    }
    Ok(fields)
}

/// The key that is written: judged again after the name of the file is in it.
fn final_key(dialect: &(impl Dialect + ?Sized), policy: &PolicyDocument, key: &str, file_name: &str) -> Result<ObjectKey, FormError> {
    let key = if dialect.form_rules().file_name == FileNameRule::KeyAfterwards && key.contains(FILE_NAME) {
        if file_name.is_empty() {
            return Err(FormError::NoFileName);
        }
        let key = key.replace(FILE_NAME, file_name);
        // A prefix that ends inside of `${filename}` held for the text and need not hold for the key; exact ones are of the text.
        let again = |condition: &&Condition<'_>| match condition {
            Condition::StartsWith { prefix, .. } => !prefix.contains(FILE_NAME),
            Condition::NotIn { .. } => true,
            _ => false,
        };
        let mut conditions = policy.conditions().iter().filter(|condition| condition.is_about("key")).filter(again);
        if let Some(broken) = conditions.find(|condition| !condition.holds(&key, false)) {
            return Err(FormError::ConditionFailed { condition: broken.to_string() });
        }
        key
    } else {
        key.to_owned()
    };
    let key = ObjectKey::new(key)?;
    dialect.check_key(&key)?;
    Ok(key)
}
