//! Around every request: its id, its span, and errors as `application/problem+json` (RFC 9457), the 5xx among them logged.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use badlambda_shared::process::telemetry;
use serde_json::{Map, Value, json};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::trace::trace;
use crate::metrics::PROBLEMS;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID_CHARS: usize = 128;
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Gives the request its id and its span, and its error, if there is one, a body.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let started_at = Instant::now();
    let request_id = request_id(request.headers());
    let span = span_of(&request, request_id.to_str().unwrap_or_default());
    let response = next.run(request).instrument(span.clone()).await;

    let _entered = span.enter();
    let mut response = match response.extensions().get::<Arc<ApiError>>().cloned() {
        Some(error) => describe(&error, response, request_id.to_str().unwrap_or_default()),
        None => response,
    };
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_REQUEST_ID, request_id);
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    tracing::debug!(
        status = status.as_u16(),
        elapsed_ms = started_at.elapsed().as_millis() as u64,
        "answered"
    );
    response
}

/// Names the request, its trace and its execution on every line that is logged meanwhile. As an error it is there for
/// whatever is logged. What OpenTelemetry has a name for has that name: <https://opentelemetry.io/docs/specs/semconv/http/>.
fn span_of(request: &Request, request_id: &str) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let method = request.method();
    let span = tracing::error_span!(
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        request_id,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        execution = Empty,
        map = Empty,
        trace_id = Empty
    );
    telemetry::continue_trace(&span, trace(request.headers()));
    span
}

/// A handler's panic, as the error it is to the caller.
pub(crate) fn of_panic(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ApiError::Internal(format!("a handler panicked: {message}")).into_response()
}

/// The caller's id for the request, where it is safe to repeat and to log, or else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let safe = |value: &&HeaderValue| {
        (1..=MAX_REQUEST_ID_CHARS).contains(&value.len())
            && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte))
    };
    headers.get(X_REQUEST_ID).filter(safe).cloned().unwrap_or_else(|| {
        HeaderValue::from_str(&Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("none"))
    })
}

fn describe(error: &ApiError, response: Response, request_id: &str) -> Response {
    let status = response.status();
    let is_expected = matches!(error, ApiError::Draining | ApiError::Busy | ApiError::TooManyDeadLetters);
    if status.is_server_error() && !is_expected {
        tracing::error!(status = status.as_u16(), %error, "a request failed");
    }
    let (_, slug, title) = error.kind();
    PROBLEMS.count([slug]);
    let mut problem = Map::from_iter([
        ("type".to_owned(), json!(slug)),
        ("title".to_owned(), json!(title)),
        ("status".to_owned(), json!(status.as_u16())),
        ("detail".to_owned(), json!(error.detail())),
        ("request_id".to_owned(), json!(request_id)),
    ]);
    problem.extend(error.members().into_iter().map(|(name, value)| (name.to_owned(), value)));
    let mut headers = response.headers().clone();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    (status, headers, Value::Object(problem).to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(presented: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_str(presented).unwrap());
        request_id(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_callers_request_id_is_kept_where_it_is_safe() {
        assert_eq!(id_for("Root=1-67891233-abcdef"), "Root=1-67891233-abcdef");
        for bad in ["", "a b", "<script>", &"x".repeat(129)] {
            assert_eq!(id_for(bad).len(), 36, "{bad:?}");
        }
    }

    #[test]
    fn nothing_of_the_inside_is_told() {
        let error = ApiError::Internal("key AKIA… in bucket b".to_owned());
        let response = describe(&error, error_response(), "r");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert!(!error.detail().contains("bucket"));
        assert!(!ApiError::Unavailable("at 10.0.0.1".to_owned()).detail().contains("10.0"));
    }

    fn error_response() -> Response {
        ApiError::Internal(String::new()).into_response()
    }
}
