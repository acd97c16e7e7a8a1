//! `valetkey verify URL`: what a backend would do with the request, with the reason when it would refuse.

use std::io::Read as _;

use serde::Serialize;
use valetkey::verify::{Audience, IncomingRequest, Verification, Verified, VerifyError};
use valetkey::{AddressingStyle, Clock as _, Credentials, Scheme, StoreConfig, SystemClock, TargetSettings, Timestamp, signed_host};

use crate::args::{Global, VerifyArgs, VerifyOutput};
use crate::error::CliError;
use crate::location::{self, Provider};
use crate::output;

/// The most that is read of standard input: several times what any verifier looks at.
const MAX_INPUT: u64 = 64 * 1024;

/// Verifies one URL and says what it is for.
pub(crate) fn run(global: &Global, args: &VerifyArgs) -> Result<(), CliError> {
    let text = if args.url == "-" { read_stdin()? } else { args.url.clone() };
    let url = Url::split(&text)?;
    let store = chosen_store(global)?;
    let provider = match &store {
        Some(store) => Provider::of(store),
        None => url.provider().ok_or_else(|| invalid(&VerifyError::NotSigned, None))?,
    };
    let settings = settings(store.as_ref(), args);
    let audience = audience(store.as_ref(), settings.as_ref(), args);
    let credentials = match &store {
        Some(store) => store.credentials()?,
        None => provider.credentials_from_env()?,
    };
    let headers = headers(args, url.authority)?;
    let request = IncomingRequest { scheme: url.scheme, method: &args.method, target: &url.target, headers: &headers };
    let now = match args.at {
        Some(moment) => moment,
        None => SystemClock.now().map_err(|error| CliError::failure("clock", error.to_string()))?,
    };
    let verified = verify(provider, &request, &audience, &credentials, now).map_err(|error| invalid(&error, Some(provider)))?;
    if let Some(bucket) = args.bucket.as_ref().or(settings.as_ref().map(|settings| &settings.bucket)).filter(|bucket| *bucket != verified.bucket()) {
        return Err(CliError::failure("other_bucket", format!("invalid: the URL is for the bucket `{}` and not for `{bucket}`", verified.bucket())));
    }
    print(provider, &verified, args.output)
}

fn verify(provider: Provider, request: &IncomingRequest<'_>, audience: &Audience, credentials: &Credentials, now: Timestamp) -> Result<Verified, VerifyError> {
    Verification::parse(provider.dialect(), request, audience)?.finish(Some(credentials), now)
}

fn invalid(error: &VerifyError, provider: Option<Provider>) -> CliError {
    let cloud = provider.map(|provider| {
        let refusal = provider.dialect().refusal(error);
        format!(" ({} would answer {} {})", provider.name(), refusal.status, refusal.code)
    });
    let hint = match error {
        VerifyError::SignedHeaderMissing { .. } => "; give each header that was sent with --header",
        _ => "",
    };
    CliError::failure(error.code(), format!("invalid: {error}{hint}{}", cloud.unwrap_or_default()))
}

fn read_stdin() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|error| CliError::failure("input", format!("standard input cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(CliError::usage("invalid_url", format!("standard input has more than {MAX_INPUT} bytes; give one URL")));
    }
    let text = String::from_utf8(bytes).map_err(|_| CliError::usage("invalid_url", "standard input is not UTF-8; give one URL"))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// A URL, split by hand so that nothing in it is normalised.
struct Url<'t> {
    scheme: Scheme,
    authority: &'t str,
    target: String,
}

impl<'t> Url<'t> {
    fn split(text: &'t str) -> Result<Self, CliError> {
        let refuse = |what: &str| Err(CliError::usage("invalid_url", format!("the URL {what}; give it exactly as it was received")));
        let (scheme, rest) = match text.split_once("://") {
            Some((word, rest)) if word.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            _ => return refuse("does not begin with https:// or http://"),
        };
        if rest.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse("has white space or a control character");
        }
        if rest.contains('#') {
            return refuse("has a fragment, which no client sends");
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return refuse("has no host");
        }
        if authority.contains('@') {
            return refuse("has a user name, which no signature covers");
        }
        // A client asks for `/` where the URL has no path.
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { scheme, authority, target })
    }

    /// The cloud whose parameter names the query has.
    fn provider(&self) -> Option<Provider> {
        let query = self.target.split_once('?').map(|(_, query)| query).unwrap_or_default().to_ascii_lowercase();
        let has = |start: &str| query.split('&').any(|pair| pair.starts_with(start));
        if has("x-amz-") {
            Some(Provider::S3)
        } else if has("x-oss-") {
            Some(Provider::Oss)
        } else {
            None
        }
    }
}

/// The store that `--store` or VALETKEY_STORE names, else the default of a configuration that `--config` names.
fn chosen_store(global: &Global) -> Result<Option<StoreConfig>, CliError> {
    let name = match &global.store {
        Some(name) => Some(name.clone()),
        None => location::variable("VALETKEY_STORE")?,
    };
    match name {
        Some(name) => Ok(Some(location::configuration(global, &format!("the store `{name}`"))?.store(&name)?.clone())),
        None if global.config.is_some() => Ok(Some(location::configuration(global, "a store")?.default_store()?.clone())),
        None => Ok(None),
    }
}

/// The store's place, with what the flags say instead.
fn settings(store: Option<&StoreConfig>, args: &VerifyArgs) -> Option<TargetSettings> {
    let mut settings = store?.settings_with_env();
    settings.bucket = args.bucket.clone().unwrap_or(settings.bucket);
    settings.endpoint = args.endpoint.clone().or(settings.endpoint);
    settings.region = args.region.clone().or(settings.region);
    Some(settings)
}

/// The hosts that the verifier answers for.
fn audience(store: Option<&StoreConfig>, settings: Option<&TargetSettings>, args: &VerifyArgs) -> Audience {
    let endpoint = settings.and_then(|settings| settings.endpoint.as_ref()).or(args.endpoint.as_ref());
    // With a store, its configuration says whose host the endpoint is.
    let own_bucket = match (store, settings) {
        (Some(_), Some(settings)) => (settings.addressing == AddressingStyle::CustomDomain).then_some(&settings.bucket),
        _ => args.bucket.as_ref(),
    };
    let audience = match (endpoint, own_bucket) {
        (None, _) => Audience::public(),
        (Some(endpoint), bucket) => {
            let host = signed_host(endpoint.scheme(), endpoint.authority());
            let audience = match bucket {
                Some(bucket) => Audience::new().bucket_host(host, bucket),
                None => Audience::new().host(host),
            };
            audience.base_path(endpoint.base_path())
        }
    };
    let region = args.region.as_ref().or(settings.and_then(|settings| settings.region.as_ref()));
    region.into_iter().fold(audience, Audience::region)
}

fn headers<'a>(args: &'a VerifyArgs, authority: &'a str) -> Result<Vec<(&'a str, &'a [u8])>, CliError> {
    if args.header.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        return Err(CliError::usage("invalid_header", "the host stands in the URL; leave the header `host` out"));
    }
    let given = args.header.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Ok([("host", authority.as_bytes())].into_iter().chain(given).collect())
}

/// What was verified. Of the query only names: values may be long, and a customer's key may stand there.
#[derive(Serialize)]
struct Report<'a> {
    provider: &'static str,
    method: &'a str,
    bucket: &'a str,
    key: Option<&'a str>,
    access_key_id: &'a str,
    signed_at: Timestamp,
    expiration: Timestamp,
    signed_headers: &'a [String],
    query: Vec<&'a str>,
    payload_signed: bool,
}

fn print(provider: Provider, verified: &Verified, form: VerifyOutput) -> Result<(), CliError> {
    let report = Report {
        provider: provider.word(),
        method: verified.method(),
        bucket: verified.bucket(),
        key: verified.key().map(valetkey::ObjectKey::as_str),
        access_key_id: verified.access_key_id(),
        signed_at: verified.signed_at(),
        expiration: verified.expiration(),
        signed_headers: verified.signed_headers(),
        query: verified.query().iter().map(|(name, _)| name.as_str()).collect(),
        payload_signed: verified.payload_sha256().is_some(),
    };
    if form == VerifyOutput::Json {
        let json = serde_json::to_string(&report).map_err(|error| CliError::failure("output", error.to_string()))?;
        return output::json(&json);
    }
    let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let signed: Vec<&str> = report.signed_headers.iter().map(String::as_str).collect();
    for (name, value) in [
        ("valid", format!("presigned {} request", provider.name())),
        ("method", report.method.to_owned()),
        ("bucket", report.bucket.to_owned()),
        ("key", report.key.unwrap_or("none, the bucket itself").to_owned()),
        ("access key id", report.access_key_id.to_owned()),
        ("signed at", report.signed_at.to_string()),
        ("expiration", report.expiration.to_string()),
        ("signed headers", list(&signed)),
        ("query", list(&report.query)),
        ("body", if report.payload_signed { "its SHA-256 is signed".to_owned() } else { "not signed".to_owned() }),
    ] {
        output::line(&format!("{name}: {}", output::one_line(&value)))?;
    }
    Ok(())
}
