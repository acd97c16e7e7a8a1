//! Writing XML text.

use quick_xml::escape::escape;

/// An XML document that is being written.
pub(super) struct Document {
    text: String,
}

impl Document {
    pub(super) fn new() -> Self {
        Self { text: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") }
    }

    /// An element with others in it. `start` may have attributes, which are constants of this program.
    pub(super) fn element(&mut self, start: &str, inside: impl FnOnce(&mut Self)) {
        self.text.push('<');
        self.text.push_str(start);
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(start.split(' ').next().unwrap_or(start));
        self.text.push('>');
    }

    /// An element with text in it.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |document| document.text.push_str(&escape_text(text)));
    }

    /// An element with a value that needs no escaping.
    pub(super) fn value(&mut self, name: &str, value: impl std::fmt::Display) {
        self.text(name, &value.to_string());
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Escapes text so that no value can end its element, and so that a parser gives back what was written.
///
/// XML 1.0 has no way to write most control characters. They become numeric references, as S3 writes them: a strict parser refuses such
/// a document as a whole and does not misread it. A client that has such keys asks for `encoding-type=url`.
pub(super) fn escape_text(text: &str) -> String {
    let escaped = escape(text);
    // A raw carriage return is well-formed, but a parser makes a line feed of it.
    let unsafe_char = |c: char| (c.is_control() && !matches!(c, '\t' | '\n')) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let mut out = String::with_capacity(escaped.len());
    for c in escaped.chars() {
        if unsafe_char(c) {
            out.push_str(&format!("&#x{:X};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// Encodes a key for `encoding-type=url`: all but the unreserved characters and `/`, a blank as `%20`, which every decoder reads right.
pub(super) fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let table = [
            ("<script>&\"'", "&lt;script&gt;&amp;&quot;&apos;"),
            ("]]>", "]]&gt;"),
            ("a\r\n\tb", "a&#13;\n\tb"),
            ("\u{1}\u{7f}\u{85}", "&#x1;&#x7F;&#x85;"),
            ("\u{FFFF}", "&#xFFFF;"),
            ("caf\u{e9} \u{1F600}", "caf\u{e9} \u{1F600}"),
        ];
        for (text, expected) in table {
            assert_eq!(escape_text(text), expected);
        }
    }

    #[test]
    fn url_encoding() {
        assert_eq!(url_encode("a b+c/d~e*\u{e9}\u{1}"), "a%20b%2Bc/d~e%2A%C3%A9%01");
    }
}
