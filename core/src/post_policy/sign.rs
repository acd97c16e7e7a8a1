//! From a policy to a form: the policy's JSON, its base64, and the signature of that text.
//!
//! Sources: Amazon S3 API Reference, "Browser-Based Uploads Using POST"; OSS documentation, "PostObject" (Signature V4). Both sign the base64 text of the
//! policy as it stands in the field, with the key of the day; there is no canonical request.

use alloc::format;
use alloc::string::String;

use super::document::{MAX_CONDITIONS, MAX_POLICY_BYTES};
use super::draft::FormDraft;
use super::form_texts::{FormMoment, FormTexts, push_base64};
use super::rules::FormRules;
use super::write::push_policy;
use super::{PolicyError, PostPolicy};
use crate::crypto;
use crate::dialect::{Dialect, SigningContext};
use crate::error::PresignError;
use crate::presigned_post::{FormFields, PresignedPost};
use crate::target::Target;

/// Signs a policy.
///
/// # Errors
/// [`PresignError`] for what the provider cannot enforce, and for a policy that would allow more than it seems to or could never be met.
pub fn sign_post(dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>, policy: &PostPolicy) -> Result<PresignedPost, PresignError> {
    let (rules, target, validity, scope) = (dialect.form_rules(), context.target, context.validity, context.scope);
    let (made_texts, made_moment);
    let texts = match scope.form() {
        Some(texts) => texts,
        None => {
            made_texts = FormTexts::new(rules, context.credentials, target, validity.signed_at());
            &made_texts
        }
    };
    let moment = match scope.form_moment(&validity) {
        Some(moment) => moment,
        None => {
            made_moment = FormMoment::new(texts, &validity);
            &made_moment
        }
    };
    let mut draft = FormDraft::new(policy, moment);
    draft.add_all(dialect, target, policy)?;
    let mut json = core::mem::take(&mut draft.scratch);
    json.clear();
    push_policy(&mut json, moment, &draft);
    draft.fields.push_prepared(&moment.fields, &texts.ends);
    if json.len() > MAX_POLICY_BYTES || draft.conditions() > MAX_CONDITIONS {
        let reason = format!("it is longer than is judged: at most {MAX_CONDITIONS} conditions and {MAX_POLICY_BYTES} bytes");
        return Err(PolicyError::Unsafe { condition: "policy", reason }.into());
    }
    push_signature(&mut draft.fields, rules, context, |text| push_base64(text, &json))?;
    let FormDraft { fields, open, limits, notes, .. } = draft;
    Ok(PresignedPost::new(texts.url.clone(), validity, fields, limits, open, notes, rules.content_type))
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
#[inline]
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
