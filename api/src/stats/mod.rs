//! `GET /v1/stats` and `GET …/stats`: how the queue stands, and what ended lately. Both are made of the index and the
//! queues, and are a few seconds old at most, so that many consoles cost no more than one.

pub(crate) mod samples;
mod summary;

use std::hash::Hash;
use std::sync::Arc;

use axum::extract::State;
use badlambda_shared::aws::queue::Depth;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use badlambda_shared::stats::{FleetStats, FunctionStats, QueueSample, QueueStats};
use badlambda_shared::timestamp::Timestamp;
use moka::future::Cache;
use serde_json::{Value, json};

use self::summary::Summaries;
use crate::app::{App, AppState};
use crate::http::error::ApiError;
use crate::http::request::FunctionPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::index::Filter;
use crate::tokens::Caller;

const MINUTE_MS: i64 = 60_000;
/// Of the whole fleet, by minute.
const FLEET: Periods = Periods { each_ms: MINUTE_MS, count: 15 };
/// Of one function, by five minutes.
const FUNCTION: Periods = Periods { each_ms: 5 * MINUTE_MS, count: 12 };
/// For how many callers and functions they are remembered.
const REMEMBERED: u64 = 1_000;

/// Stats that were made a moment ago.
#[derive(Debug)]
pub(crate) struct Stats {
    /// By the functions that the caller is limited to, if to some.
    fleet: Cache<Option<Vec<FunctionName>>, Arc<Value>>,
    functions: Cache<FunctionName, Arc<Value>>,
}

/// How the past is divided, up to the end of the present period.
#[derive(Clone, Copy)]
struct Periods {
    each_ms: i64,
    count: i64,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self { fleet: cache(), functions: cache() }
    }
}

fn cache<K: Hash + Eq + Send + Sync + 'static>() -> Cache<K, Arc<Value>> {
    Cache::builder().max_capacity(REMEMBERED).time_to_live(limits::STATS_TTL).build()
}

/// Show how the queue stands, and what ended in the last 15 minutes.
///
/// A token for some functions sees what ended of these alone.
#[utoipa::path(
    get, path = "/v1/stats", operation_id = "GetStats", tag = "stats",
    responses((status = 200, description = "Two seconds old at most.", body = FleetStats)),
)]
pub(crate) async fn of_fleet(State(app): AppState, caller: Caller) -> ApiResult {
    let functions = caller.functions().map(|functions| functions.iter().cloned().collect());
    let made = app.stats.fleet.try_get_with(functions, async {
        let filter = Filter { functions: caller.functions().cloned(), ..Filter::default() };
        let ended = summaries(&app, filter, FLEET).await?;
        let (queue, dead_letters) = tokio::try_join!(app.queue.depth(), app.dead_letters.depth())
            .map_err(|error| ApiError::Unavailable(error.to_string()))?;
        let workers = app.index.workers().await?.count;
        // SQS does not tell the age of its oldest message. It hands out the oldest first, more or less: so that is about
        // how long those waited that began last.
        let oldest = |visible, at_ms| {
            let waited_ms = if visible == 0 { Some(0.0) } else { ended.wait_ms_before(at_ms) };
            waited_ms.map(|ms| (ms / 1000.0_f64).round())
        };
        let sample = |(at, depth): (Timestamp, Depth)| QueueSample {
            at,
            visible: depth.visible,
            delayed: depth.delayed,
            in_flight: depth.held,
            oldest_seconds: oldest(depth.visible, at.unix_ms()),
        };
        let samples = app.samples.all().into_iter().map(sample).collect();
        let queue = QueueStats {
            visible: queue.visible,
            delayed: queue.delayed,
            in_flight: queue.held,
            dead_lettered: dead_letters.visible + dead_letters.held,
            oldest_seconds: oldest(queue.visible, i64::MAX),
        };
        Ok::<_, ApiError>(Arc::new(json!(FleetStats { queue, workers, samples, minutes: ended.by_period() })))
    });
    answer(made.await)
}

/// Show what ended of a function in the last hour.
#[utoipa::path(
    get, path = "/v1/functions/{function}/stats", operation_id = "GetFunctionStats", tag = "stats",
    params(FunctionPath),
    responses((status = 200, description = "Two seconds old at most.", body = FunctionStats)),
)]
pub(crate) async fn of_function(State(app): AppState, FunctionPath(function): FunctionPath) -> ApiResult {
    app.require_function(&function).await?;
    let made = app.stats.functions.try_get_with(function.clone(), async {
        let filter = Filter { functions: Some([function.clone()].into()), ..Filter::default() };
        let ended = summaries(&app, filter, FUNCTION).await?;
        let (periods, versions) = (ended.by_period(), ended.by_version());
        Ok(Arc::new(json!(FunctionStats { function, periods, versions })))
    });
    answer(made.await)
}

async fn summaries(app: &App, filter: Filter, periods: Periods) -> Result<Summaries, ApiError> {
    let end_ms = (Timestamp::now().unix_ms() / periods.each_ms + 1) * periods.each_ms;
    let since_ms = end_ms - periods.count * periods.each_ms;
    let mut summaries = Summaries::new(since_ms, periods.each_ms, periods.count);
    let filter = Filter { since_ms: Some(since_ms), until_ms: Some(end_ms), ..filter };
    app.index.visit(&filter, since_ms, |row| summaries.add(row)).await?;
    Ok(summaries)
}

/// Whoever waited for the same is told of the same failure.
fn answer(made: Result<Arc<Value>, Arc<ApiError>>) -> ApiResult {
    match made {
        Ok(stats) => Ok(ApiResponse::Stats(stats)),
        Err(error) => Err(ApiError::Unavailable(error.to_string())),
    }
}
