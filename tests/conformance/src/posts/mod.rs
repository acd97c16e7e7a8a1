//! A form takes what its policy says and nothing else: each condition kept and broken, each field changed, and what cannot be promised refused by name.

mod account;
mod contract;
mod life;
mod refused;
mod samples;
mod tamper;

use std::sync::{Mutex, PoisonError};

use valetkey_core::post_policy::PolicyError;
use valetkey_core::{ObjectKey, ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost, PresignedRequest};

use crate::backend::{WireRequest, WireResponse};
use crate::form_profile::{FormProfile, FormWhy};
use crate::harness::{Harness, shown};
use crate::report::{Record, ensure};
use crate::wire_form::{FilePart, WireForm};

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    let Some(profile) = harness.profile.forms else {
        return record.note("forms are refused by name", Box::pin(no_forms(harness)).await);
    };
    let forms = Forms { harness, profile, root: format!("{}posts/", harness.place.key_prefix), list: Mutex::default() };
    // An earlier run may have ended before it cleared up.
    if let Err(reason) = forms.clear().await {
        return record.note("clearing up", Err(reason));
    }
    Box::pin(samples::run(&forms, record)).await;
    Box::pin(tamper::run(&forms, record)).await;
    Box::pin(life::run(&forms, record)).await;
    contract::run(&forms, record).await;
    refused::run(&forms, record).await;
    record.note("clearing up", forms.clear().await);
}

/// A cloud without forms must not give one out.
async fn no_forms(harness: &Harness<'_>) -> Result<(), String> {
    match harness.presigner.presign_post(&PostPolicy::for_prefix("a/"), &PresignOptions::new()).await {
        Err(PresignError::Policy(PolicyError::Unsupported { .. })) => Ok(()),
        Err(other) => Err(format!("refused as `{}` ({other}); it is `unsupported`", other.code())),
        Ok(_) => Err("signed, though the cloud takes no forms".to_owned()),
    }
}

/// What every case needs.
struct Forms<'h> {
    harness: &'h Harness<'h>,
    profile: &'static FormProfile,
    /// What each key begins with that a case may write.
    root: String,
    /// A request for a list of what is under the root: it is sent after every form, and need not be signed for each.
    list: Mutex<Option<PresignedRequest>>,
}

impl Forms<'_> {
    /// A key under the root.
    fn key(&self, name: &str) -> Result<ObjectKey, String> {
        ObjectKey::new(format!("{}{name}", self.root)).map_err(|error| format!("the suite's own key: {error}"))
    }

    /// The field of metadata of this name.
    fn metadata(&self, name: &str) -> String {
        format!("{}meta-{name}", self.harness.profile.header_prefix)
    }

    /// Signs now, for the default life, and compares what comes out with what was asked for.
    async fn sign(&self, policy: &PostPolicy) -> Result<PresignedPost, String> {
        let signed = self.harness.presigner.presign_post(policy, &PresignOptions::new()).await.map_err(|error| format!("not signed: {error}"))?;
        account::account(self, policy, &signed)?;
        Ok(signed)
    }

    /// Sends what must be accepted, with this status, and gives the answer.
    async fn accepted(&self, form: &WireForm, status: u16) -> Result<WireResponse, String> {
        let answer = self.harness.send(form.request()).await?;
        ensure(answer.status == status, || format!("answered with {} {}; it is {status}", shown(&answer), message(&answer)))?;
        Ok(answer)
    }

    /// Sends what must be refused for this reason, and looks whether it stored anything.
    async fn refused(&self, form: &WireForm, why: FormWhy, about: &str) -> Result<(), String> {
        let answer = self.harness.send(form.request()).await?;
        self.is_refusal(&answer, why, about)?;
        self.nothing_is_stored().await
    }

    /// The reason must be this one, and its message must name what it is about.
    fn is_refusal(&self, answer: &WireResponse, why: FormWhy, about: &str) -> Result<(), String> {
        let message = message(answer);
        ensure(answer.status >= 400, || format!("accepted with {}; it must be refused ({why:?})", answer.status))?;
        let (says, codes) = match why {
            FormWhy::Plain(why) => (self.harness.profile.says(answer, why, false), format!("{:?}", self.harness.profile.codes(why))),
            _ => (self.profile.says(answer, why), format!("{:?}", self.profile.codes(why))),
        };
        ensure(says, || format!("refused with {} {message}; {why:?} is said with {codes}", shown(answer)))?;
        let names = message.to_ascii_lowercase().contains(&about.to_ascii_lowercase());
        ensure(names, || format!("refused with {} {message}, which does not name {about:?}", shown(answer)))
    }

    /// Writes down how a case came out. What a failed one left behind must not fail the next.
    async fn note(&self, record: &mut Record, case: &str, outcome: Result<(), String>) {
        if outcome.is_err() {
            // Whether it works shows at the end.
            let _ = self.clear().await;
        }
        record.note(case, outcome);
    }

    async fn nothing_is_stored(&self) -> Result<(), String> {
        let first = self.first_key().await?;
        ensure(first.is_none(), || format!("it was refused, and {first:?} is there"))
    }

    /// The object of a case, and nothing else, holds this; then it is removed.
    async fn stored(&self, key: &ObjectKey, body: &[u8]) -> Result<(), String> {
        self.harness.holds(key, Some(body)).await?;
        self.harness.delete(key).await?;
        let rest = self.first_key().await?;
        ensure(rest.is_none(), || format!("it wrote {rest:?}, too"))
    }

    /// The first key under the root. Keys that XML cannot carry are not looked for.
    async fn first_key(&self) -> Result<Option<String>, String> {
        let now = self.harness.clock.now();
        let kept = self.list.lock().unwrap_or_else(PoisonError::into_inner).take();
        let signed = match kept.filter(|kept| kept.signed_at <= now && now < kept.expiration) {
            Some(kept) => kept,
            None => self.harness.sign(&ObjectRequest::list().prefix(self.root.as_str()).max_keys(1)).await?,
        };
        let answer = self.harness.accepted(WireRequest::of(&signed, [])).await.map_err(|reason| format!("listing: {reason}"))?;
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(signed);
        Ok(answer.element("Key"))
    }

    /// Removes whatever is under the root.
    async fn clear(&self) -> Result<(), String> {
        while let Some(key) = self.first_key().await? {
            let key = ObjectKey::new(key).map_err(|error| error.to_string())?;
            self.harness.delete(&key).await?;
            let next = self.first_key().await?;
            ensure(next.as_deref() != Some(key.as_str()), || format!("{key:?} cannot be removed"))?;
        }
        Ok(())
    }
}

fn message(answer: &WireResponse) -> String {
    answer.element("Message").unwrap_or_default()
}

/// A small file whose name has a blank.
fn photo(bytes: impl Into<Vec<u8>>) -> FilePart {
    FilePart::new("photo 1.png", "image/x-of-the-part", bytes)
}
