//! Dead letters over HTTP.

use std::time::{Duration, Instant};

use badlambda_shared::aws::queue::OutgoingMessage;
use badlambda_shared::dead_letters::DeadLetters;
use badlambda_shared::execution::history::AttemptHistory;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fixture::{Answer, Api, send};

const ROOT: &str = "root-0123456789abcdef";
const TEAM: &str = "team-0123456789abcdef";

/// Dead-letters a message with this body, as a worker does.
async fn dead_letter(api: &Api, body: &str, kind: ErrorKind, reason: &str) {
    let message = OutgoingMessage {
        body: body.to_owned(),
        group_id: "g".to_owned(),
        delay: Duration::ZERO,
        history: None::<AttemptHistory>,
        trace: Trace::default(),
    };
    api.queue.send_batch(&[message]).await.unwrap().remove(0).unwrap();
    let received = api.received(1).await.remove(0);
    let error = ExecutionError::new(kind, reason.to_owned());
    DeadLetters::new(&api.queue, &api.store).add(&received, None, &error).await.unwrap();
    api.queue.delete_batch(&[received.receipt_handle]).await.unwrap().remove(0).unwrap();
}

/// One for `function`, which does not exist.
async fn of_function(api: &Api, function: &str, id: &str) {
    let body = json!({ "function": function, "id": id, "input": 1 }).to_string();
    dead_letter(api, &body, ErrorKind::NotFound, &format!("there is no function {function}")).await;
}

fn letters(list: &Answer) -> Vec<Value> {
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    list.json()["dead_letters"].as_array().unwrap().clone()
}

/// What lies there, once there are so many.
async fn listed(api: &Api, path: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let letters = letters(&api.get(path).await);
        if letters.len() == count {
            return letters;
        }
        assert!(Instant::now() < deadline, "{letters:?}");
    }
}

/// The lines of a streamed answer.
fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(
        (answer.status, answer.headers["content-type"].as_str()),
        (StatusCode::OK, "application/x-ndjson")
    );
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn redrive(api: &Api, query: &str) -> Answer {
    send(api.request(Method::POST, &format!("/v1/dead-letters/redrive{query}"))).await
}

async fn delete(api: &Api, path: &str) -> Answer {
    send(api.request(Method::DELETE, path)).await
}

#[tokio::test]
async fn they_are_listed_and_filtered_and_shown_one_by_one() {
    let api = Api::start().await;
    let none = api.get("/v1/dead-letters").await;
    assert_eq!(none.json(), json!({ "dead_letters": [], "next": null, "complete": true }));
    of_function(&api, "late", "order-1").await;
    let long = "n".repeat(20_000);
    dead_letter(&api, &long, ErrorKind::BadMessage, "the body is not an Envelope").await;
    let all = listed(&api, "/v1/dead-letters", 2).await;
    let of_late = all.iter().find(|letter| letter["function"] == "late").unwrap();
    let mut fields: Vec<&str> = of_late.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["body", "execution", "function", "id", "kind", "reason", "received_at"]);
    assert_eq!((&of_late["kind"], &of_late["execution"]), (&json!("not_found"), &json!("order-1")));
    assert_eq!(of_late["body"], r#"{"function":"late","id":"order-1","input":1}"#);
    let unreadable = all.iter().find(|letter| letter["function"].is_null()).unwrap();
    assert_eq!((&unreadable["execution"], &unreadable["body"]), (&Value::Null, &Value::Null));
    let id = unreadable["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/v1/dead-letters/{id}")).await.json()["body"], long);

    for (query, expected) in [
        ("?reason=bad_message", vec![unreadable]),
        ("?reason=no%20FUNCTION", vec![of_late]),
        ("?reason=nothing", vec![]),
        ("?function=late", vec![of_late]),
        ("?function=hello", vec![]),
        ("?function=late&reason=bad_message", vec![]),
    ] {
        let found = letters(&api.get(&format!("/v1/dead-letters{query}")).await);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let one = api.get("/v1/dead-letters?limit=1").await;
    assert_eq!((letters(&one).len(), &one.json()["complete"]), (1, &json!(false)));
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let api = Api::start().await;
    let unknown = "0b2d4d5c-8c1f-4d5e-9a56-000000000000";
    let long = format!("/v1/dead-letters?reason={}", "x".repeat(1025));
    for (method, path, expected) in [
        (Method::GET, "/v1/dead-letters?limit=0", (422, "invalid_field")),
        (Method::GET, "/v1/dead-letters?limit=201", (422, "invalid_field")),
        (Method::GET, "/v1/dead-letters?reason=", (422, "invalid_field")),
        (Method::GET, &long, (422, "invalid_field")),
        (Method::GET, "/v1/dead-letters?function=a%20b", (422, "invalid_field")),
        (Method::GET, "/v1/dead-letters?raeson=x", (400, "invalid_query")),
        (Method::DELETE, "/v1/dead-letters?per_second=1", (400, "invalid_query")),
        (Method::POST, "/v1/dead-letters/redrive?dry_run=yes", (400, "invalid_query")),
        (Method::POST, "/v1/dead-letters/redrive?per_second=0", (422, "invalid_field")),
        (Method::POST, "/v1/dead-letters/redrive?per_second=501", (422, "invalid_field")),
        (Method::GET, &format!("/v1/dead-letters/{unknown}"), (404, "dead_letter_not_found")),
        (Method::DELETE, &format!("/v1/dead-letters/{unknown}"), (404, "dead_letter_not_found")),
        (Method::POST, &format!("/v1/dead-letters/{unknown}/redrive"), (404, "dead_letter_not_found")),
        (Method::GET, "/v1/dead-letters/..%2fx", (404, "dead_letter_not_found")),
        (Method::GET, "/v1/dead-letters/%ff", (400, "invalid_query")),
        (Method::PUT, "/v1/dead-letters", (405, "method_not_allowed")),
    ] {
        let answer = send(api.request(method.clone(), path)).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn one_goes_back_to_the_queue_or_away() {
    let api = Api::start().await;
    of_function(&api, "late", "order-1").await;
    dead_letter(&api, "nonsense", ErrorKind::BadMessage, "the body is not an Envelope").await;
    let all = listed(&api, "/v1/dead-letters", 2).await;
    let id_of = |function: Value| {
        all.iter().find(|letter| letter["function"] == function).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (late, nonsense) = (id_of(json!("late")), id_of(Value::Null));
    let redriven = send(api.request(Method::POST, &format!("/v1/dead-letters/{late}/redrive"))).await;
    let url = "/v1/functions/late/executions/order-1";
    assert_eq!((redriven.status, redriven.headers["location"].as_str()), (StatusCode::ACCEPTED, url));
    let expected = json!({ "id": late, "function": "late", "execution": "order-1", "url": url });
    assert_eq!(redriven.json(), expected);
    assert_eq!(api.messages(1).await[0]["id"], "order-1");
    let again = send(api.request(Method::POST, &format!("/v1/dead-letters/{late}/redrive"))).await;
    assert_eq!(again.problem(), (404, "dead_letter_not_found".to_owned()));
    let path = format!("/v1/dead-letters/{nonsense}");
    assert_eq!(delete(&api, &path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete(&api, &path).await.problem().0, 404);
    listed(&api, "/v1/dead-letters", 0).await;
}

#[tokio::test]
async fn those_of_a_function_or_reason_go_together_and_tell_how_far_they_are() {
    let api = Api::start().await;
    for n in 0..3 {
        of_function(&api, "late", &format!("late-{n}")).await;
        of_function(&api, "other", &format!("other-{n}")).await;
    }
    let dry = redrive(&api, "?function=late&dry_run=true").await;
    assert_eq!(dry.json(), json!({ "dry_run": true, "redriven": 3, "complete": true }));
    let began_at = Instant::now();
    let told = lines(&redrive(&api, "?function=late&per_second=1").await);
    assert!(began_at.elapsed() >= Duration::from_secs(2), "{:?}", began_at.elapsed());
    assert!(told.len() >= 3, "{told:?}");
    assert_eq!(told[0], json!({ "redriven": 0, "skipped": 0, "left": 6 }));
    let last = json!({ "redriven": 3, "skipped": 0, "left": 0, "complete": true });
    assert_eq!(told.last(), Some(&last));
    assert!(api.messages(3).await.iter().all(|message| message["function"] == "late"));
    assert_eq!(listed(&api, "/v1/dead-letters", 3).await[0]["function"], "other");

    let dry = delete(&api, "/v1/dead-letters?reason=not_found&dry_run=true").await;
    assert_eq!(dry.json(), json!({ "dry_run": true, "deleted": 3, "complete": true }));
    let told = lines(&delete(&api, "/v1/dead-letters?reason=not_found").await);
    let last = json!({ "deleted": 3, "skipped": 0, "left": 0, "complete": true });
    assert_eq!(told.last(), Some(&last));
    listed(&api, "/v1/dead-letters", 0).await;
    let nothing = lines(&redrive(&api, "").await);
    let last = json!({ "redriven": 0, "skipped": 0, "left": 0, "complete": true });
    assert_eq!(nothing.last(), Some(&last));
}

/// A minute is how long a message stays hidden after a look that nobody ended.
#[tokio::test]
async fn a_client_that_goes_away_stops_it_and_nothing_is_lost_or_hidden() {
    let api = Api::start().await;
    for n in 0..12 {
        of_function(&api, "late", &format!("late-{n}")).await;
    }
    let began_at = Instant::now();
    let redriving = api.request(Method::POST, "/v1/dead-letters/redrive?per_second=1");
    let mut redriving = redriving.send().await.unwrap();
    for _ in 0..2 {
        redriving.chunk().await.unwrap().unwrap();
    }
    drop(redriving);
    let looking = api.request(Method::GET, "/v1/dead-letters").timeout(Duration::from_millis(300));
    assert!(looking.send().await.unwrap_err().is_timeout());
    let deadline = Instant::now() + Duration::from_secs(20);
    let left = loop {
        let left = letters(&api.get("/v1/dead-letters").await).len();
        let sent = usize::try_from(api.queue.depth().await.unwrap().visible).unwrap();
        if left + sent == 12 {
            break left;
        }
        assert!(Instant::now() < deadline, "{left} are left, and {sent} were sent back");
    };
    assert!((4..12).contains(&left), "{left} are left");
    assert!(began_at.elapsed() < Duration::from_secs(30), "{:?}", began_at.elapsed());
}

#[tokio::test]
async fn an_api_that_stops_says_so_in_the_last_line() {
    let api = Api::start().await;
    for n in 0..5 {
        of_function(&api, "late", &format!("late-{n}")).await;
    }
    let redriving = redrive(&api, "?per_second=1");
    let stop = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        api.shutdown.soft.cancel();
    };
    let (answer, ()) = tokio::join!(redriving, stop);
    let told = lines(&answer);
    let last = told.last().unwrap();
    assert_eq!((&last["complete"], &last["error"]["type"]), (&json!(false), &json!("unavailable")), "{last}");
    tokio::time::timeout(Duration::from_secs(5), api.running).await.expect("it hangs").unwrap().unwrap();
    let left = DeadLetters::new(&api.queue, &api.store).list(&Default::default(), 100).await.unwrap().len();
    assert_eq!(left as u64 + last["redriven"].as_u64().unwrap(), 5);
}

#[tokio::test]
async fn a_token_for_some_functions_has_their_dead_letters_alone() {
    let tokens = json!([{ "name": "team", "sha256": hex::encode(Sha256::digest(TEAM)),
                          "scopes": ["read", "manage"], "functions": ["late"] }]);
    let tokens = tokens.to_string();
    let api = Api::start_with(&[("BADLAMBDA_TOKENS", &tokens), ("BADLAMBDA_API_TOKEN", ROOT)]).await;
    of_function(&api, "late", "late-1").await;
    of_function(&api, "other", "other-1").await;
    dead_letter(&api, "nonsense", ErrorKind::BadMessage, "the body is not an Envelope").await;
    let ask = async |token: &str, method: Method, path: &str| {
        send(api.request(method, path).bearer_auth(token)).await
    };
    let all = letters(&ask(ROOT, Method::GET, "/v1/dead-letters").await);
    assert_eq!(all.len(), 3);
    let own = letters(&ask(TEAM, Method::GET, "/v1/dead-letters").await);
    assert_eq!(own.iter().map(|letter| &letter["function"]).collect::<Vec<_>>(), ["late"]);
    let refused = ask(TEAM, Method::GET, "/v1/dead-letters?function=other").await;
    assert_eq!(refused.problem(), (403, "function_not_allowed".to_owned()));
    for letter in all.iter().filter(|letter| letter["function"] != "late") {
        let path = format!("/v1/dead-letters/{}", letter["id"].as_str().unwrap());
        assert_eq!(ask(TEAM, Method::GET, &path).await.problem().0, 404);
        assert_eq!(ask(TEAM, Method::DELETE, &path).await.problem().0, 404);
    }
    let told = lines(&ask(TEAM, Method::DELETE, "/v1/dead-letters").await);
    assert_eq!(told.last().unwrap()["deleted"], 1);
    assert_eq!(letters(&ask(ROOT, Method::GET, "/v1/dead-letters").await).len(), 2);
    let nobody = api.get("/v1/dead-letters").await;
    assert_eq!(nobody.problem().0, 401);
}
