//! From a policy to a form: the policy's JSON, its base64, and the signature of that text.
//!
//! Sources: Amazon S3 API Reference, "Browser-Based Uploads Using POST"; OSS documentation, "PostObject" (Signature V4). Both sign the base64 text of the
//! policy as it stands in the field, with the key of the day; there is no canonical request.

use alloc::format;
use alloc::string::String;

use super::document::{MAX_CONDITIONS, MAX_POLICY_BYTES};
use super::draft::FormDraft;
use super::form_texts::FormTexts;
use super::rules::FormRules;
use super::write::push_policy;
use super::{PolicyError, PostPolicy};
use crate::crypto;
use crate::dialect::{Dialect, SigningContext};
use crate::error::PresignError;
use crate::options::Validity;
use crate::presigned_post::{FormFields, PresignedPost};
use crate::signing_scope::SigningScope;
use crate::target::Target;

/// Signs a policy.
///
/// # Errors
/// [`PresignError`] for what the provider cannot enforce, and for a policy that would allow more than it seems to or could never be met.
pub fn sign_post(dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>, policy: &PostPolicy) -> Result<PresignedPost, PresignError> {
    let (rules, target, validity, scope) = (dialect.form_rules(), context.target, context.validity, context.scope);
    let made;
    let texts = match scope.form() {
        Some(texts) => texts,
        None => {
            made = FormTexts::new(rules, context.credentials, target, validity.signed_at());
            &made
        }
    };
    let (field_bytes, json_bytes) = texts.len();
    let mut draft = FormDraft::collect(dialect, target, policy, field_bytes, json_bytes)?;
    let clock = validity.signed_at().clock();
    let clock = core::str::from_utf8(&clock).unwrap_or_default();
    let expiration = expiration(rules, validity, scope);
    let mut json = String::with_capacity(json_bytes.saturating_add(draft.json_bytes()));
    push_policy(&mut json, expiration.as_str(), clock, &draft, texts);
    draft.fields.push_prepared([&texts.fields[0], clock, &texts.fields[1]], &texts.ends);
    if json.len() > MAX_POLICY_BYTES || draft.conditions() > MAX_CONDITIONS {
        let reason = format!("it is longer than is judged: at most {MAX_CONDITIONS} conditions and {MAX_POLICY_BYTES} bytes");
        return Err(PolicyError::Unsafe { condition: "policy", reason }.into());
    }
    let FormDraft { mut fields, open, limits, notes, .. } = draft;
    push_signature(&mut fields, rules, context, |text| texts.push_base64(text, &json))?;
    Ok(PresignedPost::new(texts.url.clone(), validity, fields, limits, open, notes, rules.content_type))
}

/// `YYYY-MM-DDTHH:MM:SS`, and `Z` or `.000Z`.
struct Expiration {
    text: [u8; 24],
    bytes: usize,
}

impl Expiration {
    fn as_str(&self) -> &str {
        self.text.get(..self.bytes).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

/// The end as the provider's samples write it.
fn expiration(rules: &FormRules, validity: Validity, scope: &SigningScope) -> Expiration {
    let end = validity.expiration();
    let other_day;
    // Most forms end on the day that they are signed, whose text is there already.
    let day = if scope.is_of(end) {
        scope.day()
    } else {
        other_day = end.to_basic();
        other_day.day()
    };
    let clock = end.clock();
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let places = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
    for (at, digit) in places.into_iter().zip(day.bytes().chain(clock)) {
        if let Some(place) = text.get_mut(at) {
            *place = digit;
        }
    }
    if rules.milliseconds {
        return Expiration { text, bytes: 24 };
    }
    text[19] = b'Z';
    Expiration { text, bytes: 20 }
}

/// `KEY/DAY/REGION/SERVICE/END`
pub(super) fn push_credential(text: &mut String, dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>) {
    let (target, date) = (context.target, context.validity.date());
    text.push_str(context.credentials.access_key_id());
    for part in [date.day(), &target.region, target.service, dialect.form_rules().scope_end] {
        text.push('/');
        text.push_str(part);
    }
}

/// The bucket itself: a form is sent there, whatever its key.
pub(super) fn url(target: &Target) -> String {
    let parts = [target.scheme.as_str(), "://", &target.authority, &target.bucket_path];
    parts.concat()
}

/// Bytes that a client writes around a field, with a boundary of the usual length.
const FRAME: usize = 110;

/// Completes a form. One that no store would read up to its file is not given out.
pub(super) fn push_signature(
    fields: &mut FormFields,
    rules: &FormRules,
    context: &SigningContext<'_>,
    push_policy: impl FnOnce(&mut String),
) -> Result<(), PolicyError> {
    let mut signature = [0; 32];
    fields.push_with("policy", |text| {
        let start = text.len();
        push_policy(text);
        signature = context.key().sign(text.get(start..).unwrap_or_default());
    });
    fields.push_with(rules.signature, |text| crypto::push_hex(text, &signature));
    // Each field has a boundary and a head of its own; so has the file.
    let frames = fields.len().saturating_add(2).saturating_mul(FRAME);
    let bytes = fields.bytes().saturating_add(frames);
    let max = rules.max_before_file;
    if bytes > max {
        let reason = format!("the form has {bytes} bytes before its file, and {} takes {max}; give it less to say", rules.provider);
        return Err(PolicyError::Unsafe { condition: "policy", reason });
    }
    Ok(())
}
