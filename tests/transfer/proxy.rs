//! A server between the client and the embedded store that misbehaves as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Seen {
    /// The word that the command line has for it, with the number of a part: `put`, `get`, `create-multipart`, `upload-part 2`.
    pub(crate) fn operation(&self) -> String {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('=')));
        let part = parameter("partNumber").map(|number| number.trim_start_matches('='));
        match (self.method.as_str(), parameter("uploads"), parameter("uploadId"), part) {
            ("POST", Some(_), ..) => "create-multipart".to_owned(),
            ("PUT", _, Some(_), Some(part)) => format!("upload-part {part}"),
            ("POST", _, Some(_), _) => "complete-multipart".to_owned(),
            ("DELETE", _, Some(_), _) => "abort-multipart".to_owned(),
            ("GET", _, Some(_), _) => "list-parts".to_owned(),
            (method, ..) => method.to_lowercase(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// An answer of the store, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"))
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }
}

/// What happens to a request.
pub(crate) enum Act {
    /// The store does not see it.
    Answer(Answer),
    /// The connection is closed, and the store does not see it.
    Close,
    /// Nothing ever comes.
    Hang,
    /// The store does it, and the connection is closed.
    Lose,
    /// The store does it, and its answer breaks off after so many bytes of the body.
    Cut(usize),
    /// The store does it, and its answer is changed.
    Change(Box<dyn FnOnce(&mut Answer) + Send>),
    /// Something happens before the store does it.
    Before(Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>),
}

type Plan = Arc<Mutex<VecDeque<(String, Act)>>>;
type Always = Arc<Mutex<Option<Arc<dyn Fn(&Seen) -> Option<Act> + Send + Sync>>>>;

/// The server. It misbehaves for the requests that it was told of, once for each time that it was told.
pub(crate) struct Proxy {
    plan: Plan,
    always: Always,
    seen: watch::Sender<Vec<Seen>>,
}

impl Proxy {
    /// Takes a port; serves when the store is known.
    pub(crate) async fn bind() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    pub(crate) fn serve(listener: TcpListener, store: SocketAddr) -> Self {
        let (plan, always, seen) = (Plan::default(), Always::default(), watch::Sender::new(Vec::new()));
        let proxy = Self { plan: plan.clone(), always: always.clone(), seen: seen.clone() };
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (plan, always, seen) = (plan.clone(), always.clone(), seen.clone());
                tokio::spawn(async move {
                    let service = service_fn(|request| exchange(request, store, plan.clone(), always.clone(), seen.clone()));
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        proxy
    }

    /// The next request of this operation meets this.
    pub(crate) fn next(&self, operation: &str, act: Act) {
        self.plan.lock().unwrap().push_back((operation.to_owned(), act));
    }

    /// Every request that this gives something for meets it.
    pub(crate) fn always(&self, act: impl Fn(&Seen) -> Option<Act> + Send + Sync + 'static) {
        *self.always.lock().unwrap() = Some(Arc::new(act));
    }

    pub(crate) fn behave(&self) {
        *self.always.lock().unwrap() = None;
        self.plan.lock().unwrap().clear();
    }

    /// What came since the last time.
    pub(crate) fn take(&self) -> Vec<Seen> {
        self.seen.send_replace(Vec::new())
    }

    /// The operations that came since the last time.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.take().iter().map(Seen::operation).collect()
    }

    /// Waits until a request of this operation has come.
    pub(crate) async fn wait_for(&self, operation: &str) {
        self.seen.subscribe().wait_for(|seen| seen.iter().any(|seen| seen.operation() == operation)).await.unwrap();
    }
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    request: Request<Incoming>,
    store: SocketAddr,
    plan: Plan,
    always: Always,
    log: watch::Sender<Vec<Seen>>,
) -> Result<Response<Cuttable>, Broken> {
    let (parts, body) = request.into_parts();
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let seen = Seen { method: parts.method.to_string(), target: parts.uri.to_string(), headers };
    let operation = seen.operation();
    let planned = {
        let mut plan = plan.lock().unwrap();
        let at = plan.iter().position(|(wanted, _)| *wanted == operation);
        at.and_then(|at| plan.remove(at)).map(|(_, act)| act)
    };
    let always = always.lock().unwrap().clone();
    let act = planned.or_else(|| always.and_then(|always| always(&seen)));
    let body = body.collect().await?.to_bytes();
    log.send_modify(|log| log.push(seen));
    match act {
        Some(Act::Answer(answer)) => return Ok(reply(answer, None)),
        Some(Act::Close) => return Err("closed".into()),
        Some(Act::Hang) => return std::future::pending().await,
        Some(Act::Before(before)) => {
            before().await;
            return Ok(reply(forward(parts, body, store).await?, None));
        }
        _ => {}
    }
    let mut answer = forward(parts, body, store).await?;
    match act {
        Some(Act::Lose) => return Err("lost".into()),
        Some(Act::Cut(after)) => return Ok(reply(answer, Some(after))),
        Some(Act::Change(change)) => change(&mut answer),
        _ => {}
    }
    Ok(reply(answer, None))
}

async fn forward(parts: hyper::http::request::Parts, body: Bytes, store: SocketAddr) -> Result<Answer, Broken> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(TcpStream::connect(store).await?)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok(Answer { status, headers, body })
}

fn reply(answer: Answer, cut: Option<usize>) -> Response<Cuttable> {
    let length = answer.headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, header::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let body = match cut {
        Some(after) => answer.body.slice(..after.min(answer.body.len())),
        None => answer.body,
    };
    let length = length.unwrap_or(body.len() as u64);
    response.body(Cuttable { body: Some(body), length, breaks: cut.map(|_| true) }).unwrap()
}

/// A body that may end before its length.
pub(crate) struct Cuttable {
    body: Option<Bytes>,
    length: u64,
    /// Whether it is to break, and whether what it gave is still to be sent.
    breaks: Option<bool>,
}

impl Body for Cuttable {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match (self.body.take().filter(|body| !body.is_empty()), self.breaks) {
            (Some(body), _) => Poll::Ready(Some(Ok(Frame::data(body)))),
            (None, None) => Poll::Ready(None),
            // What was given before is sent while this waits, and then the connection breaks.
            (None, Some(true)) => {
                self.breaks = Some(false);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (None, Some(false)) => Poll::Ready(Some(Err("cut".into()))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
