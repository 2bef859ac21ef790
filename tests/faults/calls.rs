//! What was asked of SQS, S3 and ECS's agent, in the words that permissions are given in.

use hyper::Method;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;

/// A call, and what it was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The operation, by the SDK's name; of a presigned URL with `presigned` before it.
    pub operation: String,
    /// A queue's name; or the first part of a key, with its slash; or nothing, where it is the bucket itself.
    pub on: String,
}

impl Call {
    pub(crate) fn of(parts: &Parts, body: &Bytes) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match target.and_then(|target| target.rsplit_once('.')) {
            Some((_, operation)) => Self { operation: operation.to_owned(), on: queue_of(body) },
            // The agent's own name for it; the call that it makes of it is ECS's.
            None if parts.uri.path() == "/task-protection/v1/state" && parts.method == Method::PUT => {
                Self { operation: "UpdateTaskProtection".to_owned(), on: String::new() }
            }
            None => Self::of_s3(parts),
        }
    }

    /// Buckets stand in the path, as wherever an endpoint is set.
    fn of_s3(parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let (_bucket, key) = parts.uri.path().trim_start_matches('/').split_once('/').unwrap_or_default();
        let operation = match (&parts.method, key.is_empty()) {
            (&Method::GET, true) if query.contains("list-type=2") => "ListObjectsV2",
            (&Method::HEAD, true) => "HeadBucket",
            (&Method::GET, false) if query.contains("X-Amz-Signature=") => "presigned GetObject",
            (&Method::GET, false) => "GetObject",
            (&Method::PUT, false) => "PutObject",
            (&Method::DELETE, false) => "DeleteObject",
            _ => return Self { operation: format!("{} {}", parts.method, parts.uri), on: String::new() },
        };
        let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
        let key = prefix.map_or_else(|| key.to_owned(), |prefix| prefix.replace("%2F", "/"));
        let on = key.split_once('/').map_or(key.clone(), |(first, _)| format!("{first}/"));
        Self { operation: operation.to_owned(), on }
    }
}

fn queue_of(body: &Bytes) -> String {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let url = request["QueueUrl"].as_str().unwrap_or_default();
    url.rsplit('/').next().unwrap_or_default().to_owned()
}
