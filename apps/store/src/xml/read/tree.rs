//! A small document as a tree, for bodies of a few known elements.

use super::walk::{Elements, malformed, walk};
use crate::StoreError;

/// No body has more levels than this: `CORSConfiguration/CORSRule/AllowedOrigin` has three.
const MAX_DEPTH: usize = 6;

/// An element: either text or others are in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Reads a document whose outermost element is `root`.
    pub(super) fn read(body: &[u8], root: &str) -> Result<Self, StoreError> {
        let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        let mut tree = Tree::default();
        walk(text, &mut tree)?;
        match tree.root {
            Some(element) if tree.open.is_empty() && element.name == root => Ok(element),
            _ => Err(malformed("it is not one document of the operation")),
        }
    }

    /// Refuses elements that are none of these, and text beside them.
    pub(super) fn allow(&self, names: &[&str]) -> Result<(), StoreError> {
        match self.text.trim().is_empty() && self.children.iter().all(|child| names.contains(&child.name.as_str())) {
            true => Ok(()),
            false => Err(malformed("it has an element that does not belong there")),
        }
    }

    /// The element of that name, which may stand once.
    pub(super) fn one(&self, name: &str) -> Result<Option<&Self>, StoreError> {
        let mut found = self.children.iter().filter(|child| child.name == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(malformed("an element stands twice")),
            (first, None) => Ok(first),
        }
    }

    /// The text of the element of that name, which may stand once.
    pub(super) fn text_of(&self, name: &str) -> Result<Option<&str>, StoreError> {
        self.one(name)?.map(Self::text).transpose()
    }

    /// The texts of all elements of that name.
    pub(super) fn texts_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Result<&'a str, StoreError>> {
        self.children.iter().filter(move |child| child.name == name).map(Self::text)
    }

    /// The text, exactly; blanks at its ends belong to a key.
    pub(super) fn text(&self) -> Result<&str, StoreError> {
        if self.children.is_empty() { Ok(&self.text) } else { Err(malformed("an element has others where text belongs")) }
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Elements for Tree {
    fn open(&mut self, name: &str) -> Result<(), StoreError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(malformed("it is nested too deeply"));
        }
        if self.root.is_some() {
            return Err(malformed("it is more than one document"));
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), StoreError> {
        match self.open.last_mut() {
            Some(element) if element.children.is_empty() => element.text.push_str(text),
            _ if text.trim().is_empty() => {}
            _ => return Err(malformed("it has text between its elements")),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let element = self.open.pop().ok_or_else(|| malformed("it is not well-formed"))?;
        match self.open.last_mut() {
            Some(parent) if !parent.text.trim().is_empty() => return Err(malformed("it has text between its elements")),
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }
}
