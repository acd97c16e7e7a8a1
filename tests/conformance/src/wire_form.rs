//! A form as it goes over the wire: its parts, and the bytes that they make.

use core::fmt;

use valetkey_core::{Method, PresignedPost};

use crate::backend::WireRequest;

/// A form to send. Whoever has its fields may upload, so Debug shows no value of them.
///
/// An honest client sends what [`of`](Self::of) makes; the suite changes it in every way that a client could, and sends it as an ordinary [`WireRequest`].
///
/// ```
/// use valetkey_conformance::in_process::{InProcess, run_now};
/// use valetkey_conformance::{Backend, FilePart, Profile, WireForm};
/// use valetkey_core::{Credentials, PostPolicy, PresignOptions, Presigner, TargetSettings};
///
/// let settings = TargetSettings::new("examplebucket").region("eu-central-1");
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
/// let world = InProcess::new(&valetkey_s3::S3, &Profile::S3, &settings, credentials, "2026-11-22T10:30:00Z".parse()?)?;
/// let signed = run_now(world.presigner().presign_post(&PostPolicy::for_prefix("up/"), &PresignOptions::new()))?;
/// let form = WireForm::of(&signed, FilePart::new("photo.png", "image/png", *b"..."));
/// assert_eq!(run_now(world.backend().send(form.request())).status, 204);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct WireForm {
    /// Where it is sent.
    pub url: String,
    /// The fields before the file, in their order, with their exact values.
    pub fields: Vec<(String, String)>,
    /// The files; an honest form has one.
    pub files: Vec<FilePart>,
    /// Fields after the file; an honest form has none.
    pub after: Vec<(String, String)>,
}

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Its name.
    pub name: String,
    /// The type that its part says.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl FilePart {
    /// A file.
    #[must_use]
    pub fn new(name: impl Into<String>, content_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content_type: content_type.into(), bytes: bytes.into() }
    }
}

impl WireForm {
    /// What an honest client sends: exactly the fields, in their order, and then the file.
    #[must_use]
    pub fn of(signed: &PresignedPost, file: FilePart) -> Self {
        let fields = signed.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { url: signed.url.clone(), fields, files: vec![file], after: Vec::new() }
    }

    /// The request that carries it, as `multipart/form-data`.
    #[must_use]
    pub fn request(&self) -> WireRequest {
        let boundary = self.boundary();
        let mut body = Vec::new();
        let mut part = |name: &str, more: &str, content: &[u8]| {
            body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"{more}\r\n\r\n", quoted(name)).as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        for (name, value) in &self.fields {
            part(name, "", value.as_bytes());
        }
        for file in &self.files {
            part("file", &format!("; filename=\"{}\"\r\nContent-Type: {}", quoted(&file.name), file.content_type), &file.bytes);
        }
        for (name, value) in &self.after {
            part(name, "", value.as_bytes());
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let headers = vec![("content-type".to_owned(), format!("multipart/form-data; boundary={boundary}"))];
        WireRequest { method: Method::Post, url: self.url.clone(), headers, body, chunked: false }
    }

    /// A boundary that stands nowhere in the form; the same for the same form.
    fn boundary(&self) -> String {
        let occurs = |boundary: &str| {
            let in_bytes = |bytes: &[u8]| bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes());
            let in_field = |(name, value): &(String, String)| in_bytes(name.as_bytes()) || in_bytes(value.as_bytes());
            self.fields.iter().chain(&self.after).any(in_field) || self.files.iter().any(|file| in_bytes(&file.bytes) || in_bytes(file.name.as_bytes()))
        };
        let mut boundary = "valetkey-form".to_owned();
        while occurs(&boundary) {
            boundary.push('x');
        }
        boundary
    }
}

/// As browsers write names: <https://html.spec.whatwg.org/#multipart-form-data>.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl fmt::Debug for WireForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |fields: &[(String, String)]| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let files: Vec<(&str, usize)> = self.files.iter().map(|file| (file.name.as_str(), file.bytes.len())).collect();
        let mut debug = formatter.debug_struct("WireForm");
        debug.field("url", &self.url).field("fields", &names(&self.fields)).field("files", &files).field("after", &names(&self.after)).finish()
    }
}
