//! Reading the little XML that clients send.

use quick_xml::{Reader, events::Event};

use crate::StoreError;

/// What takes a document, piece by piece. `close` is for the element that was opened last.
pub(super) trait Elements {
    fn open(&mut self, name: &str) -> Result<(), StoreError>;
    fn text(&mut self, text: &str) -> Result<(), StoreError>;
    fn close(&mut self) -> Result<(), StoreError>;
}

/// The longest tag, in bytes. A client sends a namespace or two, never thousands of attributes.
const MAX_TAG: usize = 1 << 10;

/// Reads a document. Document types and entities of its own are refused, attributes are not looked at.
pub(super) fn walk(text: &str, into: &mut impl Elements) -> Result<(), StoreError> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|_| malformed("it is not well-formed"))? {
            Event::Start(start) | Event::Empty(start) if start.len() > MAX_TAG => return Err(malformed("a tag is too long")),
            Event::Start(start) => into.open(start.local_name().as_ref())?,
            Event::Empty(start) => {
                into.open(start.local_name().as_ref())?;
                into.close()?;
            }
            Event::End(_) => into.close()?,
            Event::Text(text) => into.text(&text)?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|_| malformed("it has a wrong character reference"))?;
                match character {
                    Some(character) => into.text(character.encode_utf8(&mut [0; 4]))?,
                    None => into.text(quick_xml::escape::resolve_predefined_entity(&reference).ok_or_else(|| malformed("it has an entity of its own"))?)?,
                }
            }
            Event::DocType(_) => return Err(malformed("it has a document type")),
            Event::CData(_) | Event::PI(_) => return Err(malformed("it has a section that it does not need")),
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => return Ok(()),
        }
    }
}

pub(super) fn malformed(reason: &'static str) -> StoreError {
    StoreError::MalformedXml { reason }
}
