//! The command line of `presign`: what it prints, and how it ends.

use std::process::Stdio;

use crate::support::{ENV, S3_SECRET, finish, fixture, program, run};

const AT: &[&str] = &["--at", "2026-11-22T10:30:00Z"];

#[test]
fn wrong_command_lines_end_with_2() {
    for (line, part) in [
        ("", "no command was given"),
        ("sing get s3://b/k", "not a command"),
        ("put", "<FILE>, <LOCATION> is missing"),
        ("put Cargo.toml", "<LOCATION> is missing"),
        ("put s3://b/k Cargo.toml", "s3://BUCKET/KEY"),
        ("put nowhere.bin s3://b/k", "nowhere.bin cannot be read"),
        ("put src s3://b/k", "it is a folder"),
        ("put - s3://b", "has no name"),
        ("put - s3://b/up/", "has no name"),
        ("put - s3://b/k --resume", "leave --resume out"),
        ("put Cargo.toml s3://b/a/../k", "segment `..`"),
        ("put Cargo.toml s3://b/k --part-size 5MB", "mean two things"),
        ("put Cargo.toml s3://b/k --part-size 0", "at least one byte"),
        ("put Cargo.toml s3://b/k --part-size 5242879", "5MiB to 5GiB on S3"),
        ("put Cargo.toml oss://bucket/k --part-size 102399", "100KiB to 5GiB on OSS"),
        ("put Cargo.toml s3://b/k --part-size 6GiB", "5MiB to 5GiB on S3"),
        ("put Cargo.toml s3://b/k --parallel 0", "1 to 1024"),
        ("put Cargo.toml s3://b/k --parallel many", "1 to 1024"),
        ("put Cargo.toml s3://b/k --retries -1", "--flag=VALUE"),
        ("put Cargo.toml s3://b/k --expires 8d", "at most 604800"),
        ("put Cargo.toml s3://b/k --content-length 5", "not a flag here"),
        ("put Cargo.toml s3://b/k --at 2026-11-22T10:30:00Z", "not a flag here"),
        ("put Cargo.toml s3://b/k --header content-length:5", "twice"),
        ("put Cargo.toml s3://b/k --content-type a/b --header Content-Type:a/b", "twice"),
        ("put Cargo.toml oss://bucket/k --checksum crc32=4waSgw==", "cannot bind"),
        ("put Cargo.toml s3://b/k --output xml", "text, json"),
        ("put Cargo.toml s3://b/k --store media", "leave --store out"),
        ("get", "<LOCATION> is missing"),
        ("get s3://b", "needs an object key"),
        ("get s3://b/k a b", "a word too many"),
        ("get s3://b/k --resume", "needs a FILE"),
        ("get s3://b/k - --resume", "needs a FILE"),
        ("get s3://b/k nowhere/", "make it first"),
        ("get s3://b/a/ src", "no name of a file"),
        ("get s3://b/args .. --content-type a/b", "not a flag here"),
        ("get s3://b/args src", "is a folder as well"),
        ("get s3://b/k --header Range:bytes=0-1", "set by the transfer itself"),
        ("get s3://b/k --header if-match:x", "set by the transfer itself"),
        ("get s3://b/k --part-size 0", "at least one byte"),
        ("presign", "operation and location are missing"),
        ("presign get", "location is missing"),
        ("presign s3://b/k", "operation is missing"),
        ("presign fetch s3://b/k", "`fetch` is not an operation"),
        ("presign get s3://b/k extra", "a word too many"),
        ("presign get b/k", "s3://BUCKET/KEY"),
        ("presign get s3:///k", "names no bucket"),
        ("presign get s3:b/k", "s3://"),
        ("presign get S3://b/k", "s3://BUCKET"),
        ("presign get https://b.example/k", "not the beginning of a location"),
        ("presign get s3://b", "needs an object key"),
        ("presign get s3://b/", "needs an object key"),
        ("presign list s3://b/k", "--prefix"),
        ("presign get s3://b/a/../k", "segment `..`"),
        ("presign get oss:///k", "names no bucket"),
        ("presign get oss://bucket//k", "starts with `/`"),
        ("presign get s3://b/k --expiers 60", "did you mean `--expires`"),
        ("presign get s3://b/k --secret-access-key=x", "no flag takes a secret"),
        ("presign get s3://b/k --expires", "needs a value"),
        ("presign get s3://b/k --expires 0", "at least 1"),
        ("presign get s3://b/k --expires 1500ms", "fraction"),
        ("presign get s3://b/k --expires soon", "--expires"),
        ("presign get s3://b/k --expires 8d", "at most 604800"),
        ("presign get s3://b/k --expires 60 --expires 61", "more than once"),
        ("presign get s3://b/k --expires-at 2020-01-01T00:00:00Z", "not after the signing time"),
        ("presign get s3://b/k --expires-at tomorrow", "RFC 3339"),
        ("presign get s3://b/k --at 2026-11-22", "RFC 3339"),
        ("presign get s3://b/k --region EU", "not a region"),
        ("presign get s3://b/k --endpoint s3.example", "http://"),
        ("presign get s3://b/k --endpoint https://user:pw@s3.example", "credentials never stand"),
        ("presign get s3://b/k --addressing vhost", "not an addressing style"),
        ("presign get s3://b.c/k --addressing virtual", "path style"),
        ("presign get s3://b%20c/k", "bucket name"),
        ("presign get s3://b/k --output xml", "url, json, curl"),
        ("presign get s3://b/k --content-length 5", "means nothing for `get`"),
        ("presign put s3://b/k --content-length -5", "--flag=VALUE"),
        ("presign put s3://b/k --content-length 5k", "--content-length"),
        ("presign put s3://b/k --content-md5 abc", "base64 of 16 bytes"),
        ("presign put s3://b/k --checksum md4=AAAA", "sha256"),
        ("presign put oss://bucket/k --checksum crc32=4waSgw==", "cannot bind"),
        ("presign put s3://b/k --meta owner", "NAME=VALUE"),
        ("presign put s3://b/k --meta a=1 --meta a=2", "twice"),
        ("presign put s3://b/k --content-type a/b --header Content-Type:a/b", "twice"),
        ("presign put s3://b/k --header x", "NAME: VALUE"),
        ("presign put s3://b/k --header host:x", "set by the signer"),
        ("presign put s3://b/k --header authorization:x", "set by the signer"),
        ("presign put s3://b/k --query X-Amz-Expires=9", "set by the signer"),
        ("presign put oss://bucket/k --query x-oss-expires=9", "set by the signer"),
        ("presign upload-part s3://b/k --part-number 1", "needs `upload-id`; give it with `--upload-id`"),
        ("presign upload-part oss://bucket/k --upload-id u", "needs `part-number`; give it with `--part-number`"),
        ("presign upload-part s3://b/k --upload-id u --part-number 0", "part-number"),
        ("presign copy s3://b/k", "needs `copy-source`; give it with `--copy-source`"),
        ("presign copy s3://b/k --copy-source bucket", "BUCKET/KEY"),
        ("presign list s3://b --max-keys 0", "max-keys"),
        ("presign get s3://b/k --download-name a/b", "file name"),
        ("presign get s3://b/k --store media", "leave --store out"),
        ("presign get media:k --store other", "leave --store out"),
        ("store --bucket Bad_Name --port 0", "--bucket"),
        ("store --port 70000", "--port"),
        ("store --config x", "means nothing"),
        ("demo --store x", "means nothing"),
        ("demo now", "a word too many"),
        ("verify", "missing"),
    ] {
        run(&line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>(), ENV).failed_with(2, part, line);
    }
    run(&["presign", "get", "s3://b/k", "--header", "x:\u{1b}[31m"], ENV).failed_with(2, "control character", "an escape sequence");
    run(&["presign", "get", "s3://b/k", "--regoin\u{1b}]0;x\u{7}"], ENV).failed_with(2, "\\u{1b}", "an escape sequence as a flag");
    run(&["presign", "get", "\u{1b}[2J:k"], ENV).failed_with(2, "name of a store", "an escape sequence as a store");
}

#[test]
fn configuration_region_and_credentials_end_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = write("good.toml", "[stores.media]\nprovider = \"s3\"\nbucket = \"media-prod\"\n");
    let bad = write("bad.toml", "[stores.media]\nprovider = \"s4\"\nbucket = \"b\"\n");
    let leaky = write(
        "leaky.toml",
        "[stores.media]\nprovider = \"s3\"\nbucket = \"b\"\n[stores.media.credentials]\nsource = \"static\"\nsecret_access_key = \"hidden\"\n",
    );
    let id = ("AWS_ACCESS_KEY_ID", "AKID");
    let secret = ("AWS_SECRET_ACCESS_KEY", "hidden-secret");
    let region = ("AWS_REGION", "eu-central-1");
    let ended = ("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z");
    for (line, env, part) in [
        ("presign get s3://b/k".to_owned(), &[][..], "no region"),
        ("put - s3://b/k".to_owned(), &[], "no region"),
        ("get s3://b/k --region us-east-1".to_owned(), &[], "AWS_ACCESS_KEY_ID"),
        ("put Cargo.toml s3://b/k".to_owned(), &[region, id, secret, ended], "ended"),
        ("get media:k".to_owned(), ENV, "no configuration"),
        ("presign get s3://b/k --region us-east-1".to_owned(), &[], "AWS_ACCESS_KEY_ID"),
        ("presign get oss://bucket/k --region cn-hangzhou".to_owned(), &[], "OSS_ACCESS_KEY_ID"),
        ("presign get s3://b/k".to_owned(), &[region, id], "AWS_SECRET_ACCESS_KEY is not"),
        ("presign get s3://b/k".to_owned(), &[region, id, ("AWS_SECRET_ACCESS_KEY", "hidden-secret\n")], "line end"),
        ("presign get s3://b/k".to_owned(), &[id, secret], "no region"),
        ("presign get s3://b/k".to_owned(), &[id, secret, ("AWS_REGION", "EU")], "not a region"),
        ("presign get s3://b/k".to_owned(), &[region, id, secret, ("AWS_ENDPOINT_URL", "nonsense")], "AWS_ENDPOINT_URL"),
        ("presign get s3://b/k".to_owned(), &[region, id, secret, ended], "ended"),
        ("presign --batch - s3://b".to_owned(), &[region, id, secret, ended], "ended"),
        ("presign --batch - s3://b".to_owned(), &[region], "AWS_ACCESS_KEY_ID"),
        ("presign get media:k".to_owned(), ENV, "no configuration"),
        ("presign get media:k --config /nowhere/valetkey.toml".to_owned(), ENV, "cannot be read"),
        (format!("presign get media:k --config {bad}"), ENV, "bad.toml:2:12"),
        (format!("presign get media:k --config {leaky}"), ENV, "leaky.toml:"),
        (format!("presign get other:k --config {good}"), ENV, "`media`"),
        (format!("presign get media:k --config {good}"), &[id, secret], "no region"),
        (format!("presign get media:k --config {good}"), &[region], "AWS_ACCESS_KEY_ID"),
        ("presign get s3://b/k --config /nowhere/valetkey.toml".to_owned(), ENV, "cannot be read"),
        (format!("presign get s3://b/k --config {bad}"), ENV, "bad.toml:2:12"),
        (format!("presign get oss://bucket/k --config {leaky}"), ENV, "leaky.toml:"),
        (format!("presign --batch - s3://b --config {bad}"), ENV, "bad.toml:2:12"),
        ("presign get s3://b/k".to_owned(), &[region, id, secret, ("AWS_USE_FIPS_ENDPOINT", "true")], "AWS_USE_FIPS_ENDPOINT is not supported"),
        ("presign get s3://b/k".to_owned(), &[region, id, secret, ("AWS_USE_DUALSTACK_ENDPOINT", "True")], "https://s3.dualstack.REGION.amazonaws.com"),
        ("presign --batch - s3://b".to_owned(), &[region, id, secret, ("AWS_USE_FIPS_ENDPOINT", "TRUE")], "https://s3-fips.REGION.amazonaws.com"),
        (format!("presign get media:k --config {good}"), &[region, id, secret, ("AWS_USE_FIPS_ENDPOINT", "true")], "or unset it"),
        ("store --credentials env --port 0".to_owned(), &[], "OSS_ACCESS_KEY_ID"),
        ("store --credentials env --port 0".to_owned(), &[id], "AWS_SECRET_ACCESS_KEY"),
    ] {
        let ran = run(&line.split(' ').collect::<Vec<_>>(), env);
        ran.failed_with(3, part, &line);
        assert!(!ran.err.contains("hidden"), "{line}: {}", ran.err);
    }
}

#[test]
fn three_forms_of_output() {
    let put = |more: &[&str]| {
        let line = [&["presign", "put", "s3://media/it's", "--content-type", "image/png", "--meta", "owner=7", "--expires", "1h"], AT, more].concat();
        run(&line, ENV).succeeded("put")
    };
    let url = put(&[]);
    assert!(url.out.starts_with("https://media.s3.eu-central-1.amazonaws.com/it%27s?X-Amz-Algorithm=AWS4-HMAC-SHA256&") && url.out.lines().count() == 1);
    assert_eq!(url.err, "content-type: image/png\nx-amz-meta-owner: 7\n");

    let json = put(&["--output", "json"]);
    assert_eq!((json.out.lines().count(), json.err.as_str()), (1, ""));
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["url"].as_str(), Some(url.out.trim_end()));
    assert_eq!(json["expiration"].as_str(), Some("2026-11-22T11:30:00Z"));
    assert_eq!(json["expiration_reason"].as_str(), Some("requested"));
    assert_eq!(json["signed_headers"]["x-amz-meta-owner"].as_str(), Some("7"));

    let curl = put(&["--output=curl"]);
    assert!(curl.out.starts_with("curl --globoff --path-as-is --upload-file 'FILE' --header 'content-type: image/png'") && curl.err.is_empty());

    // Headers are exact, whatever a terminal makes of them.
    let exact = run(&["presign", "put", "s3://media/k", "--header", "x-a: a\u{200b}b\u{202e}c\u{feff}d"], ENV).succeeded("invisible characters");
    assert!(exact.err.starts_with("x-a: a\u{200b}b\u{202e}c\u{feff}d\n# "), "{:?}", exact.err);

    // Notes are in the JSON, and beside the URL.
    let noted = run(&["presign", "put", "oss://media/k", "--create-only"], ENV).succeeded("create only");
    let (remarks, headers): (Vec<&str>, Vec<&str>) = noted.err.lines().partition(|line| line.starts_with("# "));
    assert!(remarks.len() == 1 && headers == ["x-oss-forbid-overwrite: true"], "{}", noted.err);
    let quiet = run(&["presign", "get", "oss://media/k"], ENV).succeeded("get");
    assert_eq!((quiet.out.lines().count(), quiet.err.as_str()), (1, ""));

    for line in ["presign get s3://b/k --expires 0 --output json", "presign get s3://b --output=json", "presign get s3://b/k --nonsense --output json"] {
        let ran = run(&line.split(' ').collect::<Vec<_>>(), ENV);
        ran.failed_with(2, "{\"error\":{\"code\":", line);
        let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert!(error["error"]["message"].is_string() && error.as_object().unwrap().len() == 1, "{error}");
    }
}

/// Flags win over the environment and the configuration, in the order that the contract gives.
#[test]
fn where_region_and_endpoint_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("valetkey.toml");
    let text = "[stores.media]\nprovider = \"s3\"\nbucket = \"prod\"\nregion = \"eu-west-1\"\nmax_ttl = \"10m\"\n\
                [stores.cn]\nprovider = \"oss\"\nbucket = \"prod\"\nendpoint = \"https://files.example\"\naddressing = \"custom-domain\"\n";
    std::fs::write(&path, text).unwrap();
    let config = ("VALETKEY_CONFIG", path.to_str().unwrap());
    for (line, more, start) in [
        ("presign get s3://b-1/k", &[][..], "https://b-1.s3.eu-central-1.amazonaws.com/k?"),
        ("presign get s3://b-1/k --region us-west-2", &[], "https://b-1.s3.us-west-2.amazonaws.com/k?"),
        ("presign get s3://b-1/k", &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-west-1")], "https://b-1.s3.us-west-1.amazonaws.com/k?"),
        ("presign get s3://b-1/k", &[("AWS_ENDPOINT_URL", "http://a:1"), ("AWS_ENDPOINT_URL_S3", "http://b:2")], "http://b:2/b-1/k?"),
        ("presign get s3://b-1/k", &[("AWS_ENDPOINT_URL", "http://a:1")], "http://a:1/b-1/k?"),
        ("presign get s3://b-1/k --endpoint http://c:3", &[("AWS_ENDPOINT_URL", "http://a:1")], "http://c:3/b-1/k?"),
        ("presign get s3://b-1/k --endpoint http://c:3 --addressing virtual", &[], "http://b-1.c:3/k?"),
        ("presign get s3://b-1/a%20b", &[], "https://b-1.s3.eu-central-1.amazonaws.com/a%2520b?"),
        ("presign list s3://b-1 --prefix a/", &[], "https://b-1.s3.eu-central-1.amazonaws.com/?"),
        ("presign get oss://b-1/k", &[], "https://b-1.oss-cn-hangzhou.aliyuncs.com/k?"),
        ("presign get oss://b-1/k", &[("OSS_ENDPOINT", "oss-cn-hangzhou-internal.aliyuncs.com")], "https://b-1.oss-cn-hangzhou-internal.aliyuncs.com/k?"),
        ("presign get oss://b-1/k", &[("OSS_ENDPOINT", "http://127.0.0.1:9000")], "http://127.0.0.1:9000/b-1/k?"),
        ("presign get media:k", &[config, ("AWS_ENDPOINT_URL", "http://a:1")], "https://prod.s3.eu-west-1.amazonaws.com/k?"),
        ("presign get media:k --region us-west-2", &[config], "https://prod.s3.us-west-2.amazonaws.com/k?"),
        ("presign get media:a:b", &[config], "https://prod.s3.eu-west-1.amazonaws.com/a%3Ab?"),
        ("presign list media:", &[config], "https://prod.s3.eu-west-1.amazonaws.com/?"),
        ("presign get cn:k", &[config], "https://files.example/k?"),
        ("--store media presign get media:k", &[config, ("VALETKEY_STORE", "cn")], "https://prod.s3.eu-west-1.amazonaws.com/k?"),
        ("presign get s3://b-1/k", &[("AWS_USE_FIPS_ENDPOINT", "false"), ("AWS_USE_DUALSTACK_ENDPOINT", "")], "https://b-1.s3.eu-central-1.amazonaws.com/k?"),
        ("presign get s3://b-1/k", &[("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_ENDPOINT_URL", "http://a:1")], "http://a:1/b-1/k?"),
        (
            "presign get s3://b-1/k --endpoint https://s3.dualstack.eu-central-1.amazonaws.com",
            &[("AWS_USE_DUALSTACK_ENDPOINT", "true")],
            "https://b-1.s3.dualstack.eu-central-1.amazonaws.com/k?",
        ),
        ("presign get oss://b-1/k", &[("AWS_USE_FIPS_ENDPOINT", "true")], "https://b-1.oss-cn-hangzhou.aliyuncs.com/k?"),
    ] {
        let env = [ENV, more].concat();
        let ran = run(&line.split(' ').collect::<Vec<_>>(), &env).succeeded(line);
        assert!(ran.out.starts_with(start), "{line}: {}", ran.out);
    }
    let env = [ENV, &[config]].concat();
    run(&["presign", "get", "media:k", "--expires", "11m"], &env).failed_with(2, "max_ttl", "the store's limit");
}

#[test]
fn hostile_rows() {
    let (mut ran_rows, mut later) = (0, Vec::new());
    for row in fixture("hostile/cli.json").as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        if let Some(feature) = row["later"].as_str() {
            later.push((id.to_owned(), feature.to_owned()));
            continue;
        }
        let env: Vec<(&str, &str)> =
            row["input"]["env"].as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        let mut command = program(&env);
        match row["input"]["argv_hex"].as_array() {
            Some(words) => command.args(words.iter().map(|word| from_hex(word.as_str().unwrap()))),
            None => {
                let words = row["run"].as_array().or(row["input"]["argv"].as_array()).unwrap();
                command.args(words.iter().map(|word| word.as_str().unwrap()))
            }
        };
        let ran = finish(command.output().unwrap(), &env);
        match row["expected"]["exit_code"].as_i64() {
            Some(exit) => ran.failed_with(i32::try_from(exit).unwrap(), "", id),
            None => assert!([2, 3].contains(&ran.exit) && ran.err.lines().count() == 1, "{id}: {}", ran.err),
        }
        ran_rows += 1;
    }
    assert_eq!(ran_rows, 6);
    let want = [("CL-018", "explain"), ("CL-025", "explain"), ("CL-029", "explain")];
    assert_eq!(later, want.map(|(id, feature)| (id.to_owned(), feature.to_owned())));
}

#[cfg(unix)]
fn from_hex(hex: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    std::ffi::OsString::from_vec(bytes.collect())
}

#[cfg(not(unix))]
fn from_hex(_: &str) -> std::ffi::OsString {
    use std::os::windows::ffi::OsStringExt as _;
    std::ffi::OsString::from_wide(&[0xd800])
}

/// Streams that cannot be written, a folder that is gone, arguments and variables that are no text.
#[cfg(target_os = "linux")]
#[test]
fn bare_environments() {
    let get = ["presign", "get", "s3://b/k"];
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = finish(program(ENV).args(get).stdout(Stdio::from(full)).output().unwrap(), ENV);
    ran.failed_with(1, "cannot be written", "a full disk");

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = finish(program(ENV).args(get).stdout(Stdio::from(writer)).output().unwrap(), ENV);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "a reader that went away");

    let folder = tempfile::tempdir().unwrap();
    let script =
        format!("mkdir {0}/gone && cd {0}/gone && rmdir {0}/gone && exec {1} presign get media:k", folder.path().display(), env!("CARGO_BIN_EXE_valetkey"));
    let mut shell = std::process::Command::new("/bin/sh");
    let ran = finish(shell.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap(), &[]);
    ran.failed_with(3, "no configuration", "a folder that is gone");

    let ran = finish(program(ENV).args(get).env("AWS_REGION", from_hex("ff")).output().unwrap(), ENV);
    ran.failed_with(3, "AWS_REGION is not UTF-8", "a region that is no text");
    let ran = finish(program(ENV).args(["presign", "get"]).arg(from_hex("73333a2f2f622fff")).output().unwrap(), ENV);
    ran.failed_with(2, "UTF-8", "a key that is no text");
}

#[test]
fn help_and_version_are_results() {
    for (line, part) in [
        ("--help", "valetkey"),
        ("help presign", "--create-only"),
        ("presign --help", "--continuation-token"),
        ("verify --help", "--method"),
        ("store --help", "--bucket"),
        ("put --help", "--part-size"),
        ("get --help", "--version-id"),
        ("--version", env!("CARGO_PKG_VERSION")),
    ] {
        let ran = run(&line.split(' ').collect::<Vec<_>>(), &[("AWS_SECRET_ACCESS_KEY", S3_SECRET), ("RUST_BACKTRACE", "full")]).succeeded(line);
        assert!(ran.out.contains(part) && ran.err.is_empty(), "{line}");
        // A grammar that takes a secret as a value would show it to every process of the machine.
        assert!(!ran.out.to_lowercase().contains("--secret") && !ran.out.contains("--token"), "{line}");
    }
}
