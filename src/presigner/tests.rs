use std::sync::Mutex;
use std::time::Duration;

use valetkey_core::{CredentialsError, ExpirationReason};

use super::*;
use crate::clock::FixedClock;

#[derive(Debug)]
struct Rotating(Mutex<Vec<Arc<Credentials>>>);

#[async_trait]
impl CredentialsProvider for Rotating {
    async fn credentials(&self) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(self.0.lock().unwrap()[0].clone())
    }

    async fn refresh(&self) -> Result<Arc<Credentials>, CredentialsError> {
        let mut all = self.0.lock().unwrap();
        if all.len() > 1 {
            all.remove(0);
        }
        Ok(all[0].clone())
    }
}

fn until(id: &str, end: &str) -> Arc<Credentials> {
    Arc::new(Credentials::new(id, "secret").unwrap().with_session_token("token").unwrap().with_expiration(end.parse().unwrap()))
}

fn presigner(credentials: Vec<Arc<Credentials>>) -> S3Presigner {
    let settings = TargetSettings::new("media").region("eu-central-1");
    let clock = FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap());
    S3Presigner::new(&settings, Rotating(Mutex::new(credentials))).unwrap().with_clock(clock)
}

#[tokio::test]
async fn credentials_that_end_first_are_refreshed_and_then_judged() {
    let request = ObjectRequest::get("k".parse().unwrap());
    let hour = PresignOptions::new().expires_in(Duration::from_secs(3600));

    let refreshed = presigner(vec![until("OLD", "2026-11-22T10:05:00Z"), until("NEW", "2026-11-22T12:00:00Z")]);
    let signed = refreshed.presign(&request, &hour).await.unwrap();
    assert!(signed.url.contains("Credential=NEW%2F"));
    assert_eq!(signed.expiration_reason, ExpirationReason::Requested);

    let no_newer = presigner(vec![until("OLD", "2026-11-22T10:05:00Z")]);
    assert_eq!(no_newer.presign(&request, &hour).await.unwrap_err().code(), "credentials_end_first");
    // Unasked, the life is shortened and says so; no other credentials are fetched for that.
    let signed = no_newer.presign(&request, &PresignOptions::new()).await.unwrap();
    assert_eq!((signed.expiration.to_string().as_str(), signed.expiration_reason), ("2026-11-22T10:05:00Z", ExpirationReason::Credentials));

    let ended = presigner(vec![until("OLD", "2026-11-22T09:00:00Z"), until("NEW", "2026-11-22T12:00:00Z")]);
    assert!(ended.presign(&request, &PresignOptions::new()).await.unwrap().url.contains("Credential=NEW%2F"));
}

#[tokio::test]
async fn the_kept_key_follows_day_and_credentials() {
    let request = ObjectRequest::get("k".parse().unwrap());
    let settings = TargetSettings::new("media").region("cn-hangzhou");
    let clock = Arc::new(FixedClock::at("2026-11-22T23:59:59Z".parse().unwrap()));
    let first = Arc::new(Credentials::new("AK", "one").unwrap());
    let second = Arc::new(Credentials::new("AK", "two").unwrap());
    let kept = OssPresigner::new(&settings, first.clone()).unwrap().with_clock(clock.clone());
    for (moment, credentials) in
        [("2026-11-22T23:59:59Z", &first), ("2026-11-22T23:59:59Z", &second), ("2026-11-23T00:00:00Z", &second), ("2026-11-22T23:59:59Z", &first)]
    {
        clock.set(moment.parse().unwrap());
        let fresh = OssPresigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
        let options = PresignOptions::new();
        assert_eq!(kept.sign(credentials, &request, &options), fresh.sign(credentials, &request, &options), "{moment}");
    }
}

/// Every sequence of seconds, days and lives gives what a presigner without a memory gives.
#[test]
fn what_is_prepared_changes_no_signature() {
    let requests = [ObjectRequest::get("k".parse().unwrap()), ObjectRequest::put("k".parse().unwrap()).content_type("a/b").content_length(1)];
    let settings = TargetSettings::new("media").region("eu-central-1");
    let clock = Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
    let credentials = Arc::new(Credentials::new("AK", "one").unwrap());
    let kept = S3Presigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
    let lives = [600, 900].map(|life| PresignOptions::new().expires_in(Duration::from_secs(life)));
    let fixed = lives[0].signed_at("2026-11-21T00:00:00Z".parse().unwrap());
    let stable = lives[1].stable_for(Duration::from_secs(300));
    for moment in ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z", "2026-11-22T09:00:00Z", "2026-11-23T00:00:00Z"] {
        clock.set(moment.parse().unwrap());
        for options in [lives[0], lives[1], fixed, lives[1], stable, stable, lives[0]] {
            for request in &requests {
                let fresh = S3Presigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
                let wanted = fresh.sign(&credentials, request, &options);
                assert_eq!(kept.sign(&credentials, request, &options), wanted, "{moment}");
                let session = kept.signing_session(&credentials, &lives[0]).unwrap().with_options(&options).unwrap();
                assert_eq!(session.sign(request), wanted, "{moment}");
            }
        }
    }
}

/// The same bytes in every second of a window, of URLs and of forms, and others after it.
#[test]
fn within_a_window_the_same_request_is_the_same_url() {
    let settings = TargetSettings::new("media").region("cn-hangzhou");
    let clock = Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
    let credentials = Arc::new(Credentials::new("AK", "one").unwrap());
    let presigner = OssPresigner::new(&settings, credentials.clone()).unwrap().with_clock(clock.clone());
    let options = PresignOptions::new().expires_in(Duration::from_secs(900)).stable_for(Duration::from_secs(300));
    let request = ObjectRequest::get("k".parse().unwrap());
    let policy = PostPolicy::for_prefix("a/").content_length(1..=2);
    let sign = |moment: &str| {
        clock.set(moment.parse().unwrap());
        (presigner.sign(&credentials, &request, &options).unwrap(), presigner.sign_post(&credentials, &policy, &options).unwrap())
    };
    let first = sign("2026-11-22T10:00:00Z");
    assert_eq!(sign("2026-11-22T10:04:59Z"), first);
    let next = sign("2026-11-22T10:05:00Z");
    assert!(next.0.url != first.0.url && next.1.fields != first.1.fields);
    assert_eq!(next.0.expiration.to_string(), "2026-11-22T10:20:00Z");
    assert_eq!(next.1.expiration, next.0.expiration);
}

#[tokio::test]
async fn many_are_signed_in_their_order_with_an_error_for_each_that_fails() {
    let requests = ["a", "b", "c"].map(|key| ObjectRequest::get(key.parse().unwrap()));
    let [a, b, c] = requests.clone();
    let requests = [a, b.content_type_absent(), c];
    let presigner = presigner(vec![until("OLD", "2026-11-22T10:05:00Z"), until("NEW", "2026-11-22T12:00:00Z")]);
    let hour = PresignOptions::new().expires_in(Duration::from_secs(3600));
    let dynamic: &dyn Presigner = &presigner;
    let mut results = vec![];
    dynamic.presign_many(&mut requests.iter(), &hour, &mut |signed| results.push(signed)).await.unwrap();
    let one_by_one = [presigner.presign(&requests[0], &hour).await, presigner.presign(&requests[1], &hour).await, presigner.presign(&requests[2], &hour).await];
    assert_eq!(results, one_by_one);
    assert!(results[0].as_ref().unwrap().url.contains("Credential=NEW%2F"));
    assert_eq!(results[1].as_ref().unwrap_err().code(), "unsupported");

    // What all share fails before the first.
    let never = PresignOptions::new().expires_in(Duration::ZERO);
    let error = dynamic.presign_many(&mut requests.iter(), &never, &mut |_| panic!("signed")).await.unwrap_err();
    assert_eq!(error.code(), "life_zero");
}

#[test]
fn threads_share_a_session() {
    let credentials = until("AK", "2026-11-22T12:00:00Z");
    let presigner = presigner(vec![credentials.clone()]);
    let session = presigner.signing_session(&credentials, &PresignOptions::new()).unwrap();
    let requests: Vec<ObjectRequest> = (0..50).map(|n| ObjectRequest::get(format!("k/{n}").parse().unwrap())).collect();
    let sign_all = || {
        let mut signed = session.blank();
        requests.iter().map(|request| session.sign_into(request, &mut signed).map(|()| signed.url.clone()).unwrap()).collect::<Vec<_>>()
    };
    let (here, there) = std::thread::scope(|scope| {
        let there = scope.spawn(sign_all);
        (sign_all(), there.join().unwrap())
    });
    assert_eq!(here, there);
    let one_by_one: Vec<String> = requests.iter().map(|request| presigner.sign(&credentials, request, &PresignOptions::new()).unwrap().url).collect();
    assert_eq!(here, one_by_one);
}

#[test]
fn debug_shows_no_secret() {
    let presigner = presigner(vec![until("AK", "2026-11-22T12:00:00Z")]);
    let credentials = until("AK", "2026-11-22T12:00:00Z");
    presigner.sign(&credentials, &ObjectRequest::get("k".parse().unwrap()), &PresignOptions::new()).unwrap();
    let session = presigner.signing_session(&credentials, &PresignOptions::new()).unwrap();
    let text = format!("{presigner:?} {session:?}");
    assert!(text.contains("media") && !text.contains("\"secret\"") && !text.contains("\"token\""), "{text}");
}
