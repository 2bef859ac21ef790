//! Which dead letters a request is about.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use badlambda_shared::dead_letters::Selection;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use crate::http::error::ApiError;
use crate::http::request::parsed;
use crate::schema::text;
use crate::tokens::Caller;

/// What SQS's message ids are made of.
const MESSAGE_ID_CHARS: std::ops::RangeInclusive<usize> = 1..=100;

/// The dead letter that the path names.
pub(crate) struct DeadLetterPath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for DeadLetterPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
        let id = path.iter().last().map_or("", |(_, value)| value);
        let is_possible = MESSAGE_ID_CHARS.contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        // Any other id would cost a look at the whole queue, to find nothing.
        if is_possible { Ok(Self(id.to_owned())) } else { Err(ApiError::DeadLetterNotFound) }
    }
}

impl IntoParams for DeadLetterPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
        let schema = text("^[A-Za-z0-9-]+$", MESSAGE_ID_CHARS);
        vec![id.description(Some("The dead letter's id.")).schema(Some(schema)).build()]
    }
}

/// Those with this reason and of this function, as far as the caller may use them.
pub(super) fn selection(
    caller: &Caller,
    reason: Option<String>,
    function: Option<&str>,
) -> Result<Selection, ApiError> {
    let is_possible = |reason: &String| (1..=limits::MAX_FILTER_CHARS).contains(&reason.chars().count());
    if !reason.as_ref().is_none_or(is_possible) {
        let most = limits::MAX_FILTER_CHARS;
        return Err(ApiError::parameter("reason", format!("it must have 1 to {most} characters")));
    }
    let functions = match function {
        Some(name) => {
            let function: FunctionName = parsed("function", name)?;
            caller.require(&function)?;
            Some([function].into())
        }
        None => caller.functions().cloned(),
    };
    Ok(Selection { id: None, reason, functions })
}

/// The one with this id, if the caller may use it.
pub(super) fn only(caller: &Caller, id: String) -> Selection {
    Selection { id: Some(id), reason: None, functions: caller.functions().cloned() }
}
