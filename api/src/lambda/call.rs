//! What a handler reads of a request, with every refusal in AWS's form.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use badlambda_shared::function::name::FunctionName;
use serde::de::DeserializeOwned;

use super::checks::Checks;
use super::errors::{Refusal, WireError, no_function};
use super::names::{Asked, Form};
use crate::app::App;
use crate::functions::manifest::{self, Current};
use crate::http::admission::BodyPermit;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::tokens::Caller;

/// A request, but for its body.
pub(crate) struct Call {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = WireError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, WireError> {
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let query = parts.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self { app: Arc::clone(app), caller, headers: parts.headers.clone(), path, query })
    }
}

impl Call {
    /// The part of the path of this name.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The parameter of the query of this name.
    pub(crate) fn query<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.query_all(name).next()
    }

    /// All values of the parameter of this name.
    pub(crate) fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a header. One that is no text is shown as what nothing accepts, so that it is not taken for one that
    /// is not there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or("\u{FFFD}"))
    }

    /// The function that the path names, with the query's qualifier.
    pub(crate) fn asked(&self, form: Form, checks: Checks) -> Result<Asked, WireError> {
        let (function, qualifier) = (self.path("function"), self.query("Qualifier"));
        self.allowed(Asked::read(&self.app.account, form, function, qualifier, checks)?)
    }

    /// The function that the path names, where the operation takes no qualifier beside it.
    pub(crate) fn asked_alone(&self, form: Form, checks: Checks) -> Result<Asked, WireError> {
        self.allowed(Asked::read(&self.app.account, form, self.path("function"), None, checks)?)
    }

    /// Fails where the caller may not use the function.
    pub(crate) fn allowed(&self, asked: Asked) -> Result<Asked, WireError> {
        match asked.function() {
            Some(function) => self.caller.require(&function)?,
            // A token for some functions is for none that there can't be.
            None if self.caller.functions().is_some() => return Err(ApiError::FunctionNotAllowed.into()),
            None => {}
        }
        Ok(asked)
    }

    /// The function's name, which one that there is can have.
    pub(crate) fn named(&self, asked: &Asked, missing: &str) -> Result<FunctionName, WireError> {
        asked.function().ok_or_else(|| no_function(missing))
    }

    /// The function's manifest as it is now; where there is none, `missing` is the ARN that is told.
    pub(crate) async fn manifest(&self, asked: &Asked, missing: &str) -> Result<Current, WireError> {
        let function = self.named(asked, missing)?;
        match manifest::live(&self.app, &function).await {
            Err(ApiError::FunctionNotFound(_)) => Err(no_function(missing)),
            read => Ok(read?),
        }
    }

    /// The body, of at most `most` bytes, and the room that it takes.
    pub(crate) async fn body(
        &self,
        body: Body,
        most: usize,
        too_large: Refusal,
    ) -> Result<Received, WireError> {
        let received = body::receive(&self.app.admission, body, most, ApiError::BodyTooLarge(most)).await;
        match received {
            Err(ApiError::BodyTooLarge(_)) => Err(too_large.into()),
            received => Ok(received?),
        }
    }

    /// The body as JSON, and the room that it takes. No body is an empty object.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        body: Body,
        operation: &str,
        most: usize,
    ) -> Result<(T, BodyPermit), WireError> {
        let too_large = Refusal::request_too_large(operation, most);
        let Received { bytes, permit } = self.body(body, most, too_large).await?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let read = serde_json::from_slice(text).map_err(|error| {
            // Members that no operation of AWS's has are told, too: a misspelt one must not be ignored.
            Refusal::unreadable(error)
        })?;
        Ok((read, permit))
    }
}
