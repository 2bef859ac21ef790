//! What became of an execution: waiting for its end, its result, and its error as a person reads it.

use std::time::Duration;

use badlambda_client::{Client, Error};
use badlambda_shared::execution::{Execution, ExecutionError, Status};

use crate::output::{Failure, say};

/// For how long the API holds an answer back. Shorter than what stands between may wait for one.
pub const WAIT: Duration = Duration::from_secs(20);

/// Polls an execution until it is final.
pub async fn wait_for_end(client: &Client, mut execution: Execution) -> Result<Execution, Error> {
    while !execution.status.is_final() {
        execution = client.get_execution(&execution.function, &execution.id, Some(WAIT)).await?;
    }
    Ok(execution)
}

/// The result itself, from the record or, where it is large, from where it is stored. Without one, nothing.
pub async fn fetch_result(client: &Client, execution: &Execution) -> Result<String, Error> {
    match (&execution.result, execution.result_bytes) {
        (Some(json), _) => Ok(json.get().to_owned()),
        (None, None) => Ok(String::new()),
        (None, Some(_)) => {
            let result = client.get_execution_result(&execution.function, &execution.id).await?;
            Ok(String::from_utf8_lossy(&result.bytes().await?).into_owned())
        }
    }
}

/// That the function did not succeed, where it has ended and did not.
pub fn failure_of(execution: &Execution) -> Result<(), Failure> {
    match (execution.status, &execution.error) {
        (Status::Failed, Some(error)) => Err(Failure::FunctionFailed(describe(error))),
        (Status::Failed, None) => Err(Failure::FunctionFailed("the function failed".to_owned())),
        (Status::Cancelled, _) => Err(Failure::FunctionFailed("the execution was cancelled".to_owned())),
        _ => Ok(()),
    }
}

/// What it logged; where that is nothing, nothing.
pub async fn fetch_logs(client: &Client, execution: &Execution) -> Result<Vec<u8>, Error> {
    match execution.logs_url {
        Some(_) => client.get_execution_logs(&execution.function, &execution.id).await?.bytes().await,
        None => Ok(vec![]),
    }
}

/// Logs on stderr; what comes behind them begins a line.
pub fn show_logs(logs: &str) {
    if !logs.is_empty() {
        say(logs.strip_suffix('\n').unwrap_or(logs));
    }
}

/// An error as a person reads it: what, then where.
pub fn describe(error: &ExecutionError) -> String {
    let class = error.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
    let mut text = format!("the function failed ({}): {class}{}", error.kind.name(), error.message);
    for line in &error.backtrace {
        text.push_str(&format!("\n  {line}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use badlambda_shared::execution::ErrorKind;

    use super::*;

    #[test]
    fn an_error_says_what_and_where() {
        let error = ExecutionError {
            kind: ErrorKind::Exception,
            class: Some("KeyError".to_owned()),
            message: "key not found".to_owned(),
            backtrace: vec!["function.rb:3:in `fetch'".to_owned()],
            cause: None,
        };
        assert_eq!(
            describe(&error),
            "the function failed (exception): KeyError: key not found\n  function.rb:3:in `fetch'"
        );
    }
}
