//! The heads of a form, read so strictly that no other reader can find something else in them: its `Content-Type`, and what stands before
//! each part.
//!
//! Sources: RFC 2046, section 5.1 (boundary, parts), RFC 7578 (`form-data`), and the HTML standard for what browsers write.

use http::{HeaderMap, header::CONTENT_TYPE};
use valetkey_core::{binding::is_token, verify::FormError};

const BLANKS: [char; 2] = [' ', '\t'];

/// Whether a request says that it is a form.
pub(in crate::server) fn is_form(headers: &HeaderMap) -> bool {
    let is_form = |text: &str| text.split(';').next().is_some_and(|word| word.trim_matches(BLANKS).eq_ignore_ascii_case("multipart/form-data"));
    headers.get_all(CONTENT_TYPE).iter().any(|value| value.to_str().is_ok_and(is_form))
}

/// The boundary that a form's `Content-Type` gives.
pub(super) fn boundary(headers: &HeaderMap) -> Result<String, FormError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(malformed("it does not have exactly one Content-Type")) };
    let (_, parameters) = value.to_str().ok().and_then(parameters).ok_or(malformed("its Content-Type cannot be read"))?;
    let mut boundaries = parameters.into_iter().filter(|(name, _)| name.starts_with("boundary"));
    match (boundaries.next(), boundaries.next()) {
        (Some((name, boundary)), None) if name == "boundary" && is_boundary(&boundary) => Ok(boundary),
        _ => Err(malformed("its Content-Type does not have exactly one boundary of 1 to 70 characters")),
    }
}

fn is_boundary(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=70).contains(&text.len()) && text.bytes().all(plain) && !text.ends_with(' ')
}

/// What the head of a part says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartHead {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

impl PartHead {
    /// Reads the lines of a head, without the blank one that ends it.
    pub(super) fn read(lines: &[u8]) -> Result<Self, FormError> {
        let text = std::str::from_utf8(lines).map_err(|_| malformed("the head of a part is not UTF-8"))?;
        let (mut disposition, mut content_type, mut seen) = (None, None, Vec::new());
        for line in text.split("\r\n") {
            // A line end of another kind is one of these, too.
            if line.chars().any(|c| c.is_control() && c != '\t') {
                return Err(malformed("the head of a part has a control character"));
            }
            // A line that goes on in the next one has no name, or one that begins with a blank.
            let (name, value) = line.split_once(':').filter(|(name, _)| is_token(name)).ok_or(malformed("a line in the head of a part is no header"))?;
            let (name, value) = (name.to_ascii_lowercase(), value.trim_matches(BLANKS));
            if seen.contains(&name) {
                return Err(malformed("a header of a part stands twice"));
            }
            match name.as_str() {
                "content-disposition" => disposition = Some(value),
                "content-type" => content_type = Some(value.to_owned()),
                "content-transfer-encoding" => return Err(malformed("a part has a Content-Transfer-Encoding")),
                _ => {}
            }
            seen.push(name);
        }
        let disposition = disposition.ok_or(malformed("a part has no Content-Disposition"))?;
        let (name, file_name) = names(disposition).ok_or(malformed("the Content-Disposition of a part cannot be read"))?;
        Ok(Self { name, file_name, content_type })
    }
}

/// The two parameters that `form-data` has. Any other would be something that another reader may obey.
fn names(disposition: &str) -> Option<(String, Option<String>)> {
    let (word, parameters) = parameters(disposition)?;
    let (mut name, mut file_name) = (None, None);
    for (parameter, value) in parameters {
        match parameter.as_str() {
            "name" => name = Some(value),
            "filename" => file_name = Some(value),
            _ => return None,
        }
    }
    Some((name.filter(|_| word.eq_ignore_ascii_case("form-data"))?, file_name))
}

/// Reads `word; name=value; name="value"`, no name twice; names in lower case.
fn parameters(text: &str) -> Option<(&str, Vec<(String, String)>)> {
    let (word, mut rest) = text.split_at_checked(text.find(';').unwrap_or(text.len()))?;
    let mut found: Vec<(String, String)> = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let (name, value) = after.trim_start_matches(BLANKS).split_once('=')?;
        let name = name.to_ascii_lowercase();
        if !is_token(&name) || found.iter().any(|(other, _)| *other == name) {
            return None;
        }
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let (value, after) = value.split_at_checked(value.find([';', ' ', '\t']).unwrap_or(value.len()))?;
                (Some(value).filter(|value| is_token(value))?.to_owned(), after)
            }
        };
        found.push((name, value));
        rest = after.trim_start_matches(BLANKS);
    }
    rest.is_empty().then_some((word.trim_matches(BLANKS), found))
}

/// The text up to the closing quote, and what follows that. Only a quote can be escaped, since a backslash is an ordinary character in the names of
/// files that browsers send.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' if value.ends_with('\\') => {
                value.pop();
                value.push('"');
            }
            '"' => return Some((value, text.get(at.saturating_add(1)..)?)),
            c => value.push(c),
        }
    }
    None
}

const fn malformed(what: &'static str) -> FormError {
    FormError::Malformed { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_types: &[&str]) -> HeaderMap {
        content_types.iter().map(|value| (CONTENT_TYPE, value.parse().unwrap())).collect()
    }

    #[test]
    fn boundaries() {
        let long = "a".repeat(70);
        for (text, boundary_is) in [
            ("multipart/form-data; boundary=B", "B"),
            ("Multipart/Form-Data;boundary=\"a b\" ; charset=utf-8", "a b"),
            ("multipart/form-data; Boundary=----WebKitFormBoundaryabc", "----WebKitFormBoundaryabc"),
            ("multipart/form-data; boundary=\"----=_Part_1\"", "----=_Part_1"),
            (&format!("multipart/form-data; boundary={long}"), &long),
        ] {
            assert!(is_form(&of(&[text])), "{text}");
            assert_eq!(boundary(&of(&[text])).unwrap(), boundary_is, "{text}");
        }
        for texts in [
            &["multipart/form-data"][..],
            &["multipart/form-data; boundary="],
            &["multipart/form-data; boundary=\"\""],
            &["multipart/form-data; boundary=a; boundary=a"],
            &["multipart/form-data; boundary=a; boundary*=utf-8''b"],
            &["multipart/form-data; boundary*0=a"],
            &["multipart/form-data; boundary=a b"],
            &["multipart/form-data; boundary=a;"],
            &["multipart/form-data; boundary=\"a \""],
            &["multipart/form-data; boundary=\"a"],
            &["multipart/form-data; boundary=\"a\"b"],
            &["multipart/form-data; boundary=a=b"],
            &["multipart/form-data; boundary = a"],
            &["multipart/form-data; boundary=\"a@b\""],
            &[&format!("multipart/form-data; boundary={long}a")],
            &["multipart/form-data; boundary=a", "multipart/form-data; boundary=a"],
            &["text/plain", "multipart/form-data; boundary=a"],
        ] {
            assert!(is_form(&of(texts)) && boundary(&of(texts)).is_err(), "{texts:?}");
        }
        for text in ["multipart/mixed; boundary=a", "text/plain", "multipart/form-data-x; boundary=a", ""] {
            assert!(!is_form(&of(&[text])), "{text}");
        }
    }

    #[test]
    fn heads_of_parts() {
        let read = |text: &str| PartHead::read(text.as_bytes());
        for (text, name, file_name, content_type) in [
            ("Content-Disposition: form-data; name=\"key\"", "key", None, None),
            ("content-disposition:Form-Data;name=key", "key", None, None),
            ("Content-Disposition: form-data; name=\"\"", "", None, None),
            ("Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\nContent-Type: image/png", "file", Some(""), Some("image/png")),
            ("X: y\r\nContent-Disposition: form-data; filename=\"a; name=b.png\"; name=\"file\"", "file", Some("a; name=b.png"), None),
            ("Content-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\a \\\"b\\\".png\"", "file", Some("C:\\dir\\a \"b\".png"), None),
            ("Content-Disposition: form-data; name=\"\u{e9}[]\"; filename=\"\u{732b}.png\"", "\u{e9}[]", Some("\u{732b}.png"), None),
            ("Content-Disposition: form-data; name=\"a%22b\"\r\nContent-Length: 5", "a%22b", None, None),
        ] {
            let (file_name, content_type) = (file_name.map(str::to_owned), content_type.map(str::to_owned));
            assert_eq!(read(text), Ok(PartHead { name: name.into(), file_name, content_type }), "{text}");
        }
        for text in [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"; Name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"; name*=utf-8''b",
            "Content-Disposition: form-data; name*=utf-8''b",
            "Content-Disposition: form-data; name=\"a\"; filename=\"b\"; filename=\"b\"",
            "Content-Disposition: form-data; name=\"a\"; filename=\"b\"; filename*=utf-8''c",
            "Content-Disposition: form-data; name=\"a\"; size=1",
            "Content-Disposition: form-data; name=\"a\";",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"a\" b",
            "Content-Disposition: form-data; name=\"file\"; filename=\"C:\\\"",
            "Content-Disposition: form-data; name=\"a\0b\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: a/b\r\ncontent-type: c/d",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64",
            "Content-Disposition: form-data;\r\n name=\"a\"",
            "Content-Disposition : form-data; name=\"a\"",
            " Content-Disposition: form-data; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"\nX: y",
            "Content-Disposition: form-data; name=\"a\"\rX: y",
            "Content-Disposition: form-data; name=\"a\"\r\n",
            "Content-Disposition: form-data; name=\"a\"\r\nno header",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(PartHead::read(b"Content-Disposition: form-data; name=\"\xff\"").is_err());
    }
}
