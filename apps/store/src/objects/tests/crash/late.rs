//! A sync that fails late: the change may have happened or not. Whatever is acknowledged afterwards holds at the next start, whether the program was
//! killed or the power went, and the folder opens.

use super::*;

/// How the store ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Killed,
    PowerLost,
}

const ENDS: [End; 2] = [End::Killed, End::PowerLost];

fn open(folder: &TempDir) -> (ObjectStore, Arc<BadDisk>) {
    let disk = Arc::new(BadDisk::new(Fault::Sync));
    let store = ObjectStore::folder_on(folder.path(), Arc::clone(&disk) as Arc<dyn Disk>);
    (store.unwrap_or_else(|error| panic!("it does not open: {error}")), disk)
}

impl BadDisk {
    /// Lets the sync after the next `steps` ones fail, once.
    fn fail_after(&self, steps: usize) {
        let mut state = self.state();
        (state.left, state.failed) = (Some(steps), false);
    }

    /// Whether it failed. It does not any more.
    fn mended(&self) -> bool {
        let mut state = self.state();
        state.left = None;
        state.failed
    }
}

fn end(store: ObjectStore, disk: &BadDisk, how: End) {
    drop(store);
    if how == End::PowerLost {
        disk.lose_what_was_not_synced();
    }
}

/// What comes after the failure.
async fn follow(store: &ObjectStore, what: &str, upload: &UploadInfo) -> Result<(), StoreError> {
    match what {
        "abort" => store.abort(BUCKET, "k", &upload.id).await,
        "delete" => store.delete(BUCKET, "k", WriteCondition::None).await,
        "delete the new key" => store.delete(BUCKET, "new", WriteCondition::None).await,
        "replace" => {
            let staged = stage(store, b"replaced", Promises::new()).await?;
            store.put(to("k"), staged).await.map(|_| ())
        }
        other => change(store, other, upload).await,
    }
}

async fn snapshot(store: &ObjectStore, key: &str) -> Option<Vec<u8>> {
    match get(store, key).await {
        Err(StoreError::NoSuchKey { .. }) => None,
        other => Some(other.unwrap_or_else(|error| panic!("{key}: {error}"))),
    }
}

fn sizes(store: &ObjectStore, upload: &UploadInfo) -> Option<Vec<u64>> {
    store.parts(BUCKET, "k", &upload.id, 0, 10).ok().map(|page| page.parts.iter().map(|part| part.size).collect())
}

/// How many syncs succeed before the last one that a change needs.
async fn last_sync(what: &str) -> usize {
    let mut last = None;
    for steps in 0.. {
        let (folder, upload) = prepare().await;
        let (store, disk) = open(&folder);
        disk.fail_after(steps);
        let outcome = change(&store, what, &upload).await;
        if !disk.mended() {
            break;
        }
        last = outcome.is_err().then_some(steps).or(last);
    }
    last.unwrap()
}

/// One change that fails at its last sync, others that do not fail, and a new start.
async fn run(what: &str, last_sync: usize, follows: &[&str], how: End) {
    let case = format!("{what} fails, then {follows:?}, {how:?}");
    let (folder, upload) = prepare().await;
    let (store, disk) = open(&folder);
    disk.fail_after(last_sync);
    change(&store, what, &upload).await.unwrap_err();
    disk.mended();
    let mut done = vec![];
    for &then in follows {
        let answer = follow(&store, then, &upload).await;
        // Nothing fails but what the upload's end forbids.
        assert!(matches!(answer, Ok(()) | Err(StoreError::NoSuchUpload { .. })), "{case}: {then}: {answer:?}");
        if answer.is_ok() {
            done.push(then);
        }
    }
    let before = (snapshot(&store, "k").await, snapshot(&store, "new").await, sizes(&store, &upload));
    end(store, &disk, how);
    let (store, _) = open(&folder);
    let after = (snapshot(&store, "k").await, snapshot(&store, "new").await, sizes(&store, &upload));
    let sure = |changes: &[&str]| how == End::Killed || !changes.contains(&what) || done.iter().any(|then| changes.contains(then));
    assert!(!sure(&["put", "complete", "delete", "replace"]) || after.0 == before.0, "{case}: the object is another one");
    assert!(!sure(&["put a new key", "delete the new key"]) || after.1 == before.1, "{case}: the new object is another one");
    let completing = what == "complete" || done.contains(&"complete");
    if done.contains(&"abort") || done.contains(&"complete") {
        assert_eq!(after.2, None, "{case}: the upload has ended");
    } else if !completing {
        assert!(after.2.is_some(), "{case}: the upload is lost");
        assert!(!sure(&["part"]) || after.2 == before.2, "{case}: the parts are others");
    } else if done.contains(&"part") {
        assert_eq!(after.2, before.2, "{case}: a part was taken and is lost");
    }
    if let Some(sizes) = after.2 {
        let info = store.complete(Cloud::Oss, BUCKET, "k", &upload.id, Completion::default()).await.unwrap();
        assert_eq!(info.size, sizes.iter().sum::<u64>());
        assert_eq!(get(&store, "k").await.unwrap().len() as u64, info.size);
    }
}

#[tokio::test]
async fn ds_045_what_is_acknowledged_after_a_late_failure_holds() {
    const FOLLOWS: [&[&str]; 11] = [
        &["abort"],
        &["abort", "delete"],
        &["delete"],
        &["delete", "part"],
        &["delete the new key"],
        &["replace", "abort"],
        &["replace", "part"],
        &["complete"],
        &["complete", "delete"],
        &["part"],
        &["part", "complete"],
    ];
    for what in ["put", "put a new key", "delete", "complete", "part"] {
        let last_sync = last_sync(what).await;
        for follows in FOLLOWS {
            for how in ENDS {
                run(what, last_sync, follows, how).await;
            }
        }
    }
}

#[tokio::test]
async fn ds_045_nothing_follows_a_late_failure() {
    for what in ["put", "put a new key", "delete", "complete", "part"] {
        for how in ENDS {
            for steps in 0.. {
                let (folder, upload) = prepare().await;
                let (store, disk) = open(&folder);
                disk.fail_after(steps);
                let outcome = change(&store, what, &upload).await;
                let failed = disk.mended();
                let case = format!("{what}, {how:?} after {steps} syncs, {outcome:?}");
                check(&store, what, outcome.is_ok(), &upload, &case).await;
                let before = (snapshot(&store, "k").await, snapshot(&store, "new").await, sizes(&store, &upload));
                end(store, &disk, how);
                let (store, _) = open(&folder);
                check(&store, what, outcome.is_ok(), &upload, &case).await;
                if how == End::Killed {
                    let after = (snapshot(&store, "k").await, snapshot(&store, "new").await);
                    assert!((&before.0, &before.1) == (&after.0, &after.1), "{case}: the next start found something else");
                    assert!(what == "complete" || before.2 == sizes(&store, &upload), "{case}: the next start found other parts");
                }
                if !failed {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn ds_045_a_change_that_fails_twice_is_acknowledged_when_it_is_durable() {
    for what in ["delete", "abort", "complete", "configure", "make a bucket", "delete a bucket"] {
        for (first, second) in (0..3).flat_map(|first| (0..3).map(move |second| (first, second))) {
            let (folder, upload) = prepare().await;
            let (store, disk) = open(&folder);
            let list = store.parts(BUCKET, "k", &upload.id, 0, 1).unwrap().parts;
            let list: Vec<_> = list.iter().map(|part| CompletePart { number: part.number, etag: part.etag(), checksums: vec![] }).collect();
            let attempt = async || match what {
                // Only S3 answers what was completed before.
                "complete" => {
                    let completion = Completion { list: Some(list.clone()), ..Completion::default() };
                    store.complete(Cloud::S3, BUCKET, "k", &upload.id, completion).await.map(|_| ())
                }
                "configure" => store.configure_bucket(BUCKET, |info| info.created = 9).await,
                "make a bucket" => store.create_bucket("fresh", BucketInfo { created: 7, ..BucketInfo::default() }).await,
                "delete a bucket" => store.delete_bucket(Cloud::S3, "empty").await,
                other => follow(&store, other, &upload).await,
            };
            let mut acknowledged = false;
            for steps in [first, second] {
                disk.fail_after(steps);
                acknowledged = acknowledged || attempt().await.is_ok();
                disk.mended();
            }
            acknowledged = acknowledged || attempt().await.is_ok();
            assert!(acknowledged, "{what} after {first} and {second} syncs");
            end(store, &disk, End::PowerLost);
            let (store, _) = open(&folder);
            let holds = match what {
                "delete" => snapshot(&store, "k").await.is_none(),
                "abort" => sizes(&store, &upload).is_none(),
                "complete" => snapshot(&store, "k").await.is_some_and(|bytes| bytes == new()[..105_000]) && sizes(&store, &upload).is_none(),
                "configure" => store.bucket(BUCKET).unwrap().created == 9,
                "make a bucket" => store.bucket("fresh").is_ok_and(|info| info.created == 7),
                _ => store.bucket("empty").is_err(),
            };
            assert!(holds, "{what} after {first} and {second} syncs: it was acknowledged and is lost");
        }
    }
}
