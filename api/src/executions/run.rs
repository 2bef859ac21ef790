//! `POST /v1/run`: executes code that is no function's, once.
//!
//! Code and config are stored in one object, under the name of their revision, which the message names, too. No function is
//! made: the execution runs under a name that no function can have.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::execution::Execution;
use badlambda_shared::function::name::{FunctionName, Revision};
use badlambda_shared::function::{FunctionConfig, OneShot, RevisionContent};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, AppState};
use crate::executions::accept::{Code, Submission, accept};
use crate::executions::submit::{check, delay};
use crate::functions::draft::{self, Draft, most_body_bytes};
use crate::functions::manifest::to_json;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::request::Query;
use crate::http::response::ApiResult;
use crate::schema;
use crate::schema::parameters::{IdempotencyKeyHeader, PreferHeader};

/// The query of `POST /v1/run`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunQuery {
    /// For how many seconds no worker has it.
    #[param(schema_with = schema::delay)]
    delay: Option<u64>,
}

/// Code that is executed once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// Ruby code.
    #[schema(min_length = 1)]
    code: String,
    /// What the code is given.
    #[serde(default, deserialize_with = "json::present")]
    #[schema(schema_with = schema::any_json)]
    input: Option<Box<RawValue>>,
    #[serde(default)]
    #[schema(value_type = schema::FunctionConfigRequest)]
    config: FunctionConfig,
}

/// Execute code once, without a function.
///
/// The code is checked as at creation. The execution runs under the name `_run`, and its `version` is null.
#[utoipa::path(
    post, path = "/v1/run", operation_id = "RunOnce", tag = "executions",
    params(RunQuery, PreferHeader, IdempotencyKeyHeader),
    request_body(content = RunRequest, example = json!({"code": "event.sum", "input": [1, 2, 3]})),
    responses(
        (status = 202, description = "It is taken on, and not finished.", body = Execution,
            headers(("Location"), ("Retry-After"), ("Preference-Applied"))),
        (status = 200, description = "It is finished, within the wait or by an earlier request with the same key.",
            body = Execution, headers(("Preference-Applied"))),
        (status = 415, description = "The body is not JSON."),
    ),
)]
pub(crate) async fn run(
    State(app): AppState,
    Query(query): Query<RunQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let delay = delay(query.delay)?;
    let most = most_body_bytes(app.max_code_bytes).saturating_add(app.max_input_bytes);
    let Received { bytes, permit } =
        body::receive(&app.admission, body, most, ApiError::BodyTooLarge(most)).await?;
    if !body::media_type(&headers).is_some_and(|media_type| body::is_json(&media_type)) {
        return Err(ApiError::UnsupportedMediaType("send JSON with `Content-Type: application/json`"));
    }
    let RunRequest { code, input, config } = json::read(&bytes)?;
    drop(bytes);
    let input = input.unwrap_or_else(|| RawValue::NULL.to_owned());
    check(&app, &input, &["input"])?;
    if !config.layers.is_empty() {
        return Err(ApiError::in_body(&["config", "layers"], "leave it out: only functions have layers"));
    }
    let Draft { content, .. } = draft::check(&app, code.clone(), config).await?;
    let code = Code::Revision(store(&app, code, content).await?);
    let function = FunctionName::one_shot();
    accept(
        app,
        &headers,
        Submission { function, code, input, replay_of: None, delay, invocation: None, permit },
    )
    .await
}

/// Stores code and config as a revision. What was there already is written again: it expires by its age.
async fn store(app: &App, code: String, content: RevisionContent) -> Result<Revision, ApiError> {
    let revision = content.revision();
    let bytes = to_json(&OneShot { code, form: content.form, config: content.config })?;
    app.store.put(&app.store.keys().one_shot(&revision), bytes, JSON, Condition::Always).await?;
    Ok(revision)
}
