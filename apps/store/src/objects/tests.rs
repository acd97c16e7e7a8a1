use std::{fs, sync::Arc};

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::{Cloud, digest::Algorithm};

mod crash;
mod durable;
mod uploads;

const BUCKET: &str = "media";

/// The same promises hold for both kinds of storage.
async fn stores() -> Vec<(ObjectStore, Option<TempDir>)> {
    let folder = TempDir::new().unwrap();
    let stores = vec![(ObjectStore::memory(), None), (ObjectStore::folder(folder.path()).unwrap(), Some(folder))];
    for (store, _) in &stores {
        store.create_bucket(BUCKET, BucketInfo::default()).await.unwrap();
    }
    stores
}

async fn stage(store: &ObjectStore, bytes: &[u8], promises: Promises) -> Result<Staged, StoreError> {
    let mut body = store.receive(BUCKET, promises).await?;
    for chunk in bytes.chunks(100_000) {
        if let Err(error) = body.write(Bytes::copy_from_slice(chunk)).await {
            body.discard().await;
            return Err(error);
        }
    }
    body.finish().await
}

fn to(key: &str) -> PutObject {
    PutObject { bucket: BUCKET.into(), key: key.into(), now: 1_000, ..Default::default() }
}

async fn put(store: &ObjectStore, key: &str, bytes: &[u8]) -> Arc<ObjectInfo> {
    let staged = stage(store, bytes, Promises::new()).await.unwrap();
    store.put(to(key), staged).await.unwrap()
}

async fn collect(mut reader: Reader) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await? {
        assert!(!chunk.is_empty() && chunk.len() <= 256 << 10, "chunks are bounded");
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn get(store: &ObjectStore, key: &str) -> Result<Vec<u8>, StoreError> {
    collect(store.object(BUCKET, key)?.read_all()).await
}

fn names(store: &ObjectStore) -> Vec<String> {
    store.buckets("", "", 1000).0.into_iter().map(|(name, _)| name).collect()
}

fn keys(store: &ObjectStore) -> Vec<String> {
    store.list(BUCKET, &ListQuery::default()).unwrap().objects.iter().map(|info| info.key.clone()).collect()
}

/// How many files are below a folder, by name of its top level.
fn files(folder: &TempDir, part: &str) -> usize {
    fn count(path: &Path) -> usize {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&folder.path().join(part))
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 251) as u8).collect()
}

#[tokio::test]
async fn what_was_put_comes_back() {
    for (store, _folder) in stores().await {
        for len in [0, 1, 262_143, 262_144, 262_145, 1_000_000] {
            let bytes = pattern(len);
            let info = put(&store, "k", &bytes).await;
            assert_eq!((info.size, info.last_modified), (len as u64, 1_000));
            assert!(get(&store, "k").await.unwrap() == bytes, "{len}");
            let object = store.object(BUCKET, "k").unwrap();
            for range in [0..1, 262_143..262_146, 262_144..262_145, 999_999..1_000_001, 5..999_000] {
                let (start, end) = (range.start.min(len), range.end.min(len));
                let read = collect(object.read(range.start as u64..range.end as u64)).await.unwrap();
                assert!(read == bytes[start..end], "{range:?} of {len}");
            }
        }
        assert_eq!(put(&store, "k", b"abc").await.etag, "900150983cd24fb0d6963f7d28e17f72");
    }
}

#[tokio::test]
async fn attributes_are_kept() {
    for (store, folder) in stores().await {
        let attributes = Attributes {
            content_type: Some("image/png".into()),
            cache_control: Some("no-store".into()),
            user: [("owner".into(), "caf\u{e9}".into())].into(),
            encryption: [("server-side-encryption".into(), "AES256".into())].into(),
            tagging: Some("a=b".into()),
            ..Default::default()
        };
        let staged = stage(&store, b"abc", Promises::new().checksum(Algorithm::Crc32, &Algorithm::Crc32.of(b"abc")).unwrap()).await.unwrap();
        let info = store.put(PutObject { attributes: attributes.clone(), ..to("k") }, staged).await.unwrap();
        assert_eq!(info.attributes, attributes);
        assert_eq!(info.checksums[&Algorithm::Crc32], Algorithm::Crc32.of(b"abc"));
        let Some(folder) = folder else { continue };
        drop(store);
        let store = ObjectStore::folder(folder.path()).unwrap();
        assert_eq!(store.object(BUCKET, "k").unwrap().info(), &info);
        assert_eq!(get(&store, "k").await.unwrap(), b"abc");
    }
}

#[tokio::test]
async fn a_refused_body_leaves_no_trace() {
    for (store, folder) in stores().await {
        put(&store, "k", b"old").await;
        let promises = [
            Promises::new().length(4),
            Promises::new().length(2),
            Promises::new().content_md5("kAFQmDzST7DWlj99KOF/cg==").unwrap(),
            Promises::new().payload_sha256([0; 32]),
            Promises::new().checksum(Algorithm::Crc64Nvme, "AAAAAAAAAAA=").unwrap(),
        ];
        for promise in promises {
            assert!(stage(&store, b"new", promise.clone()).await.is_err(), "{promise:?}");
        }
        assert!(matches!(store.receive(BUCKET, Promises::new().length(MAX_BODY + 1)).await, Err(StoreError::EntityTooLarge { .. })));
        assert!(matches!(store.receive("other", Promises::new()).await, Err(StoreError::NoSuchBucket { .. })));
        // The client goes away in the middle, or before the commit.
        let mut body = store.receive(BUCKET, Promises::new()).await.unwrap();
        body.write(Bytes::from(pattern(1_000_000))).await.unwrap();
        body.discard().await;
        drop(stage(&store, b"new", Promises::new()).await.unwrap());
        let staged = stage(&store, b"new", Promises::new()).await.unwrap();
        assert!(store.put(PutObject { condition: WriteCondition::CreateOnly, ..to("k") }, staged).await.is_err());
        assert_eq!(get(&store, "k").await.unwrap(), b"old");
        if let Some(folder) = folder {
            assert_eq!(files(&folder, "blobs"), 1);
        }
    }
}

#[tokio::test]
async fn a_replaced_object_lets_go_of_its_bytes_after_its_readers() {
    for (store, folder) in stores().await {
        let old = pattern(600_000);
        put(&store, "k", &old).await;
        let mut reader = store.object(BUCKET, "k").unwrap().read_all();
        let first = reader.next().await.unwrap().unwrap();
        put(&store, "k", b"new").await;
        let rest = collect(reader).await.unwrap();
        assert!([first.to_vec(), rest].concat() == old, "a read goes on with what it began");
        assert_eq!(get(&store, "k").await.unwrap(), b"new");
        if let Some(folder) = &folder {
            assert_eq!(files(folder, "blobs"), 1);
        }
        store.delete(BUCKET, "k", WriteCondition::None).await.unwrap();
        store.delete(BUCKET, "k", WriteCondition::None).await.unwrap();
        assert!(matches!(get(&store, "k").await, Err(StoreError::NoSuchKey { .. })));
        if let Some(folder) = &folder {
            assert_eq!((files(folder, "blobs"), files(folder, "buckets")), (0, 0));
        }
    }
}

#[tokio::test]
async fn write_conditions() {
    for (store, _folder) in stores().await {
        let create = || PutObject { condition: WriteCondition::CreateOnly, ..to("k") };
        let if_match = |etag: &str| PutObject { condition: WriteCondition::IfMatch(etag.into()), ..to("k") };
        let new = || stage(&store, b"abc", Promises::new());
        assert!(matches!(store.put(if_match("x"), new().await.unwrap()).await, Err(StoreError::NoSuchKey { .. })));
        let first = store.put(create(), new().await.unwrap()).await.unwrap();
        assert!(matches!(store.put(create(), new().await.unwrap()).await, Err(StoreError::ObjectExists { .. })));
        assert!(matches!(store.put(if_match("\"x\""), new().await.unwrap()).await, Err(StoreError::PreconditionFailed { .. })));
        store.put(if_match(&format!("\"{}\"", first.etag.to_uppercase())), new().await.unwrap()).await.unwrap();
        store.put(if_match("*"), new().await.unwrap()).await.unwrap();
        assert!(store.delete(BUCKET, "k", WriteCondition::IfMatch("x".into())).await.is_err());
        store.delete(BUCKET, "k", WriteCondition::IfMatch(first.etag.clone())).await.unwrap();
        assert!(store.delete(BUCKET, "k", WriteCondition::IfMatch("x".into())).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_create_only_writes_exactly_one_wins() {
    for (store, folder) in stores().await {
        for round in 0..10 {
            let key = format!("k{round}");
            let mut staged = Vec::new();
            for n in 0..8 {
                staged.push((n, stage(&store, &[n], Promises::new()).await.unwrap()));
            }
            let racers = staged.into_iter().map(|(n, staged)| {
                let (store, put) = (store.clone(), PutObject { condition: WriteCondition::CreateOnly, ..to(&key) });
                tokio::spawn(async move { store.put(put, staged).await.map(|_| n) })
            });
            let mut winners = Vec::new();
            for racer in racers.collect::<Vec<_>>() {
                match racer.await.unwrap() {
                    Ok(n) => winners.push(n),
                    Err(error) => assert!(matches!(error, StoreError::ObjectExists { .. })),
                }
            }
            assert_eq!(winners.len(), 1);
            assert_eq!(get(&store, &key).await.unwrap(), winners);
        }
        if let Some(folder) = folder {
            assert_eq!(files(&folder, "blobs"), 10);
        }
    }
}

#[tokio::test]
async fn keys_are_names_and_never_paths() {
    let long = "x".repeat(300);
    let slashes = "/".repeat(1000);
    let hostile = [
        "../x",
        "../../etc/passwd",
        "..",
        ".",
        "/etc/passwd",
        "a",
        "a/",
        "a/b",
        "a//b",
        "A",
        "*?[a-z]{x}",
        "victim",
        "a\0.png",
        "..\\..\\x",
        "C:\\x",
        "CON",
        "a.txt::$DATA",
        "a.",
        ".sys/config",
        "%2e%2e/x",
        "caf\u{e9}",
        "cafe\u{301}",
        "<script>",
        "\n",
        &long,
        &slashes,
        "valetkey-store.json",
        "lock",
    ];
    for (store, folder) in stores().await {
        for key in hostile {
            put(&store, key, key.as_bytes()).await;
        }
        let mut sorted = hostile.map(str::to_owned).to_vec();
        sorted.sort();
        assert_eq!(keys(&store), sorted);
        if let Some(folder) = &folder {
            let named_by_hash = |name: String| name.len() == 69 && name.ends_with(".json");
            let bucket = folder.path().join("buckets").join(BUCKET);
            assert!(fs::read_dir(&bucket).unwrap().all(|entry| named_by_hash(entry.unwrap().file_name().into_string().unwrap())));
            assert_eq!(files(folder, "."), 3 + 2 * hostile.len(), "the mark, the lock, the settings, and two files of each object");
        }
        store.delete(BUCKET, "*?[a-z]{x}", WriteCondition::None).await.unwrap();
        store.delete(BUCKET, "a/", WriteCondition::None).await.unwrap();
        for key in hostile.into_iter().filter(|key| !["*?[a-z]{x}", "a/"].contains(key)) {
            assert_eq!(get(&store, key).await.unwrap(), key.as_bytes());
        }
        let refused = store.put(to(&"x".repeat(1025)), stage(&store, b"", Promises::new()).await.unwrap()).await;
        assert!(matches!(refused, Err(StoreError::KeyTooLong { .. })));
        assert!(store.put(to(""), stage(&store, b"", Promises::new()).await.unwrap()).await.is_err());
    }
}

#[tokio::test]
async fn buckets() {
    for (store, _folder) in stores().await {
        assert!(matches!(store.create_bucket(BUCKET, BucketInfo::default()).await, Err(StoreError::BucketAlreadyExists { .. })));
        assert!(matches!(store.create_bucket("../x", BucketInfo::default()).await, Err(StoreError::InvalidBucketName { .. })));
        store.create_bucket("other.bucket", BucketInfo::default()).await.unwrap();
        assert_eq!(names(&store), [BUCKET, "other.bucket"]);
        put(&store, "k", b"").await;
        assert!(matches!(store.object("other.bucket", "k"), Err(StoreError::NoSuchKey { .. })));
        assert!(matches!(store.object("nobody", "k"), Err(StoreError::NoSuchBucket { .. })));
        assert!(store.list("nobody", &ListQuery::default()).is_err());
    }
}

#[tokio::test]
async fn copies() {
    for (store, _folder) in stores().await {
        let bytes = pattern(700_000);
        put(&store, "from", &bytes).await;
        let source = store.object(BUCKET, "from").unwrap();
        let whole = store.stage_copy(BUCKET, &source, 0..700_000, Promises::new()).await.unwrap();
        let info = store.put(to("to"), whole).await.unwrap();
        assert_eq!(info.etag, source.info().etag);
        assert!(get(&store, "to").await.unwrap() == bytes);
        let part = store.stage_copy(BUCKET, &source, 10..400_000, Promises::new()).await.unwrap();
        store.put(to("from"), part).await.unwrap();
        assert!(get(&store, "from").await.unwrap() == bytes[10..400_000], "onto itself");
    }
}
