//! Around every request of AWS Lambda's API: its request id, and errors in AWS's form, whoever refused it.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use super::errors::Refusal;
use crate::http::error::ApiError;
use crate::metrics::PROBLEMS;

/// The id of a request; of an invocation, it is the execution's.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Answers what has a path of AWS Lambda's API as that does. Everything else passes.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    if !is_wire_path(request.uri().path()) {
        return next.run(request).await;
    }
    // What nothing else answers would be looked for among the console's files.
    let is_known = request.extensions().get::<MatchedPath>().is_some();
    let mut response = if is_known { next.run(request).await } else { ApiError::NotFound.into_response() };
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        response = translated(&error, response);
    }
    if !response.headers().contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string())
    {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Whether the path begins with the date of an API of AWS's, as `/2015-03-31/`.
fn is_wire_path(path: &str) -> bool {
    let begins_as = b"/20dd-dd-dd/";
    let mut bytes = path.bytes();
    begins_as.iter().all(|wanted| {
        bytes.next().is_some_and(|byte| if *wanted == b'd' { byte.is_ascii_digit() } else { byte == *wanted })
    })
}

/// The refusal, with the headers that it had, which may say when to come again.
fn translated(error: &ApiError, refused: Response) -> Response {
    if error.is_ours() && !matches!(error, ApiError::Draining | ApiError::Busy) {
        tracing::error!(%error, "a request failed");
    }
    PROBLEMS.count([error.kind().1]);
    let mut headers = refused.headers().clone();
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_TYPE);
    let mut response = Refusal::from(error).into_response();
    headers.extend(response.headers().clone());
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_aws_begins_with_a_date() {
        for path in ["/2015-03-31/functions", "/2099-12-31/", "/2015-03-31/functions/a/invocations"] {
            assert!(is_wire_path(path), "{path}");
        }
        for path in ["/", "/2015-03-31", "/v1/functions", "/20a5-03-31/x", "/1915-03-31/x", "/2015-03-311/x"]
        {
            assert!(!is_wire_path(path), "{path}");
        }
    }
}
