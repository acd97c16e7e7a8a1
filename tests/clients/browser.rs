//! What a browser adds by itself, as the table of `docs/browser-uploads.md` has it: one page, and a bucket of another origin that notes what it is sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use libtest_mimic::Failed;
use tokio::net::TcpListener;

use crate::guide::{Guide, Snippet};
use crate::program::{check, shown};
use crate::tools::Tools;

/// A request that the bucket or the page's own site received.
struct Seen {
    method: Method,
    path: String,
    origin: String,
    content_type: String,
    length: String,
    body: usize,
}

/// What both servers share: what they were sent, and the page.
#[derive(Default)]
struct Web {
    log: Mutex<Vec<Seen>>,
    page: OnceLock<String>,
}

/// Every line of the table, in one page.
pub(crate) fn table(_: &Guide, _: &Snippet, tools: &Tools) -> Result<(), Failed> {
    let rows = Guide::table_of("docs/browser-uploads.md", "browser")?;
    check(rows.len() > 20, "the table of browsers has too few rows")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let web = Arc::new(Web::default());
    let (bucket, site) = runtime.block_on(async { Ok::<_, Failed>((listen(web.clone()).await?, listen(web.clone()).await?)) })?;
    let steps: Vec<String> = rows.iter().enumerate().map(|(index, row)| step(index, row[0].trim_matches('`'), bucket, site)).collect();
    web.page.get_or_init(|| include_str!("browser.html").replace("{{STEPS}}", &steps.concat()));

    let folder = tempfile::tempdir()?;
    let words = tools.run.iter().map(|word| word.replace("{folder}", &folder.path().to_string_lossy()));
    let words: Vec<String> = words.collect();
    let output = Command::new(&words[0]).args(&words[1..]).arg(format!("http://{site}/page")).output()?;
    let output = String::from_utf8_lossy(&output.stdout);
    let shown: Vec<&str> = shown(&output).lines().collect();
    check(shown.len() == rows.len(), format!("{} lines for {} rows: {shown:?}", shown.len(), rows.len()))?;
    let log = web.log.lock().unwrap_or_else(PoisonError::into_inner);
    for (index, (row, shown)) in rows.iter().zip(shown).enumerate() {
        let of_row = |seen: &&Seen| seen.path.starts_with(&format!("/{index}/"));
        let preflights = log.iter().filter(of_row).filter(|seen| seen.method == Method::OPTIONS).count();
        let sent = log.iter().filter(of_row).find(|seen| seen.method != Method::OPTIONS);
        let content_type = sent.map_or("none", |seen| &seen.content_type);
        let content_type = content_type.split_once("boundary=").map_or(content_type.to_owned(), |(start, _)| format!("{start}boundary=..."));
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let really = [yes(preflights > 0), content_type, yes(sent.is_some()), shown.to_owned()];
        let said: Vec<&str> = row.iter().skip(1).map(|cell| cell.trim_matches('`')).collect();
        check(said == really, format!("the guide says {said:?} and it is {really:?}: {}", row[0]))?;
        let counted = sent.is_none_or(|seen| seen.length == seen.body.to_string());
        check(counted, format!("the length is not that of the body: {}", row[0]))?;
    }
    let origins: Vec<&str> = log.iter().filter(|seen| seen.path == "/done").map(|seen| &*seen.origin).collect();
    check(origins == ["null"], format!("the target of the redirect sees the origins {origins:?}"))
}

/// One line of the table as a part of the page's script.
fn step(index: usize, code: &str, bucket: SocketAddr, site: SocketAddr) -> String {
    let places = [("url", "open"), ("closed", "closed"), ("redirecting", &format!("redirect/{site}"))];
    let places = places.map(|(name, path)| format!("const {name} = 'http://{bucket}/{index}/{path}';")).concat();
    let run = if code.starts_with("fetch") { format!("(await {code}).status") } else { format!("await ended(xhr, () => {{ {code} }})") };
    format!("await step(async () => {{ const xhr = new XMLHttpRequest(); {places} return {run}; }});\n")
}

async fn listen(web: Arc<Web>) -> Result<SocketAddr, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let web = web.clone();
            let service = service_fn(move |request| answer(request, web.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}

async fn answer(request: Request<Incoming>, web: Arc<Web>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none").to_owned();
    let path = head.uri.path().to_owned();
    let body = body.collect().await.map_or(0, |body| body.to_bytes().len());
    let (origin, content_type, length) = (header(header::ORIGIN), header(header::CONTENT_TYPE), header(header::CONTENT_LENGTH));
    if path == "/page" {
        return Ok(Response::new(Full::from(web.page.get().cloned().unwrap_or_default())));
    }
    web.log.lock().unwrap_or_else(PoisonError::into_inner).push(Seen { method: head.method, path: path.clone(), origin, content_type, length, body });
    let mut answer = Response::builder();
    if !path.ends_with("/closed") {
        answer = answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*").header(header::ACCESS_CONTROL_ALLOW_METHODS, "PUT, POST");
        answer = answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
    }
    if let Some((_, site)) = path.split_once("/redirect/") {
        answer = answer.status(303).header(header::LOCATION, format!("http://{site}/done"));
    }
    Ok(answer.body(Full::default()).unwrap_or_default())
}
