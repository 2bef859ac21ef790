//! The trace of an execution, in its environment.

use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::Task;
use serde_json::{Value, json};

use crate::fixture::{executor, result, task};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const XRAY: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
const SCRIPT: &str = "ENV.values_at('TRACEPARENT', '_X_AMZN_TRACE_ID', 'OWN')";
const HANDLER: &str = "LOADED = ENV['TRACEPARENT']\nENV['OWN'] = 'loaded'\n\
                       def handler(event:, context:) = [LOADED, *ENV.values_at('TRACEPARENT', '_X_AMZN_TRACE_ID', 'OWN')]";

fn run(form: Form, code: &str, config: Value, trace: Trace) -> Value {
    result(&executor().execute(&Task { trace, ..task(form, code, config, json!(null)) }).unwrap())
}

#[test]
fn a_script_finds_its_trace() {
    let run = |config, trace| run(Form::Script, SCRIPT, config, trace);
    let both = || Trace::read(Some(TRACEPARENT), Some(XRAY));
    assert_eq!(run(json!({}), both()), json!([TRACEPARENT, XRAY, null]));
    assert_eq!(run(json!({}), Trace::NONE), json!([null, null, null]));
    let config = json!({"environment": {"TRACEPARENT": "mine"}});
    assert_eq!(run(config, both()), json!(["mine", XRAY, null]));
}

#[test]
fn a_handler_finds_that_of_its_own_execution() {
    let run = |trace| run(Form::Handler, HANDLER, json!({}), trace);
    let w3c = || Trace::read(Some(TRACEPARENT), None);
    assert_eq!(run(w3c()), json!([null, TRACEPARENT, null, "loaded"]));
    assert_eq!(run(Trace::NONE), json!([null, null, null, "loaded"]));
    assert_eq!(run(Trace::read(None, Some(XRAY))), json!([null, null, XRAY, "loaded"]));
    assert_eq!(run(w3c()), json!([null, TRACEPARENT, null, "loaded"]));
}
