//! Mappings as they are stored and shown, and what they name.

use badlambda_shared::aws::store::Written;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::event_sources::{EventSourceMapping, EventSources};
use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::limits;
use serde_json::{Value, json};

use crate::app::App;
use crate::functions::manifest::delays;
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::functions::find;
use crate::lambda::names::{Asked, Form, Qualified};

/// The function that gets the messages, which is there.
pub(super) struct Target {
    pub(super) function: FunctionName,
    pub(super) version: Option<VersionRef>,
    pub(super) arn: String,
}

/// Finds the function of this name, which may be an ARN and have a qualifier.
pub(super) async fn target(call: &Call, name: &str, checks: Checks) -> Result<Target, WireError> {
    let asked = call.allowed(Asked::read(&call.app.account, Form::Reads, name, None, checks)?)?;
    let found = match find(call, &asked, &asked.arn()).await {
        Err(WireError::Refused(_)) => return Err(Refusal::invalid("Function does not exist").into()),
        found => found?,
    };
    let version = match asked.qualified() {
        Qualified::Ref(version) => Some(version),
        Qualified::Latest | Qualified::Nothing => None,
    };
    Ok(Target { function: found.manifest.name, version, arn: asked.arn() })
}

/// Changes what is stored, and starts again where another change comes between.
pub(super) async fn edit<T>(
    app: &App,
    change: impl Fn(&mut EventSources) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let mut delays = delays();
    for _ in 0..limits::PUBLISH_TRIES {
        let (mut sources, etag) = EventSources::read(&app.store).await?;
        let changed = change(&mut sources)?;
        if let Written::Stored(_) = sources.write(&app.store, etag.as_deref()).await? {
            return Ok(changed);
        }
        tokio::time::sleep(delays.next_delay()).await;
    }
    let reason = "the event source mappings kept changing".to_owned();
    Err(ApiError::Unavailable(reason).into())
}

/// Fails where another mapping is enabled: the queue's messages go to one function.
pub(super) fn check_alone(sources: &EventSources, uuid: &str) -> Result<(), WireError> {
    let mut others = sources.mappings.iter().filter(|(other, mapping)| *other != uuid && mapping.enabled);
    let Some((other, mapping)) = others.next() else { return Ok(()) };
    let (queue, function) = (&mapping.queue_arn, &mapping.function);
    let message = format!(
        "An event source mapping with SQS arn (\" {queue} \") and function (\" {function} \") already exists. Please \
         update or delete the existing mapping with UUID {other}"
    );
    Err(Refusal::conflict(message).into())
}

/// As answers show it, in this state.
pub(super) fn shown(
    account: &Account,
    uuid: &str,
    mapping: &EventSourceMapping,
    state: Option<&str>,
) -> Value {
    let usual = if mapping.enabled { "Enabled" } else { "Disabled" };
    json!({
        "UUID": uuid,
        "EventSourceMappingArn": account.event_source_mapping_arn(uuid),
        "EventSourceArn": mapping.queue_arn,
        "FunctionArn": mapping.function_arn,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.batching_window_seconds,
        "LastModified": mapping.modified_at.unix_ms() as f64 / 1000.0,
        "State": state.unwrap_or(usual),
        "StateTransitionReason": "USER_INITIATED",
    })
}
