//! The steps of the demo for one store of the configuration.

use std::time::Duration;

use valetkey::transfer::{Body, Transfer, TransferError};
use valetkey::{Clock as _, ObjectKey, ObjectRequest, PresignOptions, PresignedRequest, Presigner, StoreConfig, SystemClock, Timestamp};

use super::table::Table;
use crate::error::CliError;
use crate::location::Provider;

/// The smallest part that is not the last one, for S3; OSS takes smaller ones.
const FIRST_PART: usize = 5 * 1024 * 1024;
const LAST_PART: usize = 1024 * 1024 + 7;
const KEY: &str = "photos/été 1.png";
const BIG_KEY: &str = "videos/in parts.mp4";
const TYPE: &str = "image/png";

/// Shows everything on one store.
pub(super) async fn run(store: &StoreConfig, provider: Provider, table: &mut Table) -> Result<(), CliError> {
    let presigner = store.presigner()?;
    let transfer = Transfer::new().map_err(|error| CliError::failure("transfer", error.to_string()))?;
    let mut scene = Scene { name: store.name(), provider, presigner, transfer, table };
    scene.one_object().await?;
    scene.in_parts().await?;
    scene.refusals().await?;
    scene.content_types().await?;
    scene.forms().await?;
    scene.the_end().await
}

/// One store, and what acts on it.
pub(super) struct Scene<'a> {
    name: &'a str,
    pub(super) provider: Provider,
    pub(super) presigner: Box<dyn Presigner>,
    pub(super) transfer: Transfer,
    table: &'a mut Table,
}

/// What the store answered.
pub(super) struct Reply {
    /// `200`, or status, code and message of a refusal.
    pub(super) said: String,
    content_type: String,
    content_length: String,
    body: Vec<u8>,
}

impl Scene<'_> {
    async fn one_object(&mut self) -> Result<(), CliError> {
        let bytes = noise(52_113);
        let put = self.sign(&ObjectRequest::put(key(KEY)?).content_type(TYPE).content_length(bytes.len() as u64)).await?;
        let reply = self.send(&put, bytes.clone()).await;
        self.row("put, type and length signed", "200", &reply.said);

        let head = self.sign(&ObjectRequest::head(key(KEY)?)).await?;
        let reply = self.send(&head, Vec::new()).await;
        let got = format!("{}, {} bytes, {}", reply.said, reply.content_length, reply.content_type);
        self.row("head", &format!("200, {} bytes, {TYPE}", bytes.len()), &got);

        self.compare("get", KEY, &bytes).await
    }

    async fn in_parts(&mut self) -> Result<(), CliError> {
        let create = self.sign(&ObjectRequest::create_multipart(key(BIG_KEY)?).content_type("video/mp4")).await?;
        let reply = self.send(&create, Vec::new()).await;
        let upload_id = element(&reply.body, "UploadId");
        self.row("create multipart upload", "200, an upload id", &with(&reply.said, upload_id.is_some(), "an upload id"));
        let Some(upload_id) = upload_id else {
            return Ok(());
        };

        let bytes = noise(FIRST_PART + LAST_PART);
        let mut parts = String::from("<CompleteMultipartUpload>");
        for (part, number) in bytes.chunks(FIRST_PART).zip(1_u32..) {
            let upload = self.sign(&ObjectRequest::upload_part(key(BIG_KEY)?, &upload_id, number).content_length(part.len() as u64)).await?;
            let (said, etag) = match self.transfer.send(&upload, Body::from(part.to_vec())).await {
                Ok(answer) => (answer.status().to_string(), answer.header("etag").unwrap_or_default().to_owned()),
                Err(error) => (refusal(&error), String::new()),
            };
            self.row(&format!("upload part {number}, {} bytes", part.len()), "200, an ETag", &with(&said, !etag.is_empty(), "an ETag"));
            parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
        }
        parts.push_str("</CompleteMultipartUpload>");

        let complete = self.sign(&ObjectRequest::complete_multipart(key(BIG_KEY)?, &upload_id)).await?;
        let reply = self.send(&complete, parts.into_bytes()).await;
        self.row("complete multipart upload", "200", &reply.said);
        self.compare("get what the parts made", BIG_KEY, &bytes).await
    }

    async fn refusals(&mut self) -> Result<(), CliError> {
        let body = b"hello".to_vec();
        let mismatch = "403 SignatureDoesNotMatch";
        let get = self.sign(&ObjectRequest::get(key(KEY)?)).await?;

        let mut other_key = get.clone();
        other_key.url = get.url.replacen("photos/", "videos/", 1);
        self.refused("get with another key in the URL", &other_key, Vec::new(), mismatch).await;

        let mut longer = get.clone();
        longer.url = ["X-Amz-Expires=900", "x-oss-expires=900"].iter().fold(get.url.clone(), |url, life| url.replacen(life, &life.replace("900", "9000"), 1));
        self.refused("get with a longer life in the URL", &longer, Vec::new(), mismatch).await;

        let hour_ago = hour_ago()?;
        let options = PresignOptions::new().signed_at(hour_ago).expires_in(Duration::from_secs(60));
        let expired = self.presigner.presign(&ObjectRequest::get(key(KEY)?), &options).await?;
        self.refused("get with an expired URL", &expired, Vec::new(), "403 AccessDenied: Request has expired").await;

        let put = ObjectRequest::put(key(KEY)?).content_type(TYPE).content_length(body.len() as u64).metadata("owner", "7");
        let put = self.sign(&put).await?;
        let owner = match self.provider {
            Provider::S3 => "x-amz-meta-owner",
            Provider::Oss => "x-oss-meta-owner",
        };
        let without = with_headers(&put, |name, value| (name != owner).then(|| value.to_owned()));
        self.refused("put without a signed header", &without, body.clone(), mismatch).await;

        let longer_body = [body.as_slice(), b"!"].concat();
        let length = longer_body.len().to_string();
        let wrong = with_headers(&put, |name, value| Some(if name == "content-length" { length.clone() } else { value.to_owned() }));
        self.refused("put with a wrong length", &wrong, longer_body, mismatch).await;

        let wrong = with_headers(&put, |name, value| Some(if name == "content-type" { "text/html".to_owned() } else { value.to_owned() }));
        self.refused("put with another type than the signed one", &wrong, body, mismatch).await;
        self.compare("get: the object is as it was", KEY, &noise(52_113)).await
    }

    /// Where the clouds differ: a type that nobody signed.
    async fn content_types(&mut self) -> Result<(), CliError> {
        let put = self.sign(&ObjectRequest::put(key("notes.txt")?)).await?;
        let mut typed = put.clone();
        typed.signed_headers = put.signed_headers.iter().chain([("content-type", "text/plain")]).collect();
        match self.provider {
            Provider::S3 => {
                let reply = self.send(&typed, b"hello".to_vec()).await;
                self.row("put with a type that was left free", "200", &reply.said);
            }
            Provider::Oss => self.refused("put with a type too many", &typed, b"hello".to_vec(), "403 SignatureDoesNotMatch").await,
        }
        Ok(())
    }

    async fn the_end(&mut self) -> Result<(), CliError> {
        for (name, step) in [(KEY, "delete"), (BIG_KEY, "delete what the parts made"), ("notes.txt", "delete the note, if any")] {
            let delete = self.sign(&ObjectRequest::delete(key(name)?)).await?;
            let reply = self.send(&delete, Vec::new()).await;
            self.row(step, "204", &reply.said);
        }
        let get = self.sign(&ObjectRequest::get(key(KEY)?)).await?;
        self.refused("get what was deleted", &get, Vec::new(), "404 NoSuchKey").await;
        Ok(())
    }

    pub(super) async fn sign(&self, request: &ObjectRequest) -> Result<PresignedRequest, CliError> {
        Ok(self.presigner.presign(request, &PresignOptions::new()).await?)
    }

    pub(super) async fn send(&self, request: &PresignedRequest, body: Vec<u8>) -> Reply {
        let body = if body.is_empty() { Body::empty() } else { Body::from(body) };
        let failed = |error: TransferError| Reply { said: refusal(&error), content_type: String::new(), content_length: String::new(), body: Vec::new() };
        match self.transfer.send(request, body).await {
            Err(error) => failed(error),
            Ok(answer) => {
                let header = |name| answer.header(name).unwrap_or_default().to_owned();
                let (said, content_type, content_length) = (answer.status().to_string(), header("content-type"), header("content-length"));
                match answer.bytes().await {
                    Ok(bytes) => Reply { said, content_type, content_length, body: bytes.to_vec() },
                    Err(error) => failed(error),
                }
            }
        }
    }

    /// Gets an object and compares it byte by byte.
    pub(super) async fn compare(&mut self, step: &str, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let get = self.sign(&ObjectRequest::get(key(name)?)).await?;
        let reply = self.send(&get, Vec::new()).await;
        let got = with(&reply.said, reply.body == bytes, &format!("the same {} bytes", bytes.len()));
        self.row(step, &format!("200, the same {} bytes", bytes.len()), &got);
        Ok(())
    }

    /// Sends what must be refused. The message is compared where it is a part of what is expected.
    async fn refused(&mut self, step: &str, request: &PresignedRequest, body: Vec<u8>, expected: &str) {
        let reply = self.send(request, body).await;
        let got = if expected.contains(':') { reply.said.trim_end_matches('.') } else { reply.said.split(':').next().unwrap_or_default() };
        self.row(step, expected, got);
    }

    pub(super) fn row(&mut self, step: &str, expected: &str, got: &str) {
        self.table.row(self.name, step, expected, got);
    }
}

/// Status, code and message of a refusal, or why there is none.
pub(super) fn refusal(error: &TransferError) -> String {
    match error {
        TransferError::Refused { status, code, message } => {
            format!("{status} {}: {}", code.as_deref().unwrap_or("(no code)"), message.as_deref().unwrap_or("(no message)"))
        }
        other => other.to_string(),
    }
}

/// `200, an ETag`, or the status alone.
pub(super) fn with(said: &str, has: bool, what: &str) -> String {
    if has { format!("{said}, {what}") } else { said.to_owned() }
}

/// The same request with other headers than the signed ones.
fn with_headers(request: &PresignedRequest, change: impl Fn(&str, &str) -> Option<String>) -> PresignedRequest {
    let mut changed = request.clone();
    changed.signed_headers = request.signed_headers.iter().filter_map(|(name, value)| Some((name, change(name, value)?))).collect();
    changed
}

/// The text of an element that stands once in an answer.
fn element(xml: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(xml).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once("</")?;
    (!value.is_empty()).then(|| value.to_owned())
}

pub(super) fn key(name: &str) -> Result<ObjectKey, CliError> {
    Ok(name.parse::<ObjectKey>().map_err(valetkey::PresignError::from)?)
}

/// Bytes that do not repeat soon, the same in every run.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(length).collect()
}

pub(super) fn hour_ago() -> Result<Timestamp, CliError> {
    let now = SystemClock.now().map_err(|error| CliError::failure("clock", error.to_string()))?;
    let seconds = i64::try_from(now.as_unix_seconds()).unwrap_or_default() - 3600;
    Timestamp::from_unix_seconds(seconds).map_err(|error| CliError::failure("clock", error.to_string()))
}
