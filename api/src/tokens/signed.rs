//! Finds the token of a request that was signed with its key pair, by Signature Version 4, as AWS Lambda's clients sign.
//!
//! What the token may do, and how often, is checked as of any other: by [`Caller`].

use std::net::SocketAddr;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use badlambda_shared::aws::signature::{Signature, SignatureError, SignatureRequirements};
use badlambda_shared::limits;
use sha2::{Digest as _, Sha256};

use super::Tokens;
use super::authorize::{Caller, bearer};
use crate::app::App;
use crate::http::body;
use crate::http::error::ApiError;

/// The most that any operation takes, as AWS has it.
const MOST_BODY_BYTES: usize = 70_167_211;
/// The service in the scope of AWS Lambda's clients.
const SERVICE: &str = "lambda";

/// Why a request has no token that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthenticationError {
    /// It is not signed as it must be.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It bears a token that is none of the API's.
    #[error("The security token included in the request is invalid. Send a token that this API knows.")]
    UnknownToken,
}

/// What a request shows of who sends it.
enum Proof<'a> {
    Token,
    Signature(Signature<'a>),
}

impl<'a> Proof<'a> {
    fn read(request: &'a Parts) -> Result<Self, SignatureError> {
        if bears_token(request) { Ok(Self::Token) } else { Signature::read(request).map(Self::Signature) }
    }
}

/// Who sends a request, whose body is read for that where it is signed, and put back.
pub(super) async fn caller(app: &App, request: &mut Request) -> Result<Caller, ApiError> {
    if app.tokens.is_empty() {
        return Ok(Caller(None));
    }
    let (parts, body) = std::mem::take(request).into_parts();
    // Whoever signs nothing sends no body that is worth reading.
    let proof = Proof::read(&parts).map_err(|error| ApiError::NotAuthenticated(error.into()))?;
    let (caller, body) = match proof {
        Proof::Token => (app.tokens.bearer(&parts), body),
        Proof::Signature(signature) => {
            let too_large = ApiError::BodyTooLarge(MOST_BODY_BYTES);
            let received = body::receive(&app.admission, body, MOST_BODY_BYTES, too_large).await?;
            let sha256 = Sha256::digest(&received.bytes).into();
            let by_loopback = is_from_loopback(&parts);
            let region = &app.account.region;
            let signer = app.tokens.signer(&signature, &sha256, region, by_loopback, SystemTime::now());
            (signer, Body::from(received.bytes))
        }
    };
    *request = Request::from_parts(parts, body);
    caller.map_err(ApiError::NotAuthenticated)
}

impl Tokens {
    /// Who bears the token of a request.
    fn bearer(&self, request: &Parts) -> Result<Caller, AuthenticationError> {
        let token = bearer(self, &request.headers).map_err(|_| AuthenticationError::UnknownToken)?;
        Ok(Caller(token))
    }

    /// Who has signed a request whose body has this SHA-256. `region` is that of the API, for which it must be signed.
    ///
    /// # Errors
    /// Says why the caller is not known, and what to do about it.
    fn signer(
        &self,
        signature: &Signature<'_>,
        body_sha256: &[u8; 32],
        region: &str,
        by_loopback: bool,
        now: SystemTime,
    ) -> Result<Caller, AuthenticationError> {
        let token = self.find_by_key(signature.access_key_id());
        let key_pair = token.and_then(|token| token.key_pair.as_ref());
        let required = SignatureRequirements {
            service: SERVICE,
            region: Some(region),
            max_skew: limits::MAX_SIGNATURE_SKEW,
            allow_session_token: false,
            allow_unsigned_body: by_loopback,
        };
        let secret = key_pair.map(|pair| pair.secret_access_key.as_str());
        signature.check(secret, body_sha256, &required, now)?;
        Ok(Caller(token.cloned()))
    }
}

/// Whether its one `Authorization` is for a token. Of several, the check of signatures says that they are.
fn bears_token(request: &Parts) -> bool {
    let mut presented = request.headers.get_all(AUTHORIZATION).iter();
    let first = presented.next().and_then(|value| value.to_str().ok());
    let scheme = first.and_then(|text| text.trim().split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")) && presented.next().is_none()
}

/// Nobody on the way could have changed the body.
fn is_from_loopback(request: &Parts) -> bool {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
