//! `aws-chunked` bodies over the wire: kept when all holds, and otherwise nothing.

use valetkey_store::Cloud;

use crate::support::{Fixture, Reply, Wire, authorize::Chain};

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// Of 20,000 times `a`.
const CRC32: &str = "x-amz-checksum-crc32";

fn data() -> Vec<u8> {
    (0..20_000_u32).map(|n| (n % 251) as u8).collect()
}

fn crc32() -> String {
    // What the store computes for a body in one piece; `digests_are_kept_or_the_object_is_not` proves it by a published value.
    use base64::Engine as _;
    let mut crc = u32::MAX;
    for byte in data() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    base64::engine::general_purpose::STANDARD.encode((!crc).to_be_bytes())
}

/// A body in chunks of 8 KiB, signed by `chain` if there is one.
fn coded(mut chain: Option<&mut Chain>, trailer: Option<&str>) -> Vec<u8> {
    let all = data();
    let mut body = Vec::new();
    for chunk in all.chunks(8192).chain([[].as_slice()]) {
        body.extend(match &mut chain {
            Some(chain) => format!("{:x};chunk-signature={}\r\n", chunk.len(), chain.chunk(chunk)).into_bytes(),
            None => format!("{:x}\r\n", chunk.len()).into_bytes(),
        });
        body.extend(chunk);
        body.extend(if chunk.is_empty() { b"".as_slice() } else { b"\r\n" });
    }
    if let Some(trailer) = trailer {
        body.extend(format!("{trailer}\r\n").bytes());
        if let Some(chain) = chain {
            body.extend(format!("x-amz-trailer-signature:{}\r\n", chain.trailer(&format!("{trailer}\n"))).bytes());
        }
    }
    body.extend(b"\r\n");
    body
}

fn head(fixture: &Fixture, target: &str, with_trailer: bool) -> Wire {
    let wire = fixture.raw("PUT", target).header("x-amz-decoded-content-length", "20000").header("content-encoding", "aws-chunked");
    if with_trailer { wire.header("x-amz-trailer", CRC32) } else { wire }
}

/// Signs `head` and sends the body that `change` makes of the right one.
async fn put(fixture: &Fixture, head: Wire, payload: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Reply {
    let (wire, mut chain) = fixture.authorize(Cloud::S3, head, payload);
    let trailer = format!("{CRC32}:{}", crc32());
    let body = coded((payload != TRAILER).then_some(&mut chain), payload.ends_with("TRAILER").then_some(trailer.as_str()));
    fixture.send(&wire.body(&change(body))).await
}

#[tokio::test]
async fn each_of_the_three_kinds_is_kept() {
    let fixture = Fixture::memory().await;
    for payload in [SIGNED, SIGNED_TRAILER, TRAILER] {
        let with_trailer = payload.ends_with("TRAILER");
        let reply = put(&fixture, head(&fixture, "/media/k", with_trailer), payload, |body| body).await;
        assert_eq!(reply.status, 200, "{payload}: {}", reply.text());
        assert_eq!(reply.header(CRC32), with_trailer.then_some(crc32().as_str()), "{payload}");
        let get = fixture.ask_with(Cloud::S3, "GET", "/media/k", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
        assert!(get.body == data(), "{payload}");
        assert_eq!((get.header("content-encoding"), get.header(CRC32)), (None, with_trailer.then_some(crc32().as_str())), "{payload}");
        let gzip = head(&fixture, "/media/z", with_trailer).header("content-encoding", "aws-chunked, gzip");
        assert_eq!(put(&fixture, gzip, payload, |body| body).await.status, 200);
        assert_eq!(fixture.ask(Cloud::S3, "HEAD", "/media/z", b"").await.header("content-encoding"), Some("gzip"));
        let id = fixture.ask(Cloud::S3, "POST", "/media/up?uploads", b"").await.element("UploadId");
        let part = put(&fixture, head(&fixture, &format!("/media/up?partNumber=1&uploadId={id}"), with_trailer), payload, |body| body).await;
        assert_eq!(part.status, 200, "{payload}: {}", part.text());
    }
}

#[tokio::test]
async fn without_a_content_length_the_decoded_one_holds() {
    let fixture = Fixture::memory().await;
    let (wire, mut chain) = fixture.authorize(Cloud::S3, head(&fixture, "/media/k", false).header("transfer-encoding", "chunked"), SIGNED);
    let body = coded(Some(&mut chain), None);
    let framed = [format!("{:x}\r\n", body.len()).into_bytes(), body, b"\r\n0\r\n\r\n".to_vec()].concat();
    let reply = fixture.send(&wire.without_length().body(&framed)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(fixture.get(Cloud::S3, "k").await.body == data());
}

fn swapped(mut body: Vec<u8>) -> Vec<u8> {
    // Head, data and end of a full chunk: `2000;chunk-signature=` and 64 digits.
    let len = 4 + 17 + 64 + 2 + 8192 + 2;
    let (first, rest) = body.split_at_mut(len);
    first.swap_with_slice(&mut rest[..len]);
    body
}

#[tokio::test]
async fn a_broken_body_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let at = |offset: usize| {
        move |mut body: Vec<u8>| {
            body[offset] ^= 1;
            body
        }
    };
    type Change = Box<dyn FnOnce(Vec<u8>) -> Vec<u8>>;
    let table: Vec<(&str, &str, Change, u16, &str)> = vec![
        ("a byte of data", SIGNED, Box::new(at(500)), 403, "SignatureDoesNotMatch"),
        ("a byte of the last data", SIGNED, Box::new(at(19_000)), 403, "SignatureDoesNotMatch"),
        ("a digit of the signature", SIGNED, Box::new(at(40)), 403, "SignatureDoesNotMatch"),
        ("chunks in another order", SIGNED, Box::new(swapped), 403, "SignatureDoesNotMatch"),
        ("a chunk left out", SIGNED, Box::new(|body| body[8281..].to_vec()), 403, "SignatureDoesNotMatch"),
        ("cut off", SIGNED, Box::new(|body| body[..body.len() - 40].to_vec()), 400, "IncompleteBody"),
        ("cut in the data", SIGNED, Box::new(|body| body[..9000].to_vec()), 400, "IncompleteBody"),
        ("nothing", SIGNED, Box::new(|_| Vec::new()), 400, "IncompleteBody"),
        ("bytes after the end", SIGNED, Box::new(|body| [body, b"x".to_vec()].concat()), 400, "InvalidRequest"),
        ("chunks without signatures", SIGNED, Box::new(|_| coded(None, None)), 400, "InvalidRequest"),
        ("no coding at all", SIGNED, Box::new(|_| data()), 400, "InvalidRequest"),
        ("a byte of the trailer", SIGNED_TRAILER, Box::new(|body| flip(body, b"crc32:", 6)), 403, "SignatureDoesNotMatch"),
        ("no trailer", SIGNED_TRAILER, Box::new(|body| cut(&body, b"x-amz-checksum")), 400, "InvalidRequest"),
        ("a byte of unsigned data", TRAILER, Box::new(at(500)), 400, "BadDigest"),
        ("another checksum", TRAILER, Box::new(|body| flip(body, b"crc32:", 6)), 400, "BadDigest"),
        ("a checksum that is none", TRAILER, Box::new(|body| replace(&body, "crc32:", "crc32:!!")), 400, "InvalidRequest"),
        ("another trailer", TRAILER, Box::new(|body| replace(&body, "x-amz-checksum-crc32:", "x-amz-checksum-sha1:")), 400, "InvalidRequest"),
        ("one trailer more", TRAILER, Box::new(|body| replace(&body, "x-amz-checksum", "x-amz-meta-a:b\r\nx-amz-checksum")), 400, "InvalidRequest"),
        ("no trailer where one is announced", TRAILER, Box::new(|_| coded(None, None)), 400, "InvalidRequest"),
    ];
    for (what, payload, change, status, code) in table {
        let reply = put(&fixture, head(&fixture, "/media/k", payload.ends_with("TRAILER")), payload, change).await;
        assert_eq!(reply.refusal(), (status, code.to_owned()), "{what}: {}", reply.text());
        assert_eq!(fixture.get(Cloud::S3, "k").await.status, 404, "{what}");
        assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0, "{what}");
    }
}

fn find(body: &[u8], mark: &[u8]) -> usize {
    body.windows(mark.len()).rposition(|window| window == mark).unwrap()
}

fn flip(mut body: Vec<u8>, mark: &[u8], offset: usize) -> Vec<u8> {
    let at = find(&body, mark) + offset;
    body[at] = if body[at] == b'A' { b'B' } else { b'A' };
    body
}

fn cut(body: &[u8], mark: &[u8]) -> Vec<u8> {
    [&body[..find(body, mark)], b"\r\n"].concat()
}

fn replace(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = find(body, from.as_bytes());
    [&body[..at], to.as_bytes(), &body[at + from.len()..]].concat()
}

#[tokio::test]
async fn what_the_headers_announce_must_go_together() {
    let fixture = Fixture::memory().await;
    let plain = |with_trailer| head(&fixture, "/media/k", with_trailer);
    for (what, wire, payload, status, code) in [
        ("no decoded length", plain(false).without("x-amz-decoded-content-length"), SIGNED, 411, "MissingContentLength"),
        ("a decoded length that is none", plain(false).header("x-amz-decoded-content-length", "-1"), SIGNED, 400, "InvalidRequest"),
        ("a smaller decoded length", plain(false).header("x-amz-decoded-content-length", "19999"), SIGNED, 400, "IncompleteBody"),
        ("a larger decoded length", plain(false).header("x-amz-decoded-content-length", "20001"), SIGNED, 400, "IncompleteBody"),
        ("a decoded length beyond all", plain(false).header("x-amz-decoded-content-length", "18446744073709551615"), SIGNED, 400, "EntityTooLarge"),
        ("a trailer that the payload does not have", plain(true), SIGNED, 400, "InvalidRequest"),
        ("no trailer announced", plain(false), TRAILER, 400, "InvalidRequest"),
        ("a trailer that is no checksum", plain(true).header("x-amz-trailer", "x-amz-meta-a"), TRAILER, 400, "InvalidRequest"),
        ("two trailers", plain(true).header("x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-sha1"), TRAILER, 400, "InvalidRequest"),
        ("another algorithm", plain(true).header("x-amz-sdk-checksum-algorithm", "SHA256"), TRAILER, 400, "InvalidRequest"),
    ] {
        let reply = put(&fixture, wire, payload, |body| body).await;
        assert_eq!(reply.refusal(), (status, code.to_owned()), "{what}");
    }
    for (name, value) in [("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "1"), ("x-amz-trailer", CRC32)] {
        let reply = fixture.ask_with(Cloud::S3, "PUT", "/media/k", &[(name, value)], b"x").await;
        assert_eq!(reply.refusal(), (400, "InvalidRequest".into()), "{name} without chunks");
    }
    let list = put(&fixture, plain(false).header("x", "y"), SIGNED, |body| body).await;
    assert_eq!(list.status, 200);
    for (method, target) in [("GET", "/media/k"), ("DELETE", "/media/k"), ("POST", "/media/k?uploads")] {
        let (wire, _) = fixture.authorize(Cloud::S3, fixture.raw(method, target), SIGNED);
        assert_eq!(fixture.send(&wire).await.status, 400, "{method} {target}");
    }
    assert!(fixture.get(Cloud::S3, "k").await.body == data());
}
