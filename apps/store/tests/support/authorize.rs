//! Requests signed in the `Authorization` header, any of them: method, target and headers are given.

use sha2::{Digest as _, Sha256};
use valetkey_core::{
    Dialect, Scheme,
    crypto::SigningKey,
    verify::{Audience, IncomingRequest},
};
use valetkey_oss::Oss;
use valetkey_s3::S3;
use valetkey_store::Cloud;

use super::{Fixture, Reply, Wire, at, credentials, hex};

/// How the chunks of a body are signed: with the request's own key, each with the signature before it.
pub(crate) struct Chain {
    key: SigningKey,
    context: String,
    previous: String,
}

impl Chain {
    pub(crate) fn chunk(&mut self, data: &[u8]) -> String {
        self.sign("AWS4-HMAC-SHA256-PAYLOAD", &format!("{}\n{}", sha256(b""), sha256(data)))
    }

    pub(crate) fn trailer(&mut self, lines: &str) -> String {
        self.sign("AWS4-HMAC-SHA256-TRAILER", &sha256(lines.as_bytes()))
    }

    fn sign(&mut self, algorithm: &str, rest: &str) -> String {
        let text = format!("{algorithm}\n{}{}\n{rest}", self.context, self.previous);
        self.previous = hex(&self.key.sign(&text));
        self.previous.clone()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

impl Fixture {
    /// A request without a signature.
    pub(crate) fn raw(&self, method: &str, target: &str) -> Wire {
        let headers = vec![("host".into(), self.store.address().to_string())];
        Wire { method: method.into(), target: target.into(), headers, body: Vec::new(), with_length: true }
    }

    /// Signs all headers and, on S3, `payload`: a digest, or one of the words that stand for none.
    pub(crate) fn authorize(&self, cloud: Cloud, wire: Wire, payload: &str) -> (Wire, Chain) {
        let now = at(self.now.load(std::sync::atomic::Ordering::SeqCst));
        let (dialect, prefix): (&dyn Dialect, _) = match cloud {
            Cloud::S3 => (&S3, "x-amz-"),
            Cloud::Oss => (&Oss, "x-oss-"),
        };
        let payload = if cloud == Cloud::S3 { payload } else { "UNSIGNED-PAYLOAD" };
        let basic = now.to_basic();
        let wire = wire.header(&format!("{prefix}date"), basic.as_str()).header(&format!("{prefix}content-sha256"), payload);
        let mut names: Vec<String> = wire.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        let id = credentials(cloud);
        let (id, day, region, zeros) = (id.access_key_id(), basic.day(), self.region, "0".repeat(64));
        let header = match cloud {
            Cloud::S3 => {
                let names = names.join(";");
                format!("AWS4-HMAC-SHA256 Credential={id}/{day}/{region}/s3/aws4_request,SignedHeaders={names},Signature={zeros}")
            }
            Cloud::Oss => format!("OSS4-HMAC-SHA256 Credential={id}/{day}/{region}/oss/aliyun_v4_request,Signature={zeros}"),
        };
        let unsigned = wire.clone().header("authorization", &header);
        let headers: Vec<(&str, &[u8])> = unsigned.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = IncomingRequest { scheme: Scheme::Http, method: &wire.method, target: &wire.target, headers: &headers };
        let host = self.store.address();
        let claim = dialect.parse(&request, &Audience::new().host(host.to_string()).host(format!("localhost:{}", host.port()))).unwrap();
        let key = dialect.signing_key(&credentials(cloud), &claim.day, &claim.region, &claim.service);
        let seed = hex(&key.sign(&claim.string_to_sign));
        let context = claim.string_to_sign.lines().skip(1).take(2).map(|line| format!("{line}\n")).collect();
        (wire.header("authorization", &header.replace(&zeros, &seed)), Chain { key, context, previous: seed })
    }

    /// Signs and sends with the digest of the body.
    pub(crate) async fn ask(&self, cloud: Cloud, method: &str, target: &str, body: &[u8]) -> Reply {
        self.ask_with(cloud, method, target, &[], body).await
    }

    pub(crate) async fn ask_with(&self, cloud: Cloud, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let wire = headers.iter().fold(self.raw(method, target), |wire, (name, value)| wire.header(name, value));
        let (wire, _) = self.authorize(cloud, wire, &sha256(body));
        self.send(&wire.body(body)).await
    }
}
