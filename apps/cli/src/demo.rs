//! `valetkey demo`: what presigned URLs and forms allow and refuse, in both dialects, over real HTTP against a store of its own.

mod forms;
mod steps;
mod table;

use std::path::Path;

use valetkey::{Config, Credentials};
use valetkey_store::Store;

use crate::error::CliError;
use crate::location::Provider;
use crate::{output, store};
use table::Table;

const BUCKET: &str = "demo";

/// The stores of the configuration, with the keys that sign for them: made up for one run of the demo.
const STORES: [(&str, Provider, &str, &str); 2] =
    [("media-s3", Provider::S3, "eu-central-1", "VALETKEYDEMOS3"), ("media-oss", Provider::Oss, "cn-hangzhou", "VALETKEYDEMOOSS")];
const SECRET: &str = "valetkey-demo-secret";

/// Runs the whole demonstration. An error where a row came out otherwise than it must.
pub(crate) fn run() -> Result<(), CliError> {
    store::runtime()?.block_on(async {
        let mut builder = Store::builder().bucket(BUCKET);
        for (_, provider, _, id) in STORES {
            builder = builder.credentials(store::cloud(provider), Credentials::new(id, SECRET)?);
        }
        let running = store::start(builder, 0).await?;
        let folder = tempfile::tempdir().map_err(|error| CliError::failure("temporary_folder", format!("no temporary folder can be made: {error}")))?;
        let config = configure(folder.path(), &running.endpoint())?;
        output::text(&format!("One store at {}, two entries in the configuration: media-s3 and media-oss.\n\n", running.endpoint()))?;
        let mut table = Table::new();
        for (name, provider, ..) in STORES {
            if let Err(error) = steps::run(config.store(name)?, provider, &mut table).await {
                table.row(name, "go on", "no error", error.to_string());
            }
        }
        running.shutdown().await;
        table.print()
    })
}

/// Writes the configuration and the files that hold the keys, and reads it as any program would.
fn configure(folder: &Path, endpoint: &str) -> Result<Config, CliError> {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).map_err(|error| CliError::failure("temporary_folder", format!("{name} cannot be written: {error}")))
    };
    let mut text = String::new();
    for (name, provider, region, id) in STORES {
        write(&format!("{name}.id"), id)?;
        write(&format!("{name}.secret"), SECRET)?;
        text.push_str(&format!(
            "[stores.{name}]\nprovider = \"{}\"\nbucket = \"{BUCKET}\"\nregion = \"{region}\"\nendpoint = \"{endpoint}\"\n\n\
             [stores.{name}.credentials]\nsource = \"static\"\naccess_key_id = {{ file = \"{name}.id\" }}\nsecret_access_key = {{ file = \"{name}.secret\" }}\n\n",
            provider.word()
        ));
    }
    write("valetkey.toml", &text)?;
    Ok(Config::from_file(folder.join("valetkey.toml"))?)
}
