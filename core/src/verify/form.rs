//! Verification of a form: its fields, its signature, and then whether it keeps to its policy.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::signature::{SignedText, authenticate};
use super::{FormError, Scope, VerifyError};
use crate::credentials::{Credentials, Secret};
use crate::crypto;
use crate::dialect::Dialect;
use crate::key::ObjectKey;
use crate::post_policy::{Form, Judgement, PolicyDocument, SizeLimits, judge};
use crate::time::Timestamp;

/// The most fields that are looked at.
const MAX_FIELDS: usize = 256;

/// A form whose fields are well-formed and whose signature is not judged yet.
///
/// Between [`parse`](Self::parse) and [`finish`](Self::finish) the caller looks the access key up, wherever that is. The policy is not even read before its
/// signature is right.
///
/// ```
/// use valetkey_core::post_policy::Form;
/// use valetkey_core::verify::{FormVerification, VerifiedForm, VerifyError};
/// use valetkey_core::{Credentials, Dialect, Timestamp};
///
/// fn check(
///     dialect: &dyn Dialect,
///     form: &Form<'_>,
///     find: impl Fn(&str) -> Option<Credentials>,
///     now: Timestamp,
/// ) -> Result<VerifiedForm, VerifyError> {
///     let pending = FormVerification::parse(dialect, form, None)?;
///     let credentials = find(pending.access_key_id());
///     pending.finish(credentials.as_ref(), now)
/// }
/// ```
pub struct FormVerification<'a> {
    dialect: &'a dyn Dialect,
    form: Form<'a>,
    scope: Scope<'a>,
    signed_at: Timestamp,
    policy: &'a str,
    signature: [u8; 32],
    token: Option<Secret>,
    region: Option<String>,
}

/// No value of the form is shown.
impl fmt::Debug for FormVerification<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FormVerification").field("scope", &self.scope).field("signed_at", &self.signed_at).finish_non_exhaustive()
    }
}

impl<'a> FormVerification<'a> {
    /// Judges the fields by themselves. `region` is what the scope must name, where it is known.
    ///
    /// # Errors
    /// [`VerifyError::NotSigned`] and [`VerifyError::MixedAuthentication`]; [`FormError`] for fields that are missing, doubled or malformed.
    pub fn parse(dialect: &'a dyn Dialect, form: &Form<'a>, region: Option<&str>) -> Result<Self, VerifyError> {
        let rules = dialect.form_rules();
        // Before anything is compared with everything else.
        if form.fields.len() > MAX_FIELDS {
            return Err(FormError::Malformed { what: "it has more than 256 fields" }.into());
        }
        let value = |name: &str| form.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let is_signed = value("policy").is_some() || value(rules.signature).is_some();
        let is_foreign = form.fields.iter().any(|(name, _)| (rules.foreign)(&name.to_ascii_lowercase()));
        // A policy alone may be of any way of signing.
        let is_ours = rules.pinned().into_iter().chain([rules.signature]).any(|name| value(name).is_some());
        match (is_foreign, is_ours) {
            (true, true) => return Err(VerifyError::MixedAuthentication),
            (true, false) => return Err(FormError::UnsupportedAlgorithm { expected: rules.algorithm.1 }.into()),
            (false, _) if !is_signed => return Err(VerifyError::NotSigned),
            (false, _) => {}
        }
        if value("file").is_some() {
            // A field of that name is a file, too.
            return Err(FormError::FileCount { count: 2 }.into());
        }
        for (index, (name, value)) in form.fields.iter().enumerate() {
            if form.fields.iter().take(index).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(FormError::DuplicateField { name: name.clone() }.into());
            }
            if is_header_value(name) && value.chars().any(|c| c.is_control() && c != '\t') {
                return Err(FormError::MalformedField { name: name.clone(), reason: "has a control character" }.into());
            }
        }
        let required = |name: &'static str| value(name).filter(|value| !value.is_empty()).ok_or(FormError::MissingField { name });
        let policy = required("policy")?;
        let signature = required(rules.signature)?;
        let credential = required(rules.credential)?;
        required(rules.algorithm.0)?;
        let date = required(rules.date)?;
        required("key")?;
        let scope = Scope::read(rules.credential, credential, rules.scope_end).map_err(|error| match error {
            VerifyError::MalformedParameter { name, reason } => FormError::MalformedField { name: name.to_owned(), reason }.into(),
            other => other,
        })?;
        let malformed_date = || FormError::MalformedField { name: rules.date.to_owned(), reason: "is not a date of the form YYYYMMDDTHHMMSSZ" };
        let signed_at = Timestamp::from_basic(date).map_err(|_| malformed_date())?;
        let signature = crypto::read_hex(signature).ok_or(FormError::SignatureMismatch)?;
        let token = value(rules.token).map(Secret::new);
        Ok(Self { dialect, form: *form, scope, signed_at, policy, signature, token, region: region.map(ToOwned::to_owned) })
    }

    /// The access key to look up. It is a claim: anybody can write any id.
    #[must_use]
    pub const fn access_key_id(&self) -> &str {
        self.scope.access_key_id
    }

    /// Judges the signature, the token, and then the form by its policy (see [`judge`]). `credentials` is what the lookup gave; `None` is an unknown key,
    /// which costs the same work.
    ///
    /// # Errors
    /// [`VerifyError`] with the first reason; none carries the signature that would have been right.
    pub fn finish(self, credentials: Option<&Credentials>, now: Timestamp) -> Result<VerifiedForm, VerifyError> {
        let Self { dialect, form, scope, signed_at, policy, signature, token, region } = self;
        let text = SignedText { scope, text: policy, signature: &signature, session_token: token.as_ref() };
        authenticate(dialect, &text, credentials, now).map_err(|error| match error {
            VerifyError::SignatureMismatch => FormError::SignatureMismatch.into(),
            other => other,
        })?;
        let policy = PolicyDocument::from_base64(policy).map_err(FormError::from)?;
        let judgement = judge(dialect, &policy, &form, now)?;
        // After the conditions: what the policy does not have is a broken condition in the first place.
        scope.check(signed_at, dialect.form_rules().service, region.as_deref()).map_err(|error| match error {
            VerifyError::ScopeMismatch { part, expected } => FormError::ScopeMismatch { part, expected }.into(),
            other => other,
        })?;
        let Judgement { key, fields, sizes, expiration } = judgement;
        Ok(VerifiedForm { access_key_id: scope.access_key_id.to_owned(), bucket: form.bucket.to_owned(), key, fields, sizes, signed_at, expiration })
    }
}

/// Whether the value of a field becomes a header of the object or of an answer.
fn is_header_value(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !matches!(lower.as_str(), "key" | "tagging" | "policy") && !lower.starts_with("x-ignore-") && !lower.starts_with("x:")
}

/// Proof that a form was signed by the owner of a known key and keeps to its policy. Nothing else makes one.
///
/// One obligation is left where the size was not known: whoever reads the file must refuse it unless [`sizes`](Self::sizes) takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedForm {
    access_key_id: String,
    bucket: String,
    key: ObjectKey,
    fields: Vec<(String, String)>,
    sizes: SizeLimits,
    signed_at: Timestamp,
    expiration: Timestamp,
}

/// Values may be keys of customers, so only names are shown.
impl fmt::Debug for VerifiedForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("VerifiedForm")
            .field("access_key_id", &self.access_key_id)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("fields", &names)
            .field("sizes", &self.sizes)
            .field("signed_at", &self.signed_at)
            .field("expiration", &self.expiration)
            .finish()
    }
}

/// How a successful upload is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuccessAction {
    /// 200 or 204 without a body, 201 with an XML body that names the object.
    Status(u16),
    /// 303 to this URL, with `bucket`, `key` and `etag` added to its query.
    Redirect(String),
}

impl VerifiedForm {
    /// Who signed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object to write, with the name of the file in it.
    #[must_use]
    pub const fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// What the policy allows to be said of the object: every field, but for those of the signature and those that are to be ignored.
    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The value of one of these fields, in any case of its letters.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How many bytes the file may have.
    #[must_use]
    pub const fn sizes(&self) -> SizeLimits {
        self.sizes
    }

    /// How a successful upload is answered. The redirect wins; a status that is none of 200, 201 and 204 is 204.
    #[must_use]
    pub fn success_action(&self) -> SuccessAction {
        // `redirect` is the older name.
        let redirect = self.field("success_action_redirect").or_else(|| self.field("redirect")).filter(|url| !url.is_empty());
        match (redirect, self.field("success_action_status")) {
            (Some(url), _) => SuccessAction::Redirect(url.to_owned()),
            (None, Some("200")) => SuccessAction::Status(200),
            (None, Some("201")) => SuccessAction::Status(201),
            (None, _) => SuccessAction::Status(204),
        }
    }

    /// The signing time.
    #[must_use]
    pub const fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// The last second in which the upload could begin.
    #[must_use]
    pub const fn expiration(&self) -> Timestamp {
        self.expiration
    }
}
