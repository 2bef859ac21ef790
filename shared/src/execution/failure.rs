//! The failures of executions, as AWS Lambda's Ruby tells them: what a caller of Invoke is answered, and what destinations are
//! sent.

use std::borrow::Cow;

use serde::Serialize;

use crate::execution::record::Record;
use crate::execution::{Cause, ErrorKind, ExecutionError, Status};

/// The error as JSON. Whether it has a `stackTrace` says whether Ruby raised.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureBody<'a> {
    error_message: Cow<'a, str>,
    error_type: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_trace: Option<&'a [String]>,
}

impl<'a> FailureBody<'a> {
    /// Of an execution that ended without a result.
    pub fn of(record: &'a Record) -> Self {
        let id = record.id.as_str();
        let Some(error) = &record.error else {
            let message = match record.status {
                Status::Cancelled => "The execution was cancelled",
                _ => "The execution left no result",
            };
            return Self::of_sandbox(id, "Runtime.Cancelled", message);
        };
        match error.kind {
            ErrorKind::Timeout => Self::of_sandbox(id, "Sandbox.Timedout", &timed_out(error)),
            ErrorKind::Memory => {
                Self::of_sandbox(id, "Runtime.OutOfMemory", "Runtime exited with error: signal: killed")
            }
            // Code that leaves by `exit` raises, and its class is told as that of any exception.
            ErrorKind::Crash if error.class.is_none() => {
                Self::of_sandbox(id, "Runtime.ExitError", &exited(error))
            }
            ErrorKind::Scratch => Self::of_sandbox(id, "Runtime.ScratchLimitExceeded", &error.message),
            ErrorKind::ResultTooLarge => Self {
                error_message: too_large(error),
                error_type: "Function.ResponseSizeTooLarge".into(),
                stack_trace: None,
            },
            ErrorKind::ResultNotJson => Self::raised("Function<JSON::GeneratorError>".into(), error),
            ErrorKind::Syntax => Self::raised("Init<SyntaxError>".into(), error),
            ErrorKind::Exception | ErrorKind::Crash => {
                Self::raised(error_type(error.class.as_deref().unwrap_or("StandardError")), error)
            }
            // No Ruby had a part in it.
            ErrorKind::NotFound | ErrorKind::BadMessage | ErrorKind::WorkerLost | ErrorKind::Expired => {
                Self::raised(error.kind.name().into(), error)
            }
        }
    }

    fn of_sandbox(id: &str, error_type: &'static str, message: &str) -> Self {
        let error_message = format!("RequestId: {id} Error: {message}").into();
        Self { error_message, error_type: error_type.into(), stack_trace: None }
    }

    fn raised(error_type: Cow<'a, str>, error: &'a ExecutionError) -> Self {
        Self { error_message: (&error.message).into(), error_type, stack_trace: Some(&error.backtrace) }
    }
}

/// Workers say of a class whether it was raised while the code was loaded.
fn error_type(class: &str) -> Cow<'_, str> {
    let is_told = class.starts_with("Init<") || class.starts_with("Function<");
    if is_told { class.into() } else { format!("Function<{class}>").into() }
}

// Records of workers that told no cause say it in their own words.

fn timed_out(error: &ExecutionError) -> Cow<'_, str> {
    match error.cause {
        Some(Cause::Limit(timeout_ms)) => {
            format!("Task timed out after {:.2} seconds", timeout_ms as f64 / 1000.0).into()
        }
        _ => (&error.message).into(),
    }
}

fn too_large(error: &ExecutionError) -> Cow<'_, str> {
    match error.cause {
        Some(Cause::Limit(most)) => {
            format!("Response payload size exceeded maximum allowed payload size ({most} bytes).").into()
        }
        _ => (&error.message).into(),
    }
}

fn exited(error: &ExecutionError) -> String {
    let how = match &error.cause {
        Some(Cause::ExitStatus(0)) => return "Runtime exited without providing a reason".to_owned(),
        Some(Cause::ExitStatus(status)) => format!("exit status {status}"),
        Some(Cause::Signal(signal)) if signal == "SIGKILL" => "signal: killed".to_owned(),
        Some(Cause::Signal(signal)) => format!("signal: {signal}"),
        _ => error.message.clone(),
    };
    format!("Runtime exited with error: {how}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;
    use serde_json::{Value, json};

    #[test]
    fn failures_are_told_as_recorded() {
        let cases: Vec<(Value, Value)> = serde_json::from_str(include_str!("failure.json")).unwrap();
        for (error, expected) in cases {
            let (id, function) = ("m-1".parse().unwrap(), "hello".parse().unwrap());
            let failed = serde_json::from_value(error.clone()).unwrap();
            let record = Record::queued(id, function, None, Timestamp::EPOCH).failed(failed);
            assert_eq!(serde_json::to_value(FailureBody::of(&record)).unwrap(), expected, "{error}");
        }
    }

    #[test]
    fn what_was_cancelled_has_no_error_and_is_told_all_the_same() {
        let (id, function) = ("m-1".parse().unwrap(), "hello".parse().unwrap());
        let queued = Record::queued(id, function, None, Timestamp::EPOCH);
        let cancelled = Record { status: Status::Cancelled, ..queued };
        let told = FailureBody::of(&cancelled);
        let expected = json!({
            "errorType": "Runtime.Cancelled", "errorMessage": "RequestId: m-1 Error: The execution was cancelled",
        });
        assert_eq!(serde_json::to_value(told).unwrap(), expected);
    }
}
