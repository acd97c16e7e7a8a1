use super::*;
use alloc::string::ToString;

const WEEK: u32 = 604_800;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

/// One row: options, provider maximum, store limit, credentials' end, and the life with its reason or the name of the error.
type Row = (&'static str, PresignOptions, u32, Option<u32>, Option<i64>, Result<(u32, ExpirationReason), &'static str>);

#[test]
fn life_by_the_table() {
    use ExpirationReason::{Credentials, Default, Requested, StoreLimit};
    let now = 1_000_000;
    let options = PresignOptions::new();
    let secs = |seconds| options.expires_in(Duration::from_secs(seconds));
    let until = |seconds| options.expires_at(at(now + seconds));
    // Of 300 s, the window of `now` began 100 s ago.
    let window = Duration::from_secs;
    let rows: &[Row] = &[
        ("unasked", options, WEEK, None, None, Ok((900, Default))),
        ("unasked, store limit shorter", options, WEEK, Some(300), None, Ok((300, StoreLimit))),
        ("unasked, store limit equal", options, WEEK, Some(900), None, Ok((900, Default))),
        ("unasked, store limit longer", options, WEEK, Some(3600), None, Ok((900, Default))),
        ("unasked, credentials end first", options, WEEK, None, Some(now + 60), Ok((60, Credentials))),
        ("unasked, credentials end exactly then", options, WEEK, None, Some(now + 900), Ok((900, Default))),
        ("unasked, both shorten, credentials more", options, WEEK, Some(300), Some(now + 60), Ok((60, Credentials))),
        ("unasked, both shorten, store more", options, WEEK, Some(30), Some(now + 60), Ok((30, StoreLimit))),
        ("unasked, credentials ended", options, WEEK, None, Some(now), Err("credentials_ended")),
        ("unasked, credentials long ended", options, WEEK, None, Some(1), Err("credentials_ended")),
        ("duration", secs(600), WEEK, None, None, Ok((600, Requested))),
        ("instant", until(700), WEEK, None, None, Ok((700, Requested))),
        ("both: the instant wins", until(700).expires_in(Duration::from_secs(5)), WEEK, None, None, Ok((700, Requested))),
        ("both: the duration is not even looked at", until(700).expires_in(Duration::from_millis(1)), WEEK, None, None, Ok((700, Requested))),
        ("both: a past instant is an error", until(-1).expires_in(Duration::from_secs(5)), WEEK, None, None, Err("life_past")),
        ("1 s", secs(1), WEEK, None, None, Ok((1, Requested))),
        ("0", secs(0), WEEK, None, None, Err("life_zero")),
        ("fraction", options.expires_in(Duration::from_millis(1500)), WEEK, None, None, Err("life_fraction")),
        ("less than a second", options.expires_in(Duration::from_nanos(1)), WEEK, None, None, Err("life_fraction")),
        ("past", until(-1), WEEK, None, None, Err("life_past")),
        ("the very second", until(0), WEEK, None, None, Err("life_past")),
        ("maximum", secs(604_800), WEEK, None, None, Ok((WEEK, Requested))),
        ("maximum as an instant", until(604_800), WEEK, None, None, Ok((WEEK, Requested))),
        ("maximum + 1", secs(604_801), WEEK, None, None, Err("life_over_provider_maximum")),
        ("maximum + 1 as an instant", until(604_801), WEEK, None, None, Err("life_over_provider_maximum")),
        ("overflow", secs(u64::MAX), WEEK, None, None, Err("life_over_provider_maximum")),
        ("overflow of 32 bits", secs(4_294_967_296), WEEK, None, None, Err("life_over_provider_maximum")),
        ("store limit kept", secs(300), WEEK, Some(300), None, Ok((300, Requested))),
        ("over the store limit", secs(301), WEEK, Some(300), None, Err("life_over_store_limit")),
        ("credentials end exactly then", secs(60), WEEK, None, Some(now + 60), Ok((60, Requested))),
        ("credentials that end first", secs(61), WEEK, None, Some(now + 60), Err("credentials_end_first")),
        ("OSS token: 12 h", secs(43_200), 43_200, None, None, Ok((43_200, Requested))),
        ("OSS token above 12 h", secs(43_201), 43_200, None, None, Err("life_over_provider_maximum")),
        ("stable", secs(600).stable_for(window(100)), WEEK, None, None, Ok((600, Requested))),
        ("stable, the window a second shorter than the life", secs(600).stable_for(window(599)), WEEK, None, None, Ok((600, Requested))),
        ("stable, the window as long as the life", secs(600).stable_for(window(600)), WEEK, None, None, Err("window_too_long")),
        ("stable, the window longer than the life", secs(600).stable_for(window(u64::MAX)), WEEK, None, None, Err("window_too_long")),
        ("stable, no window", secs(600).stable_for(window(0)), WEEK, None, None, Err("window_invalid")),
        ("stable, fraction", secs(600).stable_for(Duration::from_millis(1500)), WEEK, None, None, Err("window_invalid")),
        ("stable, less than a second", secs(600).stable_for(Duration::from_nanos(1)), WEEK, None, None, Err("window_invalid")),
        ("stable, an instant stays", until(700).stable_for(window(300)), WEEK, None, None, Ok((800, Requested))),
        ("stable, an instant within the window", until(1).stable_for(window(300)), WEEK, None, None, Ok((101, Requested))),
        ("stable, an instant that is past, but not the window's start", until(0).stable_for(window(300)), WEEK, None, None, Err("life_past")),
        ("stable, an instant is too far from the window's start", until(604_800).stable_for(window(300)), WEEK, None, None, Err("life_over_provider_maximum")),
        ("stable, unasked", options.stable_for(window(300)), WEEK, None, None, Ok((900, Default))),
        ("stable, unasked, the window as long as the default", options.stable_for(window(900)), WEEK, None, None, Err("window_too_long")),
        ("stable, unasked, the window as long as the store limit", options.stable_for(window(300)), WEEK, Some(300), None, Err("window_too_long")),
        ("stable, unasked, credentials end first", options.stable_for(window(300)), WEEK, None, Some(now + 60), Ok((160, Credentials))),
        ("stable, unasked, credentials ended in the window", options.stable_for(window(300)), WEEK, None, Some(now - 10), Err("credentials_ended")),
        ("stable, credentials end exactly then", secs(600).stable_for(window(300)), WEEK, None, Some(now + 500), Ok((600, Requested))),
        ("stable, credentials that end first", secs(601).stable_for(window(300)), WEEK, None, Some(now + 500), Err("credentials_end_first")),
        ("stable, over the store limit", secs(301).stable_for(window(300)), WEEK, Some(300), None, Err("life_over_store_limit")),
        ("stable, a signing time that is given is kept", secs(60).stable_for(window(0)).signed_at(at(now)), WEEK, None, None, Ok((60, Requested))),
        ("signed earlier", secs(60).signed_at(at(now - 500)), WEEK, None, None, Ok((60, Requested))),
        ("signed after the credentials ended", secs(60).signed_at(at(now + 500)), WEEK, None, Some(now + 60), Err("credentials_ended")),
    ];
    for (name, options, provider_max, store_max, credentials_end, want) in rows {
        let limits = Limits { provider_max: *provider_max, provider_name: "S3", store_max: *store_max };
        let got = options.resolve(at(now), limits, credentials_end.map(at));
        let seen = got.as_ref().map(|v| (v.seconds(), v.expiration_reason())).map_err(LifeError::code);
        assert_eq!(&seen, want, "{name}");
        if let Ok(validity) = got {
            let life = validity.expiration().seconds_since(validity.signed_at());
            assert_eq!(life, Some(u64::from(validity.seconds())), "{name}");
        }
    }
}

/// In every second of a window the same times; and never a second more than was asked for, whichever second it is.
#[test]
fn within_a_window_the_times_are_the_same() {
    let limits = Limits { provider_max: WEEK, provider_name: "S3", store_max: None };
    let start = 1_000_200;
    for window in [1, 7, 60, 300, 599] {
        let options = PresignOptions::new().stable_for(Duration::from_secs(window));
        let life = options.expires_in(Duration::from_secs(600));
        for now in start..start + 700 {
            let validity = life.resolve(at(now), limits, None).unwrap();
            let moment = at(now);
            let first = moment.as_unix_seconds() / window * window;
            assert_eq!(validity, life.resolve(at(i64::try_from(first).unwrap()), limits, None).unwrap(), "{window} {now}");
            assert_eq!(validity.signed_at().as_unix_seconds(), first);
            let left = validity.expiration().seconds_since(moment).unwrap();
            assert!(left <= 600 && left > 600 - window, "{window} {now}: {left}");
            let end = options.expires_at(at(start + 1000)).resolve(moment, limits, None).unwrap();
            assert_eq!((end.signed_at().as_unix_seconds(), end.expiration()), (first, at(start + 1000)));
        }
    }
}

#[test]
fn the_end_of_time_is_an_error() {
    let last = "9999-12-31T23:59:59Z".parse().unwrap();
    let limits = Limits { provider_max: WEEK, provider_name: "S3", store_max: None };
    let error = PresignOptions::new().resolve(last, limits, None).unwrap_err();
    assert_eq!(error.code(), "time_out_of_range");
    assert!(error.to_string().contains("9999"));
}
