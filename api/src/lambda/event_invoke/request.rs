//! What PutFunctionEventInvokeConfig and UpdateFunctionEventInvokeConfig say.

use badlambda_shared::execution::destinations::QueueArn;
use badlambda_shared::function::lambda::LambdaEventInvoke;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;

use crate::lambda::call::Call;
use crate::lambda::checks::{Checks, Pattern};
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::functions::find;
use crate::lambda::names::{Asked, Form};

const DESTINATION: Pattern = Pattern {
    text: r"(^$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*))",
    matches: is_destination,
};
/// Services that results can be sent to.
const SERVICES: [&str; 5] = ["sqs", "sns", "lambda", "events", "s3"];

/// What is to hold; what is `None` stays as it is, or is not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EventInvokeRequest {
    maximum_retry_attempts: Option<i64>,
    maximum_event_age_in_seconds: Option<i64>,
    destination_config: Option<DestinationConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DestinationConfig {
    on_success: Option<Destination>,
    on_failure: Option<Destination>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Destination {
    destination: Option<String>,
}

impl EventInvokeRequest {
    /// Notes what does not satisfy the model. More retries than AWS has are possible here.
    pub(super) fn check_model(&self, checks: &mut Checks) {
        if let Some(retries) = self.maximum_retry_attempts {
            checks.number(retries, "maximumRetryAttempts", 0..=8);
        }
        if let Some(age) = self.maximum_event_age_in_seconds {
            checks.number(age, "maximumEventAgeInSeconds", 60..=21_600);
        }
        for (name, destination) in [("onSuccess", self.on_success()), ("onFailure", self.on_failure())] {
            if let Some(destination) = destination {
                checks.pattern(destination, &format!("destinationConfig.{name}.destination"), DESTINATION);
            }
        }
    }

    /// Whether anything is said.
    pub(super) fn says_something(&self) -> bool {
        self.maximum_retry_attempts.is_some()
            || self.maximum_event_age_in_seconds.is_some()
            || self.destination_config.is_some()
    }

    /// Fails where a destination can't be one of `asked`.
    pub(super) async fn check_destinations(&self, call: &Call, asked: &Asked) -> Result<(), WireError> {
        let own = asked.function_arn();
        for destination in [self.on_success(), self.on_failure()].into_iter().flatten() {
            if destination == own || destination.starts_with(&format!("{own}:")) {
                let message = "You can't specify the function as a destination for itself.";
                return Err(Refusal::invalid(message).into());
            }
            let service = destination.split(':').nth(2).unwrap_or_default();
            if !destination.is_empty() && !SERVICES.contains(&service) {
                return Err(Refusal::invalid(self.no_destination()).into());
            }
            if service == "lambda" {
                let invalid = || Refusal::invalid(format!("The destination ARN {destination} is invalid."));
                let account = &call.app.account;
                let other = Asked::read(account, Form::Reads, destination, None, Checks::default());
                let other = other.map_err(|_| invalid())?;
                let found = find(call, &other, &other.arn()).await;
                match found {
                    Err(WireError::Refused(_)) => return Err(invalid().into()),
                    found => found.map(drop)?,
                }
            }
            if !destination.is_empty() && QueueArn::parse(destination).is_none() {
                return Err(Refusal::unsupported("destinations other than queues of SQS").into());
            }
        }
        Ok(())
    }

    fn no_destination(&self) -> String {
        let shown = |name: &str, destination: Option<&str>| match destination {
            Some(arn) => format!("{name}(destination={arn})"),
            None => "null".to_owned(),
        };
        format!(
            "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
            shown("OnSuccess", self.on_success()),
            shown("OnFailure", self.on_failure())
        )
    }

    /// What holds from now on; of `old`, what the request does not name.
    pub(super) fn merged(&self, old: Option<&LambdaEventInvoke>) -> LambdaEventInvoke {
        let number = |new: Option<i64>, old: Option<u32>| new.map_or(old, |new| u32::try_from(new).ok());
        let text = |new: Option<&str>, old: Option<&String>| match new {
            Some(destination) => Some(destination.to_owned()).filter(|arn| !arn.is_empty()),
            None => old.cloned(),
        };
        LambdaEventInvoke {
            modified_at: Timestamp::now(),
            retries: number(self.maximum_retry_attempts, old.and_then(|old| old.retries)),
            max_age_seconds: number(
                self.maximum_event_age_in_seconds,
                old.and_then(|old| old.max_age_seconds),
            ),
            on_success: text(self.on_success(), old.and_then(|old| old.on_success.as_ref())),
            on_failure: text(self.on_failure(), old.and_then(|old| old.on_failure.as_ref())),
        }
    }

    fn on_success(&self) -> Option<&str> {
        self.destination_config.as_ref()?.on_success.as_ref()?.destination.as_deref()
    }

    fn on_failure(&self) -> Option<&str> {
        self.destination_config.as_ref()?.on_failure.as_ref()?.destination.as_deref()
    }
}

fn is_destination(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        [""] => true,
        ["arn", partition, service, _, account, _] => {
            partition.starts_with("aws")
                && !service.is_empty()
                && account.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => text.starts_with("kafka://"),
    }
}
