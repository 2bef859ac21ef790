//! What came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use badlambda_shared::aws::queue::Queue;
use badlambda_shared::dead_letters::Selection;
use badlambda_tests::addresses::{clients, dead_letters, queue, text};
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::fleet::{self, Fleet};
use crate::work::{Expected, Work};

const READS_AT_ONCE: usize = 32;
const PAUSE: Duration = Duration::from_millis(200);

/// What was found, and what of it is wrong.
#[derive(Default)]
pub struct Found {
    pub wrong: Vec<String>,
    by_status: BTreeMap<String, u64>,
    attempts: BTreeMap<u64, u64>,
    accepted: u64,
    records: u64,
    orphans: u64,
    dead: u64,
    dead_letters: u64,
}

impl Found {
    pub fn totals(&self) -> Value {
        json!({
            "accepted": self.accepted,
            "final_records": self.records,
            "by_status": self.by_status,
            "by_attempts": self.attempts.iter().map(|(n, times)| (n.to_string(), *times)).collect::<BTreeMap<_, _>>(),
            "dead": self.dead,
            "dead_letters": self.dead_letters,
            "objects_that_no_record_names": self.orphans,
        })
    }
}

/// Waits for every execution, then looks at everything.
pub async fn wait_and_look(work: &Work, fleet: &Fleet, deadline: Instant) -> anyhow::Result<Found> {
    let http = fleet::client()?;
    let api = text(&fleet.addresses, "api");
    let accepted = work.accepted.lock().map(|accepted| accepted.clone()).unwrap_or_default();
    let mut found = Found { accepted: accepted.len() as u64, ..Found::default() };
    let mut named = vec![];
    let waits = accepted.iter().map(|expected| wait(&http, api, &expected.path, deadline));
    let executions: Vec<_> = stream::iter(waits).buffered(READS_AT_ONCE).collect().await;
    for (expected, execution) in accepted.iter().zip(executions) {
        match execution {
            Some(execution) => found.compare(&http, expected, &execution, &mut named).await?,
            None => found.wrong.push(format!("{} has no final record", expected.path)),
        }
    }
    let queue = queue(&fleet.direct);
    found.empty(&queue, deadline).await?;
    found.look_at_the_dead(&fleet.direct, &accepted).await?;
    found.count(&fleet.direct, &named).await?;
    Ok(found)
}

async fn wait(http: &reqwest::Client, api: &str, path: &str, deadline: Instant) -> Option<Value> {
    loop {
        let answer = http.get(format!("{api}{path}")).header("prefer", "wait=5").send().await;
        if let Ok(answer) = answer
            && let Ok(execution) = answer.json::<Value>().await
            && ["succeeded", "failed", "cancelled"]
                .contains(&execution["status"].as_str().unwrap_or_default())
        {
            return Some(execution);
        }
        if Instant::now() > deadline {
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Found {
    async fn compare(
        &mut self,
        http: &reqwest::Client,
        expected: &Expected,
        execution: &Value,
        named: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let kind = execution["error"]["kind"].as_str();
        let status =
            kind.map_or_else(|| text(execution, "status").to_owned(), |kind| format!("failed: {kind}"));
        *self.by_status.entry(status).or_default() += 1;
        *self.attempts.entry(execution["attempts"].as_u64().unwrap_or_default()).or_default() += 1;
        let path = &expected.path;
        match (&expected.outcome, execution["result_url"].as_str()) {
            (Ok(result), Some(url)) => {
                let answer = http.get(url).send().await?;
                if !answer.status().is_success() || answer.json::<Value>().await? != *result {
                    self.wrong.push(format!("the result of {path} is not what it should be"));
                }
                named.push(key_of(url));
            }
            (Err(expected), None) if kind == Some(expected) => {}
            _ => self.wrong.push(format!("{path}: {execution}")),
        }
        if let Some(url) = execution["logs_url"].as_str() {
            if !http.get(url).send().await?.status().is_success() {
                self.wrong.push(format!("{path} names logs that are not there"));
            }
            named.push(key_of(url));
        } else if path.contains("/large/") {
            self.wrong.push(format!("{path} has lost its logs"));
        }
        Ok(())
    }

    /// Waits until nothing is in the queue, visible or held.
    async fn empty(&mut self, queue: &Queue, deadline: Instant) -> anyhow::Result<()> {
        loop {
            let left = queue.depth().await?;
            if left.visible + left.held + left.delayed == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                self.wrong.push(format!("the queue is not empty: {left:?}"));
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What could not be run is dead-lettered, some of it twice where SQS's answer was lost; and nothing else is.
    async fn look_at_the_dead(&mut self, addresses: &Value, accepted: &[Expected]) -> anyhow::Result<()> {
        let letters = dead_letters(addresses).list(&Selection::all(), usize::MAX).await?;
        if let Some(chunk) = letters.iter().find(|letter| letter.body.starts_with("{\"map\":")) {
            self.wrong.push(format!("a chunk of the map was given up: {}", chunk.body));
        }
        let ids = letters.iter().filter_map(|letter| Some(letter.execution.as_ref()?.1.to_string()));
        let ids: BTreeSet<String> = ids.collect();
        let refused = accepted.iter().filter(|expected| expected.outcome == Err("not_found"));
        let refused: BTreeSet<String> =
            refused.filter_map(|expected| Some(expected.path.rsplit('/').next()?.to_owned())).collect();
        (self.dead, self.dead_letters) = (ids.len() as u64, letters.len() as u64);
        if ids != refused {
            let different: Vec<_> = ids.symmetric_difference(&refused).collect();
            self.wrong.push(format!("dead-lettered or not, against what should be: {different:?}"));
        }
        Ok(())
    }

    /// Compares the bucket's objects with what was accepted and what records name.
    async fn count(&mut self, addresses: &Value, named: &[String]) -> anyhow::Result<()> {
        let s3 = aws_sdk_s3::Client::new(clients(addresses).sdk());
        let list = s3.list_objects_v2().bucket(text(addresses, "bucket")).prefix("executions/");
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            for key in page?.contents().iter().filter_map(|object| object.key()) {
                let name = key.rsplit('/').next().unwrap_or_default();
                self.records += u64::from(name == "record.json");
                let left_by_an_attempt = ["result", "logs"].iter().any(|kind| name.starts_with(kind));
                self.orphans +=
                    u64::from(left_by_an_attempt && !named.iter().any(|named| key.ends_with(named)));
            }
        }
        if self.records != self.accepted {
            self.wrong.push(format!("{} were accepted, and {} are recorded", self.accepted, self.records));
        }
        Ok(())
    }
}

/// The last parts of the key that a presigned URL is for.
fn key_of(url: &str) -> String {
    let path = url.split('?').next().unwrap_or_default();
    path.split_once("/executions/").map_or(path, |(_, key)| key).to_owned()
}
