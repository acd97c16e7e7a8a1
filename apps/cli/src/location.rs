//! Where: the grammar of LOCATION, and what flags, configuration and environment make of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use valetkey::credentials::{oss_from_env, s3_from_env};
use valetkey::verify::PublicHost;
use valetkey::{
    Clock as _, Config, Credentials, CredentialsError, Dialect, Endpoint, LifeError, ObjectKey, ObjectRequest, Oss, OssPresigner, PostPolicy, PresignError,
    PresignOptions, PresignedPost, PresignedRequest, S3, S3Presigner, StoreConfig, SystemClock, TargetError, TargetSettings, Timestamp,
};

use crate::args::{Global, PlaceArgs};
use crate::error::CliError;
use crate::session::Session;

const FORMS: &str = "write s3://BUCKET/KEY, oss://BUCKET/KEY or STORE:KEY";

/// One of the two clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    S3,
    Oss,
}

impl Provider {
    /// The one that a store of the configuration names.
    pub(crate) fn of(store: &StoreConfig) -> Self {
        if store.provider() == "oss" { Self::Oss } else { Self::S3 }
    }

    /// The word in locations and configurations.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Oss => "oss",
        }
    }

    /// Its name in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Oss => "OSS",
        }
    }

    /// Its wire rules.
    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::S3 => &S3,
            Self::Oss => &Oss,
        }
    }

    /// Takes one of the cloud's own hosts apart.
    pub(crate) fn public_host(self, host: &str) -> Option<PublicHost<'_>> {
        match self {
            Self::S3 => S3::public_host(host),
            Self::Oss => Oss::public_host(host),
        }
    }

    /// Credentials of the environment.
    pub(crate) fn credentials_from_env(self) -> Result<Credentials, CredentialsError> {
        match self {
            Self::S3 => s3_from_env(),
            Self::Oss => oss_from_env(),
        }
    }

    const fn region_variables(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &["AWS_REGION", "AWS_DEFAULT_REGION"],
            Self::Oss => &["OSS_REGION"],
        }
    }

    const fn endpoint_variables(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
            Self::Oss => &["OSS_ENDPOINT"],
        }
    }
}

/// A place as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// `s3://BUCKET[/KEY]`, `oss://BUCKET[/KEY]`
    Cloud { provider: Provider, bucket: String, key: Option<String> },
    /// `STORE:KEY`
    Store { name: String, key: Option<String> },
}

impl Location {
    /// The key, literally; `None` for the bucket.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Cloud { key, .. } | Self::Store { key, .. } => key.as_deref(),
        }
    }

    /// Another object of the same bucket.
    pub(crate) fn with_key(mut self, new: String) -> Self {
        match &mut self {
            Self::Cloud { key, .. } | Self::Store { key, .. } => *key = Some(new),
        }
        self
    }
}

/// As it is written on the command line.
impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key().unwrap_or_default();
        match self {
            Self::Cloud { provider, bucket, .. } => write!(formatter, "{}://{bucket}/{key}", provider.word()),
            Self::Store { name, .. } => write!(formatter, "{name}:{key}"),
        }
    }
}

impl FromStr for Location {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        let refuse = |what: &str| Err(CliError::usage("invalid_location", format!("{what}; {FORMS}")));
        let key_of = |key: &str| (!key.is_empty()).then(|| key.to_owned());
        for provider in [Provider::S3, Provider::Oss] {
            let Some(rest) = text.strip_prefix(provider.word()).and_then(|rest| rest.strip_prefix(':')) else {
                continue;
            };
            let Some(rest) = rest.strip_prefix("//") else {
                return refuse(&format!("the location begins with `{0}:` and not with `{0}://`", provider.word()));
            };
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return refuse("the location names no bucket");
            }
            return Ok(Self::Cloud { provider, bucket: bucket.to_owned(), key: key_of(key) });
        }
        let Some((name, key)) = text.split_once(':') else {
            return refuse("the location names neither a cloud nor a store, because it has no `:`");
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            return refuse("what stands before `:` cannot be the name of a store (letters, digits, `_`, `-`)");
        }
        if key.starts_with("//") && ["s3", "oss", "http", "https"].iter().any(|word| name.eq_ignore_ascii_case(word)) {
            return refuse(&format!("`{name}://` is not the beginning of a location"));
        }
        Ok(Self::Store { name: name.to_owned(), key: key_of(key) })
    }
}

/// The value of a variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Result<Option<String>, CliError> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(CliError::setup("invalid_environment", format!("the variable {name} is not UTF-8; set it anew or unset it")))
        }
    }
}

fn first_variable(names: &[&'static str]) -> Result<Option<(&'static str, String)>, CliError> {
    for name in names {
        if let Some(value) = variable(name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

/// Reads the configuration that the flags or the environment name.
pub(crate) fn configuration(global: &Global, wanted: &str) -> Result<Config, CliError> {
    match Config::find(global.config.as_deref()) {
        Some(path) => Ok(Config::from_file(path)?),
        None => {
            let message = format!("{wanted} is needed and there is no configuration; name the file with --config or VALETKEY_CONFIG, or write ./valetkey.toml");
            Err(CliError::setup("no_configuration", message))
        }
    }
}

/// The endpoint that the environment names.
pub(crate) fn endpoint_from_env(provider: Provider) -> Result<Option<Endpoint>, CliError> {
    let Some((name, value)) = first_variable(provider.endpoint_variables())? else {
        return Ok(None);
    };
    // OSS_ENDPOINT is customarily a host alone.
    let value = if provider == Provider::Oss && !value.contains("://") { format!("https://{value}") } else { value };
    value.parse().map(Some).map_err(|error: TargetError| CliError::setup(error.code(), format!("{name}: {error}")))
}

/// Region and endpoint of the environment.
fn settings_from_env(provider: Provider, bucket: &str, place: &PlaceArgs) -> Result<TargetSettings, CliError> {
    let mut settings = TargetSettings::new(bucket);
    if place.region.is_none() {
        settings.region = first_variable(provider.region_variables())?.map(|(_, value)| value);
    }
    if place.endpoint.is_none() {
        settings.endpoint = endpoint_from_env(provider)?;
    }
    Ok(settings)
}

/// Variables by which others choose another host of S3, and such a host. The ordinary one in silence would be a request over another network, or one without
/// the cryptography that the user must have.
const OTHER_HOSTS: [(&str, &str); 2] =
    [("AWS_USE_FIPS_ENDPOINT", "https://s3-fips.REGION.amazonaws.com"), ("AWS_USE_DUALSTACK_ENDPOINT", "https://s3.dualstack.REGION.amazonaws.com")];

/// Refuses what the environment asks for and no endpoint says.
fn refuse_other_hosts(provider: Provider, settings: &TargetSettings) -> Result<(), CliError> {
    if provider != Provider::S3 || settings.endpoint.is_some() {
        return Ok(());
    }
    for (name, example) in OTHER_HOSTS {
        if variable(name)?.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            let message = format!("the variable {name} is not supported; write the endpoint instead (for example --endpoint {example}), or unset it");
            return Err(CliError::setup("invalid_environment", message));
        }
    }
    Ok(())
}

/// Everything that signs, for one bucket: made once, before anything is printed.
pub(crate) struct Signer {
    presigner: Presigner,
    credentials: Arc<Credentials>,
}

enum Presigner {
    S3(S3Presigner),
    Oss(OssPresigner),
}

impl Signer {
    /// Finds settings and credentials of a location.
    pub(crate) fn of(location: &Location, global: &Global, place: &PlaceArgs) -> Result<Self, CliError> {
        let (provider, mut settings, store) = match location {
            Location::Cloud { provider, bucket, .. } => {
                if let Some(store) = &global.store {
                    let message =
                        format!("the location names a bucket and --store the store `{store}`; write `{store}:KEY` as the location, or leave --store out");
                    return Err(CliError::usage("usage", message));
                }
                // It says nothing about this location, and a file that is named must be one.
                if global.config.is_some() {
                    configuration(global, "a configuration")?;
                }
                (*provider, settings_from_env(*provider, bucket, place)?, None)
            }
            Location::Store { name, .. } => {
                if let Some(store) = global.store.as_ref().filter(|store| *store != name) {
                    return Err(CliError::usage("usage", format!("the location names the store `{name}` and --store `{store}`; leave --store out")));
                }
                let config = configuration(global, &format!("the store `{name}`"))?;
                let store = config.store(name)?.clone();
                (Provider::of(&store), store.settings_with_env(), Some(store))
            }
        };
        settings.region = place.region.clone().or(settings.region);
        settings.endpoint = place.endpoint.clone().or(settings.endpoint);
        settings.addressing = place.addressing.unwrap_or(settings.addressing);
        // Before the credentials: a bucket that cannot be is wrong whoever signs.
        provider.dialect().resolve(&settings).map_err(|error| CliError::target(&error, is_on_command_line(&error, location, place)))?;
        refuse_other_hosts(provider, &settings)?;
        let credentials = Arc::new(match &store {
            Some(store) => store.credentials()?,
            None => provider.credentials_from_env()?,
        });
        let max_life = store.as_ref().and_then(StoreConfig::max_life);
        Self::new(provider, &settings, credentials, max_life).map_err(|error| CliError::target(&error, false))
    }

    fn new(provider: Provider, settings: &TargetSettings, credentials: Arc<Credentials>, max_life: Option<u32>) -> Result<Self, TargetError> {
        let presigner = match provider {
            Provider::S3 => {
                let presigner = S3Presigner::new(settings, Arc::clone(&credentials))?;
                Presigner::S3(max_life.into_iter().fold(presigner, S3Presigner::with_max_life))
            }
            Provider::Oss => {
                let presigner = OssPresigner::new(settings, Arc::clone(&credentials))?;
                Presigner::Oss(max_life.into_iter().fold(presigner, OssPresigner::with_max_life))
            }
        };
        Ok(Self { presigner, credentials })
    }

    /// Refuses credentials that have ended: then no request can be signed, whatever it asks for.
    pub(crate) fn check_credentials(&self, at: Option<Timestamp>) -> Result<(), CliError> {
        let Some(ended) = self.credentials.expiration() else {
            return Ok(());
        };
        let now = at.map_or_else(|| SystemClock.now(), Ok).map_err(LifeError::from).map_err(PresignError::from)?;
        if ended <= now { Err(PresignError::from(LifeError::CredentialsEnded { ended }).into()) } else { Ok(()) }
    }

    /// Signs one request.
    pub(crate) fn sign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        match &self.presigner {
            Presigner::S3(presigner) => presigner.sign(&self.credentials, request, options),
            Presigner::Oss(presigner) => presigner.sign(&self.credentials, request, options),
        }
    }

    /// Begins to sign many requests of one moment and life.
    pub(crate) fn session(&self, options: &PresignOptions) -> Result<Session<'_>, PresignError> {
        Ok(match &self.presigner {
            Presigner::S3(presigner) => Session::S3(presigner.signing_session(&self.credentials, options)?),
            Presigner::Oss(presigner) => Session::Oss(presigner.signing_session(&self.credentials, options)?),
        })
    }

    /// Signs a form.
    pub(crate) fn sign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        match &self.presigner {
            Presigner::S3(presigner) => presigner.sign_post(&self.credentials, policy, options),
            Presigner::Oss(presigner) => presigner.sign_post(&self.credentials, policy, options),
        }
    }

    /// Signs the text of a policy byte for byte.
    pub(crate) fn sign_policy(&self, policy: &str, key: Option<&ObjectKey>) -> Result<PresignedPost, PresignError> {
        match &self.presigner {
            Presigner::S3(presigner) => presigner.sign_policy(&self.credentials, policy, key),
            Presigner::Oss(presigner) => presigner.sign_policy(&self.credentials, policy, key),
        }
    }

    /// What a transfer signs with.
    pub(crate) fn into_presigner(self) -> Arc<dyn valetkey::Presigner> {
        match self.presigner {
            Presigner::S3(presigner) => Arc::new(presigner),
            Presigner::Oss(presigner) => Arc::new(presigner),
        }
    }

    /// The cloud that it signs for.
    pub(crate) fn provider(&self) -> Provider {
        match &self.presigner {
            Presigner::S3(_) => Provider::S3,
            Presigner::Oss(_) => Provider::Oss,
        }
    }
}

/// Whether it was the command line that said what cannot work.
fn is_on_command_line(error: &TargetError, location: &Location, place: &PlaceArgs) -> bool {
    let any_flag = place.region.is_some() || place.endpoint.is_some() || place.addressing.is_some();
    match error {
        TargetError::Bucket { .. } => any_flag || matches!(location, Location::Cloud { .. }),
        TargetError::Region { .. } => place.region.is_some(),
        _ => any_flag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_taken_literally() {
        let cloud = |provider, bucket: &str, key: Option<&str>| Location::Cloud { provider, bucket: bucket.to_owned(), key: key.map(str::to_owned) };
        let store = |name: &str, key: Option<&str>| Location::Store { name: name.to_owned(), key: key.map(str::to_owned) };
        for (text, want) in [
            ("s3://b", cloud(Provider::S3, "b", None)),
            ("s3://b/", cloud(Provider::S3, "b", None)),
            ("s3://b//", cloud(Provider::S3, "b", Some("/"))),
            ("s3://b/a%20b?c#d", cloud(Provider::S3, "b", Some("a%20b?c#d"))),
            ("oss://b/été 1", cloud(Provider::Oss, "b", Some("été 1"))),
            ("media:", store("media", None)),
            ("media:a:b/c", store("media", Some("a:b/c"))),
            ("media://x", store("media", Some("//x"))),
            ("S3:k", store("S3", Some("k"))),
            ("a-b_9:/k", store("a-b_9", Some("/k"))),
        ] {
            assert_eq!(text.parse::<Location>().unwrap(), want, "{text}");
        }
        for text in ["", "b/k", "s3:", "s3:b/k", "s3:///k", "s3://", "oss:///", "S3://b/k", "https://b.example/k", ":k", "a b:k", "été:k", "a.b:k"] {
            assert_eq!(text.parse::<Location>().unwrap_err().exit(), 2, "{text}");
        }
    }
}
