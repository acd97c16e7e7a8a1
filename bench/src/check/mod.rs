//! Is a result what the job asked for, and is its signature right? Written from the clouds' documents alone: no code of valetkey but the reading of a date.

mod form;
mod url;

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use valetkey::Timestamp;

use crate::job::{self, Job, Provider};

/// A result, to be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    Url(String),
    Form(Form),
    /// What a floor makes: see [`Stages::floor_result`].
    Floor(String),
}

/// A form as a browser would send it, but for the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Where it goes, if the library says so; no part of it is signed.
    pub place: Option<String>,
    pub fields: Vec<(String, String)>,
}

/// In what a right result may differ from column to column.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habits {
    /// URLs: parameters that nobody asked for, with their values, encoded.
    pub adds: &'static [(&'static str, &'static str)],
    /// URLs of OSS: the content type is among the additional headers, too, though every signature covers it.
    pub lists_type: bool,
    /// URLs: the content length is not signed where it should be.
    pub leaves_out_length: bool,
    /// URLs of OSS: `host` is among the additional headers; S3 always signs it.
    pub signs_host: bool,
    /// Forms: the clock is read again for the expiration, so that it may come a second later, or earlier.
    pub reads_the_clock_again: bool,
}

impl Habits {
    pub const NONE: Self = Self { adds: &[], lists_type: false, leaves_out_length: false, signs_host: false, reads_the_clock_again: false };
}

/// What a right signature was made of.
pub struct Stages {
    pub signing_key: [u8; 32],
    pub signature: String,
    pub texts: Texts,
}

pub enum Texts {
    /// `unsigned_url` ends where the signature begins.
    Url { canonical_request: String, string_to_sign: String, unsigned_url: String },
    /// `policy` is the base64 of `json`.
    Form { json: String, policy: String },
}

impl Stages {
    /// The URL; the policy's base64 and the signature.
    pub fn floor_result(&self) -> String {
        match &self.texts {
            Texts::Url { unsigned_url: unsigned, .. } | Texts::Form { policy: unsigned, .. } => format!("{unsigned}{}", self.signature),
        }
    }
}

/// Compares every part of a result with the one that the job must give, and its signature with one that is computed here.
pub fn proof(proof: &Proof, provider: Provider, job: &Job, key: &str, habits: Habits) -> Result<Stages, String> {
    match proof {
        Proof::Url(text) => url::check(text, provider, job, key, habits),
        Proof::Form(form) => form::check(form, provider, job, habits),
        Proof::Floor(_) => Err("a floor is compared with what it is the floor of".to_owned()),
    }
}

impl Proof {
    /// The same with another last digit of its signature.
    pub fn forged(&self, signature: &str) -> Self {
        let mut forged = signature.to_owned();
        let last = forged.pop();
        forged.push(if last == Some('0') { '1' } else { '0' });
        let forge = |text: &String| text.replace(signature, &forged);
        match self {
            Self::Url(url) => Self::Url(forge(url)),
            Self::Form(Form { place, fields }) => {
                Self::Form(Form { place: place.clone(), fields: fields.iter().map(|(name, value)| (name.clone(), forge(value))).collect() })
            }
            Self::Floor(text) => Self::Floor(forge(text)),
        }
    }
}

/// The words of a provider. Names of parameters are those of fields, too, which compare without regard to case.
struct Wire {
    algorithm: (&'static str, &'static str),
    credential: &'static str,
    date: &'static str,
    token: &'static str,
    signature: &'static str,
    service: &'static str,
    scope_end: &'static str,
    key_prefix: &'static str,
}

const S3: Wire = Wire {
    algorithm: ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
    credential: "X-Amz-Credential",
    date: "X-Amz-Date",
    token: "X-Amz-Security-Token",
    signature: "X-Amz-Signature",
    service: "s3",
    scope_end: "aws4_request",
    key_prefix: "AWS4",
};

const OSS: Wire = Wire {
    algorithm: ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
    credential: "x-oss-credential",
    date: "x-oss-date",
    token: "x-oss-security-token",
    signature: "x-oss-signature",
    service: "oss",
    scope_end: "aliyun_v4_request",
    key_prefix: "aliyun_v4",
};

/// A day's scope and key.
struct Scope {
    /// `DAY/REGION/SERVICE/END`
    text: String,
    /// `ID/DAY/REGION/SERVICE/END`
    credential: String,
    key: [u8; 32],
}

impl Scope {
    fn new(provider: Provider, wire: &Wire, date: &str) -> Self {
        let day = date.get(..8).unwrap_or_default();
        let text = [day, provider.region(), wire.service, wire.scope_end].join("/");
        let seed = [wire.key_prefix, job::SECRET].concat().into_bytes();
        let key = text.split('/').fold(seed, |key, step| hmac(&key, step.as_bytes()).to_vec()).try_into().expect("32 bytes");
        Self { credential: format!("{}/{text}", job::ACCESS_KEY_ID), text, key }
    }

    fn sign(&self, text: &str) -> String {
        hex(&hmac(&self.key, text.as_bytes()))
    }
}

const fn wire(provider: Provider) -> &'static Wire {
    match provider {
        Provider::S3 => &S3,
        Provider::Oss => &OSS,
    }
}

/// Reads a signing time, which must be now.
fn signed_now(date: &str) -> Result<u64, String> {
    let signed_at = Timestamp::from_basic(date).map_err(|error| error.to_string())?.as_unix_seconds();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
    if now.abs_diff(signed_at) > 2 {
        return Err(format!("signed at {date}, which is not now"));
    }
    Ok(signed_at)
}

fn equal(what: &str, got: &str, want: &str) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("the {what} is\n  {got}\nand should be\n  {want}")) }
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
