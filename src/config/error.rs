//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// A configuration that cannot be used: which file, where in it, which field, what is wrong and what is allowed. Never a value that may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    position: Option<(usize, usize)>,
    field: Option<String>,
    problem: ConfigProblem,
    message: String,
}

/// The kind of a [`ConfigError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// The file cannot be read.
    Unreadable,
    /// The text is not TOML.
    Syntax,
    /// A field that is not known.
    UnknownField,
    /// A field that is missing.
    MissingField,
    /// A value of the wrong type or outside of what is allowed.
    InvalidValue,
    /// The store is not in the file.
    UnknownStore,
}

impl ConfigError {
    pub(super) fn at(file: &Path, position: (usize, usize), field: Option<String>, problem: ConfigProblem, message: String) -> Self {
        Self { file: file.to_path_buf(), position: Some(position), field, problem, message }
    }

    pub(super) fn unreadable(file: &Path, reason: &str) -> Self {
        Self { file: file.to_path_buf(), position: None, field: None, problem: ConfigProblem::Unreadable, message: format!("cannot be read: {reason}") }
    }

    pub(super) fn unknown_store<'n>(file: &Path, name: &str, stores: impl Iterator<Item = &'n String>) -> Self {
        let message = format!("there is no store `{}`; the file has {}", name.escape_debug(), list(stores));
        Self { file: file.to_path_buf(), position: None, field: None, problem: ConfigProblem::UnknownStore, message }
    }

    pub(super) fn no_default<'n>(file: &Path, stores: impl Iterator<Item = &'n String>) -> Self {
        let message = format!("no store was named and the file sets no `default`; it has {}", list(stores));
        Self { file: file.to_path_buf(), position: None, field: None, problem: ConfigProblem::UnknownStore, message }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Line and column, from 1; columns count characters.
    #[must_use]
    pub const fn position(&self) -> Option<(usize, usize)> {
        self.position
    }

    /// The field, dotted: `stores.media.provider`.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The kind.
    #[must_use]
    pub const fn problem(&self) -> ConfigProblem {
        self.problem
    }

    /// The name of this error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.problem {
            ConfigProblem::Unreadable => "config_unreadable",
            ConfigProblem::Syntax => "config_syntax",
            ConfigProblem::UnknownField => "config_unknown_field",
            ConfigProblem::MissingField => "config_missing_field",
            ConfigProblem::InvalidValue => "config_invalid_value",
            ConfigProblem::UnknownStore => "unknown_store",
        }
    }
}

fn list<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// `FILE:LINE:COLUMN: FIELD: what is wrong`
impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file.display())?;
        if let Some((line, column)) = self.position {
            write!(formatter, ":{line}:{column}")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ": {field}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// The message: it is what a `main` that returns the error shows.
impl fmt::Debug for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for ConfigError {}
