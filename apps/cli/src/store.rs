//! `valetkey store`: the development store, with a configuration that is ready to copy.

use std::fmt::Write as _;

use valetkey::{Credentials, CredentialsError};
use valetkey_store::{Cloud, CorsRule, Running, StartError, Store, StoreBuilder};

use crate::args::{StoreArgs, StoreCredentials};
use crate::error::CliError;
use crate::location::Provider;
use crate::output;

/// Keys that open nothing but this store.
const FAKE_ID: &str = "VALETKEYDEVACCESSKEY";
const FAKE_SECRET: &str = "valetkey-development-secret";

/// What differs in the printed configuration: cloud, region, variables of id and secret.
const SIDES: [(Provider, &str, &str, &str); 2] =
    [(Provider::S3, "us-east-1", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), (Provider::Oss, "cn-hangzhou", "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")];

/// Runs a store until it is interrupted.
pub(crate) fn run(mut args: StoreArgs) -> Result<(), CliError> {
    let mut named = std::collections::HashSet::new();
    args.bucket.retain(|bucket| named.insert(bucket.clone()));
    let keys = keys(args.credentials)?;
    runtime()?.block_on(async {
        let clouds: Vec<Provider> = keys.iter().map(|(provider, _)| *provider).collect();
        let mut builder = args.bucket.iter().fold(Store::builder(), StoreBuilder::bucket).allow_public_read(args.allow_public_read);
        // What the store leaves undone although it was asked for: a callback.
        builder = builder.observer(|event| event.note.into_iter().for_each(|note| output::aside(&format!("# {note}"))));
        if !args.cors_origin.is_empty() {
            builder = builder.cors(cors_rule(&args.cors_origin)?);
        }
        for (provider, credentials) in keys {
            builder = builder.credentials(cloud(provider), credentials);
        }
        if let Some(folder) = &args.data {
            builder = builder.folder(folder);
        }
        let interruption = Interruption::listen()?;
        let running = start(builder, args.port).await?;
        // Nobody may be reading any more; the store runs all the same.
        let _ = output::text(&introduction(&running.endpoint(), &args, &clouds));
        interruption.end(running).await
    })
}

/// What pages of these origins may do.
fn cors_rule(origins: &[String]) -> Result<CorsRule, CliError> {
    const EXPOSED: [&str; 13] = [
        "ETag",
        "Location",
        "Content-Range",
        "Content-Disposition",
        "x-amz-request-id",
        "x-amz-checksum-crc32",
        "x-amz-checksum-crc32c",
        "x-amz-checksum-crc64nvme",
        "x-amz-checksum-sha1",
        "x-amz-checksum-sha256",
        "x-oss-request-id",
        "x-oss-hash-crc64ecma",
        "x-oss-err",
    ];
    for origin in origins {
        // What is not an origin would never match, and nobody would know why.
        let is_origin =
            origin == "*" || origin == "null" || origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains(['/', '?', '#', '@']));
        if !is_origin {
            return Err(CliError::usage(
                "invalid_origin",
                format!("--cors-origin: `{origin}` is no origin; write it as `https://app.example.com`, without a path"),
            ));
        }
    }
    let rule = CorsRule::new(origins, ["GET", "PUT", "POST", "DELETE", "HEAD"]);
    let rule = rule.and_then(|rule| rule.allow_headers(["*"])).and_then(|rule| rule.expose_headers(EXPOSED));
    rule.map(|rule| rule.max_age(600)).map_err(|error| CliError::usage("invalid_origin", format!("--cors-origin: {error}")))
}

/// The threads that a store and its clients run on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failure("runtime", format!("no threads can be started: {error}")))
}

/// Starts on loopback and says what to do when it cannot.
pub(crate) async fn start(builder: StoreBuilder, port: u16) -> Result<Running, CliError> {
    builder.bind(([127, 0, 0, 1], port).into()).await.map_err(|error| match error {
        StartError::Listen(error) => CliError::failure("cannot_listen", format!("port {port} of 127.0.0.1 cannot be had: {error}; choose another with --port")),
        StartError::Bucket(error) => CliError::usage("invalid_bucket", format!("--bucket: {error}")),
        other => CliError::failure("store", other.to_string()),
    })
}

/// The store's word for a cloud.
pub(crate) const fn cloud(provider: Provider) -> Cloud {
    match provider {
        Provider::S3 => Cloud::S3,
        Provider::Oss => Cloud::Oss,
    }
}

/// Whose signatures the store takes: of the environment, one cloud's keys are enough.
fn keys(from: StoreCredentials) -> Result<Vec<(Provider, Credentials)>, CliError> {
    let mut keys = Vec::new();
    let mut tried = Vec::new();
    for (provider, ..) in SIDES {
        match from {
            StoreCredentials::Fake => keys.push((provider, Credentials::new(FAKE_ID, FAKE_SECRET)?)),
            StoreCredentials::Env => match provider.credentials_from_env() {
                Ok(credentials) => keys.push((provider, credentials)),
                Err(CredentialsError::NotFound { tried: places }) => tried.extend(places),
                Err(error) => return Err(error.into()),
            },
        }
    }
    if keys.is_empty() { Err(CredentialsError::NotFound { tried }.into()) } else { Ok(keys) }
}

/// Where the store is, and a configuration for it. Secrets of the environment are not repeated.
fn introduction(endpoint: &str, args: &StoreArgs, clouds: &[Provider]) -> String {
    let place = args.data.as_ref().map_or_else(|| "in memory, gone when the store ends".to_owned(), |folder| format!("in {}", folder.display()));
    let place = output::one_line(&place);
    let sides = || SIDES.iter().filter(|(provider, ..)| clouds.contains(provider));
    let mut text = format!("The store is at {endpoint}: buckets {}; objects {place}.\n", args.bucket.join(", "));
    if args.credentials == StoreCredentials::Fake {
        text.push_str("\nFor the shell; these keys are made up and open nothing else:\n\n");
        for (_, _, id, secret) in sides() {
            let _ = writeln!(text, "export {id}={FAKE_ID}\nexport {secret}={FAKE_SECRET}");
        }
    }
    text.push_str("\nvaletkey.toml:\n\n");
    for (bucket, n) in args.bucket.iter().zip(1..) {
        for (provider, region, id, secret) in sides() {
            let word = provider.word();
            let name = if n == 1 { format!("dev-{word}") } else { format!("dev-{word}-{n}") };
            let _ = writeln!(text, "[stores.{name}]\nprovider = \"{word}\"\nbucket = \"{bucket}\"\nregion = \"{region}\"\nendpoint = \"{endpoint}\"\n");
            if args.credentials == StoreCredentials::Fake {
                let _ = writeln!(
                    text,
                    "[stores.{name}.credentials]\nsource = \"static\"\naccess_key_id = {{ env = \"{id}\" }}\nsecret_access_key = {{ env = \"{secret}\" }}\n"
                );
            }
        }
    }
    if let Some((provider, ..)) = sides().next() {
        let _ = writeln!(
            text,
            "# With both in place: valetkey presign put dev-{0}:hello.txt --output curl\n#                or: valetkey post dev-{0}:uploads/ --file FILE",
            provider.word()
        );
    }
    text.push_str("# Ready. Ctrl-C ends the store, a second one at once.\n");
    text
}

/// The signals that end the program, listened to before anybody can be told that the store is there.
struct Interruption {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Interruption {
    #[cfg(unix)]
    fn listen() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| CliError::failure("signals", format!("Ctrl-C cannot be listened to: {error}"));
        Ok(Self { interrupt: signal(SignalKind::interrupt()).map_err(failed)?, terminate: signal(SignalKind::terminate()).map_err(failed)? })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, CliError> {
        Ok(Self {})
    }

    /// Waits for a signal and says how the program ends by it: who asks it to end gets success, who interrupts it does not.
    #[cfg(unix)]
    async fn come(&mut self) -> Result<(), CliError> {
        tokio::select! {
            _ = self.interrupt.recv() => Err(CliError::interrupted()),
            _ = self.terminate.recv() => Ok(()),
        }
    }

    #[cfg(not(unix))]
    async fn come(&mut self) -> Result<(), CliError> {
        let _ = tokio::signal::ctrl_c().await;
        Err(CliError::interrupted())
    }

    /// Waits for the first, lets the store finish what it does, and stops at once at the second.
    async fn end(mut self, running: Running) -> Result<(), CliError> {
        let ended = self.come().await;
        tokio::select! {
            () = running.shutdown() => ended,
            _ = self.come() => Err(CliError::interrupted()),
        }
    }
}
