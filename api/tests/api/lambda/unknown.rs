//! What is no operation, and what is no request that could be one.

use reqwest::Method;

use super::FUNCTIONS;
use crate::fixture::{Api, send_unchecked};

#[tokio::test]
async fn what_is_no_operation_is_told_in_awss_form() {
    let api = Api::start().await;
    for (method, path) in [
        (Method::GET, "/2099-01-01/anything"),
        (Method::PUT, "/2015-03-31/functions"),
        (Method::POST, "/2015-03-31/functions/f/nothing"),
        (Method::PATCH, "/2015-03-31/functions/f"),
        (Method::GET, "/2015-03-31/"),
    ] {
        let answer = api.wire(method.clone(), path, None).await;
        let (status, code, text) = answer.refusal();
        assert_eq!((status, code.as_str()), (404, "UnknownOperationException"), "{method} {path}");
        assert!(text.contains("no such operation"), "{text}");
        assert_eq!(answer.json().as_object().unwrap().len(), 1, "{answer:?}");
        assert_eq!(answer.headers["x-amzn-requestid"].len(), 36);
    }
    // A path that only looks like one is a file of the console, which there is not.
    assert_eq!(send_unchecked(api.request(Method::GET, "/2015-3-31/functions")).await.status, 404);
}

#[tokio::test]
async fn what_can_not_be_read_is_told() {
    let api = Api::start().await;
    for body in ["{", "[]", "null", "{\"FunctionNam\": \"f\"}", "{\"FunctionName\": 3}"] {
        let answer = send_unchecked(api.request(Method::POST, FUNCTIONS).body(body)).await;
        let (status, code, text) = answer.refusal();
        assert_eq!((status, code.as_str()), (400, "InvalidRequestContentException"), "{body}: {text}");
        assert!(text.starts_with("Could not parse request body into json: "), "{text}");
    }
}

#[tokio::test]
async fn who_may_not_is_told_in_awss_form() {
    let (token, other) = ("0123456789abcdef-all", "0123456789abcdef-other");
    let api = Api::start_with(&[("BADLAMBDA_API_TOKEN", token)]).await;
    let refusal = async |token: Option<&str>| {
        let request = api.request(Method::GET, FUNCTIONS);
        let request = token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token));
        send_unchecked(request).await
    };
    let (status, code, _) = refusal(None).await.refusal();
    assert_eq!((status, code.as_str()), (403, "MissingAuthenticationTokenException"));
    let (status, code, _) = refusal(Some(other)).await.refusal();
    assert_eq!((status, code.as_str()), (403, "UnrecognizedClientException"));
    assert_eq!(refusal(Some(token)).await.shown(200)["Functions"].as_array().unwrap().len(), 0);
}
