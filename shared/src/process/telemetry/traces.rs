//! Traces over OTLP, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Spans are those of `tracing`; a message's `traceparent`
//! ties the worker's to the API's.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::execution::trace::{TRACEPARENT, Trace};

/// Spans of ours are exported, whatever the log's filter says, and not those of libraries.
const OURS: &str = "badlambda";

/// The field of a span that names its trace.
const TRACE_ID: &str = "trace_id";

/// Makes what sends spans. Where and how, it reads from OpenTelemetry's own variables:
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.
pub(super) fn provider(service: &'static str) -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build();
    let exporter = exporter.map_err(|error| error.to_string())?;
    let resource = Resource::builder().with_service_name(service).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Hands spans to the provider.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(OURS)).with_location(false);
    layer.with_filter(Targets::new().with_target(OURS, Level::DEBUG))
}

/// Makes the span a part of this trace, if the trace has a `traceparent`, and names the trace in the span's field
/// `trace_id`, if there is one.
pub fn continue_trace(span: &Span, trace: Trace) {
    if let Some(traceparent) = trace.traceparent() {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        // It fails only where spans are not exported.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    }
    if let Some(id) = span.in_scope(|| from_here(trace)).id() {
        span.record(TRACE_ID, id);
    }
}

/// The trace, for whom the current span calls: with this span as its parent, where spans are exported.
pub fn from_here(trace: Trace) -> Trace {
    let context = Span::current().context();
    let span = context.span();
    let here = span.span_context();
    if !here.is_valid() {
        return trace;
    }
    let flags = here.trace_flags().to_u8();
    trace.with_traceparent(format!("00-{}-{}-{flags:02x}", here.trace_id(), here.span_id()))
}
