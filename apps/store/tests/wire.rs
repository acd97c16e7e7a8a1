//! Bodies as they come over the wire: framing, `Expect`, clients that go away, and refused bodies that are still coming.

mod support;

use support::{CLOUDS, Fixture, Reply, Wire, key};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use valetkey_core::ObjectRequest;
use valetkey_store::Cloud;

#[tokio::test]
async fn bodies_without_a_length() {
    let fixture = Fixture::memory().await;
    let chunked = b"5\r\nhello\r\n0\r\n\r\n";
    for cloud in CLOUDS {
        let free = ObjectRequest::put(key("free"));
        let wire = Wire::of(&fixture.sign(cloud, &free)).without_length().header("transfer-encoding", "chunked").body(chunked);
        let reply = fixture.send(&wire).await;
        match cloud {
            Cloud::S3 => assert_eq!(reply.refusal(), (501, "NotImplemented".into())),
            Cloud::Oss => assert_eq!(reply.status, 200, "{reply:?}"),
        }
        let fixed = ObjectRequest::put(key("fixed")).content_length(5);
        let wire = Wire::of(&fixture.sign(cloud, &fixed)).without_length().header("transfer-encoding", "chunked").body(chunked);
        let reply = fixture.send(&wire).await;
        assert!(matches!(reply.status, 400..=499), "a signed length that is not sent: {reply:?}");
        let none = fixture.send(&Wire::of(&fixture.sign(cloud, &free)).without_length()).await;
        assert_eq!(none.refusal(), (411, "MissingContentLength".into()), "{cloud:?}");
        assert_eq!(fixture.get(cloud, "fixed").await.status, 404);
    }
    assert_eq!(fixture.keys().await, ["free"]);
}

#[tokio::test]
async fn a_length_that_was_signed_is_the_length() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let signed = fixture.sign(cloud, &ObjectRequest::put(key("k")).content_length(5));
        for body in ["1234", "123456"] {
            let wire = Wire::of(&signed).header("content-length", &body.len().to_string()).body(body.as_bytes());
            let reply = fixture.send(&wire).await;
            assert!(matches!(reply.status, 400 | 403), "{cloud:?} {body}: {reply:?}");
        }
        assert_eq!(fixture.get(cloud, "k").await.status, 404);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    fixture.put(Cloud::S3, "k", b"old").await;
    for cloud in CLOUDS {
        for received in [0, 1, 500_000] {
            let wire = Wire::of(&fixture.sign(cloud, &ObjectRequest::put(key("k")))).header("content-length", "1000000");
            let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
            stream.write_all(&wire.head()).await.unwrap();
            stream.write_all(&vec![0; received]).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut rest = Vec::new();
            // The store may answer or hang up; when it is done with the request, the connection ends.
            let _ = stream.read_to_end(&mut rest).await;
        }
        assert_eq!(fixture.get(cloud, "k").await.body, b"old");
    }
    assert_eq!(fixture.keys().await, ["k"]);
    fixture.store.shutdown().await;
    assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 1);
}

async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    while !received.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "the connection ended: {}", String::from_utf8_lossy(&received));
        received.push(byte[0]);
    }
    received
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on_only_when_it_may() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let wire = Wire::of(&fixture.sign(cloud, &ObjectRequest::put(key("k")))).header("expect", "100-continue").body(b"hello");
        let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
        stream.write_all(&wire.head()).await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&head));
        stream.write_all(&wire.body).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(Reply::parse(&rest).status, 200);

        let create = ObjectRequest::put(key("k")).create_only();
        let tampered = Wire { target: wire.target.replace("/k?", "/other?"), ..wire.clone() };
        for refused in [tampered, Wire::of(&fixture.sign(cloud, &create)).header("expect", "100-continue").body(b"hello")] {
            let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
            stream.write_all(&refused.head()).await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            let reply = Reply::parse(&all);
            assert!(matches!(reply.status, 403 | 409 | 412), "never 100: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_body_is_read_so_that_the_answer_is() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let signed = Wire::of(&fixture.sign(cloud, &ObjectRequest::put(key("k"))));
        for size in [1, 100_000, 20 << 20] {
            let wire = Wire { target: signed.target.replace("/k?", "/other?"), ..signed.clone() }.body(&vec![7; size]);
            assert_eq!(fixture.send(&wire).await.refusal(), (403, "SignatureDoesNotMatch".into()), "{size}");
        }
        let too_long = signed.clone().header("content-length", &(6_u64 << 30).to_string()).body(b"beginning");
        let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
        stream.write_all(&too_long.bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&head));
    }
    assert!(fixture.keys().await.is_empty());
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let fixture = Fixture::memory().await;
    let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
    for body in [b"one".as_slice(), b"two", b"three"] {
        let wire = Wire::of(&fixture.sign(Cloud::S3, &ObjectRequest::put(key("k")))).body(body);
        let bytes = String::from_utf8(wire.bytes()).unwrap().replace("connection: close\r\n", "");
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    }
    assert_eq!(fixture.get(Cloud::S3, "k").await.body, b"three");
}

#[tokio::test]
async fn the_target_is_a_path() {
    let fixture = Fixture::memory().await;
    let wire = Wire::of(&fixture.sign(Cloud::S3, &ObjectRequest::list()));
    let absolute = Wire { target: format!("{}{}", fixture.store.endpoint(), wire.target), ..wire };
    assert_eq!(fixture.send(&absolute).await.status, 400);
}
