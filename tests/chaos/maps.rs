//! A map that goes through the same day: each of its items has one result in the end, and the right one.

use std::time::{Duration, Instant};

use badlambda_shared::aws::store::NDJSON;
use badlambda_tests::addresses::text;
use serde_json::{Value, json};

use crate::fleet;

/// The function: name and code. One in so many items fails.
const FUNCTION: (&str, &str) =
    ("square", "raise ArgumentError, event.to_s if event % 97 == 96; { n: event, square: event * event }");
const FAILS_EVERY: u64 = 97;
const PAUSE: Duration = Duration::from_millis(200);

/// A map that was accepted.
pub struct Mapped {
    http: reqwest::Client,
    url: String,
    items: u64,
}

impl Mapped {
    /// Creates the function. The day is still good.
    pub async fn create_function(addresses: &Value) -> anyhow::Result<()> {
        let (name, code) = FUNCTION;
        let url = format!("{}/v1/functions", text(addresses, "api"));
        let created = fleet::client()?.post(url).json(&json!({ "name": name, "code": code })).send().await?;
        anyhow::ensure!(created.status() == 201, "{}", created.text().await?);
        Ok(())
    }

    /// Submits so many inputs until they are accepted.
    pub async fn submit(addresses: &Value, items: u64) -> anyhow::Result<Self> {
        let (http, api) = (fleet::client()?, text(addresses, "api"));
        let body: String = (0..items).map(|n| format!("{n}\n")).collect();
        let url = format!("{api}/v1/functions/{}/maps?chunk=200", FUNCTION.0);
        loop {
            let submit = http.post(&url).header("content-type", NDJSON).header("idempotency-key", "the map");
            if let Ok(answer) = submit.body(body.clone()).send().await
                && answer.status().is_success()
                && let Ok(map) = answer.json::<Value>().await
            {
                return Ok(Self { http, url: format!("{api}{}", text(&map, "url")), items });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits for its end, then looks at every result. Returns what is wrong.
    pub async fn wait_and_look(&self, deadline: Instant) -> Vec<String> {
        let map = loop {
            let map = self.get("").await.and_then(|text| serde_json::from_str::<Value>(&text).ok());
            match map {
                Some(map) if map["status"] == "finished" => break map,
                map if Instant::now() > deadline => return vec![format!("the map did not finish: {map:?}")],
                _ => tokio::time::sleep(PAUSE).await,
            }
        };
        let failed = self.items / FAILS_EVERY;
        let mut wrong = vec![];
        if map["failed"] != failed || map["succeeded"] != self.items - failed {
            wrong.push(format!("the map counts wrongly: {map}"));
        }
        let Some(results) = self.get("/results").await else {
            return vec!["the map's results can't be read".to_owned()];
        };
        let mut lines = results.lines();
        for n in 0..self.items {
            let line = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
            let line = line.unwrap_or_default();
            let is_right = if n % FAILS_EVERY == FAILS_EVERY - 1 {
                line["error"]["kind"] == "exception"
                    && line["error"]["message"].as_str() == Some(&*n.to_string())
            } else {
                line["result"] == json!({ "n": n, "square": n * n })
            };
            if line["index"] != n || !is_right {
                wrong.push(format!("the result of input {n} of the map is {line}"));
                break;
            }
        }
        if lines.next().is_some() {
            wrong.push("the map has more results than inputs".to_owned());
        }
        wrong
    }

    async fn get(&self, below: &str) -> Option<String> {
        let answer = self.http.get(format!("{}{below}", self.url)).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }
}
