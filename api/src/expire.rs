//! Executions whose message has outlived the queue: no worker will take them any more, so the API, when it is asked,
//! writes their final record.

use std::time::Duration;

use badlambda_shared::execution::{ErrorKind, Execution, ExecutionError};
use badlambda_shared::id::Origin;
use badlambda_shared::limits;
use badlambda_shared::records::Transition;

use crate::app::App;
use crate::error::ApiError;

/// The execution as it stands, or, where the queue can't have its message any more, with its final record.
pub(crate) async fn if_expired(
    app: &App,
    execution: Execution,
    origin: Origin,
) -> Result<Execution, ApiError> {
    // What a producer says of the time is not to be trusted; when a worker began is.
    let since = match origin {
        Origin::Issued(at) => Some(at),
        Origin::Foreign | Origin::Forged => execution.started_at,
    };
    let Some(since) = since.filter(|since| since.age() > limits::EXPIRY_MARGIN) else {
        return Ok(execution);
    };
    let retention = app.retention().await?;
    if since.age() <= retention + limits::EXPIRY_MARGIN {
        return Ok(execution);
    }
    let days = retention.as_secs_f64() / Duration::from_secs(24 * 3600).as_secs_f64();
    let message =
        format!("no worker finished it within the {days:.1} days for which the queue keeps messages");
    let expired = execution.failed(ExecutionError::new(ErrorKind::Expired, message));
    let found = app.records.find(&expired.function, &expired.id).await?;
    match app.records.write(&expired, found.as_ref().map(|found| found.etag.as_str())).await? {
        Transition::Final(other) => Ok(*other),
        Transition::Stored(_) | Transition::Superseded => Ok(expired),
    }
}
