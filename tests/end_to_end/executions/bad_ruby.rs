//! Bad function code: each has its kind of error, and the next execution is unharmed.

use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn each_failure_has_its_kind_and_harms_nobody() {
    let fleet = Fleet::start().await;
    let canary = "raise 'not clean' unless Dir.empty?('.'); File.write('mine', '1'); event";
    fleet.create("canary", canary, json!({})).await;
    let subprocesses = json!({"subprocesses": true, "timeout_ms": 1500});
    let daemon = "fork { Process.setsid; trap('TERM', 'IGNORE'); fork { sleep }; sleep }; 'started'";
    let cases: Vec<(&str, &str, Value, &str)> = vec![
        ("raise", "raise ArgumentError, 'no'", json!({}), "exception"),
        ("exit", "exit!", json!({}), "crash"),
        ("abort", "abort 'bye'", json!({}), "crash"),
        ("kill", "Process.kill(:KILL, $$); sleep", json!({}), "crash"),
        ("loop", "loop {}", json!({"timeout_ms": 500}), "timeout"),
        ("sleep", "sleep 60", json!({"timeout_ms": 500}), "timeout"),
        ("memory", "'x' * (1 << 30)", json!({}), "memory"),
        ("endless", "loop { puts 'x' * 1000 }", json!({"timeout_ms": 700}), "timeout"),
        ("not-json", "Float::NAN", json!({}), "result_not_json"),
        ("too-large", "'x' * 2000", json!({"max_result_bytes": 1000}), "result_too_large"),
        ("fork-bomb", "loop { fork }", subprocesses.clone(), "crash"),
        ("no-fork", "loop { fork }", json!({}), "exception"),
        (
            "disk",
            "loop { |n| File.write(rand.to_s, 'x' * 100_000) }",
            json!({"max_scratch_bytes": 500_000}),
            "scratch",
        ),
        ("daemon", daemon, subprocesses, ""),
        ("file", "File.write('left', 'x' * 1000); Dir.mkdir('locked', 0); nil", json!({}), ""),
    ];
    for (number, (name, code, config, kind)) in cases.into_iter().enumerate() {
        fleet.create(name, code, config).await;
        let execution = fleet.execute(name, &json!(null)).await;
        match kind {
            "" => assert_eq!(execution["status"], "succeeded", "{name}: {}", execution["error"]),
            kind => assert_eq!(execution["error"]["kind"], kind, "{name}: {}", execution["error"]),
        }
        let next = fleet.execute("canary", &json!(number)).await;
        assert_eq!((&next["status"], &next["result"]), (&json!("succeeded"), &json!(number)), "after {name}");
    }
    let endless = fleet.execute("endless", &json!(null)).await;
    assert_eq!(endless["logs_truncated"], true);
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn a_syntax_error_that_came_past_the_check_has_its_kind() {
    let fleet = Fleet::start().await;
    // Newer Ruby than the worker's would be needed to have one at all, so it is written into the bucket by hand.
    let function = fleet.create("later", "1", json!({})).await;
    let key = format!("code/{}.rb", function["code_sha256"].as_str().unwrap());
    let data = badlambda_tests::addresses::clients(&fleet.addresses);
    let config = badlambda_shared::process::config::SharedConfig {
        queue_url: String::new(),
        dead_letter_queue_url: String::new(),
        bucket: fleet.address("bucket").to_owned(),
        prefix: String::new(),
        public_s3_endpoint: None,
        s3_path_style: true,
        url_ttl_seconds: 60,
        max_input_bytes: 1,
        max_code_bytes: 1,
    };
    let store = badlambda_shared::aws::store::Store::new(&data, &config);
    let condition = badlambda_shared::aws::store::Condition::Always;
    store.put(&key, b"x = = 2".to_vec(), badlambda_shared::aws::store::RUBY, condition).await.unwrap();
    let execution = fleet.execute("later", &json!(null)).await;
    assert_eq!(execution["error"]["kind"], "syntax", "{}", execution["error"]);
}
