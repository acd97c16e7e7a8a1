//! Forms as a browser sends them, and as no browser does.

use std::sync::atomic::Ordering;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use valetkey_core::{
    PresignedPost,
    post_policy::{PostPolicy, sign_post},
};
use valetkey_store::Cloud;

use super::{BUCKET, Fixture, Wire, credentials};

pub(crate) const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxk";

/// A form on its way. What a test wants to break it changes.
#[derive(Clone)]
pub(crate) struct PostForm {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) file: Option<FormFile>,
    pub(crate) after: Vec<(String, String)>,
}

#[derive(Clone)]
pub(crate) struct FormFile {
    pub(crate) field: String,
    pub(crate) name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl PostForm {
    pub(crate) fn of(signed: &PresignedPost, bytes: &[u8]) -> Self {
        Self::new(&signed.url, signed.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), bytes)
    }

    pub(crate) fn new(url: &str, fields: Vec<(String, String)>, bytes: &[u8]) -> Self {
        let (host, path) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        let file = FormFile { field: "file".into(), name: Some("a.png".into()), content_type: Some("image/x-browser".into()), bytes: bytes.to_vec() };
        Self {
            host: host.into(),
            path: format!("/{path}"),
            headers: vec![("content-type".into(), format!("multipart/form-data; boundary={BOUNDARY}"))],
            fields,
            file: Some(file),
            after: Vec::new(),
        }
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).unwrap()
    }

    /// Sets a field, in its place or as the last one.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value.into(),
            None => self.fields.push((name.into(), value.into())),
        }
        self
    }

    pub(crate) fn add(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn file_name(mut self, name: &str) -> Self {
        self.file.as_mut().unwrap().name = Some(name.into());
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.file.as_mut().unwrap().bytes = bytes.to_vec();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }

    /// The bytes before the content of the file.
    pub(crate) fn before_file(&self) -> Vec<u8> {
        let mut body = String::new();
        for (name, value) in &self.fields {
            body.push_str(&field(name, value));
        }
        if let Some(FormFile { field, name, content_type, .. }) = &self.file {
            body.push_str(&format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\""));
            if let Some(name) = name {
                body.push_str(&format!("; filename=\"{name}\""));
            }
            if let Some(content_type) = content_type {
                body.push_str(&format!("\r\nContent-Type: {content_type}"));
            }
            body.push_str("\r\n\r\n");
        }
        body.into_bytes()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = self.before_file();
        if let Some(file) = &self.file {
            body.extend_from_slice(&file.bytes);
            body.extend_from_slice(b"\r\n");
        }
        for (name, value) in &self.after {
            body.extend_from_slice(field(name, value).as_bytes());
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire_of(&self.body())
    }

    /// The same request with another body.
    pub(crate) fn wire_of(&self, body: &[u8]) -> Wire {
        let headers = [vec![("host".to_owned(), self.host.clone())], self.headers.clone()].concat();
        Wire { method: "POST".into(), target: self.path.clone(), headers, body: body.to_vec(), with_length: true }
    }
}

pub(crate) fn field(name: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

impl Fixture {
    /// A signed form with this file.
    pub(crate) fn form(&self, cloud: Cloud, policy: &PostPolicy, bytes: &[u8]) -> PostForm {
        let signed = self.signing(cloud, &credentials(cloud), BUCKET, |dialect, context| sign_post(dialect, context, policy).unwrap());
        PostForm::of(&signed, bytes)
    }

    /// A form with a policy that no builder writes: `conditions` are JSON, beside those of the bucket and of the signature, which need no fields here.
    pub(crate) fn form_by_hand(&self, cloud: Cloud, conditions: &str, fields: &[(&str, &str)], bytes: &[u8]) -> PostForm {
        let end = super::at(self.now.load(Ordering::SeqCst) + 600);
        self.signing(cloud, &credentials(cloud), BUCKET, |dialect, context| {
            let (rules, date) = (dialect.form_rules(), context.validity.date());
            let scope = [date.day(), "eu-central-1", rules.service, rules.scope_end].join("/");
            let pinned = [
                (rules.algorithm.0, rules.algorithm.1.to_owned()),
                (rules.credential, format!("{}/{scope}", context.credentials.access_key_id())),
                (rules.date, date.as_str().to_owned()),
            ];
            let own: String = pinned.iter().map(|(name, value)| format!("{{\"{name}\":\"{value}\"}},")).collect();
            let policy = STANDARD.encode(format!("{{\"expiration\":\"{end}\",\"conditions\":[{{\"bucket\":\"{BUCKET}\"}},{own}{conditions}]}}"));
            let signature = context.key().sign(&policy).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let given = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let pinned = pinned.into_iter().map(|(name, value)| (name.to_owned(), value));
            let signed = [("policy".to_owned(), policy), (rules.signature.to_owned(), signature)];
            let url = format!("{}://{}{}", context.target.scheme.as_str(), context.target.authority, context.target.bucket_path);
            PostForm::new(&url, given.chain(pinned).chain(signed).collect(), bytes)
        })
    }
}
