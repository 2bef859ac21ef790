//! The codes of errors: the HTTP status of each, and the members of its body.

use axum::http::StatusCode;

/// The members of an error's body.
#[derive(Clone, Copy)]
pub(super) struct Members {
    /// The value of `Type`, where there is one.
    pub(super) kind: Option<&'static str>,
    /// How the member of the text is spelt.
    pub(super) message: &'static str,
}

/// Makes the enum of all codes from the table.
macro_rules! codes {
    ($($code:ident => $status:ident, $kind:expr, $message:literal;)*) => {
        /// What clients take for the class of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "they are AWS's names")]
        pub(crate) enum Code {
            $($code,)*
        }

        impl Code {
            /// As answers write it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code),)*
                }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)*
                }
            }

            pub(super) fn members(self) -> Members {
                match self {
                    $(Self::$code => Members { kind: $kind, message: $message },)*
                }
            }
        }
    };
}

const USER: Option<&str> = Some("User");

codes! {
    AccessDeniedException => FORBIDDEN, None, "Message";
    CodeSigningConfigNotFoundException => NOT_FOUND, USER, "Message";
    IncompleteSignatureException => BAD_REQUEST, None, "message";
    InvalidParameterValueException => BAD_REQUEST, USER, "message";
    InvalidRequestContentException => BAD_REQUEST, USER, "message";
    InvalidSignatureException => FORBIDDEN, None, "message";
    MissingAuthenticationTokenException => FORBIDDEN, None, "message";
    PreconditionFailedException => PRECONDITION_FAILED, USER, "message";
    ProvisionedConcurrencyConfigNotFoundException => NOT_FOUND, USER, "message";
    RequestEntityTooLargeException => PAYLOAD_TOO_LARGE, None, "message";
    ResourceConflictException => CONFLICT, USER, "message";
    ResourceNotFoundException => NOT_FOUND, USER, "Message";
    ServiceException => INTERNAL_SERVER_ERROR, Some("Service"), "Message";
    ServiceUnavailableException => SERVICE_UNAVAILABLE, Some("Service"), "Message";
    TooManyRequestsException => TOO_MANY_REQUESTS, USER, "message";
    UnknownOperationException => NOT_FOUND, None, "message";
    UnrecognizedClientException => FORBIDDEN, None, "message";
    ValidationException => BAD_REQUEST, None, "message";
}
