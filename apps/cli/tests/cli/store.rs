//! `store` and `demo`.

use crate::support::run;

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    run(&["store", "--port", &port], &[]).failed_with(1, "--port", "a port that is taken");
}

#[test]
fn origins_that_are_none() {
    for origin in ["", "app.example.com", "https://", "https://app.example.com/", "https://a/b", "https://*.*", "https://a b"] {
        run(&["store", "--port", "0", "--cors-origin", origin], &[]).failed_with(2, "--cors-origin", origin);
    }
}

#[test]
fn the_help_names_every_flag() {
    let ran = run(&["store", "--help"], &[]).succeeded("help");
    for flag in ["--port", "--bucket", "--data", "--folder", "--credentials", "--allow-public-read", "--cors-origin", "NotImplemented", "127.0.0.1"] {
        assert!(ran.out.contains(flag), "{flag}: {}", ran.out);
    }
}

#[test]
fn the_demo_comes_out_as_it_must() {
    let ran = run(&["demo"], &[]).succeeded("demo");
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains("valetkey-demo-secret"));
    let rows: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("media-s3 ") || line.starts_with("media-oss ")).collect();
    assert!(rows.len() >= 40 && rows.iter().all(|row| row.ends_with("  yes")), "{}", ran.out);
    assert!(ran.out.ends_with(&format!("\n{0} of {0} steps came out as they must.\n", rows.len())), "{}", ran.out);
    let columns: Vec<usize> = rows.iter().map(|row| row.chars().count()).collect();
    assert!(columns.iter().all(|width| width == &columns[0]), "aligned: {}", ran.out);
    for (step, code) in [
        ("another key", "SignatureDoesNotMatch"),
        ("expired", "AccessDenied: Request has expired"),
        ("without a signed header", "SignatureDoesNotMatch"),
        ("wrong length", "SignatureDoesNotMatch"),
        ("what was deleted", "NoSuchKey"),
    ] {
        assert_eq!(rows.iter().filter(|row| row.contains(step) && row.matches(code).count() == 2).count(), 2, "{step}: {}", ran.out);
    }
    assert_eq!(rows.iter().filter(|row| row.starts_with("media-oss") && row.contains("type too many") && row.contains("SignatureDoesNotMatch")).count(), 1);
}
