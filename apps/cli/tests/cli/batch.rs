//! `presign --batch`: one line out for each line in.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{ENV, finish, program, run, run_with_input};

const AT: &str = "2026-11-22T10:30:00Z";

fn batch(location: &str, more: &[&str], input: &[u8]) -> (i32, Vec<Value>, String) {
    let line = [&["presign", "--batch", "-", location, "--at", AT], more].concat();
    let ran = run_with_input(&line, ENV, input);
    let out = ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    (ran.exit, out, ran.err)
}

/// `ok`, or the code of the error and a part of its message.
#[test]
fn each_line_is_judged_alone() {
    let table: &[(&str, &str, &str)] = &[
        (r#"{"operation":"get","key":"a b"}"#, "ok", "/a%20b?"),
        (
            r#"  {"operation":"put","key":"k","content_type":"image/png","content_length":5,"metadata":{"b":"1","a":"2"},"create_only":true} "#,
            "ok",
            "content-length%3Bcontent-type",
        ),
        (r#"{"operation":"put","key":"k","content_md5":"eB5eJF1ptWaXm4bijSPyxw=="}"#, "ok", "content-md5"),
        (r#"{"operation":"put","key":"k","checksum":{"crc32":"4waSgw=="}}"#, "ok", "crc32"),
        (r#"{"operation":"upload-part","key":"k","upload_id":"u","part_number":3}"#, "ok", "partNumber=3"),
        (r#"{"operation":"copy","key":"k","copy_source":"b/other key"}"#, "ok", "x-amz-copy-source"),
        (r#"{"operation":"get","key":"k","version_id":"v","headers":{"x-a":"1"},"query":{"q":"2"}}"#, "ok", "q=2"),
        (r#"{"operation":"list","query":{"prefix":"a/"}}"#, "ok", "prefix=a%2F"),
        (r#"{"operation":"get","key":"k","expires_in":60}"#, "ok", "X-Amz-Expires=60"),
        (r#"{"operation":"get","key":"k","expires_at":"2026-11-22T10:31:30Z"}"#, "ok", "X-Amz-Expires=90"),
        (r#"{"operation":"get","key":"k","expires_in":60,"expires_at":"2026-11-22T10:31:30Z"}"#, "ok", "X-Amz-Expires=90"),
        (r#"{"operation":"get","key":null,"content_type":null}"#, "missing_key", "needs an object key"),
        (
            r#"{"operation":"put","key":"k","content_type":null,"content_length":null,"content_md5":null,"checksum":null,"metadata":null,"headers":null,
            "query":null,"version_id":null,"upload_id":null,"part_number":null,"copy_source":null,"create_only":null,"expires_in":null,"expires_at":null}"#,
            "ok",
            "X-Amz-SignedHeaders=host&",
        ),
        (r#"{"operation":"put","key":"k","metadata":{"a":null,"b":"1"},"headers":{"x-a":null},"query":{"q":null}}"#, "ok", "=host%3Bx-amz-meta-b&"),
        (r#"{"operation":"put","key":"k","metadata":{"a":null,"a":"1"}}"#, "malformed_line", "duplicate name `a`"),
        (r#"{"operation":"put","key":"k","checksum":{"sha1":null}}"#, "invalid_value", "one algorithm"),
        (r#"{"operation":null,"key":"a"}"#, "malformed_line", "the field `operation` is missing"),
        (r#"{"operation":"get"}"#, "missing_key", ""),
        (r#"{"operation":"get","key":""}"#, "invalid_key", "empty"),
        (r#"{"operation":"get","key":"a/../b"}"#, "invalid_key", "`..`"),
        (r#"{"operation":"list","key":"a"}"#, "unexpected_key", "query.prefix"),
        (r#"{"operation":"fetch","key":"a"}"#, "unknown_operation", "`fetch`"),
        (r#"{"key":"a"}"#, "malformed_line", "the field `operation` is missing"),
        (r#"{"operation":"get","key":"k","keys":1}"#, "malformed_line", "unknown field `keys`"),
        (r#"{"operation":"get","key":"k","key":"l"}"#, "malformed_line", "duplicate field `key`"),
        (r#"{"operation":"get","key":"k","k\u0065y":"l"}"#, "malformed_line", "duplicate field `key`"),
        (r#"{"operation":"put","key":"k","metadata":{"a":"1","a":"2"}}"#, "malformed_line", "duplicate name `a`"),
        (r#"{"operation":"put","key":"k","headers":{"x-a":"1","x-\u0061":"1"}}"#, "malformed_line", "duplicate name"),
        (r#"{"operation":"put","key":"k","checksum":{"crc32":"4waSgw==","crc32":"4waSgw=="}}"#, "malformed_line", "duplicate name"),
        (r#"{"operation":"put","key":"k","checksum":{"crc32":"4waSgw==","sha1":"x"}}"#, "invalid_value", "one algorithm"),
        (r#"{"operation":"put","key":"k","checksum":{}}"#, "invalid_value", "one algorithm"),
        (r#"{"operation":"put","key":"k","headers":{"X-A":"1","x-a":"1"}}"#, "duplicate", "twice"),
        (r#"{"operation":"put","key":"k","headers":{"host":"x"}}"#, "reserved", "signer"),
        (r#"{"operation":"put","key":"k","headers":{"x-a":"a\r\nb"}}"#, "invalid_header", "control"),
        (r#"{"operation":"put","key":"k","metadata":{"a":1}}"#, "malformed_line", "invalid type"),
        (r#"{"operation":"get","key":"k","expires_in":1.5}"#, "malformed_line", "invalid type"),
        (r#"{"operation":"get","key":"k","expires_in":-1}"#, "malformed_line", "invalid value"),
        (r#"{"operation":"get","key":"k","expires_in":0}"#, "life_zero", "at least 1"),
        (r#"{"operation":"get","key":"k","expires_in":18446744073709551615}"#, "life_over_provider_maximum", "604800"),
        (r#"{"operation":"get","key":"k","expires_at":"soon"}"#, "invalid_value", "RFC 3339"),
        (r#"{"operation":"get","key":"k","content_length":5}"#, "not_applicable", ""),
        (r#"["get","k"]"#, "malformed_line", "not a JSON object; write one JSON object per line"),
        ("null", "malformed_line", "not a JSON object"),
        ("{", "malformed_line", "EOF while parsing an object (column 1); write one JSON object per line"),
        (r#"{"operation":"get","key":"k"} {}"#, "malformed_line", "trailing characters (column 31); write one JSON object per line"),
        (r#"{"operation":"get","key":"\ud800"}"#, "malformed_line", ""),
        ("\u{feff}{}", "malformed_line", "not a JSON object"),
    ];
    let mut input = String::new();
    for (line, ..) in table {
        // Blank lines are no lines.
        let _ = write!(input, "{}\n\n \r\n", line.replace('\n', " "));
    }
    let (exit, out, err) = batch("s3://b-1", &[], input.as_bytes());
    assert_eq!((exit, out.len(), err.lines().count()), (4, table.len(), 1), "{err}");
    for ((number, (line, code, part)), answer) in table.iter().enumerate().zip(&out) {
        let text = answer.to_string();
        assert!(text.contains(part), "{line}: {text}");
        if *code == "ok" {
            assert!(answer["url"].is_string() && answer["error"].is_null(), "{line}: {text}");
            continue;
        }
        let error = answer["error"].as_object().unwrap_or_else(|| panic!("{line}: {text}"));
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message"], "{line}");
        assert!(error["message"].as_str().unwrap().starts_with(&format!("line {}: ", number * 3 + 1)), "{line}: {text}");
        assert!(code.is_empty() || error["code"] == *code, "{line}: {text}");
    }
}

#[test]
fn lines_at_the_edges() {
    let good = r#"{"operation":"get","key":"k"}"#;
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    let long = format!("{{\"operation\":\"get\",\"key\":\"{}\"}}", "x".repeat(3 << 20));
    let (longest, too_long) = (padded(1 << 20), padded((1 << 20) + 1));
    let input = [good.as_bytes(), b"\r\n", longest.as_bytes(), b"\n", too_long.as_bytes(), b"\n", long.as_bytes(), b"\n\xff\n", good.as_bytes()];
    let (exit, out, err) = batch("oss://b-1", &[], &input.concat());
    let codes: Vec<_> = out.iter().map(|answer| answer["error"]["code"].as_str().unwrap_or("ok")).collect();
    assert_eq!(codes, ["ok", "ok", "line_too_long", "line_too_long", "malformed_line", "ok"]);
    assert_eq!((exit, err.as_str()), (4, "valetkey: 3 of 6 lines failed; each says why in its line of the output\n"));

    // A byte order mark at the beginning is none of the first line.
    for (input, lines) in [("", 0), ("\u{feff}", 0), ("\u{feff}\r\n", 0), (&format!("\u{feff}{good}\n{good}"), 2), (&format!("\u{feff}{longest}"), 1)] {
        let (exit, out, err) = batch("s3://b-1", &[], input.as_bytes());
        assert_eq!((exit, out.len(), err.as_str()), (0, lines, ""), "{input:.40}");
    }
    let (exit, out, err) =
        batch("s3://b-1", &["--expires", "2m", "--output", "json"], format!("{good}\n{}", good.replace('}', ",\"expires_in\":60}")).as_bytes());
    let ends: Vec<_> = out.iter().map(|answer| answer["expiration"].as_str().unwrap()).collect();
    assert_eq!((exit, ends.as_slice(), err.as_str()), (0, ["2026-11-22T10:32:00Z", "2026-11-22T10:31:00Z"].as_slice(), ""));
}

#[test]
fn what_stands_beside_the_file_is_obeyed_or_refused() {
    for (line, part) in [
        ("presign --batch -", "one location"),
        ("presign --batch - get s3://b", "one location"),
        ("presign --batch - s3://b/k", "has no key"),
        ("presign --batch - media:k", "has no key"),
        ("presign --batch - s3://b --content-type a/b", "stands in the lines"),
        ("presign --batch - s3://b --create-only", "stands in the lines"),
        ("presign --batch - s3://b --output curl", "prints JSON"),
        ("presign --batch /nowhere/lines s3://b", "cannot be read"),
        ("presign --batch / s3://b", "it is a folder"),
    ] {
        run(&line.split(' ').collect::<Vec<_>>(), ENV).failed_with(2, part, line);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    std::fs::write(&file, "{\"operation\":\"get\",\"key\":\"k\"}").unwrap();
    let ran = run(&["presign", "--batch", file.to_str().unwrap(), "s3://b-1", "--region", "us-west-2"], ENV).succeeded("a file");
    assert!(ran.out.contains("https://b-1.s3.us-west-2.amazonaws.com/k?"));
}

/// A program that talks to it line by line gets each answer before it writes the next line.
#[test]
fn answers_come_at_once() {
    let mut child = program(ENV).args(["presign", "--batch", "-", "s3://b-1"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for n in 0..5 {
        writeln!(input, r#"{{"operation":"get","key":"{n}"}}"#).unwrap();
        assert!(output.next().unwrap().unwrap().contains(&format!("/{n}?")));
    }
    drop(input);
    assert!(output.next().is_none() && child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = program(ENV).args(["presign", "--batch", "-", "s3://b-1"]).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // Endless input: it must be the program that ends.
    let line = b"{\"operation\":\"get\",\"key\":\"k\"}\n".repeat(1000);
    while input.write_all(&line).is_ok() {}
    let ran = finish(child.wait_with_output().unwrap(), ENV);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}
