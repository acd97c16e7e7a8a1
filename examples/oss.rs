//! An application that stores on Alibaba Cloud OSS: it signs an upload and a resized image, and prints what its client needs.
//!
//! Run it with `OSS_ACCESS_KEY_ID=... OSS_ACCESS_KEY_SECRET=... cargo run --example oss`. Nothing is sent.

use std::sync::Arc;
use std::time::Duration;

use valetkey::{ObjectRequest, OssPresigner, PresignError, PresignOptions, Presigner as _, TargetSettings, credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), PresignError> {
    let credentials = Arc::new(credentials::oss_from_env()?);
    let presigner = OssPresigner::new(&TargetSettings::new("media-cn").region("cn-hangzhou"), credentials)?;

    // OSS signs every Content-Type that it receives, so a browser must send exactly the signed one.
    let upload = ObjectRequest::put("avatars/7.png".parse()?).content_type("image/png").content_length(52_113);
    let upload = presigner.presign(&upload, &PresignOptions::new().expires_in(Duration::from_secs(600))).await?;
    show("upload", &upload);

    let thumbnail = ObjectRequest::get("avatars/7.png".parse()?).process("image/resize,w_100");
    show("thumbnail", &presigner.presign(&thumbnail, &PresignOptions::new()).await?);
    Ok(())
}

#[allow(clippy::print_stdout, reason = "an example shows what it did")]
fn show(what: &str, signed: &valetkey::PresignedRequest) {
    println!("{what}: {} until {}", signed.method, signed.expiration);
    println!("  {}", signed.url);
    for (name, value) in signed.signed_headers.iter() {
        println!("  the client must send `{name}: {value}`");
    }
    println!("  and none of {:?} beyond these", signed.do_not_send);
}
