//! Six gibibytes go up and down, and the process stays small. The server counts and makes bytes; nothing of that size is ever stored.
#![cfg(all(target_os = "linux", feature = "s3", feature = "transfer"))]

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use valetkey::transfer::{Transfer, TransferOptions};
use valetkey::{AddressingStyle, Credentials, ObjectRequest, Presigner, S3Presigner, TargetSettings};

const SIZE: u64 = 6 << 30;
/// More than what is under way at a time (four parts, each with some pieces), and much less than one part.
const BOUND: u64 = 48 << 20;

/// The most memory that the process had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// Zeros, a piece at a time.
struct Zeros(u64);

impl Body for Zeros {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static PIECE: [u8; 256 << 10] = [0; 256 << 10];
        let length = self.0.min(PIECE.len() as u64);
        self.0 -= length;
        Poll::Ready((length > 0).then(|| Ok(Frame::data(Bytes::from_static(&PIECE[..usize::try_from(length).unwrap()])))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

type Reply = http_body_util::combinators::UnsyncBoxBody<Bytes, std::convert::Infallible>;

async fn serve(request: Request<Incoming>, received: Arc<AtomicU64>) -> Result<Response<Reply>, hyper::Error> {
    let text = |text: &'static str| http_body_util::Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let range = request.headers().get("range").and_then(|range| range.to_str().ok()).map(str::to_owned);
    let answer = Response::builder().header("etag", "\"e\"");
    let method = request.method().clone();
    let mut body = request.into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    let answer = match (method, range) {
        (Method::POST, _) if query.contains("uploads=") => {
            answer.body(text("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"))
        }
        (Method::POST, _) => answer.body(text("<CompleteMultipartUploadResult><ETag>&quot;e&quot;</ETag></CompleteMultipartUploadResult>")),
        (Method::PUT, _) => {
            received.fetch_add(length, Ordering::SeqCst);
            answer.body(text(""))
        }
        (Method::GET, Some(range)) => {
            let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            answer.status(206).header("content-range", format!("bytes {first}-{last}/{SIZE}")).body(Zeros(last - first + 1).boxed_unsync())
        }
        _ => answer.body(Zeros(SIZE).boxed_unsync()),
    };
    Ok(answer.unwrap())
}

async fn server(received: Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let received = received.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| serve(request, received.clone()));
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// One test: the peak is that of the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_gibibytes_up_and_down_stay_within_a_fixed_memory() {
    let received = Arc::new(AtomicU64::new(0));
    let endpoint = format!("http://{}", server(received.clone()).await).parse().unwrap();
    let settings = TargetSettings::new("media").region("eu-central-1").endpoint(endpoint).addressing(AddressingStyle::Path);
    let presigner: Arc<dyn Presigner> = Arc::new(S3Presigner::new(&settings, Arc::new(Credentials::new("AK", "secret").unwrap())).unwrap());
    let transfer = Transfer::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let before = peak();

    let path = folder.path().join("sparse");
    std::fs::File::create(&path).unwrap().set_len(SIZE).unwrap();
    let put = || ObjectRequest::put("k".parse().unwrap());
    let stored = transfer.upload_file(presigner.clone(), put(), &path, TransferOptions::new().resume(true)).await.unwrap();
    assert_eq!((stored.size, stored.parts, received.swap(0, Ordering::SeqCst)), (SIZE, 96, SIZE));
    let up = peak();
    assert!(up - before < BOUND, "{} MiB", (up - before) >> 20);

    // In one request too.
    std::fs::File::options().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
    let stored = transfer.upload_file(presigner.clone(), put(), &path, TransferOptions::new().part_size(5 << 30)).await.unwrap();
    assert_eq!((stored.parts, received.load(Ordering::SeqCst)), (0, 1 << 30));

    let get = || ObjectRequest::get("k".parse().unwrap());
    let fetched = transfer.download_to(presigner.clone(), get(), std::io::sink(), TransferOptions::new()).await.unwrap();
    assert_eq!(fetched.size, SIZE);
    let down = peak();
    assert!(down - before < BOUND, "{} MiB", (down - before) >> 20);
}
