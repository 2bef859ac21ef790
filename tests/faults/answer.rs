//! Errors as SQS and S3 put them.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};

use super::plan::{Asked, Fault};

pub(crate) fn of(fault: Fault, asked: &Asked) -> Response<Full<Bytes>> {
    let (status, code) = match (fault, asked.of_sqs) {
        (Fault::Throttle, true) => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        (Fault::Throttle, false) => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        (Fault::Refuse, _) => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
        (Fault::Deny, _) => (StatusCode::FORBIDDEN, "AccessDenied"),
        (Fault::Conflict, _) => (StatusCode::CONFLICT, "ConditionalRequestConflict"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    };
    let (content_type, body) = if asked.of_sqs {
        (
            "application/x-amz-json-1.0",
            format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"on purpose"}}"#),
        )
    } else {
        ("application/xml", format!("<Error><Code>{code}</Code><Message>on purpose</Message></Error>"))
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    response
}
