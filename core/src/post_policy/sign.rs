//! From a policy to a form: the policy's JSON, its base64, and the signature of that text.
//!
//! Sources: Amazon S3 API Reference, "Browser-Based Uploads Using POST"; OSS documentation, "PostObject" (Signature V4). Both sign the base64 text of the
//! policy as it stands in the field, with the key of the day; there is no canonical request.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::condition::{Bound, Condition};
use super::document::{MAX_CONDITIONS, MAX_POLICY_BYTES, PolicyDocument};
use super::draft::{Document, FormDraft};
use super::rules::FormRules;
use super::{FILE_NAME, MAX_FILE_BYTES, PolicyError, PostPolicy, ValueRule};
use crate::credentials::Secret;
use crate::crypto;
use crate::dialect::{Dialect, SigningContext};
use crate::error::PresignError;
use crate::key::ObjectKey;
use crate::options::Validity;
use crate::presigned_post::{FileLimits, FormFields, OpenField, PresignedPost};
use crate::target::Target;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Signs a policy.
///
/// # Errors
/// [`PresignError`] for what the provider cannot enforce, and for a policy that would allow more than it seems to or could never be met.
pub fn sign_post(dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>, policy: &PostPolicy) -> Result<PresignedPost, PresignError> {
    let (rules, target, validity) = (dialect.form_rules(), context.target, context.validity);
    let token = context.credentials.session_token().map_or("", Secret::expose);
    let mut draft = FormDraft::collect(dialect, target, policy, token.len())?;
    draft.fix(rules.algorithm.0, rules.algorithm.1);
    draft.fix(rules.credential, &credential(dialect, context));
    draft.fix(rules.date, validity.date().as_str());
    if !token.is_empty() {
        draft.fix(rules.token, token);
    }
    let expiration = expiration(rules, validity);
    let document = Document { expiration: &expiration, bucket: &target.bucket, draft: &draft };
    // Only maps with keys that are no text can fail, and there are none.
    let json = serde_json::to_vec(&document).unwrap_or_default();
    if json.len() > MAX_POLICY_BYTES || draft.conditions() > MAX_CONDITIONS {
        let reason = format!("it is longer than is judged: at most {MAX_CONDITIONS} conditions and {MAX_POLICY_BYTES} bytes");
        return Err(PolicyError::Unsafe { condition: "policy", reason }.into());
    }
    let FormDraft { mut fields, open, limits, notes, .. } = draft;
    push_signature(&mut fields, dialect, context, &json);
    Ok(PresignedPost::new(url(target), validity, fields, limits, open, notes))
}

/// The end as the provider's samples write it.
fn expiration(rules: &FormRules, validity: Validity) -> String {
    const DAY: u64 = 86_400;
    let (from, to) = (validity.signed_at().as_unix_seconds(), validity.expiration().as_unix_seconds());
    // Most forms end on the day that they are signed, whose text is there already.
    let date = if from / DAY == to / DAY { validity.date() } else { validity.expiration().to_basic() };
    let mut text = String::with_capacity(24);
    let digits = |text: &mut String, number: u64| {
        for unit in [10, 1] {
            text.push(char::from(b'0'.saturating_add(u8::try_from(number / unit % 10).unwrap_or_default())));
        }
    };
    for (at, c) in date.day().chars().enumerate() {
        if at == 4 || at == 6 {
            text.push('-');
        }
        text.push(c);
    }
    for (separator, number) in [('T', to % DAY / 3600), (':', to / 60 % 60), (':', to % 60)] {
        text.push(separator);
        digits(&mut text, number);
    }
    text.push_str(if rules.milliseconds { ".000Z" } else { "Z" });
    text
}

/// Signs a policy text byte for byte. What it fixes becomes the fields of the form; `key` is the object where the text names a prefix or none.
///
/// The context must be of the policy's own date (`x-amz-date`, `x-oss-date`) and end at its expiration.
///
/// # Errors
/// [`PolicyError::Mismatch`] when the store would refuse the form whatever is uploaded: another credential, date, token or bucket, or a field that no
/// condition names.
pub fn sign_policy(
    dialect: &(impl Dialect + ?Sized),
    context: &SigningContext<'_>,
    policy: &PolicyDocument,
    key: Option<&ObjectKey>,
) -> Result<PresignedPost, PresignError> {
    let (rules, target) = (dialect.form_rules(), context.target);
    let mismatch = |reason: String| PresignError::from(PolicyError::Mismatch { reason });
    let credential = credential(dialect, context);
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
    let mut form = Gathered { fields: FormFields::with_capacity(12, policy.as_str().len().saturating_mul(3)), open: Vec::new(), notes: Vec::new() };
    if policy.fixed("bucket").is_none() {
        form.notes.push("the policy names no bucket: the form works on every bucket of the account in the region".into());
    }
    form.add_key(dialect, policy, key)?;
    let mut limits = FileLimits { min: 0, max: MAX_FILE_BYTES, content_type: None };
    for condition in policy.conditions() {
        if let Condition::ContentLengthRange { min, max } = condition {
            (limits.min, limits.max) = (limits.min.max(bytes(min)?), limits.max.min(bytes(max)?));
        }
        form.add(condition);
    }
    push_signature(&mut form.fields, dialect, context, policy.as_str().as_bytes());
    Ok(PresignedPost::new(url(target), context.validity, form.fields, limits, form.open, form.notes))
}

/// What a policy text makes of a form.
struct Gathered {
    fields: FormFields,
    open: Vec<OpenField>,
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
        let longest = longest.max_by_key(|prefix| prefix.len()).map(|prefix| format!("{prefix}{FILE_NAME}"));
        let value = match (policy.fixed("key"), key, longest) {
            (Some(fixed), _, _) => fixed.to_string(),
            (None, Some(key), _) => key.to_string(),
            (None, None, Some(pattern)) => pattern,
            (None, None, None) => return Err(mismatch("it fixes no key; name one in the location".into()).into()),
        };
        if key.is_some_and(|key| key.as_str() != value) || rules.iter().any(|rule| !rule.holds(&value, false)) {
            return Err(mismatch("the key of the location does not keep to its conditions".into()).into());
        }
        dialect.check_key(&ObjectKey::new(value.as_str())?)?;
        self.fields.push("key", &value);
        Ok(())
    }

    fn add(&mut self, condition: &Condition<'_>) {
        let Some(field) = condition.field().filter(|field| !field.eq_ignore_ascii_case("bucket")) else { return };
        let name: Cow<'static, str> = Cow::Owned(field.to_string());
        match condition {
            Condition::Eq { value, .. } if self.fields.value_ignoring_case(field).is_none() => self.fields.push(field, value),
            Condition::StartsWith { prefix, .. } => self.open.push(OpenField::new(name, ValueRule::Prefix(prefix.to_string()))),
            Condition::In { values, .. } => self.open.push(OpenField::new(name, ValueRule::OneOf(values.to_vec()))),
            Condition::NotIn { values, .. } => self.open.push(OpenField::new(name, ValueRule::NoneOf(values.to_vec()))),
            Condition::Eq { .. } | Condition::ContentLengthRange { .. } => {}
        }
    }
}

fn bytes(bound: &Bound) -> Result<u64, PolicyError> {
    let number = match bound {
        Bound::Bytes(bytes) => Some(*bytes),
        Bound::Text(text) => text.parse().ok(),
    };
    number.ok_or_else(|| PolicyError::Mismatch { reason: "a size is not a number of bytes".into() })
}

/// `KEY/DAY/REGION/SERVICE/END`
fn credential(dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>) -> String {
    let (rules, target) = (dialect.form_rules(), context.target);
    let date = context.validity.date();
    let parts = [context.credentials.access_key_id(), date.day(), &target.region, target.service, rules.scope_end];
    parts.join("/")
}

/// The bucket itself: a form is sent there, whatever its key.
fn url(target: &Target) -> String {
    let parts = [target.scheme.as_str(), "://", &target.authority, &target.bucket_path];
    parts.concat()
}

fn push_signature(fields: &mut FormFields, dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>, json: &[u8]) {
    let mut signature = [0; 32];
    fields.push_with("policy", |text| {
        let start = text.len();
        BASE64.encode_string(json, text);
        signature = context.key.sign(text.get(start..).unwrap_or_default());
    });
    fields.push_with(dialect.form_rules().signature, |text| crypto::push_hex(text, &signature));
}
