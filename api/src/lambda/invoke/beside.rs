//! What a call of Invoke says beside the event.

use badlambda_shared::execution::destinations::Destinations;
use badlambda_shared::execution::invocation::Invocation;
use badlambda_shared::function::lambda::LambdaEventInvoke;
use badlambda_shared::function::{Manifest, UNPUBLISHED};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::request::InvocationType;
use crate::lambda::call::Call;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::event_invoke;
use crate::lambda::functions::{Found, Latest, version_of};
use crate::lambda::names::{Asked, Qualified};

const CLIENT_CONTEXT: &str = "x-amz-client-context";
/// Bytes of that header.
const MOST_CLIENT_CONTEXT: usize = 3583;
/// What holds for asynchronous calls of functions of Lambda's API that say nothing else.
const USUAL_RETRIES: u32 = 2;
const USUAL_MAX_AGE_SECONDS: u32 = 6 * 3600;

/// For the function's context, and for what becomes of the execution.
pub(super) async fn invocation(
    call: &Call,
    asked: &Asked,
    manifest: &Manifest,
    invocation_type: InvocationType,
) -> Result<Box<Invocation>, WireError> {
    let mut invocation = Invocation {
        invoked_function_arn: Some(asked.arn()),
        client_context: client_context(call)?,
        ..Invocation::default()
    };
    if invocation_type == InvocationType::Event {
        let config = event_invoke::config_for(manifest, asked);
        // What the rest of the API made has a config that says it all.
        let usual = |number: u32| manifest.lambda.is_some().then_some(number);
        let number = |said: fn(&LambdaEventInvoke) -> Option<u32>, otherwise: u32| {
            config.and_then(said).or_else(|| usual(otherwise)).map(u64::from)
        };
        invocation.retries = number(|config| config.retries, USUAL_RETRIES);
        invocation.max_age_seconds = number(|config| config.max_age_seconds, USUAL_MAX_AGE_SECONDS);
        invocation.destinations = destinations(call, asked, manifest, config).await?;
    } else {
        // Who waits is told already.
        invocation.destinations = Some(Destinations::default());
    }
    Ok(Box::new(invocation))
}

/// Who is told how it ends, where that is not what the config says.
async fn destinations(
    call: &Call,
    asked: &Asked,
    manifest: &Manifest,
    config: Option<&LambdaEventInvoke>,
) -> Result<Option<Destinations>, WireError> {
    let number = match asked.qualified() {
        Qualified::Ref(version) => manifest.resolve(Some(&version)).map(|target| target.version),
        Qualified::Latest | Qualified::Nothing => None,
    };
    let version = version_of(call, manifest, number.unwrap_or(UNPUBLISHED)).await?;
    let Latest { content, settings } = Found { manifest: manifest.clone(), version }.latest();
    let dead_letters = settings.dead_letter_target;
    Ok(match config {
        Some(LambdaEventInvoke { on_success, on_failure, .. }) => {
            let (on_success, on_failure) = (on_success.clone(), on_failure.clone());
            Some(Destinations { on_success, on_failure, dead_letters })
        }
        None if dead_letters.is_some() => {
            Some(Destinations { dead_letters, ..content.config.destinations() })
        }
        None => None,
    })
}

fn client_context(call: &Call) -> Result<Option<Box<RawValue>>, Refusal> {
    let Some(header) = call.header(CLIENT_CONTEXT) else { return Ok(None) };
    let refused = || Refusal::unreadable("Client context must be a valid Base64-encoded JSON object.");
    if header.len() > MOST_CLIENT_CONTEXT {
        return Err(Refusal::unreadable("Client context must have at most 3583 bytes."));
    }
    let json = BASE64_STANDARD.decode(header).map_err(|_| refused())?;
    let json: Box<RawValue> = serde_json::from_slice(&json).map_err(|_| refused())?;
    if json.get().trim_start().starts_with('{') { Ok(Some(json)) } else { Err(refused()) }
}
