//! Dead letters, as their operator handles them.

use std::time::Instant;

use badlambda_shared::dead_letters::{DeadLetter, DeadLetters, Progress, Selection};
use badlambda_tests::faults::{Fault, Plan};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::{Fleet, PATIENCE};

/// Waits until there are so many.
async fn letters(dead_letters: &DeadLetters, count: usize) -> Vec<DeadLetter> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let letters = dead_letters.list(&Selection::all(), 100).await.unwrap();
        if letters.len() == count {
            return letters;
        }
        assert!(Instant::now() < deadline, "{letters:?}");
    }
}

#[tokio::test]
async fn they_are_listed_with_their_reason_and_sent_back_one_by_one_or_all() {
    let deployment = Deployment::start().await;
    let _worker = deployment.worker(&[]).await;
    let (fleet, dead_letters) = (&deployment.fleet, deployment.dead_letters());
    let message_id = fleet.send("{\"n\":1}", Some("late")).await;
    let large = "x".repeat(400_000);
    fleet.send(&json!({"function": "late", "id": "order-2", "input": large}).to_string(), None).await;
    let nonsense = "no envelope at all";
    fleet.send(nonsense, None).await;
    let listed = letters(&dead_letters, 3).await;

    let of = |id: &str| {
        let is = |letter: &&DeadLetter| letter.execution.as_ref().is_some_and(|(_, of)| of.as_str() == id);
        listed.iter().find(is).unwrap()
    };
    let first = of(&message_id);
    assert_eq!((first.kind.as_deref(), first.body.as_str()), (Some("not_found"), "{\"n\":1}"));
    assert!(first.reason.contains("no function late"), "{}", first.reason);
    let unreadable = listed.iter().find(|letter| letter.execution.is_none()).unwrap();
    assert_eq!((unreadable.body.as_str(), unreadable.kind.as_deref()), (nonsense, Some("bad_message")));
    let shown = dead_letters.list(&Selection::one(&first.message_id), 1).await.unwrap();
    assert_eq!(shown[0].body, first.body);
    assert!(dead_letters.list(&Selection::one("nothing"), 1).await.unwrap().is_empty());

    // The execution that failed keeps its record; what is sent back runs as a new one.
    fleet.create("late", "event.to_s.bytesize", json!({})).await;
    let redriven =
        dead_letters.redrive(&Selection::one(&first.message_id), 10, &Progress::default()).await.unwrap();
    let (function, id) = redriven[0].execution.clone().unwrap();
    assert_ne!(id.as_str(), message_id);
    let execution = fleet.finished(&format!("/v1/functions/{function}/executions/{id}")).await;
    assert_eq!(execution["result"], 8, "{execution}");
    let old = fleet.finished(&format!("/v1/functions/late/executions/{message_id}")).await;
    assert_eq!(old["error"]["kind"], "not_found");

    let redriven = dead_letters.redrive(&Selection::all(), 10, &Progress::default()).await.unwrap();
    assert_eq!(redriven.len(), 2);
    let (_, id) = redriven.iter().find_map(|one| one.execution.clone()).unwrap();
    let execution = fleet.finished(&format!("/v1/functions/late/executions/{id}")).await;
    assert_eq!(execution["result"], 400_000, "{execution}");
    // Nonsense stays nonsense, and can be thrown away.
    assert_eq!(letters(&dead_letters, 1).await[0].body, nonsense);
    assert_eq!(dead_letters.purge(&Selection::all(), &Progress::default()).await.unwrap(), 1);
    letters(&dead_letters, 0).await;
    fleet.queue_is_empty().await;
}

/// The dead letters over HTTP, once there are so many.
async fn listed(fleet: &Fleet, query: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let list: Value = fleet.get(&format!("/v1/dead-letters{query}")).await.json().await.unwrap();
        let letters = list["dead_letters"].as_array().unwrap().clone();
        if letters.len() == count {
            return letters;
        }
        assert!(Instant::now() < deadline, "{list}");
    }
}

#[tokio::test]
async fn over_http_they_run_again_or_go_once_their_cause_is_gone() {
    let deployment = Deployment::start().await;
    let _worker = deployment.worker(&[]).await;
    let fleet = &deployment.fleet;
    let sent = fleet.send("{\"n\":1}", Some("late")).await;
    fleet
        .send(&json!({"function": "late", "id": "order-2", "input": "x".repeat(400_000)}).to_string(), None)
        .await;
    fleet.send("no envelope at all", None).await;
    listed(fleet, "", 3).await;
    let unreadable = listed(fleet, "?reason=bad_message", 1).await.remove(0);
    assert_eq!(unreadable["body"], "no envelope at all");
    let of_late = listed(fleet, "?function=late", 2).await;
    let small = of_late.iter().find(|letter| letter["execution"] == sent.as_str()).unwrap();
    assert!(small["reason"].as_str().unwrap().contains("no function late"), "{small}");
    let large = of_late.iter().find(|letter| letter["execution"] == "order-2").unwrap();
    assert_eq!(large["body"], Value::Null);
    let path = format!("/v1/dead-letters/{}", large["id"].as_str().unwrap());
    let in_full: Value = fleet.get(&path).await.json().await.unwrap();
    assert!(in_full["body"].as_str().unwrap().len() > 400_000);

    fleet.create("late", "event.to_s.bytesize", json!({})).await;
    let path = format!("/v1/dead-letters/{}/redrive", small["id"].as_str().unwrap());
    let redriven: Value = fleet.request(Method::POST, &path).send().await.unwrap().json().await.unwrap();
    // The old execution has its record, which never changes.
    assert_ne!(redriven["execution"], sent.as_str());
    assert_eq!(fleet.finished(redriven["url"].as_str().unwrap()).await["result"], 8);
    let ended = async |method, path: &str| {
        let answer = fleet.request(method, path).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(answer.lines().last().unwrap()).unwrap()
    };
    let last = ended(Method::POST, "/v1/dead-letters/redrive?function=late").await;
    assert_eq!((&last["redriven"], &last["complete"]), (&json!(1), &json!(true)), "{last}");
    fleet.queue_is_empty().await;
    listed(fleet, "", 1).await;
    let last = ended(Method::DELETE, "/v1/dead-letters?reason=bad_message").await;
    assert_eq!((&last["deleted"], &last["complete"]), (&json!(1), &json!(true)), "{last}");
    listed(fleet, "", 0).await;
}

#[tokio::test]
async fn a_redrive_of_a_few_among_many_comes_to_each_of_them_and_leaves_the_others() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let send = async |body: String| {
        let send = fleet.sqs.send_message().queue_url(fleet.address("dead_letter_queue_url"));
        send.message_body(body).send().await.unwrap();
    };
    for n in 0..40 {
        send(json!({"function": if n % 8 == 0 { "some" } else { "others" }, "input": n}).to_string()).await;
    }
    deployment.proxy.follow(Plan { repeat_every: 3, ..Plan::default() });
    let redrive = fleet.request(Method::POST, "/v1/dead-letters/redrive?function=some&per_second=100");
    let answer = redrive.send().await.unwrap().text().await.unwrap();
    deployment.proxy.follow(Plan::default());
    let last: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({"redriven": 5, "skipped": 0, "left": 0, "complete": true}));
    assert_eq!(listed(fleet, "?function=others", 35).await.len(), 35);
    listed(fleet, "?function=some", 0).await;
}

#[tokio::test]
async fn what_sqs_gave_up_itself_runs_as_the_same_execution_or_is_recorded_as_lost() {
    let deployment = Deployment::start().await;
    let (fleet, dead_letters) = (&deployment.fleet, deployment.dead_letters());
    fleet.create("echo", "event", json!({})).await;
    let ids = [fleet.send("1", Some("echo")).await, fleet.send("2", Some("echo")).await];
    // As if ten workers had taken them, and been lost.
    for _ in 0..11 {
        let receive = fleet.sqs.receive_message().queue_url(fleet.address("queue_url"));
        receive.visibility_timeout(0).max_number_of_messages(10).send().await.unwrap();
    }
    let listed = letters(&dead_letters, 2).await;
    assert!(listed[0].reason.contains("too many receives") && listed[0].kind.is_none(), "{listed:?}");
    let letter_of =
        |id: &str| listed.iter().find(|letter| letter.message_id == id).unwrap().message_id.clone();
    let redriven =
        dead_letters.redrive(&Selection::one(&letter_of(&ids[0])), 10, &Progress::default()).await.unwrap();
    assert_eq!(redriven[0].execution.as_ref().unwrap().1.as_str(), ids[0]);
    assert_eq!(
        dead_letters.purge(&Selection::one(&letter_of(&ids[1])), &Progress::default()).await.unwrap(),
        1
    );
    let _worker = deployment.worker(&[]).await;
    let url = |id: &str| format!("/v1/functions/echo/executions/{id}");
    assert_eq!(fleet.finished(&url(&ids[0])).await["result"], 1);
    assert_eq!(fleet.finished(&url(&ids[1])).await["error"]["kind"], "worker_lost");
}

#[tokio::test]
async fn a_message_that_leaves_no_room_for_the_reason_is_kept_whole() {
    let deployment = Deployment::start().await;
    let _worker = deployment.worker(&[]).await;
    let dead_letters = deployment.dead_letters();
    let body = "é".repeat(512 * 1024);
    deployment.fleet.send(&body, None).await;
    let listed = letters(&dead_letters, 1).await;
    assert!(listed[0].body == body && listed[0].reason.contains("not an envelope"), "{}", listed[0].reason);
    deployment.fleet.queue_is_empty().await;
}

/// What SQS hands out twice says nothing about the rest.
#[tokio::test]
async fn a_scan_comes_to_every_message_though_some_are_handed_out_twice() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    for n in 0..35 {
        let send = fleet.sqs.send_message().queue_url(fleet.address("dead_letter_queue_url"));
        send.message_body(n.to_string()).send().await.unwrap();
    }
    deployment.proxy.follow(Plan { repeat_every: 2, ..Plan::default() });
    let listed = deployment.proxied_dead_letters().list(&Selection::all(), 100).await.unwrap();
    deployment.proxy.follow(Plan::default());
    let mut bodies: Vec<usize> = listed.iter().map(|letter| letter.body.parse().unwrap()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, (0..35).collect::<Vec<_>>());
    assert!(deployment.proxy.done()[&Fault::Repeat] >= 3, "{:?}", deployment.proxy.done());
}
