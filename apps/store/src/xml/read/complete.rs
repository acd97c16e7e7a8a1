//! The list of parts that completes an upload.

use super::walk::{Elements, malformed, walk};
use crate::{
    StoreError,
    digest::Algorithm,
    objects::{CompletePart, MAX_PART_NUMBER},
};

/// The largest list of parts that is read, in bytes. 10,000 parts with a checksum each fit.
pub(crate) const MAX_LIST_BODY: usize = 2 << 20;

/// No list needs more levels than `CompleteMultipartUpload/Part/ETag`.
const MAX_DEPTH: usize = 3;

/// Reads a `CompleteMultipartUpload` body. Document types and entities of its own are refused, attributes and unknown elements are not
/// looked at, and the parts' numbers must ascend, each only once.
pub(crate) fn complete_list(body: &[u8]) -> Result<Vec<CompletePart>, StoreError> {
    if body.len() > MAX_LIST_BODY {
        return Err(malformed("the list is too long"));
    }
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let mut list = List::default();
    walk(text, &mut list)?;
    list.finish()
}

/// What an element's text is for.
#[derive(Clone, Copy)]
enum Field {
    Number,
    ETag,
    Checksum(Algorithm),
    Other,
}

/// A part whose end has not come yet: number, ETag, checksums.
type OpenPart = (Option<u16>, Option<String>, Vec<(Algorithm, String)>);

#[derive(Default)]
struct List {
    parts: Vec<CompletePart>,
    depth: usize,
    seen_root: bool,
    part: Option<OpenPart>,
    field: Option<(Field, String)>,
}

impl Elements for List {
    fn open(&mut self, name: &str) -> Result<(), StoreError> {
        self.depth = self.depth.saturating_add(1);
        match self.depth {
            1 if !self.seen_root && name == "CompleteMultipartUpload" => self.seen_root = true,
            1 => return Err(malformed("it is not one CompleteMultipartUpload")),
            2 if name == "Part" => self.part = Some((None, None, Vec::new())),
            2 => return Err(malformed("it has something other than parts")),
            MAX_DEPTH => self.field = Some((field(name), String::new())),
            _ => return Err(malformed("it is nested too deeply")),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), StoreError> {
        match &mut self.field {
            Some((_, field)) => field.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed("it has text between its elements")),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if self.depth == MAX_DEPTH {
            self.close_field()?;
        } else if self.depth == 2 {
            let (number, etag, checksums) = self.part.take().ok_or_else(|| malformed("it is not well-formed"))?;
            let (Some(number), Some(etag)) = (number, etag) else { return Err(malformed("a part has no PartNumber or no ETag")) };
            if self.parts.last().is_some_and(|last| last.number == number) {
                return Err(malformed("a part is listed twice"));
            }
            if self.parts.len() >= usize::from(MAX_PART_NUMBER) {
                return Err(malformed("there are more than 10000 parts"));
            }
            self.parts.push(CompletePart { number, etag, checksums });
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }
}

impl List {
    fn close_field(&mut self) -> Result<(), StoreError> {
        let (Some((field, text)), Some((number, etag, checksums))) = (self.field.take(), &mut self.part) else {
            return Err(malformed("it is not well-formed"));
        };
        let text = text.trim();
        let twice = || malformed("a part has an element twice");
        match field {
            Field::Number => {
                let value = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
                let value = value.filter(|n| (1..=MAX_PART_NUMBER).contains(n)).ok_or_else(|| malformed("a PartNumber is not from 1 to 10000"))?;
                number.replace(value).map_or(Ok(()), |_| Err(twice()))
            }
            Field::ETag => etag.replace(text.to_owned()).map_or(Ok(()), |_| Err(twice())),
            Field::Checksum(algorithm) if checksums.iter().any(|(seen, _)| *seen == algorithm) => Err(twice()),
            Field::Checksum(algorithm) => {
                checksums.push((algorithm, text.to_owned()));
                Ok(())
            }
            Field::Other => Ok(()),
        }
    }

    fn finish(self) -> Result<Vec<CompletePart>, StoreError> {
        if !self.seen_root || self.depth != 0 {
            return Err(malformed("it is not one CompleteMultipartUpload"));
        }
        if self.parts.is_empty() {
            return Err(malformed("an upload is completed with at least one part"));
        }
        Ok(self.parts)
    }
}

fn field(name: &str) -> Field {
    match name {
        "PartNumber" => Field::Number,
        "ETag" => Field::ETag,
        _ => {
            let algorithm = name.strip_prefix("Checksum").and_then(Algorithm::from_name);
            algorithm.map_or(Field::Other, Field::Checksum)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(inside: &str) -> String {
        format!("<CompleteMultipartUpload>{inside}</CompleteMultipartUpload>")
    }

    fn part(number: u32) -> String {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>e{number}</ETag></Part>")
    }

    #[test]
    fn lists_of_the_sdks() {
        let body = "<?xml version=\"1.0\"?>\n<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n <Part>\n  \
                    <ETag>&quot;a&#45;b&quot;</ETag><PartNumber>1</PartNumber><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part><!-- --><Part><PartNumber>10000</PartNumber>\
                    <ETag>\"c\"</ETag><Other/></Part></CompleteMultipartUpload>\n";
        let parts = complete_list(body.as_bytes()).unwrap();
        assert_eq!(
            parts,
            [
                CompletePart { number: 1, etag: "\"a-b\"".into(), checksums: vec![(Algorithm::Crc32, "AAAAAA==".into())] },
                CompletePart { number: 10_000, etag: "\"c\"".into(), checksums: vec![] },
            ]
        );
        let all: String = (1..=10_000).map(part).collect();
        assert_eq!(complete_list(wrap(&all).as_bytes()).unwrap().len(), 10_000);
    }

    #[test]
    fn everything_else_is_refused() {
        let one = part(1);
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let attributes: String = (0..80_000).map(|n| format!(" a{n}=\"x\"")).collect();
        let many: String = (1..=10_001).map(part).collect();
        let table = [
            String::new(),
            "x".into(),
            one.clone(),
            wrap(""),
            wrap("<Part/>"),
            wrap("<Part><PartNumber>1</PartNumber></Part>"),
            wrap("<Part><ETag>e</ETag></Part>"),
            wrap("<Part><PartNumber>0</PartNumber><ETag>e</ETag></Part>"),
            wrap("<Part><PartNumber>+1</PartNumber><ETag>e</ETag></Part>"),
            wrap("<Part><PartNumber>10001</PartNumber><ETag>e</ETag></Part>"),
            wrap("<Part><PartNumber>1</PartNumber><PartNumber>1</PartNumber><ETag>e</ETag></Part>"),
            wrap("<Part><PartNumber>1</PartNumber><ETag>e</ETag><ETag>e</ETag></Part>"),
            wrap("<Part><PartNumber>1</PartNumber><ETag><b>e</b></ETag></Part>"),
            wrap(&format!("{one}{one}")),
            wrap(&format!("x{one}")),
            wrap(&many),
            wrap(&deep),
            format!("{}{}", wrap(&one), wrap(&one)),
            format!("<CompleteMultipartUpload>{one}"),
            format!("<CompleteMultipartUpload>{one}</Other>"),
            format!("<Other>{one}</Other>"),
            format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", wrap(&one)),
            format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{}", wrap(&one)),
            wrap("<Part><PartNumber>1</PartNumber><ETag>&own;</ETag></Part>"),
            wrap("<Part><PartNumber>1</PartNumber><ETag>&#xD800;</ETag></Part>"),
            format!("<CompleteMultipartUpload{attributes}></CompleteMultipartUpload>"),
            format!("{}{}", wrap(&one), " ".repeat(MAX_LIST_BODY)),
        ];
        for body in table {
            let result = complete_list(body.as_bytes());
            assert!(matches!(result, Err(StoreError::MalformedXml { .. })), "{} {result:?}", body.chars().take(200).collect::<String>());
        }
        assert!(complete_list(b"\xff").is_err());
    }
}
