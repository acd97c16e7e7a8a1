//! Uploads with a presigned URL.

use libtest_mimic::Failed;
use serde_json::{Value, json};
use valetkey::ObjectRequest;

use crate::cloud::Cloud;
use crate::guide::{Expected, Guide, Snippet};
use crate::program::{PICTURE, Program, Upload, check};
use crate::tools::Tools;

const UPLOAD: Upload = Upload { name: "it's \"a\" picture.png", bytes: PICTURE };

/// The type that the store gives an object of which nobody said one.
fn default_type(cloud: &Cloud) -> &'static str {
    if cloud.provider == "s3" { "binary/octet-stream" } else { "application/octet-stream" }
}

/// The program uploads: with a type, a length and other headers that are signed, with no type, and a file without bytes.
pub(crate) fn uploads(_: &Guide, snippet: &Snippet, tools: &Tools) -> Result<(), Failed> {
    let program = Program::new(snippet, &snippet.source, tools)?;
    for provider in Cloud::PROVIDERS {
        let cloud = Cloud::start(provider)?;
        let put = |key: &str| Ok::<_, Failed>(ObjectRequest::put(key.parse()?));

        let typed = put("clients/a picture+1.png")?.content_type("image/png").content_length(PICTURE.len() as u64);
        let typed = typed.cache_control("max-age=60").metadata("owner", "it's \"7\"").metadata("nothing", "").metadata("when", "2026-11-22T10:30:00Z");
        let wanted = Expected::Stored { status: 200, content_type: Some("image/png".into()), other_bytes: false };
        program.expect(&cloud, &cloud.sign(&typed)?.to_json(), &UPLOAD, &wanted, "clients/a picture+1.png")?;
        let stored = cloud.stored("clients/a picture+1.png")?;
        check(stored.cache_control.as_deref() == Some("max-age=60") && stored.owner.as_deref() == Some("it's \"7\""), "a signed header was not stored")?;

        let wanted = Expected::Stored { status: 200, content_type: Some(default_type(&cloud).into()), other_bytes: false };
        program.expect(&cloud, &cloud.sign(&put("clients/untyped")?)?.to_json(), &UPLOAD, &wanted, "clients/untyped")?;
        program.expect(&cloud, &cloud.sign(&put("clients/empty")?)?.to_json(), &Upload { name: "empty", bytes: b"" }, &wanted, "clients/empty")?;
    }
    Ok(())
}

/// Each mistake leads to what the guide says, where no type is signed.
pub(crate) fn mistakes(_: &Guide, snippet: &Snippet, tools: &Tools) -> Result<(), Failed> {
    for mistake in &snippet.mistakes {
        let program = Program::new(snippet, &snippet.with(mistake)?, tools)?;
        for (provider, wanted) in Cloud::PROVIDERS.into_iter().zip(&mistake.answers) {
            let cloud = Cloud::start(provider)?;
            let signed = cloud.sign(&ObjectRequest::put("clients/mistake".parse()?))?.to_json();
            let said = format!("{provider}: `{}` instead of `{}`", mistake.written, mistake.instead_of);
            program.expect(&cloud, &signed, &UPLOAD, wanted, "clients/mistake").map_err(|error| format!("{said}: {}", error.message().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// The table of signed and sent types.
pub(crate) fn table_of_types(guide: &Guide, snippet: &Snippet, tools: &Tools) -> Result<(), Failed> {
    let program = Program::new(snippet, &snippet.source, tools)?;
    let rows = guide.table("types")?;
    check(rows.len() == 5, "the table of types has not five rows")?;
    for row in rows {
        let [signed_type, sent, s3, oss] = &*row else { return Err(format!("not four cells: {row:?}").into()) };
        for (provider, wanted) in Cloud::PROVIDERS.into_iter().zip([s3, oss]) {
            let cloud = Cloud::start(provider)?;
            let mut request = ObjectRequest::put("clients/types".parse()?);
            if signed_type != "none" {
                request = request.content_type(signed_type.trim_matches('`'));
            }
            let mut signed: Value = serde_json::from_str(&cloud.sign(&request)?.to_json())?;
            signed["signed_headers"] = if sent == "none" { json!({}) } else { json!({ "content-type": sent.trim_matches('`') }) };
            program
                .expect(&cloud, &signed.to_string(), &UPLOAD, &Expected::read(wanted)?, "clients/types")
                .map_err(|error| format!("{provider}: {row:?}: {}", error.message().unwrap_or_default()))?;
        }
    }
    Ok(())
}
