//! `POST /v1/run`: executes code that is no function's, once.
//!
//! Code and config are stored in one object, under their hash, which the message names. No function is made: the
//! execution runs under a name that no function can have.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::function::{FunctionConfig, OneShot};
use badlambda_shared::name::{FunctionName, NameError, Revision};
use badlambda_shared::store::{Condition, JSON};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

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

/// The query of `POST /v1/run`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunQuery {
    delay: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    code: String,
    #[serde(default, deserialize_with = "json::present")]
    input: Option<Box<RawValue>>,
    #[serde(default)]
    config: FunctionConfig,
}

/// `POST /v1/run`
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
    let Request { code, input, config } = json::read(&bytes)?;
    drop(bytes);
    let input = input.unwrap_or_else(|| RawValue::NULL.to_owned());
    check(&app, &input, &["input"])?;
    let draft = draft::check(&app, code, config).await?;
    let code = Code::OneShot(store(&app, draft).await?);
    let function = FunctionName::one_shot();
    accept(app, &headers, Submission { function, code, input, replay_of: None, delay, permit }).await
}

/// Stores code and config under their hash. What was there already is written again: it expires by its age.
async fn store(app: &App, draft: Draft) -> Result<Revision, ApiError> {
    let Draft { code, form, config, .. } = draft;
    let bytes = to_json(&OneShot { code, form, config })?;
    let revision: Result<Revision, NameError> = hex::encode(Sha256::digest(&bytes)).parse();
    let revision = revision.map_err(|error| ApiError::Internal(error.to_string()))?;
    app.store.put(&app.store.keys().one_shot(&revision), bytes, JSON, Condition::Always).await?;
    Ok(revision)
}
