//! What a request to create or publish asks for, checked in full before anything is written.

use axum::body::Body;
use axum::http::HeaderMap;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::{
    CodeType, Compatibility, ConfigFieldError, Form, FunctionConfig, Handler, RevisionContent,
};
use badlambda_shared::limits;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::app::App;
use crate::functions::syntax::{self, CodeError};
use crate::functions::zip;
use crate::http::admission::BodyPermit;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::part::{InvalidPart, Part};
use crate::schema;

/// A revision that may have to be stored, and its code: a Ruby file or a zip, as `content` says.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) code: Vec<u8>,
    pub(crate) content: RevisionContent,
}

/// A function that is to be created or changed. It has one of `code` and `zip`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionRequest {
    /// The function's name; without one, a new function gets one.
    #[schema(schema_with = schema::name_if_any)]
    name: Option<FunctionName>,
    /// Ruby code.
    #[schema(min_length = 1)]
    code: Option<String>,
    /// A zip with code, data and gems, in base64.
    #[schema(min_length = 1)]
    zip: Option<String>,
    #[serde(default)]
    #[schema(value_type = schema::FunctionConfigRequest)]
    config: FunctionConfig,
}

/// The most bytes of a body that may hold a Ruby file: in JSON each of its bytes may take six.
pub(crate) fn most_body_bytes(max_code_bytes: usize) -> usize {
    max_code_bytes.saturating_mul(6).saturating_add(REST_BYTES)
}

/// What a body may hold beside code.
const REST_BYTES: usize = 64 * 1024;
/// The most bytes of a body that may hold a zip: base64 makes four of three.
const MOST_ZIP_BODY_BYTES: usize = limits::MAX_ZIP_BYTES as usize / 3 * 4 + REST_BYTES;

/// Reads JSON, Ruby or a zip, by the body's media type. Answers the name in the body beside the draft, and the room that the
/// draft takes. `handler` is what the query says, for a body that has no place for it.
pub(crate) async fn read(
    app: &App,
    headers: &HeaderMap,
    handler: Option<String>,
    body: Body,
) -> Result<(Option<FunctionName>, Draft, BodyPermit), ApiError> {
    let most = most_body_bytes(app.max_code_bytes).max(MOST_ZIP_BODY_BYTES);
    let too_large = ApiError::CodeTooLarge(limits::MAX_ZIP_BYTES as usize);
    let Received { bytes, permit } = body::receive(&app.admission, body, most, too_large).await?;
    match body::media_type(headers).as_deref() {
        Some(json) if body::is_json(json) => {
            no_handler_beside_json(handler)?;
            let FunctionRequest { name, code, zip, config } = json::read(&bytes)?;
            drop(bytes);
            let draft = match (code, zip) {
                (Some(code), None) => check(app, code, config).await?,
                (None, Some(zip)) => check_zip(from_base64(&zip)?, config).await?,
                _ => return Err(ApiError::in_body(&["code"], "send one of `code` and `zip`")),
            };
            Ok((name, draft, permit))
        }
        Some("application/x-ruby" | "text/x-ruby") => {
            let config = FunctionConfig { handler, ..FunctionConfig::default() };
            Ok((None, check(app, ruby(bytes)?, config).await?, permit))
        }
        Some("application/zip" | "application/x-zip-compressed") => {
            let config = FunctionConfig { handler, ..FunctionConfig::default() };
            Ok((None, check_zip(bytes, config).await?, permit))
        }
        _ => Err(ApiError::UnsupportedMediaType(
            "send JSON with `Content-Type: application/json`, Ruby with `Content-Type: application/x-ruby`, or a zip with \
             `Content-Type: application/zip`",
        )),
    }
}

/// Checks code and config in full.
pub(crate) async fn check(app: &App, code: String, config: FunctionConfig) -> Result<Draft, ApiError> {
    check_config(&config)?;
    if config.handler.as_deref().and_then(Handler::of).is_some_and(|handler| handler.file.is_some()) {
        let reason = "it must be the name of a method; only a handler in a zip names its file, too";
        return Err(ApiError::in_body(&["config", "handler"], reason));
    }
    if code.len() > app.max_code_bytes {
        return Err(ApiError::CodeTooLarge(app.max_code_bytes));
    }
    if code.trim().is_empty() {
        return Err(ApiError::in_body(&["code"], "it must not be empty"));
    }
    let form = syntax::inspect(code.clone(), config.handler.clone()).await?;
    Ok(draft(code.into_bytes(), CodeType::Ruby, form, config))
}

/// Checks a zip with code, and config, in full.
pub(crate) async fn check_zip(zip: Vec<u8>, config: FunctionConfig) -> Result<Draft, ApiError> {
    check_config(&config)?;
    // AWS Lambda looks for the handler when it is called first.
    let handler = match config.compatibility {
        Compatibility::None => Some(file_of_handler(config.handler.as_deref())?),
        Compatibility::Lambda => None,
    };
    let (zip, code) = zip::checked(zip, handler.clone(), config.layers_bytes()).await?;
    if let Some(code) = code {
        syntax::parse(code).await.map_err(|error| in_file(error, handler.as_deref().unwrap_or_default()))?;
    }
    Ok(draft(zip, CodeType::Zip, Form::Handler, config))
}

fn draft(code: Vec<u8>, code_type: CodeType, form: Form, config: FunctionConfig) -> Draft {
    let (code_sha256, code_bytes) = (hex::encode(Sha256::digest(&code)), code.len() as u64);
    Draft { code, content: RevisionContent { code_sha256, code_bytes, code_type, form, config } }
}

fn check_config(config: &FunctionConfig) -> Result<(), ApiError> {
    let refused = config.refused_fields();
    if refused.is_empty() {
        return Ok(());
    }
    Err(ApiError::Invalid(refused.into_iter().map(InvalidPart::from).collect()))
}

/// The path in a zip of the file that has the handler.
fn file_of_handler(handler: Option<&str>) -> Result<String, ApiError> {
    let file = match handler {
        None => Some(Handler::USUAL_FILE),
        Some(handler) => Handler::of(handler).and_then(|handler| handler.file),
    };
    let reason = "of a zip it must name file and method: `file.method` or `file.Class.method`";
    let file = file.ok_or_else(|| ApiError::in_body(&["config", "handler"], reason))?;
    Ok(format!("{file}.rb"))
}

/// An error of a zip's code says in which file it is.
fn in_file(error: CodeError, file: &str) -> ApiError {
    match error {
        CodeError::Syntax { message, line, column } => {
            ApiError::SyntaxError { message: format!("{file}: {message}"), line, column }
        }
        other => other.into(),
    }
}

fn from_base64(zip: &str) -> Result<Vec<u8>, ApiError> {
    BASE64_STANDARD
        .decode(zip)
        .map_err(|error| ApiError::in_body(&["zip"], format!("it must be base64: {error}")))
}

fn no_handler_beside_json(handler: Option<String>) -> Result<(), ApiError> {
    match handler {
        Some(_) => Err(ApiError::parameter(
            "handler",
            "it is for bodies of Ruby or a zip; JSON has `config.handler`",
        )),
        None => Ok(()),
    }
}

fn ruby(bytes: Vec<u8>) -> Result<String, ApiError> {
    String::from_utf8(bytes)
        .map_err(|error| ApiError::in_body(&["code"], format!("it must be UTF-8: {error}")))
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
