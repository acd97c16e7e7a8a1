//! The JSON of a form, in its own order and with every name as often as it stands there.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::CliError;
use crate::input;

/// The most that is read: stores refuse forms of a fraction of it.
const MAX_INPUT: u64 = 1024 * 1024;

/// A form as somebody sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentForm {
    /// Where it is sent, when the JSON says so.
    pub(super) url: Option<String>,
    pub(super) fields: Vec<(String, String)>,
}

impl SentForm {
    pub(super) fn read(file: &Path) -> Result<Self, CliError> {
        let bytes = input::read(file, "--form", MAX_INPUT)?;
        Self::from_json(&bytes).map_err(|reason| {
            let shapes = "give what `valetkey post` prints, an object of its fields, or a list of [NAME, VALUE] pairs";
            CliError::usage("invalid_form", format!("--form: {} is not the JSON of a form: {reason}; {shapes}", input::name(file)))
        })
    }

    fn from_json(bytes: &[u8]) -> Result<Self, String> {
        // The place alone: what stands there may be what opens the store.
        let node = serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read at line {} column {}", error.line(), error.column()))?;
        let is_whole = |members: &[(String, Node)]| members.iter().any(|(name, value)| name == "fields" && !matches!(value, Node::Text(_)));
        match node {
            Node::Object(members) if is_whole(&members) => {
                let (mut urls, mut fields) = (Vec::new(), Vec::new());
                for (name, value) in members {
                    match name.as_str() {
                        "url" => urls.push(value),
                        "fields" => fields.push(value),
                        _ => {}
                    }
                }
                let url = match (urls.pop(), urls.is_empty()) {
                    (None, _) => None,
                    (Some(Node::Text(url)), true) => Some(url),
                    _ => return Err("`url` is no text, or stands twice".to_owned()),
                };
                match (fields.pop(), fields.is_empty()) {
                    (Some(node), true) => Ok(Self { url, fields: pairs(node)? }),
                    _ => Err("`fields` stands twice".to_owned()),
                }
            }
            node => Ok(Self { url: None, fields: pairs(node)? }),
        }
    }
}

fn pairs(node: Node) -> Result<Vec<(String, String)>, String> {
    let not_text = |name: &str| format!("the field `{}` is no text", name.chars().take(40).collect::<String>());
    match node {
        Node::Object(members) => members
            .into_iter()
            .map(|(name, value)| match value {
                Node::Text(value) => Ok((name, value)),
                _ => Err(not_text(&name)),
            })
            .collect(),
        Node::List(items) => items
            .into_iter()
            .map(|item| match item {
                Node::List(pair) => match <[Node; 2]>::try_from(pair) {
                    Ok([Node::Text(name), Node::Text(value)]) => Ok((name, value)),
                    Ok([Node::Text(name), _]) => Err(not_text(&name)),
                    _ => Err("an item is no [NAME, VALUE] pair of texts".to_owned()),
                },
                _ => Err("an item is no [NAME, VALUE] pair of texts".to_owned()),
            })
            .collect(),
        _ => Err("it is neither an object nor a list".to_owned()),
    }
}

/// A value that keeps doubled names, which the common tree of the library folds.
enum Node {
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    Other,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_shapes_and_doubled_names() {
        let form = |url: Option<&str>, fields: &[(&str, &str)]| SentForm {
            url: url.map(str::to_owned),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        for (json, want) in [
            (r#"{"b":"2","a":"1"}"#, form(None, &[("b", "2"), ("a", "1")])),
            (r#"{"a":"1","a":"1","A":"2"}"#, form(None, &[("a", "1"), ("a", "1"), ("A", "2")])),
            (r#"[["a","1"],["a","2"]]"#, form(None, &[("a", "1"), ("a", "2")])),
            (
                r#"{"method":"POST","url":"http://h/b","fields":{"a":"1"},"open_fields":[{"name":"x"}],"n":[1,null,true,-1,0.5]}"#,
                form(Some("http://h/b"), &[("a", "1")]),
            ),
            (r#"{"fields":[["a","1"],["a","1"]]}"#, form(None, &[("a", "1"), ("a", "1")])),
            // A form with fields of these names.
            (r#"{"url":"u","fields":"f"}"#, form(None, &[("url", "u"), ("fields", "f")])),
            ("{}", form(None, &[])),
            ("[]", form(None, &[])),
            (r#"{"key":"\u0000\ud83d\ude00"}"#, form(None, &[("key", "\0😀")])),
        ] {
            assert_eq!(SentForm::from_json(json.as_bytes()), Ok(want), "{json}");
        }
        for (json, part) in [
            ("", "line 1 column 0"),
            ("{\"a\":\"1\"}{}", "line 1 column 10"),
            ("{\n\"a\":\"SECRET\n\"}", "line 3"),
            ("null", "neither an object nor a list"),
            ("\"SECRET\"", "neither an object nor a list"),
            (r#"{"a":1}"#, "`a` is no text"),
            (r#"{"a":["SECRET"]}"#, "`a` is no text"),
            (r#"[["a"]]"#, "pair"),
            (r#"[["a","1","2"]]"#, "pair"),
            (r#"[["a",1]]"#, "`a` is no text"),
            (r#"[{"a":"1"}]"#, "pair"),
            (r#"{"url":1,"fields":{}}"#, "`url`"),
            (r#"{"url":"a","url":"a","fields":{}}"#, "`url`"),
            (r#"{"fields":{},"fields":{}}"#, "`fields` stands twice"),
            (r#"{"fields":{},"fields":"x"}"#, "`fields` stands twice"),
            (r#"{"fields":null}"#, "neither"),
        ] {
            let error = SentForm::from_json(json.as_bytes()).unwrap_err();
            assert!(error.contains(part) && !error.contains("SECRET"), "{json}: {error}");
        }
        assert!(SentForm::from_json(&b"{\"a\":\"\xff\"}"[..]).is_err());
        assert!(SentForm::from_json("[".repeat(100_000).as_bytes()).is_err());
    }
}
