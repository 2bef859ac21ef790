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
use badlambda_shared::function::name::FunctionName;

use super::Tokens;
use super::rate::Quota;
use super::signed;
use super::token::{Scope, Token};
use crate::app::App;
use crate::http::error::ApiError;

/// Who sends a request: the bearer of a token, whoever signs with its key pair, or anybody, where there are no tokens.
#[derive(Clone)]
pub(crate) struct Caller(pub(super) Option<Arc<Token>>);

/// What a route asks of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed {
    /// `None` where any token will do.
    pub(crate) scope: Option<Scope>,
    pub(crate) checked: FunctionCheck,
    pub(crate) shown: Shown,
}

impl Needed {
    /// Of whoever bears a token.
    pub(crate) fn of_bearer(scope: Option<Scope>, checked: FunctionCheck) -> Self {
        Self { scope, checked, shown: Shown::Token }
    }
}

/// How a request shows whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It bears a token.
    Token,
    /// It bears a token, or is signed with a token's key pair, as clients of AWS sign.
    TokenOrSignature,
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
    let caller = match needed.shown {
        Shown::Token => bearer(&app.tokens, request.headers()).map(Caller),
        Shown::TokenOrSignature => signed::caller(&app, &mut request).await,
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let (quota, admitted) = caller.admit(needed.scope);
    let checked = match admitted {
        Ok(()) => check_path(&caller, needed.checked, &mut request).await,
        refused => refused,
    };
    let mut response = match checked {
        Ok(()) => {
            request.extensions_mut().insert(caller);
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
pub(super) fn bearer(tokens: &Tokens, headers: &HeaderMap) -> Result<Option<Arc<Token>>, ApiError> {
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

async fn check_path(caller: &Caller, checked: FunctionCheck, request: &mut Request) -> Result<(), ApiError> {
    let Some(functions) = caller.functions() else { return Ok(()) };
    if checked == FunctionCheck::ByHandler {
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
    /// Counts a request of the caller's, and checks that it may be made: whether the rate allows it, and then the scope.
    /// The quota, where there is one, is for the response, whatever that is.
    pub(crate) fn admit(&self, needed: Option<Scope>) -> (Option<Quota>, Result<(), ApiError>) {
        let Some(token) = &self.0 else { return (None, Ok(())) };
        let quota = token.count_request();
        let admitted = match needed {
            _ if quota.is_some_and(|quota| quota.is_exceeded) => Err(ApiError::RateLimited),
            Some(scope) if !token.has(scope) => Err(ApiError::InsufficientScope(scope)),
            _ => Ok(()),
        };
        (quota, admitted)
    }

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
