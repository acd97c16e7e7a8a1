//! The result is the whole contract: the same input gives the same bytes, its JSON has all of it, and no text of it shows a secret.

use std::collections::BTreeSet;

use serde_json::Value;
use valetkey_core::post_policy::PolicyDocument;
use valetkey_core::{PostPolicy, PresignOptions, PresignedPost};

use super::Forms;
use crate::report::{Record, ensure};

const MEMBERS: [&str; 9] = ["expiration", "expiration_reason", "fields", "file_limits", "method", "notes", "open_fields", "signed_at", "url"];

pub(super) async fn run(forms: &Forms<'_>, record: &mut Record) {
    let narrowed = forms.metadata("note");
    let directory = format!("{}contract/", forms.root);
    let policy = PostPolicy::for_prefix(&directory).object_name("${filename}-1").content_length(1..=9).content_type_prefix("image/").metadata("owner", "\"7\"");
    let policies = [
        ("the least policy", PostPolicy::for_prefix(&directory)),
        ("a policy with open fields", policy),
        ("two rules on one open field", PostPolicy::for_prefix(&directory).metadata_prefix("note", "a").starts_with(&narrowed, "ab")),
    ];
    for (case, policy) in policies {
        let signed = match forms.sign(&policy).await {
            Ok(signed) => signed,
            Err(reason) => {
                record.note(case, Err(reason));
                continue;
            }
        };
        record.note(format!("{case}: the same input gives the same bytes"), same_again(forms, &policy, &signed).await);
        record.note(format!("{case}: in JSON"), json(&signed));
        record.note(format!("{case}: its policy is one"), document(&signed));
        record.note(format!("{case}: nothing shows a secret"), secrets(forms, &signed));
        record.note(format!("{case}: as a page and as a command"), texts(&signed));
        record.note(format!("{case}: every note is a sentence"), ensure(signed.notes.iter().all(|note| note.len() > 20), || format!("{:?}", signed.notes)));
    }
}

async fn same_again(forms: &Forms<'_>, policy: &PostPolicy, first: &PresignedPost) -> Result<(), String> {
    for _ in 0..2 {
        let again = forms.harness.presigner.presign_post(policy, &PresignOptions::new()).await.map_err(|error| error.to_string())?;
        // A real clock may have gone on.
        let comparable = forms.harness.clock.turns() || again.signed_at == first.signed_at;
        ensure(!comparable || (again == *first && again.to_json() == first.to_json()), || "it differs when it is signed again".to_owned())?;
    }
    Ok(())
}

fn json(signed: &PresignedPost) -> Result<(), String> {
    let text = signed.to_json();
    ensure(!text.contains('\n'), || "it is more than one line".to_owned())?;
    let json: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let members: BTreeSet<&str> = json.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str)).collect();
    ensure(members == BTreeSet::from(MEMBERS), || format!("its members are {members:?}"))?;
    let fields = json["fields"].as_object().ok_or("`fields` is no object")?;
    ensure(fields.len() == signed.fields.len(), || "`fields` has not as many as are to be sent".to_owned())?;
    for (name, value) in signed.fields.iter() {
        ensure(fields.get(name).and_then(Value::as_str) == Some(value), || format!("`fields` has another `{name}`"))?;
    }
    let has_file = fields.keys().any(|name| name.eq_ignore_ascii_case("file"));
    ensure(!has_file, || "`file` is among the fields, and would be sent before the file".to_owned())?;
    let limits = &json["file_limits"];
    let told = (limits["min"].as_u64(), limits["max"].as_u64(), limits["content_type"].as_str());
    let want = (Some(signed.file_limits.min), Some(signed.file_limits.max), signed.file_limits.content_type.as_deref());
    ensure(told == want, || format!("`file_limits` is {limits}"))?;
    let texts = [("method", "POST"), ("url", &signed.url), ("signed_at", &signed.signed_at.to_string()), ("expiration", &signed.expiration.to_string())]
        .iter()
        .all(|(name, value)| json[*name] == *value);
    ensure(texts, || format!("{text:.200}"))?;
    let open = json["open_fields"].as_array().map_or(0, Vec::len);
    ensure(open == signed.open_fields.len(), || format!("`open_fields` has {open} of {}", signed.open_fields.len()))
}

/// The strict reader takes it, and it ends when it is said to.
fn document(signed: &PresignedPost) -> Result<(), String> {
    let policy = PolicyDocument::from_base64(signed.fields.value("policy").unwrap_or_default()).map_err(|error| error.to_string())?;
    ensure(policy.expiration() == signed.expiration, || format!("it ends at {}", policy.expiration()))
}

/// Whoever has the fields may upload.
fn secrets(forms: &Forms<'_>, signed: &PresignedPost) -> Result<(), String> {
    let shown = format!("{signed:?} {signed:#?} {:?}", signed.fields);
    let secrets = ["policy", forms.profile.signature, forms.profile.token].into_iter().filter_map(|name| Some((name, signed.fields.value(name)?)));
    for (name, value) in secrets {
        ensure(!shown.contains(value), || format!("Debug shows `{name}`"))?;
    }
    Ok(())
}

/// Each field stands once in both, and the file behind them.
fn texts(signed: &PresignedPost) -> Result<(), String> {
    let (page, command) = (signed.to_html(), signed.to_curl("a file"));
    let sent = signed.fields.iter().map(|(name, _)| name).chain(signed.open_fields.iter().map(valetkey_core::OpenField::name));
    let names: BTreeSet<&str> = sent.chain(["file"]).collect();
    for name in names {
        let on_page = page.matches(&format!(" name=\"{name}\"")).count();
        ensure(on_page == 1, || format!("`{name}` stands {on_page} times on the page"))?;
        let in_command = command.matches(&format!(" '{name}=")).count();
        ensure(in_command == 1, || format!("`{name}` stands {in_command} times in the command"))?;
    }
    let is_last = |text: &str, file: &str| text.find(file).is_some_and(|at| text.rfind("x-").is_none_or(|last| last < at));
    ensure(is_last(&page, " name=\"file\"") && is_last(&command, " 'file="), || "the file is not last".to_owned())
}
