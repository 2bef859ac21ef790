//! What handlers answer when all went well.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::errors::WireError;

/// What every handler returns.
pub(crate) type WireResult = Result<Answer, WireError>;

/// An answer that is no error.
#[derive(Debug)]
pub(crate) enum Answer {
    /// What was asked for.
    Shown(Value),
    /// What is new.
    Created(Value),
    /// What is being done, of which this is known.
    TakenOn(Value),
    /// It is done, and there is nothing to say about it.
    Done,
    /// Taken on, under the request id in the headers.
    Accepted(HeaderMap),
    /// What came of an invocation.
    Invoked(HeaderMap, Vec<u8>),
    /// An invocation that would be taken on.
    WouldInvoke,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = self.status();
        match self {
            Self::Shown(json) | Self::Created(json) | Self::TakenOn(json) => {
                (status, Json(json)).into_response()
            }
            Self::Done | Self::WouldInvoke => status.into_response(),
            Self::Accepted(headers) => (status, headers).into_response(),
            Self::Invoked(headers, body) => (status, headers, body).into_response(),
        }
    }
}

impl Answer {
    fn status(&self) -> StatusCode {
        match self {
            Self::Shown(_) | Self::Invoked(..) => StatusCode::OK,
            Self::Created(_) => StatusCode::CREATED,
            Self::Accepted(_) | Self::TakenOn(_) => StatusCode::ACCEPTED,
            Self::Done | Self::WouldInvoke => StatusCode::NO_CONTENT,
        }
    }
}
