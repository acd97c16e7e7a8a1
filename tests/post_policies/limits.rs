//! What a holder of a form may try, and how much work it may make.

use super::*;

/// A form that somebody wrote by hand around a policy of ours.
fn judged(provider: &str, policy: &PostPolicy, fields: &[(&str, &str)], file_name: &str) -> Result<VerifiedForm, VerifyError> {
    let form = sign(provider, policy).unwrap();
    let mut sent = written(&form).1;
    for (name, value) in fields {
        match sent.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = (*value).to_owned(),
            None => sent.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    let received = Form { bucket: "media", fields: &sent, file_name, size: None };
    FormVerification::parse(dialect(provider), &received, None)?.finish(Some(&known(None)), now())
}

#[test]
fn the_name_of_a_file_leads_nowhere_else() {
    let secret = PostPolicy::for_prefix("up/").not_in("key", ["up/secret.txt"]);
    assert_eq!(judged("oss", &secret, &[], "secret.txt").unwrap_err().code(), "condition_failed");
    assert_eq!(judged("oss", &secret, &[], "other.txt").unwrap().key().as_str(), "up/other.txt");
    let named = PostPolicy::for_prefix("up/").metadata_prefix("name", "");
    let outcome = judged("s3", &named, &[("x-amz-meta-name", "${filename}")], "a\r\nX-Evil: 1");
    assert_eq!(outcome.unwrap_err().code(), "malformed_field");
    assert_eq!(judged("s3", &named, &[("x-amz-meta-name", "${filename}")], "dir\\a").unwrap().field("x-amz-meta-name"), Some("a"));
    for provider in BOTH {
        for (name, code) in [("..", "unsafe_key"), ("", "no_file_name"), (&"n".repeat(1100), "unsafe_key")] {
            assert_eq!(judged(provider, &PostPolicy::for_prefix("up/"), &[], name).unwrap_err().code(), code, "{provider}");
        }
    }
    assert_eq!(judged("oss", &PostPolicy::for_prefix("up/"), &[], "../../admin/x").unwrap_err().code(), "unsafe_key");
}

#[test]
fn work_is_limited_before_the_signature_is_judged() {
    let many: Vec<(String, String)> = (0..100_000).map(|n| (format!("x-ignore-{n}"), String::new())).collect();
    let form = Form { bucket: "media", fields: &many, file_name: "f", size: None };
    assert_eq!(FormVerification::parse(dialect("s3"), &form, None).unwrap_err().code(), "malformed_form");
    // And a form that the store would not read up to its file is not signed.
    let long = |bytes: usize| PostPolicy::for_key(key("k")).eq("x-ignore-a", "x".repeat(bytes));
    assert!(sign("s3", &long(7000)).is_ok());
    assert_eq!(sign("s3", &long(8200)).unwrap_err().code(), "unsafe_policy");
}

#[test]
fn no_value_of_a_policy_is_shown() {
    let policy = PostPolicy::for_key(key("k")).eq("x-amz-meta-a", "SECRET").metadata("b", "SECRET").acl(Acl::Other("SECRET".into()));
    assert!(!format!("{policy:?}").contains("SECRET"));
}
