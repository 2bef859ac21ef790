//! Everything that the API refuses or fails at. Each variant has a stable slug, and says what to do; `problem`
//! writes it as `application/problem+json`, and `status` has the table of their HTTP statuses, slugs and titles.

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use badlambda_shared::aws::store::StoreError;
use badlambda_shared::dead_letters::DeadLetterError;
use badlambda_shared::execution::enqueue::EnqueueError;
use badlambda_shared::function::catalog::CatalogError;
use badlambda_shared::function::name::{Alias, FunctionName};
use badlambda_shared::limits;
use badlambda_shared::problem::ProblemInAnswer;
use serde_json::{Value, json};

use crate::http::part::{InvalidPart, Part};
use crate::tokens::Scope;
use crate::tokens::signed::AuthenticationError;

/// As errors write the header's name.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Why a request was not answered as its caller hoped. The text of `Unavailable` and `Internal` is for the log
/// alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("the body is not JSON: {reason}; correct it and send it again")]
    InvalidJson { reason: String, line: usize, column: usize },
    #[error("there is no field `{}`; {reason}", .part.field())]
    UnknownField { part: Part, reason: String },
    #[error("{}", sentence(.0))]
    Invalid(Vec<InvalidPart>),
    #[error("the path or query can't be read: {0}")]
    InvalidQuery(String),
    #[error("the body ended too early, or stalled; send the request again")]
    InvalidBody,
    #[error("line {line}, column {column}: {message}")]
    SyntaxError { message: String, line: usize, column: usize },
    #[error(
        "there is a function {0} already; publish its next version with PUT /v1/functions/{0}, or choose another name"
    )]
    NameTaken(FunctionName),
    #[error("others are changing the function {0} at the same time; send the request again")]
    ConcurrentChange(FunctionName),
    #[error(
        "the condition that {0} sets does not hold; read the function again, and repeat the change with its new ETag"
    )]
    PreconditionFailed(&'static str),
    #[error("there is no function {0}; GET /v1/functions lists those there are")]
    FunctionNotFound(FunctionName),
    #[error(
        "the function {function} has no version {version}; GET /v1/functions/{function} shows its latest version and its aliases"
    )]
    VersionNotFound { function: FunctionName, version: String },
    #[error("the version can't be deleted: {0}")]
    VersionInUse(&'static str),
    #[error("too many versions were deleted while older ones remain; delete the oldest versions first")]
    TooManyDeletedVersions,
    #[error("the function {function} has no alias {alias}; GET /v1/functions/{function} shows those it has")]
    AliasNotFound { function: FunctionName, alias: Alias },
    #[error("the function {0} has no such execution; check the id and the function's name")]
    ExecutionNotFound(FunctionName),
    #[error(
        "the function {0} has no such execution yet; one whose message was sent to the queue directly shows up once a worker has taken it"
    )]
    ExecutionNotSeen(FunctionName),
    #[error("the function {0} has no such map; check the id and the function's name")]
    MapNotFound(FunctionName),
    #[error("the map has finished; GET …/results streams what came of it")]
    MapFinished,
    #[error(
        "there is no such dead letter for this token, or somebody else looks at it; GET /v1/dead-letters lists them"
    )]
    DeadLetterNotFound,
    #[error("SQS moved the message here from another queue; move it back with sqs:StartMessageMoveTask")]
    DeadLetterOfAnotherQueue,
    #[error(
        "there are too many dead letters to find this one in time; redrive or delete those of a `reason` or `function`"
    )]
    TooManyDeadLetters,
    #[error(
        "the input was not kept: the function's config says so, or the execution ended before a worker could run it"
    )]
    NoInput,
    #[error(
        "no worker has told of the execution yet, and its input stands in its message alone; ask again later"
    )]
    NotStarted,
    #[error("the execution's input was not kept; send another one as `input`")]
    InputNotKept,
    #[error("the execution left no result; its `error` says why")]
    NoResult,
    #[error("the execution left no logs")]
    NoLogs,
    #[error("the execution is not finished; ask again later, or wait for it with `Prefer: wait=SECONDS`")]
    NotFinished,
    #[error("the execution has finished, and its record never changes")]
    AlreadyFinished,
    #[error("this Idempotency-Key was used for another request before; use a new key for a new execution")]
    IdempotencyKeyReused,
    #[error("the code has more than {0} bytes, the most that is accepted")]
    CodeTooLarge(usize),
    #[error(
        "the input has more than {0} bytes, the most that is accepted; store it elsewhere and pass a reference"
    )]
    InputTooLarge(usize),
    #[error("the body is too large for this call; it may have {0} bytes at most")]
    BodyTooLarge(usize),
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    #[error("send the header `Authorization: Bearer TOKEN`, with one of the API's tokens")]
    Unauthorized,
    #[error("the API knows no such token; send one that it was started with, and once")]
    InvalidToken,
    /// A request of AWS Lambda's API, which may be signed.
    #[error("{0}")]
    NotAuthenticated(AuthenticationError),
    #[error("this needs a token with the scope `{}`; use one that has it", .0.name())]
    InsufficientScope(Scope),
    #[error("the token is for some functions alone, and this is not about one of them; use another token")]
    FunctionNotAllowed,
    #[error("the token was used more often than its rate allows; wait for as long as Retry-After says")]
    RateLimited,
    #[error("requests from web pages of other origins are refused")]
    ForbiddenOrigin,
    #[error(
        "the API listens on this machine alone, and answers only requests to localhost or to an IP address; set the Host header accordingly"
    )]
    ForbiddenHost,
    #[error("the header Host must be there, and once")]
    InvalidHost,
    #[error("there is nothing at this path; api/README.md lists every route")]
    NotFound,
    #[error("this method is not supported here; the header Allow lists those that are")]
    MethodNotAllowed,
    #[error("{0}")]
    Unavailable(String),
    #[error("the API has as much under way as it can hold; send the request again shortly")]
    Busy,
    #[error("the API is stopping")]
    Draining,
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    /// What to do about it, for the caller.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Unavailable(_) => "a service behind the API did not answer; try again shortly".to_owned(),
            Self::Internal(_) => "this is our failure; report it with the request_id".to_owned(),
            told => told.to_string(),
        }
    }

    /// The problem, where it stands within an answer.
    pub(crate) fn in_answer(&self) -> ProblemInAnswer {
        let (_, slug, title) = self.kind();
        ProblemInAnswer { slug: slug.into(), title: title.into(), detail: self.detail() }
    }

    /// What the problem says beside the members that every problem has.
    pub(crate) fn members(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::InvalidJson { line, column, .. } => {
                vec![("line", json!(line)), ("column", json!(column))]
            }
            Self::SyntaxError { message, line, column } => {
                let error = Part::in_body(&["code"]).to_error(message);
                vec![("line", json!(line)), ("column", json!(column)), ("errors", json!([error]))]
            }
            Self::UnknownField { part, .. } => {
                let error = part.to_error(&self.detail());
                vec![("field", json!(part.field())), ("errors", json!([error]))]
            }
            Self::Invalid(parts) => {
                let errors: Vec<Value> =
                    parts.iter().map(|InvalidPart { part, reason }| part.to_error(reason)).collect();
                let first = parts.first().map(|invalid| invalid.part.field());
                vec![("field", json!(first)), ("errors", json!(errors))]
            }
            Self::IdempotencyKeyReused => {
                vec![("errors", json!([Part::Header(IDEMPOTENCY_KEY).to_error(&self.detail())]))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether it is not for the caller to mend.
    pub(crate) fn is_ours(&self) -> bool {
        self.kind().0.is_server_error()
    }

    fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Busy
                | Self::Draining
                | Self::RateLimited
                | Self::TooManyDeadLetters
                | Self::NotStarted
                | Self::NotFinished
                | Self::ExecutionNotSeen(_)
                | Self::ConcurrentChange(_)
        )
    }

    /// What RFC 6750 has a server say to who may not do this.
    fn challenge(&self) -> Option<HeaderValue> {
        let challenge = match self {
            Self::Unauthorized => "Bearer",
            Self::InvalidToken => "Bearer error=\"invalid_token\"",
            Self::InsufficientScope(scope) => {
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scope.name());
                return HeaderValue::try_from(challenge).ok();
            }
            Self::FunctionNotAllowed => "Bearer error=\"insufficient_scope\"",
            _ => return None,
        };
        Some(HeaderValue::from_static(challenge))
    }

    /// The value in the body that these names lead to holds what it must not.
    pub(crate) fn in_body(names: &[&str], reason: impl ToString) -> Self {
        Self::invalid(Part::in_body(names), reason)
    }

    /// This parameter in path or query holds what it must not.
    pub(crate) fn parameter(name: impl Into<String>, reason: impl ToString) -> Self {
        Self::invalid(Part::Parameter(name.into()), reason)
    }

    /// This part of a request holds what it must not.
    pub(crate) fn invalid(part: Part, reason: impl ToString) -> Self {
        Self::Invalid(vec![InvalidPart { part, reason: reason.to_string() }])
    }
}

/// All that is wrong, in one sentence.
fn sentence(parts: &[InvalidPart]) -> String {
    let told: Vec<String> =
        parts.iter().map(|InvalidPart { part, reason }| format!("{}: {reason}", part.field())).collect();
    told.join("; ")
}

/// The error travels as an extension of a response without a body, which `problem` writes where the request's
/// id is known.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, ..) = self.kind();
        let mut response = status.into_response();
        let headers = response.headers_mut();
        if self.may_pass() {
            headers.insert(RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER.as_secs()));
        }
        headers.extend(self.challenge().map(|value| (WWW_AUTHENTICATE, value)));
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<StoreError>> for ApiError {
    fn from(error: Arc<StoreError>) -> Self {
        let told = error.to_string();
        if error.may_pass() { Self::Unavailable(told) } else { Self::Internal(told) }
    }
}

impl From<DeadLetterError> for ApiError {
    fn from(error: DeadLetterError) -> Self {
        match error {
            DeadLetterError::Store(error) | DeadLetterError::Enqueue(EnqueueError::Store(error)) => {
                error.into()
            }
            DeadLetterError::Enqueue(error) => Self::Internal(error.to_string()),
            DeadLetterError::Queue(_) | DeadLetterError::Entry(_) => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NoFunction(function) => Self::FunctionNotFound(function),
            CatalogError::NoVersion { function, version } => Self::VersionNotFound { function, version },
            CatalogError::NoRevision { function, revision } => {
                Self::VersionNotFound { function, version: revision.into() }
            }
            CatalogError::Store(error) if error.may_pass() => Self::Unavailable(error.to_string()),
            CatalogError::Store(error) => Self::Internal(error.to_string()),
            error @ (CatalogError::OtherRevision { .. }
            | CatalogError::NoOneShot
            | CatalogError::Damaged { .. }) => Self::Internal(error.to_string()),
        }
    }
}
