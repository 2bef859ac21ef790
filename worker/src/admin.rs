//! The admin port: whether the worker does what it should, or had better be replaced, whether its loop turns, and what
//! it has counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use badlambda_shared::aws::store::Store;
use badlambda_shared::limits;
use badlambda_shared::process::metrics;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::receive::leases::Leases;
use crate::sandbox::Executor;

/// How long it may hold messages and end none, beyond the time that its executions have. Where S3 fails for so long, a new
/// worker does no harm: it runs again what could not be stored.
const NOTHING_ENDS: Duration = Duration::from_secs(30 * 60);

/// Whether the receive loop turns.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoopHealth(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When a receive was last answered, or the loop last had nothing to receive for.
    turned_at: Option<Instant>,
    waits: bool,
    fails: bool,
}

impl LoopHealth {
    /// The loop waits for room, which is as it should be while everything is busy.
    pub(crate) fn waits(&self) {
        self.lock().waits = true;
    }

    /// A receive begins.
    pub(crate) fn polls(&self) {
        let mut state = self.lock();
        if !state.fails {
            state.turned_at = Some(Instant::now());
        }
        state.waits = false;
    }

    /// A receive was answered.
    pub(crate) fn turns(&self) {
        *self.lock() = State { turned_at: Some(Instant::now()), waits: false, fails: false };
    }

    /// A receive failed.
    pub(crate) fn fails(&self) {
        self.lock().fails = true;
    }

    /// Whether it turned within twice the longest wait.
    fn is_regular(&self) -> bool {
        let state = self.lock();
        let lately = state.turned_at.is_some_and(|turned_at| turned_at.elapsed() < limits::SQS_WAIT * 2);
        lately || (state.waits && !state.fails)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the admin port tells of.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) receiving: LoopHealth,
    pub(crate) leases: Leases,
    pub(crate) store: Store,
    /// Asking whether it lives must not keep it.
    pub(crate) executor: Weak<Executor>,
}

impl Health {
    /// What is wrong with the worker, if something is that a new one would not have.
    fn complaint(&self) -> Option<&'static str> {
        let executor = self.executor.upgrade()?;
        if let Some(complaint) = executor.complaint() {
            return Some(complaint);
        }
        let stuck_since = self.leases.stuck_since()?;
        let since = executor.busy_until().map_or(stuck_since, |until| until.max(stuck_since));
        (since.elapsed() > NOTHING_ENDS).then_some("it holds messages, and ends none")
    }
}

/// Serves `/healthz`, `/readyz` and `/metrics` until `ended`; not ready from `stopping` on.
pub(crate) async fn serve(
    listener: TcpListener,
    health: Health,
    stopping: CancellationToken,
    ended: CancellationToken,
) -> std::io::Result<()> {
    let (receiving, store) = (health.receiving.clone(), health.store.clone());
    let readiness = move || {
        let ready = receiving.is_regular() && !store.is_refused() && !stopping.is_cancelled();
        async move { if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE } }
    };
    let liveness = move || {
        let complaint = health.complaint();
        async move {
            match complaint {
                Some(complaint) => (StatusCode::SERVICE_UNAVAILABLE, complaint),
                None => (StatusCode::OK, ""),
            }
        }
    };
    let counted = async || ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::render());
    let router = Router::new()
        .route("/healthz", get(liveness))
        .route("/readyz", get(readiness))
        .route("/metrics", get(counted));
    axum::serve(listener, router).with_graceful_shutdown(ended.cancelled_owned()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_waits_for_room_is_regular_however_long() {
        let health = LoopHealth::default();
        assert!(!health.is_regular());
        health.waits();
        health.polls();
        health.turns();
        health.waits();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(health.is_regular());
        health.polls();
        assert!(health.is_regular());
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_hangs_or_fails_is_not() {
        let (hangs, fails) = (LoopHealth::default(), LoopHealth::default());
        hangs.polls();
        fails.polls();
        for _ in 0..4 {
            fails.fails();
            fails.waits();
            assert!(fails.is_regular() && hangs.is_regular());
            tokio::time::sleep(limits::SQS_WAIT / 2).await;
            fails.polls();
        }
        assert!(!fails.is_regular() && !hangs.is_regular());
        fails.turns();
        assert!(fails.is_regular());
    }
}
