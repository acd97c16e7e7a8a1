//! `post`: what it prints, and how it ends.

use serde_json::Value;

use crate::support::{ENV, Ran, run, run_with_input};

const AT: &str = "2026-11-22T10:30:00Z";

fn post(line: &[&str]) -> Ran {
    run(&[&["post"], line, &["--at", AT]].concat(), ENV)
}

fn json(line: &[&str]) -> Value {
    let ran = post(line).succeeded(&line.join(" "));
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, ""));
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn wrong_command_lines_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.png");
    std::fs::write(&file, "12345").unwrap();
    let file = file.to_str().unwrap();
    for (line, part) in [
        ("post", "LOCATION> is missing"),
        ("post s3://b/k extra", "a word too many"),
        ("post b/k", "s3://BUCKET/KEY"),
        ("post s3://b", "`post` needs an object key, or a prefix that ends in `/`"),
        ("post s3://b/", "needs an object key"),
        ("post s3://b/a/../k", "segment `..`"),
        ("post oss://bucket//k", "starts with `/`"),
        ("post s3://b/up/${filename}", "give the prefix before it"),
        ("post s3://b/${filename}/", "belongs into the name after the prefix"),
        ("post s3://b/up/${filename} --open-prefix", "belongs into the name after the prefix"),
        ("post s3://b/k --max-size 5MB", "KB, MB and GB mean two things"),
        ("post s3://b/k --max-size 5mib", "whole number of bytes, KiB, MiB or GiB"),
        ("post s3://b/k --max-size 1.5MiB", "whole number"),
        ("post s3://b/k --max-size +5", "whole number"),
        ("post s3://b/k --max-size MiB", "whole number"),
        ("post s3://b/k --max-size=-5", "whole number"),
        ("post s3://b/k --max-size=", "whole number"),
        ("post s3://b/k --max-size 99999999999999999999", "larger than any file"),
        ("post s3://b/k --max-size 99999999999999GiB", "larger than any file"),
        ("post s3://b/k --max-size 6GiB", "more than a form carries (5 GiB"),
        ("post s3://b/k --max-size 1 --min-size 2", "greater than the greatest"),
        ("post s3://b/k --max-size 1 --max-size 2", "more than once"),
        ("post s3://b/k --content-type image", "TYPE/SUBTYPE"),
        ("post s3://b/k --content-type image/p*", "TYPE/SUBTYPE"),
        ("post s3://b/k --content-type *", "TYPE/SUBTYPE"),
        ("post s3://b/k --content-type=", "TYPE/SUBTYPE"),
        ("post s3://b/k --content-type image/png,", "whole types"),
        ("post s3://b/k --content-type image/*,text/plain", "whole types"),
        ("post s3://b/k --content-type image/png,image/jpeg", "S3 cannot enforce `content-type`"),
        ("post s3://b/k --acl=", "`acl`: the value is empty"),
        ("post s3://b/k --meta owner", "NAME=VALUE"),
        ("post s3://b/k --meta a=1 --meta A=2", "twice"),
        ("post s3://b/k --meta a(b)=1", "cannot be the name of metadata"),
        ("post s3://b/k --meta a=${filename}", "only a key may have it"),
        ("post s3://b/k --success-status 303", "200, 201 or 204"),
        ("post s3://b/k --success-status ok", "200, 201 or 204"),
        ("post s3://b/k --redirect /done", "absolute http or https URL"),
        ("post s3://b/k --redirect javascript:alert(1)", "absolute http or https URL"),
        ("post s3://b/k --create-only", "S3 cannot enforce `create-only`"),
        ("post s3://b/k --expires 0", "at least 1"),
        ("post s3://b/k --expires 8d", "at most 604800"),
        ("post s3://b/k --at soon", "RFC 3339"),
        ("post s3://b/k --region EU", "not a region"),
        ("post s3://b/k --output xml", "json, html, curl"),
        ("post s3://b/k --content-length 5", "is not a flag here"),
        ("post s3://b/k --secret-access-key=x", "no flag takes a secret"),
        ("post s3://b/k --store media", "leave --store out"),
        ("post s3://b/k --file-type image/png", "--file-type is the type of --file"),
        ("post s3://b/k --file /nowhere/a.png", "/nowhere/a.png cannot be read"),
        ("post s3://b/k --file /", "not a regular file"),
        ("post s3://b/k --file -", "standard input has no length"),
        ("post s3://b/k --file FILE --output html", "leave one of them out"),
        ("post s3://b/k --file FILE --output=curl", "leave one of them out"),
        // Everything that a form refuses is said before anything is sent.
        ("post s3://b/k --file FILE --max-size 4", "5 bytes are more than the 4"),
        ("post s3://b/k --file FILE --min-size 6", "5 bytes are fewer than the 6"),
        ("post s3://b/k --file FILE --content-type text/*", "must begin with `text/`; `image/png` was told from the name of the file"),
        ("post s3://b/k --file FILE --content-type image/* --file-type text/html", "must begin with `image/`"),
        ("post s3://b/k --file FILE --content-type text/plain --file-type text/html", "fixes it to `text/plain`"),
        ("post s3://b/k --file FILE --file-type text/html", "the form sets no type"),
        ("post oss://bucket/k --file FILE --content-type image/jpeg,image/gif", "must be one of `image/jpeg`, `image/gif`"),
        ("post s3://b/k --policy /nowhere/policy.json", "cannot be read"),
        ("post s3://b/k --policy /", "it is a folder"),
    ] {
        let words: Vec<&str> = line.split(' ').map(|word| if word == "FILE" { file } else { word }).collect();
        run(&words, ENV).failed_with(2, part, line);
    }
    let nameless = folder.path().join("noextension");
    std::fs::write(&nameless, "x").unwrap();
    post(&["s3://b/k", "--content-type", "image/*", "--file", nameless.to_str().unwrap()]).failed_with(2, "give it with --file-type", "no extension");
    post(&["s3://b/k", "--meta", "a=\u{1b}[31m"]).failed_with(2, "control character", "an escape sequence");
    for line in ["post s3://b/k --max-size 5MB --output json", "post s3://b --output=json", "post s3://b/k --file /nowhere --output json"] {
        let ran = run(&line.split(' ').collect::<Vec<_>>(), ENV);
        ran.failed_with(2, "{\"error\":{\"code\":", line);
        assert!(serde_json::from_str::<Value>(&ran.err).is_ok());
    }
}

#[test]
fn configuration_region_and_credentials_end_with_3() {
    let (id, secret, region) = (("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "hidden-secret"), ("AWS_REGION", "eu-central-1"));
    for (line, env, part) in [
        ("post s3://b/k", &[][..], "no region"),
        ("post s3://b/k", &[region], "AWS_ACCESS_KEY_ID"),
        ("post s3://b/k", &[region, id, secret, ("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")], "ended"),
        ("post media:k", ENV, "no configuration"),
    ] {
        run(&line.split(' ').collect::<Vec<_>>(), env).failed_with(3, part, line);
    }
}

#[test]
fn flags_are_conditions_and_fields() {
    let more = ["--meta", "owner=é 7", "--acl", "public-read", "--success-status", "201", "--redirect", "https://app.example/done?a=1"];
    let object = ["--cache-control", "max-age=60", "--content-disposition", "attachment", "--storage-class", "STANDARD_IA"];
    let life = ["--content-type", "image/*", "--max-size", "5MiB", "--min-size", "1KiB", "--expires", "1h"];
    let form = json(&[&["s3://media/up/7/"], more.as_slice(), &object, &life].concat());
    assert_eq!((form["method"].as_str(), form["url"].as_str()), (Some("POST"), Some("https://media.s3.eu-central-1.amazonaws.com/")));
    assert_eq!((form["expiration"].as_str(), form["expiration_reason"].as_str()), (Some("2026-11-22T11:30:00Z"), Some("requested")));
    assert_eq!(form["file_limits"], serde_json::json!({"min": 1024, "max": 5 << 20, "content_type": "image/*"}));
    assert_eq!(form["open_fields"], serde_json::json!([{"name": "key", "starts_with": "up/7/"}, {"name": "Content-Type", "starts_with": "image/"}]));
    for (field, value) in [
        ("key", "up/7/${filename}"),
        ("x-amz-meta-owner", "é 7"),
        ("acl", "public-read"),
        ("success_action_status", "201"),
        ("success_action_redirect", "https://app.example/done?a=1"),
        ("Cache-Control", "max-age=60"),
        ("Content-Disposition", "attachment"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ] {
        assert_eq!(form["fields"][field].as_str(), Some(value), "{field}");
    }

    let limits = |line: &[&str]| json(line)["file_limits"].clone();
    assert_eq!(limits(&["s3://media/k", "--max-size", "7"]), serde_json::json!({"min": 0, "max": 7, "content_type": null}));
    let least = json(&["s3://media/k", "--min-size", "7"]);
    assert_eq!(least["file_limits"], serde_json::json!({"min": 7, "max": 5_u64 << 30, "content_type": null}));
    assert_eq!(least["fields"]["key"].as_str(), Some("k"));
    let open = json(&["s3://media/up", "--open-prefix", "--max-size", "7", "--content-type", "*/*"]);
    assert_eq!(open["open_fields"], serde_json::json!([{"name": "key", "starts_with": "up"}, {"name": "Content-Type", "starts_with": ""}]));
    // Not a prefix: the one object of that name.
    assert_eq!(json(&["s3://media/up", "--max-size", "7"])["open_fields"], serde_json::json!([]));

    let list = json(&["oss://media/up/", "--content-type", "image/png, image/jpeg", "--create-only", "--max-size", "7"]);
    assert_eq!(list["open_fields"][1], serde_json::json!({"name": "x-oss-content-type", "one_of": ["image/png", "image/jpeg"]}));
    assert_eq!(list["fields"]["x-oss-forbid-overwrite"].as_str(), Some("true"));
    assert!(list["notes"].as_array().unwrap().len() > 1);
}

#[test]
fn three_forms_of_output() {
    let line = ["s3://media/it's \"<é>\"/", "--content-type", "image/png"];
    let form = json(&line);
    assert_eq!(form["notes"].as_array().unwrap().len(), 1);
    let key = form["fields"]["key"].as_str().unwrap();
    assert_eq!(key, "it's \"<é>\"/${filename}");

    let html = post(&[line.as_slice(), &["--output", "html"]].concat()).succeeded("html");
    assert!(html.out.starts_with("<!doctype html>") && html.out.ends_with("</html>\n") && !html.out.contains("<script"), "{}", html.out);
    assert!(html.out.contains("name=\"key\" value=\"it&#39;s &quot;&lt;é&gt;&quot;/${filename}\">"), "{}", html.out);
    let curl = post(&[line.as_slice(), &["--output=curl"]].concat()).succeeded("curl");
    assert!(curl.out.starts_with("curl --globoff --form-string 'key=it'\\''s \"<é>\"/${filename}' ") && curl.out.lines().count() == 1, "{}", curl.out);
    assert!(curl.out.ends_with(" --form 'file=@\"FILE\"' 'https://media.s3.eu-central-1.amazonaws.com/'\n"), "{}", curl.out);
    let no_answer = "# after an upload the browser stays on the page: the answer is 204; --redirect or --success-status 201 shows one\n";
    for (ran, also) in [(&html, no_answer), (&curl, "")] {
        assert_eq!(ran.err, format!("{also}# the policy sets no size: a file of up to 5 GiB is taken\n"));
        assert!(ran.out.contains(form["fields"]["x-amz-signature"].as_str().unwrap()));
    }

    // What a page cannot send, what a terminal would obey, and the literal text of a reference.
    for (key, html, curl) in [
        ("a\nb", Err("line end"), Ok(())),
        ("a\rb", Err("line end"), Err("control character")),
        ("a\u{1b}[2Jb", Err("control character"), Err("control character")),
        ("a\u{9b}b", Err("control character"), Err("control character")),
        ("a&#10;b", Ok(()), Ok(())),
    ] {
        let location = format!("s3://media/{key}");
        for (format, want) in [("html", html), ("curl", curl), ("json", Ok(()))] {
            let ran = post(&[&location, "--max-size", "9", "--success-status", "201", "--output", format]);
            match want {
                Ok(()) => assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{key:?} {format}"),
                Err(part) => ran.failed_with(2, part, &format!("{key:?} {format}")),
            }
        }
    }
    let escaped = post(&["s3://media/a\u{1b}\u{202e}b", "--max-size", "9"]).succeeded("json").out;
    assert!(escaped.contains("a\\u001b\\u202eb") && !escaped.trim_end().chars().any(char::is_control));
    assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap()["fields"]["key"].as_str(), Some("a\u{1b}\u{202e}b"));
}

const CREDENTIAL: &str = r#"{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261122/eu-central-1/s3/aws4_request"},{"x-amz-date":"20261122T103000Z"}"#;

#[test]
fn a_policy_is_signed_byte_for_byte() {
    let text =
        |rules: &str| format!("{{ \"expiration\": \"2026-11-22T11:30:00.000Z\",\r\n \"conditions\": [{{\"bucket\":\"media\"}},{rules}{CREDENTIAL}] }}\n");
    let sign = |location: &str, rules: &str, more: &[&str]| run_with_input(&[&["post", location, "--policy", "-"], more].concat(), ENV, text(rules).as_bytes());
    let prefix = "[\"starts-with\",\"$key\",\"up/\"],[\"content-length-range\",1,9],";
    for (location, rules, key) in [
        ("s3://media", prefix, "up/${filename}"),
        ("s3://media/up/a.png", prefix, "up/a.png"),
        ("s3://media/up/7/", prefix, "up/7/${filename}"),
        ("s3://media/up/${filename}", prefix, "up/${filename}"),
        ("s3://media", "{\"key\":\"a\"},", "a"),
        ("s3://media/a", "{\"key\":\"a\"},", "a"),
        ("s3://media/a", "[\"starts-with\",\"$key\",\"\"],", "a"),
    ] {
        let ran = sign(location, rules, &[]).succeeded(location);
        let form: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(form["fields"]["key"].as_str(), Some(key), "{location}");
        assert_eq!((form["signed_at"].as_str(), form["expiration"].as_str()), (Some(AT), Some("2026-11-22T11:30:00Z")));
        let verify = run_with_input(&["verify", "--form", "-", "--at", AT], ENV, ran.out.as_bytes()).succeeded(location);
        assert!(verify.out.contains(&format!("\nkey: {key}\n")), "{}", verify.out);
    }
    for (location, rules, more, part) in [
        ("s3://media", "", &[][..], "no condition for `key`"),
        ("s3://media/b", "{\"key\":\"a\"},", &[], "the key that is asked for does not keep to its conditions"),
        ("s3://media/other/a", prefix, &[], "the key that is asked for does not keep to its conditions"),
        ("s3://other", prefix, &[], "for the bucket `media` and not for `other`"),
        ("s3://media", "{\"key\":1},", &[], "the policy is malformed: a value has a wrong type"),
        ("s3://media", prefix, &["--region", "us-east-1"], "us-east-1/s3/aws4_request"),
        ("oss://media", prefix, &[], "x-oss-date"),
    ] {
        sign(location, rules, more).failed_with(2, part, location);
    }
    for flag in [
        "--max-size=1",
        "--min-size=1",
        "--content-type=a/b",
        "--acl=private",
        "--meta=a=b",
        "--success-status=200",
        "--redirect=http://h/",
        "--cache-control=a",
        "--content-disposition=a",
        "--storage-class=A",
        "--create-only",
        "--open-prefix",
        "--expires=60",
        "--expires-at=2026-11-22T11:00:00Z",
    ] {
        let name = flag.split('=').next().unwrap();
        sign("s3://media", prefix, &[flag]).failed_with(2, &format!("`{name}` would change the policy"), flag);
    }
    sign("s3://media", prefix, &["--at=2026-11-22T10:30:00Z"]).succeeded("its own date");
    sign("s3://media", prefix, &["--at=2026-11-22T10:00:00Z"]).failed_with(2, "its own date is 2026-11-22T10:30:00Z", "another date");
    let line = ["post", "s3://media", "--policy", "-"];
    run_with_input(&line, ENV, b"{\"\xff\"}").failed_with(2, "standard input is not UTF-8", "bytes");
    run_with_input(&line, ENV, &[b' '; (64 << 10) + 1]).failed_with(2, "more than 65536 bytes", "a long text");
    run_with_input(&line, ENV, b"").failed_with(2, "the policy is malformed", "nothing");
}

/// A policy of somebody else may leave more open than flags fill.
#[test]
fn an_open_field_is_named_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (file, policy) = (folder.path().join("a.png"), folder.path().join("policy.json"));
    std::fs::write(&file, "12345").unwrap();
    let rules = format!("[{{\"bucket\":\"media\"}},{{\"key\":\"a\"}},[\"starts-with\",\"$x-amz-meta-tag\",\"\"],{CREDENTIAL}]");
    std::fs::write(&policy, format!("{{\"expiration\":\"2026-11-22T11:30:00Z\",\"conditions\":{rules}}}")).unwrap();
    let line = ["post", "s3://media", "--policy", policy.to_str().unwrap()];
    run(&[line.as_slice(), &["--file", file.to_str().unwrap()]].concat(), ENV).failed_with(2, "leaves the field `x-amz-meta-tag` to the client", "an upload");
    run(&line, ENV).succeeded("a form");
}
