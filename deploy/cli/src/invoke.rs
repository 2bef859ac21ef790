//! `badlambda invoke`: executes a function, waits for its end, and prints its result.

use std::time::Duration;

use badlambda_client::{Client, Submit};
use badlambda_shared::execution::Execution;
use badlambda_shared::function::name::{FunctionName, VersionRef};
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::executions::list::EXECUTION_FIELDS;
use crate::executions::outcome::{failure_of, fetch_logs, fetch_result, show_logs, wait_for_end};
use crate::functions::explained;
use crate::input::read_json;
use crate::output::{Failure, Output, OutputArguments, print};

/// The first wait is short, so that whoever interrupts it soon learns the execution's id.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// Arguments of `invoke`.
#[derive(Debug, Args)]
#[command(
    after_help = "The result is on stdout; where the function fails, its error is on stderr, and the exit status is \
                        1.\n\nExample:\n  $ badlambda invoke hello '{\"name\": \"Ada\"}'"
)]
pub struct InvokeArguments {
    /// The function.
    name: FunctionName,
    /// The input, as JSON; `-` reads it from stdin.
    #[arg(default_value = "{}", allow_hyphen_values = true)]
    input: String,
    /// Which version: a number, an alias or $LATEST.
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionRef>,
    /// Begin only after so many seconds, up to 900.
    #[arg(long, value_name = "SECONDS")]
    delay: Option<u64>,
    /// Repeated with the same key, it is the same execution.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the execution's id, and do not wait for its end.
    #[arg(long)]
    detach: bool,
    /// Show what the function logged, on stderr.
    #[arg(long, conflicts_with = "detach")]
    logs: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// Executes the function.
pub async fn invoke(arguments: InvokeArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&EXECUTION_FIELDS)? else { return Ok(()) };
    let input = read_json("the input", &arguments.input)?;
    let client = arguments.connection.connect()?;
    let submit = Submit {
        version: arguments.version,
        delay: arguments.delay.map(Duration::from_secs),
        idempotency_key: arguments.idempotency_key,
        wait: (!arguments.detach && arguments.delay.is_none()).then_some(SHORT_WAIT),
    };
    let submitted = client.execute_function(&arguments.name, input, &submit).await;
    let execution = explained(&client, &arguments.name, submitted).await?;
    finish(&client, execution, arguments.detach, arguments.logs, &output).await
}

/// Waits for the end, unless it is not wanted, and prints what came of it.
pub(crate) async fn finish(
    client: &Client,
    execution: Execution,
    detach: bool,
    logs: bool,
    output: &Output,
) -> Result<(), Failure> {
    if detach {
        return output.print_one(&execution, || format!("{}\n", execution.id));
    }
    let name = format!("{}/{}", execution.function, execution.id);
    let execution = tokio::select! {
        biased;
        ended = wait_for_end(client, execution) => ended?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::Interrupted(format!(
            "interrupted; the execution goes on: wait for it with `badlambda executions watch {name}`, or end it with \
             `badlambda executions cancel {name}`"
        ))),
    };
    if logs {
        show_logs(&String::from_utf8_lossy(&fetch_logs(client, &execution).await?));
    }
    if !output.is_text() {
        output.print_one(&execution, String::new)?;
    }
    failure_of(&execution)?;
    if output.is_text() {
        print(&format!("{}\n", fetch_result(client, &execution).await?))?;
    }
    Ok(())
}
