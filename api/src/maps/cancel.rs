//! `DELETE …/maps/{id}`: cancels a map. An object says so. Workers look for it before they begin with a chunk, and every two
//! seconds while they run one.

use axum::extract::State;
use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::map::{Cancelled, Map, MapId, MapStatus};
use badlambda_shared::timestamp::Timestamp;

use crate::app::{App, AppState};
use crate::functions::manifest::to_json;
use crate::http::error::ApiError;
use crate::http::request::MapPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::metrics::CANCELS;

/// Cancel a map.
///
/// What has ended by then is among its results. To cancel again what was cancelled is no error.
#[utoipa::path(
    delete, path = "/v1/functions/{function}/maps/{id}", operation_id = "CancelMap", tag = "maps",
    params(MapPath),
    responses(
        (status = 202, description = "It is cancelled. What runs is ended within some seconds.", body = Map,
            headers(("Location"), ("Retry-After"))),
        (status = 409, description = "It has finished."),
    ),
)]
pub(crate) async fn cancel(State(app): AppState, MapPath(function, id): MapPath) -> ApiResult {
    let progress = app.maps.find(&app, &function, &id).await?;
    let map = progress.map(&app).await?;
    if map.status == MapStatus::Finished {
        return Err(ApiError::MapFinished);
    }
    if map.status != MapStatus::Cancelled {
        store_cancelled(&app, &id).await?;
        CANCELS.count([]);
    }
    progress.forget_look().await;
    Ok(ApiResponse::AcceptedMap(Box::new(progress.map(&app).await?)))
}

/// Stores that the map is cancelled, unless it was before.
pub(super) async fn store_cancelled(app: &App, id: &MapId) -> Result<(), ApiError> {
    let cancelled = to_json(&Cancelled { cancelled_at: Timestamp::now() })?;
    let key = app.store.keys().map_cancelled(id);
    Ok(app.store.put(&key, cancelled, JSON, Condition::Absent).await.map(drop)?)
}
