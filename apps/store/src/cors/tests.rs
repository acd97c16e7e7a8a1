use super::*;

#[test]
fn a_rule_allows_or_it_does_not() {
    let rule = CorsRule::new(["https://app.example.com", "http://*.example.org"], ["GET", "PUT"]).unwrap();
    let rule = rule.allow_headers(["Content-Type", "x-amz-*", "*-end"]).unwrap();
    let rules = CorsRules::new(vec![rule], MAX_RULES).unwrap();
    let table: &[(&str, &str, &[&str], bool)] = &[
        ("https://app.example.com", "GET", &[], true),
        ("https://app.example.com", "PUT", &["content-type"], true),
        ("https://app.example.com", "PUT", &["CONTENT-TYPE", "X-Amz-Date", "front-end"], true),
        ("https://app.example.com", "PUT", &["x-amz-"], true),
        ("https://app.example.com", "PUT", &["x-oss-date"], false),
        ("https://app.example.com", "PUT", &["content-type", "x-oss-date"], false),
        ("https://app.example.com", "DELETE", &[], false),
        ("https://app.example.com", "get", &[], false),
        ("https://APP.example.com", "GET", &[], false),
        ("http://app.example.com", "GET", &[], false),
        ("https://app.example.com.evil.net", "GET", &[], false),
        ("https://app.example.com:8443", "GET", &[], false),
        ("https://evil.net/https://app.example.com", "GET", &[], false),
        ("http://a.example.org", "GET", &[], true),
        ("http://a.b.example.org", "GET", &[], true),
        ("http://.example.org", "GET", &[], true),
        ("http://example.org", "GET", &[], false),
        ("http://a.example.org.evil.net", "GET", &[], false),
        ("https://a.example.org", "GET", &[], false),
        ("null", "GET", &[], false),
        ("", "GET", &[], false),
    ];
    for (origin, method, headers, allowed) in table {
        let ask = Ask { origin, method, headers: headers.to_vec() };
        assert_eq!(rules.matching(&ask).is_some(), *allowed, "{ask:?}");
    }
}

#[test]
fn the_ends_of_a_pattern_share_nothing() {
    let pattern = Pattern::new("aba*aba".into()).unwrap();
    for (text, matches) in [("abaaba", true), ("abaxaba", true), ("aba", false), ("ababa", false), ("", false)] {
        assert_eq!(pattern.matches(text), matches, "{text}");
    }
    assert!(Pattern::new("*".into()).unwrap().matches(""));
}

#[test]
fn the_first_rule_that_matches_wins() {
    let rule = |origin: &str, age| CorsRule::new([origin], ["GET"]).unwrap().max_age(age);
    let rules = CorsRules::new(vec![rule("https://a", 1), rule("*", 2), rule("https://b", 3)], MAX_RULES).unwrap();
    let age = |origin| rules.matching(&Ask { origin, method: "GET", headers: vec![] }).and_then(|rule| rule.max_age);
    assert_eq!((age("https://a"), age("https://b"), age("null")), (Some(1), Some(2), Some(2)));
}

#[test]
fn rules_that_no_cloud_takes() {
    let origin = |text: &str| CorsRule::new([text], ["GET"]).is_ok();
    for text in ["", "https://*.*", "**", "https://a b", "a\n", "a\0"] {
        assert!(!origin(text), "{text:?}");
    }
    for methods in [&[][..], &["OPTIONS"], &["PATCH"], &["get"], &["*"], &["GET", ""]] {
        assert!(CorsRule::new(["*"], methods.to_vec()).is_err(), "{methods:?}");
    }
    assert!(CorsRule::new(Vec::<String>::new(), ["GET"]).is_err());
    let rule = || CorsRule::new(["*"], ["GET"]).unwrap();
    assert!(rule().allow_headers(["x-*-*"]).is_err());
    for name in ["*", "x-amz-*", "a b", "a:b", ""] {
        assert!(rule().expose_headers([name]).is_err(), "{name:?}");
    }
    assert!(rule().id("x".repeat(256)).is_err());
    assert!(CorsRules::new(vec![], MAX_RULES).is_err());
    assert!(CorsRules::new(vec![rule(); 21], 20).is_err());
    assert!(CorsRules::new(vec![rule(); 101], usize::MAX).is_err());
}

#[test]
fn what_is_written_down_is_read_by_the_same_rules() {
    let rules = CorsRules { rules: vec![CorsRule::new(["https://*.a"], ["GET"]).unwrap().max_age(3)], always_vary: true };
    let text = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<CorsRules>(&text).unwrap(), rules);
    assert!(serde_json::from_str::<CorsRules>(&text.replace("*.a", "*.*")).is_err());
}
