//! From text to [`Config`]. The tree is walked by hand so that each message knows its place and no value of a secret's field is ever repeated.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use valetkey_core::{AddressingStyle, Capability, Dialect, TargetError, TargetSettings};

use super::{Config, ConfigError, ConfigProblem, CredentialsConfig, Provider, SecretPlace, SecretRef, StoreConfig};

/// The longest `max_ttl`: what both clouds allow.
const MAX_LIFE: u32 = 604_800;

const TOP_FIELDS: &[&str] = &["default", "stores"];
const STORE_FIELDS: &[&str] = &["provider", "bucket", "region", "endpoint", "addressing", "max_ttl", "requires", "credentials"];
const CREDENTIALS_FIELDS: &[&str] = &["source", "access_key_id", "secret_access_key", "session_token"];

pub(super) fn read(text: &str, origin: PathBuf) -> Result<Config, ConfigError> {
    let source = Source { text, file: &origin };
    let root = DeTable::parse(text).map_err(|error| source.syntax(&error))?;
    let root = Table { source, path: String::new(), span: root.span(), entries: root.get_ref() };
    root.only(TOP_FIELDS)?;
    let mut stores = BTreeMap::new();
    if let Some(table) = root.table("stores")? {
        for (name, span) in table.names() {
            table.check_store_name(name, span)?;
            let store = table.required_table(name)?;
            stores.insert(name.to_owned(), read_store(&store, name)?);
        }
    }
    let default = match root.text("default")? {
        Some((name, span)) if !stores.contains_key(name) => {
            let known: Vec<&str> = stores.keys().map(String::as_str).collect();
            return Err(root.invalid("default", &span, format!("there is no store `{}`; {}", name.escape_debug(), allowed(name, &known))));
        }
        found => found.map(|(name, _)| name.to_owned()),
    };
    Ok(Config { origin, default, stores })
}

fn read_store(store: &Table<'_, '_>, name: &str) -> Result<StoreConfig, ConfigError> {
    store.only(STORE_FIELDS)?;
    let provider = read_provider(store)?;
    let (bucket, bucket_span) = store.required_text("bucket")?;
    let region = store.text("region")?;
    let endpoint = store.text("endpoint")?;
    let addressing = store.text("addressing")?;
    let mut settings = TargetSettings::new(bucket);
    settings.region = region.as_ref().map(|(region, _)| (*region).to_owned());
    if let Some((text, span)) = &endpoint {
        settings.endpoint = Some(text.parse().map_err(|error: TargetError| store.invalid("endpoint", span, error.to_string()))?);
    }
    if let Some((word, span)) = &addressing {
        let unknown = |_| store.invalid("addressing", span, format!("`{}` is not known; {}", word.escape_debug(), allowed(word, &AddressingStyle::WORDS)));
        settings.addressing = word.parse().map_err(unknown)?;
    }
    if let Err(error) = check_target(provider, &settings) {
        let (field, span) = match (&error, &region, &endpoint, &addressing) {
            (TargetError::Bucket { .. }, ..) => ("bucket", bucket_span),
            (TargetError::Region { .. } | TargetError::MissingRegion, Some((_, span)), ..) => ("region", span.clone()),
            (TargetError::Addressing { .. }, _, _, Some((_, span))) => ("addressing", span.clone()),
            (_, _, Some((_, span)), _) => ("endpoint", span.clone()),
            (_, Some((_, span)), ..) => ("region", span.clone()),
            _ => ("bucket", bucket_span),
        };
        return Err(store.invalid(field, &span, error.to_string()));
    }
    let max_life = read_max_life(store)?;
    check_requirements(store, provider)?;
    let credentials = match store.table("credentials")? {
        Some(table) => read_credentials(&table)?,
        None => CredentialsConfig::Env,
    };
    Ok(StoreConfig { name: name.to_owned(), provider, settings, max_life, credentials })
}

fn read_provider(store: &Table<'_, '_>) -> Result<Provider, ConfigError> {
    let (word, span) = store.required_text("provider")?;
    match word {
        #[cfg(feature = "s3")]
        "s3" => Ok(Provider::S3),
        #[cfg(feature = "oss")]
        "oss" => Ok(Provider::Oss),
        other => Err(store.invalid("provider", &span, format!("`{}` is not known; {}", other.escape_debug(), allowed(other, &["s3", "oss"])))),
    }
}

fn dialect(provider: Provider) -> &'static dyn Dialect {
    match provider {
        #[cfg(feature = "s3")]
        Provider::S3 => &valetkey_s3::S3,
        #[cfg(feature = "oss")]
        Provider::Oss => &valetkey_oss::Oss,
    }
}

/// What cannot work is said when the file is read. The region may still come from the environment, so any one stands in for it.
fn check_target(provider: Provider, settings: &TargetSettings) -> Result<(), TargetError> {
    match dialect(provider).resolve(settings) {
        Err(TargetError::MissingRegion) if settings.region.is_none() => dialect(provider).resolve(&settings.clone().region("any")).map(|_| ()),
        other => other.map(|_| ()),
    }
}

fn read_max_life(store: &Table<'_, '_>) -> Result<Option<u32>, ConfigError> {
    let Some(value) = store.entries.get("max_ttl") else {
        return Ok(None);
    };
    let text = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::String(text) => text.clone().into_owned(),
        other => return Err(store.wrong_type("max_ttl", &value.span(), "seconds, or a duration such as \"1h30m\"", other)),
    };
    let life = life_from_text(&text).map_err(|reason| store.invalid("max_ttl", &value.span(), reason))?;
    match u32::try_from(life.as_secs()) {
        Ok(seconds @ 1..=MAX_LIFE) => Ok(Some(seconds)),
        _ => Err(store.invalid("max_ttl", &value.span(), "max_ttl must be within 1 second and 7d (604800 seconds)".to_owned())),
    }
}

/// A life as users write it: `15m`, `1h30m`, `7d`, or a number of seconds. Fractions of a second are refused.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(valetkey::life_from_text("1h30m"), Ok(Duration::from_secs(5400)));
/// assert_eq!(valetkey::life_from_text("90"), Ok(Duration::from_secs(90)));
/// assert!(valetkey::life_from_text("1500ms").is_err());
/// ```
///
/// # Errors
/// A sentence that says what is allowed.
pub fn life_from_text(text: &str) -> Result<Duration, String> {
    let form = "write 15m, 1h30m, 7d, or a number of seconds";
    let refuse = || format!("`{}` is not a duration; {form}", text.escape_debug());
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Duration::from_secs).map_err(|_| format!("`{text}` seconds are too many; {form}"));
    }
    // The library takes more than this grammar: blanks, fractions, and `M` for months.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"smhdw".contains(&byte)) {
        return Err(refuse());
    }
    let life = humantime::parse_duration(text).map_err(|_| refuse())?;
    if life.subsec_nanos() != 0 { Err(format!("`{}` has a fraction of a second; {form}", text.escape_debug())) } else { Ok(life) }
}

fn check_requirements(store: &Table<'_, '_>, provider: Provider) -> Result<(), ConfigError> {
    let Some(value) = store.entries.get("requires") else {
        return Ok(());
    };
    let expected = "a list such as [\"put\", \"post\"]";
    let DeValue::Array(items) = value.get_ref() else {
        return Err(store.wrong_type("requires", &value.span(), expected, value.get_ref()));
    };
    for item in items.iter() {
        let DeValue::String(word) = item.get_ref() else {
            return Err(store.wrong_type("requires", &item.span(), expected, item.get_ref()));
        };
        let Some(capability) = Capability::from_word(word) else {
            let words = Capability::words();
            let message = format!("`{}` is not known; {}", word.escape_debug(), allowed(word, &words.split(", ").collect::<Vec<_>>()));
            return Err(store.invalid("requires", &item.span(), message));
        };
        let dialect = dialect(provider);
        if !dialect.supports(capability) {
            return Err(store.invalid("requires", &item.span(), format!("the provider `{}` cannot do `{word}`", dialect.provider())));
        }
    }
    Ok(())
}

fn read_credentials(table: &Table<'_, '_>) -> Result<CredentialsConfig, ConfigError> {
    table.only(CREDENTIALS_FIELDS)?;
    match table.text("source")? {
        None | Some(("env", _)) => match CREDENTIALS_FIELDS.iter().skip(1).find_map(|name| table.key_span(name).map(|span| (name, span))) {
            Some((name, span)) => {
                let message = format!("`{name}` is for source = \"static\"; with \"env\" the credentials come from the environment");
                Err(table.invalid(name, &span, message))
            }
            None => Ok(CredentialsConfig::Env),
        },
        Some(("static", _)) => Ok(CredentialsConfig::Static {
            access_key_id: table.required_secret("access_key_id")?,
            secret_access_key: table.required_secret("secret_access_key")?,
            session_token: table.secret("session_token")?,
        }),
        Some((other, span)) => {
            // A secret may have slipped into this field.
            let shown = if is_word(other) { format!("`{other}`") } else { "this".to_owned() };
            Err(table.invalid("source", &span, format!("{shown} is not known; {}", allowed(other, &["env", "static"]))))
        }
    }
}

/// The text and its file, to make positions of offsets.
#[derive(Clone, Copy)]
struct Source<'t> {
    text: &'t str,
    file: &'t Path,
}

impl Source<'_> {
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The parser's own sentence without the line that it quotes, which may hold a secret; a plain name at that place is said, since it is a key mostly.
    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or_default();
        let message = error.message().lines().next().unwrap_or_default();
        let name = self.text.get(span.clone()).filter(|_| message.starts_with("duplicate")).unwrap_or_default();
        let message = if name.is_empty() { format!("not valid TOML: {message}") } else { format!("not valid TOML: {message} `{}`", name.escape_debug()) };
        ConfigError::at(self.file, self.position(span.start), None, ConfigProblem::Syntax, message)
    }
}

/// One table with its place in the file.
struct Table<'t, 'i> {
    source: Source<'t>,
    path: String,
    span: Range<usize>,
    entries: &'t DeTable<'i>,
}

impl<'t, 'i> Table<'t, 'i> {
    fn dotted(&self, name: &str) -> String {
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let name = if plain { name.to_owned() } else { format!("{name:?}") };
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    fn error(&self, name: &str, span: &Range<usize>, problem: ConfigProblem, message: String) -> ConfigError {
        ConfigError::at(self.source.file, self.source.position(span.start), Some(self.dotted(name)), problem, message)
    }

    fn invalid(&self, name: &str, span: &Range<usize>, message: String) -> ConfigError {
        self.error(name, span, ConfigProblem::InvalidValue, message)
    }

    fn wrong_type(&self, name: &str, span: &Range<usize>, expected: &str, got: &DeValue<'_>) -> ConfigError {
        self.invalid(name, span, format!("`{name}` must be {expected}, not a TOML {}", got.type_str()))
    }

    fn missing(&self, name: &str) -> ConfigError {
        self.error(name, &self.span, ConfigProblem::MissingField, format!("`{name}` is missing"))
    }

    fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self.names().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, span)) => {
                let message = match NOT_SUPPORTED.iter().find(|(field, _)| *field == name) {
                    Some((field, instead)) => format!("`{field}` is not supported; {instead}"),
                    None if is_word(name) => format!("`{name}` is not a field here; {}", allowed(name, known)),
                    None => format!("this is not a field here; {}", allowed(name, known)),
                };
                Err(self.error(if is_word(name) { name } else { "?" }, &span, ConfigProblem::UnknownField, message))
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = (&'t str, Range<usize>)> + use<'t, 'i> {
        // In the order of the file, so that the first mistake is the one that is reported.
        let mut names: Vec<_> = self.entries.keys().map(|key| (key.get_ref().as_ref(), key.span())).collect();
        names.sort_by_key(|(_, span)| span.start);
        names.into_iter()
    }

    fn key_span(&self, name: &str) -> Option<Range<usize>> {
        self.entries.get_key_value(name).map(|(key, _)| key.span())
    }

    fn check_store_name(&self, name: &str, span: Range<usize>) -> Result<(), ConfigError> {
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !plain {
            let message = format!("`{}` cannot be the name of a store; use letters, digits, `_` and `-`", name.escape_debug());
            return Err(self.invalid(name, &span, message));
        }
        if matches!(name, "s3" | "oss") {
            return Err(self.invalid(name, &span, format!("`{name}` cannot be the name of a store, because {name}:// locations begin so; choose another")));
        }
        Ok(())
    }

    fn text(&self, name: &str) -> Result<Option<(&'t str, Range<usize>)>, ConfigError> {
        match self.entries.get(name) {
            None => Ok(None),
            Some(value) => match value.get_ref() {
                DeValue::String(text) => Ok(Some((text.as_ref(), value.span()))),
                other => Err(self.wrong_type(name, &value.span(), "a string", other)),
            },
        }
    }

    fn required_text(&self, name: &str) -> Result<(&'t str, Range<usize>), ConfigError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    fn sub_table(&self, name: &str, value: &'t Spanned<DeValue<'i>>) -> Result<Table<'t, 'i>, ConfigError> {
        match value.get_ref() {
            DeValue::Table(entries) => Ok(Table { source: self.source, path: self.dotted(name), span: value.span(), entries }),
            other => Err(self.wrong_type(name, &value.span(), "a table", other)),
        }
    }

    fn table(&self, name: &str) -> Result<Option<Table<'t, 'i>>, ConfigError> {
        self.entries.get(name).map(|value| self.sub_table(name, value)).transpose()
    }

    fn required_table(&self, name: &str) -> Result<Table<'t, 'i>, ConfigError> {
        self.table(name)?.ok_or_else(|| self.missing(name))
    }

    fn secret(&self, name: &str) -> Result<Option<SecretRef>, ConfigError> {
        let Some(value) = self.entries.get(name) else {
            return Ok(None);
        };
        let form = format!("write {name} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}; the value itself never stands in the file");
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(self.invalid(name, &value.span(), form));
        };
        let mut found = entries.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref()));
        match (found.next(), found.next()) {
            (Some(("env", DeValue::String(variable))), None) if is_variable(variable) => {
                Ok(Some(SecretRef { field: self.dotted(name), place: SecretPlace::Env(variable.clone().into_owned()) }))
            }
            (Some(("file", DeValue::String(path))), None) if !path.is_empty() => {
                let folder = self.source.file.parent().unwrap_or(Path::new(""));
                Ok(Some(SecretRef { field: self.dotted(name), place: SecretPlace::File(folder.join(path.as_ref())) }))
            }
            _ => Err(self.invalid(name, &value.span(), form)),
        }
    }

    fn required_secret(&self, name: &str) -> Result<SecretRef, ConfigError> {
        self.secret(name)?.ok_or_else(|| self.missing(name))
    }
}

/// Settings of other tools that users will try, and what to do instead.
const NOT_SUPPORTED: &[(&str, &str)] = &[
    ("dual_stack", "write the dual-stack host in `endpoint`, such as https://s3.dualstack.eu-central-1.amazonaws.com"),
    ("fips", "write the FIPS host in `endpoint`, such as https://s3-fips.us-gov-west-1.amazonaws.com"),
    ("accelerate", "write the acceleration host in `endpoint`: https://s3-accelerate.amazonaws.com"),
    ("use_arn_region", "access point ARNs cannot be signed; name a bucket"),
];

/// A name that a variable of the environment may have.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A word that may be shown: what is long or has other characters may be a secret in the wrong place.
fn is_word(text: &str) -> bool {
    (1..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
}

/// `did you mean X? allowed are ...`
fn allowed(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|name| (strsim::damerau_levenshtein(word, name), name)).min();
    let hint = match near {
        Some((distance, name)) if distance <= 1 + name.len() / 6 => format!("did you mean `{name}`? "),
        _ => String::new(),
    };
    format!("{hint}allowed: {}", known.join(", "))
}
