//! One embedded store for a test, what signs for it, and what it saw.

use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::Failed;
use valetkey::transfer::{Body, Transfer};
use valetkey::{Credentials, ObjectRequest, OssPresigner, PostPolicy, PresignOptions, PresignedPost, PresignedRequest, Presigner, S3Presigner, TargetSettings};
use valetkey_store::{Cloud as Dialect, CorsRule, Running, Store};

/// A store that speaks both dialects, of which the test uses one.
pub(crate) struct Cloud {
    pub(crate) provider: &'static str,
    pub(crate) presigner: Box<dyn Presigner>,
    runtime: tokio::runtime::Runtime,
    store: Option<Running>,
    transfer: Transfer,
    answers: Arc<Mutex<Vec<Answer>>>,
}

/// What the store answered to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
}

/// An object as it was stored.
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: String,
    pub(crate) cache_control: Option<String>,
    pub(crate) owner: Option<String>,
}

impl Cloud {
    pub(crate) const PROVIDERS: [&'static str; 2] = ["s3", "oss"];

    pub(crate) fn start(provider: &'static str) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Runtime::new()?;
        let answers = Arc::new(Mutex::new(Vec::new()));
        let credentials = Credentials::new("TESTACCESSKEYID", "test-secret")?;
        let dialect = if provider == "s3" { Dialect::S3 } else { Dialect::Oss };
        let seen = answers.clone();
        // As docs/browser-uploads.md says.
        let rule = CorsRule::new(["*"], ["PUT", "POST"])?.allow_headers(["*"])?.expose_headers(["ETag", "Location"])?;
        let store = Store::builder().bucket("media").credentials(dialect, credentials.clone()).memory().cors(rule).observer(move |event| {
            // What a browser asks ahead is no upload.
            if event.method == "OPTIONS" {
                return;
            }
            let answer = Answer { status: event.status, code: event.code.map(ToOwned::to_owned) };
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        });
        let store = runtime.block_on(store.bind("127.0.0.1:0".parse()?))?;
        let settings = TargetSettings::new("media").region("cn-hangzhou").endpoint(store.endpoint().parse()?);
        let presigner: Box<dyn Presigner> = match dialect {
            Dialect::S3 => Box::new(S3Presigner::new(&settings, Arc::new(credentials))?),
            _ => Box::new(OssPresigner::new(&settings, Arc::new(credentials))?),
        };
        Ok(Self { provider, presigner, runtime, store: Some(store), transfer: Transfer::new()?, answers })
    }

    pub(crate) fn sign(&self, request: &ObjectRequest) -> Result<PresignedRequest, Failed> {
        Ok(self.runtime.block_on(self.presigner.presign(request, &PresignOptions::new()))?)
    }

    pub(crate) fn sign_post(&self, policy: &PostPolicy) -> Result<PresignedPost, Failed> {
        Ok(self.runtime.block_on(self.presigner.presign_post(policy, &PresignOptions::new()))?)
    }

    /// What the store answered since this was last asked.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The object under a key.
    pub(crate) fn stored(&self, key: &str) -> Result<Stored, Failed> {
        let get = self.sign(&ObjectRequest::get(key.parse()?))?;
        let stored = self.runtime.block_on(async {
            let answer = self.transfer.send(&get, Body::empty()).await?;
            let header = |name: &str| answer.header(name).map(ToOwned::to_owned);
            if answer.status() != 200 {
                return Err(Failed::from(format!("{key} was not stored: {}", answer.status())));
            }
            let owner = header(if self.provider == "s3" { "x-amz-meta-owner" } else { "x-oss-meta-owner" });
            let (content_type, cache_control) = (header("content-type").unwrap_or_default(), header("cache-control"));
            Ok(Stored { content_type, cache_control, owner, bytes: answer.bytes().await?.to_vec() })
        })?;
        self.answers();
        Ok(stored)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            self.runtime.block_on(store.shutdown());
        }
    }
}
