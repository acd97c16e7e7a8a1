//! Forms that others signed: signed again from their policy, and judged, by the program.

use serde_json::{Value, json};

use crate::support::{fixture, run, run_with_input};

/// A form of the fixtures as command line and environment.
struct Case {
    name: String,
    provider: &'static str,
    bucket: String,
    at: String,
    place: Vec<String>,
    env: Vec<(&'static str, String)>,
    raw: Value,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (provider, file) in [("s3", "vectors/s3-sigv4.json"), ("oss", "vectors/oss-v4.json")] {
        for raw in fixture(file)["cases"].as_array().unwrap().iter().filter(|case| case["expect"]["form"].is_string()) {
            let url = text(&raw["expected_url"]);
            let (scheme, host) = url.split_once("://").map(|(scheme, rest)| (scheme, rest.split('/').next().unwrap())).unwrap();
            let bucket = raw["bucket"].as_str().unwrap_or(host.split('.').next().unwrap()).to_owned();
            let base = host.strip_prefix(&format!("{bucket}."));
            // Nothing of the place but the region is signed; it is given so that the URL can be compared, too.
            let style = if base.is_some() { "virtual" } else { "path" };
            let place = vec![format!("--endpoint={scheme}://{}", base.unwrap_or(host)), format!("--addressing={style}")];
            let date = text(&raw["date"]);
            let at = match date.split_once('T') {
                Some((day, time)) if day.len() == 8 => {
                    format!("{}-{}-{}T{}:{}:{}", &day[..4], &day[4..6], &day[6..], &time[..2], &time[2..4], &time[4..])
                }
                _ => date,
            };
            let [id, secret, token] = match provider {
                "s3" => ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
                _ => ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"],
            };
            let of = |names: [&str; 2]| text(names.map(|name| &raw["credentials"][name]).into_iter().find(|value| value.is_string()).unwrap_or(&Value::Null));
            let env = vec![
                (id, of(["access_key_id", "access_key_id"])),
                (secret, of(["secret_access_key", "access_key_secret"])),
                (token, of(["session_token", "security_token"])),
            ];
            cases.push(Case { name: text(&raw["name"]), provider, bucket, at, place, env, raw: raw.clone() });
        }
    }
    assert_eq!(cases.len(), 23, "the fixtures promise this many forms");
    cases
}

impl Case {
    fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn signature(&self) -> &str {
        self.raw["signature"].as_str().or(self.raw["expected_signature"].as_str()).unwrap()
    }

    fn sign(&self, policy: &str) -> Value {
        let key = self.raw["key"].as_str().map(|key| format!("/{key}")).unwrap_or_default();
        let location = format!("{}://{}{key}", self.provider, self.bucket);
        let region = text(&self.raw["region"]);
        let place: Vec<&str> = self.place.iter().map(String::as_str).collect();
        let line = [&["post", &location, "--policy", policy, "--region", &region, "--output", "json"], place.as_slice()].concat();
        serde_json::from_str(&run(&line, &self.env()).succeeded(&self.name).out).unwrap()
    }

    /// The verdict of the program: `accepted`, or the code of the error.
    fn verify(&self, form: &Value) -> String {
        // A host of the cloud is known without being named, which is tried here.
        let endpoint = self.place.first().map(String::as_str).filter(|place| !place.contains(".amazonaws.com") && !place.contains(".aliyuncs.com"));
        let line = ["verify", "--form", "-", "--at", &self.at, "--output", "json", "--size", "5", "--file-name", "photo.jpg"];
        let line: Vec<&str> = line.into_iter().chain(endpoint).collect();
        let ran = run_with_input(&line, &self.env(), form.to_string().as_bytes());
        let token = self.env.last().map(|(_, token)| token.as_str()).filter(|token| !token.is_empty());
        for streams in [&ran.out, &ran.err] {
            assert!(!streams.contains(self.signature()) && token.is_none_or(|token| !streams.contains(token)), "{}: {streams}", self.name);
        }
        if ran.exit == 0 {
            assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["bucket"].as_str(), Some(self.bucket.as_str()), "{}", self.name);
            return "accepted".to_owned();
        }
        ran.failed_with(1, "invalid: ", &self.name);
        text(&serde_json::from_str::<Value>(&ran.err).unwrap()["error"]["code"])
    }
}

#[test]
fn signed_as_others_sign_and_judged_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    let mut documented = 0;
    for case in cases() {
        std::fs::write(&policy, text(&case.raw["policy_json"])).unwrap();
        let form = case.sign(policy.to_str().unwrap());
        let name = if case.provider == "s3" { "x-amz-signature" } else { "x-oss-signature" };
        assert_eq!(form["fields"][name].as_str(), Some(case.signature()), "{}", case.name);
        assert_eq!(form["fields"]["policy"], case.raw["string_to_sign"], "{}", case.name);
        assert_eq!(form["url"], case.raw["expected_url"], "{}", case.name);
        documented += usize::from(case.name == "doc-post-policy" && case.signature().starts_with("8afdbf40"));

        let mut fields = match &case.raw["expected_fields"] {
            Value::Object(map) => map.iter().map(|(name, value)| json!([name, value])).collect(),
            list => list.as_array().unwrap().clone(),
        };
        fields.retain(|pair| pair[0] != "file");
        let form = json!({"url": case.raw["expected_url"], "fields": fields});
        assert_eq!(case.verify(&form), text(&case.raw["expect"]["form"]), "{}", case.name);

        fields.push(fields[0].clone());
        let doubled = json!({"url": case.raw["expected_url"], "fields": fields});
        assert_eq!(case.verify(&doubled), "duplicate_field", "{}", case.name);
    }
    assert_eq!(documented, 1, "the example of the AWS documentation");
}
