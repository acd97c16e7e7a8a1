//! The rows on durability that need connections, or somebody who reaches into the folder. Faults of the disk and of the machine at every step stand beside
//! the code of the folder, and the program is killed by the tests of the program.

use std::{os::unix::fs::symlink, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use valetkey_core::{Checksum, ChecksumAlgorithm, ContentMd5, ObjectRequest};
use valetkey_store::Cloud;

use crate::support::{CLOUDS, Fixture, Wire, authorize::sha256, key};

fn blobs(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder.join("blobs")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 251) as u8).collect()
}

#[tokio::test]
async fn ds_019_a_link_in_the_folder_leads_nowhere() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    // Where the record of `k` would stand, and beside the bytes.
    let record = folder.path().join("buckets/media").join(format!("{}.json", sha256(b"k")));
    symlink(&secret, &record).unwrap();
    symlink(outside.path(), folder.path().join("buckets/linked")).unwrap();
    symlink(&secret, folder.path().join("blobs").join("0".repeat(32))).unwrap();
    assert_eq!(fixture.get(Cloud::S3, "k").await.status, 404, "nothing is read through it");
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/linked/secret", b"").await.status, 404);
    fixture.put(Cloud::S3, "k", b"mine").await;
    assert_eq!(fixture.get(Cloud::S3, "k").await.body, b"mine");
    assert!(std::fs::symlink_metadata(&record).unwrap().is_file(), "the link was replaced and not followed");
    fixture.store.shutdown().await;
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    assert_eq!(fixture.get(Cloud::S3, "k").await.body, b"mine");
    assert_eq!(fixture.call(Cloud::S3, &ObjectRequest::delete(key("k")), b"").await.status, 204);
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "secret", "nothing is written or removed behind it");
}

#[tokio::test]
async fn ds_042_a_client_that_goes_away_at_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let new = pattern(5_000);
    for cloud in CLOUDS {
        fixture.put(cloud, "k", b"old").await;
        let wire = Wire::of(&fixture.sign(cloud, &ObjectRequest::put(key("k")))).body(&new);
        let (head, bytes) = (wire.head().len(), wire.bytes());
        let cuts = (0..head).step_by(97).chain((head..bytes.len()).step_by(251)).chain([head, head + 1, bytes.len() - 1]);
        for cut in cuts {
            let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
            stream.write_all(&bytes[..cut]).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            // Refused, or cut; when it is over the store has noticed.
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{cloud:?} cut at {cut}");
            assert_eq!(fixture.get(cloud, "k").await.body, b"old", "{cloud:?} cut at {cut}");
        }
        assert_eq!(fixture.send(&wire).await.status, 200);
        assert!(fixture.get(cloud, "k").await.body == new);
    }
    fixture.store.shutdown().await;
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    assert!(fixture.get(Cloud::S3, "k").await.body == new);
    assert_eq!(blobs(folder.path()).len(), 1, "nothing is left of what was cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ds_046_two_writers_of_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let (a, b) = (vec![b'a'; 700_000], vec![b'b'; 700_001]);
    for cloud in CLOUDS {
        for round in 0..8 {
            let put = ObjectRequest::put(key("k"));
            let (first, second) = tokio::join!(fixture.call(cloud, &put, &a), fixture.call(cloud, &put, &b));
            assert_eq!((first.status, second.status), (200, 200));
            let get = fixture.get(cloud, "k").await;
            let winner = if get.body == a { &first } else { &second };
            assert!(get.body == a || get.body == b, "round {round}: a mix");
            assert_eq!(get.header("etag"), winner.header("etag"), "round {round}: the ETag of the other one");
            let once = ObjectRequest::put(key(&format!("once {cloud:?} {round}"))).create_only();
            let (first, second) = tokio::join!(fixture.call(cloud, &once, &a), fixture.call(cloud, &once, &b));
            assert_eq!([first.status, second.status].iter().filter(|status| **status == 200).count(), 1, "exactly one makes it");
        }
    }
    assert_eq!(blobs(folder.path()).len(), 17, "the bytes of those who lost are gone");
}

#[tokio::test]
async fn ds_047_a_body_that_is_not_what_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    fixture.put(Cloud::S3, "k", b"old").await;
    let put = || ObjectRequest::put(key("k"));
    let crc32 = Checksum::new(ChecksumAlgorithm::Crc32, "NSRBwg==").unwrap();
    let md5 = || ContentMd5::from_base64("kAFQmDzST7DWlj99KOF/cg==").unwrap();
    for (cloud, request, code) in [
        (Cloud::S3, put().content_md5(md5()), "BadDigest"),
        (Cloud::S3, put().checksum(crc32), "BadDigest"),
        (Cloud::S3, put().payload_sha256(sha256(b"abc")), "XAmzContentSHA256Mismatch"),
        (Cloud::Oss, put().content_md5(md5()), "InvalidDigest"),
        (Cloud::Oss, put().header("x-oss-hash-crc64ecma", "1"), "BadDigest"),
    ] {
        assert_eq!(fixture.call(cloud, &request, b"abd").await.refusal(), (400, code.into()), "{cloud:?}");
        assert_eq!(fixture.get(cloud, "k").await.body, b"old");
        assert_eq!(blobs(folder.path()).len(), 1, "nothing is left of it");
    }
}

#[tokio::test]
async fn ds_048_a_flipped_bit_is_never_served_as_good() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::start(Some(folder.path().to_path_buf())).await;
    let whole = pattern(1_000_000);
    for (flipped, clean) in [(0, 300_000), (262_143, 262_144), (999_999, 10), (500_000, 900_000)] {
        fixture.put(Cloud::S3, "k", &whole).await;
        let [blob] = blobs(folder.path()).try_into().unwrap();
        let mut bytes = std::fs::read(&blob).unwrap();
        bytes[flipped] ^= 4;
        std::fs::write(&blob, bytes).unwrap();
        let signed = Wire::of(&fixture.sign(Cloud::S3, &ObjectRequest::get(key("k"))));
        let get = fixture.send(&signed).await;
        let good = get.status == 200 && get.body.len() == whole.len();
        assert!(!good && whole.starts_with(if get.status == 200 { &get.body } else { b"" }), "bit of byte {flipped}: {} bytes", get.body.len());
        let range = fixture.send(&signed.clone().header("range", &format!("bytes={flipped}-{flipped}"))).await;
        assert_eq!(range.refusal(), (500, "InternalError".into()), "a range that has the byte {flipped}");
        let elsewhere = fixture.send(&signed.header("range", &format!("bytes={clean}-{clean}"))).await;
        assert_eq!((elsewhere.status, elsewhere.body.as_slice()), (206, &whole[clean..=clean]), "a piece that is whole");
        let copied = fixture.ask_with(Cloud::S3, "PUT", "/media/copy", &[("x-amz-copy-source", "/media/k")], b"").await;
        assert_eq!((copied.status, fixture.get(Cloud::S3, "copy").await.status), (500, 404), "damage is not copied");
    }
}
