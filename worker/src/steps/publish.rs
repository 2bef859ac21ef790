//! Publishing what an attempt came to: result, logs and a large input first, then the record, whose first final form
//! wins.

use std::time::{Duration, Instant};

use badlambda_shared::aws::store::{Condition, JSON, PresignedUrl, Store, StoreError, TEXT, Written};
use badlambda_shared::execution::Status;
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::execution::message::Input;
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::records::{Recorded, Records};
use badlambda_shared::function::StoreResult;
use badlambda_shared::function::catalog::Runnable;
use badlambda_shared::keys::beside;
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::metrics::STORE;
use crate::receive::prefetch::PrefetchPermit;
use crate::sandbox::Outcome;
use crate::settle::Settlement;
use crate::steps::claim::Claim;
use crate::steps::kept_input;
use crate::steps::retry::{RetryError, retry_until, stopped_or_after};
use crate::steps::run::Finished;

/// Results and logs, in MiB, that may wait for S3 for each slot. An outcome takes one at least.
const WAITING_MIB_PER_SLOT: usize = 8;
/// What one outcome may hold at most, in MiB: the largest result, in base64, and logs that a config may allow.
const MOST_MIB: usize = 59;
/// How long an outcome waits for an S3 that does not take it, before the execution had better be run again.
const STORE_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// When it is run again then.
const LATER: Duration = Duration::from_secs(15 * 60);

/// What the step needs.
pub(crate) struct Publisher {
    store: Store,
    records: Records,
    /// One permit for each MiB of outcomes that wait for S3.
    memory: Semaphore,
    /// Nothing waits any longer.
    abandon: CancellationToken,
}

impl Publisher {
    /// For a worker with so many slots.
    pub(crate) fn new(store: Store, records: Records, slots: usize, abandon: CancellationToken) -> Self {
        let memory = Semaphore::new((slots * WAITING_MIB_PER_SLOT).max(MOST_MIB));
        Self { store, records, memory, abandon }
    }

    /// Publishes the outcome. Another attempt that was first is no error: what this one stored goes again.
    pub(crate) async fn publish(
        &self,
        claim: Claim<'_>,
        finished: Finished,
        permit: &mut Option<PrefetchPermit>,
    ) -> Result<Settlement, Settlement> {
        let ended_at = Instant::now();
        let Finished { runnable, outcome, slot } = finished;
        let _memory = self.memory_for(&outcome).await;
        // From here on it only waits for S3, which needs no slot.
        drop((slot, permit.take()));
        let published = self.store_all(&claim, &runnable, *outcome).await;
        published.inspect(|_| STORE.record([], ended_at.elapsed())).map_err(|error| {
            let after = match error {
                RetryError::GaveUp if self.abandon.is_cancelled() => Duration::ZERO,
                RetryError::GaveUp => LATER,
                RetryError::Permanent(error) => {
                    tracing::error!(%error, "an outcome can't be stored");
                    LATER
                }
            };
            Settlement::Retry { after, because: GivenBack::NotStored }
        })
    }

    async fn memory_for(&self, outcome: &Outcome) -> Option<SemaphorePermit<'_>> {
        let result = outcome.result.as_ref().map_or(0, String::len);
        let mib = ((result + outcome.logs.len()) >> 20).clamp(1, MOST_MIB);
        self.memory.acquire_many(mib as u32).await.ok()
    }

    /// Stores result, logs, input and record.
    async fn store_all(
        &self,
        claim: &Claim<'_>,
        runnable: &Runnable,
        outcome: Outcome,
    ) -> Result<Settlement, RetryError<StoreError>> {
        let keys = self.store.keys();
        let (function, id, input) = (&claim.request.function, &claim.request.id, &claim.request.input);
        let keeps = runnable.config.keep_input;
        let input_name = keys.input(function, id);
        let names = Names {
            input: matches!(input, Input::Inline(_)).then(|| input_name.clone()),
            result: keys.result(function, id),
            logs: keys.logs(function, id),
        };
        let queued = claim.record(Some(runnable), claim.attempt());
        let Outcome { result, result_encoding, logs, started_at, usage, logs_truncated, isolation, retry: _ } =
            outcome;
        let (result, error) = match result {
            Ok(json) => (Some(Bytes::from(json)), None),
            Err(error) => (None, Some(error)),
        };
        let logs = (!logs.is_empty()).then(|| Bytes::from(logs));
        let inline = result.as_ref().and_then(inline);
        let is_stored = inline.is_none() || runnable.config.store_result == StoreResult::Always;
        let (input_key, result_key, logs_key) = tokio::try_join!(
            self.store_own(&input_name, kept_input::to_store(input, keeps), JSON),
            self.store_own(&names.result, result.clone().filter(|_| is_stored), JSON),
            self.store_own(&names.logs, logs, TEXT),
        )?;
        let result_url = self.presign(result_key.as_deref()).await?;
        let logs_url = self.presign(logs_key.as_deref()).await?;
        // Made once: by its bytes, a repeated write knows its own.
        let record = Record {
            status: if error.is_none() { Status::Succeeded } else { Status::Failed },
            started_at: Some(started_at),
            finished_at: Some(Timestamp::now()),
            usage: Some(usage),
            result_bytes: result.as_ref().map(|json| json.len() as u64),
            result: inline,
            result_encoding,
            urls_expire_at: result_url.iter().chain(&logs_url).map(|signed| signed.expires_at).min(),
            result_url: result_url.map(|signed| signed.url),
            logs_url: logs_url.map(|signed| signed.url),
            logs_truncated,
            isolation: Some(isolation),
            error,
            input_key: input_key.or_else(|| queued.input_key.clone()),
            result_key,
            logs_key,
            ..queued
        };
        let write = || self.records.write(&record, claim.etag.as_deref());
        let written =
            retry_until("write a final record", self.give_up(), StoreError::may_pass, write).await?;
        let first = match written {
            Recorded::AlreadyFinal(other) => {
                tracing::info!(execution = %id, "another attempt was first");
                Some(other)
            }
            Recorded::Stored { .. } => None,
        };
        let winner = first.as_deref().unwrap_or(&record);
        let unkept = kept_input::unkept(input, keeps, winner);
        self.delete(superfluous(winner, &record, names).into_iter().chain(unkept)).await;
        let is_own = first.is_none();
        Ok(Settlement::Done { record: first.unwrap_or_else(|| Box::new(record)), is_own })
    }

    /// Deletes what no record names.
    async fn delete(&self, keys: impl Iterator<Item = String>) {
        for key in keys {
            if let Err(error) = self.store.delete(&key).await {
                tracing::warn!(%error, "something that no record names is left in the bucket");
            }
        }
    }

    /// Stores what belongs to this attempt alone: under `key`, or beside it where something else has that name.
    async fn store_own(
        &self,
        key: &str,
        bytes: Option<Bytes>,
        content_type: &str,
    ) -> Result<Option<String>, RetryError<StoreError>> {
        let Some(bytes) = bytes else { return Ok(None) };
        let own = beside(key, &format!("{:016x}", rand::random::<u64>()));
        let store = || async {
            let put = |key, condition| self.store.put(key, bytes.clone(), content_type, condition);
            if let Written::Stored(_) = put(key, Condition::Absent).await? {
                return Ok(key.to_owned());
            }
            // It may be what this call, repeated, has written itself; the same from elsewhere is as good.
            let there = self.store.get(key, bytes.len() as u64).await;
            if matches!(there, Ok(Some(object)) if object.bytes == bytes) {
                return Ok(key.to_owned());
            }
            put(&own, Condition::Always).await?;
            Ok(own.clone())
        };
        retry_until("store what an execution left", self.give_up(), |_| true, store).await.map(Some)
    }

    async fn presign(&self, key: Option<&str>) -> Result<Option<PresignedUrl>, RetryError<StoreError>> {
        let Some(key) = key else { return Ok(None) };
        retry_until("sign a URL", self.give_up(), |_| true, || self.store.presign(key)).await.map(Some)
    }

    fn give_up(&self) -> impl Future<Output = ()> {
        stopped_or_after(&self.abandon, STORE_PATIENCE)
    }
}

/// The result, where it is small enough to stand in the record.
fn inline(json: &Bytes) -> Option<Box<RawValue>> {
    let small = (json.len() <= limits::INLINE_RESULT_BYTES).then(|| json.to_vec())?;
    // It was checked to be JSON.
    RawValue::from_string(String::from_utf8(small).ok()?).ok()
}

/// The names that the first attempt to store something gets.
struct Names {
    /// `None` where the input came through the bucket, so that no attempt has stored it.
    input: Option<String>,
    result: String,
    logs: String,
}

/// What no record names once `winner` is the final one: what this attempt stored, if it came second, and what an attempt
/// that was lost has left under the usual names.
fn superfluous(winner: &Record, own: &Record, names: Names) -> Vec<String> {
    let mut keys = vec![];
    // All attempts have the same input: where this one stores none, a lost one has stored none.
    let was_lost = own.attempts > 1;
    let input = names.input.map(|usual| (&winner.input_key, &own.input_key, usual, false));
    for (named, stored, usual, may_be_left) in input.into_iter().chain([
        (&winner.result_key, &own.result_key, names.result, was_lost),
        (&winner.logs_key, &own.logs_key, names.logs, was_lost),
    ]) {
        keys.extend(stored.clone().filter(|stored| Some(stored) != named.as_ref()));
        let may_be_there = named.is_some() || may_be_left;
        if may_be_there && [named, stored].iter().all(|key| key.as_ref() != Some(&usual)) {
            keys.push(usual);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(attempts: u32, result_key: Option<&str>) -> Record {
        let (id, function) = ("m-1".parse().unwrap(), "hello".parse().unwrap());
        let result_key = result_key.map(str::to_owned);
        Record { attempts, result_key, ..Record::queued(id, function, None, Timestamp::now()) }
    }

    fn superfluous_beside(winner: &Record, own: &Record) -> Vec<String> {
        let [input, result, logs] = ["input", "result", "logs"].map(str::to_owned);
        superfluous(winner, own, Names { input: Some(input), result, logs })
    }

    #[test]
    fn what_the_winner_names_stays_and_the_rest_goes() {
        let first = record(1, Some("result"));
        assert!(superfluous_beside(&first, &first).is_empty());
        assert_eq!(superfluous_beside(&first, &record(1, Some("result-2"))), ["result-2"]);
        // A lost attempt has left its result under the usual name.
        let second = record(2, Some("result-2"));
        assert_eq!(superfluous_beside(&second, &second), ["result", "logs"]);
    }

    #[test]
    fn an_input_that_came_through_the_bucket_is_left_there() {
        let own = Record { input_key: Some("input".to_owned()), ..record(1, None) };
        // It ended without having been run.
        let winner = record(1, None);
        let names = Names { input: None, result: "result".to_owned(), logs: "logs".to_owned() };
        assert!(superfluous(&winner, &own, names).is_empty());
        assert_eq!(superfluous_beside(&winner, &own), ["input"], "what this attempt has stored itself");
    }
}
