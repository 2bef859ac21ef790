use std::convert::Infallible;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::process::config::Environment;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use super::*;
use crate::http::serve::serve;
use crate::lambda::errors::Code;
use crate::tokens::Scope;

/// The HTTP status, and the code that AWS Lambda's clients know the error by.
fn kind(error: &AuthenticationError) -> (StatusCode, &'static str) {
    let code = Code::from(&ApiError::NotAuthenticated(error.clone()));
    (code.status(), code.name())
}

const REGION: &str = "eu-central-1";
const BODY: &[u8] = b"{\"name\": \"Ada\"}";
const TEXT: &str = "the-text-of-the-token";

/// One token with a key pair, for one function and one request a second, and one without.
fn tokens() -> Tokens {
    let digest = |text: &str| hex::encode(Sha256::digest(text));
    let list = json!([
        {
            "name": "ci", "sha256": digest(TEXT), "scopes": ["execute"], "functions": ["hello"], "per_second": 1,
            "access_key_id": "KEY0KEY0KEY0KEY0", "secret_access_key": "sesame-sesame-sesame",
        },
        { "name": "other", "sha256": digest("another-token-text"), "scopes": ["read"] },
    ]);
    let variable = ("BADLAMBDA_TOKENS".to_owned(), list.to_string());
    Tokens::from_environment(&Environment::from_pairs([variable]).unwrap()).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_769_903_880)
}

/// A request that AWS's own signer has signed at this time.
fn signed(key_id: &str, secret: &str, body: SignableBody<'_>, time: SystemTime) -> Request<()> {
    let identity = Credentials::new(key_id, secret, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("lambda")
        .time(time)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let path = "/2015-03-31/functions/hello%3A%24LATEST/invocations?Qualifier=%24LATEST";
    let headers = [("host", "localhost")].into_iter();
    let signable = SignableRequest::new("POST", format!("http://localhost{path}"), headers, body).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let mut request = Request::post(path).header("host", "localhost").body(()).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn good() -> Request<()> {
    signed("KEY0KEY0KEY0KEY0", "sesame-sesame-sesame", SignableBody::Bytes(BODY), now())
}

fn bearing(authorizations: &[&str]) -> Request<()> {
    let request = authorizations.iter().fold(Request::post("/2015-03-31/functions/"), |request, value| {
        request.header("authorization", *value)
    });
    request.body(()).unwrap()
}

fn authenticated(tokens: &Tokens, request: Request<()>) -> Result<Caller, AuthenticationError> {
    authenticated_for(REGION, tokens, &request.into_parts().0, BODY, now())
}

fn authenticated_for(
    region: &str,
    tokens: &Tokens,
    request: &Parts,
    body: &[u8],
    now: SystemTime,
) -> Result<Caller, AuthenticationError> {
    match Proof::read(request)? {
        Proof::Token => tokens.bearer(request),
        Proof::Signature(signature) => {
            let sha256 = Sha256::digest(body).into();
            tokens.signer(&signature, &sha256, region, is_from_loopback(request), now)
        }
    }
}

/// The status and code of the refusal.
fn refused(request: Request<()>) -> (u16, &'static str) {
    let error = authenticated(&tokens(), request).map(drop).unwrap_err();
    let (status, code) = kind(&error);
    (status.as_u16(), code)
}

#[test]
fn a_token_is_one_however_it_is_shown() {
    let name: FunctionName = "hello".parse().unwrap();
    let bearer = format!("bearer {TEXT}");
    for request in [good(), bearing(&[&bearer])] {
        let caller = authenticated(&tokens(), request).unwrap();
        assert_eq!(caller.token().unwrap().name(), "ci");
        assert!(caller.require(&name).is_ok() && caller.require(&"other".parse().unwrap()).is_err());
        // The rate counts what the scope forbids, too.
        let (quota, admitted) = caller.admit(Some(Scope::Manage));
        assert!(!quota.unwrap().is_exceeded);
        assert_eq!(admitted.unwrap_err().kind().1, "insufficient_scope");
        let (quota, admitted) = caller.admit(Some(Scope::Execute));
        assert!(quota.unwrap().is_exceeded);
        assert_eq!(admitted.unwrap_err().kind().1, "rate_limited");
    }
}

#[test]
fn a_key_pair_that_is_allowed_may_do_everything_where_tokens_are_needed() {
    let mut none = Tokens::default();
    none.allow_key_pair("LOCAL0LOCAL0LOCAL0", "sesame-sesame-sesame");
    assert!(none.is_empty());
    let mut tokens = tokens();
    tokens.allow_key_pair("LOCAL0LOCAL0LOCAL0", "sesame-sesame-sesame");
    let body = SignableBody::Bytes(BODY);
    let request = signed("LOCAL0LOCAL0LOCAL0", "sesame-sesame-sesame", body, now());
    let caller = authenticated(&tokens, request).unwrap();
    assert!(Scope::ALL.into_iter().all(|scope| caller.admit(Some(scope)).1.is_ok()));
    assert!(caller.functions().is_none());
}

#[test]
fn whoever_is_not_known_is_told_as_by_lambda() {
    let by = |id, secret| signed(id, secret, SignableBody::Bytes(BODY), now());
    let late = now() + limits::MAX_SIGNATURE_SKEW + Duration::from_secs(1);
    let late = signed("KEY0KEY0KEY0KEY0", "sesame-sesame-sesame", SignableBody::Bytes(BODY), late);
    for (request, expected) in [
        (bearing(&[]), (403, "MissingAuthenticationTokenException")),
        (bearing(&["Basic eDp5"]), (400, "IncompleteSignatureException")),
        (bearing(&["AWS4-HMAC-SHA256"]), (400, "IncompleteSignatureException")),
        (bearing(&["Bearer x", "Bearer x"]), (400, "IncompleteSignatureException")),
        (bearing(&["Bearer x"]), (403, "UnrecognizedClientException")),
        (bearing(&["Bearer"]), (403, "UnrecognizedClientException")),
        (by("KEY1KEY1KEY1KEY1", "sesame-sesame-sesame"), (403, "UnrecognizedClientException")),
        (by("KEY0KEY0KEY0KEY0", "sesame-sesame-sesamE"), (403, "InvalidSignatureException")),
        (late, (403, "InvalidSignatureException")),
    ] {
        let shown = format!("{:?}", request.headers());
        assert_eq!(refused(request), expected, "{shown}");
    }
    let region = authenticated_for("us-east-1", &tokens(), &good().into_parts().0, BODY, now());
    let told = region.map(drop).unwrap_err().to_string();
    assert!(told.contains("region us-east-1"), "{told}");
}

#[test]
fn only_this_machine_may_leave_its_body_unsigned() {
    let unsigned = |peer: Option<&str>| {
        let body = SignableBody::UnsignedPayload;
        let mut request = signed("KEY0KEY0KEY0KEY0", "sesame-sesame-sesame", body, now());
        let peer = peer.map(|peer| ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        peer.map(|peer| request.extensions_mut().insert(peer));
        request
    };
    for peer in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(authenticated(&tokens(), unsigned(Some(peer))).is_ok(), "{peer}");
    }
    for peer in [None, Some("10.0.0.1:1"), Some("[::ffff:10.0.0.1]:1")] {
        assert_eq!(refused(unsigned(peer)), (403, "InvalidSignatureException"), "{peer:?}");
    }
}

/// Answers with who asks.
async fn who(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1000).await.unwrap();
    let caller = authenticated_for(REGION, &tokens(), &parts, &body, SystemTime::now());
    let told = caller.map(|caller| caller.token().unwrap().name().to_owned());
    Ok(Response::new(Body::from(told.unwrap_or_else(|error| kind(&error).1.to_owned()))))
}

#[tokio::test]
async fn requests_are_checked_as_they_come_over_the_wire() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let serving =
        tokio::spawn(serve(listener, Router::new().fallback_service(service_fn(who)), stop.clone()));
    let send = async |request: &Request<()>, headers: HeaderMap, body: &'static [u8]| {
        let sent = reqwest::Client::new().post(format!("http://{address}{}", request.uri()));
        sent.headers(headers).body(body).send().await.unwrap().text().await.unwrap()
    };
    for (body, expected) in [
        (SignableBody::Bytes(BODY), ["ci", "InvalidSignatureException"]),
        // The connection comes from this machine.
        (SignableBody::UnsignedPayload, ["ci", "ci"]),
    ] {
        let request = signed("KEY0KEY0KEY0KEY0", "sesame-sesame-sesame", body, SystemTime::now());
        let headers = request.headers().clone();
        assert_eq!(send(&request, headers.clone(), BODY).await, expected[0]);
        assert_eq!(send(&request, headers, b"{}").await, expected[1]);
    }
    stop.cancel();
    serving.await.unwrap();
}
