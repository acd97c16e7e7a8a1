//! Uploads with a form.

use libtest_mimic::Failed;
use valetkey::PostPolicy;

use crate::cloud::Cloud;
use crate::guide::{Expected, Guide, Snippet};
use crate::program::{PICTURE, Program, Upload, check};
use crate::tools::Tools;

/// A form that leaves the name and the type open, with values that some client reads as something else: a file, a date.
fn form() -> PostPolicy {
    let form = PostPolicy::for_prefix("uploads/7/").content_length(1..=5 << 20).content_type_prefix("image/");
    form.metadata("owner", "@7").metadata("when", "2026-11-22T10:30:00Z")
}

fn stored(status: u16) -> Expected {
    Expected::Stored { status, content_type: Some("image/png".into()), other_bytes: false }
}

/// The program uploads: to an open form, there also a file whose name has quotes, to one for one object that answers with 201, to one that answers with a
/// redirect.
pub(crate) fn uploads(guide: &Guide, snippet: &Snippet, tools: &Tools) -> Result<(), Failed> {
    let program = Program::new(snippet, &snippet.source, tools)?;
    let upload = Upload { name: "it's a picture.png", bytes: PICTURE };
    for provider in Cloud::PROVIDERS {
        let cloud = Cloud::start(provider)?;
        let key = "uploads/7/it's a picture.png";
        program.expect(&cloud, &cloud.sign_post(&form())?.to_json(), &upload, &stored(204), key)?;
        check(cloud.stored(key)?.owner.as_deref() == Some("@7"), "a field was not stored")?;

        let quoted = Upload { name: "a \"quoted\" picture.png", bytes: PICTURE };
        let key = format!("uploads/7/{}", name_with_quotes(guide, &snippet.client)?);
        program.expect(&cloud, &cloud.sign_post(&form())?.to_json(), &quoted, &stored(204), &key)?;

        let exact = |key: &str| Ok::<_, Failed>(PostPolicy::for_key(key.parse()?).content_type("image/png"));
        let created = cloud.sign_post(&exact("clients/created")?.success_status(201))?;
        program.expect(&cloud, &created.to_json(), &upload, &stored(201), "clients/created")?;
        // A script in a browser does not get to see a redirect.
        if tools.browser.is_none() {
            let redirected = cloud.sign_post(&exact("clients/redirected")?.success_redirect("http://127.0.0.1:9/done"))?;
            program.expect(&cloud, &redirected.to_json(), &upload, &stored(303), "clients/redirected")?;
        }
    }
    Ok(())
}

/// Each mistake leads to what the guide says.
pub(crate) fn mistakes(_: &Guide, snippet: &Snippet, tools: &Tools) -> Result<(), Failed> {
    let upload = Upload { name: "picture.png", bytes: PICTURE };
    for mistake in &snippet.mistakes {
        let program = Program::new(snippet, &snippet.with(mistake)?, tools)?;
        for (provider, wanted) in Cloud::PROVIDERS.into_iter().zip(&mistake.answers) {
            let cloud = Cloud::start(provider)?;
            let signed = cloud.sign_post(&form())?.to_json();
            let said = format!("{provider}: `{}` instead of `{}`", mistake.written, mistake.instead_of);
            let done = program.expect(&cloud, &signed, &upload, wanted, "uploads/7/picture.png");
            done.map_err(|error| format!("{said}: {}", error.message().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// What becomes of a file whose name has quotes, after the prefix.
fn name_with_quotes(guide: &Guide, client: &str) -> Result<String, Failed> {
    let rows = guide.table("names")?;
    let row = rows.iter().find(|row| row[0].split(", ").any(|other| other == client)).ok_or("the table of names has no such client")?;
    Ok(row[1].trim_matches('`').to_owned())
}
