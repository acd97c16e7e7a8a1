//! Why a transfer did not succeed.

use std::path::PathBuf;

use valetkey_core::{Operation, PresignError};

/// Why a transfer did not succeed. No variant holds the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The store refused.
    #[error("the store refused with {status} {}: {}", code.as_deref().unwrap_or("(no code)"), message.as_deref().unwrap_or("(no message)"))]
    Refused {
        /// HTTP status.
        status: u16,
        /// `Code` of the error body.
        code: Option<String>,
        /// `Message` of the error body.
        message: Option<String>,
    },
    /// No answer.
    #[error("no answer from the store: {reason}")]
    NoAnswer {
        /// What went wrong, without the URL.
        reason: String,
    },
    /// The request cannot be sent as it was signed.
    #[error("the request cannot be sent: {reason}")]
    Unsendable {
        /// What is wrong.
        reason: String,
    },
    /// The request is none that can be a transfer.
    #[error("this cannot be transferred: {reason}")]
    InvalidRequest {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The request cannot be signed.
    #[error(transparent)]
    Presign(#[from] PresignError),
    /// Larger than any object may be.
    #[error("{size} bytes are more than an object may have, {max}; only several objects can hold them")]
    TooLarge {
        /// Bytes.
        size: u64,
        /// The most that there may be.
        max: u64,
    },
    /// Something that binds one request and cannot bind an upload in parts.
    #[error("`{constraint}` cannot be kept by an upload in parts: {reason}")]
    NotInParts {
        /// What it is, such as `content-md5`.
        constraint: String,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// The file changed while it was sent. An upload in parts is not completed.
    #[error("{} changed while it was sent ({what}); send it again when nothing writes to it", path.display())]
    SourceChanged {
        /// The file.
        path: PathBuf,
        /// Size or time.
        what: &'static str,
    },
    /// Another object took the place of the one that was being fetched.
    #[error("the object changed while it was fetched; fetch it again")]
    ObjectChanged,
    /// What arrived is not what was sent.
    #[error("the {algorithm} of the bytes is {computed} here and {told} at the store; transfer them again")]
    ChecksumMismatch {
        /// Name of the checksum, such as `crc64nvme`.
        algorithm: &'static str,
        /// As the store tells it.
        told: String,
        /// As it is here.
        computed: String,
    },
    /// An answer that does not belong to the request.
    #[error("the store's answer to `{operation}` cannot be used: {reason}")]
    UnexpectedAnswer {
        /// The operation.
        operation: Operation,
        /// What is wrong with it.
        reason: String,
    },
    /// The record of an earlier transfer cannot be used.
    #[error("{} {reason}", path.display())]
    State {
        /// The file with the record.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, such as `open`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The writer that was given failed.
    #[error("the bytes cannot be written: {0}")]
    Write(#[source] std::io::Error),
    /// The caller ended the transfer.
    #[error("the transfer was ended")]
    Cancelled,
}

impl TransferError {
    /// The name of the error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::NoAnswer { .. } => "no_answer",
            Self::Unsendable { .. } => "unsendable",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::Presign(error) => error.code(),
            Self::TooLarge { .. } => "too_large",
            Self::NotInParts { .. } => "not_in_parts",
            Self::SourceChanged { .. } => "source_changed",
            Self::ObjectChanged => "object_changed",
            Self::ChecksumMismatch { .. } => "checksum_mismatch",
            Self::UnexpectedAnswer { .. } => "unexpected_answer",
            Self::State { .. } => "transfer_state",
            Self::File { .. } => "file",
            Self::Write(_) => "output",
            Self::Cancelled => "interrupted",
        }
    }

    pub(super) fn no_answer(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::NoAnswer { reason }
    }
}
