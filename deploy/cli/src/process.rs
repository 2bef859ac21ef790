//! The life of the process: what a command does, and the status with which it ends.

use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::output::Failure;

/// For how long a thread is waited for that can't be told to stop, such as one that reads a terminal.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Runs a command to its end. Where it does not succeed, says why.
pub fn run_to_end(command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::Ours(format!("could not start: {error}")).end(),
    };
    let status = runtime.block_on(command).map_or_else(Failure::end, |()| ExitCode::SUCCESS);
    runtime.shutdown_timeout(LAST_WAIT);
    status
}
