//! A trace goes from who submits or sends to the function, and to the worker's log.

use std::fs::File;

use aws_sdk_sqs::types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::fleet::Fleet;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const XRAY: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
const CODE: &str = "ENV.values_at('TRACEPARENT', '_X_AMZN_TRACE_ID')";

#[tokio::test]
async fn a_submits_headers_reach_the_function() {
    let fleet = Fleet::start().await;
    fleet.create("script", CODE, json!({})).await;
    fleet.create("handler", &format!("def handler(event:, context:) = {CODE}"), json!({})).await;
    for function in ["script", "handler", "handler"] {
        let submit = fleet.request(Method::POST, &format!("/v1/functions/{function}/executions"));
        let submit = submit.header("traceparent", TRACEPARENT).header("x-amzn-trace-id", XRAY);
        let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
        let execution = fleet.finished(accepted["url"].as_str().unwrap()).await;
        assert_eq!(execution["result"], json!([TRACEPARENT, XRAY]));
        assert_eq!(fleet.execute(function, &json!(null)).await["result"], json!([null, null]));
    }
}

#[tokio::test]
async fn a_line_about_an_execution_names_its_trace() {
    let data = TempDir::new().unwrap();
    let log = data.path().join("log");
    let stderr = File::create(&log).unwrap().into();
    let fleet = Fleet::logging_to(stderr, data.path(), &[("BADLAMBDA_LOG", "info")]).await;
    let header = MessageSystemAttributeValue::builder().data_type("String").string_value(XRAY).build();
    let send = fleet.sqs.send_message().queue_url(fleet.address("queue_url")).message_body("not an envelope");
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    send.message_system_attributes(name, header.unwrap()).send().await.unwrap();
    fleet.dead_letter().await;
    fleet.queue_is_empty().await;
    let log = std::fs::read_to_string(log).unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| line["message"] == "dead-lettered a message").expect(&log);
    assert_eq!(line["spans"][0]["trace_id"], "67891233abcdef012345678912345678", "{line}");
}
