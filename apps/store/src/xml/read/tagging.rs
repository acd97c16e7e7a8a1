//! The tags of a form: XML where a header has `k=v&k2=v2`.

use valetkey_core::encode;

use super::walk::{Elements, malformed, walk};
use crate::StoreError;

/// Reads `<Tagging><TagSet><Tag><Key/><Value/></Tag>..` to what a header would say.
pub(crate) fn tagging(text: &str) -> Result<String, StoreError> {
    let mut tags = Tags::default();
    walk(text, &mut tags)?;
    if tags.open.is_empty() && tags.seen_root { Ok(tags.header) } else { Err(malformed("it is not one Tagging")) }
}

#[derive(Default)]
struct Tags {
    header: String,
    /// The elements around what comes next.
    open: Vec<&'static str>,
    seen_root: bool,
    /// Key and value of the tag that is open.
    tag: (Option<String>, Option<String>),
}

impl Elements for Tags {
    fn open(&mut self, name: &str) -> Result<(), StoreError> {
        let known = match (self.open.as_slice(), name) {
            ([], "Tagging") if !self.seen_root => "Tagging",
            (["Tagging"], "TagSet") => "TagSet",
            (["Tagging", "TagSet"], "Tag") => "Tag",
            (["Tagging", "TagSet", "Tag"], "Key") if self.tag.0.is_none() => {
                self.tag.0 = Some(String::new());
                "Key"
            }
            (["Tagging", "TagSet", "Tag"], "Value") if self.tag.1.is_none() => {
                self.tag.1 = Some(String::new());
                "Value"
            }
            _ => return Err(malformed("an element does not belong where it stands")),
        };
        self.seen_root = true;
        self.open.push(known);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), StoreError> {
        let field = match self.open.last() {
            Some(&"Key") => &mut self.tag.0,
            Some(&"Value") => &mut self.tag.1,
            _ if text.trim().is_empty() => return Ok(()),
            _ => return Err(malformed("it has text between its elements")),
        };
        field.get_or_insert_default().push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if self.open.pop() != Some("Tag") {
            return Ok(());
        }
        let (Some(key), Some(value)) = std::mem::take(&mut self.tag) else { return Err(malformed("a tag has no Key or no Value")) };
        if !self.header.is_empty() {
            self.header.push('&');
        }
        encode::push_query(&mut self.header, &key);
        self.header.push('=');
        encode::push_query(&mut self.header, &value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_or_refused() {
        let one = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
        let set = |tags: &str| format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
        for (text, header) in [
            (set(&one("a", "1")), "a=1"),
            (set(&format!("{}\n {}", one("a b", ""), one("c", "x&amp;y=&#x41;"))), "a%20b=&c=x%26y%3DA"),
            (set(""), ""),
            ("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet/></Tagging>".into(), ""),
        ] {
            assert_eq!(tagging(&text).unwrap(), header, "{text}");
        }
        for text in [
            "",
            "a=1",
            "<Tagging>",
            "<TagSet/>",
            "<Tagging/><Tagging/>",
            "<Tagging>x</Tagging>",
            &set("<Tag><Key>a</Key></Tag>"),
            &set("<Tag><Key>a</Key><Key>b</Key><Value>c</Value></Tag>"),
            &set("<Key>a</Key>"),
            &set(&one("<b/>", "1")),
            "<!DOCTYPE x [<!ENTITY a \"b\">]><Tagging><TagSet/></Tagging>",
            &set(&one("&a;", "1")),
        ] {
            assert!(matches!(tagging(text), Err(StoreError::MalformedXml { .. })), "{text}");
        }
    }
}
