//! Where the suite's own tests take place: both dialects, each way of addressing, with and without a session token.

#![allow(dead_code, reason = "each test binary uses its part")]

use valetkey_conformance::in_process::{InProcess, run_now};
use valetkey_conformance::{Profile, Vector};
use valetkey_core::{AddressingStyle, Credentials, Dialect, ObjectRequest, PresignOptions, Presigner, TargetSettings};
use valetkey_oss::Oss;
use valetkey_s3::S3;

const NOW: &str = "2026-11-22T10:30:00Z";

pub(crate) fn worlds() -> Vec<(&'static str, InProcess)> {
    let s3: (&'static dyn Dialect, &'static Profile, &str) = (&S3, &Profile::S3, "eu-central-1");
    let oss: (&'static dyn Dialect, &'static Profile, &str) = (&Oss, &Profile::OSS, "cn-hangzhou");
    let table = [
        ("S3, virtual-hosted", s3, None, AddressingStyle::Auto, None, ""),
        ("S3, path style, token, prefix", s3, Some("http://127.0.0.1:9000"), AddressingStyle::Path, Some("Session/Token+="), "run 1/"),
        ("OSS, virtual-hosted", oss, None, AddressingStyle::Auto, None, ""),
        ("OSS, own domain, token, prefix", oss, Some("http://media.example.com:8080/base"), AddressingStyle::CustomDomain, Some("Session/Token+="), "run/"),
        ("OSS, path style", oss, Some("http://127.0.0.1:9000"), AddressingStyle::Path, None, ""),
    ];
    let world = |(name, (dialect, profile, region), endpoint, style, token, prefix): (_, (_, _, &str), Option<&str>, _, Option<&str>, &str)| {
        let mut settings = TargetSettings::new("examplebucket").region(region).addressing(style);
        settings.endpoint = endpoint.map(|text| text.parse().unwrap());
        let mut credentials = Credentials::new("AKIDEXAMPLE", "ExampleSecretAccessKey").unwrap();
        if let Some(token) = token {
            credentials = credentials.with_session_token(token).unwrap();
        }
        (name, InProcess::new(dialect, profile, &settings, credentials, NOW.parse().unwrap()).unwrap().key_prefix(prefix))
    };
    table.into_iter().map(world).collect()
}

/// Known answers that only pin what the presigner does now: the true ones belong to the providers' own tests.
pub(crate) fn vectors(world: &InProcess) -> Vec<Vector> {
    let options = PresignOptions::new().signed_at("2013-05-24T00:00:00Z".parse().unwrap());
    let request = ObjectRequest::put("a b/é.txt".parse().unwrap()).content_type("image/png").metadata("owner", "7");
    let signed = run_now(world.presigner().presign(&request, &options)).unwrap();
    let signed_headers = signed.signed_headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    vec![Vector { name: "pinned".to_owned(), request, options, url: signed.url, signed_headers }]
}
