//! From flags and fields to what is signed.

use valetkey::{Constraint, ContentType, ObjectKey, ObjectRequest, Operation, PresignOptions};

use crate::args::{LifeArgs, RequestArgs, TypeRule};
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

/// A number of bytes, plain or of a binary unit: `52113`, `5MiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (number, bits) = units.iter().find_map(|(unit, bits)| Some((text.strip_suffix(unit)?, *bits))).unwrap_or((text, 0));
    let number = Some(number).filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(number) = number else {
        return Err("the size is a whole number of bytes, KiB, MiB or GiB, such as 52113 or 5MiB; KB, MB and GB mean two things and are not taken".to_owned());
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << bits)).ok_or_else(|| "the size is larger than any file".to_owned())
}

/// `image/png`, `image/*`, `image/png,image/jpeg`
pub(crate) fn type_rule(text: &str) -> Result<TypeRule, &'static str> {
    let is_whole = |text: &str| !text.contains('*') && text.split_once('/').is_some_and(|(class, rest)| !class.is_empty() && !rest.is_empty());
    if text == "*/*" {
        return Ok(TypeRule::Prefix(String::new()));
    }
    if let Some(class) = text.strip_suffix("/*").filter(|class| !class.is_empty() && !class.contains(['/', '*', ','])) {
        return Ok(TypeRule::Prefix(format!("{class}/")));
    }
    if text.contains(',') {
        let types: Vec<String> = text.split(',').map(|one| one.trim().to_owned()).collect();
        return if types.iter().all(|one| is_whole(one)) { Ok(TypeRule::OneOf(types)) } else { Err("a list is of whole types, such as image/png,image/jpeg") };
    }
    if is_whole(text) { Ok(TypeRule::Exact(text.to_owned())) } else { Err("the type is TYPE/SUBTYPE, 'TYPE/*', or a list of types with `,` between them") }
}

/// What a store answers to an upload.
pub(crate) fn success_status(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|status| [200, 201, 204].contains(status)).ok_or("the status is 200, 201 or 204")
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
