//! From flags and fields to what is signed.

use valetkey::{Constraint, ContentType, ObjectKey, ObjectRequest, Operation, PresignOptions};

use crate::args::{LifeArgs, RequestArgs};
use crate::error::CliError;

/// `NAME=VALUE`
pub(crate) fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE; the value may be empty"),
    }
}

/// `NAME: VALUE`; the blanks around the value are not part of it.
pub(crate) fn header(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned())),
        _ => Err("write 'NAME: VALUE'; the value may be empty"),
    }
}

/// The operation that a word names.
pub(crate) fn operation(word: &str) -> Result<Operation, CliError> {
    word.parse().map_err(|error: valetkey::UnknownOperation| {
        let shown: String = word.chars().take(40).collect();
        CliError::usage("unknown_operation", format!("`{shown}` is {error}"))
    })
}

/// A request of these parts. `key` is taken literally; left out for a list alone.
pub(crate) fn build(operation: Operation, key: Option<&str>, args: RequestArgs) -> Result<ObjectRequest, CliError> {
    let key = match key {
        Some(_) if !operation.takes_key() => {
            return Err(CliError::usage("unexpected_key", format!("`{operation}` takes no key; leave it out, or use --prefix (in a batch, query.prefix)")));
        }
        Some(key) => Some(ObjectKey::new(key).map_err(valetkey::PresignError::from)?),
        None if operation.takes_key() => {
            return Err(CliError::usage("missing_key", format!("`{operation}` needs an object key; name it after the bucket or store (in a batch, as `key`)")));
        }
        None => None,
    };
    let mut constraints: Vec<Constraint> = Vec::new();
    constraints.extend(args.content_type.map(|value| Constraint::ContentType(ContentType::Fixed(value))));
    constraints.extend(args.content_length.map(Constraint::ContentLength));
    constraints.extend(args.content_md5.map(Constraint::ContentMd5));
    constraints.extend(args.checksum.map(Constraint::Checksum));
    constraints.extend(args.meta.into_iter().map(|(name, value)| Constraint::Metadata { name, value }));
    constraints.extend(args.version_id.map(Constraint::VersionId));
    constraints.extend(args.upload_id.map(Constraint::UploadId));
    constraints.extend(args.part_number.map(Constraint::PartNumber));
    constraints.extend(args.copy_source.map(Constraint::CopySource));
    constraints.extend(args.create_only.then_some(Constraint::CreateOnly));
    constraints.extend(args.download_name.map(Constraint::DownloadName));
    constraints.extend(args.prefix.map(Constraint::Prefix));
    constraints.extend(args.delimiter.map(Constraint::Delimiter));
    constraints.extend(args.max_keys.map(Constraint::MaxKeys));
    constraints.extend(args.continuation_token.map(Constraint::ContinuationToken));
    constraints.extend(args.header.into_iter().map(|(name, value)| Constraint::Header { name, value }));
    constraints.extend(args.query.into_iter().map(|(name, value)| Constraint::Query { name, value }));
    Ok(constraints.into_iter().fold(ObjectRequest::new(operation, key), ObjectRequest::with))
}

impl LifeArgs {
    /// When to sign and for how long.
    pub(crate) fn options(&self) -> PresignOptions {
        let mut options = PresignOptions::new();
        if let Some(life) = self.expires {
            options = options.expires_in(life);
        }
        if let Some(end) = self.expires_at {
            options = options.expires_at(end);
        }
        match self.at {
            Some(moment) => options.signed_at(moment),
            None => options,
        }
    }
}
