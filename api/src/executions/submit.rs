//! `POST …/executions`: takes an execution on.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::message::depth_is_bounded;
use badlambda_shared::function::name::VersionRef;
use badlambda_shared::limits;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::IntoParams;

use crate::app::{App, AppState};
use crate::executions::accept::{Code, Submission, accept};
use crate::http::admission::BodyPermit;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::request::{FunctionPath, Query, parsed};
use crate::http::response::ApiResult;
use crate::schema::parameters::{IdempotencyKeyHeader, PreferHeader};
use crate::schema::{self, AnyJson};

/// The query of `POST …/executions` and of a batch.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SubmitQuery {
    /// Which version is executed: its number, an alias or `$LATEST`.
    #[param(schema_with = schema::version)]
    version: Option<String>,
    /// For how many seconds no worker has it.
    #[param(schema_with = schema::delay)]
    delay: Option<u64>,
}

impl SubmitQuery {
    pub(crate) fn version(&self) -> Result<Option<VersionRef>, ApiError> {
        self.version.as_deref().map(|version| parsed("version", version)).transpose()
    }

    pub(crate) fn delay(&self) -> Result<Duration, ApiError> {
        delay(self.delay)
    }
}

/// How long an execution is to wait before any worker may have it, if so many seconds were asked for.
pub(crate) fn delay(seconds: Option<u64>) -> Result<Duration, ApiError> {
    let (delay, most) = (Duration::from_secs(seconds.unwrap_or(0)), limits::SQS_LONGEST_DELAY);
    if delay <= most {
        return Ok(delay);
    }
    Err(ApiError::parameter("delay", format!("it must be from 0 to {} seconds", most.as_secs())))
}

/// Execute a function.
///
/// The body is the input, whatever its media type says; no body is `null`, as it is for a message without one.
#[utoipa::path(
    post, path = "/v1/functions/{function}/executions", operation_id = "ExecuteFunction", tag = "executions",
    params(FunctionPath, SubmitQuery, PreferHeader, IdempotencyKeyHeader),
    request_body(content = Option<AnyJson>, example = json!({"name": "Ada"})),
    responses(
        (status = 202, description = "It is taken on, and not finished.", body = Execution,
            headers(("Location"), ("Retry-After"), ("Preference-Applied"))),
        (status = 200, description = "It is finished, within the wait or by an earlier request with the same key.",
            body = Execution, headers(("Preference-Applied"))),
    ),
)]
pub(crate) async fn submit(
    State(app): AppState,
    FunctionPath(function): FunctionPath,
    Query(query): Query<SubmitQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let (version, delay) = (query.version()?, query.delay()?);
    let (input, permit) = input(&app, body).await?;
    let code = Code::Version(version);
    accept(
        app,
        &headers,
        Submission { function, code, input, replay_of: None, delay, invocation: None, permit },
    )
    .await
}

/// The input, and the room that it takes.
async fn input(app: &App, body: Body) -> Result<(Box<RawValue>, BodyPermit), ApiError> {
    let most = app.max_input_bytes;
    let Received { bytes, permit } =
        body::receive(&app.admission, body, most, ApiError::InputTooLarge(most)).await?;
    if bytes.is_empty() {
        return Ok((RawValue::NULL.to_owned(), permit));
    }
    let input: Box<RawValue> = serde_json::from_slice(&bytes).map_err(|error| json::not_json(&error))?;
    check(app, &input, &[])?;
    Ok((input, permit))
}

/// Whether it is an input that workers accept; `at` leads to it in the body.
pub(crate) fn check(app: &App, input: &RawValue, at: &[&str]) -> Result<(), ApiError> {
    if input.get().len() > app.max_input_bytes {
        return Err(ApiError::InputTooLarge(app.max_input_bytes));
    }
    if depth_is_bounded(input.get()) {
        return Ok(());
    }
    Err(ApiError::in_body(at, too_deep()))
}

/// That an input is nested too deeply.
pub(crate) fn too_deep() -> String {
    format!("it must not be nested deeper than {} levels", limits::MAX_JSON_DEPTH)
}
