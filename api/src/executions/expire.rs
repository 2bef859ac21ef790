//! Executions whose message has outlived the queue: no worker will take them any more.

use std::time::Duration;

use badlambda_shared::execution::ExecutionError;
use badlambda_shared::execution::record::Record;
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;

use crate::app::App;
use crate::http::error::ApiError;

/// The record as it stands, or, where the queue can't have the message any more, as that of an execution that has ended
/// so. `submitted_at` is what the id tells. Nothing is written: whoever asks again is told the same.
pub(crate) async fn if_expired(
    app: &App,
    record: Record,
    submitted_at: Option<Timestamp>,
) -> Result<Record, ApiError> {
    // What a producer says of the time is not to be trusted; when a worker began is.
    let since = submitted_at.or(record.started_at);
    let Some(since) = since else { return Ok(record) };
    let Some(retention) = outlived_retention(app, since).await? else { return Ok(record) };
    let finished_at = Some(since.plus(retention));
    Ok(Record { finished_at, ..record.failed(ExecutionError::expired(retention)) })
}

/// How long the queue keeps a message, where it can't have one of this age any more.
pub(crate) async fn outlived_retention(app: &App, since: Timestamp) -> Result<Option<Duration>, ApiError> {
    // What is young needs no look at the queue's settings.
    if since.age() <= limits::EXPIRY_MARGIN {
        return Ok(None);
    }
    let retention = app.retention().await?;
    Ok(Some(retention).filter(|retention| since.age() > *retention + limits::EXPIRY_MARGIN))
}
