//! Why the program ends without success: an exit code, a name for JSON, and one line that says what to do.

use std::fmt;
use std::io;

use valetkey::transfer::TransferError;
use valetkey::{ConfigError, CredentialsError, LifeError, PresignError, TargetError};

/// The exit codes that scripts rely on.
mod exit {
    pub(super) const FAILURE: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const SETUP: u8 = 3;
    pub(super) const REFUSED: u8 = 4;
    pub(super) const NO_ANSWER: u8 = 5;
    pub(super) const INTERRUPTED: u8 = 130;
}

/// The message of somebody who did not wait for the end of what the first interruption began.
const AT_ONCE: &str = "interrupted at once";

/// An error of the program.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: u8,
    code: &'static str,
    message: String,
}

impl CliError {
    /// Something failed that is not the caller's mistake.
    pub(crate) fn failure(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: exit::FAILURE, code, message: message.into() }
    }

    /// The command line is wrong.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: exit::USAGE, code, message: message.into() }
    }

    /// Configuration or credentials are wrong or missing.
    pub(crate) fn setup(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: exit::SETUP, code, message: message.into() }
    }

    /// Some of the work was refused.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: exit::REFUSED, code, message: message.into() }
    }

    /// The user does not want to wait.
    pub(crate) fn interrupted() -> Self {
        Self { exit: exit::INTERRUPTED, code: "interrupted", message: "interrupted".to_owned() }
    }

    /// The user does not want to wait for the cleaning up either.
    pub(crate) fn interrupted_at_once() -> Self {
        Self { message: AT_ONCE.to_owned(), ..Self::interrupted() }
    }

    /// A fault of the program; the panic hook has said where.
    pub(crate) fn internal() -> Self {
        Self::failure("internal", "")
    }

    /// The reader of our output went away, which is no error: it has what it wanted.
    fn reader_gone() -> Self {
        Self { exit: 0, code: "closed", message: String::new() }
    }

    /// Settings that no URL can be made of: the command line's mistake when it said so, else the environment's or the configuration's.
    pub(crate) fn target(error: &TargetError, on_command_line: bool) -> Self {
        let kind = if on_command_line && !matches!(error, TargetError::MissingRegion) { Self::usage } else { Self::setup };
        kind(error.code(), error.to_string())
    }

    /// The exit code.
    pub(crate) const fn exit(&self) -> u8 {
        self.exit
    }

    /// The name in JSON.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// The same with what else is to be known.
    pub(crate) fn and(self, more: &str) -> Self {
        Self { message: format!("{}; {more}", self.message), ..self }
    }

    /// Whether the user ended it.
    pub(crate) const fn is_interruption(&self) -> bool {
        self.exit == exit::INTERRUPTED
    }

    /// Whether the user ended the cleaning up as well.
    pub(crate) fn is_at_once(&self) -> bool {
        self.is_interruption() && self.message == AT_ONCE
    }

    /// Whether there is nothing to say.
    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<PresignError> for CliError {
    fn from(error: PresignError) -> Self {
        let about_setup = matches!(error, PresignError::Credentials(_) | PresignError::Target(_) | PresignError::Life(LifeError::CredentialsEnded { .. }));
        let kind = if about_setup { Self::setup } else { Self::usage };
        kind(error.code(), error.to_string())
    }
}

impl From<CredentialsError> for CliError {
    fn from(error: CredentialsError) -> Self {
        Self::setup(error.code(), error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::setup(error.code(), error.to_string())
    }
}

/// The store's own words, which are printed as one line like all others.
impl From<TransferError> for CliError {
    fn from(error: TransferError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            TransferError::Refused { .. } => Self::refused(code, message),
            TransferError::NoAnswer { .. } => Self { exit: exit::NO_ANSWER, code, message },
            TransferError::Presign(error) => error.into(),
            TransferError::InvalidRequest { .. } | TransferError::TooLarge { .. } | TransferError::NotInParts { .. } => Self::usage(code, message),
            TransferError::Write(error) => error.into(),
            TransferError::Cancelled => Self::interrupted(),
            _ => Self::failure(code, message),
        }
    }
}

/// Errors of writing the output; others are named where they happen.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::reader_gone() } else { Self::failure("output", format!("the output cannot be written: {error}")) }
    }
}
