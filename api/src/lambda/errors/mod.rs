//! What is refused, as AWS Lambda says it: a code, which clients take for the error's class, and a text, which some match on.

mod code;
mod texts;
mod translate;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use badlambda_shared::aws::store::StoreError;
use badlambda_shared::function::catalog::CatalogError;
use serde_json::{Map, Value, json};

pub(crate) use self::code::Code;
use self::code::Members;
pub(crate) use self::texts::no_function;
use crate::http::error::ApiError;

/// Clients read the error's class from it.
pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Why a request was not answered as its caller hoped.
#[derive(Debug)]
pub(crate) enum WireError {
    /// In AWS's words.
    Refused(Refusal),
    /// What the rest of the API refuses or fails at, which `finish` translates.
    Api(ApiError),
}

/// A refusal in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: Code,
    message: String,
    /// What a `TooManyRequestsException` says beside its message.
    reason: Option<&'static str>,
    /// A few are answered without the member `Type` that others of their code have.
    has_type: bool,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), reason: None, has_type: true }
    }

    fn body(&self) -> Value {
        let Members { kind, message } = self.code.members();
        let kind = kind.filter(|_| self.has_type).map(|kind| ("Type".to_owned(), json!(kind)));
        let reason = self.reason.map(|reason| ("Reason".to_owned(), json!(reason)));
        let message = (message.to_owned(), json!(self.message));
        Value::Object(Map::from_iter(reason.into_iter().chain(kind).chain([message])))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.code.status(), Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.code.name()));
        if self.reason.is_some() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for WireError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Api(error) => error.into_response(),
        }
    }
}

impl From<Refusal> for WireError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ApiError> for WireError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for WireError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<CatalogError> for WireError {
    fn from(error: CatalogError) -> Self {
        Self::Api(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_members_of_its_code_and_no_others() {
        for (code, body) in [
            (Code::ResourceNotFoundException, json!({"Type": "User", "Message": "m"})),
            (Code::InvalidParameterValueException, json!({"Type": "User", "message": "m"})),
            (Code::ValidationException, json!({"message": "m"})),
            (Code::AccessDeniedException, json!({"Message": "m"})),
            (Code::ServiceException, json!({"Type": "Service", "Message": "m"})),
        ] {
            assert_eq!(Refusal::new(code, "m").body(), body, "{code:?}");
        }
        let refused = Refusal::too_many_requests("ReservedFunctionConcurrentInvocationLimitExceeded");
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        assert_eq!(refused.body(), json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."}));
    }
}
