//! Is a URL what the job asked for, and is its signature right? Written from the clouds' documents alone: no code of valetkey but the reading of a date.

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use valetkey::Timestamp;

use crate::job::{self, Job, Provider};

/// What a right URL was made of.
pub struct Stages {
    pub canonical_request: String,
    pub string_to_sign: String,
    pub signing_key: [u8; 32],
    /// The URL up to its signature.
    pub unsigned_url: String,
    pub signature: String,
}

/// The words of a provider.
struct Wire {
    algorithm: &'static str,
    service: &'static str,
    scope_end: &'static str,
    key_prefix: &'static str,
    signature: &'static str,
    date: &'static str,
}

const S3: Wire =
    Wire { algorithm: "AWS4-HMAC-SHA256", service: "s3", scope_end: "aws4_request", key_prefix: "AWS4", signature: "X-Amz-Signature", date: "X-Amz-Date" };

const OSS: Wire = Wire {
    algorithm: "OSS4-HMAC-SHA256",
    service: "oss",
    scope_end: "aliyun_v4_request",
    key_prefix: "aliyun_v4",
    signature: "x-oss-signature",
    date: "x-oss-date",
};

/// Compares every part of the URL with the one that the job must give, and its signature with one that is computed here.
///
/// `signs_host`: on OSS, whether the column lists `host` among its additional headers; S3 always signs it.
pub fn url(url: &str, provider: Provider, job: &Job, key: &str, signs_host: bool) -> Result<Stages, String> {
    let wire = match provider {
        Provider::S3 => &S3,
        Provider::Oss => &OSS,
    };
    let (place, query) = url.split_once('?').ok_or("no query")?;
    equal("place", place, &format!("https://{}/{key}", provider.host()))?;

    let mut pairs: Vec<(&str, &str)> = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let value = |name: &str| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| *value).ok_or_else(|| format!("no {name}"));
    let (date, signature) = (value(wire.date)?, value(wire.signature)?.to_owned());
    let signed_at = Timestamp::from_basic(date).map_err(|error| error.to_string())?.as_unix_seconds();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
    if now.abs_diff(signed_at) > 2 {
        return Err(format!("signed at {date}, which is not now"));
    }
    pairs.retain(|(name, _)| *name != wire.signature);

    let mut headers = vec![];
    if job.headers {
        headers.extend([("content-length", job::CONTENT_LENGTH_TEXT), ("content-type", job::CONTENT_TYPE)]);
    }
    if provider == Provider::S3 || signs_host {
        headers.push(("host", provider.host()));
    }
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    if provider == Provider::Oss {
        names.retain(|name| *name != "content-type");
    }
    let names = names.join(";");
    let day = &date[..8];
    let scope = format!("{day}/{}/{}/{}", provider.region(), wire.service, wire.scope_end);
    let credential = encode(&format!("{}/{scope}", job::ACCESS_KEY_ID));
    let (listed, life, token) = (encode(&names), job::LIFE.as_secs().to_string(), job.token.as_deref().map(encode));
    let mut wanted: Vec<(&str, &str)> = match provider {
        Provider::S3 => vec![
            ("X-Amz-Algorithm", wire.algorithm),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", date),
            ("X-Amz-Expires", &life),
            ("X-Amz-SignedHeaders", &listed),
        ],
        Provider::Oss => vec![("x-oss-signature-version", wire.algorithm), ("x-oss-credential", &credential), ("x-oss-date", date), ("x-oss-expires", &life)],
    };
    if provider == Provider::Oss && !listed.is_empty() {
        wanted.push(("x-oss-additional-headers", &listed));
    }
    if let Some(token) = &token {
        wanted.push((if provider == Provider::S3 { "X-Amz-Security-Token" } else { "x-oss-security-token" }, token));
    }
    wanted.sort_unstable();
    equal("query", &format!("{pairs:?}"), &format!("{wanted:?}"))?;

    let path = match provider {
        Provider::S3 => format!("/{key}"),
        Provider::Oss => format!("/{}/{key}", job::BUCKET),
    };
    let query: Vec<String> = wanted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical_request = format!("PUT\n{path}\n{}\n{lines}\n{names}\nUNSIGNED-PAYLOAD", query.join("&"));
    let string_to_sign = format!("{}\n{date}\n{scope}\n{}", wire.algorithm, hex(&Sha256::digest(&canonical_request)));
    let mut signing_key = hmac(format!("{}{}", wire.key_prefix, job::SECRET).as_bytes(), day.as_bytes());
    for step in [provider.region(), wire.service, wire.scope_end] {
        signing_key = hmac(&signing_key, step.as_bytes());
    }
    equal("signature", &signature, &hex(&hmac(&signing_key, string_to_sign.as_bytes())))?;
    let unsigned_url = url.strip_suffix(&signature).unwrap_or_default().to_owned();
    Ok(Stages { canonical_request, string_to_sign, signing_key, unsigned_url, signature })
}

fn equal(what: &str, got: &str, want: &str) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("the {what} is\n  {got}\nand should be\n  {want}")) }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 2104, written out.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}
