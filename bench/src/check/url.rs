//! A presigned URL, taken apart.

use sha2::{Digest, Sha256};

use super::{Habits, Scope, Stages, Texts, equal, hex, signed_now, wire};
use crate::job::{self, Job, Provider};

pub fn check(url: &str, provider: Provider, job: &Job, key: &str, habits: Habits) -> Result<Stages, String> {
    let wire = wire(provider);
    let (place, query) = url.split_once('?').ok_or("no query")?;
    equal("place", place, &format!("https://{}/{key}", provider.host()))?;

    let mut pairs: Vec<(&str, &str)> = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let value = |name: &str| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| *value).ok_or_else(|| format!("no {name}"));
    let (date, signature) = (value(wire.date)?, value(wire.signature)?.to_owned());
    signed_now(date)?;
    pairs.retain(|(name, _)| *name != wire.signature);

    let mut headers = vec![];
    if job.task.signs_headers() {
        headers.extend([("content-length", job::CONTENT_LENGTH_TEXT), ("content-type", job::CONTENT_TYPE)]);
        headers.retain(|(name, _)| *name != "content-length" || !habits.leaves_out_length);
    }
    if provider == Provider::S3 || habits.signs_host {
        headers.push(("host", provider.host()));
    }
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    if provider == Provider::Oss && !habits.lists_type {
        names.retain(|name| *name != "content-type");
    }
    let names = names.join(";");
    let scope = Scope::new(provider, wire, date);
    let (credential, listed, token) = (encode(&scope.credential), encode(&names), job.token.as_deref().map(encode));
    let life = job::LIFE.as_secs().to_string();
    let mut wanted: Vec<(&str, &str)> = vec![wire.algorithm, (wire.credential, &credential), (wire.date, date)];
    match provider {
        Provider::S3 => wanted.extend([("X-Amz-Expires", &*life), ("X-Amz-SignedHeaders", &listed)]),
        Provider::Oss => wanted.push(("x-oss-expires", &life)),
    }
    if provider == Provider::Oss && !listed.is_empty() {
        wanted.push(("x-oss-additional-headers", &listed));
    }
    if let Some(token) = &token {
        wanted.push((wire.token, token));
    }
    wanted.extend(habits.adds);
    wanted.sort_unstable();
    equal("query", &format!("{pairs:?}"), &format!("{wanted:?}"))?;

    let path = match provider {
        Provider::S3 => format!("/{key}"),
        Provider::Oss => format!("/{}/{key}", job::BUCKET),
    };
    let query: Vec<String> = wanted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical_request = format!("PUT\n{path}\n{}\n{lines}\n{names}\nUNSIGNED-PAYLOAD", query.join("&"));
    let string_to_sign = format!("{}\n{date}\n{}\n{}", wire.algorithm.1, scope.text, hex(&Sha256::digest(&canonical_request)));
    equal("signature", &signature, &scope.sign(&string_to_sign))?;
    let unsigned_url = url.strip_suffix(&signature).unwrap_or_default().to_owned();
    Ok(Stages { signing_key: scope.key, signature, texts: Texts::Url { canonical_request, string_to_sign, unsigned_url } })
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
