//! Other systems, with their own SDKs: both kinds of message, each polled over HTTP by whatever id its producer knows.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::fleet::{Fleet, repository};
use crate::messages::senders::{aws_cli, boto3, boto3_send, function, message_id};

/// SQS's ceiling for a message, its attributes included.
const MOST_BYTES: usize = 1024 * 1024;
const MEASURE: &str = "[event.bytesize, event[0], event[-1]]";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const XRAY: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";

/// Waits for the execution `id` of `name`, which must succeed, and returns its result.
async fn result(fleet: &Fleet, name: &str, id: &str) -> Value {
    let execution = fleet.finished(&format!("/v1/functions/{name}/executions/{id}")).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    execution["result"].clone()
}

fn envelope(fields: Value) -> Value {
    json!({"MessageBody": fields.to_string()})
}

#[tokio::test]
async fn boto3_sends_an_s3_event_and_polls_by_message_id() {
    let fleet = Fleet::start().await;
    let example = |what: &str| {
        std::fs::read_to_string(repository().join(format!("deploy/examples/s3_event{what}"))).unwrap()
    };
    fleet.create("s3_event", &example(".rb"), json!({})).await;
    let message = json!({"MessageBody": example(".input.json"), "MessageAttributes": function("s3_event")});
    let id = boto3_send(&fleet, message).await;
    let expected: Value = serde_json::from_str(&example(".expected.json")).unwrap();
    assert_eq!(result(&fleet, "s3_event", &id).await, expected);
}

#[tokio::test]
async fn boto3_sends_both_kinds_one_by_one_and_in_a_batch() {
    let fleet = Fleet::start().await;
    fleet.create("echo", "event", json!({})).await;
    let input = json!({"text": "größer 💎 \u{2028} \u{0} \"'", "big": 12345678901234567890u64});
    let by_attribute = json!({"MessageBody": input.to_string(), "MessageAttributes": function("echo")});
    let named = envelope(json!({"function": "echo", "input": input, "id": "order-7"}));
    let nameless = envelope(json!({"function": "echo", "input": input}));
    let entries: Vec<Value> = (0..10)
        .map(|n| json!({"Id": format!("e{n}"), "MessageBody": format!("[{n}]"), "MessageAttributes": function("echo")}))
        .collect();
    let calls = json!([
        ["send_message", by_attribute],
        ["send_message", named],
        ["send_message", nameless],
        ["send_message_batch", {"Entries": entries}],
    ]);
    let answers = boto3(&fleet, calls).await;
    assert_eq!(result(&fleet, "echo", &message_id(&answers[0])).await, input);
    assert_eq!(result(&fleet, "echo", "order-7").await, input);
    assert_eq!(result(&fleet, "echo", &message_id(&answers[2])).await, input);
    let sent = answers[3]["Successful"].as_array().unwrap();
    assert_eq!(sent.len(), 10, "{}", answers[3]);
    for (n, entry) in sent.iter().enumerate() {
        assert_eq!(result(&fleet, "echo", &message_id(entry)).await, json!([n]));
    }
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn the_aws_cli_sends_both_kinds_and_a_trace() {
    let fleet = Fleet::start().await;
    fleet.create("echo", "[event, ENV['TRACEPARENT'], ENV['_X_AMZN_TRACE_ID']]", json!({})).await;
    let attributes = format!(
        "function={{DataType=String,StringValue=echo}},traceparent={{DataType=String,StringValue={TRACEPARENT}}}"
    );
    let system = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": XRAY}}).to_string();
    let text = "plain text, größer 💎";
    let arguments = ["send-message", "--message-body", text, "--message-attributes", &attributes];
    let sent = aws_cli(&fleet, &[&arguments[..], &["--message-system-attributes", &system]].concat()).await;
    let traced = json!([text, TRACEPARENT, XRAY]);
    assert_eq!(result(&fleet, "echo", &message_id(&sent.unwrap())).await, traced);

    let body = json!({"function": "echo", "input": {"name": "Ada"}}).to_string();
    let sent = aws_cli(&fleet, &["send-message", "--message-body", &body]).await.unwrap();
    assert_eq!(result(&fleet, "echo", &message_id(&sent)).await, json!([{"name": "Ada"}, null, null]));
    let body = json!({"function": "echo", "input": 1, "id": "cli-1"}).to_string();
    let entries = json!([{"Id": "only", "MessageBody": body}]).to_string();
    aws_cli(&fleet, &["send-message-batch", "--entries", &entries]).await.unwrap();
    assert_eq!(result(&fleet, "echo", "cli-1").await, json!([1, null, null]));
}

#[tokio::test]
async fn a_message_may_name_a_version_or_an_alias() {
    let fleet = Fleet::start().await;
    fleet.create("greet", "'first'", json!({})).await;
    let put = |path: &'static str, body: Value| fleet.request(reqwest::Method::PUT, path).json(&body).send();
    put("/v1/functions/greet", json!({"code": "'second'"})).await.unwrap().error_for_status().unwrap();
    put("/v1/functions/greet/aliases/live", json!({"version": 1})).await.unwrap().error_for_status().unwrap();
    let cases = [("greet", "second"), ("greet:1", "first"), ("greet:2", "second"), ("greet:live", "first")];
    for (qualified, expected) in cases {
        let message = json!({"MessageBody": "null", "MessageAttributes": function(qualified)});
        let by_boto3 = boto3_send(&fleet, message).await;
        assert_eq!(result(&fleet, "greet", &by_boto3).await, expected, "{qualified}");
        let attribute = format!("function={{DataType=String,StringValue={qualified}}}");
        let arguments = ["send-message", "--message-body", "null", "--message-attributes", &attribute];
        let by_cli = message_id(&aws_cli(&fleet, &arguments).await.unwrap());
        assert_eq!(result(&fleet, "greet", &by_cli).await, expected, "{qualified}");
    }
    for (version, expected) in [(json!(1), "first"), (json!("live"), "first"), (json!(2), "second")] {
        let id = boto3_send(&fleet, envelope(json!({"function": "greet", "version": version}))).await;
        assert_eq!(result(&fleet, "greet", &id).await, expected, "{version}");
    }
}

#[tokio::test]
async fn a_message_may_be_as_large_as_sqs_takes() {
    let fleet = Fleet::start().await;
    fleet.create("measure", MEASURE, json!({})).await;
    let attributes = "function".len() + "String".len() + "measure".len();
    let text = |bytes: usize| format!("<{}{}>", "é".repeat((bytes - 2) / 2), "-".repeat(bytes % 2));
    let by_attribute = |bytes| json!({"MessageBody": text(bytes), "MessageAttributes": function("measure")});
    let rest = envelope(json!({"function": "measure", "input": ""}))["MessageBody"].as_str().unwrap().len();
    let in_envelope = |bytes| envelope(json!({"function": "measure", "input": text(bytes)}));
    let (body, input) = (MOST_BYTES - attributes, MOST_BYTES - rest);
    let calls: Vec<Value> =
        [by_attribute(body), by_attribute(body + 1), in_envelope(input), in_envelope(input + 1)]
            .into_iter()
            .map(|message| json!(["send_message", message]))
            .collect();
    let answers = boto3(&fleet, json!(calls)).await;
    assert_eq!(result(&fleet, "measure", &message_id(&answers[0])).await, json!([body, "<", ">"]));
    assert_eq!(answers[1], json!({"Refused": "InvalidParameterValue"}));
    assert_eq!(result(&fleet, "measure", &message_id(&answers[2])).await, json!([input, "<", ">"]));
    assert_eq!(answers[3], json!({"Refused": "InvalidParameterValue"}));

    // The kernel passes no argument of this size.
    let folder = TempDir::new().unwrap();
    let attribute = "function={DataType=String,StringValue=measure}";
    let send = async |bytes: usize| {
        let file = folder.path().join(bytes.to_string());
        std::fs::write(&file, text(bytes)).unwrap();
        let body = format!("file://{}", file.display());
        aws_cli(&fleet, &["send-message", "--message-body", &body, "--message-attributes", attribute]).await
    };
    let sent = send(body).await.unwrap();
    assert_eq!(result(&fleet, "measure", &message_id(&sent)).await, json!([body, "<", ">"]));
    let refused = send(body + 1).await.unwrap_err();
    assert!(refused.contains("InvalidParameterValue"), "{refused}");
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn a_large_message_that_can_not_run_is_dead_lettered_all_the_same() {
    let fleet = Fleet::start().await;
    let body = "x".repeat(MOST_BYTES - "function".len() - "String".len() - "nobody".len());
    let id = boto3_send(&fleet, json!({"MessageBody": body, "MessageAttributes": function("nobody")})).await;
    let execution = fleet.finished(&format!("/v1/functions/nobody/executions/{id}")).await;
    assert_eq!(execution["error"]["kind"], "not_found", "{execution}");
    let (_, reason) = fleet.dead_letter().await;
    assert!(reason.contains("no function nobody"), "{reason}");
    fleet.queue_is_empty().await;
}
