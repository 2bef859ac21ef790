//! What the rest of the API refuses or fails at, in AWS's words.

use badlambda_shared::aws::signature::SignatureErrorClass;

use super::{Code, Refusal};
use crate::http::error::ApiError;
use crate::tokens::signed::AuthenticationError;

impl From<&ApiError> for Refusal {
    fn from(error: &ApiError) -> Self {
        let code = Code::from(error);
        let message = match error {
            ApiError::NotFound | ApiError::MethodNotAllowed => {
                "AWS Lambda's API has no such operation, or Bad Lambda does not support it; api/README.md lists those it has"
                    .to_owned()
            }
            ApiError::RateLimited => return Self::too_many_requests("CallerRateLimitExceeded"),
            ApiError::Unauthorized => "Missing Authentication Token".to_owned(),
            ApiError::InvalidToken => "The security token included in the request is invalid.".to_owned(),
            told => told.detail(),
        };
        Self::new(code, message)
    }
}

impl From<&ApiError> for Code {
    fn from(error: &ApiError) -> Self {
        match error {
            ApiError::NotFound | ApiError::MethodNotAllowed => Code::UnknownOperationException,
            ApiError::Unauthorized => Code::MissingAuthenticationTokenException,
            ApiError::NotAuthenticated(AuthenticationError::UnknownToken) | ApiError::InvalidToken => {
                Code::UnrecognizedClientException
            }
            ApiError::NotAuthenticated(AuthenticationError::Signature(error)) => match error.class() {
                SignatureErrorClass::Missing => Code::MissingAuthenticationTokenException,
                SignatureErrorClass::Incomplete => Code::IncompleteSignatureException,
                SignatureErrorClass::Unrecognized => Code::UnrecognizedClientException,
                SignatureErrorClass::Invalid => Code::InvalidSignatureException,
            },
            ApiError::InsufficientScope(_)
            | ApiError::FunctionNotAllowed
            | ApiError::ForbiddenOrigin
            | ApiError::ForbiddenHost => Code::AccessDeniedException,
            ApiError::RateLimited => Code::TooManyRequestsException,
            ApiError::FunctionNotFound(_) | ApiError::VersionNotFound { .. } => {
                Code::ResourceNotFoundException
            }
            ApiError::NameTaken(_) | ApiError::ConcurrentChange(_) => Code::ResourceConflictException,
            ApiError::CodeTooLarge(_) | ApiError::InputTooLarge(_) | ApiError::BodyTooLarge(_) => {
                Code::RequestEntityTooLargeException
            }
            ApiError::InvalidBody | ApiError::InvalidJson { .. } => Code::InvalidRequestContentException,
            ApiError::Busy | ApiError::Unavailable(_) | ApiError::Draining => {
                Code::ServiceUnavailableException
            }
            ApiError::Internal(_) => Code::ServiceException,
            _ => Code::InvalidParameterValueException,
        }
    }
}
