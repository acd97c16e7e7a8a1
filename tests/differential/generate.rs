//! Random requests that both clouds' SDKs can sign.

use fastrand::Rng;
use serde_json::{Value, json};
use valetkey::{Endpoint, Operation, TargetSettings};

/// One request, in the words of the oracles.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) id: usize,
    pub(crate) provider: &'static str,
    pub(crate) operation: Operation,
    pub(crate) bucket: String,
    pub(crate) key: Option<String>,
    pub(crate) region: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) addressing: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) date: String,
    pub(crate) expires: u64,
    /// Whether we sign it from typed constraints where there are any, or from raw names.
    pub(crate) typed: bool,
}

impl Case {
    pub(crate) fn settings(&self) -> TargetSettings {
        let mut settings = TargetSettings::new(&*self.bucket).region(&*self.region).addressing(self.addressing.parse().unwrap());
        settings.endpoint = self.endpoint.as_deref().map(|text| text.parse::<Endpoint>().unwrap());
        settings
    }

    pub(crate) fn to_json(&self) -> Value {
        let headers: serde_json::Map<String, Value> = self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        json!({
            "id": self.id, "operation": self.operation.as_str(), "method": self.operation.method().as_str(), "bucket": self.bucket, "key": self.key,
            "region": self.region, "endpoint": self.endpoint, "addressing": self.addressing, "headers": headers, "query": self.query,
            "access_key_id": self.access_key_id, "secret_access_key": self.secret_access_key, "session_token": self.session_token,
            "date": self.date, "expires": self.expires,
        })
    }
}

/// `count` requests from a seed.
pub(crate) fn cases(provider: &'static str, seed: u64, count: usize) -> Vec<Case> {
    let mut rng = Rng::with_seed(seed ^ if provider == "s3" { 0 } else { 0x0551 });
    (0..count).map(|id| case(id, provider, &mut rng)).collect()
}

fn case(id: usize, provider: &'static str, rng: &mut Rng) -> Case {
    let operation = Operation::ALL[rng.usize(..Operation::ALL.len())];
    let regions: &[&str] = if provider == "s3" {
        &["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "ap-southeast-2"]
    } else {
        &["cn-hangzhou", "cn-beijing", "us-west-1", "eu-central-1"]
    };
    let (endpoint, addressing) = place(provider, rng);
    let session_token = rng.bool().then(|| {
        let length = rng.usize(20..700);
        text(rng, length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    });
    let most = if provider == "oss" && session_token.is_some() { 43_200 } else { 604_800 };
    let prefix = if provider == "s3" { "x-amz-" } else { "x-oss-" };
    let mut case = Case {
        id,
        provider,
        operation,
        bucket: format!("bucket-{}", text(rng, 8, "abcdefghijklmnopqrstuvwxyz0123456789")),
        key: operation.takes_key().then(|| key(rng, provider)),
        region: (*rng.choice(regions).unwrap()).to_owned(),
        endpoint,
        addressing,
        headers: Vec::new(),
        query: Vec::new(),
        access_key_id: text(rng, 20, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        secret_access_key: text(rng, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
        session_token,
        date: format!("20{:02}{:02}{:02}T{:02}{:02}{:02}Z", rng.u8(0..100), rng.u8(1..=12), rng.u8(1..=28), rng.u8(..24), rng.u8(..60), rng.u8(..60)),
        expires: rng.u64(1..=most),
        typed: rng.bool(),
    };
    add_required(&mut case, prefix, rng);
    add_headers(&mut case, prefix, rng);
    add_query(&mut case, rng);
    case
}

fn place(provider: &str, rng: &mut Rng) -> (Option<String>, &'static str) {
    let own = format!("{}.example", text(rng, 6, "abcdefghijklmnopqrstuvwxyz"));
    match (rng.u8(..12), provider) {
        (8, _) => (Some(format!("http://[::1]:{}", rng.u16(1024..))), "path"),
        (9, _) => (Some(format!("https://{}", own.to_ascii_uppercase())), "virtual"),
        (10, _) => (Some(format!("https://{own}:443")), "path"),
        (11, _) => (Some(format!("http://{own}:443/base")), "virtual"),
        (0, _) => (Some(format!("http://127.0.0.1:{}", rng.u16(1024..))), "path"),
        (1, _) => (Some(format!("https://{own}:{}", rng.u16(1024..))), "virtual"),
        (2, _) => (Some(format!("https://{own}")), "custom-domain"),
        (3, _) => (Some(format!("https://{own}/base/path")), "path"),
        (4, "s3") => (None, "path"),
        (5, _) => (Some(format!("http://{own}")), "virtual"),
        _ => (None, "virtual"),
    }
}

const WILD: &[char] = &[
    'a', 'Z', '0', '-', '_', '.', '~', ' ', '+', '%', '&', '=', '?', '#', '/', ':', ';', ',', '\'', '"', '!', '*', '(', ')', '@', '$', '[', ']', '{', '}', '|',
    '^', '<', '>', '`', '\\', 'é', 'ü', 'ß', '中', '文', '🦀', '\u{301}', '\u{200d}', 'ع',
];

fn wild(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| WILD[rng.usize(..WILD.len())]).collect()
}

/// A key that we sign: no dot segments, and on OSS no slash or backslash in front.
fn key(rng: &mut Rng, provider: &str) -> String {
    loop {
        let length = rng.usize(1..60);
        let key = wild(rng, length);
        let leads = key.starts_with(['/', '\\']);
        if key.parse::<valetkey::ObjectKey>().is_ok() && !(leads && provider == "oss") {
            return key;
        }
    }
}

fn text(rng: &mut Rng, length: usize, from: &str) -> String {
    let from = from.as_bytes();
    (0..length).map(|_| char::from(from[rng.usize(..from.len())])).collect()
}

fn add_required(case: &mut Case, prefix: &str, rng: &mut Rng) {
    let mut add = |name: &str, value: String| case.query.push((name.to_owned(), value));
    match case.operation {
        Operation::CreateMultipart => add("uploads", String::new()),
        Operation::List => add("list-type", "2".to_owned()),
        Operation::UploadPart | Operation::UploadPartCopy => {
            add("partNumber", rng.u16(1..=10_000).to_string());
            add("uploadId", text(rng, 32, "0123456789ABCDEF~._-"));
        }
        Operation::CompleteMultipart | Operation::AbortMultipart | Operation::ListParts => add("uploadId", text(rng, 32, "0123456789ABCDEF+/=")),
        _ => {}
    }
    if let Operation::Copy | Operation::UploadPartCopy = case.operation {
        let mut source = if case.provider == "oss" { "/source/".to_owned() } else { "source/".to_owned() };
        valetkey::encode::push_path(&mut source, &key(rng, case.provider));
        case.headers.push((format!("{prefix}copy-source"), source));
    }
}

fn add_headers(case: &mut Case, prefix: &str, rng: &mut Rng) {
    let printable = "ABCxyz019 -_.,;:/=+()'\"!*%&@";
    for _ in 0..rng.usize(..5) {
        let length = rng.usize(1..30);
        let value = text(rng, length, printable).trim().to_owned();
        let value = if value.is_empty() { "v".to_owned() } else { value };
        let value = if rng.u8(..6) == 0 { format!("{value}é中") } else { value };
        let applies = |name: valetkey::ConstraintName| name.applies_to(case.operation);
        let (name, value) = match rng.u8(..7) {
            0 => ("content-type".to_owned(), "image/png".to_owned()),
            1 if applies(valetkey::ConstraintName::ContentLength) => ("content-length".to_owned(), rng.u32(..).to_string()),
            2 if applies(valetkey::ConstraintName::CacheControl) => ("cache-control".to_owned(), value),
            3 if applies(valetkey::ConstraintName::ContentDisposition) => ("content-disposition".to_owned(), value),
            4 => (format!("x-own-{}", text(rng, 3, "abc")), value),
            5 if applies(valetkey::ConstraintName::Metadata) => (format!("{prefix}meta-{}", text(rng, 3, "abc-")), value),
            _ => (format!("{prefix}any-{}", text(rng, 2, "xyz")), value),
        };
        if !case.headers.iter().any(|(other, _)| *other == name) {
            case.headers.push((name, value));
        }
    }
}

fn add_query(case: &mut Case, rng: &mut Rng) {
    for _ in 0..rng.usize(..4) {
        let (name_length, value_length) = (rng.usize(1..8), rng.usize(..12));
        let (name, value) = match rng.u8(..5) {
            0 if case.operation == Operation::Get => ("response-content-language".to_owned(), "de-DE, en".to_owned()),
            1 if case.operation == Operation::List => ("prefix".to_owned(), wild(rng, value_length)),
            2 if case.operation == Operation::List => ("delimiter".to_owned(), "/".to_owned()),
            3 if matches!(case.operation, Operation::Get | Operation::Delete) => ("versionId".to_owned(), text(rng, 12, "abcXYZ019._-")),
            _ => (wild(rng, name_length), wild(rng, value_length)),
        };
        if !case.query.iter().any(|(other, _)| *other == name) {
            case.query.push((name, value));
        }
    }
}
