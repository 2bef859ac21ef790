//! Headers of an Invoke that nobody sends in good faith.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::HeaderValue;

use crate::fixture::{Api, send_unchecked};

const INVOKE: &str = "/2015-03-31/functions/hello/invocations";
const CONTEXT: &str = "X-Amz-Client-Context";

#[tokio::test]
async fn they_are_refused_by_name_and_nothing_runs() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    let long = "x".repeat(6000);
    let deep = STANDARD.encode(format!("{{\"a\":{}", "[".repeat(2000)));
    let (validation, unreadable) = ("ValidationException", "InvalidRequestContentException");
    let unsupported = "InvalidParameterValueException";
    let cases: [(&str, &[u8], &str); 24] = [
        ("X-Amz-Invocation-Type", b"", validation),
        ("X-Amz-Invocation-Type", b"event", validation),
        ("X-Amz-Invocation-Type", b"Event, RequestResponse", validation),
        ("X-Amz-Invocation-Type", b"Event\tDryRun", validation),
        ("X-Amz-Invocation-Type", b"\xff\xfe", validation),
        ("X-Amz-Invocation-Type", "Év\u{202e}ent".as_bytes(), validation),
        ("X-Amz-Invocation-Type", b"$(Event)", validation),
        ("X-Amz-Invocation-Type", long.as_bytes(), validation),
        ("X-Amz-Log-Type", b"", validation),
        ("X-Amz-Log-Type", b"tail", validation),
        ("X-Amz-Log-Type", b"Tail;None", validation),
        ("X-Amz-Log-Type", b"\x80", validation),
        ("X-Amz-Log-Type", long.as_bytes(), validation),
        (CONTEXT, b"{}", unreadable),
        (CONTEXT, b"e30", unreadable),
        (CONTEXT, b"e30=\xff", unreadable),
        (CONTEXT, b"W10=", unreadable),
        (CONTEXT, b"bnVsbA==", unreadable),
        (CONTEXT, b"/////w==", unreadable),
        (CONTEXT, b"e30=e30=", unreadable),
        (CONTEXT, deep.as_bytes(), unreadable),
        (CONTEXT, long.as_bytes(), unreadable),
        ("X-Amz-Tenant-Id", b"\xff", unsupported),
        ("X-Amz-Durable-Execution-Name", b"../../x", unsupported),
    ];
    for (name, value, code) in cases {
        let value = HeaderValue::from_bytes(value).unwrap();
        let request = api.request(Method::POST, INVOKE).header(name, &value).body("1");
        let (status, told, text) = send_unchecked(request).await.refusal();
        assert_eq!((status, told.as_str()), (400, code), "{name}: {value:?}: {text}");
    }
    // These are ids that no retry could be known by: the two are two calls.
    for id in [&b"\xff"[..], long.as_bytes()] {
        let request = api.request(Method::POST, INVOKE).header("X-Amz-Invocation-Type", "Event").body("1");
        let request = request.header("amz-sdk-invocation-id", HeaderValue::from_bytes(id).unwrap());
        assert_eq!(send_unchecked(request).await.status, 202);
    }
    assert_eq!(api.messages(2).await.len(), 2);
}
