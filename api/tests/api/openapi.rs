//! `GET /openapi.json`. What it says is held against every response of every other test.

use reqwest::{Method, StatusCode};

use crate::fixture::{Api, send};

#[tokio::test]
async fn anybody_may_have_it() {
    let api = Api::start_with(&[("BADLAMBDA_API_TOKEN", "a-token-of-some-length")]).await;
    assert_eq!(api.get("/v1/functions").await.status, StatusCode::UNAUTHORIZED);
    let got = api.get("/openapi.json").await;
    assert_eq!((got.status, got.headers["cache-control"].as_str()), (StatusCode::OK, "no-cache"));
    assert_eq!(got.json()["openapi"], "3.1.0");
    let again = api.request(Method::GET, "/openapi.json").header("if-none-match", &got.headers["etag"]);
    let again = send(again).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
#[should_panic(expected = "its status is not documented")]
async fn a_response_that_is_not_documented_is_found() {
    use crate::conformance::{ReadResponse, check};
    let (status, headers) = (StatusCode::IM_A_TEAPOT, reqwest::header::HeaderMap::new());
    check(&ReadResponse {
        method: &Method::GET,
        path: "/v1/functions",
        status,
        headers: &headers,
        body: Some(b""),
    });
}
