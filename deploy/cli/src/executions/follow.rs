//! Following an execution's events to its end, over connections that may break off.

use std::time::Duration;

use badlambda_client::{Client, Error, Event};
use badlambda_shared::aws::retry::Delays;
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::FunctionName;

use crate::output::Failure;

/// How often in a row a connection may fail.
const TRIES: usize = 6;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const MOST_DELAY: Duration = Duration::from_secs(10);

/// Hands every event over, and returns the execution at its end.
pub async fn follow_execution(
    client: &Client,
    function: &FunctionName,
    id: &ExecutionId,
    mut each: impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<Execution, Failure> {
    let (mut last_id, mut failures) = (None, 0);
    let mut delays = Delays::between(FIRST_DELAY, MOST_DELAY);
    loop {
        match listen(client, function, id, &mut last_id, &mut each).await? {
            Heard::End(execution) => return Ok(*execution),
            Heard::Something => {
                failures = 0;
                delays.reset();
            }
            Heard::Nothing(error) => {
                failures += 1;
                if failures == TRIES {
                    return Err(error.into());
                }
                tokio::time::sleep(delays.next_delay()).await;
            }
        }
    }
}

/// How a connection ended.
enum Heard {
    /// With the end of the execution.
    End(Box<Execution>),
    /// Before that, after events.
    Something,
    /// Before any event.
    Nothing(Error),
}

/// Listens over one connection. What can't be better the next time is an error.
async fn listen(
    client: &Client,
    function: &FunctionName,
    id: &ExecutionId,
    last_id: &mut Option<String>,
    each: &mut impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<Heard, Failure> {
    let mut events = match client.listen_to_execution(function, id, last_id.as_deref()).await {
        Ok(Some(events)) => events,
        Ok(None) => return Ok(Heard::End(Box::new(client.get_execution(function, id, None).await?))),
        Err(error) if is_passing(&error) => return Ok(Heard::Nothing(error)),
        Err(error) => return Err(error.into()),
    };
    let mut has_heard = false;
    loop {
        let event = match events.next_event().await {
            Ok(Some(event)) => event,
            // Without anything heard, it is asked again only after a while, too.
            Ok(None) | Err(_) if has_heard => return Ok(Heard::Something),
            Ok(None) => {
                return Ok(Heard::Nothing(Error::BrokenOff {
                    address: client.address().to_string(),
                    reason: "it tells nothing of the execution".to_owned(),
                }));
            }
            Err(error) => return Ok(Heard::Nothing(error)),
        };
        has_heard = true;
        last_id.clone_from(&events.last_id);
        each(&event)?;
        match event {
            Event::Status(execution) if execution.status.is_final() => return Ok(Heard::End(execution)),
            _ => {}
        }
    }
}

fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } | Error::BrokenOff { .. } => true,
        _ => error.problem().is_some_and(|problem| problem.status == 429 || problem.status == 503),
    }
}
