//! `GET /v1/executions` and `GET …/executions`: what ended, the newest first, and before it what runs.

use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use badlambda_shared::execution::{ErrorKind, ListedExecution, Status};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, AppState};
use crate::http::error::ApiError;
use crate::http::page::{page, page_limit};
use crate::http::request::{FunctionPath, Query, parsed};
use crate::http::response::ApiResult;
use crate::index::{Filter, Page, Position};
use crate::schema;
use crate::schema::parameters::ExecutionsCursor;
use crate::tokens::Caller;

/// The query of both lists.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Those that stand like this.
    #[param(schema_with = schema::listed_status, example = "succeeded")]
    status: Option<String>,
    /// Those whose error is of this kind.
    #[param(schema_with = schema::error_kind)]
    kind: Option<String>,
    /// Those of this version.
    #[param(schema_with = schema::number)]
    version: Option<u32>,
    /// Those that ended at this time or later: RFC 3339, or `15m`, `2h`, `7d` ago.
    #[param(schema_with = schema::moment, example = "2h")]
    since: Option<String>,
    /// Those that ended before this time.
    #[param(schema_with = schema::moment)]
    until: Option<String>,
    /// How many entries a page may have.
    #[param(schema_with = schema::listed_limit)]
    limit: Option<usize>,
    #[param(ignore)]
    cursor: Option<String>,
}

/// A page of executions, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExecutionPage {
    executions: Vec<ListedExecution>,
    /// The `cursor` of the next page.
    next: Option<String>,
}

/// List the executions of all functions.
///
/// What ended, the newest first, and before it what has run for over 5 s. A page may be short and still have a `next`.
#[utoipa::path(
    get, path = "/v1/executions", operation_id = "ListExecutions", tag = "executions",
    params(ListQuery, ExecutionsCursor),
    responses((status = 200, description = "A page of executions.", body = ExecutionPage, headers(("Link")))),
)]
pub(crate) async fn all(
    State(app): AppState,
    caller: Caller,
    uri: Uri,
    Query(query): Query<ListQuery>,
) -> ApiResult {
    list(&app, &uri, Filter { functions: caller.functions().cloned(), ..Filter::default() }, query).await
}

/// List the executions of a function.
///
/// What ended, the newest first, and before it what has run for over 5 s. A page may be short and still have a `next`.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions", operation_id = "ListFunctionExecutions", tag = "executions",
    params(FunctionPath, ListQuery, ExecutionsCursor),
    responses((status = 200, description = "A page of executions.", body = ExecutionPage, headers(("Link")))),
)]
pub(crate) async fn of_function(
    State(app): AppState,
    FunctionPath(function): FunctionPath,
    uri: Uri,
    Query(query): Query<ListQuery>,
) -> ApiResult {
    app.require_function(&function).await?;
    list(&app, &uri, Filter { functions: Some([function].into()), ..Filter::default() }, query).await
}

async fn list(app: &App, uri: &Uri, filter: Filter, query: ListQuery) -> ApiResult {
    let limit = page_limit(query.limit, limits::MAX_LISTED)?;
    let from: Option<Position> =
        query.cursor.as_deref().map(|cursor| parsed("cursor", cursor)).transpose()?;
    let filter = Filter {
        status: query.status.as_deref().map(status).transpose()?,
        kind: query.kind.as_deref().map(kind).transpose()?,
        version: query.version,
        since_ms: query.since.as_deref().map(|since| moment("since", since)).transpose()?,
        until_ms: query.until.as_deref().map(|until| moment("until", until)).transpose()?,
        ..filter
    };
    let Page { lines, next } = app.index.find(&filter, from, limit).await?;
    let executions: Vec<ListedExecution> = lines.into_iter().map(ListedExecution::from).collect();
    let next = next.map(|position| position.to_string());
    Ok(page(uri, next, |next| ExecutionPage { executions, next }))
}

fn status(text: &str) -> Result<Status, ApiError> {
    match named(text) {
        Some(Status::Queued) => Err(ApiError::parameter(
            "status",
            "what is queued is in the queue alone, and can't be listed; GET /v1/stats counts it",
        )),
        Some(status) => Ok(status),
        None => {
            Err(ApiError::parameter("status", "it must be `running`, `succeeded`, `failed` or `cancelled`"))
        }
    }
}

fn kind(text: &str) -> Result<ErrorKind, ApiError> {
    named(text).ok_or_else(|| {
        ApiError::parameter("kind", "it must be the `kind` of an execution's error, such as `timeout`")
    })
}

fn named<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(json!(text)).ok()
}

/// A time, or how long ago it was, in milliseconds since 1970.
fn moment(field: &str, text: &str) -> Result<i64, ApiError> {
    if let Some(ago) = duration(text) {
        return Ok(Timestamp::now()
            .unix_ms()
            .saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)));
    }
    // In a query, a plus that is not encoded is a blank.
    let time = named::<Timestamp>(&text.replace(' ', "+"));
    let reason = "it must be a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z, or how long ago it was, such as 15m, 2h or 7d";
    time.map(Timestamp::unix_ms).ok_or_else(|| ApiError::parameter(field, reason))
}

fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago_it_was() {
        let ago = |text| Timestamp::now().unix_ms() - moment("since", text).unwrap();
        assert!((900_000..905_000).contains(&ago("15m")));
        assert!((7 * 86_400_000..7 * 86_400_000 + 5_000).contains(&ago("7d")));
        assert_eq!(moment("since", "1970-01-01T01:00:05 01:00").unwrap(), 5_000);
        for bad in ["", "m", "15", "15w", "-1h", "yesterday", "99999999999999999999d"] {
            assert!(moment("since", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_queued_is_not_listed() {
        assert_eq!(status("failed").unwrap(), Status::Failed);
        assert!(status("queued").is_err() && status("Failed").is_err());
        assert_eq!(kind("result_too_large").unwrap(), ErrorKind::ResultTooLarge);
    }
}
