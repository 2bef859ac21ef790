//! The texts of refusals that more than one operation has.

use super::{Code, Refusal, WireError};

impl Refusal {
    /// 400, about a value that the model allows.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidParameterValueException, message)
    }

    /// The same, answered without `Type`.
    pub(crate) fn invalid_without_type(message: impl Into<String>) -> Self {
        Self { has_type: false, ..Self::invalid(message) }
    }

    /// 404, in these words.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceNotFoundException, message)
    }

    /// 404, about the function of this ARN, which may have a qualifier.
    pub(crate) fn function_not_found(arn: &str) -> Self {
        Self::not_found(format!("Function not found: {arn}"))
    }

    /// 404, where AWS does not say what there is not.
    pub(crate) fn resource_not_found() -> Self {
        Self::not_found("The resource you requested does not exist.")
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceConflictException, message)
    }

    /// 412, about the revision id of a function or an alias.
    pub(crate) fn other_revision_id() -> Self {
        Self::new(
            Code::PreconditionFailedException,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )
    }

    /// 413.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(Code::RequestEntityTooLargeException, message)
    }

    /// 413, of a request that has more bytes than its operation takes.
    pub(crate) fn request_too_large(operation: &str, most: usize) -> Self {
        Self::too_large(format!("Request must be smaller than {most} bytes for the {operation} operation"))
    }

    /// 429.
    pub(crate) fn too_many_requests(reason: &'static str) -> Self {
        let refusal = Self::new(Code::TooManyRequestsException, "Rate Exceeded.");
        Self { reason: Some(reason), ..refusal }
    }

    /// 400, about what AWS Lambda has and Bad Lambda has not.
    pub(crate) fn unsupported(parameter: &str) -> Self {
        Self::invalid(format!("Bad Lambda does not support {parameter}; leave it out."))
    }

    /// 400, of a body that can't be read.
    pub(crate) fn unreadable(reason: impl std::fmt::Display) -> Self {
        Self::new(
            Code::InvalidRequestContentException,
            format!("Could not parse request body into json: {reason}"),
        )
    }
}

/// What a handler ends with where the function of this ARN does not exist.
pub(crate) fn no_function(arn: &str) -> WireError {
    Refusal::function_not_found(arn).into()
}
