//! An application that stores on S3: it signs an upload and a download, and prints what its client needs.
//!
//! Run it with `AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... cargo run --example s3`. Nothing is sent.

use std::sync::Arc;
use std::time::Duration;

use valetkey::{ObjectRequest, PresignError, PresignOptions, Presigner as _, S3Presigner, TargetSettings, credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), PresignError> {
    let credentials = Arc::new(credentials::s3_from_env()?);
    let presigner = S3Presigner::new(&TargetSettings::new("media-prod").region("eu-central-1"), credentials)?;

    // One object, of one type, of one size, for ten minutes, and never over an existing one.
    let upload = ObjectRequest::put("avatars/7.png".parse()?).content_type("image/png").content_length(52_113).create_only();
    let upload = presigner.presign(&upload, &PresignOptions::new().expires_in(Duration::from_secs(600))).await?;
    show("upload", &upload);

    let download = ObjectRequest::get("reports/2026.pdf".parse()?).download_name("Bericht März 2026.pdf");
    show("download", &presigner.presign(&download, &PresignOptions::new()).await?);
    Ok(())
}

#[allow(clippy::print_stdout, reason = "an example shows what it did")]
fn show(what: &str, signed: &valetkey::PresignedRequest) {
    println!("{what}: {} until {}", signed.method, signed.expiration);
    println!("  {}", signed.url);
    for (name, value) in signed.signed_headers.iter() {
        println!("  the client must send `{name}: {value}`");
    }
}
