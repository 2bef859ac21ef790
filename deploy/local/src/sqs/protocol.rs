//! AWS's JSON protocol 1.0: the operation in a header, JSON in and out, errors by name.

use std::time::{Duration, SystemTime};

use badlambda_shared::aws::signature::{
    Signature, SignatureError, SignatureErrorClass, SignatureRequirements,
};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use s3s::Body;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Sqs, SqsError};
use crate::credentials::Credentials;

const TARGET: &str = "x-amz-target";
const SERVICE: &str = "AmazonSQS.";
/// What a signature must be. Regions and accounts are not looked at here.
const SIGNATURE: SignatureRequirements<'static> = SignatureRequirements {
    service: "sqs",
    region: None,
    max_skew: Duration::from_secs(15 * 60),
    allow_session_token: true,
    allow_unsigned_body: false,
};
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
/// 1 MiB of text can take three times that where a client escapes all that is not ASCII, as Python's does.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// The operation that a request asks of SQS, if it is one of SQS's.
pub(crate) fn operation<B>(request: &Request<B>) -> Option<String> {
    request.headers().get(TARGET)?.to_str().ok()?.strip_prefix(SERVICE).map(str::to_owned)
}

/// Answers a request. A wait ends early with `stop`.
pub(crate) async fn answer(
    request: Request<Incoming>,
    operation: &str,
    sqs: &Sqs,
    credentials: &Credentials,
    stop: &CancellationToken,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > MAX_REQUEST_BYTES as u64 {
        return too_large();
    }
    let body = match Limited::new(body, MAX_REQUEST_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return too_large(),
        Err(error) => return failed(&SqsError::Serialization(format!("the request can't be read: {error}"))),
    };
    if let Err(error) = check_signature(&parts, &body, credentials) {
        return denied(&error);
    }
    let parsed: Result<Value, _> = serde_json::from_slice(if body.is_empty() { b"{}" } else { &body });
    let answered = match parsed {
        Ok(input) => sqs.act(operation, input, stop).await,
        Err(error) => Err(SqsError::Serialization(error.to_string())),
    };
    match answered {
        Ok(output) => respond(StatusCode::OK, &output, None),
        Err(error) => failed(&error),
    }
}

fn check_signature(parts: &Parts, body: &[u8], credentials: &Credentials) -> Result<(), SignatureError> {
    let signature = Signature::read(parts)?;
    let is_known = signature.access_key_id() == credentials.access_key_id;
    let secret = is_known.then_some(credentials.secret_access_key.as_str());
    signature.check(secret, &Sha256::digest(body).into(), &SIGNATURE, SystemTime::now())
}

fn failed(error: &SqsError) -> Response<Body> {
    let (status, fault) = if error.is_ours() {
        (StatusCode::INTERNAL_SERVER_ERROR, "Receiver")
    } else {
        (StatusCode::BAD_REQUEST, "Sender")
    };
    if error.is_ours() {
        tracing::error!(%error, "the embedded SQS failed");
    }
    let body = json!({"__type": format!("com.amazonaws.sqs#{}", error.name()), "message": error.to_string()});
    respond(status, &body, Some(format!("{};{fault}", error.query_name())))
}

fn too_large() -> Response<Body> {
    let name = "RequestEntityTooLarge";
    let message = format!("A request can have at most {MAX_REQUEST_BYTES} bytes.");
    let body = json!({"__type": format!("com.amazonaws.sqs#{name}"), "message": message});
    respond(StatusCode::PAYLOAD_TOO_LARGE, &body, Some(format!("{name};Sender")))
}

fn denied(error: &SignatureError) -> Response<Body> {
    let name = match error.class() {
        SignatureErrorClass::Missing => "MissingAuthenticationToken",
        SignatureErrorClass::Incomplete => "IncompleteSignature",
        SignatureErrorClass::Unrecognized => "InvalidClientTokenId",
        SignatureErrorClass::Invalid => "SignatureDoesNotMatch",
    };
    let body = json!({"__type": format!("com.amazonaws.sqs#{name}"), "message": error.to_string()});
    respond(StatusCode::FORBIDDEN, &body, Some(format!("{name};Sender")))
}

fn respond(status: StatusCode, body: &Value, query_error: Option<String>) -> Response<Body> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = Response::builder()
        .status(status)
        .header("content-type", CONTENT_TYPE)
        .header("x-amzn-requestid", request_id);
    if let Some(query_error) = query_error {
        response = response.header("x-amzn-query-error", query_error);
    }
    response.body(Body::from(body.to_string())).unwrap_or_else(|_| Response::new(Body::empty()))
}
