//! What handlers answer when all went well. `status` chooses the HTTP status of each.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, LINK, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use badlambda_shared::aws::store;
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::{Function, Version};
use badlambda_shared::limits;
use badlambda_shared::map::Map;
use badlambda_shared::process::metrics;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::health::Health;
use crate::http::conditions::entity_tag;
use crate::http::error::ApiError;
use crate::http::prefer::Wait;
use crate::openapi::Document;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What every handler returns.
pub(crate) type ApiResult = Result<ApiResponse, ApiError>;

/// An answer that is no error.
#[derive(Debug)]
pub(crate) enum ApiResponse {
    /// A function, or its next version, is new.
    Created(Box<Function>),
    /// A function as it stands.
    Function(Box<Function>),
    /// A function as it would be.
    Preview(Box<Function>),
    /// A function of which the client has what there is, under this entity tag.
    NotModified(String),
    /// It is gone.
    Deleted,
    /// A page of a list, and the `Link` to the next one.
    Page(Value, Option<String>),
    /// A version, with its config.
    Version(Box<Version>),
    /// How things stand.
    Stats(Arc<Value>),
    /// The token that the request bears.
    Token(Value),
    /// Ruby code.
    Code(Arc<str>),
    /// What became of each input of a batch.
    Batch(Value),
    /// An execution that was taken on, and is not finished.
    Accepted(Box<Record>, Option<Wait>),
    /// An execution as it stands.
    Polled(Box<Record>, Option<Wait>),
    /// A map that was taken on, or cancelled.
    AcceptedMap(Box<Map>),
    /// A map as it stands.
    PolledMap(Box<Map>, Option<Wait>),
    /// An input or a result, which stands in the record alone.
    Json(Box<RawValue>),
    /// What is stored, of this media type, as it comes.
    Stored(&'static str, Body),
    /// What was asked for can be fetched without credentials at this URL.
    Elsewhere(String),
    /// How many dead letters a request is about.
    Counted(Value),
    /// A dead letter.
    DeadLetter(Value),
    /// A dead letter is in the queue again, as the execution at this URL, if it asks for one.
    Redriven(Value, Option<String>),
    /// Lines of JSON, as they come.
    Lines(Body),
    /// Server-sent events, as they come.
    Events(Response),
    /// There will be no more events.
    NothingMore,
    /// What was counted, for Prometheus.
    Metrics(String),
    /// The API's OpenAPI document.
    Document(&'static Document),
    /// A probe's answer.
    Healthy,
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut headers = HeaderMap::new();
        let body = match self {
            Self::Created(function) => {
                insert(&mut headers, LOCATION, &format!("/v1/functions/{}", function.name));
                with_entity_tag(&mut headers, function)
            }
            Self::Function(function) => with_entity_tag(&mut headers, function),
            Self::Preview(function) => Json(function).into_response(),
            Self::NotModified(entity_tag) => {
                insert(&mut headers, ETAG, &entity_tag);
                ().into_response()
            }
            Self::Page(page, link) => {
                if let Some(link) = link {
                    insert(&mut headers, LINK, &link);
                }
                Json(page).into_response()
            }
            Self::Counted(json) | Self::DeadLetter(json) | Self::Token(json) => Json(json).into_response(),
            Self::Stats(json) => Json(&*json).into_response(),
            Self::Redriven(redriven, url) => {
                if let Some(url) = url {
                    insert(&mut headers, LOCATION, &url);
                }
                Json(redriven).into_response()
            }
            Self::Lines(lines) => {
                insert(&mut headers, CONTENT_TYPE, "application/x-ndjson");
                lines.into_response()
            }
            Self::Stored(content_type, body) => {
                insert(&mut headers, CONTENT_TYPE, content_type);
                body.into_response()
            }
            Self::Version(version) => Json(version).into_response(),
            Self::Code(code) => {
                insert(&mut headers, CONTENT_TYPE, store::RUBY);
                code.to_string().into_response()
            }
            Self::Batch(items) => Json(items).into_response(),
            Self::Accepted(record, wait) => {
                insert(&mut headers, LOCATION, &record.url);
                tell_when(&mut headers, record.status.is_final(), wait);
                Json(Execution::from(*record)).into_response()
            }
            Self::Polled(record, wait) => {
                tell_when(&mut headers, record.status.is_final(), wait);
                Json(Execution::from(*record)).into_response()
            }
            Self::AcceptedMap(map) => {
                insert(&mut headers, LOCATION, &map.url);
                headers.insert(RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER.as_secs()));
                Json(map).into_response()
            }
            Self::PolledMap(map, wait) => {
                tell_when(&mut headers, map.status.is_final(), wait);
                Json(map).into_response()
            }
            Self::Json(json) => Json(json).into_response(),
            Self::Elsewhere(url) => {
                insert(&mut headers, LOCATION, &url);
                ().into_response()
            }
            Self::Events(events) => events,
            Self::Deleted | Self::NothingMore => ().into_response(),
            Self::Metrics(text) => {
                insert(&mut headers, CONTENT_TYPE, metrics::CONTENT_TYPE);
                text.into_response()
            }
            Self::Document(document) => {
                insert(&mut headers, ETAG, &document.entity_tag);
                insert(&mut headers, CACHE_CONTROL, "no-cache");
                insert(&mut headers, CONTENT_TYPE, store::JSON);
                document.json.as_str().into_response()
            }
            Self::Healthy => Json(Health { status: "ok" }).into_response(),
        };
        (status, headers, body).into_response()
    }
}

fn with_entity_tag(headers: &mut HeaderMap, function: Box<Function>) -> Response {
    match entity_tag(&function) {
        Ok(entity_tag) => {
            insert(headers, ETAG, &entity_tag);
            Json(function).into_response()
        }
        Err(error) => error.into_response(),
    }
}

fn tell_when(headers: &mut HeaderMap, is_final: bool, wait: Option<Wait>) {
    if !is_final {
        headers.insert(RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER.as_secs()));
    }
    if let Some(wait) = wait {
        insert(headers, PREFERENCE_APPLIED, &wait.to_string());
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            headers.insert(name, value);
        }
        Err(_) => tracing::error!(header = %name, "a header's value holds what headers can't"),
    }
}
