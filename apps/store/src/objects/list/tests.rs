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
            upload: None,
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
        let query = ListQuery { prefix: (*prefix).into(), delimiter: (*delimiter).into(), after: Place::of_marker(start_after, "", ""), ..Default::default() };
        let listing = list(&objects, &query);
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
            let page = list(objects, &query);
            assert!(page.objects.len() + page.common_prefixes.len() <= max_keys as usize);
            all.objects.extend(page.objects);
            all.common_prefixes.extend(page.common_prefixes);
            match page.next {
                Some(next) => {
                    let token = next.token("media");
                    assert_eq!(Place::of_token(&token, "media").unwrap(), next);
                    assert_eq!(Place::of_marker(next.name(), &query.prefix, &query.delimiter).unwrap(), next);
                    query.after = Some(next);
                }
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
    let page = |max_keys| list(&objects, &ListQuery { max_keys, ..Default::default() });
    assert_eq!((page(0).objects.len(), page(0).next), (0, None));
    assert_eq!(page(1000).objects.len(), 1000);
    assert_eq!(page(u32::MAX).objects.len(), 1000);
    assert!(page(1000).next.is_some());
}

#[test]
fn a_token_that_no_such_listing_gave_is_refused() {
    let token = Place::Key("a/b".into()).token("media");
    assert!(!token.contains("a/b") && Place::of_token(&token, "media").is_ok());
    let mut forged = URL_SAFE_NO_PAD.decode(&token).unwrap();
    *forged.last_mut().unwrap() = b'c';
    let forged = URL_SAFE_NO_PAD.encode(forged);
    for (token, bucket) in
        [("", "media"), ("!", "media"), ("AAAA", "media"), ("AAAAAAAAAAAAAA", "media"), ("a\u{301}", "media"), (&forged, "media"), (&token, "other")]
    {
        assert!(matches!(Place::of_token(token, bucket), Err(StoreError::InvalidArgument { .. })), "{token} {bucket}");
    }
}

#[test]
fn a_marker_inside_of_a_common_prefix() {
    let objects = objects(&["a", "b/1", "b/2", "c"]);
    for (marker, keys, prefixes) in
        [("a", &["c"][..], &["b/"][..]), ("b/", &["c"], &[]), ("b/1", &["c"], &["b/"]), ("b/2", &["c"], &[]), ("b", &["c"], &["b/"])]
    {
        let query = ListQuery { delimiter: "/".into(), after: Place::of_marker(marker, "", "/"), ..Default::default() };
        assert_eq!(shown(&list(&objects, &query)), (keys.to_vec(), prefixes.to_vec()), "{marker}");
    }
}
