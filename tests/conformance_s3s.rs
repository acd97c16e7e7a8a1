//! The conformance suite before a server of others, the crate `s3s` in this process. What that server does not judge stands in a table.
#![cfg(all(feature = "s3", feature = "oss"))]

mod judges;

use std::sync::Arc;

use judges::clock::StandingClock;
use judges::http::Http;
use judges::s3s::S3s;
use judges::s3s_gaps::GAPS;
use judges::s3s_profile::S3S;
use valetkey::{AddressingStyle, Credentials, S3Presigner, TargetSettings};
use valetkey_conformance::{Backend, Finding, Harness, Outcome, Place, Report, WireRequest, WireResponse};

const BUCKET: &str = "conformance";
const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Fills the name of the file into the key of a form, which that server leaves to nobody.
struct WithFileNames(Http);

#[async_trait::async_trait]
impl Backend for WithFileNames {
    async fn send(&self, mut request: WireRequest) -> WireResponse {
        if let Some(body) = with_file_name(&request.body) {
            request.body = body;
        }
        self.0.send(request).await
    }
}

/// The form with the key that S3 would make of it.
fn with_file_name(body: &[u8]) -> Option<Vec<u8>> {
    const KEY: &str = "name=\"key\"\r\n\r\n";
    let text = str::from_utf8(body).ok()?;
    let (_, name) = text.split_once("name=\"file\"; filename=\"")?;
    let name = name.split('"').next()?.rsplit(['/', '\\']).next()?;
    let (before, rest) = text.split_once(KEY)?;
    let (key, after) = rest.split_once("\r\n--")?;
    let key = key.replace("${filename}", name);
    Some(format!("{before}{KEY}{key}\r\n--{after}").into_bytes())
}

async fn report(style: AddressingStyle) -> Report {
    let server = S3s::start_strict(BUCKET, ID, SECRET).await;
    let clock = Arc::new(StandingClock::new());
    let settings = TargetSettings::new(BUCKET).region("eu-central-1");
    let (settings, base_url) = match style {
        AddressingStyle::Path => {
            let endpoint = format!("http://{}", server.address());
            (settings.endpoint(endpoint.parse().unwrap()).addressing(style), format!("{endpoint}/{BUCKET}"))
        }
        _ => (settings, format!("https://{BUCKET}.{}", S3s::HOST)),
    };
    let credentials = Arc::new(Credentials::new(ID, SECRET).unwrap());
    let presigner = S3Presigner::new(&settings, credentials).unwrap().with_clock(clock.clone());
    let place = Place { bucket: BUCKET, base_url: &base_url, key_prefix: "" };
    let backend = WithFileNames(Http(server.address()));
    Harness::new(&presigner, &backend, &*clock, &S3S, place).run().await
}

/// What is not in the table is judged by that server as S3 promises, and what is in it still is not.
async fn is_judged_but_for_the_table(style: AddressingStyle) {
    let report = report(style).await;
    let mut wrong = Vec::new();
    for failure in report.failures() {
        let Outcome::Failed(reason) = &failure.outcome else { unreachable!("a failure failed") };
        if !GAPS.iter().any(|gap| gap.is_about(failure) && reason.contains(gap.seen)) {
            wrong.push(format!("not in the table: {failure}"));
        }
    }
    for gap in GAPS {
        let about: Vec<&Finding> = report.findings().iter().filter(|finding| gap.is_about(finding)).collect();
        if about.is_empty() {
            wrong.push(format!("of no case: {}: {}", gap.module, gap.case));
        }
        let true_no_more = about.iter().filter(|finding| !matches!(&finding.outcome, Outcome::Failed(reason) if reason.contains(gap.seen)));
        wrong.extend(true_no_more.map(|finding| format!("true no more: `{}` of {finding}", gap.case)));
    }
    assert!(wrong.is_empty(), "{style:?}\n{}", wrong.join("\n"));
    // So that a server that refuses everything, or a suite that tries nothing, is no success.
    let passed = report.findings().iter().filter(|finding| finding.outcome == Outcome::Passed).count();
    assert!(passed > 1_800, "{style:?}: only {passed} cases passed");
}

#[tokio::test]
async fn path_style() {
    is_judged_but_for_the_table(AddressingStyle::Path).await;
}

#[tokio::test]
async fn virtual_hosted() {
    is_judged_but_for_the_table(AddressingStyle::Virtual).await;
}

#[test]
fn the_table_stands_in_the_documentation() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conformance.md")).unwrap();
    let rows: String = GAPS.iter().map(|gap| format!("| {} | {} | {} |\n", gap.title, gap.does, gap.instead)).collect();
    let head = "| the promise | what `s3s` does | who judges it |\n|---|---|---|\n";
    assert!(document.contains(&format!("{head}{}\n", unique(&rows))), "docs/conformance.md must have this table:\n\n{head}{}", unique(&rows));
}

/// Rows of one title stand together.
fn unique(rows: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in rows.lines().filter(|line| !line.is_empty()) {
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
