//! Logs: JSON lines on stderr, or text for a person on a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, Environment, LOG, malformed};

/// Starts logging by `BADLAMBDA_LOG`, or by `default_filter` where that is not set.
///
/// # Errors
/// When `BADLAMBDA_LOG` is no filter.
pub fn init(environment: &Environment, default_filter: &str) -> Result<(), ConfigError> {
    let text = environment.text(LOG).unwrap_or(default_filter);
    let filter = EnvFilter::try_new(text).map_err(|error| malformed(LOG, text, error.to_string()))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        lines.try_init()
    } else {
        lines.json().flatten_event(true).with_current_span(false).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}
