//! Every HTTP status that the API answers with, chosen here and nowhere else.

use axum::http::StatusCode;

use crate::http::error::ApiError;
use crate::http::response::ApiResponse;

impl ApiResponse {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Created(_) => StatusCode::CREATED,
            Self::Function(_) | Self::Page(_) | Self::Code(_) | Self::Polled(..) | Self::Healthy => {
                StatusCode::OK
            }
            Self::Accepted(..) => StatusCode::ACCEPTED,
            Self::Deleted => StatusCode::NO_CONTENT,
            Self::Elsewhere(_) => StatusCode::SEE_OTHER,
        }
    }
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::InvalidJson { .. } | Self::InvalidQuery(_) | Self::InvalidBody => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::ForbiddenOrigin | Self::ForbiddenHost => StatusCode::FORBIDDEN,
            Self::NotFound
            | Self::FunctionNotFound(_)
            | Self::VersionNotFound { .. }
            | Self::ExecutionNotFound(_)
            | Self::ExecutionNotSeen(_)
            | Self::NoResult
            | Self::NoLogs => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NameTaken(_)
            | Self::ConcurrentChange(_)
            | Self::NotFinished
            | Self::AlreadyFinished
            | Self::IdempotencyConflict => StatusCode::CONFLICT,
            Self::CodeTooLarge(_) | Self::InputTooLarge(_) | Self::BodyTooLarge(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UnknownField { .. } | Self::InvalidField { .. } | Self::SyntaxError { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(_) | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
