//! An application that switches by configuration: the same code signs for S3 and for OSS.
//!
//! Run it with `cargo run --example switch -- media` and with `... -- archive`: the stores stand in `examples/switch.toml`, and their keys in the
//! environment (`MEDIA_KEY_ID`, `MEDIA_SECRET`, `ARCHIVE_KEY_ID`, `ARCHIVE_SECRET`). Nothing is sent.

use std::error::Error;

use valetkey::{Config, ObjectRequest, PresignOptions, Presigner};

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "an example shows what it did")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/switch.toml"))?;
    let store = match std::env::args().nth(1) {
        Some(name) => config.store(&name)?,
        None => config.default_store()?,
    };
    let presigner = store.presigner()?;
    println!("{} on {}: {}", store.name(), store.provider(), invoice_url(presigner.as_ref(), 2026, 7).await?);
    Ok(())
}

/// The application knows a bucket's contents and nothing of clouds.
async fn invoice_url(presigner: &dyn Presigner, year: u16, number: u32) -> Result<String, Box<dyn Error>> {
    let key = format!("invoices/{year}/{number}.pdf").parse()?;
    let request = ObjectRequest::get(key).download_name(format!("invoice-{year}-{number}.pdf"));
    Ok(presigner.presign(&request, &PresignOptions::new()).await?.url)
}
