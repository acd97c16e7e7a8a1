//! Ctrl-C while bytes move: the first lets the transfer clean up, the second does not wait for that.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::error::CliError;
use crate::store;

/// Runs a transfer on threads of its own until it is done, or was interrupted and has ended by that. The work is given what asks it to end.
pub(super) fn run<T, F>(work: impl FnOnce(CancellationToken) -> F) -> Result<T, CliError>
where
    F: Future<Output = Result<T, CliError>>,
{
    let runtime = store::runtime()?;
    let ended = runtime.block_on(async {
        let mut interruption = Interruption::listen()?;
        let stop = CancellationToken::new();
        let mut work = Box::pin(work(stop.clone()));
        tokio::select! {
            done = work.as_mut() => return done,
            () = interruption.come() => stop.cancel(),
        }
        tokio::select! {
            done = work => done,
            () = interruption.come() => Err(CliError::interrupted_at_once()),
        }
    });
    // A thread that waits for standard input would be waited for.
    runtime.shutdown_background();
    ended
}

/// The signals that end the program. A hangup is not among them: who takes it on makes `nohup` useless.
struct Interruption {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Interruption {
    #[cfg(unix)]
    fn listen() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| CliError::failure("signals", format!("Ctrl-C cannot be listened to: {error}"));
        Ok(Self { interrupt: signal(SignalKind::interrupt()).map_err(failed)?, terminate: signal(SignalKind::terminate()).map_err(failed)? })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, CliError> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn come(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
