//! `put`: files, standard input and parts to the embedded store, and what happens when something is in the way.

use serde_json::Value;

use crate::place::{Place, ended, names, noise};
use crate::support::{ENV, Ran, finish, program, run, run_with_input};

const MIB: usize = 1 << 20;

impl Place {
    fn put(&self, file: &str, location: &str, more: &[&str]) -> Ran {
        self.run(&[&["put", file, location], more].concat(), ENV)
    }
}

#[test]
fn a_file_arrives_with_its_length_and_type() {
    let place = Place::start();
    for provider in ["s3", "oss"] {
        let location = |key: &str| format!("{provider}://media/{key}");
        for (name, bytes, key, more, object, content_type) in [
            ("photo.png", &b"12345"[..], "a/b.bin", &[][..], "a/b.bin", "image/png"),
            ("été 文 🦀.jpeg", b"12345", "up/", &[], "up/été 文 🦀.jpeg", "image/jpeg"),
            ("empty.txt", b"", "empty", &[], "empty", "text/plain"),
            ("plain", b"x", "k.html", &[], "k.html", "text/html"),
            ("a.png", b"x", "k", &["--content-type", "a/b; c=d"], "k", "a/b; c=d"),
            ("a.png", b"x", "", &[], "a.png", "image/png"),
        ] {
            let file = place.file(name, bytes);
            let ran = place.put(&file, &location(key), more).succeeded(key);
            let lines: Vec<&str> = ran.out.lines().collect();
            assert_eq!(lines[..2], [format!("location: {}", location(object)), format!("size: {}", bytes.len())], "{}", ran.out);
            assert!(lines[2].starts_with("etag: \"") && lines[2].len() == 40, "{}", ran.out);
            assert_eq!(ran.err, "", "no terminal, nothing to say");
            assert_eq!(place.stored(provider, object), (bytes.to_vec(), content_type.to_owned()), "{provider} {object}");
        }
        // Without a type, both clouds store one that runs nowhere.
        place.put(&place.file("typeless", b"x"), &location("typeless"), &[]).succeeded("no type");
        assert!(place.stored(provider, "typeless").1.ends_with("/octet-stream"));

        let file = place.file("j.json", b"{}");
        let ran = place.put(&file, &location("j"), &["--output", "json", "--meta", "owner=7"]).succeeded("json");
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(report["location"], location("j"));
        assert_eq!((report["size"].as_u64(), report["parts"].as_u64(), report["content_type"].as_str()), (Some(2), Some(0), Some("application/json")));
        assert!(report["etag"].is_string() && report.as_object().unwrap().len() == 6 && ran.err.is_empty(), "{} {}", ran.out, ran.err);
        assert_eq!(place.put(&file, &location("j"), &["--quiet"]).succeeded("quiet").out, "");
        assert!(place.put(&file, &location("j"), &["--quiet", "--output", "json"]).succeeded("quiet json").out.starts_with('{'));
    }
}

/// A store of the configuration, and the location as it was written.
#[test]
fn a_store_of_the_configuration() {
    let place = Place::start();
    let config = place.file(
        "valetkey.toml",
        format!("[stores.m-1]\nprovider = \"oss\"\nbucket = \"media\"\nregion = \"cn-hangzhou\"\nendpoint = \"{}\"\n", place.endpoint).as_bytes(),
    );
    let file = place.file("-a.txt", b"12345");
    let env = [ENV, &[("VALETKEY_CONFIG", config.as_str())]].concat();
    let ran = run(&["put", &file, "m-1:up/"], &env).succeeded("a store");
    assert!(ran.out.starts_with("location: m-1:up/-a.txt\nsize: 5\n"), "{}", ran.out);
    assert_eq!(place.stored("oss", "up/-a.txt").0, b"12345");

    // Names that begin like flags stand behind `--`.
    let mut command = program(&env);
    command.current_dir(place.folder.path()).args(["put", "--quiet", "--", "-a.txt", "m-1:-k"]);
    assert_eq!(finish(command.output().unwrap(), &env).succeeded("a dash").out, "");
    assert_eq!(place.stored("oss", "-k").0, b"12345");
}

/// There and back.
#[test]
fn hard_keys() {
    let place = Place::start();
    for key in [
        "a b+c.txt",
        "été 文 🦀/\u{65}\u{301}",
        "100%41%2F?x=1&y#z",
        "it's \"q\" [a]{b};,='$HOME`ls`",
        "line\nend\ttab\u{200b}\u{202e}",
        "back\\slash",
        "two//slashes",
        "-dash",
        "a:b@c",
        "~._-!*()",
    ] {
        for provider in ["s3", "oss"] {
            let (bytes, location) = (format!("{provider} {key}"), format!("{provider}://media/{key}"));
            let ran = place.put(&place.file("f", bytes.as_bytes()), &location, &["--output", "json"]).succeeded(key);
            assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["location"], location);
            assert_eq!(place.stored(provider, key).0, bytes.as_bytes(), "{key}");
            let ran = place.run(&["get", &location, "--output", "json"], ENV).succeeded(key);
            assert_eq!((ran.out, &serde_json::from_str::<Value>(&ran.err).unwrap()["location"]), (bytes, &Value::from(location)));
        }
    }
}

#[test]
fn standard_input_is_sent_with_its_length() {
    let place = Place::start();
    let spool = place.path("spool");
    std::fs::create_dir(&spool).unwrap();
    let env = [ENV, &[("TMPDIR", spool.to_str().unwrap())]].concat();
    let endpoint = place.endpoint.clone();
    for (provider, bytes, more) in [
        ("s3", noise(300_000), &[][..]),
        ("oss", Vec::new(), &[]),
        ("s3", noise(11 * MIB), &["--part-size", "5MiB"]),
        ("oss", noise(MIB), &["--part-size", "300KiB", "--parallel", "2"]),
    ] {
        let location = format!("{provider}://media/in.csv");
        let words = [&["put", "-", &location, "--endpoint", &endpoint], more].concat();
        let ran = run_with_input(&words, &env, &bytes).succeeded("standard input");
        assert!(ran.out.contains(&format!("size: {}\n", bytes.len())) && ran.err.is_empty(), "{} {}", ran.out, ran.err);
        let stored = place.stored(provider, "in.csv");
        assert!(stored.0 == bytes && stored.1 == "text/csv", "{provider}: {} bytes of {}", stored.0.len(), stored.1);
        assert_eq!(names(&spool), Vec::<String>::new());
    }
    // Nothing is read for what cannot be sent, and nothing is left of what was refused.
    run_with_input(&["put", "-", "s3://media/k", "--endpoint", &endpoint, "--meta", "a b=1"], &env, &noise(MIB)).failed_with(2, "a b", "a name");
    run_with_input(&["put", "-", "s3://nothere/k", "--endpoint", &endpoint], &env, &noise(MIB)).failed_with(4, "404 NoSuchBucket", "no bucket");
    assert_eq!(names(&spool), Vec::<String>::new());
    let env = [ENV, &[("TMPDIR", "/nowhere")]].concat();
    run_with_input(&["put", "-", "s3://media/k", "--endpoint", &endpoint], &env, b"x").failed_with(1, "set TMPDIR", "no room");
}

#[test]
fn large_files_go_in_parts() {
    let place = Place::start();
    for (provider, size, part_size, parts) in
        [("s3", 11 * MIB + 1, "5MiB", 3), ("s3", 5 * MIB, "5MiB", 0), ("oss", MIB, "100KiB", 11), ("oss", MIB, "64MiB", 0)]
    {
        let bytes = noise(size);
        let (file, location) = (place.file("big.bin", &bytes), format!("{provider}://media/big"));
        let ran = place.put(&file, &location, &["--part-size", part_size, "--output", "json", "--content-type", "a/b"]).succeeded(provider);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((report["parts"].as_u64(), report["size"].as_u64()), (Some(parts), Some(size as u64)), "{}", ran.out);
        assert_eq!(ran.err, "");
        assert!(place.stored(provider, "big") == (bytes, "a/b".to_owned()));
        assert_eq!(names(place.folder.path()), ["big.bin"], "no state is left");
    }
}

#[test]
fn what_the_caller_demands_is_kept() {
    let place = Place::start();
    let file = place.file("f", b"12345");
    let big = place.file("big", &noise(6 * MIB));
    for (provider, status, code) in [("s3", 412, "PreconditionFailed"), ("oss", 409, "FileAlreadyExists")] {
        let location = format!("{provider}://media/{provider}-once");
        let ran = place.put(&file, &location, &["--create-only"]).succeeded("new");
        // What the cloud does not enforce is said.
        assert_eq!(ran.err.lines().count(), usize::from(provider == "oss"), "{}", ran.err);
        for file in [&file, &big] {
            let ran = place.put(file, &location, &["--create-only", "--quiet", "--part-size", "5MiB"]);
            ran.failed_with(4, &format!("valetkey: the store refused with {status} {code}"), "there already");
        }
        let (right, wrong) = ("gnzLDuqKcGxMNKFokfhOew==", "AAAAAAAAAAAAAAAAAAAAAA==");
        let location = format!("{provider}://media/{provider}-md5");
        place.put(&file, &location, &["--content-md5", wrong]).failed_with(4, "400 ", "another MD5");
        place.put(&file, &location, &["--content-md5", right]).succeeded("this MD5");
        place.put(&big, &location, &["--content-md5", right, "--part-size", "5MiB"]).failed_with(2, "raise the part size", "in parts");
    }
    place.put(&file, "s3://media/sum", &["--checksum", "sha256=WZRHGrsBESr8wYFZ9sx0tPUReyr4GGHmVfF8jyYYX8Y="]).failed_with(4, "400 ", "another checksum");
    place.put(&file, "s3://media/sum", &["--checksum", "sha256=WZRHGrsBESr8wYFZ9sx0tPURuZgG2lmzyvWpwXPKz8U="]).succeeded("this checksum");
}

#[test]
fn a_refusal_ends_with_4_and_no_answer_with_5() {
    let place = Place::start();
    let file = place.file("a.png", b"x");
    let other_secret: Vec<_> = ENV.iter().map(|(name, value)| (*name, if name.contains("SECRET") { "another-secret" } else { value })).collect();
    for (location, env, part) in [
        ("s3://media/k", &other_secret[..], "403 SignatureDoesNotMatch"),
        ("oss://media/k", &other_secret, "403 SignatureDoesNotMatch"),
        ("s3://nothere/k", ENV, "404 NoSuchBucket"),
    ] {
        let ran = place.run(&["put", &file, location], env);
        ran.failed_with(4, &format!("valetkey: the store refused with {part}: "), location);
        assert!(!ran.err.contains("http") && !ran.err.contains("ignature="), "{}", ran.err);
        let ran = place.run(&["put", &file, location, "--output", "json"], env);
        ran.failed_with(4, "{\"error\":{\"code\":\"refused\",\"message\":\"the store refused with ", location);
    }
    // A port that the system gives to nobody.
    let nobody = ["put", &file, "s3://media/k", "--endpoint", "http://127.0.0.1:1"];
    let ran = run(&[&nobody[..], &["--retries", "0"]].concat(), ENV);
    ran.failed_with(5, "valetkey: no answer from the store: ", "nobody listens");
    assert!(!ran.err.contains("/media"), "{}", ran.err);
    let ran = run(&[&nobody[..], &["--retries", "1"]].concat(), ENV);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert!(
        ran.exit == 5 && lines.len() == 2 && lines[0].starts_with("# put is tried again in ") && lines[1].starts_with("valetkey: no answer"),
        "{}",
        ran.err
    );
    run(&[&nobody[..], &["--retries", "1", "--quiet"]].concat(), ENV).failed_with(5, "no answer", "nobody listens, quiet");
}

/// The store's clock is an hour ahead once, so that the first URL has ended there.
#[test]
fn what_has_expired_is_signed_again() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let file_of = |place: &Place| place.file("f", b"12345");
    for provider in ["s3", "oss"] {
        // From when the store stands: making its buckets reads the clock, too.
        let first = std::sync::Arc::new(AtomicBool::new(false));
        let is_first = std::sync::Arc::clone(&first);
        let clock = move || {
            let now = valetkey::Clock::now(&valetkey::SystemClock).unwrap();
            if is_first.swap(false, Ordering::SeqCst) { now.checked_add(3600).unwrap() } else { now }
        };
        let place = Place::build(|builder| builder.clock(clock), |_, _| {});
        first.store(true, Ordering::SeqCst);
        let ran = place.put(&file_of(&place), &format!("{provider}://media/k"), &["--expires", "60"]).succeeded(provider);
        assert_eq!(ran.err, "# put is signed again, because its signature had expired\n");
        assert_eq!(place.stored(provider, "k").0, b"12345");
    }
}

/// What has no length is copied first, whatever it is.
#[cfg(target_os = "linux")]
#[test]
fn pipes_and_names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::start();
    let fifo = place.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let child = place.spawn(&["put", fifo.to_str().unwrap(), "s3://media/fifo.txt"], |_| {});
    std::fs::write(&fifo, "through a pipe").unwrap();
    ended(child).succeeded("a pipe");
    assert_eq!(place.stored("s3", "fifo.txt"), (b"through a pipe".to_vec(), "text/plain".to_owned()));

    let path = place.folder.path().join(std::ffi::OsStr::from_bytes(b"a\xff.png"));
    std::fs::write(&path, "x").unwrap();
    let put = |location: &str| {
        let mut command = program(ENV);
        command.arg("put").arg(&path).args([location, "--endpoint", &place.endpoint]);
        finish(command.output().unwrap(), ENV)
    };
    put("s3://media/up/").failed_with(2, "not UTF-8", "a name for the object");
    put("s3://media/k").succeeded("a key of its own");
    assert_eq!(place.stored("s3", "k").1, "image/png");
}

/// Five tebibytes and a byte that take no room.
#[cfg(target_os = "linux")]
#[test]
fn more_than_an_object_may_have() {
    let place = Place::start();
    let path = place.path("huge");
    let file = std::fs::File::create(&path).unwrap();
    if file.set_len((5 << 40) + 1).is_ok() {
        place.put(path.to_str().unwrap(), "s3://media/k", &[]).failed_with(2, "5497558138881 bytes are more than an object may have", "5 TiB");
        assert_eq!(place.answered("POST", 200), 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_bar_is_for_terminals() {
    let place = Place::start();
    let file = place.file("big.bin", &noise(11 * MIB));
    let run = |more: &str| place.on_terminal(&format!("put {file} s3://media/k --part-size 5MiB {more}"));
    if let (Some(shown), Some(quiet), Some(bare)) = (run(""), run("--quiet"), run("--no-progress")) {
        assert!(shown.contains("sending") && shown.contains("11.00 MiB") && shown.contains("location: s3://media/k"), "{shown:?}");
        assert_eq!(quiet, "");
        assert!(bare.starts_with("location: s3://media/k\r\nsize: 11534336\r\n") && !bare.contains('\u{1b}'), "{bare:?}");
    }
}
