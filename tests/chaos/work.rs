//! What is asked of the fleet, and what should come of it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use badlambda_shared::aws::queue::{OutgoingMessage, Queue};
use badlambda_shared::execution::trace::Trace;
use badlambda_tests::addresses::{queue, text};
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::fleet;

const SUBMITTERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(100);
/// The functions: name, code, config.
const FUNCTIONS: [(&str, &str, &str); 5] = [
    ("echo", "sleep(event['ms'] / 1000.0) if event['ms']; { n: event['n'] }", "{}"),
    ("handler", "BASE = 1000\ndef handler(event:, context:) = { n: BASE + event['n'] }", "{}"),
    ("large", "puts 'x' * 5_000; { n: event['n'], text: 'y' * 100_000 }", "{}"),
    ("flaky", "raise 'the first time' if context.attempt == 1; { n: event['n'] }", r#"{"retries": 3}"#),
    ("failing", "raise ArgumentError, event['n'].to_s", "{}"),
];

/// Who is told of an execution, and of what comes of it.
#[derive(Clone, Debug)]
pub struct Expected {
    pub path: String,
    /// The result, or the kind of the error.
    pub outcome: Result<Value, &'static str>,
}

/// All of it.
pub struct Work {
    api: String,
    http: reqwest::Client,
    queue: Queue,
    executions: u64,
    seed: u64,
    next: AtomicU64,
    pub accepted: Mutex<Vec<Expected>>,
}

impl Work {
    pub fn new(addresses: &Value, executions: u64, seed: u64) -> Self {
        Self {
            api: text(addresses, "api").to_owned(),
            http: fleet::client().unwrap_or_default(),
            queue: queue(addresses),
            executions,
            seed,
            next: AtomicU64::new(0),
            accepted: Mutex::default(),
        }
    }

    pub async fn create_functions(&self) -> anyhow::Result<()> {
        for (name, code, config) in FUNCTIONS {
            let config: Value = serde_json::from_str(config)?;
            let body = json!({ "name": name, "code": code, "config": config });
            let created = self.http.post(format!("{}/v1/functions", self.api)).json(&body).send().await?;
            anyhow::ensure!(created.status() == 201, "{}", created.text().await?);
        }
        Ok(())
    }

    /// Submits everything, each until it is accepted.
    pub async fn submit(&self) {
        join_all((0..SUBMITTERS).map(|_| async {
            loop {
                let n = self.next.fetch_add(1, Ordering::Relaxed);
                if n >= self.executions {
                    return;
                }
                self.submit_one(n).await;
            }
        }))
        .await;
    }

    async fn submit_one(&self, n: u64) {
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(n));
        let ok = |value: Value| Ok(value);
        let (function, input, outcome) = match rng.random_range(0..100) {
            0..45 => ("echo", json!({ "n": n }), ok(json!({ "n": n }))),
            45..60 => {
                let ms: u64 = rng.random_range(20..400);
                ("echo", json!({ "n": n, "ms": ms }), ok(json!({ "n": n })))
            }
            // One that outlasts the visibility timeout, and so lives by the heartbeat.
            60 => ("echo", json!({ "n": n, "ms": 12_000 }), ok(json!({ "n": n }))),
            61..75 => ("handler", json!({ "n": n }), ok(json!({ "n": n + 1000 }))),
            75..85 => ("large", json!({ "n": n }), ok(json!({ "n": n, "text": "y".repeat(100_000) }))),
            85..90 => ("flaky", json!({ "n": n }), ok(json!({ "n": n }))),
            90..95 => ("failing", json!({ "n": n }), Err("exception")),
            // An input for the bucket.
            95..98 => {
                let filling = "z".repeat(300_000);
                ("echo", json!({ "n": n, "filling": filling }), ok(json!({ "n": n })))
            }
            _ => ("nowhere", json!({ "n": n }), Err("not_found")),
        };
        // What names no function can only be put on the queue directly; so is some of the rest.
        let id = if function == "nowhere" || (rng.random_bool(0.2) && input.get("filling").is_none()) {
            self.put_on_the_queue(function, &input, n).await
        } else {
            self.post(function, &input, n).await
        };
        let path = format!("/v1/functions/{function}/executions/{id}");
        if let Ok(mut accepted) = self.accepted.lock() {
            accepted.push(Expected { path, outcome });
        }
    }

    async fn post(&self, function: &str, input: &Value, n: u64) -> String {
        let url = format!("{}/v1/functions/{function}/executions", self.api);
        loop {
            let submit = self.http.post(&url).header("idempotency-key", format!("{n}")).json(input);
            if let Ok(answer) = submit.send().await
                && answer.status().is_success()
                && let Ok(execution) = answer.json::<Value>().await
            {
                return text(&execution, "id").to_owned();
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn put_on_the_queue(&self, function: &str, input: &Value, n: u64) -> String {
        let id = format!("direct-{n}");
        let body = json!({ "function": function, "id": id, "input": input }).to_string();
        let message = OutgoingMessage {
            body,
            group_id: function.to_owned(),
            delay: Default::default(),
            history: None,
            trace: Trace::NONE,
        };
        loop {
            let sent = self.queue.send_batch(std::slice::from_ref(&message)).await;
            if sent.is_ok_and(|results| results.iter().all(Result::is_ok)) {
                return id;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
