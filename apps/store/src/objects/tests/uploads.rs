use super::*;

const MIN: usize = 100 << 10;

async fn begin(store: &ObjectStore, key: &str) -> Arc<UploadInfo> {
    store.create_upload(UploadInfo::new(BUCKET, key, Attributes { content_type: Some("text/plain".into()), ..Default::default() }, 900)).await.unwrap()
}

async fn part(store: &ObjectStore, upload: &UploadInfo, number: u16, bytes: &[u8]) -> CompletePart {
    let staged = stage(store, bytes, Promises::new()).await.unwrap();
    let info = store.put_part(upload, number, staged, 950).await.unwrap();
    CompletePart { number, etag: format!("\"{}\"", info.etag()), checksums: vec![] }
}

async fn complete(store: &ObjectStore, upload: &UploadInfo, list: Vec<CompletePart>) -> Result<Arc<ObjectInfo>, StoreError> {
    store.complete(Cloud::Oss, BUCKET, &upload.key, &upload.id, Completion { list: Some(list), now: 1_000, ..Default::default() }).await
}

#[tokio::test]
async fn an_object_in_parts() {
    for (store, folder) in stores().await {
        let upload = begin(&store, "k").await;
        let (a, b, c) = (pattern(MIN), pattern(MIN + 1), b"end".to_vec());
        let third = part(&store, &upload, 3, &c).await;
        part(&store, &upload, 1, b"replaced").await;
        let first = part(&store, &upload, 1, &a).await;
        let second = part(&store, &upload, 2, &b).await;
        part(&store, &upload, 10_000, b"not in the list").await;
        assert!(matches!(get(&store, "k").await, Err(StoreError::NoSuchKey { .. })), "invisible until it is completed");
        let info = complete(&store, &upload, vec![first, second, third]).await.unwrap();
        let whole = [a, b, c].concat();
        assert_eq!((info.size, info.parts), (whole.len() as u64, Some(3)));
        assert!(info.etag.ends_with("-3") && info.etag.len() == 34);
        assert_eq!(info.attributes.content_type.as_deref(), Some("text/plain"));
        assert!(get(&store, "k").await.unwrap() == whole);
        assert_eq!(info.crc64_ecma, stage(&store, &whole, Promises::new()).await.unwrap().digests().crc64_ecma);
        let across = collect(store.object(BUCKET, "k").unwrap().read(MIN as u64 - 2..2 * MIN as u64 + 3)).await.unwrap();
        assert!(across == whole[MIN - 2..2 * MIN + 3], "a range over three parts");
        assert!(matches!(complete(&store, &upload, vec![]).await, Err(StoreError::NoSuchUpload { .. })), "completed once");
        if let Some(folder) = folder {
            assert_eq!((files(&folder, "blobs"), files(&folder, "uploads")), (3, 0));
            drop(store);
            let store = ObjectStore::folder(folder.path()).unwrap();
            assert!(get(&store, "k").await.unwrap() == whole);
        }
    }
}

#[tokio::test]
async fn lists_that_do_not_fit_are_refused_and_change_nothing() {
    for (store, _folder) in stores().await {
        let upload = begin(&store, "k").await;
        let first = part(&store, &upload, 1, &pattern(MIN)).await;
        let small = part(&store, &upload, 2, b"small").await;
        let last = part(&store, &upload, 3, b"last").await;
        let other = |number, etag: &str| CompletePart { number, etag: etag.into(), checksums: vec![] };
        let with_checksum = CompletePart { checksums: vec![(Algorithm::Crc32, "AAAAAA==".into())], ..first.clone() };
        let table = [
            (vec![last.clone(), first.clone()], "InvalidPartOrder"),
            (vec![first.clone(), first.clone()], "InvalidPartOrder"),
            (vec![first.clone(), other(4, "x")], "InvalidPart"),
            (vec![other(1, "x"), last.clone()], "InvalidPart"),
            (vec![other(1, "")], "InvalidPart"),
            (vec![first.clone(), small.clone(), last.clone()], "EntityTooSmall"),
            (vec![], "MalformedXML"),
        ];
        for (list, code) in table {
            let error = complete(&store, &upload, list.clone()).await.unwrap_err();
            assert_eq!(error.answer(Cloud::S3).code, code, "{list:?}");
        }
        let on_s3 =
            store.complete(Cloud::S3, BUCKET, "k", &upload.id, Completion { list: Some(vec![first.clone(), last.clone()]), ..Default::default() }).await;
        assert!(matches!(on_s3, Err(StoreError::EntityTooSmall { number: 1, .. })), "S3 wants 5 MiB");
        put(&store, "k", b"there").await;
        let create = store.complete(Cloud::Oss, BUCKET, "k", &upload.id, Completion { condition: WriteCondition::CreateOnly, ..Default::default() }).await;
        assert!(matches!(create, Err(StoreError::EntityTooSmall { .. })));
        let create = store
            .complete(
                Cloud::Oss,
                BUCKET,
                &upload.key,
                &upload.id,
                Completion { list: Some(vec![first.clone(), last.clone()]), condition: WriteCondition::CreateOnly, ..Default::default() },
            )
            .await;
        assert!(matches!(create, Err(StoreError::ObjectExists { .. })));
        assert_eq!(get(&store, "k").await.unwrap(), b"there");
        // A checksum that no part was given with cannot be compared, and a right list still completes.
        complete(&store, &upload, vec![with_checksum, last]).await.unwrap();
        assert_eq!(get(&store, "k").await.unwrap().len(), MIN + 4);
    }
}

#[tokio::test]
async fn all_parts_without_a_list() {
    for (store, _folder) in stores().await {
        let upload = begin(&store, "k").await;
        part(&store, &upload, 7, b"b").await;
        part(&store, &upload, 2, &pattern(MIN)).await;
        let info = store.complete(Cloud::Oss, BUCKET, "k", &upload.id, Completion::default()).await.unwrap();
        assert_eq!(info.parts, Some(2));
        let empty = begin(&store, "empty").await;
        assert!(store.complete(Cloud::Oss, BUCKET, &empty.key, &empty.id, Completion::default()).await.is_err());
    }
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    for (store, folder) in stores().await {
        let upload = begin(&store, "k").await;
        part(&store, &upload, 1, b"x").await;
        let staged = stage(&store, b"late", Promises::new()).await.unwrap();
        assert!(store.abort(BUCKET, "other", &upload.id).await.is_err(), "the id of another object's upload");
        store.abort(BUCKET, "k", &upload.id).await.unwrap();
        assert!(matches!(store.abort(BUCKET, "k", &upload.id).await, Err(StoreError::NoSuchUpload { .. })));
        assert!(store.put_part(&upload, 2, staged, 0).await.is_err());
        assert!(store.parts(BUCKET, "k", &upload.id, 0, 10).is_err());
        assert!(store.upload(BUCKET, "k", "../x").is_err());
        assert!(keys(&store).is_empty());
        if let Some(folder) = folder {
            assert_eq!((files(&folder, "blobs"), files(&folder, "uploads")), (0, 0));
        }
    }
}

#[tokio::test]
async fn pages_of_parts() {
    for (store, _folder) in stores().await {
        let upload = begin(&store, "k").await;
        for number in [1, 2, 5, 9_999] {
            part(&store, &upload, number, b"x").await;
        }
        for number in [0, 10_001] {
            let staged = stage(&store, b"x", Promises::new()).await.unwrap();
            assert!(matches!(store.put_part(&upload, number, staged, 0).await, Err(StoreError::InvalidArgument { .. })));
        }
        let page = |marker, max| {
            let page = store.parts(BUCKET, "k", &upload.id, marker, max).unwrap();
            (page.parts.iter().map(|part| part.number).collect::<Vec<_>>(), page.next)
        };
        assert_eq!(page(0, 1000), (vec![1, 2, 5, 9_999], None));
        assert_eq!(page(0, 2), (vec![1, 2], Some(2)));
        assert_eq!(page(2, 2), (vec![5, 9_999], None));
        assert_eq!(page(u16::MAX, 2), (vec![], None));
        assert_eq!(page(0, 0), (vec![], None));
    }
}

#[tokio::test]
async fn checksums_of_an_object_in_parts() {
    for (store, _folder) in stores().await {
        let (a, b) = (pattern(MIN), b"end".to_vec());
        let kinds = [
            (Algorithm::Crc32, ChecksumKind::FullObject, Algorithm::Crc32.of(&[a.as_slice(), &b].concat())),
            (
                Algorithm::Sha256,
                ChecksumKind::Composite,
                crate::digest::composite(Algorithm::Sha256, &[&Algorithm::Sha256.of(&a), &Algorithm::Sha256.of(&b)]).unwrap(),
            ),
        ];
        for (algorithm, kind, expected) in kinds {
            let upload = UploadInfo { checksum: Some((algorithm, kind)), ..UploadInfo::new(BUCKET, "k", Attributes::default(), 0) };
            let upload = store.create_upload(upload).await.unwrap();
            for (number, bytes) in [(1, &a), (2, &b)] {
                let staged = stage(&store, bytes, Promises::new().compute(algorithm)).await.unwrap();
                store.put_part(&upload, number, staged, 0).await.unwrap();
            }
            let wrong = CompletePart {
                number: 1,
                etag: store.parts(BUCKET, "k", &upload.id, 0, 1).unwrap().parts[0].etag(),
                checksums: vec![(algorithm, algorithm.of(b"other"))],
            };
            assert!(matches!(complete(&store, &upload, vec![wrong]).await, Err(StoreError::InvalidPart { number: 1, .. })));
            let info = store.complete(Cloud::Oss, BUCKET, "k", &upload.id, Completion::default()).await.unwrap();
            assert_eq!(info.checksums[&algorithm], expected);
        }
        let impossible = UploadInfo { checksum: Some((Algorithm::Sha1, ChecksumKind::FullObject)), ..UploadInfo::new(BUCKET, "k", Attributes::default(), 0) };
        assert!(store.create_upload(impossible).await.is_err());
    }
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let store = ObjectStore::folder(folder.path()).unwrap();
    store.create_bucket(BUCKET, BucketInfo::default()).await.unwrap();
    let upload = begin(&store, "k").await;
    let first = part(&store, &upload, 1, &pattern(MIN)).await;
    drop(store);
    let store = ObjectStore::folder(folder.path()).unwrap();
    assert_eq!(store.upload(BUCKET, "k", &upload.id).unwrap(), upload);
    let second = part(&store, &upload, 2, b"end").await;
    complete(&store, &upload, vec![first, second]).await.unwrap();
    assert_eq!(get(&store, "k").await.unwrap().len(), MIN + 3);
}
