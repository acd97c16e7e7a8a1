//! A disk that fails, or a machine that stops, at each step of each change. Afterwards there is the old or the new state and never a mix, and what was
//! acknowledged is there.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use super::*;
use crate::cors::{CorsRule, CorsRules};

mod late;

/// How the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The program is killed: nothing more happens, and what was written stays as it is.
    Killed,
    /// The power goes: nothing more happens, and what was not synced is lost.
    PowerLost,
    /// No room for one write, one new file or one new name.
    Full,
    /// No room from now on.
    StaysFull,
    /// One sync fails.
    Sync,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Write,
    Sync,
    Remove,
}

/// A name that changed and is not durable yet, and how it was before.
enum Unsynced {
    File(PathBuf, Option<Vec<u8>>),
    NewFolder(PathBuf),
    OldFolder(PathBuf),
}

impl Unsynced {
    fn path(&self) -> &Path {
        match self {
            Self::File(path, _) | Self::NewFolder(path) | Self::OldFolder(path) => path,
        }
    }
}

#[derive(Default)]
struct State {
    /// How many steps still succeed; `None` until the disk is to fail.
    left: Option<usize>,
    failed: bool,
    names: Vec<Unsynced>,
    /// Files by inode whose content is not durable.
    contents: HashMap<u64, PathBuf>,
}

struct BadDisk {
    fault: Fault,
    state: Mutex<State>,
}

impl BadDisk {
    /// A disk that does not fail yet. It never waits for the real one, so a sweep is quick.
    fn new(fault: Fault) -> Self {
        Self { fault, state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a step happen, or not.
    fn step(&self, step: Step) -> io::Result<()> {
        let mut state = self.state();
        let stopped = matches!(self.fault, Fault::Killed | Fault::PowerLost);
        let concerned = match self.fault {
            Fault::Killed | Fault::PowerLost => true,
            Fault::Full | Fault::StaysFull => step == Step::Write,
            Fault::Sync => step == Step::Sync,
        };
        let Some(left) = state.left.filter(|_| concerned) else { return Ok(()) };
        if left > 0 {
            state.left = Some(left - 1);
            return Ok(());
        }
        let again = state.failed && !stopped && self.fault != Fault::StaysFull;
        state.failed = true;
        match self.fault {
            _ if again => Ok(()),
            Fault::Full | Fault::StaysFull => Err(io::ErrorKind::StorageFull.into()),
            _ => Err(io::Error::other("an input/output error")),
        }
    }

    fn changed(&self, path: &Path) {
        let before = fs::read(path).ok();
        self.state().names.push(Unsynced::File(path.into(), before));
    }

    /// What is there when the machine starts again.
    fn lose_what_was_not_synced(&self) {
        let state = std::mem::take(&mut *self.state());
        for (inode, path) in state.contents {
            if fs::metadata(&path).is_ok_and(|metadata| metadata.ino() == inode) {
                File::create(&path).unwrap();
            }
        }
        for name in state.names.into_iter().rev() {
            match name {
                Unsynced::File(path, Some(before)) => fs::write(path, before).unwrap_or_default(),
                Unsynced::File(path, None) => fs::remove_file(path).unwrap_or_default(),
                Unsynced::NewFolder(path) => fs::remove_dir(path).unwrap_or_default(),
                Unsynced::OldFolder(path) => fs::create_dir(path).unwrap_or_default(),
            }
        }
    }
}

impl Disk for BadDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step(Step::Write)?;
        self.changed(path);
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        self.state().contents.insert(file.metadata()?.ino(), path.into());
        Ok(file)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        if let Err(error) = self.step(Step::Write) {
            // A write that fails may have written something.
            if !self.state().failed || self.fault == Fault::Full {
                file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return Err(error);
        }
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step(Step::Sync)?;
        self.state().contents.remove(&file.metadata()?.ino());
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Write)?;
        self.changed(from);
        self.changed(to);
        fs::rename(from, to)?;
        if let Some(path) = self.state().contents.get_mut(&fs::metadata(to)?.ino()) {
            *path = to.into();
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Remove)?;
        self.changed(path);
        fs::remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Write)?;
        fs::create_dir(path)?;
        self.state().names.push(Unsynced::NewFolder(path.into()));
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Remove)?;
        fs::remove_dir(path)?;
        self.state().names.push(Unsynced::OldFolder(path.into()));
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Sync)?;
        self.state().names.retain(|name| name.path().parent() != Some(path));
        Ok(())
    }
}

const CHANGES: [&str; 9] = ["put", "put a new key", "copy", "delete", "delete many", "complete", "part", "make a bucket", "delete a bucket and configure"];

fn old() -> Vec<u8> {
    pattern(3_000)
}

fn new() -> Vec<u8> {
    pattern(110_001)
}

/// A folder with an object, another one, an upload of two parts, and an empty bucket.
async fn prepare() -> (TempDir, Arc<UploadInfo>) {
    let folder = TempDir::new().unwrap();
    let store = ObjectStore::folder_on(folder.path(), Arc::new(BadDisk::new(Fault::Sync))).unwrap();
    for bucket in [BUCKET, "empty"] {
        store.create_bucket(bucket, BucketInfo::default()).await.unwrap();
    }
    put(&store, "k", &old()).await;
    put(&store, "other", b"other").await;
    let upload = store.create_upload(UploadInfo::new(BUCKET, "k", Attributes::default(), 0)).await.unwrap();
    for (number, bytes) in [(1, &new()[..105_000]), (2, &new()[105_000..])] {
        let staged = stage(&store, bytes, Promises::new()).await.unwrap();
        store.put_part(&upload, number, staged, 0).await.unwrap();
    }
    (folder, upload)
}

async fn change(store: &ObjectStore, what: &str, upload: &UploadInfo) -> Result<(), StoreError> {
    match what {
        "put" | "put a new key" => {
            let staged = stage(store, &new(), Promises::new()).await?;
            store.put(to(if what == "put" { "k" } else { "new" }), staged).await?;
        }
        "copy" => {
            let source = store.object(BUCKET, "other")?;
            let staged = store.stage_copy(BUCKET, &source, 0..5, Promises::new()).await?;
            store.put(to("k"), staged).await?;
        }
        "delete" => store.delete(BUCKET, "k", WriteCondition::None).await?,
        "delete many" => {
            let keys = ["k", "absent"].map(|key| (key.to_owned(), WriteCondition::None));
            for done in store.delete_all(BUCKET, keys.to_vec()).await? {
                done?;
            }
        }
        "complete" => {
            store.complete(Cloud::Oss, BUCKET, "k", &upload.id, Completion::default()).await?;
        }
        "part" => {
            let staged = stage(store, b"instead", Promises::new()).await?;
            store.put_part(upload, 2, staged, 0).await?;
        }
        "make a bucket" => store.create_bucket("fresh", BucketInfo { created: 7, ..BucketInfo::default() }).await?,
        _ => {
            store.delete_bucket(Cloud::S3, "empty").await?;
            let rules = CorsRules::new(vec![CorsRule::new(["*"], ["GET"])?], 1)?;
            store.configure_bucket(BUCKET, move |info| info.cors = Some(rules)).await?;
        }
    }
    Ok(())
}

/// Fails unless all is as before the change or as after it; after an acknowledged change it must be the latter.
async fn check(store: &ObjectStore, what: &str, done: bool, upload: &UploadInfo, case: &str) {
    let k = match get(store, "k").await {
        Err(StoreError::NoSuchKey { .. }) => None,
        other => Some(other.unwrap_or_else(|error| panic!("{case}: {error}"))),
    };
    let before = Some(old());
    let after = match what {
        "put" | "complete" => Some(new()),
        "copy" => Some(b"other".to_vec()),
        "delete" | "delete many" => None,
        _ => before.clone(),
    };
    assert!(k == after || (!done && k == before), "{case}: the object is {:?} bytes", k.map(|bytes| bytes.len()));
    let is_new = k == after;
    assert_eq!(get(store, "other").await.unwrap(), b"other", "{case}");
    let fresh = get(store, "new").await;
    match what {
        "put a new key" => assert!(fresh.as_ref().is_ok_and(|bytes| *bytes == new()) || (!done && fresh.is_err()), "{case}"),
        _ => assert!(fresh.is_err(), "{case}"),
    }
    let names = names(store);
    assert_eq!(names.contains(&"fresh".to_owned()), what == "make a bucket" && (done || names.contains(&"fresh".to_owned())), "{case}");
    if what == "make a bucket" && names.contains(&"fresh".to_owned()) {
        assert_eq!(store.bucket("fresh").unwrap().created, 7, "{case}: a bucket without what is known of it");
    }
    if what == CHANGES[8] && done {
        assert!(!names.contains(&"empty".to_owned()) && store.bucket(BUCKET).unwrap().cors.is_some(), "{case}");
    }
    // The upload is there as long as its object is not, with each part old or new.
    let parts = store.parts(BUCKET, "k", &upload.id, 0, 10).map(|page| page.parts.iter().map(|part| part.size).collect::<Vec<_>>());
    match (what, parts) {
        ("complete", Err(_)) => assert!(is_new, "{case}: the upload went without its object"),
        ("part", Ok(sizes)) => assert!(sizes == [105_000, 7] || (!done && sizes == [105_000, 5_001]), "{case}: {sizes:?}"),
        (_, Ok(sizes)) => assert_eq!(sizes, [105_000, 5_001], "{case}"),
        (_, Err(error)) => panic!("{case}: {error}"),
    }
}

/// Each change with a fault at its first step, its second, and so on, until it comes through.
async fn sweep(fault: Fault) {
    for what in CHANGES {
        for steps in 0.. {
            let (folder, upload) = prepare().await;
            let disk = Arc::new(BadDisk::new(fault));
            let store = ObjectStore::folder_on(folder.path(), Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
            disk.state().left = Some(steps);
            let outcome = change(&store, what, &upload).await;
            let failed = disk.state().failed;
            let case = format!("{what}, {fault:?} after {steps} steps, {outcome:?}");
            if !matches!(fault, Fault::Killed | Fault::PowerLost) {
                disk.state().left = None;
                check(&store, what, outcome.is_ok(), &upload, &case).await;
                if outcome.is_err() && !what.starts_with("delete a bucket") {
                    change(&store, what, &upload).await.unwrap_or_else(|error| panic!("{case}: again: {error}"));
                    check(&store, what, true, &upload, &format!("{case}, and once more")).await;
                }
            }
            let done = outcome.is_ok();
            let again = outcome.is_err() && !matches!(fault, Fault::Killed | Fault::PowerLost) && !what.starts_with("delete a bucket");
            drop(store);
            if fault == Fault::PowerLost {
                disk.lose_what_was_not_synced();
            }
            let store = ObjectStore::folder_on(folder.path(), Arc::new(BadDisk::new(fault))).unwrap_or_else(|error| panic!("{case}: {error}"));
            check(&store, what, done || again, &upload, &format!("{case}, started again")).await;
            if !failed {
                assert!(done, "{case}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn ds_043_killed_at_every_step() {
    sweep(Fault::Killed).await;
}

#[tokio::test]
async fn ds_043_power_lost_at_every_step() {
    sweep(Fault::PowerLost).await;
}

#[tokio::test]
async fn ds_044_no_room_at_every_step() {
    sweep(Fault::Full).await;
    sweep(Fault::StaysFull).await;
}

#[tokio::test]
async fn ds_045_a_sync_that_fails_at_every_step() {
    sweep(Fault::Sync).await;
}
