//! Hostile forms, judged by the library alone. The rows that are raw bytes, and all of these once more over HTTP, are run against the embedded store by its
//! own tests (`apps/store/tests/posts`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use valetkey::post_policy::{Form, FormCondition, PolicyDocument};
use valetkey::verify::{Audience, FormError, FormVerification, VerifiedForm, VerifyError};
use valetkey::{Credentials, Oss, PostPolicy, PresignOptions, PresignedPost, S3, Scheme, TargetSettings, Timestamp, signed_host};

use crate::support::{AnyPresigner, dialect, json, pairs, text};
use crate::{REASONS, has_signature, keys};

/// What holds a row's form from the moment it was received.
struct Received {
    provider: &'static str,
    fields: Vec<(String, String)>,
    file_name: String,
    size: u64,
    url: String,
    /// What a form is judged by before its fields are: a header, and what follows the file.
    has_authorization: bool,
    has_more: bool,
    now: Timestamp,
}

impl Received {
    fn new(row: &Value, controls: &[Value]) -> Self {
        let input = &row["input"];
        // A row that only says how its policy is made is otherwise its base.
        let base = controls.iter().find(|control| control["id"] == input["base"]).unwrap();
        let said = |name: &str| if input[name].is_null() { base["input"][name].clone() } else { input[name].clone() };
        let mut fields = pairs(&said("fields"));
        if let Some(generator) = input["policy_generator"].as_object() {
            sign_generated(&mut fields, generator["n"].as_u64().unwrap(), &generator["conditions_repeat"]);
        }
        let (file, url) = (said("file"), said("url"));
        assert_eq!((&file["field"], &file["count"]), (&"file".into(), &1.into()), "the library is given one file");
        Self {
            provider: if said("provider") == "oss" { "oss" } else { "s3" },
            fields,
            file_name: text(&file, "filename").to_owned(),
            size: file["size"].as_u64().unwrap(),
            url: url.as_str().unwrap().to_owned(),
            has_authorization: pairs(&said("headers")).iter().any(|(name, _)| name == "Authorization"),
            has_more: !pairs(&said("fields_after_file")).is_empty(),
            now: said("now").as_str().unwrap().parse().unwrap(),
        }
    }

    /// What whoever reads the request decides, and then what the library does.
    fn verify(&self, row: &Value) -> Result<VerifiedForm, VerifyError> {
        if self.has_authorization {
            return Err(VerifyError::MixedAuthentication);
        }
        let (_, rest) = self.url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        let host = signed_host(Scheme::Https, host);
        let recognise = if self.provider == "s3" { S3::public_host } else { Oss::public_host };
        let place = Audience::public().locate(&host, path, recognise)?;
        if place.key().is_some() {
            return Err(FormError::NotAtBucket.into());
        }
        let bucket = place.bucket().ok_or(VerifyError::UnknownHost)?;
        let form = Form { bucket, fields: &self.fields, file_name: &self.file_name, size: Some(self.size) };
        let region = if self.provider == "s3" { "us-east-1" } else { "cn-hangzhou" };
        let pending = FormVerification::parse(dialect(self.provider), &form, Some(region))?;
        let known = keys(self.provider, row);
        let found = known.iter().find(|known| known.access_key_id() == pending.access_key_id());
        let verified = pending.finish(found, self.now)?;
        if self.has_more { Err(FormError::Malformed { what: "something follows the file" }.into()) } else { Ok(verified) }
    }
}

/// The policy of the form with one condition many times more, signed by the owner of the key.
fn sign_generated(fields: &mut [(String, String)], count: u64, condition: &Value) {
    sign_again(fields, |conditions| conditions.extend((0..count).map(|_| condition.clone())));
}

/// The form with other conditions, signed by the owner of the key.
fn sign_again(fields: &mut [(String, String)], change: impl FnOnce(&mut Vec<Value>)) {
    let field = |fields: &[(String, String)], name: &str| fields.iter().position(|(other, _)| other == name).unwrap();
    let (policy, signature) = (field(fields, "policy"), field(fields, "x-amz-signature"));
    let mut document: Value = serde_json::from_slice(&BASE64.decode(&fields[policy].1).unwrap()).unwrap();
    change(document["conditions"].as_array_mut().unwrap());
    fields[policy].1 = BASE64.encode(document.to_string());
    let key = dialect("s3").signing_key(&keys("s3", &Value::Null)[0], "20151229", "us-east-1", "s3");
    fields[signature].1 = key.sign(&fields[policy].1).iter().map(|byte| format!("{byte:02x}")).collect();
}

/// The key that an accepted form writes.
fn key(row: &Value) -> &str {
    match text(row, "id") {
        "VP-019" => "user/eric/x",
        "VP-023" => "user/eric/${filename}",
        _ => "user/eric/a.png",
    }
}

#[test]
fn the_form_verifiers_judge_every_row_as_they_must() {
    let fixtures = json("hostile/fixture.json");
    let controls: Vec<Value> = fixtures.as_array().unwrap().iter().filter(|row| row["input"]["kind"] == "post_form").cloned().collect();
    let rows = json("hostile/verifier_post.json");
    let (forms, raw): (Vec<&Value>, Vec<&Value>) = rows.as_array().unwrap().iter().partition(|row| row["input"]["kind"] == "post_form");
    for row in forms.iter().copied().chain(&controls) {
        let (id, expected) = (text(row, "id"), &row["expected"]);
        let received = Received::new(row, &controls);
        match (text(expected, "result"), received.verify(row)) {
            ("accept", Ok(verified)) => {
                assert_eq!(verified.key().as_str(), key(row), "{id}");
                let names: Vec<String> = verified.fields().iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
                assert_eq!(names, ["content-type"], "{id}: nothing else is acted on");
            }
            ("reject", Err(error)) => {
                let allowed: Vec<&str> = REASONS.iter().filter(|(theirs, _)| expected["reason"] == *theirs).map(|(_, ours)| *ours).collect();
                assert!(allowed.contains(&error.code()), "{id}: {expected}: {} ({error})", error.code());
                let refusal = dialect(received.provider).refusal(&error);
                assert_eq!(u64::from(refusal.status), expected["status"].as_u64().unwrap(), "{id}: {error}");
                assert_eq!(refusal.code, text(expected, "code"), "{id}: {error}");
                let shown = format!("{error} {error:?} {refusal:?}");
                assert!(!has_signature(&shown), "{id}: a signature is shown: {shown}");
            }
            (want, got) => panic!("{id}: wanted {want}, got {:?} ({})", got.map_err(|error| error.to_string()), row["why"]),
        }
    }
    // Each row is run in one of the two places.
    assert_eq!((forms.len(), controls.len()), (75, 2));
    assert!(raw.iter().all(|row| row["input"]["kind"] == "raw_http" || row["input"]["kind"] == "generator"));
    assert_eq!(raw.len(), 12);
}

/// The signature would be right, and it is of an algorithm that nobody here knows.
#[test]
fn a_form_of_another_algorithm_is_refused() {
    let fixtures = json("hostile/fixture.json");
    let control = fixtures.as_array().unwrap().iter().find(|row| row["id"] == "FX-AWS-POST").unwrap();
    for (algorithm, code) in [("AWS4-HMAC-SHA256", "accepted"), ("AWS4-HMAC-SHA1", "unsupported_algorithm"), ("aws4-hmac-sha256", "unsupported_algorithm")] {
        let mut received = Received::new(control, std::slice::from_ref(control));
        received.fields.iter_mut().filter(|(name, _)| name == "x-amz-algorithm").for_each(|(_, value)| algorithm.clone_into(value));
        sign_again(&mut received.fields, |conditions| {
            let own = conditions.iter_mut().find(|condition| condition.get("x-amz-algorithm").is_some()).unwrap();
            own["x-amz-algorithm"] = algorithm.into();
        });
        let outcome = received.verify(control);
        assert_eq!(outcome.as_ref().map_or_else(VerifyError::code, |_| "accepted"), code, "{algorithm}: {outcome:?}");
    }
}

/// Everything of a form, its policy and its errors that a program could print.
pub(crate) fn shown(provider: &str, credentials: &Credentials, now: Timestamp) -> String {
    let settings = TargetSettings::new("media").region("eu-central-1");
    let presigner = AnyPresigner::new(provider, &settings, credentials.clone(), now).unwrap();
    let policy = PostPolicy::for_prefix("up/").content_type_prefix("image/");
    let form = presigner.sign_post(&policy, &PresignOptions::new()).unwrap();
    let document = PolicyDocument::from_base64(form.fields.value("policy").unwrap()).unwrap();
    let mut shown = format!("{form:?} {form:#?} {:?} {document:?} {policy:?}", form.fields);
    shown += &format!("{:?}", form.clone().fill("key", "down/x").unwrap_err());
    shown += &format!("{:?}", presigner.sign_policy("{\"conditions\":[\"session-token-value\"]}", None).unwrap_err());

    let mut fields: Vec<(String, String)> = form.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let token = dialect(provider).form_rules().token;
    let other = credentials.clone().with_session_token("another").unwrap();
    let mut judge = |name: &str, value: &str, known: &Credentials| {
        match fields.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => value.clone_into(old),
            None => fields.push((name.to_owned(), value.to_owned())),
        }
        let form = Form { bucket: "media", fields: &fields, file_name: "a.png", size: None };
        let pending = FormVerification::parse(dialect(provider), &form, None).unwrap();
        let pending_shown = format!("{pending:?}");
        format!("{pending_shown} {:?}", pending.finish(Some(known), now).map_err(|error| format!("{error:?} {error} {:?}", dialect(provider).refusal(&error))))
    };
    // Without its type, with it, and with a token that belongs to the key and not to the policy.
    shown += &judge("key", "up/x", credentials);
    shown += &judge(dialect(provider).form_rules().content_type, "image/png", credentials);
    let with_other_token = judge(token, "another", &other);
    assert!(with_other_token.contains("condition"), "{provider}: the policy names the token: {with_other_token}");
    shown + &with_other_token + &judge(token, "another", credentials)
}

/// A policy as a row of the library's describes it, for files under a prefix.
fn policy(args: &Value, prefix: &str, is_open: bool) -> PostPolicy {
    let (min, max) = (args["min_size"].as_u64().unwrap_or_default(), args["max_size"].as_u64().unwrap());
    let policy = if is_open { PostPolicy::for_open_prefix(prefix) } else { PostPolicy::for_prefix(prefix) };
    let policy = policy.with(FormCondition::ContentLength { min, max });
    match args["redirect"].as_str() {
        Some(url) => policy.success_redirect(url),
        None => policy,
    }
}

fn sign(provider: &str, policy: &PostPolicy) -> Result<PresignedPost, &'static str> {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret").unwrap();
    let settings = TargetSettings::new("examplebucket").region("eu-central-1");
    let presigner = AnyPresigner::new(provider, &settings, credentials, "2026-11-22T10:30:00Z".parse().unwrap()).unwrap();
    presigner.sign_post(policy, &PresignOptions::new()).map_err(|error| error.code())
}

#[test]
fn hostile_policies_are_written_by_a_serializer_or_refused() {
    let rows = json("hostile/library_api.json");
    let mut called = 0;
    for row in rows.as_array().unwrap().iter().filter(|row| row["input"]["fn"] == "post_policy") {
        let (id, args, expected) = (text(row, "id"), &row["input"]["args"], &row["expected"]);
        let prefix = text(args, "prefix");
        called += 1;
        for provider in ["s3", "oss"] {
            if expected["result"] == "error" {
                assert_eq!(expected["reason"], "UnsafePolicy", "{id}");
                assert_eq!(sign(provider, &policy(args, prefix, false)), Err("unsafe_policy"), "{id}");
                continue;
            }
            // A row about what a prefix holds does not say where it ends.
            let is_open = !prefix.ends_with('/');
            let conditions = |prefix: &str| {
                let form = sign(provider, &policy(args, prefix, is_open)).unwrap();
                PolicyDocument::from_base64(form.fields.value("policy").unwrap()).unwrap().conditions().to_vec()
            };
            let (hostile, plain) = (conditions(prefix), conditions("u/"));
            assert_eq!(hostile.len(), plain.len(), "{id}");
            let key = hostile.iter().find(|condition| condition.is_about("key")).unwrap();
            assert!(key.holds(&format!("{prefix}x"), false) && !key.holds("x", false), "{id}: {key}");
        }
    }
    assert_eq!(called, 4);
}
