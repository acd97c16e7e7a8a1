//! What can be signed: twelve operations and their HTTP methods.

use core::fmt;
use core::str::FromStr;

use crate::constraint::ConstraintName;

/// The twelve operations that can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Read an object.
    Get,
    /// Read an object's headers. Its signature differs from the one of [`Get`](Self::Get).
    Head,
    /// Write an object in one request, up to 5 GiB.
    Put,
    /// Delete an object.
    Delete,
    /// Write an object from another one.
    Copy,
    /// Begin an upload in parts.
    CreateMultipart,
    /// Write one part, up to 5 GiB.
    UploadPart,
    /// Write one part from another object.
    UploadPartCopy,
    /// Make the parts an object.
    CompleteMultipart,
    /// Throw the parts away.
    AbortMultipart,
    /// List the parts.
    ListParts,
    /// List the objects of the bucket.
    List,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Get,
        Self::Head,
        Self::Put,
        Self::Delete,
        Self::Copy,
        Self::CreateMultipart,
        Self::UploadPart,
        Self::UploadPartCopy,
        Self::CompleteMultipart,
        Self::AbortMultipart,
        Self::ListParts,
        Self::List,
    ];

    /// The word for it in the program, in batch lines and in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Copy => "copy",
            Self::CreateMultipart => "create-multipart",
            Self::UploadPart => "upload-part",
            Self::UploadPartCopy => "upload-part-copy",
            Self::CompleteMultipart => "complete-multipart",
            Self::AbortMultipart => "abort-multipart",
            Self::ListParts => "list-parts",
            Self::List => "list",
        }
    }

    /// The HTTP method, the same on both clouds.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Get | Self::ListParts | Self::List => Method::Get,
            Self::Head => Method::Head,
            Self::Put | Self::Copy | Self::UploadPart | Self::UploadPartCopy => Method::Put,
            Self::Delete | Self::AbortMultipart => Method::Delete,
            Self::CreateMultipart | Self::CompleteMultipart => Method::Post,
        }
    }

    /// The constraints without which it cannot be signed.
    #[must_use]
    pub const fn required(self) -> &'static [ConstraintName] {
        use ConstraintName::{CopySource, PartNumber, UploadId};
        match self {
            Self::Copy => &[CopySource],
            Self::UploadPart => &[UploadId, PartNumber],
            Self::UploadPartCopy => &[UploadId, PartNumber, CopySource],
            Self::CompleteMultipart | Self::AbortMultipart | Self::ListParts => &[UploadId],
            Self::Get | Self::Head | Self::Put | Self::Delete | Self::CreateMultipart | Self::List => &[],
        }
    }

    /// Whether its request has a body.
    #[must_use]
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Put | Self::UploadPart | Self::CompleteMultipart)
    }

    /// Whether it names an object; only [`List`](Self::List) does not.
    #[must_use]
    pub const fn takes_key(self) -> bool {
        !matches!(self, Self::List)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that is not an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an operation; use get, head, put, delete, copy, create-multipart, upload-part, upload-part-copy, complete-multipart, abort-multipart, list-parts or list"
)]
pub struct UnknownOperation;

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(word: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word).ok_or(UnknownOperation)
    }
}

/// The HTTP method of a signed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// PUT
    Put,
    /// POST
    Post,
    /// DELETE
    Delete,
}

impl Method {
    /// Upper case, as it is sent and signed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) const COUNT: usize = 5;

    /// The first line of a canonical request, by [`index`](Self::index).
    pub(crate) const LINES: [&'static str; Self::COUNT] = ["GET\n", "HEAD\n", "PUT\n", "POST\n", "DELETE\n"];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
