//! `GET …/maps/{id}/results`: what came of the inputs, in their order, streamed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use badlambda_shared::map::{MapStatus, Part};
use futures::stream;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use utoipa::IntoParams;

use super::progress::Progress;
use crate::app::{App, AppState};
use crate::http::error::ApiError;
use crate::http::request::{MapPath, Query};
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema;

/// The query of `GET …/maps/{id}/results`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ResultsQuery {
    /// The index of the input whose result comes first.
    #[param(schema_with = schema::map_index)]
    from: Option<u64>,
}

/// Stream a map's results.
///
/// A line for each input, in their order: its `index`, and its `result` or `error`. While the map runs, they end before the
/// first input that has none yet; `from` goes on there. Of a map that was cancelled, there are those that had ended by then.
#[utoipa::path(
    get, path = "/v1/functions/{function}/maps/{id}/results", operation_id = "GetMapResults", tag = "maps",
    params(MapPath, ResultsQuery),
    responses((status = 200, description = "The results, as far as there are.", body = String,
        content_type = "application/x-ndjson")),
)]
pub(crate) async fn results(
    State(app): AppState,
    MapPath(function, id): MapPath,
    Query(query): Query<ResultsQuery>,
) -> ApiResult {
    let progress = app.maps.find(&app, &function, &id).await?;
    let (from, total) = (query.from.unwrap_or(0), progress.manifest.total());
    if from > total {
        return Err(ApiError::parameter(
            "from",
            format!("the map has {total} inputs, the first of which is 0"),
        ));
    }
    let permit = Arc::clone(&app.map_readers).try_acquire_owned().map_err(|_| ApiError::Busy)?;
    let has_gaps = progress.map(&app).await?.status == MapStatus::Cancelled;
    let reader = Reader::new(Arc::clone(&app), progress, from, has_gaps, permit);
    Ok(ApiResponse::Lines(Body::from_stream(stream::unfold(Some(reader), next_lines))))
}

type Fetch = JoinHandle<Result<Option<Part>, ApiError>>;

/// Reads the parts of one chunk after another, and the next one ahead.
struct Reader {
    app: Arc<App>,
    progress: Arc<Progress>,
    /// Where it is.
    chunk: u32,
    part: u32,
    /// The index of the line that comes next.
    next: u64,
    /// Where the chunk ends: the index of the next one's first input.
    end: u64,
    /// Lines of this chunk that come after one that is not there yet.
    held: BTreeMap<u64, Bytes>,
    /// The first part of the next chunk.
    ahead: Option<(u32, Fetch)>,
    /// What is not there never will be.
    has_gaps: bool,
    _permit: OwnedSemaphorePermit,
}

/// What a step of reading came to.
enum Step {
    /// These lines; there may be more.
    Lines(Vec<u8>),
    /// These lines, and no more for now.
    Last(Vec<u8>),
}

async fn next_lines(reader: Option<Reader>) -> Option<(Result<Vec<u8>, std::io::Error>, Option<Reader>)> {
    let mut reader = reader?;
    loop {
        match reader.step().await {
            Ok(Step::Lines(lines)) if lines.is_empty() => {}
            Ok(Step::Lines(lines)) => return Some((Ok(lines), Some(reader))),
            Ok(Step::Last(lines)) if lines.is_empty() => return None,
            Ok(Step::Last(lines)) => return Some((Ok(lines), None)),
            Err(error) => {
                tracing::error!(%error, "a map's results could not be read");
                // The answer has begun: its connection is broken off.
                return Some((Err(std::io::Error::other("the results could not be read")), None));
            }
        }
    }
}

impl Reader {
    fn new(
        app: Arc<App>,
        progress: Arc<Progress>,
        from: u64,
        has_gaps: bool,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let chunks = &progress.manifest.chunks;
        let (chunk, first) = progress.manifest.chunk_of(from).unwrap_or((chunks.len() as u32, from));
        let end = first + items(&progress, chunk);
        let (held, ahead) = (BTreeMap::new(), None);
        Self { app, progress, chunk, part: 0, next: from, end, held, ahead, has_gaps, _permit: permit }
    }

    async fn step(&mut self) -> Result<Step, ApiError> {
        if self.chunk as usize >= self.progress.manifest.chunks.len() {
            return Ok(Step::Last(vec![]));
        }
        let part = self.fetch().await?;
        let (is_there, is_closed) = (part.is_some(), part.as_ref().is_some_and(|part| part.head.is_closed));
        let is_last = part.as_ref().is_some_and(|part| part.head.is_last);
        if let Some(part) = part {
            self.held.extend(part.lines.into_iter().filter(|(index, _)| *index >= self.next));
        }
        if self.has_gaps && (is_last || !is_closed || !is_there) {
            let lines = std::mem::take(&mut self.held).into_values();
            let lines = joined(lines);
            self.next_chunk();
            return Ok(Step::Lines(lines));
        }
        let lines = self.in_order();
        if is_last {
            self.next_chunk();
        } else if is_closed {
            self.part += 1;
        } else {
            return Ok(Step::Last(lines));
        }
        Ok(Step::Lines(lines))
    }

    /// The lines that are next.
    fn in_order(&mut self) -> Vec<u8> {
        let mut lines = vec![];
        while let Some(line) = self.held.remove(&self.next) {
            lines.push(line);
            self.next += 1;
        }
        joined(lines.into_iter())
    }

    fn next_chunk(&mut self) {
        self.held.clear();
        self.chunk += 1;
        self.part = 0;
        self.next = self.end;
        self.end += items(&self.progress, self.chunk);
    }

    /// The part where it is; meanwhile the next chunk's first one is read, too.
    async fn fetch(&mut self) -> Result<Option<Part>, ApiError> {
        let fetch = match self.ahead.take() {
            Some((chunk, fetch)) if (chunk, 0) == (self.chunk, self.part) => fetch,
            other => {
                self.ahead = other;
                self.read(self.chunk, self.part)
            }
        };
        let next = self.chunk + 1;
        if self.ahead.is_none() && (next as usize) < self.progress.manifest.chunks.len() {
            self.ahead = Some((next, self.read(next, 0)));
        }
        fetch.await.map_err(|error| ApiError::Internal(format!("a part was not read: {error}")))?
    }

    fn read(&self, chunk: u32, part: u32) -> Fetch {
        let store = self.app.store.clone();
        let key = store.keys().map_part(&self.progress.manifest.id, chunk, part);
        tokio::spawn(async move {
            let object = store.get(&key, Part::MAX_BYTES).await?;
            let Some(object) = object else { return Ok(None) };
            let part = Part::read(&object.bytes.into());
            part.map(Some).map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some((_, fetch)) = &self.ahead {
            fetch.abort();
        }
    }
}

/// How many inputs this chunk has; none where there is no such chunk.
fn items(progress: &Progress, chunk: u32) -> u64 {
    progress.manifest.chunks.get(chunk as usize).copied().map_or(0, u64::from)
}

fn joined(lines: impl Iterator<Item = Bytes>) -> Vec<u8> {
    let mut joined = vec![];
    for line in lines {
        joined.extend_from_slice(&line);
        joined.push(b'\n');
    }
    joined
}
