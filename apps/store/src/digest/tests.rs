use super::*;

fn run(promises: Promises, chunks: &[&[u8]]) -> Result<Digests, StoreError> {
    let mut hasher = Hasher::new(promises);
    for chunk in chunks {
        hasher.update(chunk)?;
    }
    hasher.finish()
}

/// The check values of the CRC catalogue for `123456789`, and RFC 3174's and FIPS 180's for `abc`.
#[test]
fn published_values() {
    let crc = |value: u64, len: usize| STANDARD.encode(&value.to_be_bytes()[8 - len..]);
    let table = [
        (Algorithm::Crc32, "123456789", crc(0xCBF4_3926, 4)),
        (Algorithm::Crc32c, "123456789", crc(0xE306_9283, 4)),
        (Algorithm::Crc64Nvme, "123456789", crc(0xAE8B_1486_0A79_9888, 8)),
        (Algorithm::Sha1, "abc", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=".into()),
        (Algorithm::Sha256, "abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".into()),
    ];
    for (algorithm, text, expected) in table {
        assert_eq!(algorithm.of(text.as_bytes()), expected, "{algorithm:?}");
        let (head, tail) = text.as_bytes().split_at(2);
        let digests = run(Promises::new().checksum(algorithm, &expected).unwrap(), &[head, tail]).unwrap();
        assert_eq!(digests.checksums, [(algorithm, expected.clone())]);
        let other = run(Promises::new().checksum(algorithm, &expected).unwrap(), &[b"other"]);
        assert!(matches!(other, Err(StoreError::BadDigest { digest, .. }) if digest == algorithm.name()));
    }
    // The catalogue's check value of CRC-64/XZ, and RFC 1321's MD5 of `abc`.
    assert_eq!(run(Promises::new(), &[b"123456789"]).unwrap().crc64_ecma, 0x995D_C9BB_DF19_39FA);
    assert_eq!(hex(&run(Promises::new(), &[b"abc"]).unwrap().md5), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn content_md5_is_kept_or_refused() {
    let right = "kAFQmDzST7DWlj99KOF/cg==";
    assert!(run(Promises::new().content_md5(right).unwrap(), &[b"abc"]).is_ok());
    assert!(matches!(run(Promises::new().content_md5(right).unwrap(), &[b"abd"]), Err(StoreError::BadDigest { digest: "Content-MD5", .. })));
    for malformed in ["", "abc", "900150983cd24fb0d6963f7d28e17f72", "kAFQmDzST7DWlj99KOF/cg", "kAFQmDzST7DWlj99KOF/ch==", "kAFQmDzST7DWlj99KOF_cg=="] {
        assert!(matches!(Promises::new().content_md5(malformed), Err(StoreError::InvalidDigest { .. })), "{malformed}");
    }
}

#[test]
fn a_checksum_needs_the_bytes_of_its_algorithm() {
    for algorithm in Algorithm::ALL {
        for malformed in ["", "!", "AAAA", "AAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
            assert!(Promises::new().checksum(algorithm, malformed).is_err(), "{algorithm:?} {malformed}");
        }
    }
}

#[test]
fn the_length_is_a_promise() {
    assert!(run(Promises::new().length(3), &[b"ab", b"c"]).is_ok());
    assert!(matches!(run(Promises::new().length(3), &[b"ab"]), Err(StoreError::IncompleteBody { promised: 3, received: 2 })));
    let mut hasher = Hasher::new(Promises::new().length(3));
    assert!(hasher.update(b"abcd").is_err(), "refused at once, not at the end");
}

#[test]
fn signed_payload_and_crc64() {
    let sha256 = <[u8; 32]>::from(Sha256::digest(b"abc"));
    assert!(run(Promises::new().payload_sha256(sha256), &[b"abc"]).is_ok());
    assert!(matches!(run(Promises::new().payload_sha256(sha256), &[b""]), Err(StoreError::PayloadDigestMismatch)));
    let crc = 0x995D_C9BB_DF19_39FA_u64.to_string();
    assert!(run(Promises::new().crc64_ecma(&crc).unwrap(), &[b"123456789"]).is_ok());
    assert!(matches!(run(Promises::new().crc64_ecma(&crc).unwrap(), &[b"1"]), Err(StoreError::BadDigest { .. })));
    assert!(Promises::new().crc64_ecma("-1").is_err());
    assert!(Promises::new().crc64_ecma("18446744073709551616").is_err());
}

#[test]
fn checksums_of_parts_combine() {
    let (a, b) = (b"hello ".as_slice(), b"world".as_slice());
    for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
        let whole = algorithm.combine(&algorithm.of(a), &algorithm.of(b), b.len() as u64);
        assert_eq!(whole, Some(algorithm.of(b"hello world")), "{algorithm:?}");
    }
    assert_eq!(Algorithm::Sha1.combine(&Algorithm::Sha1.of(a), &Algorithm::Sha1.of(b), 5), None);
    let composite = composite(Algorithm::Sha256, &[&Algorithm::Sha256.of(a), &Algorithm::Sha256.of(b)]).unwrap();
    assert_eq!(composite, format!("{}-2", Algorithm::Sha256.of(&[Sha256::digest(a), Sha256::digest(b)].concat())));
    let crc = |bytes: &[u8]| run(Promises::new(), &[bytes]).unwrap().crc64_ecma;
    assert_eq!(combine_crc64_ecma(crc(a), crc(b), 5), crc(b"hello world"));
}
