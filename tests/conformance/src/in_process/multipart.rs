//! `multipart/form-data`, read as strictly as the suite writes it: what one reader skips another obeys.

use valetkey_core::verify::FormError;

/// A form that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    /// In the order received.
    pub(super) fields: Vec<(String, String)>,
    pub(super) file_name: String,
    pub(super) file: Vec<u8>,
    /// What follows the file, which is judged when the form is: a store that reads a stream has judged the fields by then.
    pub(super) after: Result<(), FormError>,
}

/// The boundary, when a content type is that of a form.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
    (!boundary.is_empty() && !boundary.contains([';', '"', ' '])).then_some(boundary)
}

/// Fields, then one file, then nothing.
pub(super) fn read(boundary: &str, body: &[u8]) -> Result<Received, FormError> {
    let malformed = |what| FormError::Malformed { what };
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line end before it.
    let mut rest = body.strip_prefix(delimiter.trim_start().as_bytes()).ok_or(malformed("it does not begin with its boundary"))?;
    let (mut fields, mut files, mut late) = (Vec::new(), Vec::new(), 0);
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let (head, after_head) = split(part, b"\r\n\r\n").ok_or(malformed("a part has no end of its headers"))?;
        let (content, after) = split(after_head, delimiter.as_bytes()).ok_or(malformed("a part has no end"))?;
        rest = after;
        let head = std::str::from_utf8(head).map_err(|_| malformed("the headers of a part are not UTF-8"))?;
        match Head::read(head).ok_or(malformed("the headers of a part are not those of a form"))? {
            Head { name, file_name: Some(file_name) } if name == "file" => files.push((file_name, content.to_vec())),
            Head { file_name: Some(_), .. } => return Err(malformed("a file is not called `file`")),
            Head { .. } if !files.is_empty() => late += 1,
            Head { name, file_name: None } => {
                let value = String::from_utf8(content.to_vec()).map_err(|_| FormError::MalformedField { name: name.clone(), reason: "is not UTF-8" })?;
                fields.push((name, value));
            }
        }
    }
    if rest != b"--\r\n" {
        return Err(malformed("something stands after its last boundary"));
    }
    let count = files.len();
    let after = match (count, late) {
        (1, 0) => Ok(()),
        (1, _) => Err(malformed("a field stands after the file")),
        _ => Err(FormError::FileCount { count }),
    };
    let (file_name, file) = files.into_iter().next().ok_or(FormError::FileCount { count })?;
    Ok(Received { fields, file_name, file, after })
}

struct Head {
    name: String,
    file_name: Option<String>,
}

impl Head {
    fn read(text: &str) -> Option<Self> {
        let (disposition, content_type) = text.split_once("\r\n").map_or((text, None), |(first, second)| (first, Some(second)));
        let parameters = disposition.strip_prefix("Content-Disposition: form-data; name=\"")?.strip_suffix('"')?;
        let (name, file_name) = parameters.split_once("\"; filename=\"").map_or((parameters, None), |(name, file)| (name, Some(file)));
        let is_plain = |text: &str| !text.contains(['"', '\0']);
        let has_type = content_type.is_some_and(|line| line.starts_with("Content-Type: ") && !line.contains("\r\n"));
        let fits = is_plain(name) && file_name.is_none_or(is_plain) && has_type == file_name.is_some();
        fits.then(|| Self { name: unquoted(name), file_name: file_name.map(unquoted) })
    }
}

fn unquoted(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

fn split<'b>(bytes: &'b [u8], separator: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + separator.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire_form::{FilePart, WireForm};

    fn form() -> WireForm {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        // A value that looks like a delimiter, and one that is empty.
        let fields = vec![field("key", "a\r\n--valetkey-form\r\nb"), field("a \"b\"", ""), field("é", "ü")];
        WireForm { url: String::new(), fields, files: vec![FilePart::new("n \"1\".png", "image/png", *b"\r\n--\r\n")], after: Vec::new() }
    }

    fn read_back(form: &WireForm, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Result<Received, FormError> {
        let request = form.request();
        read(boundary(&request.headers[0].1).unwrap(), &change(request.body))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let form = form();
        let received = read_back(&form, |body| body).unwrap();
        assert_eq!((&received.fields, &received.file, &received.after), (&form.fields, &form.files[0].bytes, &Ok(())));
        assert_eq!(received.file_name, form.files[0].name);
    }

    #[test]
    fn everything_else_is_malformed() {
        let field = ("late".to_owned(), String::new());
        let after = |form: WireForm| read_back(&form, |body| body).and_then(|received| received.after).unwrap_err();
        assert_eq!(after(WireForm { after: vec![field], ..form() }).code(), "malformed_form");
        for count in [0, 2] {
            let files = vec![FilePart::new("a", "text/plain", *b"a"); count];
            assert_eq!(after(WireForm { files, ..form() }), FormError::FileCount { count });
        }
        let text = |change: fn(&str) -> String| move |body: Vec<u8>| change(std::str::from_utf8(&body).unwrap()).into_bytes();
        for change in [
            |body: &str| format!("preamble\r\n{body}"),
            |body: &str| format!("{body}epilogue"),
            |body: &str| body.replace("--\r\n", ""),
            |body: &str| body.replace("\r\n\r\n", "\n\n"),
            |body: &str| body.replacen("name=\"key\"", "name=key", 1),
            |body: &str| body.replacen("name=\"key\"", "name=\"key\"; name=\"acl\"", 1),
            |body: &str| body.replacen("name=\"key\"", "name=\"key\0\"", 1),
            |body: &str| body.replacen("Content-Disposition", "X-More: 1\r\nContent-Disposition", 1),
            |body: &str| body.replacen("name=\"file\"", "name=\"other\"", 1),
            |_: &str| String::new(),
        ] {
            let outcome = read_back(&form(), text(change));
            assert_eq!(outcome.as_ref().map_err(FormError::code), Err("malformed_form"), "{outcome:?}");
        }
        for content_type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a\"", "multipart/mixed; boundary=a"] {
            assert_eq!(boundary(content_type), None, "{content_type}");
        }
    }
}
