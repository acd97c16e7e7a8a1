//! One line of a batch: what its JSON says, signed.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use valetkey::{Checksum, ContentMd5, PresignOptions, PresignedRequest, Timestamp};

use crate::args::{LifeArgs, RequestArgs};
use crate::error::CliError;
use crate::location::Signer;
use crate::request;
use crate::session::Session;

/// What to do about a line that is no JSON.
const FORM: &str = "write one JSON object per line";

/// Signs a line into `signed`; with the session's own life if the line names none.
pub(super) fn sign(
    signer: &Signer,
    session: Option<&Session<'_>>,
    line: &[u8],
    defaults: &LifeArgs,
    signed: &mut Option<PresignedRequest>,
) -> Result<(), CliError> {
    let malformed = |reason: String| CliError::usage("malformed_line", reason);
    let text = std::str::from_utf8(line).map_err(|_| malformed(format!("the line is not UTF-8; {FORM}")))?;
    // The deserializer would also take the fields as a list.
    if !text.trim_start_matches([' ', '\t', '\r']).starts_with('{') {
        return Err(malformed(format!("the line is not a JSON object; {FORM}")));
    }
    let mut line: Line<'_> = serde_json::from_str(text).map_err(|error| malformed(reason(&error)))?;
    let session = session.filter(|_| line.expires_in.is_none() && line.expires_at.is_none());
    let options = line.options(defaults)?;
    let Some(operation) = &line.operation else {
        return Err(malformed("the field `operation` is missing; write \"operation\":\"get\", or put, head, delete, list ...".to_owned()));
    };
    let operation = request::operation(&operation.0)?;
    let key = line.key.take();
    let request = request::build(operation, key.as_ref().map(|key| &*key.0), line.into_args()?)?;
    match session {
        Some(session) => session.sign_into(&request, signed.get_or_insert_with(|| session.blank()))?,
        None => *signed = Some(signer.sign(&request, &options)?),
    }
    Ok(())
}

/// The parser's sentence with the column alone: its line is always 1.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" at line {} column {}", error.line(), error.column())).unwrap_or(&text);
    // A wrong field is named; what is no JSON at all leaves the reader alone.
    let hint = if error.is_data() { String::new() } else { format!("; {FORM}") };
    format!("{text} (column {}){hint}", error.column())
}

fn invalid(field: &str, reason: &dyn fmt::Display) -> CliError {
    CliError::usage("invalid_value", format!("{field}: {reason}"))
}

/// The fields of a line; one that is `null` is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    operation: Option<Text<'a>>,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    content_type: Option<Text<'a>>,
    content_length: Option<u64>,
    #[serde(borrow)]
    content_md5: Option<Text<'a>>,
    checksum: Option<Pairs>,
    metadata: Option<Pairs>,
    headers: Option<Pairs>,
    query: Option<Pairs>,
    #[serde(borrow)]
    version_id: Option<Text<'a>>,
    #[serde(borrow)]
    upload_id: Option<Text<'a>>,
    part_number: Option<u32>,
    #[serde(borrow)]
    copy_source: Option<Text<'a>>,
    create_only: Option<bool>,
    expires_in: Option<u64>,
    #[serde(borrow)]
    expires_at: Option<Text<'a>>,
}

impl Line<'_> {
    fn options(&self, defaults: &LifeArgs) -> Result<PresignOptions, CliError> {
        let end = self.expires_at.as_ref().map(|end| end.0.parse::<Timestamp>()).transpose();
        let end = end.map_err(|error| invalid("expires_at", &error))?;
        let own = self.expires_in.is_some() || end.is_some();
        let life = LifeArgs {
            expires: if own { self.expires_in.map(std::time::Duration::from_secs) } else { defaults.expires },
            expires_at: if own { end } else { defaults.expires_at },
            at: defaults.at,
        };
        Ok(life.options())
    }

    fn into_args(self) -> Result<RequestArgs, CliError> {
        let checksum = match self.checksum.map(|pairs| pairs.0) {
            None => None,
            Some(pairs) => match pairs.as_slice() {
                [(algorithm, value)] => Some(format!("{algorithm}={value}").parse::<Checksum>().map_err(|error| invalid("checksum", &error))?),
                _ => return Err(invalid("checksum", &"give one algorithm with its value, such as {\"sha256\":\"...\"}")),
            },
        };
        let content_md5 = self.content_md5.as_ref().map(|md5| ContentMd5::from_base64(&md5.0)).transpose();
        let copy_source = self.copy_source.as_ref().map(|source| source.0.parse()).transpose();
        Ok(RequestArgs {
            content_type: self.content_type.map(Text::into_owned),
            content_length: self.content_length,
            content_md5: content_md5.map_err(|error| invalid("content_md5", &error))?,
            checksum,
            meta: self.metadata.unwrap_or_default().0,
            header: self.headers.unwrap_or_default().0,
            query: self.query.unwrap_or_default().0,
            version_id: self.version_id.map(Text::into_owned),
            upload_id: self.upload_id.map(Text::into_owned),
            part_number: self.part_number,
            copy_source: copy_source.map_err(|error: valetkey::ValueError| invalid("copy_source", &error))?,
            create_only: self.create_only.unwrap_or_default(),
            ..RequestArgs::default()
        })
    }
}

/// A text, borrowed from the line where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

/// An object of texts in its own order, without what is `null`; a name that stands twice is an error.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of names and texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut names = std::collections::HashSet::new();
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format_args!("duplicate name `{name}`")));
                    }
                    pairs.extend(value.map(|value| (name, value)));
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}
