//! What a request to create or publish asks for, checked in full before anything is written.

use axum::body::Body;
use axum::http::HeaderMap;
use badlambda_shared::function::{ConfigFieldError, FunctionConfig, RevisionContent};
use badlambda_shared::name::FunctionName;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::app::App;
use crate::functions::syntax::{self, CodeError};
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::part::{InvalidPart, Part};
use crate::schema;

/// A revision that may have to be stored, and its code.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) code: String,
    pub(crate) content: RevisionContent,
}

/// A function that is to be created or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionRequest {
    /// The function's name; without one, a new function gets one.
    #[schema(schema_with = schema::name_if_any)]
    name: Option<FunctionName>,
    /// Ruby code.
    #[schema(min_length = 1)]
    code: String,
    #[serde(default)]
    #[schema(value_type = schema::FunctionConfigRequest)]
    config: FunctionConfig,
}

/// The most bytes of a body that may hold code: in JSON each of its bytes may take six.
pub(crate) fn most_body_bytes(max_code_bytes: usize) -> usize {
    const REST: usize = 64 * 1024;
    max_code_bytes.saturating_mul(6).saturating_add(REST)
}

/// Reads JSON or Ruby, by the body's media type. Answers the name in the body beside the draft.
pub(crate) async fn read(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Option<FunctionName>, Draft), ApiError> {
    let most = most_body_bytes(app.max_code_bytes);
    let too_large = ApiError::CodeTooLarge(app.max_code_bytes);
    let Received { bytes, permit: _permit } = body::receive(&app.admission, body, most, too_large).await?;
    let request: FunctionRequest = match body::media_type(headers).as_deref() {
        Some(json) if body::is_json(json) => json::read(&bytes)?,
        Some("application/x-ruby" | "text/x-ruby") => ruby(&bytes)?,
        _ => {
            return Err(ApiError::UnsupportedMediaType(
                "send JSON with `Content-Type: application/json`, or Ruby with `Content-Type: application/x-ruby`",
            ));
        }
    };
    let FunctionRequest { name, code, config } = request;
    Ok((name, check(app, code, config).await?))
}

/// Checks code and config in full.
pub(crate) async fn check(app: &App, code: String, config: FunctionConfig) -> Result<Draft, ApiError> {
    let refused = config.refused_fields();
    if !refused.is_empty() {
        return Err(ApiError::Invalid(refused.into_iter().map(InvalidPart::from).collect()));
    }
    if code.len() > app.max_code_bytes {
        return Err(ApiError::CodeTooLarge(app.max_code_bytes));
    }
    if code.trim().is_empty() {
        return Err(ApiError::in_body(&["code"], "it must not be empty"));
    }
    let form = syntax::inspect(code.clone(), config.handler.clone()).await?;
    let (code_sha256, code_bytes) = (hex::encode(Sha256::digest(&code)), code.len() as u64);
    Ok(Draft { code, content: RevisionContent { code_sha256, code_bytes, form, config } })
}

fn ruby(bytes: &[u8]) -> Result<FunctionRequest, ApiError> {
    let code = std::str::from_utf8(bytes)
        .map_err(|error| ApiError::in_body(&["code"], format!("it must be UTF-8: {error}")))?;
    Ok(FunctionRequest { name: None, code: code.to_owned(), config: FunctionConfig::default() })
}

impl From<ConfigFieldError> for InvalidPart {
    fn from(ConfigFieldError { field, expected }: ConfigFieldError) -> Self {
        let names = std::iter::once("config".to_owned()).chain(field).collect();
        Self { part: Part::Body(names), reason: expected }
    }
}

impl From<CodeError> for ApiError {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Syntax { message, line, column } => Self::SyntaxError { message, line, column },
            CodeError::NoHandler(_) => Self::in_body(&["config", "handler"], error),
            CodeError::Parser(detail) => Self::Unavailable(detail),
        }
    }
}
