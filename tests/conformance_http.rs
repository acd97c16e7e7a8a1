//! Both providers pass the conformance suite over HTTP, against the embedded store.
#![cfg(all(feature = "s3", feature = "oss"))]

#[path = "judges/http.rs"]
mod http;

use std::sync::Arc;

use http::Http;
use valetkey::{AddressingStyle, Clock as _, Credentials, FixedClock, OssPresigner, Presigner, S3Presigner, TargetSettings, Timestamp};
use valetkey_conformance::{Harness, Place, Profile, TestClock};
use valetkey_store::{Cloud, Store};

/// The clock of the store, of the presigner and of the suite.
struct Shared(Arc<FixedClock>);

impl TestClock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now().expect("it was set within the range")
    }

    fn set(&self, now: Timestamp) {
        self.0.set(now);
    }
}

const BUCKET: &str = "conformance";

async fn passes(provider: &str, style: AddressingStyle, token: Option<&str>) {
    let clock = Arc::new(FixedClock::at("2026-11-22T10:30:00Z".parse().unwrap()));
    let credentials = Credentials::new("TESTACCESSKEYID", "test-secret").unwrap().with_session_token(token.unwrap_or_default()).unwrap();
    let (cloud, profile) = if provider == "s3" { (Cloud::S3, &Profile::S3) } else { (Cloud::Oss, &Profile::OSS) };
    let store_clock = clock.clone();
    let store = Store::builder().bucket(BUCKET).bucket("conformance-other").credentials(cloud, credentials.clone()).memory();
    let store = store.clock(move || store_clock.now().unwrap()).bind("127.0.0.1:0".parse().unwrap()).await.unwrap();

    let address = store.address();
    let (endpoint, base_url) = match style {
        AddressingStyle::Virtual => (format!("http://localhost:{}", address.port()), format!("http://{BUCKET}.localhost:{}", address.port())),
        _ => (store.endpoint(), format!("{}/{BUCKET}", store.endpoint())),
    };
    let settings = TargetSettings::new(BUCKET).region("cn-hangzhou").endpoint(endpoint.parse().unwrap()).addressing(style);
    let credentials = Arc::new(credentials);
    let presigner: Box<dyn Presigner> = match cloud {
        Cloud::S3 => Box::new(S3Presigner::new(&settings, credentials).unwrap().with_clock(clock.clone())),
        _ => Box::new(OssPresigner::new(&settings, credentials).unwrap().with_clock(clock.clone())),
    };
    let (backend, clock) = (Http(address), Shared(clock));
    let place = Place { bucket: BUCKET, base_url: &base_url, key_prefix: "" };
    let mut harness = Harness::new(presigner.as_ref(), &backend, &clock, profile, place);
    if token.is_some() {
        harness = harness.session_token();
    }
    let report = harness.run().await;
    let failures: Vec<String> = report.failures().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{provider} {style:?}: {} failures\n{}", failures.len(), failures.join("\n"));
    report.assert_passed();
    store.shutdown().await;
}

#[tokio::test]
async fn s3_path_style() {
    passes("s3", AddressingStyle::Path, None).await;
}

#[tokio::test]
async fn s3_virtual_hosted_with_a_session_token() {
    passes("s3", AddressingStyle::Virtual, Some("token/with+signs=")).await;
}

#[tokio::test]
async fn oss_path_style() {
    passes("oss", AddressingStyle::Path, None).await;
}

#[tokio::test]
async fn oss_virtual_hosted_with_a_session_token() {
    passes("oss", AddressingStyle::Virtual, Some("token/with+signs=")).await;
}
