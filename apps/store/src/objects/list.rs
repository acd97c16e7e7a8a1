//! Listing a bucket: byte order, prefix, delimiter, pages.

use std::{ops::Bound, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::{index::Objects, meta::ObjectInfo};
use crate::StoreError;

mod uploads;

pub(crate) use uploads::{UploadListing, UploadQuery};

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
    /// Only what comes after this.
    pub(crate) after: Option<Place>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { prefix: String::new(), delimiter: String::new(), max_keys: MAX_KEYS, after: None }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The objects that are not below a common prefix.
    pub(crate) objects: Vec<Arc<ObjectInfo>>,
    /// The common prefixes.
    pub(crate) common_prefixes: Vec<String>,
    /// The last entry of this page; `None` on the last page.
    pub(crate) next: Option<Place>,
}

/// An entry of a listing, after which another page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Key(String),
    CommonPrefix(String),
}

impl Place {
    /// The place that a marker names: where it is a common prefix of the listing, all that is below it is behind.
    pub(crate) fn of_marker(marker: &str, prefix: &str, delimiter: &str) -> Option<Self> {
        if marker.is_empty() {
            return None;
        }
        Some(match common_prefix(marker, prefix, delimiter) {
            Some(common) if common == marker => Self::CommonPrefix(marker.into()),
            _ => Self::Key(marker.into()),
        })
    }

    /// The entry, as a marker names it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Key(name) | Self::CommonPrefix(name) => name,
        }
    }

    /// The place as a token that says nothing to others, and that fits to no other bucket.
    pub(crate) fn token(&self, bucket: &str) -> String {
        let (kind, name) = match self {
            Self::Key(key) => (b'k', key),
            Self::CommonPrefix(prefix) => (b'p', prefix),
        };
        let mut place = vec![kind];
        place.extend_from_slice(name.as_bytes());
        let mut token = check_of(bucket, &place).to_vec();
        token.extend_from_slice(&place);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Reads a token that a listing of the same bucket gave.
    pub(crate) fn of_token(token: &str, bucket: &str) -> Result<Self, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let place = bytes.as_deref().and_then(|bytes| bytes.split_at_checked(CHECK)).filter(|(check, place)| *check == check_of(bucket, place));
        let place = place.and_then(|(_, place)| std::str::from_utf8(place).ok());
        let place = place.and_then(|place| match place.strip_prefix('k') {
            Some(key) => Some(Self::Key(key.into())),
            None => place.strip_prefix('p').map(|prefix| Self::CommonPrefix(prefix.into())),
        });
        place.ok_or_else(|| StoreError::InvalidArgument {
            name: "continuation-token",
            value: token.chars().take(100).collect(),
            reason: "must be one that a listing of the same bucket gave",
        })
    }
}

/// How many bytes of a token say what it belongs to.
const CHECK: usize = 8;

fn check_of(bucket: &str, place: &[u8]) -> [u8; CHECK] {
    let mut sha256 = Sha256::new();
    for part in [bucket.as_bytes(), place] {
        sha256.update((part.len() as u64).to_be_bytes());
        sha256.update(part);
    }
    let digest = <[u8; 32]>::from(sha256.finalize());
    digest.first_chunk().copied().unwrap_or_default()
}

/// One page of `objects`.
pub(super) fn list(objects: &Objects, query: &ListQuery) -> Listing {
    let max = query.max_keys.min(MAX_KEYS) as usize;
    let mut listing = Listing::default();
    let mut from = Bound::Included(query.prefix.as_bytes().to_vec());
    let after = match &query.after {
        Some(Place::Key(key)) => Some(Bound::Excluded(key.as_bytes().to_vec())),
        Some(Place::CommonPrefix(prefix)) => Some(behind(prefix.as_bytes())),
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
            return listing;
        }
        let next = objects.range::<[u8], _>((as_slice(&from), Bound::Unbounded)).next();
        let Some((key, entry)) = next.filter(|(key, _)| key.starts_with(query.prefix.as_bytes())) else { return listing };
        if listing.objects.len().saturating_add(listing.common_prefixes.len()) >= max {
            listing.next = last;
            return listing;
        }
        match common_prefix(&entry.info.key, &query.prefix, &query.delimiter) {
            Some(prefix) => {
                from = behind(prefix.as_bytes());
                listing.common_prefixes.push(prefix.into());
                last = Some(Place::CommonPrefix(prefix.into()));
            }
            None => {
                from = Bound::Excluded(key.to_vec());
                listing.objects.push(Arc::clone(&entry.info));
                last = Some(Place::Key(entry.info.key.clone()));
            }
        }
    }
}

fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(prefix)?;
    let end = prefix.len().saturating_add(rest.find(delimiter)?).saturating_add(delimiter.len());
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
