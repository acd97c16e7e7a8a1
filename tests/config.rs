//! Configuration files, good and bad; each bad one with the error that it must give.
#![cfg(all(feature = "s3", feature = "oss", feature = "config"))]

mod support;

use support::{fixture, json, text};
use valetkey::{AddressingStyle, Config};

#[test]
fn every_good_file_loads() {
    let mut loaded = 0;
    for entry in std::fs::read_dir(fixture("config/good")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let config = Config::from_file(&path).unwrap_or_else(|error| panic!("{error}"));
            assert!(config.stores().count() > 0, "{}", path.display());
            loaded += 1;
        }
    }
    assert_eq!(loaded, 14);
}

#[test]
fn every_bad_file_says_where_what_and_what_is_allowed() {
    let rows = json("config/bad.json");
    let rows = rows.as_array().unwrap();
    let files = std::fs::read_dir(fixture("config/bad")).unwrap().count();
    assert_eq!(rows.len(), files, "each file has its row");
    for row in rows {
        let file = text(row, "file");
        let error = Config::from_file(fixture("config/bad").join(file)).expect_err(file);
        let (line, column) = error.position().unwrap_or_default();
        let shown = error.to_string();
        assert_eq!(Some(line as u64), row["line"].as_u64(), "{shown}");
        if let Some(want) = row["column"].as_u64() {
            assert_eq!(column as u64, want, "{shown}");
        }
        if let Some(field) = row["field"].as_str() {
            assert_eq!(error.field(), Some(field), "{shown}");
        }
        for part in row["contains"].as_array().unwrap() {
            assert!(shown.contains(part.as_str().unwrap()), "{file}: `{part}` is not in: {shown}");
        }
        for secret in row["must_not_contain"].as_array().into_iter().flatten() {
            assert!(!format!("{shown} {error:?}").contains(secret.as_str().unwrap()), "{file}: {shown}");
        }
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
}

#[test]
fn static_credentials_come_from_the_files_beside_the_configuration() {
    let config = Config::from_file(fixture("config/good/credentials-static-file.toml")).unwrap();
    let credentials = config.default_store().unwrap().credentials().unwrap();
    assert!(!credentials.access_key_id().is_empty());
}

/// A secret that stands where its variable or its file should be named is not repeated when it is not found either.
#[test]
fn what_is_missing_is_named_by_its_field() {
    for (place, what) in
        [("env = 'AbCdEfGhIjKlMnOpQrSt'", "the variable"), ("file = 'AbCdEfGhIjKlMnOpQrSt'", "the file"), ("file = '/dev/zero'", "regular file")]
    {
        let text = format!(
            "[stores.a]\nprovider='s3'\nbucket='bucket'\nregion='eu-central-1'\n[stores.a.credentials]\nsource='static'\naccess_key_id={{{place}}}\nsecret_access_key={{env='B'}}\n"
        );
        let config = Config::from_text(&text, "x.toml").unwrap();
        let error = config.store("a").unwrap().credentials().unwrap_err();
        let shown = format!("{error} {error:?} {config:?}");
        assert!(shown.contains(what) && shown.contains("stores.a.credentials.access_key_id"), "{shown}");
        assert!(!shown.contains("AbCdEf"), "{shown}");
    }
}

#[test]
fn a_store_is_found_by_name_or_by_default() {
    let text = "[stores.a]\nprovider='s3'\nbucket='bucket-a'\nregion='eu-central-1'\naddressing='path'\n[stores.b]\nprovider='oss'\nbucket='bucket-b'\nmax_ttl='1h30m'\nregion='oss-cn-hangzhou'\n";
    let config = Config::from_text(text, "x.toml").unwrap();
    assert_eq!(config.store("a").unwrap().settings().addressing, AddressingStyle::Path);
    assert_eq!(config.store("b").unwrap().max_life(), Some(5400));
    let error = config.store("c").unwrap_err().to_string();
    assert!(error.contains("`a`, `b`"), "{error}");
    assert_eq!(config.default_store().unwrap_err().code(), "unknown_store");
    let with_default = Config::from_text(&format!("default = 'b'\n{text}"), "x.toml").unwrap();
    assert_eq!(with_default.default_store().unwrap().name(), "b");
}

#[test]
fn what_the_provider_cannot_do_is_refused_when_the_file_is_read() {
    for (provider, words, works) in [
        ("s3", "\"put\", \"get\", \"post\", \"upload-part\", \"checksum\", \"create-only\", \"customer-key\"", true),
        ("oss", "\"put\", \"get\", \"post\", \"create-only\", \"content-md5\", \"process\"", true),
        ("s3", "\"process\"", false),
        ("s3", "\"traffic-limit\"", false),
        ("oss", "\"checksum\"", false),
        ("oss", "\"expected-bucket-owner\"", false),
    ] {
        let text = format!("[stores.a]\nprovider='{provider}'\nbucket='bucket'\nregion='cn-hangzhou'\nrequires=[{words}]\n");
        let outcome = Config::from_text(&text, "x.toml");
        assert_eq!(outcome.is_ok(), works, "{provider} {words}: {outcome:?}");
        if let Err(error) = outcome {
            assert!(error.to_string().contains("cannot do"), "{error}");
        }
    }
}
