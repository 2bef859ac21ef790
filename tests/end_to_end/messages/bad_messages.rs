//! Messages that can never run: a record where there is an id to tell it under, the dead-letter queue with the
//! reason, and the worker goes on.

use serde_json::json;

use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn they_are_dead_lettered_with_the_reason() {
    let fleet = Fleet::start().await;
    fleet.create("hello", "event", json!({})).await;
    let cases = [
        ("not json", None, "not an envelope"),
        ("[1, 2]", None, "not an envelope"),
        ("{\"input\": 1}", None, "missing field `function`"),
        ("{\"function\": \"../x\"}", None, "function's name"),
        ("{\"function\": \"hello\", \"inptu\": 1}", None, "unknown field `inptu`"),
        ("{\"function\": \"hello\", \"\\uffff\": 1}", None, "unknown field"),
        ("{\"function\": \"hello\", \"submitted_at\": \"9999-12-31T23:59:59-23:59\"}", None, "year in UTC"),
        ("{\"function\": \"hello\", \"version\": 9}", None, "no version 9"),
        ("{\"function\": \"hello\", \"version\": \"live\"}", None, "no version live"),
        ("{\"function\": \"hello\", \"input_key\": \"functions/hello/function.json\"}", None, "input_key"),
        ("1", Some("nobody"), "no function nobody"),
        ("1", Some("hello:9"), "no version 9"),
        ("1", Some("hello:1:2"), "attribute `function`"),
        ("1", Some("a/b"), "attribute `function`"),
    ];
    for (body, function, expected) in cases {
        fleet.send(body, function).await;
        let (dead, reason) = fleet.dead_letter().await;
        assert_eq!(dead, body);
        assert!(reason.contains(expected), "{body}: {reason}");
    }
    let id = fleet.send("7", Some("hello")).await;
    let execution = fleet.finished(&format!("/v1/functions/hello/executions/{id}")).await;
    assert_eq!(execution["result"], 7);
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn their_records_say_so_too() {
    let fleet = Fleet::start().await;
    fleet.create("hello", "event", json!({})).await;
    let cases = [
        ("1", Some("nobody"), "nobody", "not_found"),
        ("1", Some("hello:9"), "hello", "not_found"),
        ("{\"function\": \"hello\", \"extra\": 1}", None, "hello", "bad_message"),
    ];
    for (body, function, name, kind) in cases {
        let id = fleet.send(body, function).await;
        let execution = fleet.finished(&format!("/v1/functions/{name}/executions/{id}")).await;
        assert_eq!(
            (&execution["status"], &execution["error"]["kind"]),
            (&json!("failed"), &json!(kind)),
            "{body}"
        );
        assert!(execution["finished_at"].is_string());
    }
}

#[tokio::test]
async fn a_producer_may_bring_an_id_and_gets_one_final_record() {
    let fleet = Fleet::start().await;
    fleet.create("random", "rand", json!({})).await;
    let body = json!({"function": "random", "id": "order-7", "input": null}).to_string();
    fleet.send(&body, None).await;
    let first = fleet.finished("/v1/functions/random/executions/order-7").await;
    fleet.send(&body, None).await;
    fleet.queue_is_empty().await;
    let second = fleet.finished("/v1/functions/random/executions/order-7").await;
    assert_eq!(first, second);
}
