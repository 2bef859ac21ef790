//! Reading paths and queries, with every refusal as an [`ApiError`].

use std::str::FromStr;

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::map::MapId;
use serde::de::DeserializeOwned;

use crate::http::error::ApiError;
use crate::openapi;

/// The function that the path names.
pub(crate) struct FunctionPath(pub(crate) FunctionName);

/// The execution that the path names.
pub(crate) struct ExecutionPath(pub(crate) FunctionName, pub(crate) ExecutionId);

/// The map that the path names.
pub(crate) struct MapPath(pub(crate) FunctionName, pub(crate) MapId);

/// The function that the path names, and the last segment behind it.
pub(crate) struct FunctionSubPath(pub(crate) FunctionName, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for FunctionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(function(&path(parts, state).await?)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ExecutionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let FunctionSubPath(function, id) = FunctionSubPath::from_request_parts(parts, state).await?;
        match id.parse() {
            Ok(id) => {
                tracing::Span::current().record("execution", tracing::field::display(&id));
                Ok(Self(function, id))
            }
            Err(_) => Err(ApiError::ExecutionNotFound(function)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MapPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let FunctionSubPath(function, id) = FunctionSubPath::from_request_parts(parts, state).await?;
        let id: MapId = id.parse().map_err(|_| ApiError::MapNotFound(function.clone()))?;
        tracing::Span::current().record("map", tracing::field::display(&id));
        Ok(Self(function, id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FunctionSubPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = path(parts, state).await?;
        let last = path.iter().last().map_or("", |(_, value)| value);
        Ok(Self(function(&path)?, last.to_owned()))
    }
}

async fn path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, ApiError> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))
}

fn function(path: &RawPathParams) -> Result<FunctionName, ApiError> {
    let name = path.iter().find(|(name, _)| *name == "function").map_or("", |(_, value)| value);
    parsed("name", name)
}

/// `text` as the value of this parameter in path or query.
pub(crate) fn parsed<T: FromStr<Err: ToString>>(parameter: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error| ApiError::parameter(parameter, error))
}

/// The query.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::InvalidQuery(rejection.body_text())),
        }
    }
}

/// Refuses a query where the call takes none: its caller has misspelt something, or asked another call. Calls that take a
/// query refuse what they do not know by name. Probes are asked by tools that may add to their URL.
pub(crate) async fn refuse_unknown_query(request: Request, next: Next) -> Result<Response, ApiError> {
    let has_query = request.uri().query().is_some_and(|query| !query.is_empty());
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if has_query && path.starts_with("/v1/") && openapi::takes_no_query(request.method(), path) {
        return Err(ApiError::InvalidQuery("this call takes nothing in its query; leave it out".to_owned()));
    }
    Ok(next.run(request).await)
}
