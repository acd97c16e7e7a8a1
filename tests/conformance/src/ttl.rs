//! Life is honest: what was asked for is what is signed and reported, or an error; and it ends when it says.

use std::time::Duration;

use valetkey_core::{ExpirationReason, ObjectRequest, PresignOptions, PresignedRequest, Timestamp, encode};

use crate::backend::WireRequest;
use crate::harness::{BODY, Harness};
use crate::profile::Why;
use crate::report::{Record, ensure};

/// How early a URL is taken, seconds: clocks differ.
const SKEW: u64 = 900;

struct Row {
    case: &'static str,
    options: PresignOptions,
    /// Life in seconds and its reason, or the name of the error.
    want: Result<(u64, ExpirationReason), &'static str>,
}

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    let now = harness.clock.now();
    let written = match harness.key("ttl.txt") {
        Ok(key) => harness.put(&key, BODY).await.map(|_| key),
        Err(reason) => Err(reason),
    };
    let key = match written {
        Ok(key) => key,
        Err(reason) => return record.note("writing the object", Err(reason)),
    };
    let request = ObjectRequest::get(key.clone());
    for row in rows(now, harness.max_life()) {
        let outcome = try_row(harness, &request, &row, now).await;
        match outcome {
            Ok(Some(signed)) if harness.clock.turns() => {
                record.note(row.case, Ok(()));
                record.note(format!("{}: until its end", row.case), lives_until_its_end(harness, &signed).await);
                harness.clock.set(now);
            }
            Ok(signed) => {
                record.note(row.case, Ok(()));
                if signed.is_some() {
                    record.skip(format!("{}: until its end", row.case), "the clock cannot be turned");
                }
            }
            Err(reason) => record.note(row.case, Err(reason)),
        }
    }
    record.note("signed earlier", signed_at_another_time(harness, &request, now).await);
    record.note("clearing up", harness.delete(&key).await);
}

fn rows(now: Timestamp, max: u32) -> Vec<Row> {
    let max = u64::from(max);
    let unasked = PresignOptions::new();
    let requested = |seconds| Ok((seconds, ExpirationReason::Requested));
    let lasting = |seconds| unasked.expires_in(Duration::from_secs(seconds));
    // A moment that cannot be made asks for the present, which is refused and so noticed.
    let until = |seconds| unasked.expires_at(now.checked_add(seconds).unwrap_or(now));
    let past = i64::try_from(now.as_unix_seconds()).ok().and_then(|now| Timestamp::from_unix_seconds(now - 60).ok()).unwrap_or(now);
    vec![
        Row { case: "unasked: 15 minutes", options: unasked, want: Ok((900, ExpirationReason::Default)) },
        Row { case: "a duration", options: lasting(600), want: requested(600) },
        Row { case: "an instant", options: until(700), want: requested(700) },
        Row { case: "both: a later instant wins", options: until(700).expires_in(Duration::from_secs(5)), want: requested(700) },
        Row { case: "both: an earlier instant wins", options: until(30).expires_in(Duration::from_secs(300)), want: requested(30) },
        Row { case: "both: a past instant is an error", options: lasting(5).expires_at(past), want: Err("life_past") },
        Row { case: "1 s", options: lasting(1), want: requested(1) },
        Row { case: "0", options: lasting(0), want: Err("life_zero") },
        Row { case: "a second and a half", options: unasked.expires_in(Duration::from_millis(1500)), want: Err("life_fraction") },
        Row { case: "less than a second", options: unasked.expires_in(Duration::from_nanos(1)), want: Err("life_fraction") },
        Row { case: "the past", options: unasked.expires_at(past), want: Err("life_past") },
        Row { case: "this very second", options: until(0), want: Err("life_past") },
        Row { case: "the maximum", options: lasting(max), want: requested(max) },
        Row { case: "the maximum as an instant", options: until(max), want: requested(max) },
        Row { case: "the maximum and 1 s", options: lasting(max + 1), want: Err("life_over_provider_maximum") },
        Row { case: "the maximum and 1 s as an instant", options: until(max + 1), want: Err("life_over_provider_maximum") },
        Row { case: "more than 32 bits", options: lasting((1 << 32) + 60), want: Err("life_over_provider_maximum") },
        Row { case: "the longest duration", options: lasting(u64::MAX), want: Err("life_over_provider_maximum") },
    ]
}

/// The signed request, when the row is one that is signed.
async fn try_row(harness: &Harness<'_>, request: &ObjectRequest, row: &Row, now: Timestamp) -> Result<Option<PresignedRequest>, String> {
    let result = harness.presigner.presign(request, &row.options).await;
    match (result, row.want) {
        (Err(error), Err(code)) => {
            ensure(error.code() == code, || format!("refused as `{}` ({error}); it is `{code}`", error.code()))?;
            Ok(None)
        }
        (Ok(_), Err(code)) => Err(format!("signed; it must be refused as `{code}`")),
        (Err(error), Ok(_)) => Err(format!("not signed: {error}")),
        (Ok(signed), Ok((seconds, reason))) => {
            check_report(harness, &signed, now, seconds)?;
            ensure(signed.expiration_reason == reason, || format!("the reason is given as `{}`", signed.expiration_reason.as_str()))?;
            Ok(Some(signed))
        }
    }
}

/// What is reported is what the URL carries is what was wanted.
fn check_report(harness: &Harness<'_>, signed: &PresignedRequest, signed_at: Timestamp, seconds: u64) -> Result<(), String> {
    let query = signed.url.split_once('?').map_or("", |(_, query)| query);
    let parameters = encode::decode_query(query).map_err(|error| error.to_string())?;
    let value = |name: &str| parameters.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str());
    let (life, date) = (value(harness.profile.life_parameter), value(harness.profile.date_parameter));
    ensure(life == seconds.to_string(), || format!("a life of `{life}` s is signed; it is {seconds} s"))?;
    ensure(Timestamp::from_basic(date) == Ok(signed_at), || format!("`{date}` is signed as the time; it is {signed_at}"))?;
    ensure(signed.signed_at == signed_at, || format!("signed_at is reported as {}; it is {signed_at}", signed.signed_at))?;
    let end = signed_at.checked_add(seconds);
    ensure(Some(signed.expiration) == end, || format!("expiration is reported as {}; it is {seconds} s after {signed_at}", signed.expiration))
}

async fn lives_until_its_end(harness: &Harness<'_>, signed: &PresignedRequest) -> Result<(), String> {
    let start = signed.signed_at.as_unix_seconds();
    let end = signed.expiration.as_unix_seconds();
    let table = [
        ("too early", start.saturating_sub(SKEW + 1), Some(Why::NotYetValid)),
        ("as early as clocks may differ", start.saturating_sub(SKEW), None),
        ("at once", start, None),
        ("in the last second", end, None),
        ("one second late", end + 1, Some(Why::Expired)),
    ];
    for (when, at, refused) in table {
        let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_unix_seconds(at).ok()).ok_or("the time is out of range")?;
        harness.clock.set(at);
        let request = WireRequest::of(signed, []);
        let outcome = match refused {
            Some(why) => harness.refused(request, why).await,
            None => harness.accepted(request).await.map(drop),
        };
        outcome.map_err(|reason| format!("{when}: {reason}"))?;
    }
    Ok(())
}

/// The life counts from the time that is signed, so this needs no clock that turns.
async fn signed_at_another_time(harness: &Harness<'_>, request: &ObjectRequest, now: Timestamp) -> Result<(), String> {
    let earlier = i64::try_from(now.as_unix_seconds()).ok().and_then(|now| Timestamp::from_unix_seconds(now - 500).ok()).ok_or("the time is out of range")?;
    for (seconds, why) in [(3600, None), (60, Some(Why::Expired))] {
        let options = PresignOptions::new().signed_at(earlier).expires_in(Duration::from_secs(seconds));
        let signed = harness.presigner.presign(request, &options).await.map_err(|error| format!("not signed: {error}"))?;
        check_report(harness, &signed, earlier, seconds)?;
        match why {
            Some(why) => harness.refused(WireRequest::of(&signed, []), why).await?,
            None => harness.accepted(WireRequest::of(&signed, [])).await.map(drop)?,
        }
    }
    Ok(())
}
