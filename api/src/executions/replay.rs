//! `POST …/executions/{id}/replay`: executes once more what was executed before.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::name::VersionRef;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::{App, AppState};
use crate::executions::accept::{Code, Submission, accept};
use crate::executions::poll;
use crate::executions::results::has_begun;
use crate::executions::submit::check;
use crate::http::admission::BodyPermit;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::request::ExecutionPath;
use crate::http::response::ApiResult;
use crate::schema;
use crate::schema::parameters::{IdempotencyKeyHeader, PreferHeader};

/// How much a body takes beside an input.
const REST_BYTES: usize = 4096;

/// What is to be different. Without a version it is the one that was executed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    /// Which version is executed.
    #[serde(default, deserialize_with = "json::version")]
    version: Option<VersionRef>,
    /// What it is given in place of the input that was kept.
    #[serde(default, deserialize_with = "json::present")]
    #[schema(schema_with = schema::any_json)]
    input: Option<Box<RawValue>>,
}

/// Execute again.
///
/// Without a body as it was: the same version, and the input that was kept.
#[utoipa::path(
    post, path = "/v1/functions/{function}/executions/{id}/replay", operation_id = "ReplayExecution", tag = "executions",
    params(ExecutionPath, PreferHeader, IdempotencyKeyHeader),
    request_body(content = Option<ReplayRequest>, example = json!({"input": {"name": "Grace"}})),
    responses(
        (status = 202, description = "It is taken on, and not finished.", body = Execution,
            headers(("Location"), ("Retry-After"), ("Preference-Applied"))),
        (status = 200, description = "It is finished, within the wait or by an earlier request with the same key.",
            body = Execution, headers(("Preference-Applied"))),
        (status = 409, description = "No worker has told of it yet, it is not finished, or its input was not kept."),
    ),
)]
pub(crate) async fn replay(
    State(app): AppState,
    ExecutionPath(function, id): ExecutionPath,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let most = app.max_input_bytes;
    let Received { bytes, mut permit } =
        body::receive(&app.admission, body, most + REST_BYTES, ApiError::InputTooLarge(most)).await?;
    let request: ReplayRequest =
        if bytes.is_empty() { ReplayRequest::default() } else { json::read(&bytes)? };
    if let Some(input) = &request.input {
        check(&app, input, &["input"])?;
    }
    let original = has_begun(poll::find(&app, function, id, Duration::ZERO).await?)?;
    if request.version.is_some() && original.function.is_one_shot() {
        return Err(ApiError::in_body(&["version"], "a one-shot execution has none; leave it out"));
    }
    let version = request.version.or(original.version.map(VersionRef::Number));
    let code = match (version, &original.revision) {
        (None, Some(revision)) => Code::Revision(revision.clone()),
        (version, _) => Code::Version(version),
    };
    let replay_of = Some(original.id.clone());
    let function = original.function.clone();
    let input = match request.input {
        Some(input) => input,
        None => kept_input(&app, original, &mut permit).await?,
    };
    let delay = Duration::ZERO;
    accept(app, &headers, Submission { function, code, input, replay_of, delay, invocation: None, permit })
        .await
}

async fn kept_input(app: &App, original: Record, permit: &mut BodyPermit) -> Result<Box<RawValue>, ApiError> {
    if let Some(input) = original.input {
        return Ok(input);
    }
    let missing = if original.status.is_final() { ApiError::InputNotKept } else { ApiError::NotFinished };
    let key = original.input_key.ok_or(missing)?;
    let object = app.store.get(&key, app.max_input_bytes as u64).await?.ok_or(ApiError::InputNotKept)?;
    permit.take(object.bytes.len())?;
    serde_json::from_slice(&object.bytes)
        .map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))
}
