//! The operations.

use axum::body::Body;
use badlambda_shared::function::event_sources::{EventSourceMapping, EventSources};
use uuid::Uuid;

use super::request::{MappingRequest, usual};
use super::stored::{Target, check_alone, edit, shown, target};
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::markers::{self, Page, page_size};
use crate::lambda::names::{Asked, Form};
use crate::lambda::response::{Answer, WireResult};

const MOST_BYTES: usize = 64 * 1024;

/// Makes messages of the queue that name no function events of one.
pub(crate) async fn create(call: Call, body: Body) -> WireResult {
    let (request, _permit): (MappingRequest, _) =
        call.json(body, "CreateEventSourceMapping", MOST_BYTES).await?;
    let mut checks = Checks::default();
    request.check_model(&mut checks);
    let name = checks.required(request.function_name.as_ref(), "functionName").cloned();
    let Some(name) = name else { return Err(checks.finish().err().map_or_else(missing, WireError::from)) };
    let target = target(&call, &name, checks).await?;
    request.check_others()?;
    let mut mapping = usual(own_queue(&call, request.event_source_arn.as_deref()).await?, target);
    request.apply(&mut mapping)?;
    let uuid = Uuid::new_v4().to_string();
    edit(&call.app, |sources| {
        if mapping.enabled {
            check_alone(sources, &uuid)?;
        }
        sources.mappings.insert(uuid.clone(), mapping.clone());
        Ok(())
    })
    .await?;
    Ok(Answer::TakenOn(shown(&call.app.account, &uuid, &mapping, None)))
}

/// Shows one.
pub(crate) async fn get(call: Call) -> WireResult {
    let (sources, _) = EventSources::read(&call.app.store).await?;
    let mapping = of_call(&call, &sources)?;
    Ok(Answer::Shown(shown(&call.app.account, call.path("uuid"), mapping, None)))
}

/// Lists those of a queue or a function, or all that the caller may see.
pub(crate) async fn list(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let size = page_size(&call, 10_000, &mut checks)?;
    let after: Option<String> = markers::read(&call)?;
    let asked = match call.query("FunctionName") {
        Some(name) => {
            let asked = Asked::read(&call.app.account, Form::Reads, name, None, checks)?;
            Some(call.allowed(asked)?.arn())
        }
        None => None,
    };
    let (sources, _) = EventSources::read(&call.app.store).await?;
    let mut page = Page::new(size);
    for (uuid, mapping) in &sources.mappings {
        let is_wanted = after.as_ref().is_none_or(|after| uuid > after)
            && call.query("EventSourceArn").is_none_or(|arn| arn == mapping.queue_arn)
            && asked.as_ref().is_none_or(|arn| *arn == mapping.function_arn)
            && call.caller.require(&mapping.function).is_ok();
        if is_wanted {
            page.add(uuid, shown(&call.app.account, uuid, mapping, None));
        }
    }
    Ok(Answer::Shown(page.json("EventSourceMappings")))
}

/// Changes what the request names of one.
pub(crate) async fn update(call: Call, body: Body) -> WireResult {
    let (request, _permit): (MappingRequest, _) =
        call.json(body, "UpdateEventSourceMapping", MOST_BYTES).await?;
    let mut checks = Checks::default();
    request.check_model(&mut checks);
    let target = match &request.function_name {
        Some(name) => Some(target(&call, name, checks).await?),
        None => checks.finish().map(|()| None)?,
    };
    request.check_others()?;
    if request.event_source_arn.is_some() {
        return Err(Refusal::unreadable("unknown field `EventSourceArn`").into());
    }
    let uuid = call.path("uuid");
    let changed = edit(&call.app, |sources| {
        let mut changed = of_call(&call, sources)?.clone();
        if let Some(Target { function, version, arn }) = &target {
            changed.function.clone_from(function);
            changed.version.clone_from(version);
            changed.function_arn.clone_from(arn);
        }
        request.apply(&mut changed)?;
        if changed.enabled {
            check_alone(sources, uuid)?;
        }
        sources.mappings.insert(uuid.to_owned(), changed.clone());
        Ok(changed)
    })
    .await?;
    Ok(Answer::TakenOn(shown(&call.app.account, uuid, &changed, None)))
}

/// Removes one.
pub(crate) async fn delete(call: Call) -> WireResult {
    let uuid = call.path("uuid");
    let deleted = edit(&call.app, |sources| {
        let mapping = of_call(&call, sources)?.clone();
        sources.mappings.remove(uuid);
        Ok(mapping)
    })
    .await?;
    Ok(Answer::TakenOn(shown(&call.app.account, uuid, &deleted, Some("Deleting"))))
}

/// The mapping that the path names.
fn of_call<'a>(call: &Call, sources: &'a EventSources) -> Result<&'a EventSourceMapping, WireError> {
    let mapping = sources.mappings.get(call.path("uuid")).ok_or_else(missing)?;
    call.caller.require(&mapping.function)?;
    Ok(mapping)
}

fn missing() -> WireError {
    Refusal::resource_not_found().into()
}

/// The ARN of the deployment's own queue, which is the only event source.
async fn own_queue(call: &Call, asked: Option<&str>) -> Result<String, WireError> {
    let asked = asked.ok_or_else(|| Refusal::invalid("Unrecognized event source."))?;
    let arn = call.app.queue.arn().await.map_err(|error| ApiError::Unavailable(error.to_string()))?;
    if asked != arn {
        return Err(Refusal::invalid(format!(
            "Bad Lambda supports one event source, its own queue; use EventSourceArn {arn}."
        ))
        .into());
    }
    Ok(arn)
}
