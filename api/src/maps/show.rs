//! `GET …/maps/{id}`: how far a map is.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::map::Map;
use tokio::time::Instant;

use crate::app::AppState;
use crate::executions::looks;
use crate::http::prefer;
use crate::http::request::MapPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::metrics::WAITS;
use crate::schema::parameters::PreferHeader;

/// Who waits looks so often: each look costs a list of the chunks that are begun.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first looks follow one another faster, since a map may be small.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Show a map, or wait for it.
#[utoipa::path(
    get, path = "/v1/functions/{function}/maps/{id}", operation_id = "GetMap", tag = "maps",
    params(MapPath, PreferHeader),
    responses((status = 200, description = "The map as it stands.", body = Map,
        headers(("Retry-After"), ("Preference-Applied")))),
)]
pub(crate) async fn show(
    State(app): AppState,
    MapPath(function, id): MapPath,
    headers: HeaderMap,
) -> ApiResult {
    let wait = prefer::wait(&headers);
    let until = Instant::now() + wait.map_or(Duration::ZERO, prefer::Wait::duration);
    let _counted = wait.map(|_| WAITS.count(1));
    let progress = app.maps.find(&app, &function, &id).await?;
    let mut pause = FIRST_PAUSE;
    loop {
        let map = progress.map(&app).await?;
        let left = until.saturating_duration_since(Instant::now());
        if map.status.is_final() || left.is_zero() || app.shutdown.soft.is_cancelled() {
            return Ok(ApiResponse::PolledMap(Box::new(map), wait));
        }
        looks::pause(&app, pause.min(left)).await;
        pause = (pause * 2).min(LOOK_EVERY);
    }
}
