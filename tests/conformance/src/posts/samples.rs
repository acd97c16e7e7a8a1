//! Every condition kept and broken: first broken in every way, which stores nothing, and then kept.

mod conditions;
mod keys;

use valetkey_core::post_policy::{FormCondition, PolicyError};
use valetkey_core::{ObjectKey, ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost, encode};

use super::account::{Rule, account};
use super::{Forms, photo};
use crate::backend::{WireRequest, WireResponse};
use crate::form_profile::FormWhy;
use crate::harness::BODY;
use crate::profile::Why;
use crate::report::{Record, ensure};
use crate::wire_form::{FilePart, WireForm};

/// A policy, a form that keeps to it, and the ways to break it that do not follow from its conditions.
struct Sample {
    case: String,
    policy: PostPolicy,
    /// What the client chooses.
    fill: Vec<(String, String)>,
    file: FilePart,
    /// The object that is written.
    key: ObjectKey,
    breaks: Vec<Break>,
    /// Whether each condition is broken in the ways that follow from it. Of many samples of one condition the first is enough.
    breaks_conditions: bool,
    /// The condition that the provider cannot enforce.
    refused: Option<&'static str>,
    /// What the store would do with it needs more than a store.
    is_sent: bool,
}

/// One thing that a client does differently.
struct Break {
    how: String,
    change: Change,
    why: FormWhy,
    /// What the refusal must name.
    about: String,
}

enum Change {
    Set(String, String),
    Drop(String),
    Bytes(Vec<u8>),
    FileName(String),
}

impl Sample {
    fn new(case: impl Into<String>, policy: PostPolicy, key: ObjectKey) -> Self {
        let (fill, breaks) = (Vec::new(), Vec::new());
        Self { case: case.into(), policy, fill, file: photo(BODY), key, breaks, breaks_conditions: true, refused: None, is_sent: true }
    }

    fn fill(mut self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.fill.push((field.into(), value.into()));
        self
    }

    fn file(mut self, file: FilePart) -> Self {
        self.file = file;
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        self.file(photo(bytes))
    }

    /// Breaks it by another value of a field.
    fn with(mut self, field: impl Into<String>, value: impl Into<String>, why: FormWhy) -> Self {
        let (field, value) = (field.into(), value.into());
        let about = if matches!(why, FormWhy::Condition | FormWhy::Missing) { field.clone() } else { String::new() };
        self.breaks.push(Break { how: format!("{field} {value:?}"), change: Change::Set(field, value), why, about });
        self
    }

    fn with_bytes(mut self, how: &str, bytes: &[u8], why: FormWhy) -> Self {
        self.breaks.push(Break { how: how.to_owned(), change: Change::Bytes(bytes.to_vec()), why, about: String::new() });
        self
    }

    fn with_file_name(mut self, name: &str, why: FormWhy) -> Self {
        self.breaks.push(Break { how: format!("a file called {name:?}"), change: Change::FileName(name.to_owned()), why, about: String::new() });
        self
    }

    fn kept_only(mut self) -> Self {
        self.breaks_conditions = false;
        self
    }

    fn refused(mut self, condition: &'static str, is_refused: bool) -> Self {
        self.refused = is_refused.then_some(condition);
        self
    }
}

impl Change {
    fn apply(&self, form: &mut WireForm) {
        match self {
            Self::Set(field, value) => set(form, field, value),
            Self::Drop(field) => form.fields.retain(|(name, _)| !name.eq_ignore_ascii_case(field)),
            Self::Bytes(bytes) => form.files.iter_mut().for_each(|file| file.bytes.clone_from(bytes)),
            Self::FileName(name) => form.files.iter_mut().for_each(|file| file.name.clone_from(name)),
        }
    }
}

/// Gives a field another value, or adds it.
pub(super) fn set(form: &mut WireForm, field: &str, value: &str) {
    match form.fields.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(field)) {
        Some((_, old)) => value.clone_into(old),
        None => form.fields.push((field.to_owned(), value.to_owned())),
    }
}

pub(super) async fn run(forms: &Forms<'_>, record: &mut Record) {
    let samples = conditions::samples(forms).and_then(|mut samples| {
        samples.extend(keys::samples(forms)?);
        Ok(samples)
    });
    let samples = match samples {
        Ok(samples) => samples,
        Err(reason) => return record.note("the samples", Err(reason)),
    };
    for sample in samples {
        let outcome = match sample.refused {
            Some(condition) => refused_by_name(forms, &sample.policy, condition).await,
            None => Box::pin(kept_and_broken(forms, &sample)).await,
        };
        forms.note(record, &sample.case, outcome).await;
    }
}

async fn refused_by_name(forms: &Forms<'_>, policy: &PostPolicy, want: &str) -> Result<(), String> {
    match forms.harness.presigner.presign_post(policy, &PresignOptions::new()).await {
        Err(PresignError::Policy(PolicyError::Unsupported { condition, reason, .. })) => {
            ensure(condition == want && !reason.is_empty(), || format!("`{condition}` is refused ({reason}); it is `{want}`"))
        }
        Err(other) => Err(format!("refused as `{}` ({other}); what cannot be enforced is `unsupported` by its name", other.code())),
        Ok(_) => Err("signed, though the cloud cannot enforce it".to_owned()),
    }
}

async fn kept_and_broken(forms: &Forms<'_>, sample: &Sample) -> Result<(), String> {
    let signed = forms.sign(&sample.policy).await?;
    if !sample.is_sent {
        return Ok(());
    }
    let rules = account(forms, &sample.policy, &signed)?;
    let filled = fill(&signed, sample)?;
    let form = WireForm::of(&filled, sample.file.clone());
    // What each policy has is broken where there is nothing else.
    let is_plain = sample.policy.conditions().is_empty();
    let is_common = |rule: &Rule| rule.field == "key" || forms.profile.pinned.iter().any(|(name, value)| rule.field == *name && rule.operand == *value);
    for rule in rules.iter().filter(|rule| sample.breaks_conditions && (is_plain || !is_common(rule))) {
        for one in breaks_of(rule, &form) {
            break_form(forms, &signed, &form, &one).await?;
        }
    }
    for one in &sample.breaks {
        break_form(forms, &signed, &form, one).await?;
    }
    let answer = forms.accepted(&form, status(&sample.policy)).await.map_err(|reason| format!("kept: {reason}"))?;
    let head = check_object(forms, sample, &form).await?;
    check_answer(forms, sample, &answer, &head)?;
    if sample.policy.conditions().contains(&FormCondition::CreateOnly) {
        let mut again = form.clone();
        Change::Bytes(b"another".to_vec()).apply(&mut again);
        let answer = forms.harness.send(again.request()).await?;
        forms.is_refusal(&answer, FormWhy::Plain(Why::Exists), "").map_err(|reason| format!("sent again: {reason}"))?;
    }
    forms.stored(&sample.key, &sample.file.bytes).await
}

/// The client's own values, by the result's own means.
fn fill(signed: &PresignedPost, sample: &Sample) -> Result<PresignedPost, String> {
    let filled = sample.fill.iter().try_fold(signed.clone(), |form, (field, value)| form.fill(field, value));
    let filled = filled.map_err(|error| format!("a value that the policy takes cannot be filled in: {error}"))?;
    let rest = filled.unfilled().count();
    ensure(rest == 0, || format!("{rest} fields are told to be unfilled, though each has a value"))?;
    Ok(filled)
}

/// What follows from a condition: its field is left out, and has a value that does not keep to it.
fn breaks_of(rule: &Rule, form: &WireForm) -> Vec<Break> {
    let field = rule.field.as_str();
    if field.is_empty() || field == "bucket" {
        return Vec::new();
    }
    let why = if field == "key" { FormWhy::Missing } else { FormWhy::Condition };
    let new = |how: &str, change: Change, why: FormWhy| Break { how: format!("{field} {how}"), change, why, about: field.to_owned() };
    let mut breaks = vec![new("left out", Change::Drop(field.to_owned()), why)];
    let sent = form.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)).map_or("", |(_, value)| value.as_str());
    let broken = match (rule.operator.as_str(), rule.operand.as_str()) {
        ("eq" | "in", _) => Some(format!("{sent}x")),
        ("starts-with", Some(prefix)) if !prefix.is_empty() => Some(format!("-{sent}")),
        ("not-in", _) => rule.operand.get(0).and_then(|value| value.as_str()).map(ToOwned::to_owned),
        _ => None,
    };
    breaks.extend(broken.map(|value| new("changed", Change::Set(field.to_owned(), value), FormWhy::Condition)));
    breaks
}

async fn break_form(forms: &Forms<'_>, signed: &PresignedPost, form: &WireForm, one: &Break) -> Result<(), String> {
    let mut broken = form.clone();
    one.change.apply(&mut broken);
    forms.refused(&broken, one.why, &one.about).await.map_err(|reason| format!("{}: {reason}", one.how))?;
    match &one.change {
        // The result says no to its own client before the store does.
        Change::Set(field, value) if one.why == FormWhy::Condition => {
            ensure(signed.clone().fill(field, value).is_err(), || format!("{}: the form lets it be filled in", one.how))
        }
        Change::Bytes(bytes) if matches!(one.why, FormWhy::TooLarge | FormWhy::TooSmall) => {
            let says = signed.file_limits.check(bytes.len() as u64);
            ensure(says.is_err(), || format!("{}: the limits of the form take it", one.how))
        }
        _ => Ok(()),
    }
}

fn status(policy: &PostPolicy) -> u16 {
    let status = policy.conditions().iter().find_map(|condition| match condition {
        FormCondition::SuccessStatus(status) => Some(*status),
        _ => None,
    });
    let redirects = policy.conditions().iter().any(|condition| matches!(condition, FormCondition::SuccessRedirect(_)));
    if redirects { 303 } else { status.unwrap_or(204) }
}

/// The object tells of itself what the form said.
async fn check_object(forms: &Forms<'_>, sample: &Sample, form: &WireForm) -> Result<WireResponse, String> {
    let signed = forms.harness.sign(&ObjectRequest::head(sample.key.clone())).await?;
    let head = forms.harness.accepted(WireRequest::of(&signed, [])).await.map_err(|reason| format!("HEAD: {reason}"))?;
    for (name, value) in &form.fields {
        let lower = name.to_ascii_lowercase();
        let is_type = name.eq_ignore_ascii_case(forms.profile.content_type);
        let is_plain = matches!(lower.as_str(), "cache-control" | "content-disposition" | "content-encoding" | "expires");
        let tells = is_type || is_plain || lower.starts_with(&forms.metadata(""));
        let header = if is_type { "content-type" } else { lower.as_str() };
        // How a cloud gives text outside of ASCII back is its own affair.
        if tells && value.is_ascii() && head.header(header) != Some(value) {
            return Err(format!("the object has {:?} as {header}; the form says {value:?}", head.header(header)));
        }
    }
    Ok(head)
}

/// 201 and 303 name the object.
fn check_answer(forms: &Forms<'_>, sample: &Sample, answer: &WireResponse, head: &WireResponse) -> Result<(), String> {
    let etag = head.header("etag").unwrap_or_default().trim_matches('"').to_owned();
    let want = [("bucket", forms.harness.place.bucket), ("key", sample.key.as_str()), ("etag", etag.as_str())];
    let names = match answer.status {
        201 => ["Bucket", "Key", "ETag"].map(|name| answer.element(name).unwrap_or_default()),
        303 => {
            let location = answer.header("location").ok_or("the redirect names no place")?;
            let asked = sample.policy.conditions().iter().find_map(|condition| match condition {
                FormCondition::SuccessRedirect(url) => Some(url.as_str()),
                _ => None,
            });
            let rest = asked.and_then(|url| location.strip_prefix(url)).ok_or_else(|| format!("the redirect leads to {location}"))?;
            let query = rest.strip_prefix(['?', '&']).ok_or("nothing is added to the query of the redirect")?;
            let pairs = encode::decode_query(query).map_err(|error| format!("the query of the redirect: {error}"))?;
            want.map(|(name, _)| pairs.iter().find(|(other, _)| other == name).map_or_else(String::new, |(_, value)| value.clone()))
        }
        _ => return ensure(answer.body.is_empty(), || format!("{} has a body", answer.status)),
    };
    for ((name, want), said) in want.into_iter().zip(names) {
        ensure(said.trim_matches('"') == want, || format!("the answer says {said:?} as {name}; it is {want:?}"))?;
    }
    Ok(())
}
