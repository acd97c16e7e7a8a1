//! Opening a folder: read every record, and sweep up what a crash left.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Folder, Paths, blob::FileBlob, disk::Disk, remove_upload, replace};
use crate::{
    OpenError,
    objects::{
        backend::{Blob, BlobRecord, ObjectRecord, PartRecord},
        bucket_name,
        index::{Bucket, Entry, Index, Part, Upload},
        meta::UploadInfo,
    },
};

const MARK: &str = "valetkey-store.json";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    format: u32,
}

/// Opens the store in `root`, or makes one if the folder is empty or not there. A folder that holds anything else is refused: sweeping
/// up in it could remove what is not ours.
pub(in crate::objects) fn open(root: &Path, disk: Arc<dyn Disk>) -> Result<(Folder, Index), OpenError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| OpenError::Io { path, source }
    };
    fs::create_dir_all(root).map_err(failed(root))?;
    let mark = root.join(MARK);
    let fresh = match read_record::<Mark>(&mark) {
        Ok(Mark { format: FORMAT }) => false,
        Ok(Mark { format }) => return Err(OpenError::Format { path: root.into(), format }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(failed(&mark)(error)),
    };
    if fresh && let Some(stranger) = entries(root).map_err(failed(root))?.into_iter().find(|path| path.file_name() != Some(OsStr::new("lock"))) {
        return Err(OpenError::NotAStore { path: root.into(), stranger: stranger.file_name().unwrap_or_default().to_string_lossy().into_owned() });
    }
    let lock_path = root.join("lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path).map_err(failed(&lock_path))?;
    lock.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => OpenError::InUse { path: root.into() },
        fs::TryLockError::Error(source) => failed(&lock_path)(source),
    })?;
    let paths = Paths { buckets: root.join("buckets"), settings: root.join("settings"), uploads: root.join("uploads"), blobs: root.join("blobs") };
    if fresh {
        replace(&*disk, &mark, &Mark { format: FORMAT }).map_err(|error| failed(&mark)(error.source))?;
    }
    for path in [&paths.buckets, &paths.settings, &paths.uploads, &paths.blobs] {
        make_dir(path).map_err(failed(path))?;
    }
    disk.sync_dir(root).map_err(failed(root))?;
    let index = Loader { paths: &paths, disk: &disk, used: HashSet::new() }.load()?;
    Ok((Folder { paths, disk, _lock: lock }, index))
}

/// A folder and not a link to one: what lies behind a link is not ours to write in.
fn make_dir(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(path)?.is_dir() {
                Ok(())
            } else {
                Err(error)
            }
        }
        other => other,
    }
}

fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn read_record<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file"));
    }
    Ok(serde_json::from_reader(io::BufReader::new(File::open(path)?))?)
}

struct Loader<'a> {
    paths: &'a Paths,
    disk: &'a Arc<dyn Disk>,
    /// The blobs that a record names.
    used: HashSet<String>,
}

impl Loader<'_> {
    fn load(mut self) -> Result<Index, OpenError> {
        let mut index = Index::default();
        for path in self.entries(&self.paths.buckets)? {
            let Some(name) = path.file_name().and_then(OsStr::to_str).filter(|name| bucket_name::check(name).is_ok()) else { continue };
            if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
                continue;
            }
            let mut bucket = Bucket::default();
            let settings = self.paths.settings(name);
            // A folder that someone made is a bucket of which nothing is known.
            if settings.try_exists().map_err(|source| OpenError::Io { path: settings.clone(), source })? {
                bucket.info = Arc::new(self.read(&settings)?);
            }
            for record_path in self.records(&path)? {
                let record: ObjectRecord = self.read(&record_path)?;
                if self.paths.object(name, &record.info.key) != record_path {
                    return Err(damaged(&record_path, "the record is of another key"));
                }
                let blobs = record.blobs.iter().map(|blob| self.blob(&record_path, blob)).collect::<Result<Vec<_>, _>>()?;
                bucket.objects.insert(record.info.key.as_bytes().into(), Entry { info: record.info, blobs: blobs.into() });
            }
            index.buckets.insert(name.into(), bucket);
        }
        for path in self.records(&self.paths.settings)? {
            if !path.file_stem().and_then(OsStr::to_str).is_some_and(|name| index.buckets.contains_key(name)) {
                fs::remove_file(&path).map_err(|source| OpenError::Io { path, source })?;
            }
        }
        self.uploads(&mut index)?;
        for path in self.entries(&self.paths.blobs)? {
            if !path.file_name().and_then(OsStr::to_str).is_some_and(|name| self.used.contains(name)) {
                fs::remove_file(&path).map_err(|source| OpenError::Io { path, source })?;
            }
        }
        Ok(index)
    }

    fn uploads(&mut self, index: &mut Index) -> Result<(), OpenError> {
        let (parts, uploads): (Vec<_>, Vec<_>) =
            self.records(&self.paths.uploads)?.into_iter().partition(|path| path.file_stem().is_some_and(|stem| stem.as_encoded_bytes().contains(&b'.')));
        for path in uploads {
            let info: UploadInfo = self.read(&path)?;
            if !index.buckets.contains_key(&info.bucket) {
                fs::remove_file(&path).map_err(|source| OpenError::Io { path, source })?;
                continue;
            }
            index.uploads.insert(info.id.clone(), Upload::new(Arc::new(info)));
        }
        let mut of_uploads: BTreeMap<String, Vec<(PathBuf, PartRecord)>> = BTreeMap::new();
        for path in parts {
            let id = path.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.split_once('.')).map(|(id, _)| id.to_owned()).unwrap_or_default();
            if index.uploads.contains_key(&id) {
                let record = self.read(&path)?;
                of_uploads.entry(id).or_default().push((path, record));
            } else {
                // Its upload was aborted or completed.
                fs::remove_file(&path).map_err(|source| OpenError::Io { path, source })?;
            }
        }
        // All parts of an upload are looked at before one of them counts: those that its object did not take tell nothing.
        for (id, parts) in of_uploads {
            if parts.iter().any(|(_, record)| self.was_completed(&record.blob)) {
                index.uploads.remove(&id);
                remove_upload(&**self.disk, self.paths, &id).map_err(|source| OpenError::Io { path: self.paths.upload(&id), source })?;
                continue;
            }
            for (path, record) in parts {
                let blob = self.blob(&path, &record.blob)?;
                if let Some(upload) = index.uploads.get_mut(&id) {
                    upload.parts.insert(record.info.number, Part { info: record.info, blob });
                }
            }
        }
        Ok(())
    }

    /// Whether a part's blob tells that its upload was completed and that the upload's records outlived that: an object has it, or had it and
    /// took it along when it went. No other end of an upload removes a blob before the records.
    fn was_completed(&self, record: &BlobRecord) -> bool {
        let missing = || matches!(fs::symlink_metadata(self.paths.blobs.join(&record.id)), Err(error) if error.kind() == io::ErrorKind::NotFound);
        self.used.contains(&record.id) || (well_named(record) && missing())
    }

    fn blob(&mut self, record_path: &Path, record: &BlobRecord) -> Result<Arc<dyn Blob>, OpenError> {
        let path = self.paths.blobs.join(&record.id);
        if !well_named(record) || !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() == record.len) {
            return Err(damaged(record_path, "a blob that it names is missing or has another size"));
        }
        self.used.insert(record.id.clone());
        Ok(Arc::new(FileBlob {
            disk: Arc::clone(self.disk),
            path,
            len: record.len,
            crc64: record.crc64,
            pieces: Arc::clone(&record.pieces),
            kept: AtomicBool::new(true),
            pinned: AtomicBool::new(false),
        }))
    }

    fn entries(&self, path: &Path) -> Result<Vec<PathBuf>, OpenError> {
        let mut found = entries(path).map_err(|source| OpenError::Io { path: path.into(), source })?;
        found.sort();
        Ok(found)
    }

    /// The records in `path`; temporary files that a crash left are removed, other things are left alone.
    fn records(&self, path: &Path) -> Result<Vec<PathBuf>, OpenError> {
        let (records, others): (Vec<_>, Vec<_>) = self.entries(path)?.into_iter().partition(|path| path.extension() == Some(OsStr::new("json")));
        for path in others.into_iter().filter(|path| path.extension() == Some(OsStr::new("tmp"))) {
            fs::remove_file(&path).map_err(|source| OpenError::Io { path, source })?;
        }
        Ok(records)
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<T, OpenError> {
        read_record(path).map_err(|source| OpenError::Io { path: path.into(), source })
    }
}

fn well_named(record: &BlobRecord) -> bool {
    record.id.len() == 32 && record.id.bytes().all(|b| b.is_ascii_hexdigit())
}

fn damaged(path: &Path, reason: &'static str) -> OpenError {
    OpenError::Damaged { path: path.into(), reason }
}
