//! Sending a signed form.
//!
//! The body is written here and not by the HTTP client, whose own forms escape file names with backslashes: stores take those literally, so that the object
//! would get another name than a browser gives it. Rules: HTML Standard, "Multipart form data"; RFC 7578.

use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::header;
use valetkey_core::PresignedPost;
use valetkey_core::post_policy::FILE_NAME;

use super::Transfer;
use super::answer::{Refusal, children, read_small};
use super::body::{Body, Cause, Pieces};
use super::error::TransferError;

/// The file of a form.
///
/// ```
/// use valetkey::transfer::{Body, FormFile};
///
/// let file = FormFile::new("portrait.png", Body::from("...")).content_type("image/png");
/// # let _ = file;
/// ```
#[derive(Debug)]
pub struct FormFile {
    name: String,
    content_type: Option<String>,
    body: Body,
}

impl FormFile {
    /// A file and its name, which stands where the key has `${filename}`.
    #[must_use]
    pub fn new(name: impl Into<String>, body: Body) -> Self {
        Self { name: name.into(), content_type: None, body }
    }

    /// The type that the file's part says. It decides the object's type on OSS alone, and only where the form has no field for it: see
    /// [`PresignedPost::fill_content_type`].
    #[must_use]
    pub fn content_type(mut self, value: impl Into<String>) -> Self {
        self.content_type = Some(value.into());
        self
    }
}

/// What the store said of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// HTTP status: 200, 201, 204, or 303 where the form has a redirect.
    pub status: u16,
    /// `ETag` of the object.
    pub etag: Option<String>,
    /// `Location`: the object, or with 303 where the redirect goes. It is not followed.
    pub location: Option<String>,
}

impl Transfer {
    /// Sends a form with its file: the fields in their order and exactly so, the file last. Nothing but the fields is held in memory.
    ///
    /// # Errors
    /// [`TransferError::Unsendable`] before anything is sent when the file is not of a size that the form takes or an open field has no value, and while it
    /// is sent when the stream of the file fails or has another length than it said. [`TransferError::Refused`] for every answer but 200, 201, 204 and 303
    /// (OSS says with 203 that the object is stored and the callback failed).
    ///
    /// ```no_run
    /// # async fn example(form: valetkey::PresignedPost) -> Result<(), Box<dyn std::error::Error>> {
    /// use valetkey::transfer::{Body, FormFile, Transfer};
    ///
    /// let form = form.fill_content_type("image/png")?;
    /// let uploaded = Transfer::new()?.upload_form(&form, FormFile::new("portrait.png", Body::from("..."))).await?;
    /// println!("{} {:?}", uploaded.status, uploaded.etag);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_form(&self, form: &PresignedPost, file: FormFile) -> Result<Uploaded, TransferError> {
        check(form, &file)?;
        let boundary = boundary(form);
        let (before, after) = frame(form, &file, &boundary);
        let size = file.body.length();
        let length = size.saturating_add(before.len() as u64).saturating_add(after.len() as u64);
        let broken = Arc::new(OnceLock::new());
        let parts = Parts { before: Some(before.into()), pieces: file.body.into_pieces(), left: size, after: Some(after.into()), broken: Arc::clone(&broken) };
        let request = self
            .client_for(&form.url)
            .post(&form.url)
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .header(header::CONTENT_LENGTH, length)
            .body(reqwest::Body::wrap_stream(parts));
        let response = request.send().await.map_err(|error| match broken.get() {
            Some(reason) => TransferError::Unsendable { reason: reason.clone() },
            None => TransferError::no_answer(error),
        })?;
        let status = response.status().as_u16();
        if !matches!(status, 200 | 201 | 204 | 303) {
            return Err(Refusal::read(response).await.into());
        }
        let text = |name| response.headers().get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).map(str::to_owned);
        let (etag, location) = (text(header::ETAG), text(header::LOCATION));
        // OSS names the object in the body alone.
        let location = match location {
            None if status == 201 => {
                // The object is stored, whether its place arrives or not.
                let [location] = children(&read_small(response).await.unwrap_or_default(), "PostResponse", ["Location"]);
                location
            }
            location => location,
        };
        Ok(Uploaded { status, etag, location })
    }
}

/// What the store would refuse after the whole file was sent.
fn check(form: &PresignedPost, file: &FormFile) -> Result<(), TransferError> {
    let unsendable = |reason: String| Err(TransferError::Unsendable { reason });
    if let Err(error) = form.file_limits.check(file.body.length()) {
        return unsendable(error.to_string());
    }
    if let Some(open) = form.unfilled().next() {
        return unsendable(format!("the form leaves the field `{}` open; fill it", open.name().escape_debug()));
    }
    if file.name.is_empty() && form.fields.value("key").is_some_and(|key| key.contains(FILE_NAME)) {
        return unsendable(format!("the key has `{FILE_NAME}` and the file has no name"));
    }
    // It stands in the head of the part, where a line end would begin another one.
    if file.content_type.as_ref().is_some_and(|value| value.chars().any(char::is_control)) {
        return unsendable("the type of the file has a control character".to_owned());
    }
    Ok(())
}

/// 128 bits that nobody guesses, so that no file can end its own part. The fields are looked through all the same.
fn boundary(form: &PresignedPost) -> String {
    let random = || RandomState::new().hash_one(0);
    loop {
        let boundary = format!("valetkey-{:016x}{:016x}", random(), random());
        if !form.fields.iter().any(|(_, value)| value.contains(&boundary)) {
            return boundary;
        }
    }
}

/// What stands before and after the file.
fn frame(form: &PresignedPost, file: &FormFile, boundary: &str) -> (String, String) {
    let head = |name: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escaped(name));
    let mut before = String::with_capacity(4096);
    for (name, value) in form.fields.iter() {
        before.extend([&head(name), "\r\n\r\n", value, "\r\n"]);
    }
    before.extend([&head("file"), "; filename=\"", &escaped(&file.name), "\""]);
    if let Some(content_type) = &file.content_type {
        before.extend(["\r\nContent-Type: ", content_type]);
    }
    before.push_str("\r\n\r\n");
    (before, format!("\r\n--{boundary}--\r\n"))
}

/// A name as browsers write it.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// The file between what stands before and after it. A file of another length than it said would move the end of the form, so it breaks off.
struct Parts {
    before: Option<Bytes>,
    pieces: Pieces,
    left: u64,
    after: Option<Bytes>,
    /// Why it broke off: the HTTP client says no more than that it did.
    broken: Arc<OnceLock<String>>,
}

impl Parts {
    fn break_off(&mut self, cause: Cause) -> Poll<Option<Result<Bytes, Cause>>> {
        self.after = None;
        let _ = self.broken.set(cause.to_string());
        Poll::Ready(Some(Err(cause)))
    }
}

impl Stream for Parts {
    type Item = Result<Bytes, Cause>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(before) = self.before.take() {
            return Poll::Ready(Some(Ok(before)));
        }
        if self.after.is_none() {
            return Poll::Ready(None);
        }
        match ready!(Pin::new(&mut self.pieces).poll_next(context)) {
            Some(Ok(piece)) => match self.left.checked_sub(piece.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(piece)))
                }
                None => self.break_off("the file has more bytes than it said".into()),
            },
            Some(Err(cause)) => self.break_off(format!("the file cannot be read: {cause}").into()),
            None if self.left > 0 => {
                let missing = format!("the file ended {} bytes before the length that it said", self.left);
                self.break_off(missing.into())
            }
            None => Poll::Ready(self.after.take().map(Ok)),
        }
    }
}

#[cfg(all(test, feature = "s3"))]
mod tests;
