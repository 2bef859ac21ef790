//! Results as Ruby gave them: bytes that are no JSON, and streams of events, which boto3 and AWS's SDK for Rust read.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvokeWithResponseStreamResponseEvent::{InvokeComplete, PayloadChunk};
use aws_sdk_lambda::types::{FunctionCode, LogType, Runtime};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::programs::Settings;
use crate::fixtures::fleet::{Fleet, PATIENCE};

const CODE: &str = "require \"stringio\"\n\ndef handler(event:, context:)\n  puts \"logged\"\n  raise \"no\" if event[\"fails\"]\n  \
                    event[\"bytes\"] ? StringIO.new(\"\\xff\\0\".b * event[\"bytes\"]) : { n: event[\"n\"] }\nend\n";

/// Prints what boto3 sees.
const BOTO3: &str = r#"
import base64, json, boto3

client = boto3.client("lambda")

def streamed(event, **more):
    answer = client.invoke_with_response_stream(FunctionName="hello", Payload=json.dumps(event), **more)
    events = list(answer["EventStream"])
    chunks = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    return {
        "status": answer["StatusCode"], "version": answer.get("ExecutedVersion"),
        "type": answer.get("ResponseStreamContentType"), "chunks": [len(chunk) for chunk in chunks],
        "payload": base64.b64encode(b"".join(chunks)).decode(),
        "complete": events[-1].get("InvokeComplete") if events else None,
    }

whole = client.invoke(FunctionName="hello", Payload=b'{"bytes": 2}')
seen = {
    "whole": [base64.b64encode(whole["Payload"].read()).decode(), whole["ResponseMetadata"]["HTTPHeaders"]["content-type"]],
    "id": whole["ResponseMetadata"]["RequestId"],
    "json": streamed({"n": 1}),
    "bytes": streamed({"bytes": 50000}, LogType="Tail"),
    "failed": streamed({"fails": True}),
    "dry": streamed({}, InvocationType="DryRun"),
}
try:
    streamed({}, Qualifier="missing")
except client.exceptions.ResourceNotFoundException as error:
    seen["missing"] = error.response["Error"]["Code"]
print(json.dumps(seen))
"#;

#[tokio::test]
async fn results_are_sent_as_they_are_whole_and_as_events() {
    let fleet = Fleet::start().await;
    let settings = Settings::of(&fleet);
    let lambda = settings.rust(PATIENCE);
    let create = lambda.create_function().function_name("hello").role("arn:aws:iam::000000000000:role/r");
    let create = create.runtime(Runtime::from("ruby3.4")).handler("function.handler");
    let code = FunctionCode::builder().zip_file(Blob::new(super::zip(CODE))).build();
    create.code(code).send().await.unwrap();

    let mut seen = settings.python(BOTO3).await;
    let large = b"\xff\0".repeat(50_000);
    let tail = seen["bytes"]["complete"]["LogResult"].take();
    check_tail(tail.as_str().unwrap());
    let failure = seen["failed"]["complete"]["ErrorDetails"].take();
    let failure: Value = serde_json::from_str(failure.as_str().unwrap()).unwrap();
    assert_eq!(
        (&failure["errorType"], &failure["errorMessage"]),
        (&json!("Function<RuntimeError>"), &json!("no"))
    );
    let id = seen["id"].take();
    let answer = |chunks: &[usize], payload: &[u8], complete: Value| {
        json!({
            "status": 200, "version": "$LATEST", "type": "application/vnd.amazon.eventstream", "chunks": chunks,
            "payload": BASE64_STANDARD.encode(payload), "complete": complete,
        })
    };
    let expected = json!({
        "whole": ["/wD/AA==", "application/octet-stream"],
        "id": null,
        "json": answer(&[7], b"{\"n\":1}", json!({})),
        "bytes": answer(&[65_536, 34_464], &large, json!({"LogResult": null})),
        "failed": answer(&[], b"", json!({"ErrorCode": "Unhandled", "ErrorDetails": null})),
        "dry": {"status": 204, "version": null, "type": null, "chunks": [], "payload": "", "complete": null},
        "missing": "ResourceNotFoundException",
    });
    assert_eq!(seen, expected);

    let execution = fleet.finished(&format!("/v1/functions/hello/executions/{}", id.as_str().unwrap())).await;
    assert_eq!((&execution["result"], &execution["result_encoding"]), (&json!("/wD/AA=="), &json!("base64")));

    let stream = lambda.invoke_with_response_stream().function_name("hello").log_type(LogType::Tail);
    let mut stream = stream.payload(Blob::new(r#"{"bytes": 50000}"#)).send().await.unwrap().event_stream;
    let (mut payload, mut logs) = (vec![], None);
    while let Some(event) = stream.recv().await.unwrap() {
        match event {
            PayloadChunk(chunk) => payload.extend(chunk.payload.unwrap().into_inner()),
            InvokeComplete(end) => logs = end.log_result,
            other => panic!("{other:?}"),
        }
    }
    assert!(payload == large, "{} bytes", payload.len());
    check_tail(&logs.unwrap());
}

fn check_tail(tail: &str) {
    let tail = String::from_utf8(BASE64_STANDARD.decode(tail).unwrap()).unwrap();
    assert!(tail.starts_with("START RequestId: ") && tail.contains("\nlogged\nEND RequestId: "), "{tail}");
}
