//! Every HTTP status that the API answers with, chosen here and nowhere else, and what each error is called.

use axum::http::StatusCode;

use crate::http::error::ApiError;
use crate::http::response::ApiResponse;

impl ApiResponse {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Created(_) => StatusCode::CREATED,
            Self::Function(_)
            | Self::Preview(_)
            | Self::Page(..)
            | Self::Counted(_)
            | Self::Version(_)
            | Self::Stats(_)
            | Self::Code(_)
            | Self::Batch(_)
            | Self::Polled(..)
            | Self::Json(_)
            | Self::DeadLetter(_)
            | Self::Lines(_)
            | Self::Events(_)
            | Self::Metrics(_)
            | Self::Healthy => StatusCode::OK,
            Self::Accepted(..) | Self::Redriven(..) => StatusCode::ACCEPTED,
            Self::Deleted | Self::NothingMore => StatusCode::NO_CONTENT,
            Self::Elsewhere(_) => StatusCode::SEE_OTHER,
            Self::NotModified(_) => StatusCode::NOT_MODIFIED,
        }
    }
}

impl ApiError {
    /// The HTTP status, the stable slug of the problem's type, and its title.
    #[rustfmt::skip]
    pub(crate) fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidJson { .. } => (StatusCode::BAD_REQUEST, "invalid_json", "Invalid JSON"),
            Self::UnknownField { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_field", "Unknown field"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", "Invalid field"),
            Self::InvalidQuery(_) => (StatusCode::BAD_REQUEST, "invalid_query", "Invalid path or query"),
            Self::InvalidBody => (StatusCode::BAD_REQUEST, "invalid_body", "Unreadable body"),
            Self::SyntaxError { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "syntax_error", "The code is not Ruby"),
            Self::NameTaken(_) => (StatusCode::CONFLICT, "name_taken", "Name taken"),
            Self::ConcurrentChange(_) => (StatusCode::CONFLICT, "concurrent_change", "Concurrent change"),
            Self::PreconditionFailed(_) => (StatusCode::PRECONDITION_FAILED, "precondition_failed", "Precondition failed"),
            Self::FunctionNotFound(_) => (StatusCode::NOT_FOUND, "function_not_found", "Function not found"),
            Self::VersionNotFound { .. } => (StatusCode::NOT_FOUND, "version_not_found", "Version not found"),
            Self::VersionInUse(_) => (StatusCode::CONFLICT, "version_in_use", "Version in use"),
            Self::TooManyDeletedVersions => (StatusCode::CONFLICT, "too_many_deleted_versions", "Too many deleted versions"),
            Self::AliasNotFound { .. } => (StatusCode::NOT_FOUND, "alias_not_found", "Alias not found"),
            Self::ExecutionNotFound(_) | Self::ExecutionNotSeen(_) => (StatusCode::NOT_FOUND, "execution_not_found", "Execution not found"),
            Self::DeadLetterNotFound => (StatusCode::NOT_FOUND, "dead_letter_not_found", "Dead letter not found"),
            Self::DeadLetterOfAnotherQueue => (StatusCode::CONFLICT, "other_queue", "Dead letter of another queue"),
            Self::TooManyDeadLetters => (StatusCode::SERVICE_UNAVAILABLE, "too_many_dead_letters", "Too many dead letters"),
            Self::NoInput => (StatusCode::NOT_FOUND, "no_input", "No input"),
            Self::NoResult => (StatusCode::NOT_FOUND, "no_result", "No result"),
            Self::NoLogs => (StatusCode::NOT_FOUND, "no_logs", "No logs"),
            Self::NotStarted => (StatusCode::CONFLICT, "not_started", "Not started"),
            Self::InputNotKept => (StatusCode::CONFLICT, "input_not_kept", "Input not kept"),
            Self::NotFinished => (StatusCode::CONFLICT, "not_finished", "Not finished"),
            Self::AlreadyFinished => (StatusCode::CONFLICT, "already_finished", "Already finished"),
            Self::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "Idempotency-Key reused"),
            Self::CodeTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "code_too_large", "Code too large"),
            Self::InputTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "input_too_large", "Input too large"),
            Self::BodyTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large"),
            Self::UnsupportedMediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type"),
            Self::Unauthorized | Self::InvalidToken => (StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized"),
            Self::InsufficientScope(_) => (StatusCode::FORBIDDEN, "insufficient_scope", "Insufficient scope"),
            Self::FunctionNotAllowed => (StatusCode::FORBIDDEN, "function_not_allowed", "Function not allowed"),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::ForbiddenOrigin => (StatusCode::FORBIDDEN, "forbidden_origin", "Forbidden origin"),
            Self::ForbiddenHost => (StatusCode::FORBIDDEN, "forbidden_host", "Forbidden host"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much under way"),
            Self::Unavailable(_) | Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }
}
