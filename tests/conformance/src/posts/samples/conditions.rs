//! What else a policy says: sizes, types, values of the object, and how the store answers.

use valetkey_core::post_policy::{Callback, CallbackBodyType, FormCondition, ValueRule};
use valetkey_core::{Acl, Checksum, ChecksumAlgorithm, PostPolicy, ServerSideEncryption, StorageClass};

use super::super::Forms;
use super::Sample;
use crate::digest;
use crate::form_profile::FormWhy;
use crate::harness::BODY;
use crate::profile::Why;

/// Values that a policy, a form or a page could read as something else.
const VALUES: [&str; 9] = [
    r#"a "quoted" value"#,
    r"back\slash\\ \u0041 \$",
    "$5 ${x} $key",
    "a+b%20c%",
    r#"x"],["starts-with","$key",""#,
    "<b>&amp;'</b>",
    "--valetkey-form",
    "two  blanks, a comma; a semicolon",
    "Z\u{fc}rich \u{4E1C}\u{4EAC} \u{1F468}\u{200D}\u{1F469}",
];

pub(super) fn samples(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    for group in [sizes, types, metadata, of_the_object, checksums, answers, raw] {
        samples.extend(group(forms)?);
    }
    Ok(samples)
}

/// A policy for the files of one directory, with a condition of each sample.
fn sample(forms: &Forms<'_>, case: &str, policy: impl FnOnce(PostPolicy) -> PostPolicy) -> Result<Sample, String> {
    let closed = PostPolicy::for_prefix(format!("{}7/", forms.root));
    Ok(Sample::new(case, policy(closed), forms.key("7/photo 1.png")?))
}

/// Whether the provider says that it cannot enforce this.
fn refuses(forms: &Forms<'_>, condition: &str) -> bool {
    forms.profile.refused.contains(&condition)
}

fn sizes(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let between = |case: &str, bytes: &[u8]| {
        let sample = sample(forms, case, |policy| policy.content_length(5..=10))?.bytes(bytes);
        let sample = sample.with_bytes("4 bytes", b"1234", FormWhy::TooSmall).with_bytes("11 bytes", b"12345678901", FormWhy::TooLarge);
        Ok::<_, String>(sample.with_bytes("no bytes", b"", FormWhy::TooSmall))
    };
    Ok(vec![
        between("size: the fewest bytes", b"12345")?,
        between("size: the most bytes", b"1234567890")?,
        sample(forms, "size: none", |policy| policy.content_length(0..=0))?.bytes(b"").with_bytes("a byte", b"1", FormWhy::TooLarge),
        sample(forms, "size: exactly one", |policy| policy.content_length(3..=3))?.bytes(b"123").with_bytes("2 bytes", b"12", FormWhy::TooSmall).with_bytes(
            "4 bytes",
            b"1234",
            FormWhy::TooLarge,
        ),
        sample(forms, "size: the most that a form carries", |policy| policy.content_length(0..=5 << 30))?,
    ])
}

fn types(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let field = forms.profile.content_type;
    let mut image = sample(forms, "content type: what it begins with", |policy| policy.content_type_prefix("image/"))?
        .fill(field, "image/png")
        .with(field, "text/html", FormWhy::Condition)
        .with(field, "IMAGE/png", FormWhy::Condition);
    if forms.profile.comma_lists {
        image = image.with(field, "image/png,text/html", FormWhy::Condition);
    }
    let listed = |policy: PostPolicy| policy.content_type_one_of(["image/png", "image/jpeg"]);
    Ok(vec![
        sample(forms, "content type: exactly", |policy| policy.content_type("text/plain; charset=utf-8"))?
            .with(field, "text/plain", FormWhy::Condition)
            .with(field, "text/html", FormWhy::Condition)
            .with(field, "", FormWhy::Condition),
        image,
        sample(forms, "content type: any, but one", |policy| policy.content_type_prefix(""))?.fill(field, "application/x-any"),
        sample(forms, "content type: one of a list", listed)?
            .fill(field, "image/jpeg")
            .with(field, "image/gif", FormWhy::Condition)
            .with(field, "image/png,image/jpeg", FormWhy::Condition)
            .refused("content-type", !forms.profile.lists),
        sample(forms, "content type: a raw condition", |policy| policy.eq("Content-Type", "image/png"))?,
    ])
}

fn metadata(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let (note, owner) = (forms.metadata("note"), forms.metadata("owner"));
    let one_of = |values: &[&str]| ValueRule::OneOf(values.iter().map(|value| (*value).to_owned()).collect());
    let listed = FormCondition::Metadata { name: "note".to_owned(), rule: one_of(&["a", "b"]) };
    let mut samples =
        vec![
            sample(forms, "metadata: exactly", |policy| policy.metadata("Owner", "7").metadata("note", "n"))?.with(&owner, "8", FormWhy::Condition).with(
                &owner,
                "",
                FormWhy::Condition,
            ),
            sample(forms, "metadata: empty", |policy| policy.metadata_prefix("note", ""))?.fill(&note, ""),
            sample(forms, "metadata: anything", |policy| policy.metadata_prefix("note", ""))?.fill(&note, "what I like"),
            sample(forms, "metadata: what it begins with", |policy| policy.metadata_prefix("note", "n-"))?.fill(&note, "n-1").with(
                &note,
                "N-1",
                FormWhy::Condition,
            ),
            sample(forms, "metadata: two conditions on one field", |policy| policy.metadata_prefix("note", "a").starts_with(&note, "ab"))?
                .fill(&note, "abc")
                .with(&note, "acb", FormWhy::Condition),
            sample(forms, "metadata: one of a list", |policy| policy.with(listed))?.fill(&note, "b").refused("metadata", !forms.profile.lists),
        ];
    for value in VALUES {
        samples.push(sample(forms, &format!("the value {value:?}"), |policy| policy.metadata("note", value))?);
        samples.push(
            sample(forms, &format!("a value that begins with {value:?}"), |policy| policy.metadata_prefix("note", value))?
                .fill(&note, format!("{value}{value}")),
        );
    }
    Ok(samples)
}

fn of_the_object(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let kms = ServerSideEncryption::Kms { key_id: None };
    Ok(vec![
        sample(forms, "cache-control", |policy| policy.cache_control("private, max-age=60"))?,
        sample(forms, "content-disposition", |policy| policy.content_disposition("attachment; filename=\"a b.txt\""))?,
        sample(forms, "content-encoding", |policy| policy.content_encoding("identity"))?,
        sample(forms, "expires", |policy| policy.expires_header("Tue, 01 Jan 2030 00:00:00 GMT"))?,
        sample(forms, "acl", |policy| policy.acl(Acl::Private))?.with(forms.profile.acl, "public-read", FormWhy::Condition),
        sample(forms, "storage class", |policy| policy.storage_class(StorageClass::InfrequentAccess))?,
        sample(forms, "encryption", |policy| policy.server_side_encryption(ServerSideEncryption::Aes256))?,
        sample(forms, "encryption by the key service", |policy| policy.server_side_encryption(kms))?,
        sample(forms, "tags", |policy| policy.tag("team", "red & <blue>").tag("stage", "1/2"))?.refused("tag", refuses(forms, "tag")),
        sample(forms, "create-only", PostPolicy::create_only)?.refused("create-only", refuses(forms, "create-only")),
        everything(forms)?,
    ])
}

/// All that every provider can enforce, at once.
fn everything(forms: &Forms<'_>) -> Result<Sample, String> {
    let all = |policy: PostPolicy| {
        let policy = policy.content_length(1..=100).content_type("image/png").metadata("owner", "7").metadata_prefix("note", "").cache_control("no-store");
        let policy = policy.content_disposition("inline").content_encoding("identity").acl(Acl::PublicRead).storage_class(StorageClass::InfrequentAccess);
        policy.server_side_encryption(ServerSideEncryption::Aes256).success_status(200)
    };
    Ok(sample(forms, "everything at once", all)?.fill(forms.metadata("note"), "mine"))
}

fn checksums(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    for algorithm in ChecksumAlgorithm::ALL {
        let value = digest::checksum(algorithm, BODY).ok_or("a checksum that the suite does not know")?;
        let checksum = Checksum::new(algorithm, &value).map_err(|error| error.to_string())?;
        let sample = sample(forms, &format!("checksum {}", algorithm.as_str()), |policy| policy.checksum(checksum))?;
        let sample = sample.with_bytes("another file", b"another", FormWhy::Plain(Why::Digest));
        samples.push(sample.refused("checksum", refuses(forms, "checksum")));
    }
    Ok(samples)
}

fn answers(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let redirect = "success_action_redirect";
    let mut samples = vec![
        sample(forms, "no status: 204", |policy| policy)?,
        sample(forms, "redirect", |policy| policy.success_redirect("https://app.example.com/done"))?
            .with(redirect, "https://evil.example/done", FormWhy::Condition)
            .with(redirect, "", FormWhy::Condition),
        sample(forms, "redirect with a query", |policy| policy.success_redirect("https://app.example.com/done?user=7&x=%2F"))?,
        sample(forms, "redirect wins over the status", |policy| policy.success_redirect("http://localhost:1/").success_status(201))?,
    ];
    for status in [200, 201, 204] {
        samples.push(sample(forms, &format!("status {status}"), |policy| policy.success_status(status))?.with(
            "success_action_status",
            "404",
            FormWhy::Condition,
        ));
    }
    let callback = Callback::new("https://app.example.com/uploaded", "key=${object}&user=${x:user}").host("app.example.com");
    let callback = callback.body_type(CallbackBodyType::Json).variable("user", "7").variable_prefix("note", "n");
    let mut sample = sample(forms, "callback", |policy| policy.callback(callback))?.refused("callback", refuses(forms, "callback"));
    // It would send a request.
    sample.is_sent = false;
    samples.push(sample);
    Ok(samples)
}

fn raw(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let field = forms.metadata("raw");
    let lists = !forms.profile.lists;
    Ok(vec![
        sample(forms, "raw: exactly", |policy| policy.eq(&field, "a"))?.with(&field, "A", FormWhy::Condition),
        sample(forms, "raw: exactly, of no cloud's own", |policy| policy.eq("x-any-field", "a"))?,
        sample(forms, "raw: what it begins with", |policy| policy.starts_with(&field, "a"))?.fill(&field, "ab"),
        sample(forms, "raw: one of a list", |policy| policy.is_in(&field, ["a", "b"]))?
            .fill(&field, "b")
            .with(&field, "a,b", FormWhy::Condition)
            .refused("condition", lists),
        sample(forms, "raw: none of a list", |policy| policy.not_in(&field, ["a", "b"]))?
            .fill(&field, "c")
            .with(&field, "b", FormWhy::Condition)
            .refused("condition", lists),
    ])
}
