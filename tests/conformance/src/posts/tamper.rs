//! Nothing of a form can be changed: each field left out, changed and doubled, parts added, and the policy written otherwise.

use valetkey_core::{PostPolicy, PresignedPost, encode};

use super::samples::set;
use super::{Forms, photo};
use crate::backend::WireRequest;
use crate::form_profile::FormWhy;
use crate::harness::BODY;
use crate::report::Record;
use crate::wire_form::WireForm;

pub(super) async fn run(forms: &Forms<'_>, record: &mut Record) {
    let signed = match forms.sign(&policy(forms)).await {
        Ok(signed) => signed,
        Err(reason) => return record.note("a form to tamper with", Err(reason)),
    };
    let form = WireForm::of(&signed, photo(BODY));
    for (case, form, why, about) in fields(forms, &form).into_iter().chain(parts(forms, &form)).chain(texts(forms, &form)) {
        forms.note(record, &case, forms.refused(&form, why, &about).await).await;
    }
    elsewhere(forms, record, &form).await;
    forms.note(record, "unchanged it is accepted, and again", accepted_twice(forms, &form).await).await;
    record.note("a field that names the bucket, which the policy covers", names_the_bucket(forms, &signed).await);
}

/// A form with fields of all kinds. Runs of `?` and `~` make base64 with both characters that have other variants.
fn policy(forms: &Forms<'_>) -> PostPolicy {
    let policy = PostPolicy::for_prefix(format!("{}tamper/", forms.root)).content_length(1..=1000).content_type("image/png").metadata("owner", "??????~~~~~~");
    policy.cache_control("no-store").success_status(201).success_redirect("https://app.example.com/done")
}

type Case = (String, WireForm, FormWhy, String);

/// Each field of the form in turn.
fn fields(forms: &Forms<'_>, form: &WireForm) -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, (name, value)) in form.fields.iter().enumerate() {
        let mut dropped = form.clone();
        dropped.fields.remove(at);
        let why = why_dropped(forms, name);
        let about = if why == FormWhy::Token { "" } else { name };
        // What follows the file comes too late to count.
        let mut late = dropped.clone();
        late.after.push((name.clone(), value.clone()));
        cases.push((format!("{name} left out"), dropped, why, about.to_owned()));
        cases.push((format!("{name} after the file"), late, why, about.to_owned()));
        for (how, value, why) in changes(forms, name, value) {
            let mut changed = form.clone();
            changed.fields[at].1 = value;
            let about = if why == FormWhy::Condition { name } else { "" };
            cases.push((format!("{name} {how}"), changed, why, about.to_owned()));
        }
        for (how, other, value) in [
            ("alike", name.clone(), value.as_str()),
            ("in upper case, with another value", name.to_ascii_uppercase(), "another"),
            ("in lower case", name.to_ascii_lowercase(), value.as_str()),
        ] {
            let mut doubled = form.clone();
            doubled.fields.push((other, value.to_owned()));
            cases.push((format!("{name} twice, {how}"), doubled, FormWhy::Doubled, name.clone()));
        }
    }
    cases
}

fn why_dropped(forms: &Forms<'_>, name: &str) -> FormWhy {
    let profile = forms.profile;
    let required = ["key", "policy", profile.algorithm.0, profile.credential.0, profile.date, profile.signature];
    match name {
        _ if required.contains(&name) => FormWhy::Missing,
        _ if name == profile.token => FormWhy::Token,
        _ => FormWhy::Condition,
    }
}

/// Other values of a field, with the reason that each must be refused for.
fn changes(forms: &Forms<'_>, name: &str, value: &str) -> Vec<(&'static str, String, FormWhy)> {
    let profile = forms.profile;
    let replaced = |from: &str, to: &str| value.replacen(from, to, 1);
    if name == "policy" {
        // Within the text, so that the base64 stays one.
        return vec![("changed", swapped(value, 20), FormWhy::Rewritten), ("of another text", String::from("e30="), FormWhy::Rewritten)];
    }
    if name == profile.signature {
        return vec![
            ("changed", swapped(value, 0), FormWhy::Signature),
            ("in upper case", value.to_ascii_uppercase(), FormWhy::Signature),
            ("shorter", value.chars().skip(1).collect(), FormWhy::Signature),
            ("of nothing", "0".repeat(64), FormWhy::Signature),
            ("empty", String::new(), FormWhy::Missing),
        ];
    }
    if name == profile.credential.0 {
        let day = value.split('/').nth(1).unwrap_or_default();
        return vec![
            ("of another access key", format!("ANOTHER{value}"), FormWhy::UnknownKey),
            ("of another day", replaced(day, "20000101"), FormWhy::Signature),
            ("of another region", replaced(&format!("{day}/"), &format!("{day}/x")), FormWhy::Signature),
            ("without its end", replaced(profile.credential.1, ""), FormWhy::MalformedField),
        ];
    }
    if name == profile.date {
        // Both keep to the form of a date.
        return vec![
            ("of midnight", format!("{}000000Z", value.get(..9).unwrap_or_default()), FormWhy::Condition),
            ("no date", "now".to_owned(), FormWhy::MalformedField),
        ];
    }
    if name == profile.token {
        return vec![("changed", format!("{value}x"), FormWhy::Token)];
    }
    if name == "key" {
        return vec![("changed", format!("x{value}"), FormWhy::Condition)];
    }
    vec![
        ("changed", format!("{value}x"), FormWhy::Condition),
        ("empty", String::new(), if name == profile.algorithm.0 { FormWhy::Missing } else { FormWhy::Condition }),
    ]
}

/// The same text with another character at one place.
fn swapped(text: &str, at: usize) -> String {
    text.chars()
        .enumerate()
        .map(|(index, c)| {
            if index != at {
                c
            } else if c == '1' {
                '2'
            } else {
                '1'
            }
        })
        .collect()
}

/// Parts added or missing.
fn parts(forms: &Forms<'_>, form: &WireForm) -> Vec<Case> {
    let profile = forms.profile;
    let own = |name: &str| format!("{}{name}", forms.harness.profile.header_prefix);
    let mut cases = Vec::new();
    let acl = if profile.pinned.iter().any(|(name, _)| *name == profile.acl) { own("acl") } else { profile.acl.to_owned() };
    let extra = [
        forms.metadata("extra"),
        acl,
        "redirect".to_owned(),
        "Content-Disposition".to_owned(),
        own("website-redirect-location"),
        "x:a".to_owned(),
        "key[]".to_owned(),
        String::new(),
    ];
    for name in extra {
        let mut more = form.clone();
        more.fields.push((name.clone(), "1".to_owned()));
        cases.push((format!("a field more: {name:?}"), more, FormWhy::Extra, name));
    }
    let mut mixed = form.clone();
    mixed.fields.push((profile.foreign.to_owned(), "AKID".to_owned()));
    cases.push(("another way of signing beside".to_owned(), mixed, FormWhy::Mixed, String::new()));
    let mut other = form.clone();
    other.fields.push(("bucket".to_owned(), format!("{}-other", forms.harness.place.bucket)));
    cases.push(("a field that names another bucket".to_owned(), other, FormWhy::Bucket, String::new()));

    let mut unsigned = form.clone();
    unsigned.fields.retain(|(name, _)| name == "key");
    cases.push(("the key alone".to_owned(), unsigned.clone(), FormWhy::Unsigned, String::new()));
    unsigned.fields.clear();
    cases.push(("no field at all".to_owned(), unsigned, FormWhy::Unsigned, String::new()));
    cases.push(("no file".to_owned(), WireForm { files: Vec::new(), ..form.clone() }, FormWhy::Files, String::new()));
    let files = vec![photo(BODY), photo(*b"second")];
    cases.push(("two files".to_owned(), WireForm { files, ..form.clone() }, FormWhy::Files, String::new()));
    for name in ["x-any", "key", "success_action_status", &forms.metadata("late")] {
        let after = vec![(name.to_owned(), "1".to_owned())];
        cases.push((format!("{name} once more after the file"), WireForm { after, ..form.clone() }, FormWhy::Malformed, String::new()));
    }
    cases
}

/// The same policy, written otherwise: another text than the one that is signed.
fn texts(forms: &Forms<'_>, form: &WireForm) -> Vec<Case> {
    let _ = forms;
    let policy = form.fields.iter().find(|(name, _)| name == "policy").map_or("", |(_, value)| value.as_str());
    let (start, end) = policy.split_at_checked(policy.len() / 2).unwrap_or_default();
    [
        ("with the alphabet of URLs", policy.replace('+', "-").replace('/', "_")),
        ("without padding", policy.trim_end_matches('=').to_owned()),
        ("with a line end inside", format!("{start}\r\n{end}")),
        ("with a line end behind", format!("{policy}\n")),
        ("with a blank before", format!(" {policy}")),
        ("with more behind", format!("{policy}AAAA")),
    ]
    .into_iter()
    // A variant that does not differ would be the policy itself.
    .filter(|(_, text)| text != policy)
    .map(|(how, text)| {
        let mut changed = form.clone();
        set(&mut changed, "policy", &text);
        (format!("the policy {how}"), changed, FormWhy::Rewritten, String::new())
    })
    .collect()
}

/// To another bucket, to an object, and as what is no form.
async fn elsewhere(forms: &Forms<'_>, record: &mut Record, form: &WireForm) {
    let place = forms.harness.place;
    let request = form.request();
    let other = format!("{}-other", place.bucket);
    let (scheme, rest) = place.base_url.split_once("://").unwrap_or_default();
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or_default();
    let moved = if let Some(host) = authority.strip_prefix(place.bucket) {
        let mut moved = request.clone();
        moved.headers.push(("host".to_owned(), format!("{other}{host}")));
        Some(moved)
    } else {
        let ends = path.strip_suffix(place.bucket);
        ends.map(|path| WireRequest { url: format!("{scheme}://{authority}{path}{other}"), ..request.clone() })
    };
    match moved {
        // The same server, so that nothing is sent elsewhere.
        Some(moved) => forms.note(record, "to another bucket", refused(forms, moved, FormWhy::Bucket).await).await,
        None => record.skip("to another bucket", "the URL does not name the bucket"),
    }
    for (case, name) in [("to an object", "tamper/x"), ("to a folder", "tamper/")] {
        let mut url = format!("{}/", place.base_url);
        encode::push_path(&mut url, &format!("{}{name}", forms.root));
        let moved = WireRequest { url, ..request.clone() };
        forms.note(record, case, refused(forms, moved, FormWhy::NotAtBucket).await).await;
    }
    for content_type in ["multipart/form-data", "multipart/form-data; boundary=another"] {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        forms.note(record, content_type, refused(forms, WireRequest { headers, ..request.clone() }, FormWhy::Malformed).await).await;
    }
    for (case, cut) in [("cut short", 40), ("cut in the last boundary", 4)] {
        let mut body = request.body.clone();
        body.truncate(body.len().saturating_sub(cut));
        forms.note(record, case, refused(forms, WireRequest { body, ..request.clone() }, FormWhy::Malformed).await).await;
    }
}

async fn refused(forms: &Forms<'_>, request: WireRequest, why: FormWhy) -> Result<(), String> {
    let answer = forms.harness.backend.send(request).await;
    forms.is_refusal(&answer, why, "")?;
    forms.nothing_is_stored().await
}

/// A form is no ticket: whoever has it may use it until it ends.
async fn accepted_twice(forms: &Forms<'_>, form: &WireForm) -> Result<(), String> {
    let mut second = form.clone();
    second.files = vec![photo(*b"second")];
    forms.accepted(form, 303).await?;
    forms.accepted(&second, 303).await?;
    forms.stored(&forms.key("tamper/photo 1.png")?, b"second").await
}

async fn names_the_bucket(forms: &Forms<'_>, signed: &PresignedPost) -> Result<(), String> {
    let mut form = WireForm::of(signed, photo(BODY));
    form.fields.insert(0, ("bucket".to_owned(), forms.harness.place.bucket.to_owned()));
    forms.accepted(&form, 303).await?;
    forms.stored(&forms.key("tamper/photo 1.png")?, BODY).await
}
