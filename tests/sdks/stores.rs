//! The stores that a client talks to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::Failed;
use valetkey::{Credentials, Timestamp};
use valetkey_store::{Cloud, Running, Store};

pub(crate) const ACCESS_KEY_ID: &str = "TESTACCESSKEYID";
pub(crate) const SECRET_ACCESS_KEY: &str = "test/secret+access=key";

/// How far the clock of the second store is from the one of the machine, in seconds: a minute more than the clouds allow.
const SKEW: i64 = 16 * 60;

/// A store with the bucket `media` and one of another time, in memory. Both speak both dialects.
pub(crate) struct Stores {
    runtime: tokio::runtime::Runtime,
    running: Vec<Running>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

/// What the first store answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
}

impl Stores {
    pub(crate) fn start() -> Result<Self, Failed> {
        let runtime = tokio::runtime::Runtime::new()?;
        let answers = Arc::new(Mutex::new(Vec::new()));
        let seen = answers.clone();
        let builder = || {
            let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY)?;
            Ok::<_, Failed>(Store::builder().bucket("media").credentials(Cloud::S3, credentials.clone()).credentials(Cloud::Oss, credentials).memory())
        };
        let first = builder()?.observer(move |event| {
            let answer = Answer { status: event.status, code: event.code.map(ToOwned::to_owned) };
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        });
        let of_another_time = builder()?.clock(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            Timestamp::from_unix_seconds(i64::try_from(now).unwrap_or_default() - SKEW).expect("the machine's clock stands after 1970")
        });
        let running = runtime.block_on(async {
            let address = "127.0.0.1:0".parse()?;
            Ok::<_, Failed>(vec![first.bind(address).await?, of_another_time.bind(address).await?])
        })?;
        Ok(Self { runtime, running, answers })
    }

    /// The endpoint of the first, and of the one of another time.
    pub(crate) fn endpoints(&self) -> [String; 2] {
        let endpoint = |n: usize| self.running.get(n).map(Running::endpoint).unwrap_or_default();
        [endpoint(0), endpoint(1)]
    }

    pub(crate) fn port(&self) -> String {
        self.running.first().map(|store| store.address().port().to_string()).unwrap_or_default()
    }

    /// What the first answered since this was last asked.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        for store in self.running.drain(..) {
            self.runtime.block_on(store.shutdown());
        }
    }
}
