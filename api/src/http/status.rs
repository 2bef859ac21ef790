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
            | Self::Stored(..)
            | Self::Token(_)
            | Self::Code(_)
            | Self::Batch(_)
            | Self::Polled(..)
            | Self::PolledMap(..)
            | Self::Json(_)
            | Self::DeadLetter(_)
            | Self::Lines(_)
            | Self::Events(_)
            | Self::Metrics(_)
            | Self::Document(_)
            | Self::Healthy => StatusCode::OK,
            Self::Accepted(..) | Self::AcceptedMap(_) | Self::Redriven(..) => StatusCode::ACCEPTED,
            Self::Deleted | Self::NothingMore => StatusCode::NO_CONTENT,
            Self::Elsewhere(_) => StatusCode::SEE_OTHER,
            Self::NotModified(_) => StatusCode::NOT_MODIFIED,
        }
    }
}

/// An HTTP status, the stable slug of a problem's type, and its title.
pub(crate) type Kind = (StatusCode, &'static str, &'static str);

/// Makes the table that tells the kind of each error, and the list of all kinds.
macro_rules! kinds {
    ($($error:pat => $status:ident, $slug:literal, $title:literal;)*) => {
        impl ApiError {
            /// Every kind that there is.
            pub(crate) const KINDS: &[Kind] = &[$((StatusCode::$status, $slug, $title)),*];

            /// The HTTP status, the stable slug of the problem's type, and its title.
            pub(crate) fn kind(&self) -> Kind {
                match self {
                    $($error => (StatusCode::$status, $slug, $title),)*
                }
            }
        }
    };
}

kinds! {
    Self::InvalidJson { .. } => BAD_REQUEST, "invalid_json", "Invalid JSON";
    Self::UnknownField { .. } => UNPROCESSABLE_ENTITY, "unknown_field", "Unknown field";
    Self::Invalid(_) => UNPROCESSABLE_ENTITY, "invalid_field", "Invalid field";
    Self::InvalidQuery(_) => BAD_REQUEST, "invalid_query", "Invalid path or query";
    Self::InvalidHost => BAD_REQUEST, "invalid_host", "Invalid host";
    Self::InvalidBody => BAD_REQUEST, "invalid_body", "Unreadable body";
    Self::SyntaxError { .. } => UNPROCESSABLE_ENTITY, "syntax_error", "The code is not Ruby";
    Self::NameTaken(_) => CONFLICT, "name_taken", "Name taken";
    Self::ConcurrentChange(_) => CONFLICT, "concurrent_change", "Concurrent change";
    Self::PreconditionFailed(_) => PRECONDITION_FAILED, "precondition_failed", "Precondition failed";
    Self::FunctionNotFound(_) => NOT_FOUND, "function_not_found", "Function not found";
    Self::VersionNotFound { .. } => NOT_FOUND, "version_not_found", "Version not found";
    Self::VersionInUse(_) => CONFLICT, "version_in_use", "Version in use";
    Self::TooManyDeletedVersions => CONFLICT, "too_many_deleted_versions", "Too many deleted versions";
    Self::AliasNotFound { .. } => NOT_FOUND, "alias_not_found", "Alias not found";
    Self::ExecutionNotFound(_) | Self::ExecutionNotSeen(_) => NOT_FOUND, "execution_not_found", "Execution not found";
    Self::MapNotFound(_) => NOT_FOUND, "map_not_found", "Map not found";
    Self::DeadLetterNotFound => NOT_FOUND, "dead_letter_not_found", "Dead letter not found";
    Self::DeadLetterOfAnotherQueue => CONFLICT, "other_queue", "Dead letter of another queue";
    Self::TooManyDeadLetters => SERVICE_UNAVAILABLE, "too_many_dead_letters", "Too many dead letters";
    Self::NoInput => NOT_FOUND, "no_input", "No input";
    Self::NoResult => NOT_FOUND, "no_result", "No result";
    Self::NoLogs => NOT_FOUND, "no_logs", "No logs";
    Self::NotStarted => CONFLICT, "not_started", "Not started";
    Self::InputNotKept => CONFLICT, "input_not_kept", "Input not kept";
    Self::NotFinished => CONFLICT, "not_finished", "Not finished";
    Self::AlreadyFinished | Self::MapFinished => CONFLICT, "already_finished", "Already finished";
    Self::IdempotencyKeyReused => UNPROCESSABLE_ENTITY, "idempotency_key_reused", "Idempotency-Key reused";
    Self::CodeTooLarge(_) => PAYLOAD_TOO_LARGE, "code_too_large", "Code too large";
    Self::InputTooLarge(_) => PAYLOAD_TOO_LARGE, "input_too_large", "Input too large";
    Self::BodyTooLarge(_) => PAYLOAD_TOO_LARGE, "body_too_large", "Body too large";
    Self::UnsupportedMediaType(_) => UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type";
    Self::Unauthorized | Self::InvalidToken => UNAUTHORIZED, "unauthorized", "Unauthorized";
    Self::NotAuthenticated(_) => FORBIDDEN, "not_authenticated", "Not authenticated";
    Self::InsufficientScope(_) => FORBIDDEN, "insufficient_scope", "Insufficient scope";
    Self::FunctionNotAllowed => FORBIDDEN, "function_not_allowed", "Function not allowed";
    Self::RateLimited => TOO_MANY_REQUESTS, "rate_limited", "Too many requests";
    Self::ForbiddenOrigin => FORBIDDEN, "forbidden_origin", "Forbidden origin";
    Self::ForbiddenHost => FORBIDDEN, "forbidden_host", "Forbidden host";
    Self::NotFound => NOT_FOUND, "not_found", "Not found";
    Self::MethodNotAllowed => METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed";
    Self::Busy => SERVICE_UNAVAILABLE, "busy", "Too much under way";
    Self::Unavailable(_) | Self::Draining => SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable";
    Self::Internal(_) => INTERNAL_SERVER_ERROR, "internal", "Internal error";
}
