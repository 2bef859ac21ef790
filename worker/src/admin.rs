//! The admin port: whether the worker lives, and whether its loop turns.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use badlambda_shared::limits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// When the receive loop last turned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// The loop turns.
    pub(crate) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it turned within twice the longest wait.
    fn is_regular(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|beat| beat.elapsed() < limits::SQS_WAIT * 2)
    }
}

/// Serves `/healthz` and `/readyz` until `ended`; not ready from `stopping` on.
pub(crate) async fn serve(
    listener: TcpListener,
    pulse: Pulse,
    stopping: CancellationToken,
    ended: CancellationToken,
) -> std::io::Result<()> {
    let readiness = move || {
        let ready = pulse.is_regular() && !stopping.is_cancelled();
        async move { if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE } }
    };
    let router =
        Router::new().route("/healthz", get(async || StatusCode::OK)).route("/readyz", get(readiness));
    axum::serve(listener, router).with_graceful_shutdown(ended.cancelled_owned()).await
}
