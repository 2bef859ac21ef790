//! A trace goes from who submits or sends to the function, to the worker's log, and to whoever collects spans.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::fixtures::fleet::{Fleet, PATIENCE};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const XRAY: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
const CODE: &str = "ENV.values_at('TRACEPARENT', '_X_AMZN_TRACE_ID')";

#[tokio::test]
async fn a_submits_headers_reach_the_function() {
    let fleet = Fleet::start().await;
    fleet.create("script", CODE, json!({})).await;
    fleet.create("handler", &format!("def handler(event:, context:) = {CODE}"), json!({})).await;
    for function in ["script", "handler", "handler"] {
        let submit = fleet.request(Method::POST, &format!("/v1/functions/{function}/executions"));
        let submit = submit.header("traceparent", TRACEPARENT).header("x-amzn-trace-id", XRAY);
        let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
        let execution = fleet.finished(accepted["url"].as_str().unwrap()).await;
        assert_eq!(execution["result"], json!([TRACEPARENT, XRAY]));
        assert_eq!(fleet.execute(function, &json!(null)).await["result"], json!([null, null]));
    }
}

#[tokio::test]
async fn a_line_about_an_execution_names_its_trace() {
    let data = TempDir::new().unwrap();
    let log = data.path().join("log");
    let stderr = File::create(&log).unwrap().into();
    let fleet = Fleet::logging_to(stderr, data.path(), &[("BADLAMBDA_LOG", "info")]).await;
    let header = MessageSystemAttributeValue::builder().data_type("String").string_value(XRAY).build();
    let send = fleet.sqs.send_message().queue_url(fleet.address("queue_url")).message_body("not an envelope");
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    send.message_system_attributes(name, header.unwrap()).send().await.unwrap();
    fleet.dead_letter().await;
    fleet.queue_is_empty().await;
    let log = std::fs::read_to_string(log).unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| line["message"] == "dead-lettered a message").expect(&log);
    assert_eq!(line["spans"][0]["trace_id"], "67891233abcdef012345678912345678", "{line}");
}

/// A server that takes spans over OTLP.
struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(vec![]));
        let collected = Arc::clone(&spans);
        tokio::spawn(async move {
            loop {
                let stream = TokioIo::new(listener.accept().await.unwrap().0);
                let collected = Arc::clone(&collected);
                let service = service_fn(move |request| collect(request, Arc::clone(&collected)));
                tokio::spawn(http1::Builder::new().serve_connection(stream, service));
            }
        });
        Self { url, spans }
    }

    /// All spans of a trace, by their names, once there are these.
    async fn trace(&self, trace_id: &str, names: &[&str]) -> BTreeMap<String, Span> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let spans = self.spans.lock().unwrap().clone();
            let of_trace = spans.into_iter().filter(|span| hex(&span.trace_id) == trace_id);
            let by_name: BTreeMap<_, _> = of_trace.map(|span| (span.name.clone(), span)).collect();
            if names.iter().all(|name| by_name.contains_key(*name)) {
                return by_name;
            }
            assert!(Instant::now() < deadline, "{:?}", by_name.keys());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn collect(
    request: Request<Incoming>,
    spans: Arc<Mutex<Vec<Span>>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    assert_eq!(request.uri().path(), "/v1/traces");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let exported = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = exported.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
    Ok(Response::new(Empty::new()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_execution_is_one_tree_of_spans() {
    let collector = Collector::start().await;
    let settings =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let fleet = Fleet::start_with(&settings).await;
    fleet.create("trace", "ENV['TRACEPARENT']", json!({})).await;
    let submit =
        fleet.request(Method::POST, "/v1/functions/trace/executions").header("traceparent", TRACEPARENT);
    let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
    let execution = fleet.finished(accepted["url"].as_str().unwrap()).await;
    let (request, steps) = (
        "POST /v1/functions/{function}/executions",
        ["claim", "prepare", "wait_for_slot", "run", "publish", "settle"],
    );
    let [_, trace_id, parent, _] = TRACEPARENT.split('-').collect::<Vec<_>>().try_into().unwrap();
    let spans = collector.trace(trace_id, &[&[request, "message"], &steps[..]].concat()).await;
    assert_eq!(hex(&spans[request].parent_span_id), parent);
    assert_eq!(spans["message"].parent_span_id, spans[request].span_id);
    for step in steps {
        assert_eq!(spans[step].parent_span_id, spans["message"].span_id, "{step}");
    }
    assert_eq!(execution["result"], format!("00-{trace_id}-{}-01", hex(&spans["run"].span_id)));
    // Without a trace from outside, the request begins one.
    let own = fleet.execute("trace", &json!(null)).await["result"].as_str().unwrap().to_owned();
    let spans = collector.trace(&own[3..35], &[request, "message"]).await;
    assert!(spans[request].parent_span_id.is_empty() && own[3..35] != *trace_id);
}
