//! Uploads: one PUT, or parts.

mod multipart;
mod parts;
mod plan;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use valetkey_core::{ObjectRequest, PresignOptions, Presigner};

use self::parts::send_region;
use self::plan::{Cut, Requests};
use super::checksum::{Algorithm, Told};
use super::engine::{Cloud, Engine, Site};
use super::event::{Meter, Phase};
use super::files::beside;
use super::options::{Stop, unless_stopped};
use super::retry::Again;
use super::source::{Digests, Region, Source};
use super::{Transfer, TransferError, TransferOptions};

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// `ETag` of the object, with its quotes.
    pub etag: Option<String>,
    /// Parts that it was sent in; 0 for one PUT.
    pub parts: u32,
    /// What the store told of the bytes and was compared with what was sent, such as `crc64nvme`; `None` where it told nothing.
    pub checked: Option<&'static str>,
}

impl Transfer {
    /// Stores a file. `request` is a [`put`](ObjectRequest::put) with what shall be said of the object: type, metadata, cache control, create-only and so
    /// on. The length is always sent and signed. What is larger than the part size goes in parts, several at a time.
    ///
    /// The file is read as it is sent, some hundred kibibytes at a time.
    ///
    /// # Errors
    /// [`TransferError`]: [`InvalidRequest`](TransferError::InvalidRequest), [`NotInParts`](TransferError::NotInParts), and
    /// [`TooLarge`](TransferError::TooLarge) above 5 TiB, before anything is sent;
    /// [`SourceChanged`](TransferError::SourceChanged) when the file changes meanwhile, and then nothing is stored in parts.
    ///
    /// ```no_run
    /// # async fn example(presigner: Box<dyn valetkey::Presigner>) -> Result<(), Box<dyn std::error::Error>> {
    /// use valetkey::ObjectRequest;
    /// use valetkey::transfer::{Transfer, TransferOptions};
    ///
    /// let request = ObjectRequest::put("films/1.mp4".parse()?).content_type("video/mp4");
    /// let stored = Transfer::new()?.upload_file(presigner.into(), request, "1.mp4", TransferOptions::new().resume(true)).await?;
    /// println!("{} bytes, ETag {:?}", stored.size, stored.etag);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_file(
        &self,
        presigner: Arc<dyn Presigner>,
        request: ObjectRequest,
        path: impl AsRef<Path> + Send,
        options: TransferOptions,
    ) -> Result<Stored, TransferError> {
        let path = path.as_ref();
        let source = Source::open(path).await?;
        let state = options.state_file.clone().unwrap_or_else(|| beside(path, "", ".valetkey-upload"));
        let upload = Upload::new(Engine::new(self, presigner, &options), &request, source, Some(state), &options)?;
        upload.run(options.into_stop()).await
    }

    /// Stores a regular file that is open for reading, and may have no name any more, from its first byte, as [`upload_file`](Self::upload_file) does.
    /// Nothing can be resumed.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file).
    pub async fn upload_open(
        &self,
        presigner: Arc<dyn Presigner>,
        request: ObjectRequest,
        file: std::fs::File,
        options: TransferOptions,
    ) -> Result<Stored, TransferError> {
        let source = Source::opened(file).await?;
        let upload = Upload::new(Engine::new(self, presigner, &options), &request, source, None, &options)?;
        upload.run(options.into_stop()).await
    }

    /// Stores bytes that are at hand, as [`upload_file`](Self::upload_file) does. Nothing can be resumed.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file).
    pub async fn upload_bytes(
        &self,
        presigner: Arc<dyn Presigner>,
        request: ObjectRequest,
        bytes: impl Into<Bytes> + Send,
        options: TransferOptions,
    ) -> Result<Stored, TransferError> {
        let upload = Upload::new(Engine::new(self, presigner, &options), &request, Source::Bytes(bytes.into()), None, &options)?;
        upload.run(options.into_stop()).await
    }
}

/// One upload and everything that it needs.
struct Upload {
    engine: Arc<Engine>,
    requests: Arc<Requests>,
    source: Arc<Source>,
    /// Where to keep what another run goes on with; `None` where it shall not.
    state: Option<PathBuf>,
    part_size: u64,
    parallel: usize,
    check_md5: bool,
}

impl Upload {
    fn new(engine: Arc<Engine>, request: &ObjectRequest, source: Source, state: Option<PathBuf>, options: &TransferOptions) -> Result<Self, TransferError> {
        Ok(Self {
            requests: Arc::new(Requests::new(request, source.size())?),
            source: Arc::new(source),
            state: state.filter(|_| options.resume),
            part_size: options.part_size,
            parallel: options.parallel.get(),
            check_md5: options.check_md5,
            engine,
        })
    }

    async fn run(self, mut stop: Stop) -> Result<Stored, TransferError> {
        let size = self.source.size();
        // Nothing is sent for what cannot be signed.
        let put = self.engine.presigner.presign(&self.requests.put(size), &PresignOptions::new()).await?;
        let site = Site::of(&put);
        let cut = Cut::new(site.cloud, size, self.part_size)?;
        // What was begun in parts is gone on with or given up, also where one request would do now.
        let has_record = self.state.as_ref().is_some_and(|path| path.exists());
        if cut.is_none() && !has_record {
            return self.send_whole(site.cloud, &mut stop).await;
        }
        // Two runs with one record would take each other's parts away.
        let _held = match self.state {
            Some(_) => Some(Source::hold(&self.source).await?),
            None => None,
        };
        Box::pin(self.send_parts(site, cut, &mut stop)).await
    }

    /// One PUT.
    async fn send_whole(self, cloud: Cloud, stop: &mut Stop) -> Result<Stored, TransferError> {
        let size = self.source.size();
        let meter = Arc::new(Meter::new(self.engine.observer.clone(), Phase::Transferring, size));
        let request = self.requests.put(size);
        let digests = Digests::new(Algorithm::of(cloud), self.check_md5);
        let region = || Region::new(Arc::clone(&self.source), 0, size, digests.clone(), Arc::clone(&meter));
        let mut may_be_done = false;
        let sending = send_region(&self.engine, &request, None, region, |failure| may_be_done |= matches!(failure.again, Again::Later(_)));
        meter.begin(Phase::Transferring, 0);
        let stored = |etag, checked| Stored { size, etag, parts: 0, checked };
        match unless_stopped(stop, sending).await {
            Ok(sent) => {
                meter.begin(Phase::Finishing, size);
                Ok(stored(sent.etag, sent.checked))
            }
            // The first try may have stored it, and its answer was lost: then this one found the object that may not be there.
            Err(error) if may_be_done && matches!(error, TransferError::Refused { status: 409 | 412, .. }) => {
                let crc = self.crc(cloud).await?;
                let found = parts::stored(&self.engine, &self.requests, cloud, size, &crc, None).await;
                found.map(|(etag, checked)| stored(etag, checked)).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the source for its checksum alone.
    async fn crc(&self, cloud: Cloud) -> Result<Told, TransferError> {
        let (source, algorithm) = (Arc::clone(&self.source), Algorithm::of(cloud));
        super::files::blocking(move || Ok(Told { algorithm, text: source.checksum(algorithm)? })).await
    }
}
