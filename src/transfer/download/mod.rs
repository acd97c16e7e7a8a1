//! Downloads: into a file, in ranges; or in order, for everything else.

mod file;
mod object;
mod part_file;
mod ranges;
mod reader;
mod state;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use valetkey_core::{ObjectRequest, Presigner};

pub use self::reader::ObjectReader;

use self::object::Object;
use super::engine::Engine;
use super::options::unless_stopped;
use super::{Transfer, TransferError, TransferOptions};

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// Bytes.
    pub size: u64,
    /// `ETag` of the object, with its quotes.
    pub etag: Option<String>,
    /// `Content-Type` of the object.
    pub content_type: Option<String>,
    /// What the store told of the bytes and was compared with what came, such as `crc64ecma`; `None` where it told nothing.
    pub checked: Option<&'static str>,
}

impl Transfer {
    /// Fetches an object into a file. `request` is a [`get`](ObjectRequest::get) with its constraints, but for ranges, which are made here.
    ///
    /// The bytes go to a temporary file in the same folder, several ranges at a time. It is checked, synced and renamed when all are there: until then a
    /// file of that name stays as it is.
    ///
    /// # Errors
    /// [`TransferError`]: [`ObjectChanged`](TransferError::ObjectChanged) when another object takes its place meanwhile,
    /// [`ChecksumMismatch`](TransferError::ChecksumMismatch) when the bytes are not those that the store tells of.
    ///
    /// ```no_run
    /// # async fn example(presigner: Box<dyn valetkey::Presigner>) -> Result<(), Box<dyn std::error::Error>> {
    /// use valetkey::ObjectRequest;
    /// use valetkey::transfer::{Transfer, TransferOptions};
    ///
    /// let request = ObjectRequest::get("films/1.mp4".parse()?);
    /// let fetched = Transfer::new()?.download_file(presigner.into(), request, "1.mp4", TransferOptions::new()).await?;
    /// println!("{} bytes of {:?}", fetched.size, fetched.content_type);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn download_file(
        &self,
        presigner: Arc<dyn Presigner>,
        request: ObjectRequest,
        path: impl AsRef<Path> + Send,
        options: TransferOptions,
    ) -> Result<Fetched, TransferError> {
        let mut options = options;
        let mut stop = options.stop.take().unwrap_or_else(|| Box::pin(std::future::pending()));
        let engine = Engine::new(self, presigner, &options);
        let object = unless_stopped(&mut stop, Object::find(engine, &request, options.check_md5)).await?;
        file::download(object, path.as_ref(), options, stop).await
    }

    /// Fetches an object in order into a writer, such as standard output. Writing happens on a thread that may block.
    ///
    /// The writer has got all bytes when a wrong checksum is found: let nothing use them before this succeeds.
    ///
    /// # Errors
    /// As [`download_file`](Self::download_file); [`Write`](TransferError::Write) when the writer fails.
    pub async fn download_to<W: Write + Send + 'static>(
        &self,
        presigner: Arc<dyn Presigner>,
        request: ObjectRequest,
        writer: W,
        options: TransferOptions,
    ) -> Result<Fetched, TransferError> {
        let mut options = options;
        // Not left to the reader: a writer may block for ever.
        let mut stop = options.stop.take().unwrap_or_else(|| Box::pin(std::future::pending()));
        let work = async {
            let mut reader = self.open(presigner, request, options).await?;
            reader::copy(&mut reader, writer).await
        };
        unless_stopped(&mut stop, work).await
    }

    /// Opens an object to be read in order, piece by piece.
    ///
    /// # Errors
    /// [`TransferError`] when the store does not tell of the object.
    pub async fn open(&self, presigner: Arc<dyn Presigner>, request: ObjectRequest, options: TransferOptions) -> Result<ObjectReader, TransferError> {
        ObjectReader::open(self, presigner, &request, options).await
    }
}
