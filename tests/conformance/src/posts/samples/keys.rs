//! Which object: exact keys, prefixes, and what `${filename}` becomes.

use valetkey_core::post_policy::FILE_NAME;
use valetkey_core::{ObjectKey, PostPolicy};

use super::super::Forms;
use super::{Sample, photo};
use crate::form_profile::FormWhy;
use crate::harness::BODY;
use crate::keys::INSIDE;
use crate::wire_form::FilePart;

pub(super) fn samples(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let mut samples = vec![Sample::new("an exact key", PostPolicy::for_key(forms.key("a.txt")?), forms.key("a.txt")?)];
    samples.extend(prefixes(forms)?);
    samples.extend(file_names(forms)?);
    // Keys that tools read as something else. `${filename}` in an exact key is refused.
    for text in INSIDE.iter().filter(|text| !text.contains(FILE_NAME)) {
        let key = forms.key(text)?;
        samples.push(Sample::new(format!("the key {text:?}"), PostPolicy::for_key(key.clone()), key).kept_only());
    }
    Ok(samples)
}

fn prefixes(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let root = &forms.root;
    let directory = format!("{root}7/");
    let closed = || PostPolicy::for_prefix(&directory);
    let chosen = |name: &str| {
        Ok::<_, String>(
            Sample::new(format!("a key of the client's own: {name}"), closed(), forms.key(name)?).fill("key", forms.key(name)?.as_str()).kept_only(),
        )
    };
    let in_key = forms.metadata("raw-key");
    Ok(vec![
        Sample::new("a key under a prefix, called as the file is", closed(), forms.key("7/photo 1.png")?)
            .with("key", format!("{root}7x"), FormWhy::Condition)
            .with("key", format!("{root}8/x"), FormWhy::Condition)
            .with("key", FILE_NAME, FormWhy::Condition)
            .with("key", format!("/{directory}x"), FormWhy::Condition)
            .with("key", "", FormWhy::Missing)
            .with("key", format!("{directory}../8/x"), FormWhy::Key)
            .with("key", format!("{directory}./x"), FormWhy::Key)
            .with("key", format!("{directory}x\0"), FormWhy::Key)
            .with("key", format!("{directory}{}", "a".repeat(1100)), FormWhy::Key)
            .with_file_name("", FormWhy::Key)
            .with_file_name("..", FormWhy::Key),
        chosen("7/x")?,
        chosen("7/a folder/é.txt")?,
        chosen("7/..hidden")?,
        Sample::new("a key around the file's name", closed().object_name("in/a-${filename}-b"), forms.key("7/in/a-photo 1.png-b")?),
        Sample::new("an open prefix", PostPolicy::for_open_prefix(format!("{root}7")), forms.key("70/x")?).fill("key", forms.key("70/x")?.as_str()).with(
            "key",
            format!("{root}6"),
            FormWhy::Condition,
        ),
        Sample::new("an open prefix, called as the file is", PostPolicy::for_open_prefix(format!("{root}7-")), forms.key("7-photo 1.png")?),
        Sample::new(
            "a prefix that a raw condition narrows",
            closed().object_name("in/${filename}").starts_with("key", format!("{directory}in/")),
            forms.key("7/in/photo 1.png")?,
        )
        .with("key", format!("{directory}out/x"), FormWhy::Condition),
        Sample::new("a raw condition beside the key", closed().eq(&in_key, "1"), forms.key("7/photo 1.png")?),
    ])
}

fn file_names(forms: &Forms<'_>) -> Result<Vec<Sample>, String> {
    let closed = || PostPolicy::for_prefix(format!("{}7/", forms.root));
    let named =
        |name: &str, key: ObjectKey| Sample::new(format!("a file called {name:?}"), closed(), key).file(FilePart::new(name, "text/plain", BODY)).kept_only();
    let mut samples = Vec::new();
    for name in ["a b+c&d.txt", "${filename}", "Bericht März.pdf", "\u{4E2D}\u{6587}.txt", ".hidden", "x;y='z'.txt"] {
        samples.push(named(name, forms.key(&format!("7/{name}"))?));
    }
    if forms.profile.whole_file_name {
        samples.push(named("sub/a.png", forms.key("7/sub/a.png")?).with_file_name("../../8/x", FormWhy::Key));
    } else {
        samples.push(named("sub/a.png", forms.key("7/a.png")?).with_file_name("sub/", FormWhy::Key));
        samples.push(named("../../8/x", forms.key("7/x")?));
    }
    samples.push(Sample::new("no bytes at all", closed(), forms.key("7/photo 1.png")?).file(photo(*b"")));
    Ok(samples)
}
