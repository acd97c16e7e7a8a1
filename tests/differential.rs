//! Random requests, signed by us and by the official SDKs: every signature must be the same.
//!
//! `VALETKEY_SEED` sets the seed of the requests (`random` for a new one); it is printed. The SDKs for Python are installed from the package index into a
//! virtual environment under `target/`. Without Python or without the index the tests are reported as ignored, but in CI they fail.

#![allow(clippy::print_stdout, reason = "the seed must be seen")]

mod support;

#[path = "differential/generate.rs"]
mod generate;
#[path = "differential/oracle.rs"]
mod oracle;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use libtest_mimic::{Arguments, Failed, Trial};

use generate::{Case, cases};
use oracle::Oracle;
use support::{AnyPresigner, request_from_wire, seconds};
use valetkey::{Credentials, PresignedRequest, Timestamp};

const REQUESTS: usize = 2_000;
const DEFAULT_SEED: u64 = 20_261_122;

fn main() {
    let arguments = Arguments::from_args();
    let seed = match std::env::var("VALETKEY_SEED").as_deref() {
        Ok("random") => fastrand::u64(..),
        Ok(text) => text.parse().expect("VALETKEY_SEED is a number or `random`"),
        Err(_) => DEFAULT_SEED,
    };
    println!("differential: seed {seed} (VALETKEY_SEED={seed} repeats it)");
    let python = oracle::environment();
    let in_ci = std::env::var_os("CI").is_some();
    let mut trials = vec![Trial::test("s3_signatures_equal_those_of_the_aws_sigv4_crate", move || against_crate(seed))];
    for provider in ["s3", "oss"] {
        let python = python.clone();
        let missing = python.as_ref().err().cloned();
        if let Some(reason) = &missing {
            println!("differential: the SDKs for Python are not there: {reason}");
        }
        let name = format!("{provider}_signatures_equal_those_of_the_official_sdk_for_python");
        let trial = Trial::test(name, move || against_python(provider, seed, &python?));
        trials.push(trial.with_ignored_flag(missing.is_some() && !in_ci));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Our signature of a case.
fn ours(case: &Case) -> Result<PresignedRequest, Failed> {
    let credentials = Credentials::new(&*case.access_key_id, &*case.secret_access_key).map_err(failed)?;
    let credentials = credentials.with_session_token(case.session_token.clone().unwrap_or_default()).map_err(failed)?;
    let now = Timestamp::from_basic(&case.date).map_err(failed)?;
    let presigner = AnyPresigner::new(case.provider, &case.settings(), credentials, now).map_err(failed)?;
    let request = request_from_wire(case.operation, case.key.as_deref(), &case.headers, &case.query, case.typed);
    presigner.sign(&request, &seconds(case.expires)).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed::from(error.to_string())
}

fn against_python(provider: &'static str, seed: u64, python: &std::path::Path) -> Result<(), Failed> {
    let cases = cases(provider, seed, REQUESTS);
    let answers = Oracle::new(python, provider).ask(&cases)?;
    let (mut compared, mut passed_over) = (0, 0);
    for (case, answer) in cases.iter().zip(&answers) {
        let signed = ours(case).map_err(|error| format!("{}\n{case:?}", error.message().unwrap_or_default()))?;
        match (&answer.url, &answer.error) {
            (Some(url), _) => {
                if comparable(url) != comparable(&signed.url) {
                    return Err(format!("seed {seed}, request {}: the SDK signed\n{url}\nand we\n{}\nof {case:?}", case.id, signed.url).into());
                }
                compared += 1;
            }
            (None, Some(error)) if error.starts_with("CannotExpress") => passed_over += 1,
            (None, error) => return Err(format!("seed {seed}, request {}: {error:?} of {case:?}", case.id).into()),
        }
    }
    println!("differential: {provider}: {compared} equal, {passed_over} that the SDK cannot express");
    if compared < REQUESTS * 9 / 10 { Err(format!("only {compared} of {REQUESTS} could be compared").into()) } else { Ok(()) }
}

/// Scheme, authority, raw path and the sorted raw query: the order of parameters is each SDK's own.
fn comparable(url: &str) -> (String, Vec<String>) {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query: Vec<String> = query.split('&').map(|pair| pair.strip_suffix('=').unwrap_or(pair).to_owned()).collect();
    query.sort();
    (place.to_owned(), query)
}

fn against_crate(seed: u64) -> Result<(), Failed> {
    // The crate signs the host as it is written, and S3 compares it in lower case.
    let plain_host = |case: &Case| case.endpoint.as_ref().is_none_or(|endpoint| !endpoint.bytes().any(|byte| byte.is_ascii_uppercase()));
    for case in cases("s3", seed, REQUESTS).into_iter().filter(plain_host) {
        let signed = ours(&case).map_err(|error| format!("{}\n{case:?}", error.message().unwrap_or_default()))?;
        let theirs = signature_of_the_crate(&case, &signed)?;
        if !signed.url.ends_with(&format!("X-Amz-Signature={theirs}")) {
            return Err(format!("seed {seed}: the crate signed {theirs}, we\n{}\nof {case:?}", signed.url).into());
        }
    }
    Ok(())
}

fn signature_of_the_crate(case: &Case, signed: &PresignedRequest) -> Result<String, Failed> {
    let identity = aws_credential_types::Credentials::new(&*case.access_key_id, &*case.secret_access_key, case.session_token.clone(), None, "test");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.session_token_mode = SessionTokenMode::Include;
    settings.expires_in = Some(std::time::Duration::from_secs(case.expires));
    let at = Timestamp::from_basic(&case.date).map_err(failed)?;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at.as_unix_seconds());
    let identity = identity.into();
    let parameters =
        v4::SigningParams::builder().identity(&identity).region(&case.region).name("s3").time(time).settings(settings).build().map_err(failed)?.into();
    // The URL without what the signer adds: the crate adds it itself.
    let (place, query) = signed.url.split_once('?').ok_or("no query")?;
    let own: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("X-Amz-")).collect();
    let url = if own.is_empty() { place.to_owned() } else { format!("{place}?{}", own.join("&")) };
    let request = SignableRequest::new(signed.method.as_str(), &url, signed.signed_headers.iter(), SignableBody::UnsignedPayload).map_err(failed)?;
    Ok(aws_sigv4::http_request::sign(request, &parameters).map_err(failed)?.signature().to_owned())
}
