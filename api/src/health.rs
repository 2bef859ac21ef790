//! Liveness, readiness, and what was counted.

use axum::extract::State;
use badlambda_shared::metrics;

use crate::app::AppState;
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};

/// `GET /healthz`: the process answers.
pub(crate) async fn live() -> ApiResponse {
    ApiResponse::Healthy
}

/// `GET /readyz`: the queue and the bucket answer, and the API is not stopping.
pub(crate) async fn ready(State(app): AppState) -> ApiResult {
    if app.shutdown.soft.is_cancelled() {
        return Err(ApiError::Draining);
    }
    app.readiness.check().await.map(|()| ApiResponse::Healthy).map_err(ApiError::Unavailable)
}

/// `GET /metrics`: what this process has counted, in Prometheus's text format.
pub(crate) async fn metrics() -> ApiResponse {
    ApiResponse::Metrics(metrics::render())
}
