//! A store, a proxy before it, presigners for both clouds, and what a transfer told.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use valetkey::transfer::{Body, RetryPolicy, Transfer, TransferError, TransferEvent, TransferOptions};
use valetkey::{AddressingStyle, Credentials, ObjectRequest, OssPresigner, PresignOptions, Presigner, S3Presigner, TargetSettings};
use valetkey_store::{Cloud, Running, Store};

use crate::proxy::Proxy;

pub(crate) const CLOUDS: [Cloud; 2] = [Cloud::S3, Cloud::Oss];
pub(crate) const BUCKET: &str = "media";

pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    pub(crate) proxy: Proxy,
    pub(crate) transfer: Transfer,
    pub(crate) presigner: Arc<dyn Presigner>,
    pub(crate) told: Told,
    direct: Arc<dyn Presigner>,
    folder: TempDir,
    _store: Running,
}

/// Both clouds, each with a store of its own.
pub(crate) async fn stages() -> Vec<Stage> {
    let mut stages = Vec::new();
    for cloud in CLOUDS {
        stages.push(Stage::new(cloud).await);
    }
    stages
}

impl Stage {
    pub(crate) async fn new(cloud: Cloud) -> Self {
        let credentials = Credentials::new("TESTACCESSKEYID", "test-secret").unwrap();
        let (listener, address) = Proxy::bind().await;
        let builder = Store::builder().bucket(BUCKET).credentials(cloud, credentials.clone()).host(address.to_string());
        let store = builder.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let presigner = |endpoint: String| -> Arc<dyn Presigner> {
            let settings = TargetSettings::new(BUCKET).region("eu-central-1").endpoint(endpoint.parse().unwrap()).addressing(AddressingStyle::Path);
            let credentials = Arc::new(credentials.clone());
            match cloud {
                Cloud::S3 => Arc::new(S3Presigner::new(&settings, credentials).unwrap()),
                Cloud::Oss => Arc::new(OssPresigner::new(&settings, credentials).unwrap()),
            }
        };
        Self {
            cloud,
            transfer: Transfer::new().unwrap(),
            presigner: presigner(format!("http://{address}")),
            direct: presigner(store.endpoint()),
            proxy: Proxy::serve(listener, store.address()),
            told: Told::default(),
            folder: tempfile::tempdir().unwrap(),
            _store: store,
        }
    }

    /// Bytes of the smallest part that the cloud takes.
    pub(crate) fn part(&self) -> u64 {
        match self.cloud {
            Cloud::S3 => 5 << 20,
            Cloud::Oss => 100 << 10,
        }
    }

    /// Small parts, one at a time so that their order is known, no waiting for the clock or the disk, and everything that is told is kept.
    pub(crate) fn options(&self) -> TransferOptions {
        let (told, waits) = (self.told.clone(), self.told.clone());
        let retry = RetryPolicy::new().wait_with(move |wait| {
            waits.0.waits.lock().unwrap().push(wait);
            std::future::ready(())
        });
        TransferOptions::new().part_size(self.part()).parallel(1).sync(false).retry(retry).observe(move |event| told.add(event))
    }

    /// A place for files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with these bytes.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    /// Sends past the proxy.
    pub(crate) async fn direct(&self, request: &ObjectRequest, body: impl Into<Body>) -> Result<Vec<u8>, TransferError> {
        let signed = self.direct.presign(request, &PresignOptions::new()).await.unwrap();
        let answer = self.transfer.send(&signed, body.into()).await?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// The object as the store has it.
    pub(crate) async fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.direct(&ObjectRequest::get(key.parse().unwrap()), Body::empty()).await.ok()
    }

    /// A header of the object as the store has it.
    pub(crate) async fn header(&self, key: &str, name: &str) -> Option<String> {
        let signed = self.direct.presign(&ObjectRequest::head(key.parse().unwrap()), &PresignOptions::new()).await.unwrap();
        self.transfer.send(&signed, Body::empty()).await.ok()?.header(name).map(str::to_owned)
    }

    /// Makes the object.
    pub(crate) async fn store(&self, key: &str, bytes: &[u8]) {
        self.direct(&ObjectRequest::put(key.parse().unwrap()), bytes.to_vec()).await.unwrap();
    }

    /// Replaces the object `k`, later.
    pub(crate) fn direct_put(&self, bytes: Vec<u8>) -> impl Future<Output = ()> + Send + 'static {
        let (presigner, transfer) = (self.direct.clone(), self.transfer.clone());
        async move {
            let signed = presigner.presign(&ObjectRequest::put("k".parse().unwrap()), &PresignOptions::new()).await.unwrap();
            transfer.send(&signed, bytes.into()).await.unwrap();
        }
    }

    /// Whether the store knows the upload still.
    pub(crate) async fn knows(&self, key: &str, upload_id: &str) -> bool {
        self.direct(&ObjectRequest::list_parts(key.parse().unwrap(), upload_id), Body::empty()).await.is_ok()
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes that are the same nowhere, so that a piece in a wrong place is found out.
pub(crate) fn bytes(seed: u64, length: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    random.fill(&mut bytes);
    bytes
}

/// What a transfer told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Inner>);

#[derive(Default)]
struct Inner {
    events: Mutex<Vec<TransferEvent>>,
    waits: Mutex<Vec<Duration>>,
    most: AtomicU64,
}

impl Told {
    fn add(&self, event: &TransferEvent) {
        match event {
            TransferEvent::Progress(progress) => {
                assert!(progress.done <= progress.total, "{progress:?}");
                self.0.most.fetch_max(progress.done, Ordering::SeqCst);
            }
            other => self.0.events.lock().unwrap().push(other.clone()),
        }
    }

    /// The events but for the progress, since the last time: `resumed 5 of 7, 0 refused`, `anew: REASON`, `retry OPERATION PART: REASON`, `signed OPERATION`.
    pub(crate) fn take(&self) -> Vec<String> {
        let write = |event: TransferEvent| match event {
            TransferEvent::Retrying { operation, part, .. } => format!("retry {operation}{}", part.map(|part| format!(" {part}")).unwrap_or_default()),
            TransferEvent::SignedAgain { operation } => format!("signed {operation}"),
            TransferEvent::Resumed { done, total, refused } => format!("resumed {done} of {total}, {refused} refused"),
            TransferEvent::BegunAnew { reason } => format!("anew: {reason}"),
            other => format!("{other:?}"),
        };
        std::mem::take(&mut *self.0.events.lock().unwrap()).into_iter().map(write).collect()
    }

    /// How long was to be waited, since the last time.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.0.waits.lock().unwrap())
    }

    /// The most bytes that were told of.
    pub(crate) fn most(&self) -> u64 {
        self.0.most.swap(0, Ordering::SeqCst)
    }
}
