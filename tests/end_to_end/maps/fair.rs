//! Single executions beside a map.

use serde_json::{Value, json};

use super::{submit, until};
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn an_execution_does_not_wait_for_a_map() {
    let fleet = Fleet::start().await;
    fleet.create("item", "sleep 0.1", json!({})).await;
    fleet.create("hello", "1", json!({})).await;
    // Some 25 s of all four slots.
    let inputs: Vec<Value> = (0..1000).map(Value::from).collect();
    let url = submit(&fleet, "item", "?chunk=50", &inputs).await;
    until(&fleet, &url, |map| map["succeeded"].as_u64().unwrap() > 0).await;
    for n in 0..5 {
        assert_eq!(fleet.execute("hello", &json!(n)).await["status"], "succeeded");
    }
    let map: Value = fleet.get(&url).await.json().await.unwrap();
    assert!(map["succeeded"].as_u64().unwrap() < 900, "{map}");
}
