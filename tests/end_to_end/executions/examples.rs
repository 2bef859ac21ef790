//! Every example does what its folder says: input in, expected output out.

use std::fs;

use serde_json::{Value, json};

use crate::fixtures::fleet::{Fleet, repository};

fn read(name: &str, what: &str) -> String {
    let path = repository().join(format!("deploy/examples/{name}{what}"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_of(name: &str, what: &str) -> Value {
    serde_json::from_str(&read(name, what)).unwrap()
}

async fn execute(fleet: &Fleet, name: &str) -> Value {
    fleet.create(name, &read(name, ".rb"), json!({})).await;
    fleet.execute(name, &json_of(name, ".input.json")).await
}

async fn result(fleet: &Fleet, execution: &Value) -> Value {
    assert_eq!(execution["status"], "succeeded", "{}", execution["error"]);
    let url = execution["result_url"].as_str().unwrap();
    fleet.http.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn each_gives_its_expected_result() {
    let fleet = Fleet::start().await;
    for name in ["hello", "csv_report", "text_statistics", "svg_chart", "s3_event"] {
        let execution = execute(&fleet, name).await;
        assert_eq!(result(&fleet, &execution).await, json_of(name, ".expected.json"), "{name}");
    }
}

#[tokio::test]
async fn an_expensive_top_level_runs_once() {
    let fleet = Fleet::start().await;
    let first = execute(&fleet, "expensive_setup").await;
    let second = fleet.execute("expensive_setup", &json_of("expensive_setup", ".input.json")).await;
    let (one, two) = (result(&fleet, &first).await, result(&fleet, &second).await);
    for (name, expected) in json_of("expensive_setup", ".expected.json").as_object().unwrap() {
        assert_eq!((&one[name], &two[name]), (expected, expected), "{name}");
    }
    assert!(one["loaded"]["token"].is_string(), "{one}");
    assert_eq!(one["loaded"]["token"], two["loaded"]["token"]);
    let wall = |execution: &Value| execution["usage"]["wall_ms"].as_f64().unwrap();
    assert!(wall(&first) > 0.0 && wall(&second) > 0.0);
}

#[tokio::test]
async fn one_logs_and_raises() {
    let fleet = Fleet::start().await;
    let execution = execute(&fleet, "logs_and_raises").await;
    let expected = json_of("logs_and_raises", ".expected.json");
    assert_eq!(execution["status"], "failed");
    for (name, value) in expected["error"].as_object().unwrap() {
        assert_eq!(&execution["error"][name], value, "{name}");
    }
    let frames = execution["error"]["backtrace"].as_array().unwrap();
    assert!(frames[0].as_str().unwrap().starts_with("function.rb:"), "{frames:?}");
    let logs =
        fleet.http.get(execution["logs_url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = logs.lines().map(Value::from).collect();
    assert_eq!(Value::from(lines), expected["logs"]);
}
