//! From a policy to a form: the policy's JSON, its base64, and the signature of that text.
//!
//! Sources: Amazon S3 API Reference, "Browser-Based Uploads Using POST"; OSS documentation, "PostObject" (Signature V4). Both sign the base64 text of the
//! policy as it stands in the field, with the key of the day; there is no canonical request.

use alloc::format;
use alloc::string::String;

use super::document::{MAX_CONDITIONS, MAX_POLICY_BYTES};
use super::draft::FormDraft;
use super::rules::FormRules;
use super::write::Document;
use super::{PolicyError, PostPolicy};
use crate::credentials::Secret;
use crate::crypto;
use crate::dialect::{Dialect, SigningContext};
use crate::error::PresignError;
use crate::options::Validity;
use crate::presigned_post::{FormFields, PresignedPost};
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
    draft.fix_with(rules.credential, |text| push_credential(text, dialect, context));
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
    push_signature(&mut fields, dialect, context, &json)?;
    Ok(PresignedPost::new(url(target), validity, fields, limits, open, notes, rules.content_type))
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
pub(super) fn push_signature(fields: &mut FormFields, dialect: &(impl Dialect + ?Sized), context: &SigningContext<'_>, json: &[u8]) -> Result<(), PolicyError> {
    let mut signature = [0; 32];
    fields.push_with("policy", |text| {
        let start = text.len();
        BASE64.encode_string(json, text);
        signature = context.key.sign(text.get(start..).unwrap_or_default());
    });
    fields.push_with(dialect.form_rules().signature, |text| crypto::push_hex(text, &signature));
    // Each field has a boundary and a head of its own; so has the file.
    let frames = fields.len().saturating_add(2).saturating_mul(FRAME);
    let bytes = fields.bytes().saturating_add(frames);
    let max = dialect.form_rules().max_before_file;
    if bytes > max {
        let reason = format!("the form has {bytes} bytes before its file, and {} takes {max}; give it less to say", dialect.form_rules().provider);
        return Err(PolicyError::Unsafe { condition: "policy", reason });
    }
    Ok(())
}
