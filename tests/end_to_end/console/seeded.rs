//! A fleet with something of everything: functions with versions and an alias, executions of every status, dead letters,
//! and maps.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::fleet::{Fleet, PATIENCE};

/// Fails where it is not given one of two sizes.
pub const RESIZE: &str = r#"LIMITS = { "small" => 320, "large" => 1_600 }.freeze

# Scales a picture's size down to one of ours.
def handler(event:, context:)
  width, height = event.fetch_values("width", "height")
  limit = LIMITS.fetch(event["size"])
  scale = [limit.fdiv([width, height].max), 1].min
  puts "scaled by #{scale.round(3)}"
  { width: (width * scale).round, height: (height * scale).round }
end
"#;

/// What there is to open.
pub struct Seeded {
    pub fleet: Fleet,
    /// An execution of `resize` that failed.
    pub failed: String,
    /// An execution of `hello` that succeeded.
    pub succeeded: String,
    /// A finished map of `flaky`.
    pub map: String,
    /// A dead letter.
    pub dead_letter: String,
}

impl Seeded {
    pub async fn start() -> Self {
        // What still runs at the end is not waited for.
        let fleet = Fleet::start_with(&[("BADLAMBDA_DRAIN_SECONDS", "0")]).await;
        fleet.create("resize", RESIZE, json!({})).await;
        let publish = json!({"code": RESIZE.replace("1_600", "1_800"), "config": {"timeout_ms": 5000}});
        let published =
            fleet.request(Method::PUT, "/v1/functions/resize").json(&publish).send().await.unwrap();
        assert!(published.status().is_success());
        let alias = json!({"version": 1, "weights": {"2": 0.1}});
        fleet.request(Method::PUT, "/v1/functions/resize/aliases/live").json(&alias).send().await.unwrap();
        fleet.create("hello", r#"{ greeting: "Hello, " + event.fetch("name") }"#, json!({})).await;
        let flaky = "raise ArgumentError, event['n'].to_s if event['n'].odd?; event['n']";
        fleet.create("flaky", flaky, json!({})).await;
        let failed =
            id(&fleet.execute("resize", &json!({"width": 4000, "height": 3000, "size": "medium"})).await);
        let succeeded = id(&fleet.execute("hello", &json!({"name": "Ada"})).await);
        let inputs: String = (0..60).map(|n| format!("{{\"n\": {n}}}\n")).collect();
        let map = fleet.request(Method::POST, "/v1/functions/flaky/maps").body(inputs).send().await.unwrap();
        let map = map.json::<Value>().await.unwrap();
        let waited = fleet
            .request(Method::GET, map["url"].as_str().unwrap())
            .header("Prefer", "wait=30")
            .send()
            .await
            .unwrap();
        assert_eq!(waited.json::<Value>().await.unwrap()["status"], "finished");
        fleet.send("{not json", None).await;
        fleet.send(r#"{"n": 1}"#, Some("missing")).await;
        let dead_letter = dead_letters(&fleet, 2).await.remove(0);
        Self { fleet, failed, succeeded, map: id(&map), dead_letter }
    }
}

/// The ids of dead letters, once there are so many.
pub async fn dead_letters(fleet: &Fleet, number: usize) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let listed = fleet.get("/v1/dead-letters").await.json::<Value>().await.unwrap();
        let found = listed["dead_letters"].as_array().unwrap();
        if found.len() >= number {
            return found.iter().map(id).collect();
        }
        assert!(Instant::now() < deadline, "there are not {number} dead letters: {listed}");
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}
