//! Liveness, readiness, and what was counted.

use axum::extract::State;
use badlambda_shared::process::metrics;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};

/// All is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(pattern = "^ok$")]
    pub(crate) status: &'static str,
}

/// Tell whether the process answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "GetLiveness", tag = "probes", security(()),
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(crate) async fn live() -> ApiResponse {
    ApiResponse::Healthy
}

/// Tell whether the queue and the bucket answer, and the API is not stopping.
#[utoipa::path(
    get, path = "/readyz", operation_id = "GetReadiness", tag = "probes", security(()),
    responses(
        (status = 200, description = "All is well.", body = Health),
        (status = 503, description = "It is not ready."),
    ),
)]
pub(crate) async fn ready(State(app): AppState) -> ApiResult {
    if app.shutdown.soft.is_cancelled() {
        return Err(ApiError::Draining);
    }
    app.readiness.check().await.map(|()| ApiResponse::Healthy).map_err(ApiError::Unavailable)
}

/// Show what this process has counted, in Prometheus's text format.
#[utoipa::path(
    get, path = "/metrics", operation_id = "GetMetrics", tag = "probes",
    responses((status = 200, description = "All metrics.", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics() -> ApiResponse {
    ApiResponse::Metrics(metrics::render())
}
