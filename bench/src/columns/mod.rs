//! What is measured: each column as its users would write it.

mod children;
mod forms;
mod reqsign;
#[cfg(feature = "beside")]
mod sdk;
mod urls;

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use valetkey::{
    AddressingStyle, Credentials, Dialect, LocalPresigner, ObjectRequest, Oss, PostPolicy, PresignOptions, PresignedPost, PresignedRequest, Presigner, S3,
    TargetSettings,
};

use crate::check::{self, Habits, Proof};
use crate::floor;
use crate::job::{self, Job, KEYS, Provider, Task};

pub use children::Children;

/// One way to sign. The result is dropped inside of the measured time, as its user would drop it.
pub trait Signer {
    type Signed;

    fn sign(&self, index: usize) -> Self::Signed;

    /// What is to be checked of a result; not measured.
    fn proof(signed: &Self::Signed) -> Proof;
}

/// A [`Signer`] of any type. The loop is inside, so that no virtual call is measured.
pub trait Run {
    fn run(&self, calls: usize);
    fn proof(&self, index: usize) -> Proof;

    /// How long that many calls take; another process times itself.
    fn nanoseconds(&self, calls: usize) -> u128 {
        let start = Instant::now();
        self.run(calls);
        start.elapsed().as_nanos()
    }

    /// Whether it runs in this process, whose allocations are counted.
    fn is_here(&self) -> bool {
        true
    }
}

impl<S: Signer> Run for S {
    fn run(&self, calls: usize) {
        for index in 0..calls {
            black_box(self.sign(black_box(index) % KEYS));
        }
    }

    fn proof(&self, index: usize) -> Proof {
        S::proof(&self.sign(index))
    }
}

pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub habits: Habits,
    pub signer: Box<dyn Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    FloorPublic,
    FloorBlocks,
    Ours,
    OursDyn,
    Beside,
}

/// All columns of a job, the floors first.
pub fn all(provider: Provider, job: &Arc<Job>, children: &Children) -> Result<Vec<Column>, String> {
    let mut columns = match (job.task, provider) {
        (Task::Put { .. }, Provider::S3) => [urls::ours::<S3>(provider, job), urls::beside_s3(job)],
        (Task::Put { .. }, Provider::Oss) => [urls::ours::<Oss>(provider, job), urls::beside_oss(job)],
        (Task::Post, Provider::S3) => [forms::ours::<S3>(provider, job), forms::beside_s3(job)],
        (Task::Post, Provider::Oss) => [forms::ours::<Oss>(provider, job), forms::beside_oss(job)],
    }
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    if provider == Provider::S3 {
        #[cfg(feature = "beside")]
        columns.extend(if job.task == Task::Post { sdk::forms(job) } else { sdk::urls(job) });
        columns.extend(children.columns(job));
    }
    let stages = check::proof(&columns[0].signer.proof(0), provider, job, job.key(0), columns[0].habits)?;
    columns.splice(0..0, floor::all(&stages)?);
    Ok(columns)
}

fn ours(name: &'static str, kind: Kind, signer: impl Run + 'static) -> Column {
    Column { name, kind, habits: Habits::default(), signer: Box::new(signer) }
}

fn beside(name: &'static str, habits: Habits, signer: impl Run + 'static) -> Column {
    Column { name, kind: Kind::Beside, habits, signer: Box::new(signer) }
}

/// What an application holds that signs without waiting.
struct Local<D> {
    presigner: LocalPresigner<D>,
    credentials: Arc<Credentials>,
    options: PresignOptions,
}

impl<D: Dialect + Default> Local<D> {
    fn new(provider: Provider, job: &Job) -> Self {
        let mut credentials = Credentials::new(job::ACCESS_KEY_ID, job::SECRET).expect("credentials");
        if let Some(token) = &job.token {
            credentials = credentials.with_session_token(token).expect("a token");
        }
        let credentials = Arc::new(credentials);
        let settings = TargetSettings::new(job::BUCKET).region(provider.region()).addressing(AddressingStyle::Virtual);
        let presigner = LocalPresigner::new(&settings, Arc::clone(&credentials)).expect("a target");
        Self { presigner, credentials, options: PresignOptions::new().expires_in(job::LIFE) }
    }

    fn boxed(self) -> (Box<dyn Presigner>, PresignOptions) {
        (Box::new(self.presigner), self.options)
    }

    fn sign(&self, request: &ObjectRequest) -> PresignedRequest {
        self.presigner.sign(&self.credentials, request, &self.options).expect("a signature")
    }

    fn sign_post(&self, policy: &PostPolicy) -> PresignedPost {
        self.presigner.sign_post(&self.credentials, policy, &self.options).expect("a form")
    }
}

/// Nothing that is measured here ever waits, so one poll is enough and no executor is measured.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a signer waits"),
    }
}
