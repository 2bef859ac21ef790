//! Logs: JSON lines on stderr, or text for a person on a terminal. And traces, for whoever collects them.

mod terminal;
mod traces;

use std::io::IsTerminal;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use self::terminal::ShortLines;
pub use self::traces::{continue_trace, from_here};
use crate::process::config::{ConfigError, Environment, LOG, malformed};

/// OpenTelemetry's variables that say where traces are sent to.
const OTLP_ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Logs and traces, until this is dropped: then what is left of traces is sent, within some seconds.
#[derive(Debug)]
#[must_use]
pub struct Telemetry(Option<SdkTracerProvider>);

/// How lines look on a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Whole,
    Short,
}

/// Starts logging by `BADLAMBDA_LOG`, or by `default_filter` where that is not set; and sending traces as those of
/// `service`, where OpenTelemetry's variables say where to.
///
/// # Errors
/// When `BADLAMBDA_LOG` is no filter, or traces can't be sent as the variables say.
pub fn init(
    environment: &Environment,
    service: &'static str,
    default_filter: &str,
) -> Result<Telemetry, ConfigError> {
    start(environment, service, default_filter, Lines::Whole)
}

/// The same with short lines, for who sits before a terminal and watches.
///
/// # Errors
/// As those of [`init`].
pub fn init_for_person(
    environment: &Environment,
    service: &'static str,
    default_filter: &str,
) -> Result<Telemetry, ConfigError> {
    start(environment, service, default_filter, Lines::Short)
}

fn start(
    environment: &Environment,
    service: &'static str,
    default_filter: &str,
    on_terminal: Lines,
) -> Result<Telemetry, ConfigError> {
    let text = environment.text(LOG).unwrap_or(default_filter);
    let filter = EnvFilter::try_new(text).map_err(|error| malformed(LOG, text, error.to_string()))?;
    let endpoint = OTLP_ENDPOINTS.into_iter().find(|name| environment.raw(name).is_some());
    let provider = match endpoint {
        Some(variable) => {
            Some(traces::provider(service).map_err(|reason| ConfigError::Malformed { variable, reason })?)
        }
        None => None,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match std::io::stderr().is_terminal() {
        true if on_terminal == Lines::Short => lines.event_format(ShortLines).boxed(),
        true => lines.boxed(),
        false => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let started = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(provider.as_ref().map(traces::layer))
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(Telemetry(provider))
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let Some(provider) = &self.0 else { return };
        if let Err(error) = provider.shutdown() {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}
