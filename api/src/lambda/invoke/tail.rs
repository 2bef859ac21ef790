//! The end of an execution's logs, as Invoke with the log type `Tail` answers it.

use std::fmt::Write as _;

use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::{ErrorKind, Usage};
use badlambda_shared::function::Version;
use badlambda_shared::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::app::App;
use crate::lambda::errors::WireError;

/// What is answered of the logs.
const TAIL_BYTES: usize = 4096;
const MIB: u64 = 1024 * 1024;

/// The tail, in base64. `number` is the version that ran.
pub(super) async fn of(
    app: &App,
    version: &Version,
    number: &str,
    record: &Record,
) -> Result<String, WireError> {
    let logs = end_of_logs(app, record).await?;
    let id = record.id.as_str();
    let mut tail = format!("START RequestId: {id} Version: {number}\n").into_bytes();
    tail.extend_from_slice(&logs);
    if logs.last().is_some_and(|last| *last != b'\n') {
        tail.push(b'\n');
    }
    tail.extend_from_slice(last_lines(version, record).as_bytes());
    let cut = tail.len().saturating_sub(TAIL_BYTES);
    Ok(STANDARD.encode(&tail[cut..]))
}

async fn end_of_logs(app: &App, record: &Record) -> Result<Vec<u8>, WireError> {
    let Some(key) = &record.logs_key else { return Ok(vec![]) };
    let offset = record.logs_bytes.unwrap_or(0).saturating_sub(TAIL_BYTES as u64);
    // One that does not say how long it is may be longer, and is cut.
    Ok(app.store.get_part(key, offset, 16 * MIB).await?)
}

fn last_lines(version: &Version, record: &Record) -> String {
    let id = record.id.as_str();
    let Usage { wall_ms, max_rss_bytes, .. } = record.usage.unwrap_or_default();
    let settings = version.lambda.as_deref().and_then(|settings| settings.memory_mb);
    let config = &version.content.config;
    let memory_mb = settings.unwrap_or(config.memory_mb);
    let timed_out = record.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Timeout);
    let mut lines = String::new();
    if timed_out {
        let (at, seconds) =
            (record.finished_at.unwrap_or(Timestamp::EPOCH), config.timeout_ms as f64 / 1000.0);
        _ = writeln!(lines, "{at} {id} Task timed out after {seconds:.2} seconds\n");
    }
    _ = writeln!(lines, "END RequestId: {id}");
    _ = write!(
        lines,
        "REPORT RequestId: {id}\tDuration: {wall_ms:.2} ms\tBilled Duration: {} ms\tMemory Size: {memory_mb} MB\tMax \
         Memory Used: {} MB\t",
        wall_ms.ceil(),
        max_rss_bytes.div_ceil(MIB)
    );
    if timed_out {
        lines.push_str("Status: timeout\t");
    }
    lines.push('\n');
    lines
}
