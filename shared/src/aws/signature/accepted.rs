//! Requests that are taken: signed as AWS's clients do it, and within what a server allows.

use super::requests::{BODY, NOW, REQUEST, REQUIRED, Signer, checked, checked_as, from_text};
use super::{SignatureError, SignatureRequirements};

#[test]
fn what_clients_sign_is_taken() {
    let post = |target: &str, headers: &str| {
        format!("POST {target} HTTP/1.1\nhost: 127.0.0.1:8080\n{headers}\n{}", str::from_utf8(BODY).unwrap())
    };
    for request in [
        REQUEST.to_owned(),
        post("/2015-03-31/functions/hello/invocations", ""),
        post("/2015-03-31/functions/hello%3A%24LATEST/invocations", "x-amz-log-type: Tail\n"),
        post("/2015-03-31/functions/hello:$LATEST/invocations", ""),
        post("/2015-03-31/functions/a%20b%2Fc%25d/invocations", ""),
        post("/2015-03-31/functions/", ""),
        post("/2015-03-31/functions/?Marker=&MaxItems=50&FunctionVersion=ALL", ""),
        post("/2015-03-31/tags/arn%3Aaws%3Alambda?tagKeys=b&tagKeys=a&tagKeys=%C3%A9%2B%20", ""),
        post("/?b=1&a&a=2&=x&%7e=~", "amz-sdk-request: attempt=1;  max=3\namz-sdk-invocation-id: 1\n"),
    ] {
        assert_eq!(checked(&Signer::default().sign(&request), BODY), Ok(()), "{request}");
    }
    let states_hash = Signer { states_hash: true, ..Signer::default() };
    assert_eq!(checked(&states_hash.sign(REQUEST), BODY), Ok(()));
    for seconds in [NOW - 300, NOW + 300] {
        assert_eq!(checked(&Signer { at: seconds, ..Signer::default() }.sign(REQUEST), BODY), Ok(()));
    }
}

#[test]
fn what_a_server_allows_is_taken() {
    let lenient = SignatureRequirements {
        region: None,
        allow_session_token: true,
        allow_unsigned_body: true,
        ..REQUIRED
    };
    let signer = Signer {
        region: "eu-west-1",
        session_token: Some("token"),
        unsigned_body: true,
        states_hash: true,
        ..Signer::default()
    };
    assert_eq!(checked_as(&signer.sign(REQUEST), b"any", &lenient), Ok(()));
    // A session token that is empty is none.
    let empty = Signer::default().sign(&REQUEST.replacen("host: ", "x-amz-security-token:\nhost: ", 1));
    assert_eq!(checked(&empty, BODY), Ok(()));
}

#[test]
fn a_signature_may_be_dated_by_the_date() {
    // Made by hand, by the steps of AWS's description.
    for (date, signature) in [
        ("Sat, 31 Jan 2026 23:58:00 GMT", "d16a9d61d6658f8c3a6ed22dfe0532535f69435950052f39727713341ba110e5"),
        ("20260131T235800Z", "80b84060d184c99a1a487cbe3f2fb3619f19f4a9c3da564057cc9268bb584f23"),
    ] {
        let text = format!(
            "GET /2015-03-31/functions/ HTTP/1.1\nhost: localhost:8080\ndate: {date}\nauthorization: \
             AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260131/us-east-1/lambda/aws4_request,\
             SignedHeaders=date;host,Signature={signature}"
        );
        assert_eq!(checked(&from_text(&text).0, b""), Ok(()), "{date}");
        let unsigned = text.replace("date;host", "host");
        let error = checked(&from_text(&unsigned).0, b"").unwrap_err();
        assert_eq!(error, SignatureError::UnsignedHeader("date".to_owned()));
        let other = text.replace("23:58", "23:57").replace("T2358", "T2357");
        assert_eq!(checked(&from_text(&other).0, b""), Err(SignatureError::Mismatch));
    }
}
