//! Keys arrive literally, or are refused with a reason. All are written before the first is read, so that two that become one are noticed.

use valetkey_core::{ObjectKey, ObjectRequest, encode};

use crate::backend::WireRequest;
use crate::harness::Harness;
use crate::report::{Record, ensure};

/// Keys that tools read as something else.
#[rustfmt::skip]
pub(crate) const INSIDE: &[&str] = &[
    "a+b.txt", "a b.txt", "a%20b.txt", "100%.txt", "%", "a%zz", "a%2Fb", "a%2fb", "a/b", "a/%2e%2e/b", "+%2B", "a#b", "a?b", "index.html?versionId=1",
    "a&b=c", "a:b", "https://example.com/x", "a;b=1", "a,b", "it's \"x\"", "<script>&amp;", "a`b", "a[0].txt", "{a,b}", "a|b", "a^b", "~user/a~",
    "AZaz09-._~", "azaz09-._~", "$HOME/${filename}", "wow!*", "a (1).txt", "user@host", "caf\u{e9}.txt", "cafe\u{301}.txt", "\u{1F468}\u{200D}\u{1F469}.png",
    "\u{5E9}\u{5DC}\u{5D5}\u{5DD}.txt", "\u{202E}gnp.exe", "\u{4E2D}\u{6587}/\u{793A}.txt", "\u{20BB7}\u{91CE}.txt", "a//b", "folder/", "folder", "a\\b", "a\nb",
    "a\r\nb", "a\tb", "a\u{7F}b", "\u{1}\u{1F}", "a..b", "trailing ", "trailing", "a/...", "a/..hidden", "a/.b.",
];

/// Keys that are about their beginning, so that no prefix may stand before them.
const WHOLE: &[&str] = &["/abs", "abs", "/", "//evil.example/x", "\\a", " a ", "a", "..hidden", "...", "soap"];

/// Never signed: clients would rewrite them, or no cloud takes them.
const NEVER: &[&str] = &["", ".", "..", "./a", "a/./b", "a/../b", "../secret", "a/..", "a\0b"];

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    for text in NEVER {
        let refused = ObjectKey::new(*text).is_err();
        record.note(format!("no key: {text:?}"), ensure(refused, || "it is taken as a key".to_owned()));
    }
    let mut written = Vec::new();
    for (number, text) in candidates(harness, record).into_iter().enumerate() {
        let case = shown(&text);
        let Ok(key) = ObjectKey::new(text) else {
            // Longer than any provider takes.
            continue;
        };
        if is_refused_here(harness, &key) {
            record.note(format!("refused: {case}"), must_refuse(harness, &key).await);
            continue;
        }
        // A body of its own for each key.
        let body = format!("{number}: {case}\n").into_bytes();
        match write(harness, &key, &body).await {
            Ok(()) => written.push((case, key, body)),
            Err(reason) => record.note(case, Err(reason)),
        }
    }
    for (case, key, body) in &written {
        record.note(case.as_str(), harness.holds(key, Some(body)).await);
    }
    for (case, key, _) in &written {
        let gone = match harness.delete(key).await {
            Ok(()) => harness.holds(key, None).await,
            Err(reason) => Err(reason),
        };
        record.note(format!("deleted: {case}"), gone);
    }
}

fn candidates(harness: &Harness<'_>, record: &mut Record) -> Vec<String> {
    let prefix = harness.place.key_prefix;
    let mut keys: Vec<String> = INSIDE.iter().map(|text| format!("{prefix}{text}")).collect();
    let max = harness.profile.max_key_bytes;
    for bytes in [max, max + 1] {
        keys.push(format!("{prefix}{}", "a".repeat(bytes.saturating_sub(prefix.len()))));
    }
    let wide = (max.saturating_sub(prefix.len())) / 3;
    keys.push(format!("{prefix}{}", "\u{4E2D}".repeat(wide)));
    for text in WHOLE {
        let is_refused = text.starts_with(harness.profile.refused_first);
        if prefix.is_empty() || is_refused {
            keys.push((*text).to_owned());
        } else {
            record.skip(shown(text), "it is about the beginning of a key, and the run has a prefix");
        }
    }
    keys
}

fn is_refused_here(harness: &Harness<'_>, key: &ObjectKey) -> bool {
    key.as_str().len() > harness.profile.max_key_bytes || key.as_str().starts_with(harness.profile.refused_first)
}

async fn must_refuse(harness: &Harness<'_>, key: &ObjectKey) -> Result<(), String> {
    for request in [ObjectRequest::put(key.clone()), ObjectRequest::get(key.clone()), ObjectRequest::delete(key.clone())] {
        match harness.presigner.presign(&request, &valetkey_core::PresignOptions::new()).await {
            Err(error) => ensure(error.code() == "invalid_key", || format!("refused as `{}`; it is `invalid_key`", error.code()))?,
            Ok(_) => return Err(format!("`{}` is signed; {} takes no such key", request.operation(), harness.profile.provider)),
        }
    }
    Ok(())
}

async fn write(harness: &Harness<'_>, key: &ObjectKey, body: &[u8]) -> Result<(), String> {
    let signed = harness.sign(&ObjectRequest::put(key.clone())).await?;
    check_path(harness, &signed.url, key)?;
    harness.accepted(WireRequest::of(&signed, body)).await.map(drop)
}

/// What stands after the bucket must be the key: encoded once, and so that no client has a reason to touch it.
pub(crate) fn check_path(harness: &Harness<'_>, url: &str, key: &ObjectKey) -> Result<(), String> {
    let path = url.split('?').next().unwrap_or_default();
    let path = path.strip_prefix(harness.place.base_url).and_then(|path| path.strip_prefix('/')).ok_or("the URL leads out of the bucket")?;
    let decoded = encode::decode(path).map_err(|error| format!("the path of the URL: {error}"))?;
    ensure(decoded == key.as_str(), || format!("the URL leads to the key {decoded:?}"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    ensure(path.bytes().all(plain), || "the path has a character that is not encoded".to_owned())
}

fn shown(key: &str) -> String {
    if key.len() > 80 { format!("{} bytes, {} characters", key.len(), key.chars().count()) } else { format!("{key:?}") }
}
