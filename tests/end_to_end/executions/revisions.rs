//! Which revision runs, whatever is published meanwhile.

use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::function::Manifest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

async fn publish(fleet: &Fleet, name: &str, code: &str, config: Value) -> Value {
    let put = fleet.request(Method::PUT, &format!("/v1/functions/{name}"));
    let answer = put.json(&json!({"code": code, "config": config})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

async fn sent(fleet: &Fleet, envelope: Value) -> Value {
    let id = fleet.send(&envelope.to_string(), None).await;
    fleet.finished(&format!("/v1/functions/{}/executions/{id}", envelope["function"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_message_may_name_a_revision() {
    let fleet = Fleet::start().await;
    let first = fleet.create("number", "1", json!({})).await["revision"].clone();
    let second = publish(&fleet, "number", "2", json!({})).await["revision"].clone();
    let elsewhere = fleet.create("other", "3", json!({})).await["revision"].clone();
    for (revision, result) in [(&first, 1), (&second, 2), (&first, 1)] {
        let execution = sent(&fleet, json!({"function": "number", "revision": revision})).await;
        assert_eq!((&execution["result"], &execution["version"]), (&json!(result), &json!(null)));
        assert_eq!(execution["revision"], *revision);
    }
    let both = sent(&fleet, json!({"function": "number", "version": 1, "revision": first})).await;
    assert_eq!((&both["result"], &both["version"], &both["revision"]), (&json!(1), &json!(1), &first));
    for (refused, reason) in [
        (json!({"function": "number", "revision": elsewhere}), "has no revision"),
        (json!({"function": "number", "version": 1, "revision": second}), "is not of the revision"),
        (json!({"function": "number", "version": 3, "revision": second}), "has no version 3"),
        (json!({"function": "nobody", "revision": second}), "no function nobody"),
    ] {
        let execution = sent(&fleet, refused.clone()).await;
        assert_eq!(execution["error"]["kind"], "not_found", "{refused}");
        assert!(fleet.dead_letter().await.1.contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn revisions_of_the_same_code_share_nothing() {
    let fleet = Fleet::start().await;
    // What the top level has seen stays in what later executions are forked from.
    let code = "SEEN = ENV['COLOUR']\ndef handler(event:, context:) = SEEN";
    let config = |colour| json!({"environment": {"COLOUR": colour}});
    let red = fleet.create("colour", code, config("red")).await["revision"].clone();
    let blue = publish(&fleet, "colour", code, config("blue")).await["revision"].clone();
    for (revision, colour) in [(&red, "red"), (&blue, "blue"), (&red, "red")] {
        let execution = sent(&fleet, json!({"function": "colour", "revision": revision})).await;
        assert_eq!(execution["result"], colour, "{execution}");
    }
}

#[tokio::test]
async fn a_revision_of_a_deleted_function_runs_no_more() {
    let fleet = Fleet::start().await;
    let old = fleet.create("withdrawn", "'the old code'", json!({})).await["revision"].clone();
    publish(&fleet, "withdrawn", "2", json!({})).await;
    let deleted = fleet.request(Method::DELETE, "/v1/functions/withdrawn").send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    let new = fleet.create("withdrawn", "'the new code'", json!({})).await["revision"].clone();
    let execution = sent(&fleet, json!({"function": "withdrawn", "revision": old})).await;
    assert_eq!(execution["error"]["kind"], "not_found", "{execution}");
    let execution = sent(&fleet, json!({"function": "withdrawn", "revision": new})).await;
    assert_eq!(execution["result"], "the new code", "{execution}");
}

#[tokio::test]
async fn what_is_given_back_runs_the_same_revision_again() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let settings = [("BADLAMBDA_DRAIN_SECONDS", "0"), ("BADLAMBDA_SLOTS", "1")];
    let code = "File.write('begun', ''); sleep(context.attempt == 1 ? 600 : 0); 'the first'";
    let first = fleet.create("long", code, json!({"timeout_ms": 900_000})).await["revision"].clone();
    let worker = deployment.worker(&settings).await;
    let id = fleet.send("null", Some("long")).await;
    deployment.scratch.begun(1).await;
    publish(fleet, "long", "'the second'", json!({})).await;
    worker.drain();
    let _worker = deployment.worker(&settings).await;
    let execution = fleet.finished(&format!("/v1/functions/long/executions/{id}")).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!("the first"), &json!(2)));
    assert_eq!((&execution["version"], &execution["revision"]), (&json!(1), &first));
    let later = fleet.execute("long", &json!(null)).await;
    assert_eq!((&later["result"], &later["version"]), (&json!("the second"), &json!(2)));
}

#[tokio::test]
async fn versions_that_were_stored_without_a_revision_run() {
    let deployment = Deployment::start().await;
    let (fleet, store) = (&deployment.fleet, deployment.store());
    let function = fleet.create("old", "1", json!({})).await;
    publish(fleet, "old", "2", json!({})).await;
    let name = "old".parse().unwrap();
    for key in [store.keys().version(&name, 1), store.keys().version(&name, 2), store.keys().manifest(&name)]
    {
        let mut object: Value =
            serde_json::from_slice(&store.get(&key, 10_000).await.unwrap().unwrap().bytes).unwrap();
        let version = if object.get("latest").is_some() { &mut object["latest"] } else { &mut object };
        assert!(version.as_object_mut().unwrap().remove("revision").is_some(), "{key}");
        store.put(&key, object.to_string().into_bytes(), JSON, Condition::Always).await.unwrap();
    }
    let manifest = store.get(&store.keys().manifest(&name), 10_000).await.unwrap().unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest.bytes).unwrap();
    for key in store.list_all(&store.keys().revisions(&name, manifest.created_at)).await.unwrap().keys {
        store.delete(&key).await.unwrap();
    }
    let _worker = deployment.worker(&[]).await;
    for (version, result) in [(1, 1), (2, 2)] {
        let path = format!("/v1/functions/old/executions?version={version}");
        let submit = fleet.request(Method::POST, &path).header("prefer", "wait=30").body("null");
        let execution: Value = submit.send().await.unwrap().json().await.unwrap();
        assert_eq!((&execution["result"], &execution["version"]), (&json!(result), &json!(version)));
        assert_eq!(execution["revision"] == function["revision"], version == 1, "{execution}");
    }
    let again = publish(fleet, "old", "2", json!({})).await;
    assert_eq!(again["version"], 2, "the same made a version of its own");
}
