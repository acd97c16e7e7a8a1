//! Listing a bucket: byte order, prefix, delimiter, pages.

use std::{ops::Bound, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{index::Objects, meta::ObjectInfo};
use crate::StoreError;

/// The most that one page holds, on both clouds.
pub(crate) const MAX_KEYS: u32 = 1000;

/// Which objects to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// Only keys that start so.
    pub(crate) prefix: String,
    /// Keys that have this after the prefix are told as one common prefix. Empty: no grouping.
    pub(crate) delimiter: String,
    /// The most entries of a page; more than [`MAX_KEYS`] is the same as [`MAX_KEYS`].
    pub(crate) max_keys: u32,
    /// Only keys after this one.
    pub(crate) start_after: String,
    /// Where the last page ended; wins over `start_after`.
    pub(crate) continuation_token: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { prefix: String::new(), delimiter: String::new(), max_keys: MAX_KEYS, start_after: String::new(), continuation_token: None }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The objects that are not below a common prefix.
    pub(crate) objects: Vec<Arc<ObjectInfo>>,
    /// The common prefixes.
    pub(crate) common_prefixes: Vec<String>,
    /// Where the next page begins; `None` on the last page.
    pub(crate) next: Option<String>,
}

/// The last entry of a page, from which the next one goes on.
#[derive(Debug, PartialEq, Eq)]
enum Position {
    Key(String),
    CommonPrefix(String),
}

impl Position {
    fn token(&self) -> String {
        let (kind, text) = match self {
            Self::Key(key) => ('k', key),
            Self::CommonPrefix(prefix) => ('p', prefix),
        };
        URL_SAFE_NO_PAD.encode(format!("{kind}{text}"))
    }

    fn parse(token: &str) -> Result<Self, StoreError> {
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = text.as_deref().and_then(|text| match text.strip_prefix('k') {
            Some(key) => Some(Self::Key(key.into())),
            None => text.strip_prefix('p').map(|prefix| Self::CommonPrefix(prefix.into())),
        });
        position.ok_or_else(|| StoreError::InvalidArgument {
            name: "continuation-token",
            value: token.chars().take(100).collect(),
            reason: "must be one that a listing gave",
        })
    }
}

/// One page of `objects`.
pub(crate) fn list(objects: &Objects, query: &ListQuery) -> Result<Listing, StoreError> {
    let max = query.max_keys.min(MAX_KEYS) as usize;
    let mut listing = Listing::default();
    let mut from = Bound::Included(query.prefix.as_bytes().to_vec());
    let after = match &query.continuation_token {
        Some(token) => Some(Position::parse(token)?),
        None if query.start_after.is_empty() => None,
        None => Some(Position::Key(query.start_after.clone())),
    };
    let after = match after {
        Some(Position::Key(key)) => Some(Bound::Excluded(key.into_bytes())),
        Some(Position::CommonPrefix(prefix)) => Some(behind(prefix.as_bytes())),
        None => None,
    };
    if let Some(after) = after
        && lower(&after) >= lower(&from)
    {
        from = after;
    }
    let mut last = None;
    loop {
        // `Unbounded` as a lower end says here that nothing can follow.
        if max == 0 || matches!(from, Bound::Unbounded) {
            return Ok(listing);
        }
        let next = objects.range::<[u8], _>((as_slice(&from), Bound::Unbounded)).next();
        let Some((key, entry)) = next.filter(|(key, _)| key.starts_with(query.prefix.as_bytes())) else { return Ok(listing) };
        if listing.objects.len().saturating_add(listing.common_prefixes.len()) >= max {
            listing.next = last.map(|last: Position| last.token());
            return Ok(listing);
        }
        match common_prefix(&entry.info.key, query) {
            Some(prefix) => {
                from = behind(prefix.as_bytes());
                listing.common_prefixes.push(prefix.into());
                last = Some(Position::CommonPrefix(prefix.into()));
            }
            None => {
                from = Bound::Excluded(key.to_vec());
                listing.objects.push(Arc::clone(&entry.info));
                last = Some(Position::Key(entry.info.key.clone()));
            }
        }
    }
}

fn common_prefix<'a>(key: &'a str, query: &ListQuery) -> Option<&'a str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = key.get(query.prefix.len()..)?;
    let end = query.prefix.len().saturating_add(rest.find(&query.delimiter)?).saturating_add(query.delimiter.len());
    key.get(..end)
}

/// The first place behind everything that starts with `prefix`; `Unbounded` if there is none.
fn behind(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut bytes = prefix.to_vec();
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            return Bound::Included(bytes);
        }
    }
    Bound::Unbounded
}

/// Orders lower ends: of the same bytes, the excluded one is later, and no end at all is the last.
fn lower(bound: &Bound<Vec<u8>>) -> (bool, &[u8], bool) {
    match bound {
        Bound::Included(bytes) => (false, bytes, false),
        Bound::Excluded(bytes) => (false, bytes, true),
        Bound::Unbounded => (true, &[], true),
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(bytes) => Bound::Included(bytes),
        Bound::Excluded(bytes) => Bound::Excluded(bytes),
        Bound::Unbounded => Bound::Unbounded,
    }
}

#[cfg(test)]
mod tests;
