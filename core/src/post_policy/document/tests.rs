use super::*;
use alloc::vec;

fn conditions(list: &str) -> Result<Vec<Condition<'static>>, PolicyDocumentError> {
    PolicyDocument::from_json(&format!(r#"{{"expiration":"2026-11-22T11:30:00Z","conditions":[{list}]}}"#)).map(|policy| policy.conditions)
}

#[test]
fn every_shape_of_a_condition() {
    let list = |values: &[&str]| Cow::Owned(values.iter().map(ToString::to_string).collect());
    for (text, want) in [
        (r#"{"bucket":"b"}"#, Condition::eq("bucket", "b")),
        (r#"["eq","$key","a\"\\é\u00e9"]"#, Condition::eq("key", "a\"\\éé")),
        (r#"["EQ","$key","a"]"#, Condition::eq("key", "a")),
        (r#"["Starts-With","$Content-Type",""]"#, Condition::starts_with("Content-Type", "")),
        (r#"["in","$key",["a","b"]]"#, Condition::In { field: "key".into(), values: list(&["a", "b"]) }),
        (r#"["not-in","$key",["a"]]"#, Condition::NotIn { field: "key".into(), values: list(&["a"]) }),
        (r#"["content-length-range",0,18446744073709551615]"#, Condition::ContentLengthRange { min: Bound::Bytes(0), max: Bound::Bytes(u64::MAX) }),
        (r#"["content-length-range","5","x"]"#, Condition::ContentLengthRange { min: Bound::Text("5".into()), max: Bound::Text("x".into()) }),
    ] {
        assert_eq!(conditions(text), Ok(vec![want]), "{text}");
    }
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "1",
        r#""eq""#,
        r#"{"a":1}"#,
        r#"{"a":"1","b":"2"}"#,
        r#"{"a":"1","a":"1"}"#,
        r#"{"a":["1"]}"#,
        r#"{"":"x"}"#,
        r#"["eq","key","a"]"#,
        r#"["eq","$","a"]"#,
        r#"["eq","$key"]"#,
        r#"["eq","$key","a","b"]"#,
        r#"["eq","$key",1]"#,
        r#"["eq","$key",["a"]]"#,
        r#"["EQ ","$key","a"]"#,
        r#"["ends-with","$key","a"]"#,
        r#"[["eq","$key","a"]]"#,
        r#"["in","$key","a"]"#,
        r#"["in","$key",[]]"#,
        r#"["in","$key",[1]]"#,
        r#"["content-length-range",0]"#,
        r#"["content-length-range",0,1,2]"#,
        r#"["content-length-range",-1,10]"#,
        r#"["content-length-range",10,1]"#,
        r#"["content-length-range",0.5,10]"#,
        r#"["content-length-range",0,1e30]"#,
        r#"["content-length-range",0,18446744073709551616]"#,
        r#"["content-length-range",null,1]"#,
        r#"{"key":"\ud800"}"#,
        r#"{"key":"\$"}"#,
    ] {
        assert!(conditions(text).is_err(), "{text}");
    }
}

#[test]
fn exactly_two_members_and_a_time_in_utc() {
    let good = r#"{"expiration":"2026-11-22T11:30:00Z","conditions":[{"a":"b"}]}"#;
    for (from, to) in [("2026-11-22T11:30:00Z", "2026-11-22T11:30:00.000Z"), ("2026-11-22T11:30:00Z", "2026-11-22T11:30:00.9Z"), ("{\"exp", "\r\n {\r\n \"exp")]
    {
        let policy = PolicyDocument::from_json(&good.replace(from, to)).unwrap();
        assert_eq!(policy.expiration(), "2026-11-22T11:30:00Z".parse().unwrap(), "{to}");
    }
    for (from, to) in [
        ("11:30:00Z", "11:30:00+00:00"),
        ("11:30:00Z", "11:30:00"),
        ("T11", " 11"),
        ("T11", "t11"),
        ("11:30:00Z", "11:30:00.Z"),
        ("11:30:00Z", "11:30:00.0000000000Z"),
        ("11-22", "13-22"),
        ("11-22", "02-30"),
        ("\"2026-11-22T11:30:00Z\"", "1795347000"),
        ("expiration", "Expiration"),
        ("conditions", "CONDITIONS"),
        ("[{\"a\":\"b\"}]", "{\"a\":\"b\"}"),
        ("[{\"a\":\"b\"}]", "null"),
        ("}]}", "}],\"x\":1}"),
        ("}]}", "}],\"conditions\":[{\"a\":\"b\"}]}"),
        ("}]}", "}]}{}"),
        ("{\"exp", "\u{feff}{\"exp"),
        ("\"", "'"),
    ] {
        let text = good.replace(from, to);
        assert!(PolicyDocument::from_json(&text).is_err(), "{text}");
    }
    for text in ["", "[]", "null", r#"["2026-11-22T11:30:00Z",[{"a":"b"}]]"#, &"[".repeat(100_000), &" ".repeat(MAX_POLICY_BYTES + 1)] {
        assert!(PolicyDocument::from_json(text).is_err());
    }
    let many = alloc::vec![r#"{"a":"b"}"#; MAX_CONDITIONS + 1].join(",");
    assert!(conditions(&many).is_err());
    assert_eq!(conditions(&many[10..]).unwrap().len(), MAX_CONDITIONS);
}

#[test]
fn base64_is_the_standard_one() {
    let text = r#"{"expiration":"2026-11-22T11:30:00Z","conditions":[{"a":"???>>>"}]}"#;
    let good = BASE64.encode(text);
    assert_eq!(PolicyDocument::from_base64(&good).unwrap().as_str(), text);
    assert!(good.contains('/') && good.ends_with('='));
    let broken =
        [good.replace('/', "_"), good.trim_end_matches('=').into(), good.replacen("ey", "e\ny", 1), format!("{good}\n"), format!("{good}AAAA"), String::new()];
    for text in broken {
        assert!(PolicyDocument::from_base64(&text).is_err(), "{text}");
    }
    assert!(PolicyDocument::from_base64(&BASE64.encode([0x7b, 0xff, 0x7d])).is_err());
}

#[test]
fn errors_hold_no_value() {
    for text in [r#"{"expiration":"2026-11-22T11:30:00Z","conditions":["TOKEN"]}"#, r#"{"expiration":"TOKEN","conditions":[]}"#] {
        let error = PolicyDocument::from_json(text).unwrap_err().to_string();
        assert!(!error.contains("TOKEN"), "{error}");
    }
}
