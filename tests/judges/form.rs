//! Forms: how one goes over the wire, byte by byte, and how one is written without the library.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::recompute;

pub(crate) type Fields = Vec<(String, String)>;

/// The part that every form ends with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'f> {
    pub(crate) name: &'f str,
    pub(crate) content_type: &'f str,
    pub(crate) bytes: &'f [u8],
}

impl<'f> File<'f> {
    pub(crate) fn text(bytes: &'f str) -> Self {
        Self { name: "from a browser.txt", content_type: "text/plain", bytes: bytes.as_bytes() }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> &str {
        let inside = self.body.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
        inside.map_or("", |(text, _)| text)
    }

    /// Status and error code; the code of what was accepted is empty.
    pub(crate) fn verdict(&self) -> (u16, &str) {
        (self.status, self.element("Code"))
    }
}

/// Posts a form to one address, whatever the host in its URL: a virtual host need not be in any name service.
pub(crate) async fn post(to: SocketAddr, url: &str, fields: &[(String, String)], file: File<'_>) -> Answer {
    let (boundary, body) = multipart(fields, file);
    post_raw(to, url, &format!("multipart/form-data; boundary={boundary}"), body).await
}

pub(crate) async fn post_raw(to: SocketAddr, url: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let target = if target.is_empty() { "/" } else { target };
    let request = Request::post(target).header(header::HOST, authority).header(header::CONTENT_TYPE, content_type);
    let stream = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    connection.abort();
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// The boundary and the body: fields in their order with their exact bytes, then the file.
///
/// Names are quoted as browsers quote them (<https://html.spec.whatwg.org/#multipart-form-data>).
pub(crate) fn multipart(fields: &[(String, String)], file: File<'_>) -> (String, Vec<u8>) {
    let quoted = |name: &str| name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut boundary = "----valetkeyForm".to_owned();
    let occurs = |boundary: &str| {
        let within = |bytes: &[u8]| bytes.windows(boundary.len()).any(|part| part == boundary.as_bytes());
        within(file.bytes) || fields.iter().any(|(_, value)| within(value.as_bytes()))
    };
    while occurs(&boundary) {
        boundary.push('X');
    }
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n", quoted(name)).as_bytes());
    }
    let disposition = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{}\"", quoted(file.name));
    body.extend_from_slice(format!("--{boundary}\r\n{disposition}\r\nContent-Type: {}\r\n\r\n", file.content_type).as_bytes());
    body.extend_from_slice(file.bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (boundary, body)
}

/// A form for S3 that is written here, without the library: it tries the judges, and whatever the library would not sign.
#[derive(Debug, Clone)]
pub(crate) struct ByHand {
    pub(crate) access_key_id: String,
    pub(crate) region: String,
    pub(crate) signed_at: SystemTime,
    pub(crate) life: Duration,
    /// The three fields without which no policy is signed are conditions too.
    pub(crate) scope_in_policy: bool,
    pub(crate) conditions: Vec<Value>,
    pub(crate) fields: Fields,
}

impl ByHand {
    pub(crate) fn new(bucket: &str, access_key_id: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            region: "eu-central-1".to_owned(),
            signed_at: SystemTime::now(),
            life: Duration::from_secs(600),
            scope_in_policy: true,
            conditions: vec![json!({ "bucket": bucket })],
            fields: Vec::new(),
        }
    }

    /// A field that has to be sent as it is.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.condition(json!({ name: value })).field(name, value)
    }

    pub(crate) fn condition(mut self, condition: Value) -> Self {
        self.conditions.push(condition);
        self
    }

    /// A field without a condition.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without_bucket(mut self) -> Self {
        self.conditions.retain(|condition| condition.get("bucket").is_none());
        self
    }

    pub(crate) fn sign(self, secret: &str) -> Fields {
        let moment = humantime::format_rfc3339_seconds(self.signed_at).to_string();
        let date_time = moment.replace(['-', ':'], "");
        let date = &date_time[..8];
        let credential = format!("{}/{date}/{}/s3/aws4_request", self.access_key_id, self.region);
        let scope = [("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", credential.as_str()), ("x-amz-date", date_time.as_str())];
        let mut conditions = self.conditions;
        if self.scope_in_policy {
            conditions.extend(scope.iter().map(|(name, value)| json!({ *name: value })));
        }
        let expiration = humantime::format_rfc3339_millis(self.signed_at + self.life).to_string();
        let policy = STANDARD.encode(json!({ "expiration": expiration, "conditions": conditions }).to_string());
        let signature = recompute::s3(secret, date, &self.region, &policy);
        let mut fields = self.fields;
        fields.extend(scope.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields.extend([("policy".to_owned(), policy), ("x-amz-signature".to_owned(), signature)]);
        fields
    }
}
