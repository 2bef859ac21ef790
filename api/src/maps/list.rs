//! `GET /v1/maps`: all maps, the newest first.

use axum::extract::State;
use axum::http::Uri;
use badlambda_shared::limits;
use badlambda_shared::map::{ListedMap, Manifest, MapId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::progress::stored_manifest;
use crate::app::AppState;
use crate::http::page::{PageQuery, folders, page};
use crate::http::request::{Query, parsed};
use crate::http::response::ApiResult;
use crate::schema::parameters::MapsCursor;
use crate::tokens::Caller;

/// A page of maps, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapPage {
    maps: Vec<ListedMap>,
    /// The `cursor` of the next page.
    next: Option<String>,
}

/// List maps.
///
/// The newest first. How far each is, its own call tells: to count it takes a look at each of its chunks. A page may hold
/// fewer than asked for and still have a `next`.
#[utoipa::path(
    get, path = "/v1/maps", operation_id = "ListMaps", tag = "maps",
    params(PageQuery, MapsCursor),
    responses((status = 200, description = "A page of maps.", body = MapPage, headers(("Link")))),
)]
pub(crate) async fn list(
    State(app): AppState,
    caller: Caller,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> ApiResult {
    let limit = query.limit()?;
    let after: Option<MapId> = query.cursor.as_deref().map(|cursor| parsed("cursor", cursor)).transpose()?;
    let (ids, next): (Vec<MapId>, _) =
        folders(&app.store, &app.store.keys().maps(), after.as_ref(), limit).await?;
    let read = |id: MapId| {
        let app = &app;
        async move { stored_manifest(app, &id).await }
    };
    let manifests: Vec<Option<Manifest>> =
        stream::iter(ids).map(read).buffered(limits::READS_AT_ONCE).try_collect().await?;
    let own = manifests.iter().flatten().filter(|manifest| caller.require(&manifest.function).is_ok());
    let maps = own.map(ListedMap::from).collect();
    Ok(page(&uri, next.map(|id| id.to_string()), |next| MapPage { maps, next }))
}
