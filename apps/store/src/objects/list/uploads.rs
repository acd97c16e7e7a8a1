//! Listing the uploads that are under way, by key and then by the time at which they began.

use std::sync::Arc;

use super::{MAX_KEYS, common_prefix};
use crate::{
    StoreError,
    objects::{ObjectStore, UploadInfo},
};

/// Which uploads to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UploadQuery {
    /// Only keys that start so.
    pub(crate) prefix: String,
    /// Keys that have this after the prefix are told as one common prefix. Empty: no grouping.
    pub(crate) delimiter: String,
    /// Only keys after this one, or, of the same key, uploads after `id_marker`.
    pub(crate) key_marker: String,
    /// Means something only beside a key.
    pub(crate) id_marker: String,
    /// The most entries of a page; more than [`MAX_KEYS`] is the same as [`MAX_KEYS`].
    pub(crate) max_uploads: u32,
}

/// One page of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UploadListing {
    pub(crate) uploads: Vec<Arc<UploadInfo>>,
    pub(crate) common_prefixes: Vec<String>,
    /// Key and id after which the next page begins; `None` on the last page. A common prefix has no id.
    pub(crate) next: Option<(String, String)>,
}

impl ObjectStore {
    /// One page of a bucket's uploads.
    pub(crate) fn uploads(&self, bucket: &str, query: &UploadQuery) -> Result<UploadListing, StoreError> {
        let index = self.inner.read();
        index.objects(bucket)?;
        let of_bucket = index.uploads.values().map(|upload| &upload.info).filter(|info| info.bucket == bucket && info.key.starts_with(&query.prefix));
        let mut found: Vec<Arc<UploadInfo>> = of_bucket.filter(|info| query.is_before(info)).cloned().collect();
        found.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        Ok(page(found, query))
    }
}

impl UploadQuery {
    /// Whether the markers stand before this upload.
    fn is_before(&self, info: &UploadInfo) -> bool {
        if self.key_marker.is_empty() {
            return true;
        }
        // A marker that is a common prefix stands for all that is below it.
        if common_prefix(&info.key, &self.prefix, &self.delimiter) == Some(self.key_marker.as_str()) {
            return false;
        }
        match info.key.as_str().cmp(&self.key_marker) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => !self.id_marker.is_empty() && info.id > self.id_marker,
            std::cmp::Ordering::Less => false,
        }
    }
}

fn page(found: Vec<Arc<UploadInfo>>, query: &UploadQuery) -> UploadListing {
    let max = query.max_uploads.min(MAX_KEYS) as usize;
    let mut listing = UploadListing::default();
    let mut last = None;
    for info in found {
        let common = common_prefix(&info.key, &query.prefix, &query.delimiter);
        if common.is_some() && common == listing.common_prefixes.last().map(String::as_str) {
            continue;
        }
        if listing.uploads.len().saturating_add(listing.common_prefixes.len()) >= max {
            listing.next = last;
            return listing;
        }
        match common {
            Some(prefix) => {
                last = Some((prefix.to_owned(), String::new()));
                listing.common_prefixes.push(prefix.into());
            }
            None => {
                last = Some((info.key.clone(), info.id.clone()));
                listing.uploads.push(info);
            }
        }
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Attributes;

    const UPLOADS: [(&str, &str); 6] = [("a", "1"), ("a", "2"), ("b/1", "1"), ("b/1", "2"), ("b/2", "1"), ("c", "1")];

    /// What a store does, page by page.
    fn walk(query: &UploadQuery) -> (Vec<(String, String)>, Vec<String>) {
        let (mut uploads, mut prefixes, mut query) = (Vec::new(), Vec::new(), query.clone());
        loop {
            let upload = |(key, id): (&str, &str)| Arc::new(UploadInfo { id: id.into(), ..UploadInfo::new("media", key, Attributes::default(), 0) });
            let found = UPLOADS.into_iter().map(upload).filter(|info| info.key.starts_with(&query.prefix) && query.is_before(info)).collect();
            let page = page(found, &query);
            assert!(page.uploads.len() + page.common_prefixes.len() <= query.max_uploads as usize);
            uploads.extend(page.uploads.iter().map(|info| (info.key.clone(), info.id.clone())));
            prefixes.extend(page.common_prefixes);
            match page.next {
                Some((key, id)) => (query.key_marker, query.id_marker) = (key, id),
                None => return (uploads, prefixes),
            }
        }
    }

    #[test]
    fn every_upload_once_whatever_the_size_of_a_page() {
        for max_uploads in [1, 2, 3, 1000] {
            let all = UploadQuery { max_uploads, ..Default::default() };
            assert_eq!(walk(&all).0, UPLOADS.map(|(key, id)| (key.to_owned(), id.to_owned())), "{max_uploads}");
            let grouped = walk(&UploadQuery { delimiter: "/".into(), ..all.clone() });
            assert_eq!((grouped.0.len(), grouped.1), (3, vec!["b/".to_owned()]), "{max_uploads}");
            assert_eq!(walk(&UploadQuery { prefix: "b/".into(), ..all.clone() }).0.len(), 3);
            assert_eq!(walk(&UploadQuery { key_marker: "a".into(), ..all.clone() }).0.len(), 4, "without an id, the whole key is behind");
            assert_eq!(walk(&UploadQuery { key_marker: "a".into(), id_marker: "1".into(), ..all }).0.len(), 5);
        }
    }
}
