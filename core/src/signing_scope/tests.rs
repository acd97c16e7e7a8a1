use super::*;
use crate::options::{Limits, PresignOptions};
use crate::target::Scheme;
use alloc::format;

fn scope(no_header_names: &'static str) -> SigningScope {
    let target = Target {
        scheme: Scheme::Http,
        authority: "h".into(),
        path_prefix: "/p".into(),
        bucket_path: "/p/".into(),
        host: "h".into(),
        bucket: "b".into(),
        region: "r".into(),
        service: "s",
    };
    let mut query = QueryTemplate::default();
    query.parameter("f", "").gap(Gap::Life).parameter("h", "").gap(Gap::SignedHeaders).parameter("m", "20261122T").gap(Gap::Time);
    let texts = ScopeTexts { query, no_header_names, without_headers: "\nnone".into(), signature: "&sig=".into(), ..ScopeTexts::default() };
    SigningScope::new(SigningKey::derive("", "secret", []), at().signed_at(), &target).with_texts(texts)
}

fn at() -> Validity {
    let limits = Limits { provider_max: 900, provider_name: "", store_max: None };
    PresignOptions::new().resolve("2026-11-22T10:30:00Z".parse().unwrap(), limits, None).unwrap()
}

/// Prepared for the moment or not, a URL is the same: own parameters before, between and behind the signer's, and names in a gap that is empty otherwise.
#[test]
fn what_is_prepared_for_a_moment_changes_no_url() {
    let request = ObjectRequest::get("k".parse().unwrap());
    for no_header_names in ["", "host"] {
        let plain = scope(no_header_names);
        for own in ["", "a", "g", "z", "az", "ag", "gz", "agz"] {
            for names in [None, Some("x;y")] {
                let own: alloc::vec::Vec<_> = own.chars().map(|name| (Cow::from(format!("{name}")), Cow::from("1"))).collect();
                let url = |scope: &SigningScope| {
                    let headers = names.map(|names| HeaderParts {
                        bytes: 8,
                        names: move |url: &mut String| url.push_str(names),
                        rest: |url: &mut String| url.push_str("\nrest"),
                    });
                    let mut url = String::new();
                    scope.sign_url(&mut url, &at(), &request, UrlParts { own: &own, headers });
                    url
                };
                let expected = url(&plain);
                assert_eq!(url(&plain.expecting(&at())), expected);
                assert!(expected.starts_with("http://h/p/k?"));
                assert!(expected.contains(&format!("h={}", names.unwrap_or(no_header_names))), "{expected}");
            }
        }
    }
}

#[test]
fn debug_shows_neither_key_nor_texts() {
    let text = format!("{:?}", scope("host").expecting(&at()));
    assert!(text.contains("SigningKey(..)") && text.contains("Moment(..)") && !text.contains("20261122T"), "{text}");
}
