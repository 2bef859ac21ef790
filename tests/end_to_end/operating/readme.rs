//! What README.md and shared/README.md say to other systems, done as they say.

use badlambda_shared::execution::message::Received;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::fixtures::fleet::{Fleet, repository};
use crate::lambda::programs::Settings;
use crate::messages::senders::{boto3_send, message_id, python, shell};

const PAGES: [&str; 2] = ["README.md", "shared/README.md"];

/// The pages' fenced blocks in `language`.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    let blocks = |page: &str| {
        let text = std::fs::read_to_string(repository().join(page)).unwrap();
        let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
        blocks.collect::<Vec<_>>()
    };
    PAGES.into_iter().flat_map(blocks).collect()
}

fn json_blocks() -> Vec<Value> {
    let parsed = |block: String| {
        serde_json::from_str(&block).unwrap_or_else(|error| panic!("{error} in this block:\n{block}"))
    };
    blocks("json").into_iter().map(parsed).collect()
}

#[tokio::test]
async fn its_senders_send() {
    let fleet = Fleet::start().await;
    fleet
        .create("hello", "[event, ENV['TRACEPARENT']&.size, ENV['_X_AMZN_TRACE_ID']&.size]", json!({}))
        .await;
    let mut answers = vec![];
    for program in blocks("python").iter().filter(|program| program.contains("sqs.")) {
        answers.push(python(&fleet, program).await.unwrap());
    }
    for script in blocks("sh").iter().filter(|script| script.contains("aws sqs ")) {
        answers.push(shell(&fleet, script).await.unwrap());
    }
    // The messages of maps are the API's alone.
    let is_envelope = |block: &Value| block["function"].is_string() && block["map"].is_null();
    let envelopes = json_blocks().into_iter().filter(is_envelope);
    for envelope in envelopes {
        answers.push(json!({"MessageId": envelope["id"]}));
        boto3_send(&fleet, json!({"MessageBody": envelope.to_string()})).await;
    }
    let mut results = vec![];
    for answer in &answers {
        let path = format!("/v1/functions/hello/executions/{}", message_id(answer));
        results.push(fleet.finished(&path).await["result"].clone());
    }
    let ada = |traceparent: Value, xray: Value| json!([{"name": "Ada"}, traceparent, xray]);
    let plain = ada(json!(null), json!(null));
    let traced = ada(json!(55), json!(40));
    // One in Python, three for a shell, and an envelope.
    assert_eq!(results, [plain.clone(), plain.clone(), plain.clone(), traced, plain]);
}

#[tokio::test]
async fn its_client_of_lambda_polls_what_it_invoked() {
    let fleet = Fleet::start().await;
    fleet.create("hello", "{ greeting: \"Hello, #{event.fetch(\"name\")}!\" }", json!({})).await;
    let programs = blocks("python");
    let programs: Vec<&String> =
        programs.iter().filter(|program| program.contains(r#"client("lambda""#)).collect();
    assert_eq!(programs.len(), 1);
    let program = programs[0].replace("http://localhost:8080", fleet.address("api"));
    let execution = Settings::of(&fleet).python(&format!("{program}\nprint(json.dumps(execution))")).await;
    assert_eq!(execution["result"]["greeting"], "Hello, Ada!", "{execution}");
}

#[test]
fn its_targets_make_envelopes() {
    let (event, time) = (r#"{"detail": {"a": "b"}}"#, "2026-02-03T04:05:06Z");
    let mut targets = 0;
    for target in json_blocks().iter().filter(|block| block["Arn"].is_string()) {
        let template =
            target["InputTransformer"]["InputTemplate"].as_str().or(target["Input"].as_str()).unwrap();
        let body = template
            .replace("<aws.events.event.json>", event)
            .replace("<aws.scheduler.scheduled-time>", time);
        let received = Received {
            message_id: "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11",
            body: &body,
            function: None,
            sent_at: Timestamp::now(),
            trace: &Trace::NONE,
        };
        let request = received.parse(None).unwrap();
        assert!(request.function.as_str() == "hello" && !body.contains('<'), "{body}");
        targets += 1;
    }
    assert_eq!(targets, 2);
}

#[test]
fn its_queue_policy_lets_in_whom_it_names() {
    let policies: Vec<Value> =
        json_blocks().into_iter().filter(|block| block["Statement"].is_array()).collect();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0]["Version"], "2012-10-17");
    let mut services = vec![];
    for statement in policies[0]["Statement"].as_array().unwrap() {
        assert_eq!(
            (&statement["Effect"], &statement["Action"]),
            (&json!("Allow"), &json!("sqs:SendMessage"))
        );
        assert!(statement["Resource"].as_str().unwrap().starts_with("arn:aws:sqs:"), "{statement}");
        let Some(service) = statement["Principal"]["Service"].as_str() else { continue };
        let source = statement["Condition"]["ArnEquals"]["aws:SourceArn"].as_str().unwrap();
        // A service acts for whoever asks it to: the statement must say for whom.
        let account = source.split(':').nth(4).filter(|account| !account.is_empty());
        let account = account.or(statement["Condition"]["StringEquals"]["aws:SourceAccount"].as_str());
        assert_eq!(account, Some("111122223333"), "{statement}");
        services.push(service.to_owned());
    }
    assert_eq!(services, ["sns.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"]);
}
