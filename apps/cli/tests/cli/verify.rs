//! `verify`: what is accepted, for whom, and why not.

use crate::support::{ENV, OSS_ID, S3_ID, run, run_with_input};

const AT: &str = "2026-11-22T10:30:00Z";

fn sign(line: &str) -> String {
    let line: Vec<&str> = line.split(' ').chain(["--at", AT]).collect();
    run(&line, ENV).succeeded("presign").out.trim_end().to_owned()
}

#[test]
fn what_was_verified_is_said() {
    let url = sign("presign upload-part s3://media/a\u{1b}\u{9b}b --upload-id u --part-number 2 --content-length 5");
    let line = ["verify", &url, "--method", "PUT", "--header", "Content-Length: 5", "--at", "2026-11-22T10:45:00Z"];
    let ran = run(&line, ENV).succeeded("text");
    let want = format!(
        "valid: presigned S3 request\nmethod: PUT\nbucket: media\nkey: a\\u{{1b}}\\u{{9b}}b\naccess key id: {S3_ID}\nsigned at: {AT}\n\
         expiration: 2026-11-22T10:45:00Z\nsigned headers: content-length, host\nquery: partNumber, uploadId\nbody: not signed\n"
    );
    assert_eq!((ran.out, ran.err.as_str()), (want, ""));

    let ran = run(&[line.as_slice(), &["--output", "json"]].concat(), ENV).succeeded("json");
    assert!(!ran.out.trim_end().chars().any(char::is_control));
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((json["key"].as_str(), json["provider"].as_str(), json["bucket"].as_str()), (Some("a\u{1b}\u{9b}b"), Some("s3"), Some("media")));
    assert_eq!(json["query"], serde_json::json!(["partNumber", "uploadId"]));

    let url = sign("presign list oss://media --prefix a");
    let ran = run_with_input(&["verify", "-", "--at", AT], ENV, format!("{url}\n").as_bytes()).succeeded("standard input");
    assert!(ran.out.contains("key: none, the bucket itself\n") && ran.out.contains(OSS_ID), "{}", ran.out);
}

#[test]
fn what_is_invalid_ends_with_1() {
    let get = sign("presign get s3://media/k");
    let put = sign("presign put oss://media/k --content-type a/b --content-length 5");
    let foreign = sign("presign get s3://media/k --endpoint https://store.example");
    let swap = |url: &str, from: &str, to: &str| {
        assert!(url.contains(from), "{url}");
        url.replacen(from, to, 1)
    };
    for (url, more, part) in [
        (get.clone(), &["--method", "HEAD"][..], "403 SignatureDoesNotMatch"),
        (get.clone(), &["--header", "x-amz-acl: private"], "not signed: x-amz-acl (S3 would answer 403 AccessDenied)"),
        (get.clone(), &["--at", "2026-11-22T10:45:01Z"], "expired at 2026-11-22T10:45:00Z"),
        (get.clone(), &["--at", "2026-11-22T10:14:59Z"], "not yet valid"),
        (get.clone(), &["--region", "us-east-1"], "region"),
        (get.clone(), &["--bucket", "other"], "invalid: the URL is of the bucket media, not other\n"),
        (swap(&get, "/k?", "/l?"), &[], "SignatureDoesNotMatch"),
        (swap(&get, "https://", "http://").replace("amazonaws.com", "amazonaws.com:81"), &[], "SignatureDoesNotMatch"),
        (swap(&get, S3_ID, "AKIAOTHER"), &[], "AKIAOTHER is not known (S3 would answer 403 InvalidAccessKeyId)"),
        (swap(&get, S3_ID, "AKIA%1B%5B31m"), &[], ""),
        (swap(&get, "X-Amz-Date", "X-Amz-Day"), &[], "X-Amz-Date is missing (S3 would answer 400"),
        (format!("{get}&X-Amz-Expires=1"), &[], "more than once"),
        (swap(&get, "/k?", "/%zz?"), &[], "percent"),
        (format!("{get}&{}", "x".repeat(20_000)), &[], "longer than"),
        ("https://media.s3.eu-central-1.amazonaws.com/k".to_owned(), &[], "is not signed"),
        ("https://media.s3.eu-central-1.amazonaws.com?x=X-Amz-Date".to_owned(), &[], "is not signed"),
        (put.clone(), &["--method", "PUT"], "give each header that was sent with --header (OSS would answer 400 InvalidArgument)"),
        (put.clone(), &["--method", "PUT", "--header", "content-length: 5"], "OSS would answer 403 SignatureDoesNotMatch"),
        (put.clone(), &["--method", "PUT", "--header", "content-length: 6", "--header", "content-type: a/b"], "OSS would answer 403 SignatureDoesNotMatch"),
        (foreign.clone(), &[], "no bucket that is known"),
        (swap(&get, "https://", "https://hidden:pw@"), &[], "user name"),
        (swap(&get, "https://", "https://hidden@"), &[], "user name"),
        (swap(&get, "/k?", "/a b?"), &[], "white space"),
        (swap(&get, "https://", " https://"), &[], "white space"),
        (swap(&get, "/k?", "/a\u{1b}b?"), &[], "control character"),
        (format!("{get}#top"), &[], "fragment"),
        ("https://media.s3.eu-central-1.amazonaws.com#b".to_owned(), &[], "fragment"),
        (format!("{get}&x-oss-signature=1"), &[], "mixes"),
    ] {
        let at: &[&str] = if more.contains(&"--at") { &[] } else { &["--at", AT] };
        let ran = run(&[&["verify", &url], at, more].concat(), ENV);
        ran.failed_with(1, part, &url);
        assert!(ran.err.starts_with("valetkey: invalid: "), "{}", ran.err);
        assert!(!ran.err.contains("ignature=") && !ran.err.contains("hidden"), "{}", ran.err);
        let ran = run(&[&["verify", &url], at, more, &["--output", "json"]].concat(), ENV);
        ran.failed_with(1, "{\"error\":{\"code\":\"", &url);
    }
    run(&["verify", &put, "--method", "PUT", "--header", "content-length:5", "--header", "content-type:a/b", "--at", AT], ENV).succeeded("all headers");
    run(&["verify", &foreign, "--endpoint", "https://store.example", "--at", AT], ENV).succeeded("its endpoint");
    run(&["verify", &get, "--region", "eu-central-1", "--bucket", "media", "--at", AT], ENV).succeeded("region and bucket");
    // Names of the other cloud that are no part of its signature.
    for line in ["presign get oss://media/k --query x-amz-a=1", "presign get s3://media/k --query x-oss-a=1"] {
        run(&["verify", &sign(line), "--at", AT], ENV).succeeded(line);
    }
}

/// The bucket that was verified, or the reason.
#[test]
fn which_bucket_a_url_is_of() {
    let at = |endpoint: &'static str, bucket: &'static str| vec!["--endpoint", endpoint, "--bucket", bucket];
    let only = |bucket: &'static str| vec!["--bucket", bucket];
    let not_other = |bucket: &str| Err(format!("invalid: the URL is of the bucket {bucket}, not other\n"));
    let (ip, gateway, domain) = ("http://127.0.0.1:9000", "https://gw.example", "https://static.example.com");
    let valid = || Ok("bucket: media\nkey: a/b\n");
    let mismatch = || Err("SignatureDoesNotMatch".to_owned());
    let unknown = || Err("no bucket that is known".to_owned());
    for (signed, more, env, want) in [
        // S3: no signature covers the bucket, so what is read first is meant.
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", at(ip, "media"), None, valid()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", at(ip, "other"), None, not_other("media")),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", at("http://127.0.0.1:9001", "media"), None, unknown()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000/base", at("http://127.0.0.1:9000/base", "media"), None, valid()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000/base", at("http://127.0.0.1:9000/base", "other"), None, not_other("media")),
        ("s3://media/a/b --endpoint https://gw.example --addressing virtual", at(gateway, "media"), None, valid()),
        ("s3://media/a/b --endpoint https://gw.example --addressing virtual", at(gateway, "other"), None, not_other("media")),
        (
            "s3://media/a/b --endpoint https://static.example.com --addressing custom-domain",
            at(domain, "media"),
            None,
            Err("of the bucket a, not media".to_owned()),
        ),
        ("s3://media/a/b", only("media"), None, valid()),
        ("s3://media/a/b", only("other"), None, not_other("media")),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", only("media"), None, valid()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", only("other"), None, not_other("media")),
        // OSS signs the bucket: the one reading that fits is meant.
        ("oss://media/a/b --endpoint http://127.0.0.1:9000", at(ip, "media"), None, valid()),
        ("oss://media/a/b --endpoint http://127.0.0.1:9000", at(ip, "other"), None, not_other("media")),
        ("oss://media/a/b --endpoint https://gw.example", at(gateway, "media"), None, valid()),
        ("oss://media/a/b --endpoint https://gw.example", at(gateway, "other"), None, not_other("media")),
        ("oss://media/a/b --endpoint https://gw.example", at("https://media.gw.example", "media"), None, valid()),
        ("oss://media/a/b --endpoint https://static.example.com --addressing custom-domain", at(domain, "media"), None, valid()),
        ("oss://media/a/b --endpoint https://static.example.com --addressing custom-domain", at(domain, "other"), None, mismatch()),
        ("oss://media/a/b --endpoint https://static.example.com/x --addressing custom-domain", at("https://static.example.com/x", "media"), None, valid()),
        ("oss://media/a/b", only("media"), None, valid()),
        ("oss://media/a/b", only("other"), None, not_other("media")),
        ("oss://media/a/b --endpoint https://gw.example", only("media"), None, valid()),
        ("oss://media/a/b --endpoint https://gw.example", only("other"), None, mismatch()),
        ("oss://media/a/b --endpoint http://127.0.0.1:9000", only("other"), None, not_other("media")),
        // The environment's endpoint, besides the public hosts.
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", vec![], Some(("AWS_ENDPOINT_URL_S3", ip)), valid()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", only("other"), Some(("AWS_ENDPOINT_URL", ip)), not_other("media")),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000/base", vec![], Some(("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/base")), valid()),
        ("s3://media/a/b", vec![], Some(("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/base")), valid()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", vec![], Some(("AWS_ENDPOINT_URL", gateway)), unknown()),
        ("s3://media/a/b --endpoint http://127.0.0.1:9000", at(gateway, "media"), Some(("AWS_ENDPOINT_URL", ip)), unknown()),
        ("oss://media/a/b --endpoint https://gw.example", vec![], Some(("OSS_ENDPOINT", "gw.example")), valid()),
        ("oss://media/a/b --endpoint https://static.example.com --addressing custom-domain", only("media"), Some(("OSS_ENDPOINT", domain)), valid()),
    ] {
        let url = sign(&format!("presign get {signed}"));
        let env: Vec<_> = ENV.iter().copied().chain(env).collect();
        let ran = run(&[&["verify", &url, "--at", AT], more.as_slice()].concat(), &env);
        let what = format!("{signed} {more:?}");
        match want {
            Ok(part) => assert!(ran.succeeded(&what).out.contains(part), "{what}"),
            Err(part) => ran.failed_with(1, &part, &what),
        }
    }
    // OSS signs no host: moved to that of another bucket it is of neither.
    let moved = sign("presign get oss://other/a/b").replacen("//other.", "//media.", 1);
    run(&["verify", &moved, "--at", AT, "--bucket", "other"], ENV).failed_with(1, "SignatureDoesNotMatch", "moved");
}

#[test]
fn wrong_use_ends_with_2_and_no_credentials_with_3() {
    let get = sign("presign get s3://media/k");
    for (url, more, part) in [
        ("", &[][..], "https://"),
        ("media.s3.amazonaws.com/k?X-Amz-Date=1", &[], "https://"),
        ("ftp://media.s3.amazonaws.com/k", &[], "https://"),
        ("https:///k?X-Amz-Date=1", &[], "no host"),
        ("https://", &[], "no host"),
        ("a b#c", &[], "https://"),
        (&get, &["--header", "Host: other"], "stands in the URL"),
        (&get, &["--header", "none"], "NAME: VALUE"),
        (&get, &["--at", "now"], "RFC 3339"),
        (&get, &["--endpoint", "store.example"], "http://"),
    ] {
        run(&[&["verify", url], more].concat(), ENV).failed_with(2, part, url);
    }
    for input in [b"\xff".to_vec(), vec![b'x'; 1 << 20], Vec::new()] {
        run_with_input(&["verify", "-"], ENV, &input).failed_with(2, "URL", "standard input");
    }
    run(&["verify", &get], &[]).failed_with(3, "AWS_ACCESS_KEY_ID", "no credentials");
    run(&["verify", &get], &[("VALETKEY_STORE", "media")]).failed_with(3, "no configuration", "no configuration");
    run(&["verify", &get, "--config", "/nowhere/valetkey.toml"], ENV).failed_with(3, "cannot be read", "a file that is not there");
    let foreign = sign("presign get s3://media/k --endpoint https://store.example");
    run(&["verify", &foreign], &[ENV, &[("AWS_ENDPOINT_URL", "nonsense")]].concat()).failed_with(3, "AWS_ENDPOINT_URL", "an endpoint that is none");
}

#[test]
fn a_store_says_hosts_region_and_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("valetkey.toml");
    let text = "default = \"media\"\n\
        [stores.media]\nprovider = \"s3\"\nbucket = \"media\"\nregion = \"eu-central-1\"\nendpoint = \"http://127.0.0.1:9000/base\"\n\
        [stores.domain]\nprovider = \"oss\"\nbucket = \"files\"\nregion = \"cn-hangzhou\"\nendpoint = \"https://files.example\"\naddressing = \"custom-domain\"\n\
        [stores.public]\nprovider = \"s3\"\nbucket = \"media\"\nregion = \"eu-central-1\"\n\
        [stores.own]\nprovider = \"s3\"\nbucket = \"media\"\nregion = \"eu-central-1\"\nendpoint = \"https://own.example\"\naddressing = \"custom-domain\"\n";
    std::fs::write(&path, text).unwrap();
    let config = path.to_str().unwrap();
    let env = [ENV, &[("VALETKEY_CONFIG", config)]].concat();
    let sign = |location: &str| run(&["presign", "get", location, "--at", AT], &env).succeeded(location).out.trim_end().to_owned();
    let (media, domain, public, own) = (sign("media:a/b"), sign("domain:a/b"), sign("public:a/b"), sign("own:a/b"));
    let endpoint = ["presign", "get", "s3://other/a/b", "--endpoint", "http://127.0.0.1:9000/base", "--at", AT];
    let (elsewhere, oss) = (run(&endpoint, &env).succeeded("another bucket").out.trim_end().to_owned(), sign("oss://files/a/b"));
    for (url, more, want) in [
        (&media, &["--store", "media"][..], Ok("bucket: media\nkey: a/b\n")),
        (&media, &["--config", config], Ok("bucket: media\nkey: a/b\n")),
        (&media, &[], Ok("bucket: media\nkey: a/b\n")),
        (&media, &["--endpoint", "http://127.0.0.1:9000/base"], Ok("bucket: media\nkey: a/b\n")),
        (&public, &["--store", "public"], Ok("bucket: media\nkey: a/b\n")),
        (&public, &["--store", "public", "--bucket", "other"], Err("invalid: the URL is of the bucket media, not other\n")),
        (&elsewhere, &["--store", "media"], Err("invalid: the URL is of the bucket other, not media, which the store `media` has")),
        (&elsewhere, &[], Err("invalid: the URL is of the bucket other, not media, which the store `media` has")),
        (&elsewhere, &["--bucket", "other"], Ok("bucket: other\nkey: a/b\n")),
        (&own, &["--store", "own"], Ok("bucket: media\nkey: a/b\n")),
        (&own, &["--store", "own", "--bucket", "other"], Err("invalid: the URL is of the bucket media, not other\n")),
        // The default is of the other cloud.
        (&oss, &[], Ok("bucket: files\nkey: a/b\n")),
        (&media, &["--store", "domain"], Err("invalid")),
        (&media, &["--store", "media", "--bucket", "other"], Err("invalid: the URL is of the bucket media, not other\n")),
        (&media, &["--store", "media", "--region", "us-east-1"], Err("region")),
        (&media, &["--store", "media", "--endpoint", "http://127.0.0.1:9001"], Err("no bucket that is known")),
        (&domain, &["--store", "domain"], Ok("bucket: files\nkey: a/b\n")),
        (&domain, &["--endpoint", "https://files.example", "--bucket", "files"], Ok("bucket: files\nkey: a/b\n")),
        (&domain, &["--endpoint", "https://files.example", "--bucket", "other"], Err("SignatureDoesNotMatch")),
    ] {
        let ran = run(&[&["verify", url, "--at", AT], more].concat(), &env);
        match want {
            Ok(part) => assert!(ran.succeeded(url).out.contains(part)),
            Err(part) => ran.failed_with(1, part, url),
        }
    }
    let env = [env.as_slice(), &[("VALETKEY_STORE", "domain")]].concat();
    run(&["verify", &domain, "--at", AT], &env).succeeded("VALETKEY_STORE");
    run(&["verify", &domain, "--store", "nobody"], &env).failed_with(3, "`domain`, `media`", "an unknown store");
}
