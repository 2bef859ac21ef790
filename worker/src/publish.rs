//! Publishing what came of an execution: result and logs first, then the record, whose first final form wins.

use badlambda_shared::execution::{Execution, ExecutionError, Status};
use badlambda_shared::keys::beside;
use badlambda_shared::limits;
use badlambda_shared::message::ExecutionRequest;
use badlambda_shared::store::{Condition, JSON, PresignedUrl, StoreError, TEXT, Written};
use badlambda_shared::timestamp::Timestamp;
use serde_json::value::RawValue;

use crate::Worker;
use crate::sandbox::Outcome;

const MAX_RECORD_BYTES: u64 = 1024 * 1024;
/// Every refused write means that another one happened; more than a few in a row is no race any more.
const TRIES: usize = 8;

/// An attempt that will want to write records.
pub(crate) struct Attempt<'a> {
    pub(crate) request: &'a ExecutionRequest,
    pub(crate) version: Option<u32>,
    /// From 1 on.
    pub(crate) number: u32,
    /// Of the `running` record that this attempt wrote.
    pub(crate) etag: Option<String>,
}

/// Whether the execution already has its final record.
pub(crate) async fn is_final(worker: &Worker, request: &ExecutionRequest) -> Result<bool, StoreError> {
    let key = worker.store.keys().record(&request.function, &request.id);
    Ok(current(worker, &key).await?.is_some_and(|(record, _)| record.status.is_final()))
}

/// Writes the final record of an execution that is not run.
pub(crate) async fn fail(worker: &Worker, record: Execution, error: ExecutionError) -> anyhow::Result<()> {
    let failed = Execution {
        status: Status::Failed,
        finished_at: Some(Timestamp::now()),
        error: Some(error),
        ..record
    };
    write_final(worker, &failed, None).await?;
    Ok(())
}

impl Attempt<'_> {
    /// Records that the execution runs. That it could not be written costs nothing but the news.
    pub(crate) async fn record_running(&mut self, worker: &Worker) {
        let record =
            Execution { status: Status::Running, started_at: Some(Timestamp::now()), ..self.record() };
        let key = worker.store.keys().record(&record.function, &record.id);
        let Ok(bytes) = serde_json::to_vec(&record) else { return };
        let current = current(worker, &key).await.ok().flatten();
        let condition = match &current {
            None => Condition::Absent,
            Some((found, _)) if found.status.is_final() => return,
            Some((_, etag)) => Condition::Unchanged(etag),
        };
        match worker.store.put(&key, bytes, JSON, condition).await {
            Ok(Written::Stored(etag)) => self.etag = Some(etag),
            Ok(Written::Refused) => {}
            Err(error) => tracing::warn!(%error, "could not record that an execution runs"),
        }
    }

    /// Publishes the outcome. Losing to another attempt that was first is no error; what this one stored goes again.
    pub(crate) async fn publish(self, worker: &Worker, outcome: Outcome) -> anyhow::Result<()> {
        let keys = worker.store.keys();
        let (function, id) = (&self.request.function, &self.request.id);
        let result = outcome.result.as_ref().ok().map(|json| json.as_bytes().to_vec());
        let logs = (!outcome.logs.is_empty()).then_some(outcome.logs.clone());
        let (result_key, logs_key) = tokio::try_join!(
            store_own(worker, keys.result(function, id), result, JSON),
            store_own(worker, keys.logs(function, id), logs, TEXT),
        )?;
        let record = self.final_record(worker, outcome, result_key, logs_key).await?;
        if !write_final(worker, &record, self.etag.as_deref()).await? {
            tracing::info!(execution = %id, "another attempt was first");
            for key in [&record.result_key, &record.logs_key].into_iter().flatten() {
                worker.store.delete(key).await?;
            }
        }
        Ok(())
    }

    async fn final_record(
        &self,
        worker: &Worker,
        outcome: Outcome,
        result_key: Option<String>,
        logs_key: Option<String>,
    ) -> anyhow::Result<Execution> {
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
            result: inline.map(RawValue::from_string).transpose()?,
            result_url: result_url.map(|signed| signed.url),
            result_bytes,
            logs_url: logs_url.map(|signed| signed.url),
            logs_truncated: outcome.logs_truncated,
            urls_expire_at,
            isolation: Some(outcome.isolation),
            error,
            result_key,
            logs_key,
            ..self.record()
        })
    }

    fn record(&self) -> Execution {
        let request = self.request;
        let queued = Execution::queued(
            request.id.clone(),
            request.function.clone(),
            self.version,
            request.submitted_at,
        );
        Execution { attempts: self.number, ..queued }
    }
}

/// Stores what belongs to this attempt alone: under `key`, or beside it where another attempt has that name.
async fn store_own(
    worker: &Worker,
    key: String,
    bytes: Option<Vec<u8>>,
    content_type: &str,
) -> Result<Option<String>, StoreError> {
    let Some(bytes) = bytes else { return Ok(None) };
    match worker.store.put(&key, bytes.clone(), content_type, Condition::Absent).await? {
        Written::Stored(_) => Ok(Some(key)),
        Written::Refused => {
            let own = beside(&key, &format!("{:016x}", rand::random::<u64>()));
            worker.store.put(&own, bytes, content_type, Condition::Always).await?;
            Ok(Some(own))
        }
    }
}

/// Writes a final record unless there is one. False where another was first.
async fn write_final(
    worker: &Worker,
    record: &Execution,
    running_etag: Option<&str>,
) -> anyhow::Result<bool> {
    let key = worker.store.keys().record(&record.function, &record.id);
    let bytes = serde_json::to_vec(record)?;
    let mut replaces = running_etag.map(str::to_owned);
    for _ in 0..TRIES {
        let condition = replaces.as_deref().map_or(Condition::Absent, Condition::Unchanged);
        if let Written::Stored(_) = worker.store.put(&key, bytes.clone(), JSON, condition).await? {
            return Ok(true);
        }
        match current(worker, &key).await? {
            Some((found, _)) if found.status.is_final() => return Ok(false),
            Some((_, etag)) => replaces = Some(etag),
            None => replaces = None,
        }
    }
    anyhow::bail!("the record of {} kept changing", record.id)
}

async fn current(worker: &Worker, key: &str) -> Result<Option<(Execution, String)>, StoreError> {
    let Some(object) = worker.store.get(key, MAX_RECORD_BYTES).await? else { return Ok(None) };
    match serde_json::from_slice(&object.bytes) {
        Ok(record) => Ok(Some((record, object.etag))),
        Err(error) => Err(StoreError::damaged(key, &error)),
    }
}

async fn presign(worker: &Worker, key: Option<&str>) -> Result<Option<PresignedUrl>, StoreError> {
    match key {
        Some(key) => worker.store.presign(key).await.map(Some),
        None => Ok(None),
    }
}
