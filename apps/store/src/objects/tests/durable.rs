use super::*;
use crate::OpenError;

async fn with_one_object() -> TempDir {
    let folder = TempDir::new().unwrap();
    let store = ObjectStore::folder(folder.path()).unwrap();
    store.create_bucket(BUCKET, BucketInfo::default()).await.unwrap();
    put(&store, "k", &pattern(300_000)).await;
    folder
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[tokio::test]
async fn what_a_crash_leaves_is_swept_up() {
    let folder = with_one_object().await;
    let bucket = folder.path().join("buckets").join(BUCKET);
    fs::write(folder.path().join("blobs").join("0".repeat(32)), "received and never committed").unwrap();
    fs::write(bucket.join("abc.123.tmp"), "half a record").unwrap();
    fs::write(folder.path().join("uploads").join("gone.1.json"), "a part whose upload is gone").unwrap();
    let store = ObjectStore::folder(folder.path()).unwrap();
    assert!(get(&store, "k").await.unwrap() == pattern(300_000));
    assert_eq!((files(&folder, "blobs"), files(&folder, "buckets"), files(&folder, "uploads")), (1, 1, 0));
}

/// What becomes of an object after the upload that it was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Stays,
    Deleted,
    Replaced,
}

#[tokio::test]
async fn a_crash_between_completing_and_removing_the_upload() {
    for (parts, list, then) in [
        (1..=1, None, Then::Stays),
        (1..=1, None, Then::Deleted),
        (1..=1, None, Then::Replaced),
        (1..=3, Some(2), Then::Stays),
        (1..=3, Some(2), Then::Deleted),
        (1..=3, Some(2), Then::Replaced),
    ] {
        let case = format!("parts {parts:?}, of which {list:?}, {then:?}");
        let folder = TempDir::new().unwrap();
        let store = ObjectStore::folder(folder.path()).unwrap();
        store.create_bucket(BUCKET, BucketInfo::default()).await.unwrap();
        let other = store.create_upload(UploadInfo::new(BUCKET, "k", Attributes::default(), 0)).await.unwrap();
        let upload = store.create_upload(UploadInfo::new(BUCKET, "k", Attributes::default(), 0)).await.unwrap();
        let mut chosen = Vec::new();
        for (upload, number) in parts.map(|number| (&upload, number)).chain([(&other, 1)]) {
            let bytes = if list.is_none_or(|used| used == number) || upload.id == other.id { &b"abc"[..] } else { b"unused" };
            let staged = stage(&store, bytes, Promises::new()).await.unwrap();
            let info = store.put_part(upload, number, staged, 0).await.unwrap();
            chosen.extend((Some(number) == list).then(|| CompletePart { number, etag: info.etag(), checksums: vec![] }));
        }
        let uploads = folder.path().join("uploads");
        let both = [uploads.clone(), folder.path().join("blobs")].into_iter().flat_map(|path| fs::read_dir(path).unwrap());
        let saved = both.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap()));
        // The bytes of parts that were not taken go after the object is there, so a crash may leave them too.
        let saved: Vec<_> = saved.filter(|(path, bytes)| path.starts_with(&uploads) || bytes == b"unused").collect();
        let completion = Completion { list: list.map(|_| chosen), ..Completion::default() };
        store.complete(Cloud::S3, BUCKET, "k", &upload.id, completion).await.unwrap();
        match then {
            Then::Stays => {}
            Then::Deleted => store.delete(BUCKET, "k", WriteCondition::None).await.unwrap(),
            Then::Replaced => drop(put(&store, "k", b"instead").await),
        }
        drop(store);
        for (path, bytes) in saved {
            fs::write(path, bytes).unwrap();
        }
        let store = ObjectStore::folder(folder.path()).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(matches!(store.abort(BUCKET, "k", &upload.id).await, Err(StoreError::NoSuchUpload { .. })), "{case}: it was completed");
        match then {
            Then::Stays => assert_eq!(get(&store, "k").await.unwrap(), b"abc", "{case}"),
            Then::Deleted => assert!(matches!(get(&store, "k").await, Err(StoreError::NoSuchKey { .. })), "{case}"),
            Then::Replaced => assert_eq!(get(&store, "k").await.unwrap(), b"instead", "{case}"),
        }
        let objects = usize::from(then != Then::Deleted);
        assert_eq!((files(&folder, "blobs"), files(&folder, "uploads")), (objects + 1, 2), "{case}: what is left is the object and the other upload");
        store.complete(Cloud::S3, BUCKET, "k", &other.id, Completion::default()).await.unwrap();
        assert_eq!(get(&store, "k").await.unwrap(), b"abc", "{case}: the other upload");
    }
}

#[tokio::test]
async fn a_damaged_part_is_refused() {
    let folder = with_one_object().await;
    let store = ObjectStore::folder(folder.path()).unwrap();
    let upload = store.create_upload(UploadInfo::new(BUCKET, "k", Attributes::default(), 0)).await.unwrap();
    let staged = stage(&store, b"abc", Promises::new()).await.unwrap();
    store.put_part(&upload, 1, staged, 0).await.unwrap();
    drop(store);
    let record = folder.path().join("uploads").join(format!("{}.1.json", upload.id));
    let good = fs::read_to_string(&record).unwrap();
    let named = serde_json::from_str::<serde_json::Value>(&good).unwrap()["blob"]["id"].as_str().unwrap().to_owned();
    for bad in [good.replace(&named, "../absent"), good.replace("\"len\":3", "\"len\":4"), "{}".to_owned()] {
        assert_ne!(bad, good);
        fs::write(&record, bad).unwrap();
        let error = ObjectStore::folder(folder.path()).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(record.to_str().unwrap()), "{error}");
    }
    fs::write(&record, good).unwrap();
    assert!(ObjectStore::folder(folder.path()).is_ok());
}

#[tokio::test]
async fn a_flipped_bit_is_noticed() {
    let folder = with_one_object().await;
    let store = ObjectStore::folder(folder.path()).unwrap();
    let blob = only_file(&folder.path().join("blobs"));
    let mut bytes = fs::read(&blob).unwrap();
    bytes[150_000] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let mut reader = store.object(BUCKET, "k").unwrap().read_all();
    let mut received = 0;
    let error = loop {
        match reader.next().await {
            Ok(Some(chunk)) => received += chunk.len(),
            Ok(None) => panic!("a damaged object looked whole"),
            Err(error) => break error,
        }
    };
    assert!(received < 300_000, "the last chunk is held back");
    assert_eq!(error.answer(Cloud::S3).code, "InternalError");
    fs::OpenOptions::new().write(true).open(&blob).unwrap().set_len(10).unwrap();
    assert!(get(&store, "k").await.is_err(), "cut short");
}

#[tokio::test]
async fn a_damaged_folder_is_refused_with_the_file_s_name() {
    let folder = with_one_object().await;
    let record = only_file(&folder.path().join("buckets").join(BUCKET));
    let good = fs::read_to_string(&record).unwrap();
    let blob = only_file(&folder.path().join("blobs"));
    let id = blob.file_name().unwrap().to_str().unwrap().to_owned();
    for bad in [
        "",
        "{}",
        &good.replace("\"k\"", "\"other\""),
        &good.replace(&id, "../../../../etc/passwd"),
        &good.replace(&id, &"0".repeat(32)),
        &good.replace("\"size\"", "\"sise\""),
    ] {
        fs::write(&record, bad).unwrap();
        let error = ObjectStore::folder(folder.path()).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(record.to_str().unwrap()), "{error}");
    }
    fs::write(&record, good).unwrap();
    assert!(ObjectStore::folder(folder.path()).is_ok());
}

#[tokio::test]
async fn one_store_per_folder_and_only_a_store_s_folder() {
    let folder = with_one_object().await;
    let first = ObjectStore::folder(folder.path()).unwrap();
    assert!(matches!(ObjectStore::folder(folder.path()), Err(OpenError::InUse { .. })));
    drop(first);
    assert!(ObjectStore::folder(folder.path()).is_ok());
    let other = TempDir::new().unwrap();
    fs::create_dir(other.path().join("blobs")).unwrap();
    fs::write(other.path().join("blobs").join("precious"), "").unwrap();
    assert!(matches!(ObjectStore::folder(other.path()), Err(OpenError::NotAStore { .. })));
    assert!(other.path().join("blobs").join("precious").exists());
    fs::write(folder.path().join("valetkey-store.json"), "{\"format\":2}").unwrap();
    assert!(matches!(ObjectStore::folder(folder.path()), Err(OpenError::Format { format: 2, .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn links_that_someone_placed_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let folder = with_one_object().await;
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), folder.path().join("buckets").join("linked")).unwrap();
    let store = ObjectStore::folder(folder.path()).unwrap();
    assert_eq!(names(&store), [BUCKET], "a linked folder is no bucket");
    drop(store);
    let blob = only_file(&folder.path().join("blobs"));
    fs::remove_file(&blob).unwrap();
    symlink(outside.path().join("secret"), &blob).unwrap();
    assert!(matches!(ObjectStore::folder(folder.path()), Err(OpenError::Damaged { .. })));
}
