//! Invoke. There is no worker: the tests are one, as far as its records go.

use badlambda_shared::aws::store::{Condition, TEXT};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{FUNCTIONS, arn};
use crate::fixture::{Answer, Api, send_unchecked};

const INVOKE: &str = "/2015-03-31/functions/hello/invocations";

impl Api {
    async fn invoke(&self, query: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.request(Method::POST, &format!("{INVOKE}{query}")).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send_unchecked(request).await
    }

    /// Plays the worker of the one message that comes: writes the record with these changes. Answers the message.
    async fn end_one(&self, changes: Value) -> Value {
        let message = self.messages(1).await.remove(0);
        let id = message["id"].as_str().unwrap();
        let mut record = json!({
            "id": id, "function": "hello", "version": message.get("version"), "revision": message["revision"],
            "status": "succeeded", "url": format!("/v1/functions/hello/executions/{id}"),
            "submitted_at": message["submitted_at"], "started_at": message["submitted_at"],
            "finished_at": message["submitted_at"], "attempts": 1,
            "usage": {"wall_ms": 1.234, "cpu_ms": 1.0, "max_rss_bytes": 37_748_736}, "replay_of": null,
            "result": null, "result_url": null, "result_bytes": null, "logs_url": null, "logs_truncated": false,
            "urls_expire_at": null, "isolation": null, "error": null,
        });
        if let Some(logs) = changes.get("logs") {
            let key = self.store.keys().logs(&"hello".parse().unwrap(), &id.parse().unwrap());
            let bytes = logs.as_str().unwrap().as_bytes().to_vec();
            record["logs_bytes"] = json!(bytes.len());
            self.store.put(&key, bytes, TEXT, Condition::Always).await.unwrap();
            record["logs_key"] = json!(key);
        }
        self.write_record(&record, changes).await;
        message
    }
}

async fn with_hello() -> Api {
    let api = Api::start().await;
    api.wire_create("hello").await;
    api
}

#[tokio::test]
async fn an_invocation_is_answered_with_its_result() {
    let api = with_hello().await;
    let (answer, message) =
        tokio::join!(api.invoke("", &[], r#"{"a": 1}"#), api.end_one(json!({"result": [1, null]})));
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "[1,null]"));
    assert_eq!(answer.headers["x-amz-executed-version"], "$LATEST");
    assert_eq!(answer.headers["x-amzn-requestid"], message["id"].as_str().unwrap());
    assert!(!answer.headers.contains_key("x-amz-function-error"));
    assert!(!answer.headers.contains_key("x-amz-log-result"));
    assert_eq!(message["input"], json!({"a": 1}));
    // The message names the revision alone, as `$LATEST` has no number.
    assert_eq!((message.get("version"), message["revision"].as_str().map(str::len)), (None, Some(64)));
    // An empty body is an empty event.
    let (_, message) = tokio::join!(api.invoke("", &[], ""), api.end_one(json!({"result": null})));
    assert_eq!(message["input"], json!({}));
}

#[tokio::test]
async fn a_version_or_an_alias_may_be_asked_for() {
    let api = with_hello().await;
    api.wire_post(&format!("{FUNCTIONS}/hello/versions"), json!({})).await.shown(201);
    let create = json!({"Name": "live", "FunctionVersion": "1"});
    api.wire_post(&format!("{FUNCTIONS}/hello/aliases"), create).await.shown(201);
    for (qualifier, executed, number) in
        [("1", "1", Some(&json!(1))), ("live", "1", Some(&json!(1))), ("%24LATEST", "$LATEST", None)]
    {
        let query = format!("?Qualifier={qualifier}");
        let (answer, message) = tokio::join!(api.invoke(&query, &[], "1"), api.end_one(json!({"result": 1})));
        assert_eq!(answer.headers["x-amz-executed-version"], executed, "{qualifier}");
        assert_eq!(message.get("version"), number, "{qualifier}");
    }
}

#[tokio::test]
async fn the_end_of_the_logs_comes_with_it() {
    let api = with_hello().await;
    let logs = format!("{}the end\n", "x".repeat(5000));
    let (answer, message) = tokio::join!(
        api.invoke("", &[("X-Amz-Log-Type", "Tail")], "1"),
        api.end_one(json!({"result": 1, "logs": logs}))
    );
    let tail = STANDARD.decode(&answer.headers["x-amz-log-result"]).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    let id = message["id"].as_str().unwrap();
    let end = format!(
        "the end\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: \
         128 MB\tMax Memory Used: 36 MB\t\n"
    );
    assert_eq!(tail.len(), 4096);
    assert!(tail.ends_with(&end), "{tail}");
    let (answer, message) = tokio::join!(
        api.invoke("", &[("X-Amz-Log-Type", "Tail")], "1"),
        api.end_one(json!({"result": 1, "logs": "no end of line"}))
    );
    let tail = String::from_utf8(STANDARD.decode(&answer.headers["x-amz-log-result"]).unwrap()).unwrap();
    let id = message["id"].as_str().unwrap();
    let begin = format!("START RequestId: {id} Version: $LATEST\nno end of line\nEND RequestId: {id}\n");
    assert!(tail.starts_with(&begin), "{tail}");
}

#[tokio::test]
async fn failures_of_ruby_are_told_as_recorded() {
    let api = with_hello().await;
    let cases: Vec<(Value, Value)> = serde_json::from_str(include_str!("failures.json")).unwrap();
    for (error, expected) in cases {
        let (answer, message) =
            tokio::join!(api.invoke("", &[], "1"), api.end_one(json!({"status": "failed", "error": error})));
        assert_eq!(answer.status, 200, "{error}");
        assert_eq!(answer.headers["x-amz-function-error"], "Unhandled", "{error}");
        let expected = expected.to_string().replace("ID", message["id"].as_str().unwrap());
        assert_eq!(answer.json(), serde_json::from_str::<Value>(&expected).unwrap(), "{error}");
    }
    let lost = json!({"kind": "worker_lost", "type": null, "message": "lost", "backtrace": []});
    let (answer, _) =
        tokio::join!(api.invoke("", &[], "1"), api.end_one(json!({"status": "failed", "error": lost})));
    assert_eq!((answer.refusal().0, answer.refusal().1.as_str()), (500, "ServiceException"));
}

#[tokio::test]
async fn bytes_are_answered_as_they_are() {
    let api = with_hello().await;
    let bytes = json!({"result": "PHA+Cg==", "result_encoding": "base64"});
    let (answer, message) = tokio::join!(api.invoke("", &[], "1"), api.end_one(bytes));
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "<p>\n"));
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let shown =
        api.get(&format!("/v1/functions/hello/executions/{}", message["id"].as_str().unwrap())).await.json();
    assert_eq!((&shown["result"], &shown["result_encoding"]), (&json!("PHA+Cg=="), &json!("base64")));
    let damaged = json!({"result": "%", "result_encoding": "base64"});
    let (answer, _) = tokio::join!(api.invoke("", &[], "1"), api.end_one(damaged));
    assert_eq!(answer.refusal().0, 500);
}

#[tokio::test]
async fn a_stream_is_refused_as_an_invocation_is() {
    let api = with_hello().await;
    let path = "/2021-11-15/functions/hello/response-streaming-invocations";
    let (answer, message) =
        tokio::join!(api.wire_post(path, json!({"a": 1})), api.end_one(json!({"result": 7})));
    assert_eq!((answer.status.as_u16(), message["input"].clone()), (200, json!({"a": 1})));
    assert_eq!(answer.headers["content-type"], "application/vnd.amazon.eventstream");
    assert_eq!(answer.headers["x-amz-executed-version"], "$LATEST");
    assert_eq!(answer.headers["x-amzn-requestid"], message["id"].as_str().unwrap());
    for (path, refused) in [
        ("/2021-11-15/functions/none/response-streaming-invocations", (404, "ResourceNotFoundException")),
        (&*format!("{path}?Qualifier=9"), (404, "ResourceNotFoundException")),
    ] {
        let (status, code, _) = api.wire_post(path, json!({})).await.refusal();
        assert_eq!((status, code.as_str()), refused, "{path}");
    }
    // Nobody waits for a stream later.
    for (kind, status) in [("Event", 400), ("DryRun", 204)] {
        let request = api.request(Method::POST, path).header("X-Amz-Invocation-Type", kind).body("1");
        assert_eq!(send_unchecked(request).await.status, status, "{kind}");
    }
    let large = format!("\"{}\"", "x".repeat(6_291_455));
    let refused = send_unchecked(api.request(Method::POST, path).body(large)).await.refusal();
    let told = "Request must be smaller than 6291456 bytes for the InvokeWithResponseStream operation";
    assert_eq!((refused.0, refused.2.as_str()), (413, told));
}

#[tokio::test]
async fn an_event_is_taken_on_and_can_be_polled_by_its_request_id() {
    let api = with_hello().await;
    let event = [("X-Amz-Invocation-Type", "Event")];
    let answer = api.invoke("", &event, r#"{"a": 1}"#).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
    for header in ["x-amz-executed-version", "x-amz-function-error", "x-amz-log-result"] {
        assert!(!answer.headers.contains_key(header), "{answer:?}");
    }
    let id = &answer.headers["x-amzn-requestid"];
    let path = format!("/v1/functions/hello/executions/{id}");
    assert_eq!(api.get(&path).await.json()["status"], "queued");
    let message = api.end_one(json!({"result": 7})).await;
    assert_eq!(message["id"], id.as_str());
    assert_eq!(api.get(&path).await.json()["result"], 7);
    let deprecated = api.wire_post("/2014-11-13/functions/hello/invoke-async", json!({"b": 2})).await;
    assert_eq!(deprecated.status, 202);
    assert_eq!(api.messages(1).await[0]["input"], json!({"b": 2}));
}

#[tokio::test]
async fn a_try_of_the_same_call_joins_the_first_one() {
    let api = with_hello().await;
    let own = [("amz-sdk-invocation-id", "3f6c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11")];
    let (first, second, message) =
        tokio::join!(api.invoke("", &own, "1"), api.invoke("", &own, "1"), api.end_one(json!({"result": 7})));
    for answer in [&first, &second] {
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "7"));
        assert_eq!(answer.headers["x-amzn-requestid"], message["id"].as_str().unwrap());
    }
    // Also when code has changed meanwhile.
    let path = format!("{FUNCTIONS}/hello/configuration");
    api.wire_put(&path, json!({"Timeout": 9})).await.shown(200);
    assert_eq!(api.invoke("", &own, "1").await.text, "7");
    // It has no other key's execution.
    let other = [("amz-sdk-invocation-id", "00000000-8f6b-4d0e-9d5f-2f6a7f0a9b11")];
    let (answer, again) = tokio::join!(api.invoke("", &other, "1"), api.end_one(json!({"result": 8})));
    assert_eq!(answer.text, "8");
    assert_ne!(again["id"], message["id"]);
}

#[tokio::test]
async fn what_is_not_run_is_refused_as_recorded() {
    let api = with_hello().await;
    let dry = [("X-Amz-Invocation-Type", "DryRun")];
    let answer = api.invoke("", &dry, "1").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert!(!answer.headers.contains_key("x-amz-executed-version"));
    let missing = |rest: &str| format!("Function not found: {}", arn(rest));
    for (path, text) in [
        ("/2015-03-31/functions/none/invocations", missing("none:$LATEST")),
        ("/2015-03-31/functions/hello/invocations?Qualifier=1", missing("hello:1")),
        ("/2015-03-31/functions/hello/invocations?Qualifier=live", missing("hello:live")),
        ("/2015-03-31/functions/hello/invocations?Qualifier=%24latest", missing("hello:$latest")),
    ] {
        let (status, code, told) = api.wire_post(path, json!({})).await.refusal();
        assert_eq!((status, code.as_str(), told), (404, "ResourceNotFoundException", text));
    }
    for body in ["{", "nonsense", "1 2"] {
        let (status, code, text) = api.invoke("", &[], body).await.refusal();
        assert_eq!((status, code.as_str()), (400, "InvalidRequestContentException"));
        let begin = "Could not parse request body into json: Could not parse payload into json: ";
        assert!(text.starts_with(begin), "{text}");
    }
    for (header, value) in [("X-Amz-Invocation-Type", "x"), ("X-Amz-Log-Type", "x")] {
        assert_eq!(api.invoke("", &[(header, value)], "1").await.refusal().1, "ValidationException");
    }
    let tenant = api.invoke("", &[("X-Amz-Tenant-Id", "t")], "1").await.refusal();
    assert!(tenant.2.contains("TenantId"), "{tenant:?}");
    let large = format!("\"{}\"", "x".repeat(1_048_575));
    let event = [("X-Amz-Invocation-Type", "Event")];
    assert_eq!(api.invoke("", &event, &large).await.refusal().1, "RequestEntityTooLargeException");
    let large = format!("\"{}\"", "x".repeat(6_291_455));
    let (status, code, text) = api.invoke("", &[], &large).await.refusal();
    assert_eq!((status, code.as_str()), (413, "RequestEntityTooLargeException"));
    assert_eq!(text, "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
    // Reserved concurrency of 0 switches it off.
    let concurrency = "/2017-10-31/functions/hello/concurrency";
    api.wire_put(concurrency, json!({"ReservedConcurrentExecutions": 0})).await.shown(200);
    let answer = api.invoke("", &[], "1").await;
    let (status, code, text) = answer.refusal();
    assert_eq!((status, code.as_str(), text.as_str()), (429, "TooManyRequestsException", "Rate Exceeded."));
    assert_eq!(answer.json()["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert!(answer.headers.contains_key("retry-after"));
    api.wire_delete(concurrency).await.shown(204);
    assert_eq!(api.invoke("", &dry, "1").await.status, 204);
}
