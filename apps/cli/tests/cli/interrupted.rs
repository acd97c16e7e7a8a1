//! `put` and `get` that end early: what is removed, what is kept, and how it is gone on with.
#![cfg(unix)]

use std::io::Write as _;
use std::process::Stdio;

use crate::place::{Place, ended, names, noise, signal};
use crate::support::{ENV, Ran};

const MIB: usize = 1 << 20;

#[test]
fn ctrl_c_removes_what_was_sent() {
    for (provider, part_size) in [("s3", "5MiB"), ("oss", "5MiB")] {
        for signal_name in ["INT", "TERM"] {
            let (place, gate) = Place::gated(&[("PUT", 2)]);
            let file = place.file("big.bin", &noise(16 * MIB));
            let child = place.spawn(&["put", &file, &format!("{provider}://media/big"), "--part-size", part_size, "--parallel", "1"], |_| {});
            gate.wait();
            signal(&child, signal_name);
            ended(child).failed_with(130, "valetkey: interrupted; the parts that had been sent were removed from the store", provider);
            assert_eq!((place.answered("DELETE", 204), place.answered("DELETE", 404)), (1, 0), "aborted once");
            assert_eq!(names(place.folder.path()), ["big.bin"], "no state is left");
        }
    }
}

/// A store that is gone cannot be told to remove anything.
#[test]
fn ctrl_c_without_a_store() {
    let (mut place, gate) = Place::gated(&[("PUT", 2)]);
    let file = place.file("big.bin", &noise(11 * MIB));
    let child = place.spawn(&["put", &file, "oss://media/big", "--part-size", "5MiB", "--parallel", "1"], |_| {});
    gate.wait();
    place.stop();
    signal(&child, "INT");
    let ran = ended(child);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert!(ran.exit == 130 && lines.len() == 2 && lines[0].starts_with("# the parts of the upload "), "{}", ran.err);
    assert_eq!(lines[1], "valetkey: interrupted; parts that had been sent may be left at the store");
}

/// The store holds the abort back, and who wants to wait no longer says so again.
#[test]
fn a_second_ctrl_c_ends_at_once() {
    let (place, gate) = Place::gated(&[("PUT", 2), ("DELETE", 1)]);
    let file = place.file("big.bin", &noise(11 * MIB));
    let child = place.spawn(&["put", &file, "s3://media/big", "--part-size", "5MiB", "--parallel", "1"], |_| {});
    for _ in 0..2 {
        gate.wait();
        signal(&child, "INT");
    }
    ended(child).failed_with(130, "valetkey: interrupted at once; parts that had been sent may be left at the store", "twice");
}

#[test]
fn an_upload_is_gone_on_with() {
    for provider in ["s3", "oss"] {
        for signal_name in ["INT", "KILL"] {
            let (place, gate) = Place::gated(&[("PUT", 3)]);
            let bytes = noise(16 * MIB);
            let (file, location) = (place.file("big.bin", &bytes), format!("{provider}://media/big"));
            let words = ["put", &file, &location, "--part-size", "5MiB", "--parallel", "1", "--resume"];
            let child = place.spawn(&words, |_| {});
            gate.wait();
            signal(&child, signal_name);
            let ran = ended(child);
            let state = place.path("big.bin.valetkey-upload");
            if signal_name == "INT" {
                ran.failed_with(130, "big.bin.valetkey-upload keeps what is done, and the same command goes on with it", provider);
            }
            assert!(state.is_file(), "{provider} {signal_name}");
            let text = std::fs::read_to_string(&state).unwrap();
            assert!(!text.contains("ignature") && !text.contains("http"), "{text}");
            drop(gate);
            assert_eq!((place.answered("DELETE", 204), place.answered("PUT", 200)), (0, 3));

            // Who does not ask for it begins anew, is told, and leaves the record alone.
            let other = place.run(&["put", &file, &format!("{provider}://media/other")], ENV).succeeded("without --resume");
            assert!(other.err.starts_with("# ") && other.err.contains("--resume goes on with it") && other.err.lines().count() == 1, "{}", other.err);
            assert!(state.is_file());
            assert_eq!(place.answered("PUT", 200), 1);

            let ran = place.run(&words, ENV).succeeded("resumed");
            let there = if signal_name == "INT" { 2 } else { recorded_parts(&ran) };
            assert_eq!(ran.err, format!("# resumed: {} of {} bytes are there already\n", there * 5 * MIB, bytes.len()), "{provider} {signal_name}");
            assert_eq!(place.answered("PUT", 200), 4 - there, "only what was missing");
            assert!(place.stored(provider, "big").0 == bytes);
            assert!(!state.exists());
        }
    }
}

/// How many parts the record had that was written last before the program was killed: it is not written for every part.
fn recorded_parts(ran: &Ran) -> usize {
    (0..=2).find(|there| ran.err.starts_with(&format!("# resumed: {} of ", there * 5 * MIB))).unwrap()
}

#[test]
fn a_record_of_something_else_is_not_used() {
    let (place, gate) = Place::gated(&[("PUT", 2)]);
    let file = place.file("big.bin", &noise(11 * MIB));
    let words = |location: &'static str| ["put", &file, location, "--part-size", "5MiB", "--parallel", "1", "--resume"];
    let child = place.spawn(&words("s3://media/big"), |_| {});
    gate.wait();
    signal(&child, "INT");
    assert_eq!(ended(child).exit, 130);
    drop(gate);
    place.run(&words("s3://media/else"), ENV).failed_with(1, "remove the record to give it up", "another object");
    let other_secret: Vec<_> = ENV.iter().map(|(name, value)| (*name, if name.contains("SECRET") { "another-secret" } else { value })).collect();
    let ran = place.run(&words("s3://media/big"), &other_secret);
    ran.failed_with(4, "403 SignatureDoesNotMatch", "refused");
    assert!(ran.err.contains("big.bin.valetkey-upload keeps what is done, and the same command goes on with it"), "{}", ran.err);
    // Another file begins anew, and the earlier parts are removed.
    let bytes = noise(12 * MIB);
    place.file("big.bin", &bytes);
    let ran = place.run(&words("s3://media/big"), ENV).succeeded("another file");
    assert_eq!(ran.err, "# begun anew: the file has changed\n");
    assert_eq!(place.answered("DELETE", 204), 1);
    assert!(place.stored("s3", "big").0 == bytes);
    assert_eq!(names(place.folder.path()), ["big.bin"]);
}

#[test]
fn ctrl_c_while_standard_input_is_read() {
    let place = Place::start();
    let spool = place.path("spool");
    std::fs::create_dir(&spool).unwrap();
    for name in ["INT", "TERM", "HUP", "KILL"] {
        let mut child = place.spawn(&["put", "-", "s3://media/k"], |command| {
            command.env("TMPDIR", &spool).stdin(Stdio::piped());
        });
        // More than a pipe holds: the program has begun to read.
        let mut input = child.stdin.take().unwrap();
        input.write_all(&noise(MIB)).unwrap();
        signal(&child, name);
        let ran = ended(child);
        if matches!(name, "INT" | "TERM") {
            ran.failed_with(130, "valetkey: interrupted; nothing was sent", "while it is read");
        }
        drop(input);
        assert_eq!(names(&spool), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn ctrl_c_leaves_the_file_as_it_was() {
    for provider in ["s3", "oss"] {
        for (target, message) in [("old", "old is as it was, and nothing is left beside it"), ("new", "new is as it was, and nothing is left beside it")] {
            // Storing is a PUT.
            let (place, gate) = Place::gated(&[("GET", 3)]);
            place.store(provider, "big", &noise(4 * MIB));
            let old = place.file("old", b"as it was");
            let path = place.path(target);
            let child = place.spawn(&["get", &format!("{provider}://media/big"), path.to_str().unwrap(), "--part-size", "1MiB", "--parallel", "1"], |_| {});
            gate.wait();
            signal(&child, "INT");
            ended(child).failed_with(130, message, provider);
            assert_eq!(names(place.folder.path()), ["old"]);
            assert_eq!(std::fs::read(old).unwrap(), b"as it was");
        }
    }
}

#[test]
fn a_download_is_gone_on_with() {
    for provider in ["s3", "oss"] {
        for signal_name in ["INT", "KILL"] {
            let (place, gate) = Place::gated(&[("GET", 4)]);
            let bytes = noise(6 * MIB);
            place.store(provider, "big", &bytes);
            let (path, location) = (place.file("big.bin", b"as it was"), format!("{provider}://media/big"));
            let words = ["get", &location, &path, "--part-size", "1MiB", "--parallel", "1", "--resume"];
            let child = place.spawn(&words, |_| {});
            gate.wait();
            signal(&child, signal_name);
            let ran = ended(child);
            if signal_name == "INT" {
                ran.failed_with(130, ".big.bin.valetkey-download keeps what is done, and the same command goes on with it", provider);
            }
            drop(gate);
            assert_eq!(names(place.folder.path()), [".big.bin.valetkey-download", ".big.bin.valetkey-part", "big.bin"]);
            assert_eq!(std::fs::read(&path).unwrap(), b"as it was");
            place.answered("GET", 206);

            let ran = place.run(&words, ENV).succeeded("resumed");
            assert!(ran.err.starts_with("# resumed: ") && ran.err.ends_with(" of 6291456 bytes are there already\n"), "{}", ran.err);
            if signal_name == "INT" {
                assert!(ran.err.starts_with("# resumed: 3145728 "), "{}", ran.err);
                assert_eq!(place.answered("GET", 206), 3, "only what was missing");
            }
            assert!(std::fs::read(&path).unwrap() == bytes, "{provider} {signal_name}");
            assert_eq!(names(place.folder.path()), ["big.bin"]);
        }
    }
}
