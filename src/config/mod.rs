//! Stores from a TOML file.

mod error;
mod reader;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use valetkey_core::{Credentials, CredentialsError, PresignError, Presigner, Secret, TargetSettings};

pub use error::{ConfigError, ConfigProblem};
pub use reader::life_from_text;

use crate::credentials;

/// The largest file that is read, bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The largest file of a secret, bytes; session tokens are some thousand at most.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Stores by name.
///
/// ```
/// use valetkey::Config;
///
/// let text = r#"
/// default = "media"
///
/// [stores.media]
/// provider = "s3"
/// bucket = "media-prod"
/// region = "eu-central-1"
/// max_ttl = "1h"
/// "#;
/// let config = Config::from_text(text, "valetkey.toml")?;
/// assert_eq!(config.store("media")?.settings().bucket, "media-prod");
/// assert!(config.store("archive").is_err());
/// # Ok::<(), valetkey::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    origin: PathBuf,
    default: Option<String>,
    stores: BTreeMap<String, StoreConfig>,
}

impl Config {
    /// Reads a file. Files that hold credentials are looked up beside it.
    ///
    /// # Errors
    /// [`ConfigError`] when it cannot be read, or with file, line, column and field of the first thing wrong in it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let unreadable = |reason: &str| ConfigError::unreadable(path, reason);
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error.to_string()))?;
        if !metadata.is_file() {
            return Err(unreadable("it is not a regular file"));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(unreadable(&format!("it has {} bytes; at most {MAX_FILE_BYTES} are read", metadata.len())));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error.to_string()))?;
        Self::from_text(&text, path)
    }

    /// Reads a text; `origin` is the file that it came from, for messages and for the files that it names.
    ///
    /// # Errors
    /// [`ConfigError`] with line, column and field of the first thing wrong.
    pub fn from_text(text: &str, origin: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        reader::read(text, origin.into())
    }

    /// The file to read: `explicit`, else `VALETKEY_CONFIG`, else `./valetkey.toml`, else `valetkey/config.toml` in the user's configuration folder.
    /// `None` when none of the last two exists.
    #[must_use]
    pub fn find(explicit: Option<&Path>) -> Option<PathBuf> {
        let named = explicit.map(Path::to_path_buf).or_else(|| std::env::var_os("VALETKEY_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from));
        named.or_else(|| {
            use etcetera::BaseStrategy as _;
            let folder = etcetera::choose_base_strategy().ok().map(|strategy| strategy.config_dir().join("valetkey/config.toml"));
            [Some(PathBuf::from("valetkey.toml")), folder].into_iter().flatten().find(|path| path.exists())
        })
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// A store by its name.
    ///
    /// # Errors
    /// [`ConfigError`] that lists the stores there are.
    pub fn store(&self, name: &str) -> Result<&StoreConfig, ConfigError> {
        self.stores.get(name).ok_or_else(|| self.unknown_store(name))
    }

    /// The store that `default` names, or the only one there is.
    ///
    /// # Errors
    /// [`ConfigError`] when there are several and no default.
    pub fn default_store(&self) -> Result<&StoreConfig, ConfigError> {
        match (&self.default, self.stores.len()) {
            (Some(name), _) => self.store(name),
            (None, 1) => self.stores.values().next().ok_or_else(|| self.unknown_store("")),
            (None, _) => Err(ConfigError::no_default(&self.origin, self.stores.keys())),
        }
    }

    /// All stores, by name.
    pub fn stores(&self) -> impl Iterator<Item = &StoreConfig> {
        self.stores.values()
    }

    fn unknown_store(&self, name: &str) -> ConfigError {
        ConfigError::unknown_store(&self.origin, name, self.stores.keys())
    }
}

/// One store: provider, place, limits, and where its credentials come from.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    name: String,
    provider: Provider,
    settings: TargetSettings,
    max_life: Option<u32>,
    credentials: CredentialsConfig,
}

/// Which dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    #[cfg(feature = "s3")]
    S3,
    #[cfg(feature = "oss")]
    Oss,
}

#[derive(Debug, Clone)]
enum CredentialsConfig {
    Env,
    Static { access_key_id: SecretRef, secret_access_key: SecretRef, session_token: Option<SecretRef> },
}

/// Where one value stands; never the value itself.
///
/// Who writes a secret where its variable or file should be named must not read it in a message, so a message names the field.
#[derive(Clone)]
struct SecretRef {
    field: String,
    place: SecretPlace,
}

#[derive(Clone)]
enum SecretPlace {
    Env(String),
    File(PathBuf),
}

impl std::fmt::Debug for SecretRef {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SecretRef({})", self.field)
    }
}

impl SecretRef {
    fn read(&self) -> Result<Secret, CredentialsError> {
        let failed = |what: &str, reason: String| CredentialsError::Source { source_name: format!("{what} that `{}` names", self.field), reason };
        match &self.place {
            SecretPlace::Env(name) => match std::env::var(name) {
                Err(std::env::VarError::NotPresent) if looks_like_a_variable(name) => Err(failed(&format!("the variable {name}"), "it is not set".to_owned())),
                Ok(value) if !value.is_empty() => Ok(Secret::new(value)),
                Ok(_) => Err(failed("the variable", "it is empty".to_owned())),
                Err(std::env::VarError::NotPresent) => Err(failed("the variable", "it is not set".to_owned())),
                Err(std::env::VarError::NotUnicode(_)) => Err(failed("the variable", "its value is not UTF-8".to_owned())),
            },
            SecretPlace::File(path) => {
                let refuse = |reason: String| failed("the file", reason);
                let metadata = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
                if !metadata.is_file() || metadata.len() > MAX_SECRET_BYTES {
                    return Err(refuse(format!("it is not a regular file of at most {MAX_SECRET_BYTES} bytes")));
                }
                let text = std::fs::read_to_string(path).map(Secret::new).map_err(|error| refuse(error.to_string()))?;
                // Editors end a file with a line end, and a secret has none.
                let value = text.expose().strip_suffix('\n').unwrap_or(text.expose());
                Ok(Secret::new(value.strip_suffix('\r').unwrap_or(value)))
            }
        }
    }
}

/// Words in capitals, joined by `_`: no key or secret looks so, and the name helps.
fn looks_like_a_variable(name: &str) -> bool {
    name.contains('_') && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

impl StoreConfig {
    /// Its name in the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `s3` or `oss`.
    #[must_use]
    pub const fn provider(&self) -> &'static str {
        match self.provider {
            #[cfg(feature = "s3")]
            Provider::S3 => "s3",
            #[cfg(feature = "oss")]
            Provider::Oss => "oss",
        }
    }

    /// Bucket, region, endpoint and addressing style, as written.
    #[must_use]
    pub const fn settings(&self) -> &TargetSettings {
        &self.settings
    }

    /// `max_ttl` in seconds.
    #[must_use]
    pub const fn max_life(&self) -> Option<u32> {
        self.max_life
    }

    /// Reads the credentials from where the file says.
    ///
    /// # Errors
    /// [`CredentialsError`] names the variable or file; never a value.
    pub fn credentials(&self) -> Result<Credentials, CredentialsError> {
        match &self.credentials {
            CredentialsConfig::Env => match self.provider {
                #[cfg(feature = "s3")]
                Provider::S3 => credentials::s3_from_env(),
                #[cfg(feature = "oss")]
                Provider::Oss => credentials::oss_from_env(),
            },
            CredentialsConfig::Static { access_key_id, secret_access_key, session_token } => {
                let credentials = Credentials::new(access_key_id.read()?.expose(), secret_access_key.read()?.expose())?;
                match session_token {
                    Some(token) => credentials.with_session_token(token.read()?.expose()),
                    None => Ok(credentials),
                }
            }
        }
    }

    /// What an application holds. The credentials are read now, once.
    ///
    /// # Errors
    /// [`PresignError`] when no URL can be made of the settings (mostly: no region), or the credentials cannot be read.
    pub fn presigner(&self) -> Result<Box<dyn Presigner>, PresignError> {
        let credentials = Arc::new(self.credentials()?);
        match self.provider {
            #[cfg(feature = "s3")]
            Provider::S3 => self.local::<valetkey_s3::S3>(credentials),
            #[cfg(feature = "oss")]
            Provider::Oss => self.local::<valetkey_oss::Oss>(credentials),
        }
    }

    fn local<D: valetkey_core::Dialect + Default>(&self, credentials: Arc<Credentials>) -> Result<Box<dyn Presigner>, PresignError> {
        let presigner = crate::LocalPresigner::<D>::new(&self.settings_with_env(), credentials)?;
        Ok(match self.max_life {
            Some(seconds) => Box::new(presigner.with_max_life(seconds)),
            None => Box::new(presigner),
        })
    }

    /// The settings, with the region from the environment where the file names none.
    #[must_use]
    pub fn settings_with_env(&self) -> TargetSettings {
        let mut settings = self.settings.clone();
        settings.region = settings.region.or_else(|| region_from_env(self.provider()));
        settings
    }
}

/// The region that the environment names: `AWS_REGION`, `AWS_DEFAULT_REGION`; `OSS_REGION`.
pub(crate) fn region_from_env(provider: &str) -> Option<String> {
    let names: &[&str] = if provider == "oss" { &["OSS_REGION"] } else { &["AWS_REGION", "AWS_DEFAULT_REGION"] };
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}
