//! `POST …/maps`: takes a map on.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::Version;
use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::limits;
use badlambda_shared::map::{Manifest, Map, MapId};
use badlambda_shared::process::telemetry;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::cancel::store_cancelled;
use super::counts::Counts;
use super::progress::read_manifest;
use super::send::send_all;
use super::upload::{ChunkSize, Uploaded, delete_map, upload};
use crate::app::{App, AppState};
use crate::executions::idempotency::{self, Claim, Unsent};
use crate::executions::ticket::Ticket;
use crate::functions::manifest::to_json;
use crate::http::body;
use crate::http::error::ApiError;
use crate::http::request::{FunctionPath, Query, parsed};
use crate::http::response::{ApiResponse, ApiResult};
use crate::http::trace::trace;
use crate::schema;
use crate::schema::parameters::IdempotencyKeyHeader;

/// The query of `POST …/maps`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MapQuery {
    /// Which version is run: its number, an alias or `$LATEST`.
    #[param(schema_with = schema::version)]
    version: Option<String>,
    /// How many inputs a chunk has, which one worker runs. Without it, as many as take some seconds.
    #[param(schema_with = schema::chunk_items)]
    chunk: Option<u32>,
}

/// A map that is to be taken on.
struct Submission {
    function: FunctionName,
    wanted: Option<VersionRef>,
    version: Arc<Version>,
    chunk: Option<u32>,
    id: MapId,
    key: Option<String>,
    trace: Trace,
}

/// Run a function over many inputs.
///
/// An input on each line, at most a million. Nothing of it is run before all have come. Each input is run as an execution
/// is, in a process of its own, but it has no record and no logs: what came of it is a line of the map's results.
#[utoipa::path(
    post, path = "/v1/functions/{function}/maps", operation_id = "CreateMap", tag = "maps",
    params(FunctionPath, MapQuery, IdempotencyKeyHeader),
    request_body(content = String, content_type = "application/x-ndjson",
        example = json!("{\"name\": \"Ada\"}\n{\"name\": \"Grace\"}\n")),
    responses(
        (status = 202, description = "It is taken on.", body = Map, headers(("Location"), ("Retry-After"))),
        (status = 415, description = "The body is not an input on each line."),
    ),
)]
pub(crate) async fn create(
    State(app): AppState,
    FunctionPath(function): FunctionPath,
    Query(query): Query<MapQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let wanted = query.version.as_deref().map(|version| parsed("version", version)).transpose()?;
    let most = limits::MAX_CHUNK_ITEMS;
    if query.chunk.is_some_and(|chunk| !(1..=most).contains(&chunk)) {
        return Err(ApiError::parameter("chunk", format!("it must be a whole number from 1 to {most}")));
    }
    if body::media_type(&headers).as_deref() == Some("application/json") {
        let reason = "a map takes an input on each line; send it as `Content-Type: application/x-ndjson`";
        return Err(ApiError::UnsupportedMediaType(reason));
    }
    let id = MapId::issue(&function);
    tracing::Span::current().record("map", tracing::field::display(&id));
    let version = app.catalog.resolve(&function, wanted.as_ref(), Some(&id.clone().into())).await?;
    let submission = Submission {
        function,
        wanted,
        version,
        chunk: query.chunk,
        id,
        key: idempotency::key(&headers)?,
        trace: telemetry::from_here(trace(&headers)),
    };
    // It goes on without its client, to delete what it has stored, or to send the rest.
    let taking_on = app.tasks.spawn(submission.take_on(Arc::clone(&app), body));
    let manifest =
        taking_on.await.map_err(|error| ApiError::Internal(format!("a map was not taken on: {error}")))??;
    Ok(ApiResponse::AcceptedMap(Box::new(queued(&manifest))))
}

impl Submission {
    async fn take_on(self, app: Arc<App>, body: Body) -> Result<Manifest, ApiError> {
        let Uploaded { chunks, digest } = upload(&app, &self.id, self.chunk_size(&app), body).await?;
        let manifest = Manifest {
            id: self.id.clone(),
            function: self.function.clone(),
            version: self.version.version,
            revision: self.version.revision.clone(),
            submitted_at: Timestamp::now(),
            chunks,
        };
        let claimed = self.claim(&app, &manifest, &digest).await;
        let is_own = claimed.as_ref().is_ok_and(|(claimed, _)| claimed.id == self.id);
        if !is_own {
            delete_map(&app, &manifest).await;
        }
        let (manifest, to_send) = claimed?;
        match to_send {
            ToSend::Nothing => {}
            ToSend::WithKey(unsent) => {
                // A repeated request sends it again.
                send_all(&app, &manifest, &self.trace).await?;
                unsent.note_sent(&app).await;
            }
            ToSend::WithoutKey => self.send_or_cancel(&app, &manifest).await?,
        }
        Ok(manifest)
    }

    /// Stores the manifest, and finds the map that the request stands for: this one, or, by its `Idempotency-Key`, an
    /// earlier one.
    async fn claim(
        &self,
        app: &Arc<App>,
        manifest: &Manifest,
        digest: &[u8],
    ) -> Result<(Manifest, ToSend), ApiError> {
        app.store.put(&app.store.keys().map(&self.id), to_json(manifest)?, JSON, Condition::Absent).await?;
        let Some(key) = &self.key else { return Ok((manifest.clone(), ToSend::WithoutKey)) };
        let wanted = self.wanted.as_ref().map(ToString::to_string).unwrap_or_default();
        let chunk = self.chunk.unwrap_or_default().to_string();
        let fingerprint = idempotency::fingerprint(&[b"map", wanted.as_bytes(), chunk.as_bytes(), digest]);
        let issue = || Ticket {
            id: self.id.clone().into(),
            version: Some(manifest.version),
            revision: Some(manifest.revision.clone()),
            submitted_at: manifest.submitted_at,
            replay_of: None,
        };
        let (ticket, claim) = idempotency::claim(app, &self.function, key, &fingerprint, issue).await?;
        let id = MapId::from(ticket.id);
        let claimed =
            if id == self.id { manifest.clone() } else { read_manifest(app, &self.function, &id).await? };
        Ok(match claim {
            Claim::Sent => (claimed, ToSend::Nothing),
            Claim::ToSend(unsent) => (claimed, ToSend::WithKey(Box::new(unsent))),
        })
    }

    /// Where not all of it can be sent, nothing of it is to be run: what was sent is dropped.
    async fn send_or_cancel(&self, app: &Arc<App>, manifest: &Manifest) -> Result<(), ApiError> {
        let sent = send_all(app, manifest, &self.trace).await;
        if sent.is_err()
            && let Err(error) = store_cancelled(app, &manifest.id).await
        {
            tracing::warn!(map = %manifest.id, %error, "a part of a map that was not accepted may be run");
        }
        sent
    }

    fn chunk_size(&self, app: &App) -> ChunkSize {
        match self.chunk {
            Some(items) => ChunkSize::Fixed(items),
            None => {
                let run = app.run_times.typical_run(&self.function, self.version.version);
                ChunkSize::AtLeast(items_of_chunk(run))
            }
        }
    }
}

/// What is left to do for a map.
enum ToSend {
    /// Nothing: the queue has had it before.
    Nothing,
    /// All of it.
    WithoutKey,
    /// The same, and to note under its key that it was sent.
    WithKey(Box<Unsent>),
}

/// How many items a worker runs in some seconds, if one takes so long.
fn items_of_chunk(run: Option<Duration>) -> u32 {
    let Some(run) = run else { return limits::CHUNK_ITEMS_UNKNOWN };
    let fit = (limits::CHUNK_TIME * limits::CHUNK_SLOTS).as_nanos() / run.as_nanos().max(1);
    let [fewest, most] = limits::CHUNK_ITEMS;
    u32::try_from(fit).unwrap_or(u32::MAX).clamp(fewest, most)
}

/// The map as it is until a worker has begun with it.
fn queued(manifest: &Manifest) -> Map {
    Counts::of(manifest).map(manifest, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_takes_some_seconds() {
        let items = |ms| items_of_chunk(Some(Duration::from_millis(ms)));
        assert_eq!([0, 1, 50, 1000, 20_000].map(items), [5000, 5000, 320, 16, 8]);
        assert_eq!(items_of_chunk(None), 500);
    }
}
