//! Holds a request against the tokens: who sends it, whether their rate allows it, and whether they may.
//!
//! 401 and 403 are those of RFC 6750, section 3.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::RequestExt as _;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use badlambda_shared::name::FunctionName;

use super::Tokens;
use super::token::{Scope, Token};
use crate::app::App;
use crate::http::error::ApiError;

/// Who sends a request: the bearer of a token, or anybody, where there are no tokens.
#[derive(Clone)]
pub(crate) struct Caller(Option<Arc<Token>>);

/// What a route asks of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed {
    /// `None` where any token will do.
    pub(crate) scope: Option<Scope>,
    pub(crate) checked: FunctionCheck,
}

/// Who checks that a token may be used for the function in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionCheck {
    /// This module does, by `{function}` in the path. A token for some functions can't use a path without one.
    ByPath,
    /// The handler does, which takes the [`Caller`].
    ByHandler,
}

/// Lets a request pass to the route if its token may use that.
pub(crate) async fn authorize(
    State((app, needed)): State<(Arc<App>, Needed)>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = match bearer(&app.tokens, request.headers()) {
        Ok(token) => token,
        Err(refused) => return refused.into_response(),
    };
    let quota = token.as_ref().and_then(|token| token.count_request());
    let checked = match &token {
        Some(_) if quota.is_some_and(|quota| quota.is_exceeded) => Err(ApiError::RateLimited),
        Some(token) => check(token, needed, &mut request).await,
        None => Ok(()),
    };
    let mut response = match checked {
        Ok(()) => {
            request.extensions_mut().insert(Caller(token));
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    if let Some(quota) = quota {
        quota.write_to(response.headers_mut());
    }
    response
}

/// The token that the request bears; `None` where none is needed.
fn bearer(tokens: &Tokens, headers: &HeaderMap) -> Result<Option<Arc<Token>>, ApiError> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut presented = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = presented.next() else { return Err(ApiError::Unauthorized) };
    // Two of them may mean one thing to whoever stands before the API, and another to it.
    if presented.next().is_some() {
        return Err(ApiError::InvalidToken);
    }
    let credentials = first.to_str().ok().and_then(|text| text.trim().split_once(' '));
    match credentials {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            tokens.find(token.trim()).map(Some).ok_or(ApiError::InvalidToken)
        }
        _ => Err(ApiError::Unauthorized),
    }
}

async fn check(token: &Token, needed: Needed, request: &mut Request) -> Result<(), ApiError> {
    if let Some(scope) = needed.scope
        && !token.has(scope)
    {
        return Err(ApiError::InsufficientScope(scope));
    }
    let Some(functions) = token.functions() else { return Ok(()) };
    if needed.checked == FunctionCheck::ByHandler {
        return Ok(());
    }
    let path = request.extract_parts::<RawPathParams>().await;
    let path = path.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let in_path = path.iter().find(|(name, _)| *name == "function").map(|(_, value)| value);
    if functions.iter().any(|function| Some(function.as_str()) == in_path) {
        return Ok(());
    }
    Err(ApiError::FunctionNotAllowed)
}

impl Caller {
    /// The caller's token; `None` where the API has none.
    pub(super) fn token(&self) -> Option<&Token> {
        self.0.as_deref()
    }

    /// The functions that the caller is limited to, if to some.
    pub(crate) fn functions(&self) -> Option<&BTreeSet<FunctionName>> {
        self.0.as_ref().and_then(|token| token.functions())
    }

    /// Fails where the caller may not use `function`.
    pub(crate) fn require(&self, function: &FunctionName) -> Result<(), ApiError> {
        match self.functions() {
            Some(functions) if !functions.contains(function) => Err(ApiError::FunctionNotAllowed),
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get().cloned();
        caller.ok_or_else(|| ApiError::Internal("a route has a caller but no guard".to_owned()))
    }
}
