//! Forms made by the official SDKs and documents: each signature reproduced from its policy text, each form judged.
#![cfg(all(feature = "s3", feature = "oss"))]

mod support;

use serde_json::Value;
use support::{AnyPresigner, credentials, dialect, json, pairs, text};
use valetkey::post_policy::Form;
use valetkey::verify::{FormVerification, VerifiedForm, VerifyError};
use valetkey::{TargetSettings, Timestamp};

/// The bucket that a case is for: some fields are missing where a document gives only the policy.
fn bucket(case: &Value) -> String {
    let host = text(case, "expected_url").split("://").nth(1).unwrap().split('.').next().unwrap();
    case["bucket"].as_str().unwrap_or(host).to_owned()
}

fn date(case: &Value) -> Timestamp {
    Timestamp::from_basic(text(case, "date")).or_else(|_| text(case, "date").parse()).unwrap()
}

fn cases() -> Vec<(&'static str, Value)> {
    let files = [("s3", "vectors/s3-sigv4.json"), ("oss", "vectors/oss-v4.json")];
    let all =
        files.iter().flat_map(|(provider, file)| json(file)["cases"].as_array().unwrap().iter().map(|case| (*provider, case.clone())).collect::<Vec<_>>());
    all.filter(|(_, case)| case["expect"]["form"].is_string()).collect()
}

fn verify(provider: &str, case: &Value, bucket: &str, fields: &[(String, String)], now: Timestamp) -> Result<VerifiedForm, VerifyError> {
    let form = Form { bucket, fields, file_name: "photo.jpg", size: Some(5) };
    let pending = FormVerification::parse(dialect(provider), &form, Some(text(case, "region")))?;
    let known = credentials(&case["credentials"]);
    let found = (pending.access_key_id() == known.access_key_id()).then_some(&known);
    pending.finish(found, now)
}

#[test]
fn every_vector_is_reproduced_from_its_policy_text() {
    let mut reproduced = 0;
    for (provider, case) in cases() {
        let name = text(&case, "name");
        let settings = TargetSettings::new(bucket(&case)).region(text(&case, "region"));
        let presigner = AnyPresigner::new(provider, &settings, credentials(&case["credentials"]), date(&case)).unwrap();
        // The case's own key where its policy leaves the key open or does not name one.
        let key = case["key"].as_str().map(|key| key.parse().unwrap());
        let form = presigner.sign_policy(text(&case, "policy_json"), key.as_ref()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let value = |wanted: &str| form.fields.iter().find(|(field, _)| *field == wanted).map(|(_, value)| value).unwrap();
        assert_eq!(value("policy"), text(&case, "string_to_sign"), "{name}");
        let signature = case["signature"].as_str().or(case["expected_signature"].as_str()).unwrap();
        assert_eq!(value(if provider == "s3" { "x-amz-signature" } else { "x-oss-signature" }), signature, "{name}");
        for (field, wanted) in pairs(&case["expected_fields"]) {
            let ours = form.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(&field)).map(|(_, value)| value);
            assert!(ours.is_none_or(|ours| ours == wanted), "{name}: {field}");
        }
        reproduced += 1;
    }
    assert_eq!(reproduced, 23, "the fixtures promise this many forms");
}

#[test]
fn every_vector_is_judged_and_refused_when_anything_differs() {
    for (provider, case) in cases() {
        let (name, bucket, now) = (text(&case, "name"), bucket(&case), date(&case));
        let mut fields = pairs(&case["expected_fields"]);
        fields.retain(|(field, _)| field != "file");
        let verdict = |fields: &[(String, String)], now| verify(provider, &case, &bucket, fields, now);
        let outcome = verdict(&fields, now);
        let seen = outcome.as_ref().map_or_else(VerifyError::code, |_| "accepted");
        assert_eq!(seen, text(&case["expect"], "form"), "{name}: {outcome:?}");
        let Ok(verified) = outcome else { continue };
        assert_eq!(verified.bucket(), bucket, "{name}");
        assert!(verdict(&fields, verified.expiration()).is_ok(), "{name}: the last second");
        assert_eq!(verdict(&fields, verified.expiration().checked_add(1).unwrap()).unwrap_err().code(), "expired", "{name}");
        assert_eq!(verify(provider, &case, "another", &fields, now).unwrap_err().code(), "bucket_mismatch", "{name}");
        for index in 0..fields.len() {
            let mut missing = fields.clone();
            let (field, value) = missing.remove(index);
            // What JavaScript's SDK sends, and no policy demands of the form itself.
            if field != "bucket" {
                assert!(verdict(&missing, now).is_err(), "{name}: accepted without {field}");
            }
            for at in 0..value.len() {
                let mut bytes = value.clone().into_bytes();
                bytes[at] = if bytes[at] == b'Z' { b'Y' } else { b'Z' };
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let mut changed = fields.clone();
                changed[index].1 = text;
                // A field whose rule is a prefix may change after it.
                let accepted = verdict(&changed, now).is_ok();
                let may = matches!(field.as_str(), "key" | "Content-Type" | "success_action_redirect" | "x-amz-meta-tag");
                assert!(!accepted || may, "{name}: accepted another {field}");
            }
        }
    }
}
