//! The table against what the programs really ask in a run that has a bit of everything.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::index::{Hour, Line, store_lines};
use badlambda_tests::addresses::clients;
use badlambda_tests::faults::{Call, FaultProxy, Plan};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::table::{CALLS, Program, Resource};
use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::{Fleet, PATIENCE};
use crate::lambda::zip;

/// Asks whatever an API can be asked that comes to AWS.
async fn use_functions(fleet: &Fleet) {
    fleet.create("echo", "event", json!({})).await;
    let ask = async |method, path: &str, body: Value| {
        let answer = fleet.request(method, path).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    };
    ask(Method::PUT, "/v1/functions/echo", json!({"code": "puts 'a log'; event"})).await;
    ask(Method::PUT, "/v1/functions/echo/aliases/live", json!({"version": 1})).await;
    for path in ["", "/echo", "/echo/versions", "/echo/versions/1/code"] {
        assert_eq!(fleet.get(&format!("/v1/functions{path}")).await.status(), 200, "{path}");
    }
    fleet.create("passing", "1", json!({})).await;
    assert_eq!(fleet.request(Method::DELETE, "/v1/functions/passing").send().await.unwrap().status(), 204);
}

/// A layer, which is AWS Lambda's API alone.
async fn use_layers(fleet: &Fleet) {
    let path = "/2018-10-31/layers/tools/versions";
    let zip = STANDARD.encode(zip("TOOL = 1"));
    let publish = fleet.http.post(format!("{}{path}", fleet.address("api")));
    let published = publish.json(&json!({"Content": {"ZipFile": zip}})).send().await.unwrap();
    assert_eq!(published.status(), 201, "{}", published.text().await.unwrap());
    let version = fleet.http.get(format!("{}{path}/1", fleet.address("api"))).send().await.unwrap();
    assert_eq!(version.status(), 200, "{}", version.text().await.unwrap());
}

/// Executions of every kind that leave something else in queue or bucket.
async fn use_executions(fleet: &Fleet) {
    let path = "/v1/functions/echo/executions";
    for _ in 0..2 {
        let submit = fleet.request(Method::POST, path).header("idempotency-key", "order-7").json(&json!(1));
        let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
        assert_eq!(fleet.finished(accepted["url"].as_str().unwrap()).await["status"], "succeeded");
    }
    let large = fleet.execute("echo", &json!("x".repeat(1_500_000))).await;
    assert_eq!(large["status"], "succeeded", "{}", large["error"]);
    // Signed by the worker in the record, and by the api for who asks it for one.
    let redirected = fleet.get(&format!("{}/result", large["url"].as_str().unwrap())).await;
    for url in [large["result_url"].as_str().unwrap(), redirected.headers()["location"].to_str().unwrap()] {
        assert_eq!(fleet.http.get(url).send().await.unwrap().status(), 200, "{url}");
    }
    let one_shot = fleet.request(Method::POST, "/v1/run").json(&json!({"code": "1"})).send().await.unwrap();
    let one_shot: Value = one_shot.json().await.unwrap();
    assert_eq!(fleet.finished(one_shot["url"].as_str().unwrap()).await["result"], 1);
    let sent = fleet.send("2", Some("echo:live")).await;
    assert_eq!(fleet.finished(&format!("{path}/{sent}")).await["result"], 2);
    fleet.create("retried", "raise BadLambda::Retry.in(0) if context.attempt < 2", json!({})).await;
    assert_eq!(fleet.execute("retried", &json!(null)).await["attempts"], 2);
    fleet.create("capped", "event", json!({})).await;
    let path = format!("{}/2017-10-31/functions/capped/concurrency", fleet.address("api"));
    let put = fleet.http.put(path).json(&json!({"ReservedConcurrentExecutions": 1})).send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(fleet.execute("capped", &json!(3)).await["result"], 3);
    let path = format!("{}/2015-03-31/event-source-mappings", fleet.address("api"));
    let asked = fleet.sqs.get_queue_attributes().queue_url(fleet.address("queue_url"));
    let asked = asked.attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
    let arn = &asked.attributes.unwrap()[&QueueAttributeName::QueueArn];
    let mapping = json!({"EventSourceArn": arn, "FunctionName": "echo", "Enabled": false});
    assert_eq!(fleet.http.post(path).json(&mapping).send().await.unwrap().status(), 202);
    fleet.create("long", "sleep 60", json!({"timeout_ms": 61_000})).await;
    let url = fleet.submit("long", &json!(null)).await;
    // By then its lease was renewed.
    let deadline = Instant::now() + PATIENCE;
    while fleet.get(&url).await.json::<Value>().await.unwrap()["status"] != "running" {
        assert!(Instant::now() < deadline, "it does not run");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(fleet.request(Method::DELETE, &url).send().await.unwrap().status(), 202);
    // It can't be run, and leaves no room for the reason.
    fleet.send(&"é".repeat(512 * 1024), None).await;
    let id = dead_letter(fleet).await;
    let redrive = fleet.request(Method::POST, &format!("/v1/dead-letters/{id}/redrive"));
    assert_eq!(redrive.send().await.unwrap().status(), 202);
    dead_letter(fleet).await;
    // As one that SQS moved there: its execution is recorded as lost.
    let lost = json!({"function": "echo", "id": "order-9"}).to_string();
    let send = fleet.sqs.send_message().queue_url(fleet.address("dead_letter_queue_url"));
    send.message_body(lost).send().await.unwrap();
    let deleted = fleet.request(Method::DELETE, "/v1/dead-letters").send().await.unwrap();
    assert!(deleted.text().await.unwrap().contains("\"deleted\":2"));
}

/// Maps: one that ends and is asked for twice, so that the second request's inputs go again, and one that is cancelled.
async fn use_maps(fleet: &Fleet) {
    let submit = async |key: &str| {
        let request = fleet.request(Method::POST, "/v1/functions/echo/maps").header("idempotency-key", key);
        let map: Value = request.body("1\n2\n").send().await.unwrap().json().await.unwrap();
        map["url"].as_str().unwrap().to_owned()
    };
    let url = &submit("map-1").await;
    assert_eq!(submit("map-1").await, *url);
    let waited = fleet.request(Method::GET, url).header("prefer", "wait=30").send().await.unwrap();
    assert_eq!(waited.json::<Value>().await.unwrap()["status"], "finished");
    assert_eq!(fleet.get(&format!("{url}/results")).await.text().await.unwrap().lines().count(), 2);
    let other = submit("map-2").await;
    fleet.request(Method::DELETE, &other).send().await.unwrap();
}

/// The id of the one dead letter, once it is there.
async fn dead_letter(fleet: &Fleet) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let list: Value = fleet.get("/v1/dead-letters").await.json().await.unwrap();
        if let Some(id) = list["dead_letters"][0]["id"].as_str() {
            return id.to_owned();
        }
        assert!(Instant::now() < deadline, "nothing was dead-lettered: {list}");
    }
}

/// What others have left before a worker comes: a message that was received often, a result of a lost attempt, and an
/// hour of the index that is over.
async fn prepare(deployment: &Deployment) -> String {
    let (fleet, store) = (&deployment.fleet, deployment.store());
    let (function, id) = ("echo".parse().unwrap(), "order-8".parse().unwrap());
    let left = store.keys().result(&function, &id);
    store.put(&left, b"\"left\"".to_vec(), JSON, Condition::Absent).await.unwrap();
    fleet.send(&json!({"function": "echo", "id": "order-8", "input": 8}).to_string(), None).await;
    for id in ["order-1", "order-2"] {
        store_lines(&store, vec![old_line(id)]).await.unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let receive = fleet.sqs.receive_message().queue_url(fleet.address("queue_url")).visibility_timeout(0);
        let count = MessageSystemAttributeName::ApproximateReceiveCount;
        let received = receive.message_system_attribute_names(count.clone()).send().await.unwrap();
        let times = received
            .messages()
            .first()
            .map_or(0, |message| message.attributes().unwrap()[&count].parse::<u32>().unwrap());
        if times >= 6 {
            return "/v1/functions/echo/executions/order-8".to_owned();
        }
        assert!(Instant::now() < deadline, "the message is not received");
    }
}

fn old_line(id: &str) -> Line {
    let at_ms = Hour::now().before(30).begins_at_ms();
    let line = json!({"id": id, "function": "echo", "status": "cancelled", "submitted_ms": at_ms, "at_ms": at_ms, "attempts": 0});
    serde_json::from_value(line).unwrap()
}

/// The operations of one program that the table has, and on what.
fn known(program: Program, addresses: &Value) -> BTreeSet<Call> {
    let name = |queue: &str| addresses[queue].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let calls = CALLS.iter().filter(|call| call.program == program);
    calls
        // An object that is not there is asked for like any other.
        .filter(|call| (call.operation, call.resource) != ("GetObject", Resource::Bucket))
        .map(|call| Call {
            operation: call.operation.to_owned(),
            on: match call.resource {
                Resource::Queue => name("queue_url"),
                Resource::DeadLetterQueue => name("dead_letter_queue_url"),
                Resource::Bucket | Resource::Tasks => String::new(),
                Resource::Keys(prefix) => prefix.to_owned(),
            },
        })
        .collect()
}

#[tokio::test]
async fn the_programs_ask_what_the_table_has_and_nothing_else() {
    let mut deployment = Deployment::start().await;
    let mut direct = deployment.fleet.addresses.clone();
    direct["aws"] = direct["direct"].clone();
    // What the test itself sends is not the api's.
    deployment.fleet.sqs = aws_sdk_sqs::Client::new(clients(&direct).sdk());
    let workers = FaultProxy::start(direct["aws"].as_str().unwrap(), 1, Plan::default()).unwrap();
    // It answers like an agent that fails, which is no trouble.
    let agent = FaultProxy::start(&workers.url, 1, Plan { fail: 1.0, ..Plan::default() }).unwrap();
    let fleet = &deployment.fleet;
    use_functions(fleet).await;
    use_layers(fleet).await;
    let prepared = prepare(&deployment).await;
    let settings = [
        ("AWS_ENDPOINT_URL", workers.url.as_str()),
        ("BADLAMBDA_PUBLIC_S3_ENDPOINT", &workers.url),
        ("ECS_AGENT_URI", &agent.url),
        ("BADLAMBDA_DRAIN_SECONDS", "10"),
        ("BADLAMBDA_MAX_ATTEMPTS", "9"),
    ];
    let worker = deployment.worker(&settings).await;
    assert_eq!(fleet.finished(&prepared).await["result"], 8);
    use_executions(fleet).await;
    use_maps(fleet).await;
    fleet.queue_is_empty().await;
    let listed: Value = fleet.get("/v1/executions").await.json().await.unwrap();
    assert!(listed["executions"].as_array().unwrap().len() > 5, "{listed}");
    worker.drain();
    let by_api: BTreeSet<Call> = deployment.proxy.calls().into_keys().collect();
    let by_worker: BTreeSet<Call> = workers.calls().into_keys().chain(agent.calls().into_keys()).collect();
    assert_eq!(by_api, known(Program::Api, &direct), "by the api");
    assert_eq!(by_worker, known(Program::Worker, &direct), "by the worker");
}
