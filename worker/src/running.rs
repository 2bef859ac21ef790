//! One attempt while it runs: what still runs after a few seconds is recorded as running, and from then on its record
//! is looked at again and again, since whatever makes it final ends the attempt: a cancellation, or another worker
//! that had the message, too.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::timestamp::Timestamp;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::Worker;
use crate::prepare::Prepared;
use crate::sandbox::{ExecutorError, Outcome, Task};
use crate::turn::Turn;

/// How often the record of what runs is looked at, from this age on.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With an outcome, which may be a failure of the function's.
    Outcome(Box<Outcome>),
    /// The execution has its final record from elsewhere.
    Overtaken,
    /// The worker's time is up.
    Abandoned,
    /// Our side failed.
    Trouble(ExecutorError),
}

/// Runs it to its end, or until its outcome is of no interest any more.
pub(crate) async fn run(worker: &Worker, turn: &mut Turn, prepared: Prepared) -> Ended {
    let cancel = match EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK) {
        Ok(event) => Arc::new(OwnedFd::from(event)),
        Err(errno) => return Ended::Trouble(errno.into()),
    };
    let since = Timestamp::now();
    let version = prepared.version.version;
    let task = task(turn, prepared, Arc::clone(&cancel));
    let executor = Arc::clone(&worker.executor);
    let span = tracing::Span::current();
    let mut running = tokio::task::spawn_blocking(move || span.in_scope(|| executor.execute(&task)));
    let early = tokio::select! {
        ended = &mut running => return of(ended, Ended::Abandoned),
        () = overtaken(worker, turn, version, since) => Ended::Overtaken,
        () = worker.abandon.cancelled() => Ended::Abandoned,
    };
    if let Err(errno) = nix::unistd::write(&cancel, &1u64.to_ne_bytes()) {
        tracing::error!(%errno, "could not end an attempt");
    }
    // It may have come to its end at that very moment.
    of(running.await, early)
}

fn of(ended: Result<Result<Outcome, ExecutorError>, tokio::task::JoinError>, cancelled: Ended) -> Ended {
    match ended {
        Ok(Ok(outcome)) => Ended::Outcome(Box::new(outcome)),
        Ok(Err(ExecutorError::Cancelled)) => cancelled,
        Ok(Err(error)) => Ended::Trouble(error),
        Err(panic) => Ended::Trouble(ExecutorError::System(std::io::Error::other(panic))),
    }
}

fn task(turn: &Turn, prepared: Prepared, cancelled: Arc<OwnedFd>) -> Task {
    let Prepared { version, code, input } = prepared;
    Task {
        execution_id: turn.request.id.to_string(),
        function: turn.request.function.to_string(),
        version: version.version,
        attempt: turn.number,
        form: version.form,
        code_sha256: version.code_sha256.clone(),
        code,
        config: version.config.clone(),
        event: input,
        trace: turn.request.trace.clone(),
        cancelled: Some(cancelled),
    }
}

/// Returns once the execution has its final record.
async fn overtaken(worker: &Worker, turn: &mut Turn, version: u32, since: Timestamp) {
    tokio::time::sleep(LOOK_EVERY).await;
    if turn.note_running(worker, version, since).await {
        return;
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match worker.records.find(&turn.request.function, &turn.request.id).await {
            Ok(Some(found)) if found.record.status.is_final() => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "could not look at the record of what runs"),
        }
    }
}
