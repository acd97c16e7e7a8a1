//! A request is verified, and only then looked at.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use valetkey_core::verify::{Audience, IncomingRequest, Verification, Verified, VerifyError};
use valetkey_core::{Credentials, Dialect, Method, Scheme, encode};

use super::ManualClock;
use super::form::Sent;
use super::objects::{Call, Objects};
use crate::backend::{Backend, TestClock, WireRequest, WireResponse};
use crate::profile::Profile;

/// A store in memory that answers verified requests to one bucket, in the words of a [`Profile`].
///
/// It does as much as the suite looks at: objects with their headers, conditions, ranges, digests of bodies, copies, uploads in parts, lists, forms.
pub struct VerifyingBackend {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) profile: &'static Profile,
    pub(super) audience: Audience,
    pub(super) bucket: String,
    pub(super) credentials: Credentials,
    pub(super) clock: Arc<ManualClock>,
    pub(super) objects: Mutex<Objects>,
}

impl VerifyingBackend {
    /// A backend for one bucket that knows one key.
    #[must_use]
    pub fn new(
        dialect: &'static dyn Dialect,
        profile: &'static Profile,
        audience: Audience,
        bucket: &str,
        credentials: Credentials,
        clock: Arc<ManualClock>,
    ) -> Self {
        Self { dialect, profile, audience, bucket: bucket.to_owned(), credentials, clock, objects: Mutex::default() }
    }

    /// How many objects there are.
    #[must_use]
    pub fn object_count(&self) -> usize {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn verify(&self, scheme: Scheme, target: &str, request: &WireRequest, headers: &[(String, String)]) -> Result<Verified, VerifyError> {
        let borrowed: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let incoming = IncomingRequest { scheme, method: request.method.as_str(), target, headers: &borrowed };
        let pending = Verification::parse(self.dialect, &incoming, &self.audience)?;
        let known = (pending.access_key_id() == self.credentials.access_key_id()).then_some(&self.credentials);
        pending.finish(known, self.clock.now())
    }
}

impl core::fmt::Debug for VerifyingBackend {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("VerifyingBackend").field("dialect", &self.dialect).field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for VerifyingBackend {
    async fn send(&self, request: WireRequest) -> WireResponse {
        let is_head = request.method == Method::Head;
        let Some((scheme, authority, target)) = split(&request.url) else {
            return WireResponse::new(0, Vec::new(), Vec::new());
        };
        let headers = on_the_wire(&request, authority);
        let value = |name: &str| headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str());
        // A URL that is signed says so in its query, whatever it carries.
        if request.method == Method::Post && value("content-type").starts_with("multipart/form-data") && !target.contains('?') {
            let sent = Sent { scheme, host: value("host"), target, content_type: value("content-type") };
            return self.take_form(&sent, &request.body);
        }
        let verified = match self.verify(scheme, target, &request, &headers) {
            Ok(verified) => verified,
            Err(error) => {
                let refusal = self.dialect.refusal(&error);
                return refused(refusal.status, refusal.code, &refusal.message).without_body_if(is_head);
            }
        };
        if verified.bucket() != Some(self.bucket.as_str()) {
            return refused(404, "NoSuchBucket", "").without_body_if(is_head);
        }
        let call = Call { profile: self.profile, verified: &verified, headers: &headers, body: &request.body };
        let answer = match self.objects.lock().unwrap_or_else(PoisonError::into_inner).act(&call) {
            Ok(answer) => answer,
            Err((status, code)) => refused(status, code, ""),
        };
        answer.without_body_if(is_head)
    }
}

pub(super) fn refused(status: u16, code: &str, message: &str) -> WireResponse {
    let body = format!("<Error><Code>{code}</Code><Message>{}</Message></Error>", encode::markup(message));
    WireResponse::new(status, Vec::new(), body.into_bytes())
}

impl WireResponse {
    /// As an answer to HEAD is sent: its code goes with its body.
    fn without_body_if(mut self, is_head: bool) -> Self {
        if is_head {
            self.body.clear();
            self.error_code = None;
        }
        self
    }
}

/// Scheme, authority, and path with query.
fn split(url: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|known| known.as_str() == scheme)?;
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    Some((scheme, authority, if target.is_empty() { "/" } else { target }))
}

/// The headers that a client would send, those of the framing included.
fn on_the_wire(request: &WireRequest, authority: &str) -> Vec<(String, String)> {
    let mut headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    if !headers.iter().any(|(name, _)| name == "host") {
        headers.push(("host".to_owned(), authority.to_owned()));
    }
    match request.method {
        Method::Put | Method::Post if request.chunked => headers.push(("transfer-encoding".to_owned(), "chunked".to_owned())),
        Method::Put | Method::Post => headers.push(("content-length".to_owned(), request.body.len().to_string())),
        Method::Get | Method::Head | Method::Delete => {}
    }
    headers
}
