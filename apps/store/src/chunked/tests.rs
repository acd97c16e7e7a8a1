//! Examples of AWS's documents, whole and broken. Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
//! Multiple Chunks", and "Including trailing headers".

use valetkey_core::{
    Credentials, Scheme, Timestamp,
    verify::{Audience, IncomingRequest, Payload, Verification},
};
use valetkey_s3::S3;

use super::*;

const CHUNKS: [(usize, &str); 3] = [
    (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
];
const CHUNKS_BEFORE_A_TRAILER: [(usize, &str); 3] = [
    (65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
    (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
    (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
];
const TRAILER: &str = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
const CRC32C: Announced = Announced(Algorithm::Crc32c);
const SIZE: u64 = 66_560;

/// The documented request, verified.
fn signatures(has_trailer: bool) -> Box<ChunkSignatures> {
    let (sentinel, names, signature) = match has_trailer {
        false => (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
        true => (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        ),
    };
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={names},Signature={signature}");
    let mut headers: Vec<(&str, &[u8])> = vec![
        ("host", b"s3.amazonaws.com"),
        ("x-amz-date", b"20130524T000000Z"),
        ("x-amz-storage-class", b"REDUCED_REDUNDANCY"),
        ("content-encoding", b"aws-chunked"),
        ("content-length", b"66824"),
        ("x-amz-content-sha256", sentinel.as_bytes()),
        ("x-amz-decoded-content-length", b"66560"),
        ("authorization", authorization.as_bytes()),
    ];
    if has_trailer {
        headers.push(("x-amz-trailer", b"x-amz-checksum-crc32c"));
    }
    let request = IncomingRequest { scheme: Scheme::Https, method: "PUT", target: "/examplebucket/chunkObject.txt", headers: &headers };
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
    let pending = Verification::parse(&S3, &request, &Audience::public()).unwrap();
    let verified = pending.finish(Some(&credentials), Timestamp::from_basic("20130524T000000Z").unwrap()).unwrap();
    match verified.payload() {
        Payload::Chunked { signatures: Some(signatures), has_trailer: found } if *found == has_trailer => signatures.clone(),
        other => panic!("{other:?}"),
    }
}

fn chunk((len, signature): (usize, &str)) -> Vec<u8> {
    let end = if len == 0 { "" } else { "\r\n" };
    [format!("{len:x};chunk-signature={signature}\r\n").into_bytes(), vec![b'a'; len], end.as_bytes().to_vec()].concat()
}

fn plain(sizes: &[usize], trailer: &str) -> Vec<u8> {
    let chunks =
        sizes.iter().flat_map(|len| [format!("{len:X}\r\n").into_bytes(), vec![b'a'; *len], if *len == 0 { vec![] } else { b"\r\n".to_vec() }].concat());
    chunks.chain(trailer.bytes()).collect()
}

fn signed(chunks: &[(usize, &str)], trailer: &str) -> Vec<u8> {
    chunks.iter().flat_map(|part| chunk(*part)).chain(trailer.bytes()).collect()
}

type Outcome = Result<(usize, Option<(Algorithm, String)>), StoreError>;

/// Reads `body` in pieces of `step` bytes.
fn read(mut decoder: Decoder, body: &[u8], step: usize) -> Outcome {
    let mut size = 0;
    for piece in body.chunks(step) {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(data) = decoder.next(&mut piece)? {
            size += data.len();
        }
    }
    decoder.finish().map(|trailer| (size, trailer))
}

#[test]
fn the_documented_bodies_are_read_in_pieces_of_any_size() {
    let body = signed(&CHUNKS, "\r\n");
    assert_eq!(body.len(), 66_824, "as the document's Content-Length says");
    let with_trailer = signed(&CHUNKS_BEFORE_A_TRAILER, TRAILER);
    assert_eq!(with_trailer.len(), 66_946, "as the document's Content-Length says");
    for step in [1, 2, 7, 4096, 65_536, 1 << 20] {
        let read_whole = read(Decoder::new(Some(signatures(false)), None, SIZE), &body, step);
        assert_eq!(read_whole.unwrap(), (66_560, None), "{step}");
        let read_trailer = read(Decoder::new(Some(signatures(true)), Some(CRC32C), SIZE), &with_trailer, step);
        assert_eq!(read_trailer.unwrap(), (66_560, Some((Algorithm::Crc32c, "sOO8/Q==".into()))), "{step}");
        let minio = signed(&CHUNKS_BEFORE_A_TRAILER, &TRAILER.replacen("\r\n", "\n\r\n", 1));
        assert!(read(Decoder::new(Some(signatures(true)), Some(CRC32C), SIZE), &minio, step).is_ok(), "{step}");
        let unsigned = plain(&[65_536, 1024, 0], "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n");
        assert_eq!(read(Decoder::new(None, Some(CRC32C), SIZE), &unsigned, step).unwrap().0, 66_560, "{step}");
        let empty = plain(&[0], "X-Amz-Checksum-Crc32c: AAAAAA==\r\n\r\n");
        assert_eq!(read(Decoder::new(None, Some(CRC32C), 0), &empty, step).unwrap().0, 0, "{step}");
    }
}

#[test]
fn signed_bodies_that_are_broken() {
    let [first, second, last] = CHUNKS;
    let whole = signed(&CHUNKS, "\r\n");
    let changed = |at: usize, byte: u8| {
        let mut body = whole.clone();
        body[at] = byte;
        body
    };
    let (mismatch, malformed, incomplete) = ("SignatureDoesNotMatch", "InvalidRequest", "IncompleteBody");
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a byte of the first chunk", changed(100, b'b'), mismatch),
        ("a byte of the second chunk", changed(65_900, b'b'), mismatch),
        ("a digit of a signature", changed(30, b'0'), mismatch),
        ("the chunks the other way round", signed(&[second, first, last], "\r\n"), mismatch),
        ("a chunk left out", signed(&[second, last], "\r\n"), mismatch),
        ("a chunk twice", signed(&[second, second, last], "\r\n"), mismatch),
        ("the end alone", signed(&[last], "\r\n"), mismatch),
        ("a chunk cut in two", signed(&[(32_768, first.1), (32_768, first.1), second, last], "\r\n"), mismatch),
        ("a signature in capitals", whole.to_ascii_uppercase(), malformed),
        ("no signature", plain(&[65_536, 1024, 0], "\r\n"), malformed),
        ("a short signature", signed(&[(65_536, "ad80"), second, last], "\r\n"), mismatch),
        ("another extension", [b"400;a=b;chunk-signature=".as_slice(), &whole[..]].concat(), malformed),
        ("a size with a sign", [b"+".as_slice(), &whole[..]].concat(), malformed),
        ("a size with 0x", [b"0x".as_slice(), &whole[..]].concat(), malformed),
        ("a size that overflows", [b"1".repeat(17).as_slice(), &whole[5..]].concat(), malformed),
        ("a size beyond what was announced", [b"ffffffffffffffff".as_slice(), &whole[5..]].concat(), incomplete),
        ("a line without an end", vec![b'1'; 1000], malformed),
        ("a bare line feed", String::from_utf8(whole.clone()).unwrap().replacen("\r\n", "\n", 1).into_bytes(), malformed),
        ("a chunk that is longer than it says", [&whole[..86], b"a".as_slice(), &whole[86..]].concat(), mismatch),
        ("no end", whole[..whole.len() - 2].to_vec(), incomplete),
        ("half an end", whole[..whole.len() - 1].to_vec(), incomplete),
        ("nothing", vec![], incomplete),
        ("something after the end", [whole.as_slice(), b"x"].concat(), malformed),
        ("a body after the end", whole.repeat(2), malformed),
        ("a trailer that was not announced", signed(&CHUNKS, "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n"), malformed),
    ];
    for (what, body, code) in table {
        for step in [1, 65_536, 1 << 20] {
            let error = read(Decoder::new(Some(signatures(false)), None, SIZE), &body, step).unwrap_err();
            assert_eq!(error.answer(crate::Cloud::S3).code, code, "{what}: {error}");
        }
    }
    for end in 0..600 {
        assert!(read(Decoder::new(Some(signatures(false)), None, SIZE), &whole[..end * whole.len() / 600], 4096).is_err(), "cut at {end}");
    }
    for length in [0, 1, SIZE - 1, SIZE + 1, u64::MAX] {
        let error = read(Decoder::new(Some(signatures(false)), None, length), &whole, 4096).unwrap_err();
        assert_eq!(error.answer(crate::Cloud::S3).code, "IncompleteBody", "{length}");
    }
}

#[test]
fn trailers_that_are_broken() {
    let value = "x-amz-checksum-crc32c:sOO8/Q==\r\n";
    let signature = TRAILER.split_once("\r\n").unwrap().1;
    for (what, trailer, code) in [
        ("another value", TRAILER.replace("sOO8", "sOO9"), "SignatureDoesNotMatch"),
        ("another signature", TRAILER.replace("e435", "e436"), "SignatureDoesNotMatch"),
        ("no signature", format!("{value}\r\n"), "InvalidRequest"),
        ("no value", signature.to_owned(), "InvalidRequest"),
        ("nothing", "\r\n".to_owned(), "InvalidRequest"),
        ("cut", value.to_owned(), "IncompleteBody"),
        ("no last line", TRAILER[..TRAILER.len() - 2].to_owned(), "IncompleteBody"),
        ("another name", TRAILER.replace("crc32c", "crc32"), "InvalidRequest"),
        ("one more", format!("{value}x-amz-meta-a:b\r\n{signature}"), "InvalidRequest"),
        ("the value twice", format!("{value}{TRAILER}"), "InvalidRequest"),
        ("the signature twice", format!("{}{signature}", &TRAILER[..TRAILER.len() - 2]), "InvalidRequest"),
        ("no colon", TRAILER.replacen(':', " ", 1), "InvalidRequest"),
        ("too long", format!("x-amz-checksum-crc32c:{}\r\n", "a".repeat(2000)), "InvalidRequest"),
        ("more after the end", format!("{TRAILER}x"), "InvalidRequest"),
    ] {
        for step in [1, 1 << 20] {
            let body = signed(&CHUNKS_BEFORE_A_TRAILER, &trailer);
            let error = read(Decoder::new(Some(signatures(true)), Some(CRC32C), SIZE), &body, step).unwrap_err();
            assert_eq!(error.answer(crate::Cloud::S3).code, code, "{what}: {error}");
        }
    }
    for trailer in [TRAILER, "\r\n", "", "x-amz-checksum-crc32c:sOO8/Q==\n\r\n"] {
        let body = plain(&[65_536, 1024, 0], trailer);
        assert!(read(Decoder::new(None, Some(CRC32C), SIZE), &body, 100).is_err(), "{trailer:?}");
    }
}

#[test]
fn only_the_last_chunk_may_be_small() {
    let trailer = "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n";
    for (sizes, taken) in [(&[8192, 8192, 1, 0][..], true), (&[1, 0], true), (&[8191, 1, 0], false), (&[8192, 100, 8192, 0], false)] {
        let size = sizes.iter().sum::<usize>() as u64;
        assert_eq!(read(Decoder::new(None, Some(CRC32C), size), &plain(sizes, trailer), 1000).is_ok(), taken, "{sizes:?}");
    }
}

#[test]
fn what_a_trailer_may_be() {
    assert_eq!(Announced::read("X-Amz-Checksum-CRC64NVME").unwrap(), Announced(Algorithm::Crc64Nvme));
    for value in ["", "x-amz-meta-a", "content-md5", "x-amz-checksum-md5", "x-amz-checksum-crc32,x-amz-checksum-sha1", "x-amz-checksum-"] {
        assert!(Announced::read(value).is_err(), "{value}");
    }
}
