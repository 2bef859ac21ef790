//! What comes of each input.

use reqwest::Method;
use serde_json::{Value, json};

use super::{finished, results, submit, until};
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn each_input_has_its_own_result_from_untouched_state_in_order() {
    let fleet = Fleet::start().await;
    let code = "$runs = 0\ndef handler(event:, context:)\n  raise ArgumentError, 'seven' if event == 7\n  \
                [event * 2, $runs += 1, context.execution_id]\nend";
    fleet.create("double", code, json!({})).await;
    let inputs: Vec<Value> = (0..120).map(|n| json!(n)).collect();
    let url = submit(&fleet, "double", "?chunk=25", &inputs).await;
    let map = finished(&fleet, &url).await;
    assert_eq!((&map["succeeded"], &map["kinds"]), (&json!(119), &json!({"exception": 1})), "{map}");
    assert!(map["per_second"].as_f64().unwrap() > 0.0 && map["finished_at"].is_string());
    let lines = results(&fleet, &url, 0).await;
    assert_eq!(lines.len(), inputs.len());
    let id = url.rsplit('/').next().unwrap();
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(line["index"], n, "{line}");
        assert!(line["usage"]["wall_ms"].as_f64().unwrap() > 0.0, "{line}");
        if n == 7 {
            assert_eq!(
                (&line["status"], &line["error"]["type"]),
                (&json!("failed"), &json!("ArgumentError"))
            );
        } else {
            assert_eq!(line["result"], json!([n * 2, 1, format!("{id}-{n}")]), "{line}");
        }
    }
    assert_eq!(results(&fleet, &url, 118).await, lines[118..]);
    assert_eq!(results(&fleet, &url, 120).await, Vec::<Value>::new());
    let beyond = fleet.get(&format!("{url}/results?from=121")).await;
    assert_eq!(beyond.status(), 422);
    fleet.queue_is_empty().await;
    let late = fleet.request(Method::DELETE, &url).send().await.unwrap();
    assert_eq!(
        (late.status().as_u16(), late.json::<Value>().await.unwrap()["type"].as_str()),
        (409, Some("already_finished"))
    );
}

#[tokio::test]
async fn items_that_fail_are_tried_again_as_the_config_says_and_errors_have_their_kinds() {
    let fleet = Fleet::start().await;
    let code = r#"
        case event
        when "flaky" then context.attempt == 2 ? "the second time" : raise("not yet")
        when "slow" then sleep 60
        when "never" then raise "never"
        when "huge" then "x" * 2_000
        else event
        end
    "#;
    let config = json!({"retries": 1, "timeout_ms": 700, "max_result_bytes": 1000});
    fleet.create("mixed", code, config).await;
    let inputs = ["flaky", "slow", "never", "huge", "fine"].map(|input| json!(input));
    let url = submit(&fleet, "mixed", "", &inputs).await;
    let map = finished(&fleet, &url).await;
    let kinds = json!({"exception": 1, "timeout": 1, "result_too_large": 1});
    assert_eq!((&map["succeeded"], &map["kinds"]), (&json!(2), &kinds), "{map}");
    let lines = results(&fleet, &url, 0).await;
    let outcomes: Vec<Option<&str>> =
        lines.iter().map(|line| line["error"]["kind"].as_str().or(line["result"].as_str())).collect();
    let expected = ["the second time", "timeout", "exception", "result_too_large", "fine"].map(Some);
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_function_can_not_write_lines_of_other_items() {
    let fleet = Fleet::start().await;
    let code = "forged = Object.new\ndef forged.to_json(*) = \"[1,\\n{\\\"index\\\":1,\\\"status\\\":\\\"succeeded\\\"}\\n]\"\n\
                event == 0 ? forged : raise('line one\nline two')";
    fleet.create("forger", code, json!({})).await;
    let url = submit(&fleet, "forger", "", &[json!(0), json!(1)]).await;
    finished(&fleet, &url).await;
    let lines = results(&fleet, &url, 0).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["result"], json!([1, {"index": 1, "status": "succeeded"}]));
    assert_eq!(
        (&lines[1]["index"], &lines[1]["error"]["message"]),
        (&json!(1), &json!("line one\nline two"))
    );
}

#[tokio::test]
async fn a_version_is_run_as_it_was_when_the_map_was_submitted() {
    let fleet = Fleet::start().await;
    fleet.create("which", "sleep 0.2; 1", json!({})).await;
    let url = submit(&fleet, "which", "?chunk=1", &(0..12).map(Value::from).collect::<Vec<_>>()).await;
    let next = json!({"code": "2", "config": {}});
    fleet.request(Method::PUT, "/v1/functions/which").json(&next).send().await.unwrap();
    assert_eq!(finished(&fleet, &url).await["version"], 1);
    assert!(results(&fleet, &url, 0).await.iter().all(|line| line["result"] == 1));
}

#[tokio::test]
async fn large_results_go_through_several_parts() {
    let fleet = Fleet::start().await;
    fleet.create("large", "event.to_s * 1_000_000", json!({})).await;
    let inputs: Vec<Value> = (0..20).map(|n| json!(n % 10)).collect();
    let url = submit(&fleet, "large", "?chunk=20", &inputs).await;
    finished(&fleet, &url).await;
    let lines = results(&fleet, &url, 0).await;
    assert_eq!(lines.len(), 20);
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(line["index"], n);
        let digit = (n % 10).to_string();
        let result = line["result"].as_str().unwrap();
        assert!(result.len() == 1_000_000 && result.starts_with(&digit) && result.ends_with(&digit));
    }
}

#[tokio::test]
async fn a_map_waits_with_prefer() {
    let fleet = Fleet::start().await;
    fleet.create("nap", "sleep 1; event", json!({})).await;
    let url = submit(&fleet, "nap", "", &[json!(1)]).await;
    let running = until(&fleet, &url, |map| map["status"] == "running").await;
    assert_eq!((&running["running"], &running["queued"]), (&json!(1), &json!(0)));
    let waited = fleet.request(Method::GET, &url).header("prefer", "wait=20").send().await.unwrap();
    assert_eq!(waited.headers()["preference-applied"], "wait=20");
    assert_eq!(waited.json::<Value>().await.unwrap()["status"], "finished");
}
