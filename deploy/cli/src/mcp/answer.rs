//! What the tools give: JSON, once as text and once as it is. What a function made is cut to what a model can use.

use badlambda_client::{Client, Code, Error};
use badlambda_shared::execution::{Execution, Status};
use badlambda_shared::function::package::{EntryKind, Package};
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::{Value, json};

use crate::code::file_of_handler;
use crate::executions::outcome::{fetch_logs, fetch_result};
use crate::output::{Failure, visible};

/// How much of the logs is returned, in bytes.
pub(super) const MOST_LOG_BYTES: usize = 16 * 1024;
/// How much of a result or of code is returned, in bytes.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// How many files of a zip are named.
const MOST_FILES: usize = 200;

/// What a tool returns; a failure is a result, too, which the model can read.
pub(super) fn of(answered: Result<Value, Failure>) -> CallToolResult {
    match answered {
        Ok(value) => shown(value, false),
        Err(failure) => shown(json!({"error": failure.to_string()}), true),
    }
}

/// The same of an execution, which may have failed.
pub(super) async fn of_execution(client: &Client, execution: Result<Execution, Failure>) -> CallToolResult {
    let ended = async {
        let execution = execution?;
        let value = outcome(client, &execution).await?;
        Ok((value, matches!(execution.status, Status::Failed | Status::Cancelled)))
    };
    match ended.await {
        Ok((value, failed)) => shown(value, failed),
        Err(failure) => of(Err(failure)),
    }
}

fn shown(value: Value, is_error: bool) -> CallToolResult {
    // A client may show the text on a terminal. What it would obey is written as JSON may write it.
    let text = visible(&value.to_string()).into_owned();
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(value);
    result.is_error = Some(is_error);
    result
}

/// How an execution ended, or stands.
async fn outcome(client: &Client, execution: &Execution) -> Result<Value, Error> {
    let id = format!("{}/{}", execution.function, execution.id);
    let mut outcome = json!({
        "execution": id, "status": execution.status.name(), "version": execution.version, "usage": execution.usage,
        "submitted_at": execution.submitted_at, "finished_at": execution.finished_at, "attempts": execution.attempts,
    });
    if !execution.status.is_final() {
        outcome["hint"] = json!("it has not ended: get_execution tells how it goes on");
        outcome["logs"] = json!(execution.logs_tail);
        return Ok(outcome);
    }
    let result = fetch_result(client, execution).await?;
    if result.len() <= MOST_BYTES {
        outcome["result"] = serde_json::from_str(&result).unwrap_or_default();
    } else {
        outcome["result_beginning"] = json!(beginning(&result, MOST_BYTES));
        outcome["result_bytes"] = json!(result.len());
    }
    let logs = fetch_logs(client, execution).await?;
    let logs = String::from_utf8_lossy(&logs);
    outcome["logs"] = json!(beginning(&logs, MOST_LOG_BYTES));
    if logs.len() > MOST_LOG_BYTES {
        outcome["logs_bytes"] = json!(logs.len());
        outcome["hint"] = json!("these logs are the beginning: get_logs has the rest");
    }
    outcome["error"] = json!(execution.error);
    Ok(outcome)
}

/// Adds what can be read of the code. Of a zip that is the handler's file, and the names of the first files.
pub(super) fn add_code(shown: &mut Value, code: &Code, handler: Option<&str>) -> Result<(), Failure> {
    let zip = match code {
        Code::Ruby(code) => {
            shown["code"] = json!(beginning(code, MOST_BYTES));
            return Ok(());
        }
        Code::Zip(zip) => zip,
    };
    let package = Package::read(zip).map_err(|error| Failure::Ours(error.to_string()))?;
    let file = file_of_handler(handler);
    let code = package.file(&file).map_err(|error| Failure::Ours(error.to_string()))?;
    let files = package.entries().iter().filter(|entry| entry.kind != EntryKind::Folder);
    let paths: Vec<&str> = files.map(|entry| entry.path.as_str()).collect();
    shown["code"] = json!(
        code.as_deref().map(String::from_utf8_lossy).as_deref().map(|code| beginning(code, MOST_BYTES))
    );
    shown["code_file"] = json!(file);
    shown["files"] = json!(&paths[..paths.len().min(MOST_FILES)]);
    shown["file_count"] = json!(paths.len());
    Ok(())
}

/// As JSON; what can't be so is a failure of ours.
pub(super) fn json_of(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Ours(error.to_string()))
}

/// The beginning of a text, of at most so many bytes and of whole characters.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
