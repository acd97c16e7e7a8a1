//! A running store, requests signed for it, and a client that sends exactly the bytes it is told to.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod authorize;
pub(crate) mod form;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use valetkey_core::{
    AddressingStyle, Credentials, Dialect, Limits, ObjectKey, ObjectRequest, PresignOptions, PresignedRequest, Scheme, SigningContext, TargetSettings,
    Timestamp,
    verify::{Audience, IncomingRequest},
};
use valetkey_oss::Oss;
use valetkey_s3::S3;
use valetkey_store::{Cloud, Running, Store, StoreBuilder};

pub(crate) const BUCKET: &str = "media";
pub(crate) const NOW: u64 = 1_795_343_400;
pub(crate) const CLOUDS: [Cloud; 2] = [Cloud::S3, Cloud::Oss];

pub(crate) struct Fixture {
    pub(crate) store: Running,
    pub(crate) now: Arc<AtomicU64>,
    pub(crate) style: AddressingStyle,
    /// What requests are signed for.
    pub(crate) region: &'static str,
}

impl Fixture {
    pub(crate) async fn memory() -> Self {
        Self::start(None).await
    }

    pub(crate) async fn start(folder: Option<PathBuf>) -> Self {
        let folder = |builder: StoreBuilder| folder.into_iter().fold(builder, StoreBuilder::folder);
        Self::with(folder).await
    }

    /// A store that is built as the others, but for `change`.
    pub(crate) async fn with(change: impl FnOnce(StoreBuilder) -> StoreBuilder) -> Self {
        let now = Arc::new(AtomicU64::new(NOW));
        let clock = Arc::clone(&now);
        let mut builder = Store::builder().bucket(BUCKET).bucket("other").clock(move || at(clock.load(Ordering::SeqCst)));
        for cloud in CLOUDS {
            builder = builder.credentials(cloud, credentials(cloud));
        }
        let store = change(builder).bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { store, now, style: AddressingStyle::Path, region: "eu-central-1" }
    }

    pub(crate) fn sign(&self, cloud: Cloud, request: &ObjectRequest) -> PresignedRequest {
        self.sign_as(cloud, &credentials(cloud), BUCKET, request)
    }

    pub(crate) fn sign_as(&self, cloud: Cloud, credentials: &Credentials, bucket: &str, request: &ObjectRequest) -> PresignedRequest {
        self.signing(cloud, credentials, bucket, |dialect, context| dialect.sign(context, request).unwrap())
    }

    /// Everything that a signature is made of, for `sign`.
    pub(crate) fn signing<T>(&self, cloud: Cloud, credentials: &Credentials, bucket: &str, sign: impl FnOnce(&dyn Dialect, &SigningContext<'_>) -> T) -> T {
        let dialect: &dyn Dialect = match cloud {
            Cloud::S3 => &S3,
            Cloud::Oss => &Oss,
        };
        let host = match self.style {
            AddressingStyle::Virtual => format!("localhost:{}", self.store.address().port()),
            _ => self.store.address().to_string(),
        };
        let settings = TargetSettings::new(bucket).region(self.region).endpoint(format!("http://{host}").parse().unwrap()).addressing(self.style);
        let target = dialect.resolve(&settings).unwrap();
        let (provider_max, provider_name) = dialect.max_life(credentials);
        let limits = Limits { provider_max, provider_name, store_max: None };
        let validity = PresignOptions::new().resolve(at(self.now.load(Ordering::SeqCst)), limits, None).unwrap();
        let scope = dialect.prepare(credentials, &target, validity.signed_at());
        sign(dialect, &SigningContext { credentials, scope: &scope, target: &target, validity })
    }

    /// Signs what a presigner refuses to sign: `wire` as it is, whose target has a signature of something else. What no signature can be of stays as it is.
    pub(crate) fn sign_again(&self, cloud: Cloud, wire: Wire) -> Wire {
        let dialect: &dyn Dialect = match cloud {
            Cloud::S3 => &S3,
            Cloud::Oss => &Oss,
        };
        let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = IncomingRequest { scheme: Scheme::Http, method: &wire.method, target: &wire.target, headers: &headers };
        let Ok(claim) = dialect.parse(&request, &Audience::new().host(self.store.address().to_string())) else {
            return wire;
        };
        let key = dialect.signing_key(&credentials(cloud), &claim.day, &claim.region, &claim.service);
        let (old, new) = (hex(&claim.signature), hex(&key.sign(&claim.string_to_sign)));
        Wire { target: wire.target.replace(&old, &new), ..wire }
    }

    /// Signs and sends as the signature says.
    pub(crate) async fn call(&self, cloud: Cloud, request: &ObjectRequest, body: &[u8]) -> Reply {
        self.send(&Wire::of(&self.sign(cloud, request)).body(body)).await
    }

    pub(crate) async fn send(&self, wire: &Wire) -> Reply {
        let mut stream = TcpStream::connect(self.store.address()).await.unwrap();
        let (mut read, mut write) = stream.split();
        let sent = wire.bytes();
        let mut received = Vec::new();
        // A client that writes everything before it reads: the store has to let it come to the reading.
        let writing = write.write_all(&sent).await;
        let reading = read.read_to_end(&mut received).await;
        assert!(!received.is_empty(), "no answer: {writing:?} {reading:?}");
        Reply::parse(&received)
    }

    pub(crate) async fn put(&self, cloud: Cloud, name: &str, body: &[u8]) {
        let reply = self.call(cloud, &ObjectRequest::put(key(name)), body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    pub(crate) async fn get(&self, cloud: Cloud, name: &str) -> Reply {
        self.call(cloud, &ObjectRequest::get(key(name)), b"").await
    }

    /// Every key that is there.
    pub(crate) async fn keys(&self) -> Vec<String> {
        self.keys_of(BUCKET).await
    }

    pub(crate) async fn keys_of(&self, bucket: &str) -> Vec<String> {
        let list = self.sign_as(Cloud::S3, &credentials(Cloud::S3), bucket, &ObjectRequest::list());
        let listing = self.send(&Wire::of(&list)).await;
        assert_eq!(listing.status, 200);
        listing.text().split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned()).collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap()).unwrap()
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new(name).unwrap()
}

pub(crate) fn credentials(cloud: Cloud) -> Credentials {
    match cloud {
        Cloud::S3 => Credentials::new("AKIDSTORE", "s3 secret").unwrap(),
        Cloud::Oss => Credentials::new("LTAISTORE", "oss secret").unwrap(),
    }
}

/// A request as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether to say how long the body is.
    pub(crate) with_length: bool,
}

impl Wire {
    pub(crate) fn of(signed: &PresignedRequest) -> Self {
        let (method, url, headers) = signed.http_parts();
        let (host, target) = url.strip_prefix("http://").unwrap().split_at(url.strip_prefix("http://").unwrap().find('/').unwrap());
        let mut headers: Vec<(String, String)> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.push(("host".into(), host.into()));
        Self { method: method.into(), target: target.into(), headers, body: Vec::new(), with_length: true }
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn without_length(mut self) -> Self {
        self.with_length = false;
        self.without("content-length")
    }

    /// The head, with `connection: close` so that the answer ends where the connection does.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.with_length && !self.headers.iter().any(|(name, _)| name == "content-length") && (self.method != "GET" || !self.body.is_empty()) {
            text.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        text.push_str("connection: close\r\n\r\n");
        text.into_bytes()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn parse(received: &[u8]) -> Self {
        let end = received.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: received[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of an element of the body.
    pub(crate) fn element(&self, name: &str) -> String {
        let text = self.text();
        let rest = text.split(&format!("<{name}>")).nth(1).unwrap_or_else(|| panic!("no {name} in {self:?}"));
        rest.split("</").next().unwrap().replace("&quot;", "\"")
    }

    /// Status and error code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.element("Code"))
    }
}
