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

#[tokio::test]
async fn a_crash_between_completing_and_removing_the_upload() {
    let folder = TempDir::new().unwrap();
    let store = ObjectStore::folder(folder.path()).unwrap();
    store.create_bucket(BUCKET, BucketInfo::default()).await.unwrap();
    let upload = store.create_upload(UploadInfo::new(BUCKET, "k", Attributes::default(), 0)).await.unwrap();
    let staged = stage(&store, b"abc", Promises::new()).await.unwrap();
    store.put_part(&upload, 1, staged, 0).await.unwrap();
    let uploads = folder.path().join("uploads");
    let saved: Vec<_> = fs::read_dir(&uploads).unwrap().map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    store.complete(Cloud::S3, BUCKET, "k", &upload.id, Completion::default()).await.unwrap();
    drop(store);
    for (path, bytes) in saved {
        fs::write(path, bytes).unwrap();
    }
    let store = ObjectStore::folder(folder.path()).unwrap();
    assert!(store.abort(BUCKET, "k", &upload.id).await.is_err(), "it was completed");
    assert_eq!(get(&store, "k").await.unwrap(), b"abc");
    assert_eq!(files(&folder, "uploads"), 0);
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
