//! Starting and stopping a store.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use valetkey_core::{Credentials, Timestamp};

use super::{Clock, Event, Gate, Observer, Service};
use crate::{
    Cloud, OpenError, StoreError,
    cors::{CorsRule, CorsRules, MAX_RULES},
    objects::{BucketInfo, ObjectStore},
};

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long requests that are under way may go on after [`Running::shutdown`].
const GRACE: Duration = Duration::from_secs(10);
/// How many connections are served at a time; further ones wait.
const MAX_CONNECTIONS: usize = 512;
/// The most memory that hyper takes for the head of a request and for reading ahead.
const BUFFER: usize = 256 << 10;

/// The development store. [`Store::builder`] is where it begins.
///
/// ```no_run
/// use valetkey_core::Credentials;
/// use valetkey_store::{Cloud, Store};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Store::builder()
///     .bucket("media")
///     .credentials(Cloud::S3, Credentials::new("AKIDEXAMPLE", "secret")?)
///     .credentials(Cloud::Oss, Credentials::new("LTAIEXAMPLE", "secret")?)
///     .bind("127.0.0.1:9000".parse()?)
///     .await?;
/// println!("{}", store.endpoint());
/// store.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Store(());

impl Store {
    /// A store in memory without buckets and without credentials.
    pub fn builder() -> StoreBuilder {
        StoreBuilder {
            folder: None,
            buckets: Vec::new(),
            hosts: Vec::new(),
            credentials: Vec::new(),
            regions: HashMap::new(),
            clock: Arc::new(system_time),
            observer: Arc::new(|_| {}),
            allows_public_read: false,
            cors: Vec::new(),
        }
    }
}

/// How a store shall be.
#[must_use]
pub struct StoreBuilder {
    folder: Option<PathBuf>,
    buckets: Vec<String>,
    hosts: Vec<String>,
    credentials: Vec<(Cloud, Credentials)>,
    regions: HashMap<Cloud, String>,
    clock: Clock,
    observer: Observer,
    allows_public_read: bool,
    cors: Vec<CorsRule>,
}

impl StoreBuilder {
    /// Makes this bucket if it is not there. Both dialects see the same buckets.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.buckets.push(name.into());
        self
    }

    /// Takes what these credentials sign in the dialect of `cloud`.
    pub fn credentials(mut self, cloud: Cloud, credentials: Credentials) -> Self {
        self.credentials.push((cloud, credentials));
        self
    }

    /// Takes only signatures for this region in the dialect of `cloud`; without it, for any.
    pub fn region(mut self, cloud: Cloud, region: impl Into<String>) -> Self {
        self.regions.insert(cloud, region.into());
        self
    }

    /// Also answers under this host, with its port, for example `store.test:9000`: `HOST/BUCKET/KEY` and `BUCKET.HOST/KEY`. The address
    /// itself and `localhost` are always there.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Keeps objects in memory, where they end with the store. This is what a builder begins with.
    pub fn memory(mut self) -> Self {
        self.folder = None;
        self
    }

    /// Keeps objects in this folder, which is made if it is not there.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// Reads the time here and not from the system. It is read once for each request.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(move || Some(clock()));
        self
    }

    /// Is told about every request when its answer begins.
    pub fn observer(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Lets everybody read the objects that were written with the ACL `public-read` or `public-read-write`, as the clouds do: GET and HEAD of
    /// one object, without a signature. Without this a store keeps the word and refuses such a read. Nobody may list or write so.
    ///
    /// ```
    /// let builder = valetkey_store::Store::builder().bucket("media").allow_public_read(true);
    /// # let _ = builder;
    /// ```
    pub fn allow_public_read(mut self, allow: bool) -> Self {
        self.allows_public_read = allow;
        self
    }

    /// Adds a cross-origin rule for every bucket that has no configuration of its own. It is not written down: a store that is started without it has
    /// it no more. The rules are tried in the order in which they were added, at most 100.
    ///
    /// ```
    /// # fn main() -> Result<(), valetkey_store::StoreError> {
    /// use valetkey_store::{CorsRule, Store};
    /// let rule = CorsRule::new(["http://localhost:5173"], ["GET", "PUT"])?.allow_headers(["*"])?.expose_headers(["ETag"])?;
    /// let builder = Store::builder().bucket("media").cors(rule);
    /// # let _ = builder;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cors(mut self, rule: CorsRule) -> Self {
        self.cors.push(rule);
        self
    }

    /// Opens the storage and serves at `address`, which must be a loopback address; port 0 takes a free one.
    ///
    /// # Errors
    /// [`StartError`] for an address of another kind or one that is taken, for a folder that cannot be used, and for the name of a bucket that breaks the rules.
    pub async fn bind(self, address: SocketAddr) -> Result<Running, StartError> {
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback { address: address.ip() });
        }
        let objects = match self.folder {
            None => ObjectStore::memory(),
            Some(path) => tokio::task::spawn_blocking(move || ObjectStore::folder(&path)).await.map_err(io::Error::other)??,
        };
        let cors = if self.cors.is_empty() { None } else { Some(Arc::new(CorsRules::new(self.cors, MAX_RULES)?)) };
        for bucket in self.buckets {
            let created = (self.clock)().map_or(0, Timestamp::as_unix_seconds);
            match objects.create_bucket(&bucket, BucketInfo { created, ..BucketInfo::default() }).await {
                Ok(()) | Err(StoreError::BucketAlreadyExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut hosts = self.hosts;
        hosts.extend([address.to_string(), format!("localhost:{}", address.port())]);
        let gate = Gate::new(&hosts, &self.credentials, &self.regions);
        let service = Arc::new(Service { objects, gate, clock: self.clock, observer: self.observer, allows_public_read: self.allows_public_read, cors });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, service, stopped));
        Ok(Running { address, stop, task })
    }
}

/// Why a store did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address can be reached from other machines.
    #[error("{address} is not a loopback address; this is a development store, serve it at 127.0.0.1 or ::1")]
    NotLoopback {
        /// The address that was asked for.
        address: IpAddr,
    },
    /// The port could not be had.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// The folder cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A bucket could not be made, or the rules are too many.
    #[error(transparent)]
    Bucket(#[from] StoreError),
}

/// A store that is running. It ends with [`Running::shutdown`], or at once when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint for a configuration, for example `http://127.0.0.1:9000`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more requests, lets those that are under way end, for ten seconds at most, and ends.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, service: Arc<Service>, stopped: watch::Receiver<bool>) {
    let mut stop = stopped.clone();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        tokio::select! {
            () = stopping(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            (slot, accepted) = next => match accepted {
                Ok((stream, _)) => {
                    let (service, stopped) = (Arc::clone(&service), stopped.clone());
                    connections.spawn(async move {
                        serve(stream, service, stopped).await;
                        drop(slot);
                    });
                }
                // Out of file descriptors, most likely: wait for some to come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn serve(stream: TcpStream, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    // Small answers leave at once; a failure costs speed and nothing else.
    let _ = stream.set_nodelay(true);
    let handler = service_fn(move |request| Arc::clone(&service).handle(request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(BUFFER);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), handler));
    // A connection that breaks is the client's affair: there is nobody left to tell.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopping(&mut stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Waits for the end, which is also here when nobody is left to say so.
async fn stopping(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// `None` where the system's clock stands outside of the years 1970 to 9999.
fn system_time() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_unix_seconds(i64::try_from(since.as_secs()).ok()?).ok()
}
