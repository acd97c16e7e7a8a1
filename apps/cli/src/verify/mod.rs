//! `valetkey verify URL`: what a backend would do with the request, with the reason when it would refuse; and of a form alike.

mod fields;
mod form;

use std::io::Read as _;

use serde::Serialize;
use valetkey::verify::{Audience, IncomingRequest, Payload, Verification, Verified, VerifyError};
use valetkey::{AddressingStyle, Clock as _, Config, Credentials, Endpoint, Scheme, StoreConfig, SystemClock, Timestamp, signed_host};

use crate::args::{Global, VerifyArgs, VerifyOutput};
use crate::error::CliError;
use crate::location::{self, Provider};
use crate::output;

/// The most that is read of standard input: several times what any verifier looks at.
const MAX_INPUT: u64 = 64 * 1024;

/// Verifies one URL or form and says what it is for.
pub(crate) fn run(global: &Global, args: &VerifyArgs) -> Result<(), CliError> {
    let mixed = |flag: &str, what: &str| Err(CliError::usage("usage", format!("`{flag}` means nothing for {what}; leave it out")));
    let of_url = [("--method", args.method.is_some()), ("--header", !args.header.is_empty())];
    let of_form = [("--size", args.size.is_some()), ("--content-type", args.content_type.is_some()), ("--file-name", args.file_name.is_some())];
    let given = |flags: &[(&'static str, bool)]| flags.iter().find(|(_, given)| *given).map(|(flag, _)| *flag);
    match (&args.url, &args.form) {
        (None, None) => Err(CliError::usage("usage", "URL is missing; give one, or a form with --form")),
        (Some(_), Some(_)) => Err(CliError::usage("usage", "give a URL or --form, not both")),
        (None, Some(file)) => given(&of_url).map_or_else(|| form::run(global, args, file), |flag| mixed(flag, "a form")),
        (Some(url), None) => given(&of_form).map_or_else(|| run_url(global, args, url), |flag| mixed(flag, "a URL")),
    }
}

fn run_url(global: &Global, args: &VerifyArgs, url: &str) -> Result<(), CliError> {
    let text = if url == "-" { read_stdin()? } else { url.to_owned() };
    let url = Url::split(&text)?;
    let store = chosen_store(global, url.provider())?;
    let provider = match &store {
        Some(store) => Provider::of(store),
        None => url.provider().ok_or_else(|| invalid(&VerifyError::NotSigned, None))?,
    };
    let headers = headers(args, url.authority)?;
    let method = args.method.as_deref().unwrap_or("GET");
    let request = IncomingRequest { scheme: url.scheme, method, target: &url.target, headers: &headers };
    let readings = readings(provider, store.as_ref(), args, &url)?;
    let credentials = credentials(provider, store.as_ref())?;
    let verified = verify(provider, &request, &readings, &credentials, now(args)?).map_err(|error| invalid(&error, Some(provider)))?;
    check_bucket(verified.bucket(), store.as_ref(), args)?;
    print(provider, &verified, args.output)
}

fn credentials(provider: Provider, store: Option<&StoreConfig>) -> Result<Credentials, CliError> {
    Ok(match store {
        Some(store) => store.credentials()?,
        None => provider.credentials_from_env()?,
    })
}

fn now(args: &VerifyArgs) -> Result<Timestamp, CliError> {
    args.at.map_or_else(|| SystemClock.now().map_err(|error| CliError::failure("clock", error.to_string())), Ok)
}

/// Reads the URL in the first way in which it can be meant.
fn verify(
    provider: Provider,
    request: &IncomingRequest<'_>,
    readings: &[Audience],
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Verified, VerifyError> {
    let mut judged = Err(VerifyError::UnknownHost);
    for audience in readings {
        judged = Verification::parse(provider.dialect(), request, audience).and_then(|pending| pending.finish(Some(credentials), now));
        // OSS signs the bucket, so a wrong reading is a wrong signature. S3 does not, so there any bucket that is read is the one.
        let may_be_meant_otherwise = match (provider, &judged) {
            (Provider::Oss, Err(error)) => matches!(error, VerifyError::SignatureMismatch | VerifyError::MalformedPath),
            (Provider::S3, Err(error)) => matches!(error, VerifyError::UnknownHost),
            // Read as the service itself, a host may as well be a bucket's own.
            (_, Ok(verified)) => verified.bucket().is_none(),
        };
        if !may_be_meant_otherwise {
            break;
        }
    }
    judged
}

/// The bucket must be the one that the flag names, else the store's.
fn check_bucket(bucket: Option<&str>, store: Option<&StoreConfig>, args: &VerifyArgs) -> Result<(), CliError> {
    let what = if args.form.is_some() { "form" } else { "URL" };
    let refuse = |wanted: &str, hint: &str| {
        Err(CliError::failure(
            "other_bucket",
            format!("invalid: the {what} is of {}, not {wanted}{hint}", bucket.map_or_else(|| "no bucket".to_owned(), |bucket| format!("the bucket {bucket}"))),
        ))
    };
    match (&args.bucket, store) {
        (Some(wanted), _) if Some(wanted.as_str()) != bucket => refuse(wanted, ""),
        (None, Some(store)) if Some(store.settings().bucket.as_str()) != bucket => {
            let hint = format!(", which the store `{}` has; name another with --store, or the bucket with --bucket", store.name());
            refuse(&store.settings().bucket, &hint)
        }
        _ => Ok(()),
    }
}

fn invalid(error: &VerifyError, provider: Option<Provider>) -> CliError {
    let hint = match error {
        VerifyError::NotSigned => "; give a URL as `valetkey presign` prints it, with its whole query",
        VerifyError::SignedHeaderMissing { .. } => "; give each header that was sent with --header",
        // What the caller may have left out comes before what the sender may have done.
        VerifyError::SignatureMismatch => {
            "; was it signed for another --method, --header, --endpoint or --store, or by another secret than the one that is looked up here?"
        }
        VerifyError::UnknownHost => "; name the store with --store, or its host with --endpoint",
        _ => "",
    };
    refusal(error, hint, provider)
}

/// The reason, what the caller may have missed, and what the cloud would say.
fn refusal(error: &VerifyError, hint: &str, provider: Option<Provider>) -> CliError {
    let cloud = provider.map(|provider| {
        let refusal = provider.dialect().refusal(error);
        format!(" ({} would answer {} {})", provider.name(), refusal.status, refusal.code)
    });
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
        let no_url = |what: &str| Err(CliError::usage("invalid_url", format!("the URL {what}; give it exactly as it was received")));
        // A URL all the same, and one that no client sends so.
        let malformed = |what| Err(invalid(&VerifyError::MalformedRequest { what }, None));
        let (scheme, rest) = match text.trim_start().split_once("://") {
            Some((word, rest)) if word.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            _ => return no_url("does not begin with https:// or http://"),
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return no_url("has no host");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return malformed("the URL has white space or a control character");
        }
        if target.contains('#') {
            return malformed("the URL has a fragment, which no client sends");
        }
        if authority.contains('@') {
            return malformed("the URL has a user name, which no signature covers");
        }
        // A client asks for `/` where the URL has no path.
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { scheme, authority, target })
    }

    /// As a signature has it.
    fn host(&self) -> String {
        signed_host(self.scheme, self.authority)
    }

    /// The cloud that the names of the signature's own parameters are of. Any other name may stand in a URL of either.
    fn provider(&self) -> Option<Provider> {
        let query = self.target.split_once('?').map(|(_, query)| query).unwrap_or_default().to_ascii_lowercase();
        let has = |is: fn(&str) -> bool| query.split('&').any(|pair| is(pair.split('=').next().unwrap_or_default()));
        if has(|name| matches!(name, "x-amz-algorithm" | "x-amz-credential" | "x-amz-signature")) {
            Some(Provider::S3)
        } else if has(|name| name.starts_with("x-oss-signature") || matches!(name, "x-oss-credential" | "ossaccesskeyid")) {
            Some(Provider::Oss)
        } else {
            None
        }
    }
}

/// The store that `--store` or VALETKEY_STORE names, else the configuration's default where it is of the URL's cloud.
fn chosen_store(global: &Global, provider: Option<Provider>) -> Result<Option<StoreConfig>, CliError> {
    let name = match &global.store {
        Some(name) => Some(name.clone()),
        None => location::variable("VALETKEY_STORE")?,
    };
    if let Some(name) = name {
        return Ok(Some(location::configuration(global, &format!("the store `{name}`"))?.store(&name)?.clone()));
    }
    let Some(path) = Config::find(global.config.as_deref()) else {
        return Ok(None);
    };
    let config = Config::from_file(path)?;
    // Without a default nothing was chosen, which is no error: nobody asked for a store.
    Ok(config.default_store().ok().filter(|store| Some(Provider::of(store)) == provider).cloned())
}

/// The ways to read the URL, in their order: whose hosts they are, under which path, in which region.
fn readings(provider: Provider, store: Option<&StoreConfig>, args: &VerifyArgs, url: &Url<'_>) -> Result<Vec<Audience>, CliError> {
    let settings = store.map(StoreConfig::settings_with_env);
    let bucket = args.bucket.as_ref().or(settings.as_ref().map(|settings| &settings.bucket));
    let host = url.host();
    let is_public = provider.public_host(&host).is_some();
    let place = |endpoint: &Endpoint| (signed_host(endpoint.scheme(), endpoint.authority()), endpoint.base_path().to_owned());
    // Path style and virtual-hosted, and only then the bucket's own host.
    let at = |(base, path): (String, String)| {
        let own = bucket.map(|bucket| if is_public { Audience::public() } else { Audience::new().bucket_host(&base, bucket).base_path(&path) });
        [Audience::new().host(&base).base_path(&path)].into_iter().chain(own).collect()
    };
    let readings: Vec<Audience> = match (&args.endpoint, &settings) {
        (Some(endpoint), _) => at(place(endpoint)),
        (None, Some(settings)) => vec![match settings.endpoint.as_ref().map(place) {
            None => Audience::public(),
            // The configuration says whose host it is.
            Some((base, path)) if settings.addressing == AddressingStyle::CustomDomain => Audience::new().bucket_host(base, &settings.bucket).base_path(path),
            Some((base, path)) => Audience::new().host(base).base_path(path),
        }],
        (None, None) => {
            let from_env = location::endpoint_from_env(provider)?.as_ref().map(place);
            let from_env = from_env.filter(|(base, _)| host.strip_suffix(base.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.')));
            match from_env.or_else(|| bucket.map(|_| (host, String::new()))) {
                Some(place) if !is_public => at(place),
                _ => vec![Audience::public()],
            }
        }
    };
    let region = args.region.clone().or(settings.and_then(|settings| settings.region));
    Ok(readings.into_iter().map(|audience| region.iter().fold(audience, Audience::region)).collect())
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
    bucket: Option<&'a str>,
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
        payload_signed: matches!(verified.payload(), Payload::Sha256(_)),
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
        ("bucket", report.bucket.unwrap_or("none, the service itself").to_owned()),
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
