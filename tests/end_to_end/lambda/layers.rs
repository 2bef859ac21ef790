//! Layers over the whole system: from boto3 down to the Ruby process.

use badlambda_tests::addresses::store;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::programs::Settings;
use crate::fixtures::fleet::Fleet;

const SCRIPT: &str = "with_layers.py";

#[tokio::test]
async fn a_function_runs_with_its_layers_on_any_worker() {
    let data = TempDir::new().unwrap();
    let fleet = Fleet::over(data.path(), &[]).await;
    let seen = Settings::of(&fleet).script(SCRIPT, &["make"]).await;
    let expected = json!({
        "first": "GOOD DAY, ADA?",
        "shown": [["base", "1"], ["over", "1"]],
        "layers": [["base"], ["over"]],
        "versions": [[2], [1]],
        "updated": "HELLO, ADA!",
        "deleted": 204,
        "gone": "The resource you requested does not exist.",
    });
    assert_eq!(seen, expected, "{seen:#}");
    drop(fleet);
    // One that has nothing unpacked yet, and keeps nothing that is not in use.
    let fleet = Fleet::over(data.path(), &[("BADLAMBDA_PACKAGES_BYTES", "0")]).await;
    let again = Settings::of(&fleet).script(SCRIPT, &["again"]).await;
    assert_eq!(
        again,
        json!({"again": ["HELLO, ADA!", "HELLO, ADA!"], "shown": [["base", "1"], ["over", "2"]]})
    );
    drop(fleet);
    a_layer_that_is_gone_is_no_fault_of_the_function(&data).await;
}

/// Somebody has deleted its object.
async fn a_layer_that_is_gone_is_no_fault_of_the_function(data: &TempDir) {
    let fleet = Fleet::over(data.path(), &[("BADLAMBDA_MAX_ATTEMPTS", "2")]).await;
    let function: Value = fleet.get("/v1/functions/layered").await.json().await.unwrap();
    let key = format!("code/{}.zip", function["config"]["layers"][1]["code_sha256"].as_str().unwrap());
    store(&fleet.addresses).delete(&key).await.unwrap();
    let execution = fleet.execute("layered", &json!({"name": "Ada"})).await;
    let error = &execution["error"];
    assert_eq!((&error["kind"], &execution["attempts"]), (&json!("worker_lost"), &json!(2)), "{error}");
    let message = error["message"].as_str().unwrap();
    let told = format!("a layer of the function can't be unpacked: {key} is damaged: it is gone");
    assert!(
        message.starts_with("2 attempts ended without an answer") && message.contains(&told),
        "{message}"
    );
}
