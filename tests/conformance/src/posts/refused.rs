//! Policies that would allow more than they seem to, or could never be met, are not signed.

use valetkey_core::post_policy::{Callback, FormCondition, MAX_CONDITIONS, ValueRule};
use valetkey_core::{Acl, PostPolicy, PresignOptions};

use super::Forms;
use crate::report::{Record, ensure};

type Row = (String, PostPolicy, &'static str);

pub(super) async fn run(forms: &Forms<'_>, record: &mut Record) {
    for (case, policy, code) in rows(forms) {
        let outcome = match forms.harness.presigner.presign_post(&policy, &PresignOptions::new()).await {
            Err(error) => ensure(error.code() == code, || format!("refused as `{}` ({error}); it is `{code}`", error.code())),
            Ok(_) => Err("signed".to_owned()),
        };
        record.note(format!("not signed: {case}"), outcome);
    }
}

fn rows(forms: &Forms<'_>) -> Vec<Row> {
    let directory = format!("{}7/", forms.root);
    let closed = || PostPolicy::for_prefix(&directory);
    let owner = forms.metadata("owner");
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |case: &str, policy: PostPolicy, code: &'static str| rows.push((case.to_owned(), policy, code));

    // Sizes.
    row("a size that no file has", closed().with(FormCondition::ContentLength { min: 10, max: 9 }), "unsafe_policy");
    row("more than 5 GiB", closed().content_length(0..=(5 << 30) + 1), "unsafe_policy");
    row("more than any file", closed().content_length(0..=u64::MAX), "unsafe_policy");

    // Keys.
    row("an empty prefix", PostPolicy::for_prefix(""), "unsafe_policy");
    row("an empty open prefix", PostPolicy::for_open_prefix(""), "unsafe_policy");
    row("a prefix without a slash", PostPolicy::for_prefix(format!("{}7", forms.root)), "unsafe_policy");
    row("a pattern in the prefix", PostPolicy::for_prefix("${filename}/"), "unsafe_policy");
    row("a name that the narrowed prefix refuses", closed().starts_with("key", format!("{directory}in/")), "unsafe_policy");
    row("a prefix with a dot segment", PostPolicy::for_prefix("a/../b/"), "invalid_key");
    row("a name with a dot segment", closed().object_name("../${filename}"), "invalid_key");
    for first in forms.harness.profile.refused_first {
        row("a first character that no key has", PostPolicy::for_open_prefix(format!("{first}a/")), "invalid_key");
    }
    if let Ok(key) = forms.key("a-${filename}") {
        row("a pattern in an exact key", PostPolicy::for_key(key), "unsafe_policy");
    }

    // Values.
    for value in ["a\nb", "a\rb", "a\0b", "a\tb", "a\u{7F}b"] {
        row(&format!("the value {value:?}"), closed().metadata("owner", value), "invalid_value");
        row(&format!("the raw value {value:?}"), closed().eq("x-any", value), "invalid_value");
    }
    row("a pattern in a value", closed().metadata("owner", "${filename}"), "unsafe_policy");
    row("a pattern in a prefix of a value", closed().starts_with("x-any", "${filename}"), "unsafe_policy");
    row("an empty type", closed().content_type(""), "invalid_value");
    row("an empty header", closed().cache_control(" "), "invalid_value");
    row("a name of metadata with a blank", closed().metadata("a b", "1"), "invalid_value");
    row("metadata without a name", closed().metadata("", "1"), "invalid_value");
    row("a raw field with `$`", closed().eq("$key", "1"), "invalid_value");
    row("a raw field without a name", closed().eq("", "1"), "invalid_value");
    row("a raw field with a quote", closed().eq("a\"b", "1"), "invalid_value");
    row("a raw field with a line end", closed().eq("a\r\nb", "1"), "invalid_value");
    for status in [0, 199, 202, 206, 301, 303, 404] {
        row(&format!("status {status}"), closed().success_status(status), "invalid_value");
    }
    for url in ["", "/done", "app.example.com/done", "javascript:alert(1)", "https://", "https://user:password@example.com/", "https://example.com/a b"] {
        row(&format!("a redirect to {url:?}"), closed().success_redirect(url), "invalid_value");
    }
    if !forms.profile.refused.contains(&"callback") {
        row("a callback to no URL", closed().callback(Callback::new("app.example.com", "a=b")), "invalid_value");
        row("a variable of a callback in upper case", closed().callback(Callback::new("https://app.example.com/", "a").variable("User", "7")), "invalid_value");
    }
    if forms.profile.lists {
        row("an empty list", closed().is_in("x-any", Vec::<String>::new()), "invalid_value");
        row("a list without a type", closed().content_type_one_of(Vec::<String>::new()), "invalid_value");
    }

    // Twice.
    row("two sizes", closed().content_length(1..=2).content_length(1..=9), "duplicate");
    row("two types", closed().content_type("a/b").content_type_prefix("a/"), "duplicate");
    row("a type and a raw one", closed().content_type("a/b").eq("content-type", "a/c"), "duplicate");
    row("two redirects", closed().success_redirect("https://a.example/").success_redirect("https://b.example/"), "duplicate");
    row("the same metadata", closed().metadata("owner", "7").metadata("OWNER", "7"), "duplicate");
    row("metadata fixed and open", closed().metadata("owner", "7").metadata_prefix("owner", ""), "duplicate");
    row("metadata and its raw name", closed().metadata("owner", "7").eq(owner.to_ascii_uppercase(), "8"), "duplicate");
    row("a raw field in two cases of letters", closed().eq("X-Any", "1").eq("x-any", "1"), "duplicate");
    row("an ACL and a raw one", closed().acl(Acl::Private).eq(forms.profile.acl, "public-read"), "duplicate");
    let many = (0..=MAX_CONDITIONS).fold(closed(), |policy, number| policy.metadata(format!("m{number}"), "1"));
    row("more conditions than are judged", many, "unsafe_policy");
    row("more than is taken before a file", closed().eq("x-any", "a".repeat(forms.profile.max_before_file)), "unsafe_policy");
    row("a policy that is longer than is read", closed().metadata("owner", "a".repeat(70_000)), "unsafe_policy");

    // What the signer sets itself, and what belongs to another way of signing.
    let profile = forms.profile;
    let own = [profile.algorithm.0, profile.credential.0, profile.date, profile.token, profile.signature, profile.foreign];
    for name in own.into_iter().chain(["key", "bucket", "policy", "file", "signature", "content-length-range"]) {
        for name in [name.to_owned(), name.to_ascii_uppercase()] {
            row(&format!("the raw name {name}"), closed().eq(&name, "1"), "reserved");
            let prefix = FormCondition::Raw { field: name.clone(), rule: ValueRule::Prefix(String::new()) };
            // A prefix of the key narrows it, even when it narrows nothing.
            if !name.eq_ignore_ascii_case("key") {
                row(&format!("a prefix for the raw name {name}"), closed().with(prefix), "reserved");
            }
        }
    }
    if let Ok(key) = forms.key("a") {
        row("a raw condition on an exact key", PostPolicy::for_key(key).starts_with("key", "a"), "reserved");
    }
    rows
}
