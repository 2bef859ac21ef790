//! Where results are: in the record, and, unless `store_result` says otherwise, in an object of their own.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;

const SMALL: &str = "{ n: event }";
const LARGE: &str = "'x' * 20_000";

#[tokio::test]
async fn a_small_result_is_stored_once_where_only_large_ones_are_to_be() {
    let fleet = Fleet::start().await;
    fleet.create("once", SMALL, json!({"store_result": "large"})).await;
    fleet.create("twice", SMALL, json!({})).await;
    for (function, is_stored) in [("once", false), ("twice", true)] {
        let execution = fleet.execute(function, &json!(7)).await;
        assert_eq!(
            (&execution["result"], &execution["result_bytes"]),
            (&json!({"n": 7}), &json!(7)),
            "{function}"
        );
        assert_eq!(execution["result_url"].is_string(), is_stored, "{execution}");
        assert_eq!(execution["urls_expire_at"].is_string(), is_stored, "{execution}");
        let answer = fleet.get(&format!("{}/result", execution["url"].as_str().unwrap())).await;
        assert_eq!(answer.status(), if is_stored { 303 } else { 200 }, "{function}");
        if !is_stored {
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({"n": 7}));
        }
    }
}

#[tokio::test]
async fn a_large_result_is_stored_in_any_case() {
    let fleet = Fleet::start().await;
    fleet.create("large", LARGE, json!({"store_result": "large"})).await;
    let execution = fleet.execute("large", &json!(null)).await;
    assert_eq!((&execution["result"], &execution["result_bytes"]), (&json!(null), &json!(20_002)));
    let answer = fleet.get(&format!("{}/result", execution["url"].as_str().unwrap())).await;
    assert_eq!(answer.status(), 303);
    let stored = fleet.http.get(answer.headers()[LOCATION].to_str().unwrap()).send().await.unwrap();
    assert_eq!(stored.json::<Value>().await.unwrap().as_str().map(str::len), Some(20_000));
}
