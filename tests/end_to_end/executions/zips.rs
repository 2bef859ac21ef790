//! Functions whose code comes in a zip, from the upload to the result.

use badlambda_shared::function::package::Packer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;

/// The zip of a function that needs all of it: another file, data, and where it lies.
fn zip(words: &str) -> Vec<u8> {
    let mut packer = Packer::default();
    let code = "require_relative \"lib/words\"\n\
                module App\n  def self.run(event:, context:)\n    \
                raise ArgumentError, \"no words\" unless event\n    \
                { words: WORDS, event: event, version: context.function_version, scratch: Dir.children(\".\") }\n  end\nend\n";
    packer.file("app.rb", code.as_bytes(), false).unwrap();
    packer
        .file("lib/words.rb", b"WORDS = File.read(\"#{__dir__}/../data/words.txt\").split\n", false)
        .unwrap();
    packer.file("data/words.txt", words.as_bytes(), false).unwrap();
    packer.finish().unwrap()
}

async fn put(fleet: &Fleet, zip: Vec<u8>) -> Value {
    let request = fleet.request(Method::PUT, "/v1/functions/words?handler=app.App.run");
    request.header("content-type", "application/zip").body(zip).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_zip_runs_in_every_way_that_a_file_does() {
    let fleet = Fleet::start().await;
    assert_eq!(put(&fleet, zip("one two")).await["version"], 1);
    let first = fleet.execute("words", &json!(1)).await;
    let expected = json!({"words": ["one", "two"], "event": 1, "version": 1, "scratch": []});
    assert_eq!(first["result"], expected, "{first}");

    // Another version beside it, from a queue, and the first one again.
    assert_eq!(put(&fleet, zip("three")).await["version"], 2);
    let id = fleet.send("2", Some("words:2")).await;
    let sent = fleet.finished(&format!("/v1/functions/words/executions/{id}")).await;
    assert_eq!(
        (&sent["result"]["words"], &sent["result"]["event"]),
        (&json!(["three"]), &json!(2)),
        "{sent}"
    );
    let replay = format!("{}/replay", first["url"].as_str().unwrap());
    let replayed: Value =
        fleet.request(Method::POST, &replay).json(&json!({})).send().await.unwrap().json().await.unwrap();
    let replayed = fleet.finished(replayed["url"].as_str().unwrap()).await;
    assert_eq!(replayed["result"], expected, "{replayed}");

    let failed = fleet.execute("words", &json!(null)).await;
    assert_eq!(failed["error"]["message"], "no words", "{failed}");
    assert!(failed["error"]["backtrace"][0].as_str().unwrap().starts_with("app.rb:4:in"), "{failed}");
}

#[tokio::test]
async fn a_map_runs_a_zip() {
    let fleet = Fleet::start().await;
    put(&fleet, zip("mapped")).await;
    let inputs: String = (1..=20).map(|n| format!("{n}\n")).collect();
    let request = fleet
        .request(Method::POST, "/v1/functions/words/maps")
        .header("content-type", "application/x-ndjson");
    let map: Value = request.body(inputs).send().await.unwrap().json().await.unwrap();
    let path = map["url"].as_str().unwrap().to_owned();
    let wait = fleet.request(Method::GET, &path).header("prefer", "wait=30").send().await.unwrap();
    let ended: Value = wait.json().await.unwrap();
    assert_eq!((&ended["status"], &ended["succeeded"]), (&json!("finished"), &json!(20)), "{ended}");
}
