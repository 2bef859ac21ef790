//! The failures of executions, as AWS Lambda's Ruby tells them.

use badlambda_shared::execution::{ErrorKind, ExecutionError, Status};
use badlambda_shared::function::Version;
use badlambda_shared::record::Record;
use serde_json::{Value, json};

/// Why there is no result.
pub(super) enum Failure {
    /// Function code failed; this is what its caller is told.
    OfFunction(Value),
    /// It was never run to an end; this is for the log.
    Ours(String),
}

/// The failure of the execution that this is the final record of.
pub(super) fn of(version: &Version, record: &Record) -> Failure {
    let id = record.id.as_str();
    let Some(error) = &record.error else {
        let message = match record.status {
            Status::Cancelled => "The execution was cancelled",
            _ => "The execution left no result",
        };
        return Failure::OfFunction(of_sandbox(id, "Runtime.Cancelled", message));
    };
    match error.kind {
        ErrorKind::WorkerLost | ErrorKind::Expired | ErrorKind::BadMessage | ErrorKind::NotFound => {
            Failure::Ours(format!("the execution {id} was not run to an end: {}", error.message))
        }
        _ => Failure::OfFunction(body(version, id, error)),
    }
}

fn body(version: &Version, id: &str, error: &ExecutionError) -> Value {
    match error.kind {
        ErrorKind::Timeout => {
            let seconds = version.content.config.timeout_ms as f64 / 1000.0;
            of_sandbox(id, "Sandbox.Timedout", &format!("Task timed out after {seconds:.2} seconds"))
        }
        ErrorKind::Memory => {
            of_sandbox(id, "Runtime.OutOfMemory", "Runtime exited with error: signal: killed")
        }
        ErrorKind::Crash => of_sandbox(id, "Runtime.ExitError", &exit(&error.message)),
        ErrorKind::Scratch => of_sandbox(id, "Runtime.ScratchLimitExceeded", &error.message),
        ErrorKind::ResultTooLarge => {
            let most = version.content.config.max_result_bytes;
            json!({
                "errorMessage":
                    format!("Response payload size exceeded maximum allowed payload size ({most} bytes)."),
                "errorType": "Function.ResponseSizeTooLarge",
            })
        }
        ErrorKind::ResultNotJson => raised("Function<JSON::GeneratorError>".to_owned(), error),
        ErrorKind::Syntax => raised("Init<SyntaxError>".to_owned(), error),
        _ => raised(error_type(error.class.as_deref().unwrap_or("StandardError")), error),
    }
}

fn of_sandbox(id: &str, error_type: &str, message: &str) -> Value {
    json!({"errorType": error_type, "errorMessage": format!("RequestId: {id} Error: {message}")})
}

fn raised(error_type: String, error: &ExecutionError) -> Value {
    json!({"errorMessage": error.message, "errorType": error_type, "stackTrace": error.backtrace})
}

/// Workers may say of a class whether it was raised while the code was loaded.
fn error_type(class: &str) -> String {
    let is_told = class.starts_with("Init<") || class.starts_with("Function<");
    if is_told { class.to_owned() } else { format!("Function<{class}>") }
}

/// How the process ended, of which workers tell in a sentence for people.
fn exit(message: &str) -> String {
    let behind = |words: &str| {
        let (_, rest) = message.split_once(words)?;
        rest.split_whitespace().next()
    };
    match (behind("exit code "), behind("ended by ")) {
        (Some("0"), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(status), _) => format!("Runtime exited with error: exit status {status}"),
        (None, Some("SIGKILL")) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(signal)) if signal.starts_with("SIG") => {
            format!("Runtime exited with error: signal: {signal}")
        }
        _ => format!("Runtime exited with error: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_is_told_as_aws_does() {
        for (ours, theirs) in [
            (
                "the function's process ended with exit code 0 and without a result",
                "Runtime exited without providing a reason",
            ),
            (
                "the function's process ended with exit code 127 and without a result",
                "Runtime exited with error: exit status 127",
            ),
            ("the function's process was ended by SIGKILL", "Runtime exited with error: signal: killed"),
            ("the function's process was ended by SIGSEGV", "Runtime exited with error: signal: SIGSEGV"),
            ("something else", "Runtime exited with error: something else"),
        ] {
            assert_eq!(exit(ours), theirs);
        }
    }

    #[test]
    fn a_class_is_told_with_when_it_was_raised() {
        assert_eq!(error_type("RuntimeError"), "Function<RuntimeError>");
        assert_eq!(error_type("Init<LoadError>"), "Init<LoadError>");
    }
}
