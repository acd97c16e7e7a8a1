//! Requests that others signed, signed and verified by the program.

use serde_json::Value;
use valetkey::Timestamp;

use crate::support::{fixture, run};

/// A vector as command line and environment.
struct Case {
    name: String,
    provider: &'static str,
    expect: Value,
    at: String,
    env: Vec<(&'static str, String)>,
    want: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        Value::Array(list) => list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        _ => Vec::new(),
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for case in fixture("vectors/s3-sigv4.json")["cases"].as_array().unwrap() {
        let credentials = &case["credentials"];
        let d = text(&case["date"]);
        let Some((day, time)) = d.split_once('T').filter(|_| case["expect"]["sign"] == true && case["kind"] == "url") else {
            continue;
        };
        cases.push(Case {
            name: text(&case["name"]),
            provider: "s3",
            expect: case["expect"].clone(),
            at: format!("{}-{}-{}T{}:{}:{}", &day[..4], &day[4..6], &day[6..], &time[..2], &time[2..4], &time[4..]),
            env: vec![
                ("AWS_ACCESS_KEY_ID", text(&credentials["access_key_id"])),
                ("AWS_SECRET_ACCESS_KEY", text(&credentials["secret_access_key"])),
                ("AWS_SESSION_TOKEN", text(&credentials["session_token"])),
            ],
            want: text(&case["expected_url"]),
        });
    }
    for case in fixture("vectors/oss-v4.json")["cases"].as_array().unwrap() {
        let credentials = &case["credentials"];
        let want = match case["expect"]["against"].as_str() {
            Some("expected_url") => &case["expected_url"],
            Some("reference") => &case["reference"]["url"],
            _ => continue,
        };
        if case["expect"]["sign"] == true {
            cases.push(Case {
                name: text(&case["name"]),
                provider: "oss",
                expect: case["expect"].clone(),
                at: text(&case["date"]),
                env: vec![
                    ("OSS_ACCESS_KEY_ID", text(&credentials["access_key_id"])),
                    ("OSS_ACCESS_KEY_SECRET", text(&credentials["access_key_secret"])),
                    ("OSS_SESSION_TOKEN", text(&credentials["security_token"])),
                ],
                want: text(want),
            });
        }
    }
    cases
}

impl Case {
    fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The flags that sign it; `None` where the vector has a copy source, whose encoded form is not the flag's.
    fn presign(&self) -> Option<Vec<String>> {
        let expect = &self.expect;
        let operation = text(&expect["operation"]);
        if operation.contains("copy") {
            return None;
        }
        let location = format!("{}://{}/{}", self.provider, text(&expect["bucket"]), text(&expect["key"]));
        let mut line: Vec<String> = ["presign", &operation, &location, "--at", &self.at, "--region", expect["region"].as_str()?].map(str::to_owned).into();
        line.extend(["--addressing".to_owned(), text(&expect["addressing"]), format!("--expires={}", expect["expires_seconds"])]);
        line.extend(expect["endpoint"].as_str().map(|endpoint| format!("--endpoint={endpoint}")));
        for (name, value) in pairs(&expect["headers"]) {
            line.push(match name.as_str() {
                "content-type" | "content-length" | "content-md5" => format!("--{name}={value}"),
                _ => format!("--header={name}: {value}"),
            });
        }
        for (name, value) in pairs(&expect["query"]) {
            line.push(match (name.as_str(), operation.as_str()) {
                ("uploads" | "list-type", _) => continue,
                ("uploadId", "upload-part" | "complete-multipart" | "abort-multipart" | "list-parts") => format!("--upload-id={value}"),
                ("partNumber", "upload-part") => format!("--part-number={value}"),
                ("versionId", "get" | "head" | "delete") => format!("--version-id={value}"),
                ("prefix" | "delimiter" | "continuation-token" | "max-keys", "list") => format!("--{name}={value}"),
                _ => format!("--query={name}={value}"),
            });
        }
        Some(line)
    }

    fn verify(&self, url: &str, at: &str) -> Vec<String> {
        let mut line: Vec<String> = ["verify", url, "--at", at, "--method"].map(str::to_owned).into();
        line.push(text(&self.expect["method"]));
        line.extend(self.expect["endpoint"].as_str().map(|endpoint| format!("--endpoint={endpoint}")));
        line.extend((self.expect["addressing"] == "custom-domain").then(|| format!("--bucket={}", text(&self.expect["bucket"]))));
        line.extend(pairs(&self.expect["headers"]).into_iter().map(|(name, value)| format!("--header={name}: {value}")));
        line
    }
}

/// The URL without an order of its parameters: each SDK has its own.
fn sorted(url: &str) -> (String, Vec<String>) {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query: Vec<String> = query.split('&').map(str::to_owned).collect();
    query.sort();
    (place.to_owned(), query)
}

fn words(line: &[String]) -> Vec<&str> {
    line.iter().map(String::as_str).collect()
}

#[test]
fn signed_as_others_sign() {
    let (mut signed, mut left_out) = (0, 0);
    for case in cases() {
        // Blanks around a header's value belong to the value in this vector and to the syntax on the command line.
        let Some(line) = case.presign().filter(|_| case.name != "hdr-metadata-padded") else {
            left_out += 1;
            continue;
        };
        let ran = run(&words(&line), &case.env()).succeeded(&case.name);
        assert_eq!(sorted(ran.out.trim_end()), sorted(&case.want), "{}", case.name);
        signed += 1;
    }
    assert!(signed > 80 && left_out < 10, "{signed} signed, {left_out} left out");
}

#[test]
fn verified_until_the_last_second() {
    let mut verified = 0;
    for case in cases().into_iter().filter(|case| case.expect["verify"] == true) {
        let env = case.env();
        let signature = case.want.split(['?', '&']).find_map(|pair| pair.split_once("ignature=")).map(|(_, value)| value).unwrap();
        let quiet = |streams: &str| {
            let token = case.env.iter().find(|(name, _)| name.ends_with("_TOKEN")).map(|(_, token)| token.as_str()).filter(|token| !token.is_empty());
            assert!(!streams.contains(signature) && token.is_none_or(|token| !streams.contains(token)), "{}: {streams}", case.name);
        };
        let end = case.at.parse::<Timestamp>().unwrap().checked_add(case.expect["expires_seconds"].as_u64().unwrap()).unwrap();
        let late = end.checked_add(1).unwrap();

        for at in [case.at.clone(), end.to_string()] {
            let ran = run(&words(&case.verify(&case.want, &at)), &env).succeeded(&case.name);
            assert!(ran.out.starts_with("valid: ") && ran.err.is_empty(), "{}", case.name);
            assert!(ran.out.contains(&format!("\nbucket: {}\n", text(&case.expect["bucket"]))), "{}: {}", case.name, ran.out);
            quiet(&ran.out);
        }
        let ran = run(&words(&case.verify(&case.want, &late.to_string())), &env);
        ran.failed_with(1, "would answer 403 AccessDenied)", &case.name);
        quiet(&ran.err);

        let last = if signature.ends_with('0') { "1" } else { "0" };
        let forged = case.want.replace(signature, &format!("{}{last}", &signature[..63]));
        let ran = run(&words(&case.verify(&forged, &case.at)), &env);
        ran.failed_with(1, "would answer 403 SignatureDoesNotMatch)", &case.name);
        quiet(&ran.err);
        verified += 1;
    }
    assert!(verified > 80, "{verified} verified");
}
