//! Forms as they go over the wire, byte by byte, to a server that is nothing but a socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use valetkey_core::{Credentials, PostPolicy, PresignOptions, TargetSettings};

use super::*;
use crate::S3Presigner;

fn form(at: SocketAddr, policy: &PostPolicy) -> PresignedPost {
    let settings = TargetSettings::new("media").region("eu-central-1").endpoint(format!("http://{at}").parse().unwrap());
    let credentials = Arc::new(Credentials::new("AKID", "secret").unwrap());
    S3Presigner::new(&settings, Arc::clone(&credentials)).unwrap().sign_post(&credentials, policy, &PresignOptions::new()).unwrap()
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

/// The header lines of a request in lower case, and the rest of the connection.
fn head(stream: &TcpStream) -> (Vec<String>, BufReader<TcpStream>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => return (lines, reader),
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
}

fn value(head: &[String], name: &str) -> Option<String> {
    head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
}

/// Takes one request with its whole body and answers.
fn serve(listener: TcpListener, answer: &'static str) -> JoinHandle<(Vec<String>, Vec<u8>)> {
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (head, mut reader) = head(&stream);
        let mut body = vec![0; value(&head, "content-length").map_or(0, |length| length.parse().unwrap())];
        // A client that breaks off sends less.
        let _ = reader.read_exact(&mut body);
        let _ = stream.write_all(answer.as_bytes());
        (head, body)
    })
}

#[tokio::test]
async fn fields_in_order_and_the_file_last_with_an_exact_length() {
    let (listener, at) = listener();
    let served = serve(listener, "HTTP/1.1 204 No Content\r\nETag: \"abc\"\r\nLocation: http://h/été\r\n\r\n");
    let mut form = form(at, &PostPolicy::for_prefix("é \"文\"/").content_length(1..=10).metadata("a", "@<;'\""));
    form.fields = form.fields.iter().chain([("na\"me\r\n", "line\r\nline\n\"q\" --\u{1f980}")]).map(|(name, value)| (name.to_owned(), value)).collect();
    let file = FormFile::new("pho\"to\r\n\\été.png", Body::from("12345")).content_type("image/png");
    let uploaded = Transfer::new().unwrap().upload_form(&form, file).await.unwrap();
    assert_eq!(uploaded, Uploaded { status: 204, etag: Some("\"abc\"".to_owned()), location: Some("http://h/été".to_owned()) });

    let (head, body) = served.join().unwrap();
    assert!(head[0].starts_with("post /media http/1.1") && value(&head, "transfer-encoding").is_none(), "{head:?}");
    let content_type = value(&head, "content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let mut want = String::new();
    for (name, value) in form.fields.iter() {
        let name = if name.starts_with("na") { "na%22me%0D%0A" } else { name };
        want.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    want.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pho%22to%0D%0A\\été.png\"\r\n"));
    want.push_str(&format!("Content-Type: image/png\r\n\r\n12345\r\n--{boundary}--\r\n"));
    assert_eq!(String::from_utf8(body).unwrap(), want);
    assert!(want.contains("name=\"key\"\r\n\r\né \"文\"/${filename}\r\n"));
}

#[tokio::test]
async fn what_counts_as_success() {
    for (answer, want) in [
        ("200 OK\r\nContent-Length: 0\r\n\r\n", Ok((200, None))),
        ("201 Created\r\nLocation: /k\r\nContent-Length: 15\r\n\r\n<PostResponse/>", Ok((201, Some("/k")))),
        ("204 No Content\r\n\r\n", Ok((204, None))),
        ("303 See Other\r\nLocation: http://127.0.0.1:1/done?key=k\r\nContent-Length: 0\r\n\r\n", Ok((303, Some("http://127.0.0.1:1/done?key=k")))),
        ("202 Accepted\r\nContent-Length: 0\r\n\r\n", Err((202, None))),
        ("203 Non-Authoritative\r\nContent-Length: 41\r\n\r\n<Error><Code>CallbackFailed</Code></Error>", Err((203, Some("CallbackFailed")))),
        ("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", Err((307, None))),
        ("403 Forbidden\r\nContent-Length: 39\r\n\r\n<Error><Code>AccessDenied</Code></Error>", Err((403, Some("AccessDenied")))),
    ] {
        let (listener, at) = listener();
        let served = serve(listener, format!("HTTP/1.1 {answer}").leak());
        let form = form(at, &PostPolicy::for_key("k".parse().unwrap()));
        let got = Transfer::new().unwrap().upload_form(&form, FormFile::new("", Body::empty())).await;
        served.join().unwrap();
        match (got, want) {
            (Ok(got), Ok((status, location))) => assert_eq!((got.status, got.location.as_deref()), (status, location), "{answer}"),
            (Err(TransferError::Refused { status, code, .. }), Err(want)) => assert_eq!((status, code.as_deref()), want, "{answer}"),
            (got, _) => panic!("{answer}: {got:?}"),
        }
    }
}

#[tokio::test]
async fn what_the_store_would_refuse_is_not_sent() {
    // A port that the system gives to nobody.
    let at = SocketAddr::from(([127, 0, 0, 1], 1));
    let key = || PostPolicy::for_key("k".parse().unwrap());
    let named = |length: usize| FormFile::new("n", Body::from(vec![0; length]));
    for (policy, file, part) in [
        (key().content_length(2..=4), named(1), "fewer than the 2"),
        (key().content_length(2..=4), named(5), "more than the 4"),
        (key().content_length(2..=4), FormFile::new("n", Body::stream(u64::MAX, futures_util::stream::pending::<Result<Bytes, Cause>>())), "more than the 4"),
        (key().content_type_prefix("image/"), named(1), "field `Content-Type` open"),
        (PostPolicy::for_prefix("a/"), FormFile::new("", Body::empty()), "the file has no name"),
        (key(), named(1).content_type("a/b\r\nx: y"), "control character"),
    ] {
        let error = Transfer::new().unwrap().upload_form(&form(at, &policy), file).await.unwrap_err();
        assert!(matches!(&error, TransferError::Unsendable { reason } if reason.contains(part)), "{part}: {error}");
    }
    let form = form(at, &key());
    let error = Transfer::new().unwrap().upload_form(&form, named(1)).await.unwrap_err();
    let text = format!("{error} {error:?}");
    let secret = form.fields.value("x-amz-signature").unwrap();
    assert!(matches!(error, TransferError::NoAnswer { .. }) && !text.contains(secret) && !text.contains("/media"), "{text}");
}

#[tokio::test]
async fn a_file_of_another_length_breaks_off() {
    let pieces = |pieces: Vec<Result<Bytes, Cause>>| futures_util::stream::iter(pieces);
    let five = || Ok(Bytes::from_static(b"12345"));
    for (length, stream, part) in [
        (6, pieces(vec![five()]), "ended 1 bytes before"),
        (9, pieces(vec![five(), five()]), "more bytes than it said"),
        (10, pieces(vec![five(), Err("the disk is gone".into())]), "cannot be read: the disk is gone"),
    ] {
        let (listener, at) = listener();
        let served = serve(listener, "HTTP/1.1 204 No Content\r\n\r\n");
        let form = form(at, &PostPolicy::for_key("k".parse().unwrap()));
        let error = Transfer::new().unwrap().upload_form(&form, FormFile::new("n", Body::stream(length, stream))).await.unwrap_err();
        assert!(matches!(&error, TransferError::Unsendable { reason } if reason.contains(part)), "{part}: {error}");
        assert!(!String::from_utf8(served.join().unwrap().1).unwrap().contains("--\r\n"), "{part}: the form must not end");
    }
}

/// What is taken from the stream of the file is never far ahead of what the store has read.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_not_held_in_memory() {
    const PIECE: &[u8] = &[0; 1 << 16];
    const PIECES: u64 = 4096;
    const IN_FLIGHT: u64 = 64 << 20;
    let (listener, at) = listener();
    let taken = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&taken);
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (head, mut reader) = head(&stream);
        let mut left: u64 = value(&head, "content-length").unwrap().parse().unwrap();
        let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
        while left > 0 {
            let count = reader.read(&mut buffer).unwrap() as u64;
            assert!(count > 0, "the client broke off");
            (left, read) = (left - count, read + count);
            assert!(seen.load(Ordering::Relaxed) <= read + IN_FLIGHT, "{read} read");
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    });
    let counted = Arc::clone(&taken);
    let pieces = futures_util::stream::iter((0..PIECES).map(move |_| {
        counted.fetch_add(PIECE.len() as u64, Ordering::Relaxed);
        Ok::<_, Cause>(Bytes::from_static(PIECE))
    }));
    let form = form(at, &PostPolicy::for_key("k".parse().unwrap()));
    let body = Body::stream(PIECES * PIECE.len() as u64, pieces);
    Transfer::new().unwrap().upload_form(&form, FormFile::new("n", body)).await.unwrap();
    served.join().unwrap();
    assert_eq!(taken.load(Ordering::Relaxed), PIECES * PIECE.len() as u64);
}
