//! A form ends when it says, and its life is what was asked for or an error.

use std::time::Duration;

use valetkey_core::{ExpirationReason, PostPolicy, PresignOptions, PresignedPost, Timestamp};

use super::account::account;
use super::{Forms, photo};
use crate::form_profile::FormWhy;
use crate::harness::BODY;
use crate::report::{Record, ensure};
use crate::wire_form::WireForm;

/// How early a form is taken, seconds: clocks differ.
const SKEW: u64 = 900;

/// What is asked for, and the life in seconds with its reason, or the name of the error.
type Row = (&'static str, PresignOptions, Result<(u64, ExpirationReason), &'static str>);

pub(super) async fn run(forms: &Forms<'_>, record: &mut Record) {
    let now = forms.harness.clock.now();
    let policy = PostPolicy::for_prefix(format!("{}life/", forms.root));
    for (case, options, want) in rows(now, u64::from(forms.harness.max_life())) {
        match sign(forms, &policy, &options, want, now).await {
            Ok(Some(signed)) if forms.harness.clock.turns() => {
                let outcome = lives_until_its_end(forms, &signed).await;
                forms.harness.clock.set(now);
                forms.note(record, &format!("life: {case}"), outcome).await;
            }
            Ok(Some(_)) => {
                record.note(format!("life: {case}"), Ok(()));
                record.skip(format!("life: {case}: until its end"), "the clock cannot be turned");
            }
            Ok(None) => record.note(format!("life: {case}"), Ok(())),
            Err(reason) => record.note(format!("life: {case}"), Err(reason)),
        }
    }
    record.note("life: signed earlier", Box::pin(signed_earlier(forms, &policy, now)).await);
}

fn rows(now: Timestamp, max: u64) -> Vec<Row> {
    let lasting = |seconds| PresignOptions::new().expires_in(Duration::from_secs(seconds));
    let until = |seconds| PresignOptions::new().expires_at(now.checked_add(seconds).unwrap_or(now));
    let requested = |seconds| Ok((seconds, ExpirationReason::Requested));
    vec![
        ("unasked: 15 minutes", PresignOptions::new(), Ok((900, ExpirationReason::Default))),
        ("a duration", lasting(600), requested(600)),
        ("an instant", until(700), requested(700)),
        ("1 s", lasting(1), requested(1)),
        ("the maximum", lasting(max), requested(max)),
        ("the maximum and 1 s", lasting(max + 1), Err("life_over_provider_maximum")),
        ("the maximum and 1 s as an instant", until(max + 1), Err("life_over_provider_maximum")),
        ("0", lasting(0), Err("life_zero")),
        ("a second and a half", PresignOptions::new().expires_in(Duration::from_millis(1500)), Err("life_fraction")),
        ("this very second", until(0), Err("life_past")),
    ]
}

async fn sign(
    forms: &Forms<'_>,
    policy: &PostPolicy,
    options: &PresignOptions,
    want: Result<(u64, ExpirationReason), &str>,
    signed_at: Timestamp,
) -> Result<Option<PresignedPost>, String> {
    match (forms.harness.presigner.presign_post(policy, options).await, want) {
        (Err(error), Err(code)) => {
            ensure(error.code() == code, || format!("refused as `{}` ({error}); it is `{code}`", error.code()))?;
            Ok(None)
        }
        (Ok(_), Err(code)) => Err(format!("signed; it must be refused as `{code}`")),
        (Err(error), Ok(_)) => Err(format!("not signed: {error}")),
        (Ok(signed), Ok((seconds, reason))) => {
            // The account compares the report with the policy.
            account(forms, policy, &signed)?;
            ensure(signed.signed_at == signed_at, || format!("signed_at is reported as {}; it is {signed_at}", signed.signed_at))?;
            let end = signed_at.checked_add(seconds);
            ensure(Some(signed.expiration) == end, || format!("expiration is reported as {}; it is {seconds} s after {signed_at}", signed.expiration))?;
            ensure(signed.expiration_reason == reason, || format!("the reason is given as `{}`", signed.expiration_reason.as_str()))?;
            Ok(Some(signed))
        }
    }
}

async fn lives_until_its_end(forms: &Forms<'_>, signed: &PresignedPost) -> Result<(), String> {
    let form = WireForm::of(signed, photo(BODY));
    let start = signed.signed_at.as_unix_seconds();
    let end = signed.expiration.as_unix_seconds();
    for (when, at, refused) in [
        ("too early", start.saturating_sub(SKEW + 1), Some(FormWhy::NotYetValid)),
        ("as early as clocks may differ", start.saturating_sub(SKEW), None),
        ("at once", start, None),
        ("in the last second", end, None),
        ("one second late", end + 1, Some(FormWhy::Expired)),
    ] {
        let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_unix_seconds(at).ok()).ok_or("the time is out of range")?;
        forms.harness.clock.set(at);
        // What looks for objects is signed by the same clock, and so is judged by it.
        let outcome = match refused {
            Some(why) => forms.refused(&form, why, "").await,
            None => accepted(forms, &form).await,
        };
        outcome.map_err(|reason| format!("{when}: {reason}"))?;
    }
    Ok(())
}

async fn accepted(forms: &Forms<'_>, form: &WireForm) -> Result<(), String> {
    forms.accepted(form, 204).await?;
    forms.stored(&forms.key("life/photo 1.png")?, BODY).await
}

/// The life counts from the time that is signed, so this needs no clock that turns.
async fn signed_earlier(forms: &Forms<'_>, policy: &PostPolicy, now: Timestamp) -> Result<(), String> {
    let shifted = |seconds: i64| i64::try_from(now.as_unix_seconds()).ok().and_then(|now| Timestamp::from_unix_seconds(now + seconds).ok());
    // A clock that cannot be turned is not the store's own, and goes on meanwhile.
    let (taken, early) = if forms.harness.clock.turns() { (900, 901) } else { (600, 1800) };
    for (shift, seconds, why) in [(-500, 3600, None), (-500, 60, Some(FormWhy::Expired)), (taken, 60, None), (early, 60, Some(FormWhy::NotYetValid))] {
        let at = shifted(shift).ok_or("the time is out of range")?;
        let options = PresignOptions::new().signed_at(at).expires_in(Duration::from_secs(seconds));
        let want = Ok((seconds, ExpirationReason::Requested));
        let signed = sign(forms, policy, &options, want, at).await?.ok_or("not signed")?;
        let form = WireForm::of(&signed, photo(BODY));
        match why {
            Some(why) => forms.refused(&form, why, "").await?,
            None => accepted(forms, &form).await?,
        }
    }
    Ok(())
}
