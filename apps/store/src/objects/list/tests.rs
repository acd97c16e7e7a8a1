use super::*;
use crate::objects::{index::Entry, meta::Attributes};

fn objects(keys: &[&str]) -> Objects {
    let entry = |key: &str| {
        let info = ObjectInfo {
            key: key.into(),
            size: 0,
            etag: String::new(),
            last_modified: 0,
            crc64_ecma: 0,
            checksums: Default::default(),
            parts: None,
            attributes: Attributes::default(),
        };
        (key.as_bytes().into(), Entry { info: Arc::new(info), blobs: Arc::new([]) })
    };
    keys.iter().map(|key| entry(key)).collect()
}

fn shown(listing: &Listing) -> (Vec<&str>, Vec<&str>) {
    (listing.objects.iter().map(|info| info.key.as_str()).collect(), listing.common_prefixes.iter().map(String::as_str).collect())
}

#[test]
fn prefix_and_delimiter() {
    let objects = objects(&["a", "a/b", "a/b/c", "a/d", "b", "b//x", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}", "A"]);
    #[expect(clippy::type_complexity)]
    let table: &[(&str, &str, &str, &[&str], &[&str])] = &[
        ("", "", "", &["A", "a", "a/b", "a/b/c", "a/d", "b", "b//x", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}"], &[]),
        ("", "/", "", &["A", "a", "b", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}"], &["a/", "b/"]),
        ("a", "/", "", &["a"], &["a/"]),
        ("a/", "/", "", &["a/b", "a/d"], &["a/b/"]),
        ("a/b/", "/", "", &["a/b/c"], &[]),
        ("b/", "/", "", &[], &["b//"]),
        ("b", "//", "", &["b"], &["b//"]),
        ("", "", "a/b", &["a/b/c", "a/d", "b", "b//x", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}"], &[]),
        ("", "/", "a/b", &["b", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}"], &["a/", "b/"]),
        ("a/", "", "A", &["a/b", "a/b/c", "a/d"], &[]),
        ("a/", "", "z", &[], &[]),
        ("", "\u{10FFFF}", "b//x", &[], &["\u{10FFFF}"]),
        ("nothing", "/", "", &[], &[]),
    ];
    for (prefix, delimiter, start_after, keys, prefixes) in table {
        let query = ListQuery { prefix: (*prefix).into(), delimiter: (*delimiter).into(), start_after: (*start_after).into(), ..Default::default() };
        let listing = list(&objects, &query).unwrap();
        assert_eq!(shown(&listing), (keys.to_vec(), prefixes.to_vec()), "{query:?}");
        assert_eq!(listing.next, None);
        pages(&objects, &query, &listing);
    }
}

/// Page by page, of any size, gives the same as all at once, each entry exactly once.
fn pages(objects: &Objects, query: &ListQuery, whole: &Listing) {
    for max_keys in 1..4 {
        let mut query = ListQuery { max_keys, ..query.clone() };
        let mut all = Listing::default();
        loop {
            let page = list(objects, &query).unwrap();
            assert!(page.objects.len() + page.common_prefixes.len() <= max_keys as usize);
            all.objects.extend(page.objects);
            all.common_prefixes.extend(page.common_prefixes);
            match page.next {
                Some(next) => query.continuation_token = Some(next),
                None => break,
            }
        }
        assert_eq!(&all, whole, "{query:?}");
    }
}

#[test]
fn limits_of_a_page() {
    let keys: Vec<String> = (0..1500).map(|n| format!("{n:05}")).collect();
    let objects = objects(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let page = |max_keys| list(&objects, &ListQuery { max_keys, ..Default::default() }).unwrap();
    assert_eq!((page(0).objects.len(), page(0).next), (0, None));
    assert_eq!(page(1000).objects.len(), 1000);
    assert_eq!(page(u32::MAX).objects.len(), 1000);
    assert!(page(1000).next.is_some());
}

#[test]
fn a_token_of_nobody_is_refused() {
    for token in ["", "!", "AAAA", "eHg", "a\u{301}"] {
        let query = ListQuery { continuation_token: Some(token.into()), ..Default::default() };
        assert!(matches!(list(&objects(&["a"]), &query), Err(StoreError::InvalidArgument { .. })), "{token}");
    }
}
