//! From the text of a policy to a form: signed byte for byte, with the fields that the text demands.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::checks::accept;
use super::condition::{Bound, Condition};
use super::document::PolicyDocument;
use super::draft::NO_SIZE;
use super::judge::Form;
use super::sign::{push_credential, push_signature, url};
use super::{FILE_NAME, MAX_FILE_BYTES, PolicyError, ValueRule};
use crate::credentials::Secret;
use crate::dialect::{Dialect, SigningContext};
use crate::error::PresignError;
use crate::key::ObjectKey;
use crate::presigned_post::{FileLimits, FormFields, OpenField, PresignedPost};
use crate::verify::{FormError, FormVerification, VerifyError};

/// Signs a policy text byte for byte. What it fixes becomes the fields of the form; `key` is the object where the text names a prefix or none.
///
/// The context must be of the policy's own date (`x-amz-date`, `x-oss-date`) and end at its expiration.
///
/// # Errors
/// [`PolicyError::Mismatch`] when the store would refuse the form whatever is uploaded: another credential, date, token or bucket, or a field that no
/// condition names.
pub fn sign_policy(
    dialect: &dyn Dialect,
    context: &SigningContext<'_>,
    policy: &PolicyDocument,
    key: Option<&ObjectKey>,
) -> Result<PresignedPost, PresignError> {
    let (rules, target) = (dialect.form_rules(), context.target);
    let mismatch = |reason: String| PresignError::from(PolicyError::Mismatch { reason });
    let mut credential = String::new();
    push_credential(&mut credential, dialect, context);
    let token = context.credentials.session_token().map(Secret::expose);
    let date = context.validity.date();
    let pinned =
        [(rules.algorithm.0, Some(rules.algorithm.1)), (rules.credential, Some(&*credential)), (rules.date, Some(date.as_str())), (rules.token, token)];
    for (name, wanted) in pinned {
        match (policy.fixed(name), wanted) {
            (Some(said), Some(wanted)) if said == wanted => {}
            (None, None) => {}
            // The token is a secret.
            (_, wanted) if name == rules.token => {
                let what = if wanted.is_some() { "must fix it to the token of these credentials" } else { "names one, and these credentials have none" };
                return Err(mismatch(format!("the field `{name}`: the policy {what}")));
            }
            (_, wanted) => return Err(mismatch(format!("it must have the condition {{\"{name}\":\"{}\"}}", wanted.unwrap_or_default()))),
        }
    }
    match policy.fixed("bucket") {
        Some(bucket) if bucket != target.bucket => {
            return Err(mismatch(format!("it is for the bucket `{}` and not for `{}`", bucket.escape_debug(), target.bucket)));
        }
        None if rules.needs_bucket => return Err(mismatch(format!("it must have the condition {{\"bucket\":\"{}\"}}", target.bucket))),
        _ => {}
    }
    let mut form = Gathered {
        fields: FormFields::with_capacity(12, policy.as_str().len().saturating_mul(3)),
        open: Vec::new(),
        limits: FileLimits { min: 0, max: MAX_FILE_BYTES, content_type: None },
        notes: Vec::new(),
    };
    if policy.fixed("bucket").is_none() {
        form.notes.push("the policy names no bucket: the form works on every bucket of the account in the region".into());
    }
    form.add_key(dialect, policy, key)?;
    let mut limits_size = false;
    for condition in policy.conditions() {
        if let Condition::ContentLengthRange { min, max } = condition {
            (form.limits.min, form.limits.max) = (form.limits.min.max(bytes(min)?), form.limits.max.min(bytes(max)?));
            limits_size = true;
        }
        form.add(dialect, condition)?;
    }
    if !limits_size {
        form.notes.push(NO_SIZE.into());
    }
    for floating in rules.floating.iter().filter(|name| !policy.conditions().iter().any(|condition| condition.is_about(name))) {
        form.notes.push(format!("the policy does not name {floating}: a holder of the form may add it").into());
    }
    push_signature(&mut form.fields, rules, context, |text| BASE64.encode_string(policy.as_str(), text))?;
    let Gathered { fields, open, limits, notes } = form;
    let post = PresignedPost::new(url(target), context.validity, fields, limits, open, notes, rules.content_type);
    check_that_it_works(dialect, context, &post)?;
    Ok(post)
}

/// Verifies the form as a store would when the client fills in what it must.
fn check_that_it_works(dialect: &dyn Dialect, context: &SigningContext<'_>, post: &PresignedPost) -> Result<(), PolicyError> {
    let filled = post.unfilled().map(|open| (open.name(), open.example()));
    let fields: Vec<(String, String)> = post.fields.iter().chain(filled).map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let form = Form { bucket: &context.target.bucket, fields: &fields, file_name: "file", size: Some(post.file_limits.min) };
    let verified = FormVerification::parse(dialect, &form, Some(&context.target.region))
        .and_then(|pending| pending.finish(Some(context.credentials), context.validity.signed_at()));
    match verified {
        // A policy that does not name the key is of the official samples of OSS, which takes it.
        Err(VerifyError::Form(FormError::ExtraField { name })) if name == "key" && !dialect.form_rules().needs_bucket => Ok(()),
        Err(error) => Err(PolicyError::Mismatch { reason: format!("whatever is uploaded, the store refuses the form: {error}") }),
        Ok(_) => Ok(()),
    }
}

/// What a policy text makes of a form.
struct Gathered {
    fields: FormFields,
    open: Vec<OpenField>,
    limits: FileLimits,
    notes: Vec<Cow<'static, str>>,
}

impl Gathered {
    fn add_key(&mut self, dialect: &(impl Dialect + ?Sized), policy: &PolicyDocument, key: Option<&ObjectKey>) -> Result<(), PresignError> {
        let mismatch = |reason: String| PolicyError::Mismatch { reason };
        let rules: Vec<&Condition<'_>> = policy.conditions().iter().filter(|condition| condition.is_about("key")).collect();
        if rules.is_empty() {
            if dialect.form_rules().needs_bucket {
                return Err(mismatch("it has no condition for `key`, so that the store would refuse the field".into()).into());
            }
            self.notes.push("the policy names no key: the holder of the form writes any object of the bucket".into());
        }
        let longest = rules.iter().filter_map(|rule| match rule {
            Condition::StartsWith { prefix, .. } => Some(&**prefix),
            _ => None,
        });
        let longest = longest
            .max_by_key(|prefix| prefix.len())
            .map(|prefix| if prefix.contains(FILE_NAME) { prefix.to_string() } else { format!("{prefix}{FILE_NAME}") });
        let value = match (policy.fixed("key"), key, longest) {
            (Some(fixed), _, _) => fixed.to_string(),
            (None, Some(key), _) => key.to_string(),
            (None, None, Some(pattern)) => pattern,
            (None, None, None) => return Err(mismatch("it fixes no key; name one in the location".into()).into()),
        };
        if key.is_some_and(|key| key.as_str() != value || rules.iter().any(|rule| !rule.holds(&value, false))) {
            return Err(mismatch("the key that is asked for does not keep to its conditions".into()).into());
        }
        let takes_all = rules.iter().all(|rule| matches!(rule, Condition::StartsWith { prefix, .. } if prefix.is_empty()));
        if takes_all && !rules.is_empty() {
            self.notes.push("the policy takes every key: the holder of the form writes any object of the bucket".into());
        }
        if policy.fixed("key").is_some_and(|key| key.contains(FILE_NAME)) {
            self.notes.push("`${filename}` in the fixed key: another key is written than the policy names".into());
        }
        dialect.check_key(&ObjectKey::new(value.as_str())?)?;
        self.fields.push("key", &value);
        Ok(())
    }

    fn add(&mut self, dialect: &(impl Dialect + ?Sized), condition: &Condition<'_>) -> Result<(), PolicyError> {
        let Some(field) = condition.field().filter(|field| !field.eq_ignore_ascii_case("bucket")) else {
            return Ok(());
        };
        let rules = dialect.form_rules();
        let cannot_be_sent = field.chars().any(|c| c.is_control() || matches!(c, '"' | '=' | '\\'));
        if cannot_be_sent || ["policy", "file", rules.signature].iter().any(|own| own.eq_ignore_ascii_case(field)) {
            return Err(PolicyError::Mismatch { reason: format!("a condition on `{}` can never be met", field.escape_debug()) });
        }
        let rule = match condition {
            Condition::Eq { value, .. } => ValueRule::Exact(value.to_string()),
            Condition::StartsWith { prefix, .. } => ValueRule::Prefix(prefix.to_string()),
            Condition::In { values, .. } => ValueRule::OneOf(values.to_vec()),
            Condition::NotIn { values, .. } => ValueRule::NoneOf(values.to_vec()),
            Condition::ContentLengthRange { .. } => return Ok(()),
        };
        if field.eq_ignore_ascii_case(rules.content_type) {
            self.limits.content_type = accept(&rule);
        }
        match rule {
            ValueRule::Exact(value) if self.fields.value_ignoring_case(field).is_none() => self.fields.push(field, &value),
            ValueRule::Exact(_) => {}
            rule => self.open.push(OpenField::new(field.to_string(), rule)),
        }
        Ok(())
    }
}

fn bytes(bound: &Bound) -> Result<u64, PolicyError> {
    let number = match bound {
        Bound::Bytes(bytes) => Some(*bytes),
        Bound::Text(text) => text.parse().ok(),
    };
    number.ok_or_else(|| PolicyError::Mismatch { reason: "a size is not a number of bytes".into() })
}
