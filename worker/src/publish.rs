//! Publishing what came of an execution: result and logs first, then the record, whose first final form wins.

use badlambda_shared::execution::{Execution, Status};
use badlambda_shared::keys::beside;
use badlambda_shared::limits;
use badlambda_shared::records::Transition;
use badlambda_shared::store::{Condition, JSON, PresignedUrl, StoreError, TEXT, Written};
use badlambda_shared::timestamp::Timestamp;
use serde_json::value::RawValue;

use crate::Worker;
use crate::account::account;
use crate::patience::{Unmet, patiently};
use crate::sandbox::Outcome;
use crate::turn::Turn;

/// Publishes the outcome, however long S3 takes, until the worker gives up what it holds. Losing to another attempt
/// that was first is no error; what this one stored goes again.
pub(crate) async fn publish(
    worker: &Worker,
    turn: &Turn,
    version: u32,
    outcome: Outcome,
) -> Result<(), Unmet<StoreError>> {
    let keys = worker.store.keys();
    let (function, id) = (&turn.request.function, &turn.request.id);
    let names = Names { result: keys.result(function, id), logs: keys.logs(function, id) };
    let result = outcome.result.as_ref().ok().map(|json| json.as_bytes().to_vec());
    let logs = (!outcome.logs.is_empty()).then(|| outcome.logs.clone());
    let (result_key, logs_key) = tokio::try_join!(
        store_own(worker, &names.result, result, JSON),
        store_own(worker, &names.logs, logs, TEXT),
    )?;
    // Made once: by its bytes, a repeated write knows its own.
    let record = final_record(worker, turn, version, outcome, result_key, logs_key).await?;
    let write = || worker.records.write(&record, turn.etag.as_deref());
    let first = match patiently("write a final record", &worker.abandon, StoreError::may_pass, write).await? {
        Transition::Final(other) => {
            tracing::info!(execution = %id, "another attempt was first");
            Some(other)
        }
        Transition::Stored(_) | Transition::Superseded => {
            account(&record);
            None
        }
    };
    for key in of_nobody(first.as_deref().unwrap_or(&record), &record, names) {
        if let Err(error) = worker.store.delete(&key).await {
            tracing::warn!(%error, "something that no record names is left in the bucket");
        }
    }
    Ok(())
}

/// The names that the first attempt to store something gets.
struct Names {
    result: String,
    logs: String,
}

/// Stores what belongs to this attempt alone: under `key`, or beside it where something else has that name.
async fn store_own(
    worker: &Worker,
    key: &str,
    bytes: Option<Vec<u8>>,
    content_type: &str,
) -> Result<Option<String>, Unmet<StoreError>> {
    let Some(bytes) = bytes else { return Ok(None) };
    let own = beside(key, &format!("{:016x}", rand::random::<u64>()));
    let store = || async {
        if let Written::Stored(_) =
            worker.store.put(key, bytes.clone(), content_type, Condition::Absent).await?
        {
            return Ok(key.to_owned());
        }
        // It may be what this call, repeated, has written itself; the same from elsewhere is as good.
        let there = worker.store.get(key, bytes.len() as u64).await;
        if matches!(there, Ok(Some(object)) if object.bytes == bytes) {
            return Ok(key.to_owned());
        }
        worker.store.put(&own, bytes.clone(), content_type, Condition::Always).await?;
        Ok(own.clone())
    };
    patiently("store what an execution left", &worker.abandon, |_| true, store).await.map(Some)
}

async fn final_record(
    worker: &Worker,
    turn: &Turn,
    version: u32,
    outcome: Outcome,
    result_key: Option<String>,
    logs_key: Option<String>,
) -> Result<Execution, Unmet<StoreError>> {
    let (json, error) = match outcome.result {
        Ok(json) => (Some(json), None),
        Err(error) => (None, Some(error)),
    };
    let result_url = presign(worker, result_key.as_deref()).await?;
    let logs_url = presign(worker, logs_key.as_deref()).await?;
    let urls_expire_at = result_url.iter().chain(&logs_url).map(|signed| signed.expires_at).min();
    let result_bytes = json.as_ref().map(|json| json.len() as u64);
    let inline = json.filter(|json| json.len() <= limits::INLINE_RESULT_BYTES);
    Ok(Execution {
        status: if error.is_none() { Status::Succeeded } else { Status::Failed },
        started_at: Some(outcome.started_at),
        finished_at: Some(Timestamp::now()),
        usage: Some(outcome.usage),
        // It was checked to be JSON.
        result: inline.and_then(|json| RawValue::from_string(json).ok()),
        result_url: result_url.map(|signed| signed.url),
        result_bytes,
        logs_url: logs_url.map(|signed| signed.url),
        logs_truncated: outcome.logs_truncated,
        urls_expire_at,
        isolation: Some(outcome.isolation),
        error,
        result_key,
        logs_key,
        ..turn.record(Some(version))
    })
}

async fn presign(worker: &Worker, key: Option<&str>) -> Result<Option<PresignedUrl>, Unmet<StoreError>> {
    let Some(key) = key else { return Ok(None) };
    let presign = || worker.store.presign(key);
    patiently("sign a URL", &worker.abandon, |_| true, presign).await.map(Some)
}

/// Once a record is final, what it does not name is nobody's: what this attempt stored, if it came second, and what an
/// attempt that was lost has left under the usual names.
fn of_nobody(winner: &Execution, own: &Execution, names: Names) -> Vec<String> {
    let mut keys = vec![];
    for (named, stored, usual) in
        [(&winner.result_key, &own.result_key, names.result), (&winner.logs_key, &own.logs_key, names.logs)]
    {
        keys.extend(stored.clone().filter(|stored| Some(stored) != named.as_ref()));
        let may_be_there = named.is_some() || own.attempts > 1;
        if may_be_there && [named, stored].iter().all(|key| key.as_ref() != Some(&usual)) {
            keys.push(usual);
        }
    }
    keys
}
