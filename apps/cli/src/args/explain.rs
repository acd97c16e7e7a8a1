//! One line for what is wrong with a command line.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::CliError;

/// What is wrong with a command line, in one line. Values are repeated only where a list of words is allowed; others may be anything.
pub(crate) fn explain(error: &clap::Error) -> CliError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let flag = context(ContextKind::InvalidArg).unwrap_or_default();
    // `--expires <DURATION>`: what it takes is in the reason.
    let flag = flag.split(' ').next().unwrap_or_default();
    let near = |kind| context(kind).map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument if ["secret", "password", "token", "credential"].iter().any(|word| flag.contains(word)) => {
            format!(
                "`{}` is not a flag: no flag takes a secret; set the provider's environment variables, or name their place in the configuration",
                clipped(flag)
            )
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            // The library suggests words that only begin alike.
            let is_near = context(ContextKind::SuggestedArg).is_some_and(|word| strsim::damerau_levenshtein(flag, &word) <= 2);
            let hint = if is_near {
                near(ContextKind::SuggestedArg)
            } else if flag.starts_with("--") {
                "; see --help for the flags (presign takes other headers and parameters with --header and --query)".to_owned()
            } else {
                "; see --help, and write a value that begins with `-` as --flag=VALUE".to_owned()
            };
            format!("`{}` is not a flag here{hint}", clipped(flag))
        }
        ErrorKind::UnknownArgument | ErrorKind::TooManyValues => "there is a word too many; see --help, and quote keys that have blanks".to_owned(),
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            let hint = near(ContextKind::SuggestedSubcommand);
            format!("`{}` is not a command; use presign, put, get, post, verify, store or demo{hint}", clipped(&word))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command was given; use presign, put, get, post, verify, store or demo, or --help".to_owned()
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).unwrap_or_default().is_empty() => {
            format!("`{flag}` needs a value; a value that begins with `-` is written {flag}=VALUE")
        }
        ErrorKind::InvalidValue => {
            let word = context(ContextKind::InvalidValue).unwrap_or_default();
            format!("{flag}: `{}` is not one of {}", clipped(&word), context(ContextKind::ValidValue).unwrap_or_default())
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map_or_else(|| "the value cannot be read".to_owned(), ToString::to_string);
            format!("{flag}: {reason}")
        }
        ErrorKind::ArgumentConflict => format!("`{flag}` is given more than once; give it once"),
        ErrorKind::MissingRequiredArgument => format!("{} is missing; see --help", context(ContextKind::InvalidArg).unwrap_or_default()),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8; keys and values must be".to_owned(),
        other => format!("{}; see --help", other.as_str().unwrap_or("the command line cannot be read")),
    };
    CliError::usage("usage", message)
}

/// The beginning of a word that may be of any length.
fn clipped(word: &str) -> String {
    let mut chars = word.chars();
    let start: String = chars.by_ref().take(40).collect();
    if chars.next().is_some() { format!("{start}...") } else { start }
}
