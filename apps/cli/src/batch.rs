//! `valetkey presign --batch FILE LOCATION`: one line of JSON in, one line of JSON out, in bounded memory.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write as _};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use valetkey::{Checksum, ContentMd5, PresignOptions, PresignedRequest, Timestamp, error_json};

use crate::args::{Global, LifeArgs, PresignArgs, PresignOutput, RequestArgs};
use crate::error::CliError;
use crate::location::{Location, Signer};
use crate::{input, output, request};

/// The longest line that is read.
const MAX_LINE: usize = 1024 * 1024;
/// What some editors write before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Signs each line and goes on after one that fails.
pub(crate) fn run(global: &Global, args: &PresignArgs) -> Result<(), CliError> {
    let location = location(args)?;
    let Some(file) = &args.batch else {
        return Err(CliError::usage("usage", "--batch is missing"));
    };
    let input = input::open(file)?;
    let signer = Signer::of(&location, global, &args.place)?;
    signer.check_credentials(args.life.at)?;
    let input = without_mark(input).map_err(|error| CliError::failure("input", format!("line 1 cannot be read: {error}")))?;
    let mut input = BufReader::with_capacity(64 * 1024, input);
    let mut out = output::lines();
    let mut line = Vec::new();
    let (mut number, mut signed, mut failed) = (0_u64, 0_u64, 0_u64);
    loop {
        // A program that waits for the answer to its line before it writes the next one must get it.
        if input.buffer().is_empty() {
            out.flush()?;
        }
        let read = read_line(&mut input, &mut line).map_err(|error| CliError::failure("input", format!("line {} cannot be read: {error}", number + 1)))?;
        number += 1;
        let answer = match read {
            LineRead::End => break,
            LineRead::TooLong => Err(CliError::usage("line_too_long", format!("the line has more than {MAX_LINE} bytes; split it"))),
            LineRead::Line if line.iter().all(u8::is_ascii_whitespace) => continue,
            LineRead::Line => sign(&signer, &line, &args.life),
        };
        let text = match answer {
            Ok(presigned) => {
                signed += 1;
                presigned.to_json()
            }
            Err(error) => {
                failed += 1;
                error_json(error.code(), &format!("line {number}: {}", output::one_line(&error.to_string())))
            }
        };
        writeln!(out, "{text}")?;
    }
    out.flush()?;
    match failed {
        0 => Ok(()),
        _ => Err(CliError::refused("batch_failed", format!("{failed} of {} lines failed; each says why in its line of the output", signed + failed))),
    }
}

/// The bucket or store; what to sign stands in the lines and nowhere else.
fn location(args: &PresignArgs) -> Result<Location, CliError> {
    let [location] = args.words.as_slice() else {
        return Err(CliError::usage("usage", "--batch takes one location and no operation; write `valetkey presign --batch FILE s3://BUCKET`, or STORE:"));
    };
    let location: Location = location.parse()?;
    if location.key().is_some() {
        return Err(CliError::usage("invalid_location", "with --batch the location has no key; keys stand in the lines"));
    }
    if args.request != RequestArgs::default() {
        let message =
            "with --batch, what to sign stands in the lines; leave out all flags but --region, --endpoint, --addressing, --expires, --expires-at and --at";
        return Err(CliError::usage("usage", message));
    }
    if args.output.is_some_and(|form| form != PresignOutput::Json) {
        return Err(CliError::usage("usage", "--batch prints JSON; leave --output out"));
    }
    Ok(location)
}

/// The input without a byte order mark at its beginning.
fn without_mark(mut input: impl Read) -> io::Result<impl Read> {
    let mut start = Vec::new();
    input.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start).chain(input))
}

/// What came of reading a line.
enum LineRead {
    Line,
    TooLong,
    End,
}

/// Reads up to the next line end into `line`; the rest of a line that is too long is skipped without being kept.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    line.clear();
    let mut too_long = false;
    let mut anything = false;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(if too_long {
                LineRead::TooLong
            } else if anything {
                LineRead::Line
            } else {
                LineRead::End
            });
        }
        anything = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let piece = available.get(..end.unwrap_or(available.len())).unwrap_or(available);
        if line.len() + piece.len() > MAX_LINE {
            too_long = true;
            line.clear();
        } else if !too_long {
            line.extend_from_slice(piece);
        }
        let used = piece.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { LineRead::TooLong } else { LineRead::Line });
        }
    }
}

/// What to do about a line that is no JSON.
const FORM: &str = "write one JSON object per line";

fn sign(signer: &Signer, line: &[u8], defaults: &LifeArgs) -> Result<PresignedRequest, CliError> {
    let malformed = |reason: String| CliError::usage("malformed_line", reason);
    let text = std::str::from_utf8(line).map_err(|_| malformed(format!("the line is not UTF-8; {FORM}")))?;
    // The deserializer would also take the fields as a list.
    if !text.trim_start_matches([' ', '\t', '\r']).starts_with('{') {
        return Err(malformed(format!("the line is not a JSON object; {FORM}")));
    }
    let line: Line = serde_json::from_str(text).map_err(|error| malformed(reason(&error)))?;
    let options = line.options(defaults)?;
    let Some(operation) = &line.operation else {
        return Err(malformed("the field `operation` is missing; write \"operation\":\"get\", or put, head, delete, list ...".to_owned()));
    };
    let operation = request::operation(operation)?;
    let request = request::build(operation, line.key.clone().as_deref(), line.into_args()?)?;
    Ok(signer.sign(&request, &options)?)
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
struct Line {
    operation: Option<String>,
    key: Option<String>,
    content_type: Option<String>,
    content_length: Option<u64>,
    content_md5: Option<String>,
    checksum: Option<Pairs>,
    metadata: Option<Pairs>,
    headers: Option<Pairs>,
    query: Option<Pairs>,
    version_id: Option<String>,
    upload_id: Option<String>,
    part_number: Option<u32>,
    copy_source: Option<String>,
    create_only: Option<bool>,
    expires_in: Option<u64>,
    expires_at: Option<String>,
}

impl Line {
    fn options(&self, defaults: &LifeArgs) -> Result<PresignOptions, CliError> {
        let end = self.expires_at.as_deref().map(str::parse::<Timestamp>).transpose();
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
        let content_md5 = self.content_md5.as_deref().map(ContentMd5::from_base64).transpose();
        let copy_source = self.copy_source.as_deref().map(str::parse).transpose();
        Ok(RequestArgs {
            content_type: self.content_type,
            content_length: self.content_length,
            content_md5: content_md5.map_err(|error| invalid("content_md5", &error))?,
            checksum,
            meta: self.metadata.unwrap_or_default().0,
            header: self.headers.unwrap_or_default().0,
            query: self.query.unwrap_or_default().0,
            version_id: self.version_id,
            upload_id: self.upload_id,
            part_number: self.part_number,
            copy_source: copy_source.map_err(|error: valetkey::ValueError| invalid("copy_source", &error))?,
            create_only: self.create_only.unwrap_or_default(),
            ..RequestArgs::default()
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_are_read_in_bounded_memory() {
        let long = vec![b'x'; 3 * MAX_LINE];
        let exact = vec![b'y'; MAX_LINE];
        let text = [b"a\n\n".as_slice(), &long, b"\n", &exact, b"\nlast"].concat();
        for capacity in [1, 7, 64 * 1024] {
            let mut input = BufReader::with_capacity(capacity, text.as_slice());
            let mut line = Vec::new();
            let mut seen = Vec::new();
            loop {
                match read_line(&mut input, &mut line).unwrap() {
                    LineRead::End => break,
                    LineRead::TooLong => seen.push(None),
                    LineRead::Line => seen.push(Some(line.len())),
                }
                assert!(line.capacity() <= 2 * MAX_LINE);
            }
            assert_eq!(seen, [Some(1), Some(0), None, Some(MAX_LINE), Some(4)]);
        }
    }
}
