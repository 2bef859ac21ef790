//! Inputs that are kept with the record, and executed again.

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

/// What `…/input` leads to; `None` where it is not kept.
async fn input_of(fleet: &Fleet, execution: &Value) -> Option<Value> {
    let answer = fleet.get(&format!("{}/input", execution["url"].as_str().unwrap())).await;
    match answer.status().as_u16() {
        200 => answer.json().await.unwrap(),
        303 => {
            let url = answer.headers()[LOCATION].to_str().unwrap().to_owned();
            fleet.http.get(url).send().await.unwrap().json().await.unwrap()
        }
        404 => None,
        status => panic!("{status}: {execution}"),
    }
}

#[tokio::test]
async fn an_input_of_any_size_is_kept_unless_the_config_says_otherwise() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let _worker = deployment.worker(&[]).await;
    fleet.create("keeps", "1", json!({})).await;
    fleet.create("forgets", "1", json!({"keep_input": false})).await;
    let store = deployment.store();
    for (bytes, stands_in_record) in [(10, true), (20_000, false), (300_000, false)] {
        let input = json!("x".repeat(bytes));
        for (function, is_kept) in [("keeps", true), ("forgets", false)] {
            let execution = fleet.execute(function, &input).await;
            let shown = if stands_in_record && is_kept { &input } else { &Value::Null };
            assert!(execution["input"] == *shown, "{function}, {bytes}");
            let fetched = input_of(fleet, &execution).await;
            assert!(fetched == is_kept.then(|| input.clone()), "{function}, {bytes}");
            let id = execution["id"].as_str().unwrap().parse().unwrap();
            let key = store.keys().input(&function.parse().unwrap(), &id);
            // What is not kept is deleted once the record is stored, before the message is.
            fleet.queue_is_empty().await;
            let stored = store.get(&key, 1 << 20).await.unwrap();
            assert_eq!(stored.is_some(), is_kept && !stands_in_record, "{function}, {bytes}");
        }
    }
}

#[tokio::test]
async fn what_has_ended_is_not_dead_lettered_when_its_message_comes_again() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let _worker = deployment.worker(&[]).await;
    fleet.create("forgets", "1", json!({"keep_input": false})).await;
    let execution = fleet.execute("forgets", &json!("x".repeat(300_000))).await;
    fleet.queue_is_empty().await;
    let id = execution["id"].as_str().unwrap();
    let key = deployment.store().keys().input(&"forgets".parse().unwrap(), &id.parse().unwrap());
    let again = json!({"function": "forgets", "id": id, "input_key": key});
    fleet.send(&again.to_string(), None).await;
    fleet.queue_is_empty().await;
    let dead = fleet.sqs.get_queue_attributes().queue_url(fleet.address("dead_letter_queue_url"));
    let dead = dead.attribute_names(QueueAttributeName::ApproximateNumberOfMessages).send().await.unwrap();
    assert_eq!(dead.attributes().unwrap()[&QueueAttributeName::ApproximateNumberOfMessages], "0");
    assert_eq!(fleet.finished(execution["url"].as_str().unwrap()).await["status"], "succeeded");
}

#[tokio::test]
async fn a_failed_execution_is_replayed_with_the_version_that_mends_it() {
    let fleet = Fleet::start().await;
    fleet.create("half", "event.fetch('n') / 0", json!({})).await;
    let failed = fleet.execute("half", &json!({"n": 8})).await;
    assert_eq!((&failed["status"], &failed["replay_of"]), (&json!("failed"), &json!(null)));
    let mended = json!({"code": "event.fetch('n') / 2"});
    fleet.request(Method::PUT, "/v1/functions/half").json(&mended).send().await.unwrap();
    let path = format!("{}/replay", failed["url"].as_str().unwrap());
    let replay = fleet.request(Method::POST, &path).header("prefer", "wait=30");
    let answer = replay.json(&json!({"version": 2})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let replayed: Value = answer.json().await.unwrap();
    assert_eq!((&replayed["status"], &replayed["result"]), (&json!("succeeded"), &json!(4)), "{replayed}");
    assert_eq!((&replayed["replay_of"], &replayed["input"]), (&failed["id"], &failed["input"]));
}
