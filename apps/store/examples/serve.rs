//! A store in a program of one's own: `cargo run -p valetkey-store --example serve [FOLDER]`.

use valetkey_core::Credentials;
use valetkey_store::{Cloud, CorsRule, Store};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let builder = Store::builder()
        .bucket("media")
        .credentials(Cloud::S3, Credentials::new("VALETKEYDEVACCESSKEY", "valetkey-development-secret")?)
        .credentials(Cloud::Oss, Credentials::new("VALETKEYDEVACCESSKEY", "valetkey-development-secret")?)
        .cors(CorsRule::new(["http://localhost:5173"], ["GET", "PUT"])?.allow_headers(["*"])?);
    let builder = std::env::args_os().nth(1).into_iter().fold(builder, |builder, folder| builder.folder(std::path::PathBuf::from(folder)));
    let port = std::env::var("PORT").ok().map_or(Ok(0), |port| port.parse())?;
    let store = builder.bind(([127, 0, 0, 1], port).into()).await?;
    #[expect(clippy::print_stdout, reason = "it is a program")]
    {
        println!("{}", store.endpoint());
    }
    std::future::pending::<()>().await;
    Ok(())
}
