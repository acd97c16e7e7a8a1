//! Requests of the conformance suite, over HTTP.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use valetkey::Method;
use valetkey_conformance::{Backend, WireRequest, WireResponse};

/// Sends each request as it is to one address, whatever its host: a virtual host need not be in any name service.
pub(crate) struct Http(pub(crate) SocketAddr);

#[async_trait::async_trait]
impl Backend for Http {
    async fn send(&self, request: WireRequest) -> WireResponse {
        self.exchange(request).await.unwrap_or_else(|_| WireResponse::new(0, Vec::new(), Vec::new()))
    }
}

impl Http {
    async fn exchange(&self, request: WireRequest) -> Result<WireResponse, Box<dyn std::error::Error + Send + Sync>> {
        let (_, rest) = request.url.split_once("://").ok_or("no scheme")?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let mut builder = Request::builder().method(request.method.as_str()).uri(target);
        if !request.headers.iter().any(|(name, _)| name == "host") {
            builder = builder.header(header::HOST, authority);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, header::HeaderValue::from_bytes(value.as_bytes())?);
        }
        let body = if request.chunked {
            // A stream has no length, so it goes out in chunks.
            let frames = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(request.body)))]);
            StreamBody::new(frames).boxed()
        } else {
            if matches!(request.method, Method::Put | Method::Post) {
                builder = builder.header(header::CONTENT_LENGTH, request.body.len());
            }
            Full::new(Bytes::from(request.body)).boxed()
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(TcpStream::connect(self.0).await?)).await?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(builder.body(body)?).await?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
        let body = answer.into_body().collect().await?.to_bytes().to_vec();
        connection.abort();
        Ok(WireResponse::new(status, headers, body))
    }
}
