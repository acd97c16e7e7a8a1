//! `get`: to files, folders and standard output, whole or not at all.

use std::io::Read as _;

use serde_json::Value;

use crate::place::{Place, ended, names, noise};
use crate::support::{ENV, Ran, program, run};

const MIB: usize = 1 << 20;

impl Place {
    fn get(&self, location: &str, more: &[&str]) -> Ran {
        self.run(&[&["get", location], more].concat(), ENV)
    }
}

#[test]
fn an_object_comes_to_files_folders_and_standard_output() {
    let place = Place::start();
    let big = noise(3 * MIB + 7);
    let at = |name: &str| place.path(name).to_str().unwrap().to_owned();
    std::fs::create_dir(place.path("dir")).unwrap();
    for provider in ["s3", "oss"] {
        for (key, bytes, more) in [("a/text é.txt", &b"12345"[..], &[][..]), ("empty", b"", &[]), ("big", &big, &["--part-size", "500KiB", "--parallel", "3"])]
        {
            place.store(provider, key, bytes);
            let location = format!("{provider}://media/{key}");
            let get = |target: &str| place.get(&location, &[&[target], more].concat()).succeeded(key);
            let ran = get(&at("file"));
            let lines: Vec<&str> = ran.out.lines().collect();
            assert_eq!(lines[..2], [format!("file: {}", at("file")), format!("size: {}", bytes.len())], "{}", ran.out);
            assert!(lines[2].starts_with("etag: \"") && ran.err.is_empty(), "{} {}", ran.out, ran.err);
            assert!(std::fs::read(place.path("file")).unwrap() == bytes, "{provider} {key}");

            get(&at("dir"));
            let name = key.rsplit('/').next().unwrap();
            assert!(std::fs::read(place.path("dir").join(name)).unwrap() == bytes, "{provider} {key}");

            // Only the bytes, which are no text.
            for words in [&["get", &location][..], &["get", &location, "-"]] {
                let output = place.spawn(&[words, more].concat(), |_| {}).wait_with_output().unwrap();
                assert!(output.status.success() && output.stdout == bytes && output.stderr.is_empty(), "{provider} {key}: {:?}", output.stderr);
            }
        }
        let ran = place.get(&format!("{provider}://media/a/text é.txt"), &[&at("file"), "--output", "json"]).succeeded("json");
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((report["location"].as_str(), report["size"].as_u64()), (Some(format!("{provider}://media/a/text é.txt").as_str()), Some(5)));
        assert_eq!((report["file"].as_str(), report["content_type"].as_str()), (Some(at("file").as_str()), Some("text/x-test")));
        assert_eq!(place.get(&format!("{provider}://media/empty"), &[&at("file"), "--quiet"]).succeeded("quiet").out, "");
        // The result has no other place there.
        let ran = place.get(&format!("{provider}://media/a/text é.txt"), &["--output", "json"]).succeeded("json aside");
        let report: Value = serde_json::from_str(&ran.err).unwrap();
        assert!(ran.out == "12345" && report["file"].is_null() && report["size"] == 5, "{} {}", ran.out, ran.err);
    }
    assert_eq!(names(place.folder.path()), ["dir", "file"]);
    assert_eq!(names(&place.path("dir")), ["big", "empty", "text é.txt"]);
}

#[test]
fn what_is_not_there_leaves_no_file() {
    let place = Place::start();
    place.store("s3", "there", b"x");
    let (new, old) = (place.path("new"), place.file("old", b"as it was"));
    let new = new.to_str().unwrap();
    let other_secret: Vec<_> = ENV.iter().map(|(name, value)| (*name, if name.contains("SECRET") { "another-secret" } else { value })).collect();
    for (location, env, part) in [
        ("s3://media/missing", ENV, "404 NoSuchKey"),
        ("oss://media/missing", ENV, "404 NoSuchKey"),
        ("s3://nothere/k", ENV, "404 NoSuchBucket"),
        ("s3://media/there", &other_secret[..], "403 SignatureDoesNotMatch"),
        ("oss://media/there", &other_secret, "403 SignatureDoesNotMatch"),
    ] {
        for more in [&[new][..], &[&old], &[], &[new, "--resume"], &[new, "--output", "json"]] {
            let ran = place.run(&[&["get", location], more].concat(), env);
            ran.failed_with(4, &format!("the store refused with {part}: "), location);
            assert!(!ran.err.contains("http"), "{}", ran.err);
        }
    }
    place.get("s3://media/there", &[new, "--version-id", "abc"]).failed_with(4, "NoSuchVersion", "a version");
    place.get("s3://media/there", &[&format!("{new}/nowhere/file")]).failed_with(1, "cannot ", "no folder");
    assert_eq!(names(place.folder.path()), ["old"]);
    assert_eq!(std::fs::read(&old).unwrap(), b"as it was");
    run(&["get", "s3://media/k", new, "--endpoint", "http://127.0.0.1:1", "--retries", "0"], ENV).failed_with(5, "no answer from the store", "nobody");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::start();
    place.store("s3", "big", &noise(8 * MIB));
    let mut child = place.spawn(&["get", "s3://media/big"], |_| {});
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let ran = ended(child);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn links_devices_and_full_disks() {
    let place = Place::start();
    place.store("oss", "k", &noise(MIB));
    let file = place.file("file", b"as it was");
    let link = place.path("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    place.get("oss://media/k", &[link.to_str().unwrap()]).succeeded("a link");
    assert!(link.is_symlink() && std::fs::read(&file).unwrap() == noise(MIB));

    place.get("oss://media/k", &["/dev/null"]).succeeded("a device");
    place.get("oss://media/k", &["/dev/null", "--resume"]).failed_with(2, "needs a FILE", "a device");
    place.get("oss://media/k", &["/dev/full"]).failed_with(1, "cannot be written", "a full device");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let child = place.spawn(&["get", "oss://media/k"], |command| {
        command.stdout(full);
    });
    ended(child).failed_with(1, "cannot be written", "a full disk");
}

/// Standard output is for the bytes alone, also where it is a terminal.
#[cfg(target_os = "linux")]
#[test]
fn no_bar_stands_between_the_bytes() {
    let place = Place::start();
    place.store("s3", "k", b"12345");
    let run = |more: &str| place.on_terminal(&format!("get s3://media/k {more}"));
    if let (Some(bytes), Some(filed)) = (run(""), run(place.path("f").to_str().unwrap())) {
        assert_eq!(bytes, "12345");
        assert!(filed.contains("size: 5\r\n"), "{filed:?}");
    }
}

/// The environment names nothing that a download needs to write to.
#[test]
fn a_relative_file() {
    let place = Place::start();
    place.store("oss", "k", b"12345");
    let mut command = program(ENV);
    command.current_dir(place.folder.path()).args(["get", "oss://media/k", "--endpoint", &place.endpoint, "--", "-f"]);
    let ran = ended(command.spawn().unwrap()).succeeded("a name alone");
    assert!(ran.out.starts_with("file: -f\nsize: 5\n"), "{}", ran.out);
    assert_eq!(names(place.folder.path()), ["-f"]);
}
