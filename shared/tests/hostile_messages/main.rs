//! What holds for every message, whoever sent it.

mod generator;

use badlambda_shared::execution::id::Origin;
use badlambda_shared::execution::message::{BadMessage, ExecutionRequest, Input, Received};
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::keys::Keys;
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use proptest::prelude::*;

use crate::generator::{Hostile, messages};

const MESSAGE_ID: &str = "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11";
/// S3's ceiling for a key.
const MAX_KEY_BYTES: usize = 1024;
const MAX_REASON_CHARS: usize = 600;

fn parse(hostile: &Hostile, default: Option<&str>) -> Result<ExecutionRequest, BadMessage> {
    let default: Option<FunctionName> = default.map(|name| name.parse().unwrap());
    let received = Received {
        message_id: MESSAGE_ID,
        body: &hostile.body,
        function: hostile.function.as_deref(),
        sent_at: Timestamp::from_unix_ms(0).unwrap(),
        trace: &Trace::read(hostile.traceparent.as_deref(), hostile.traceparent.as_deref()),
    };
    received.parse(default.as_ref())
}

fn is_safe(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// `executions/{shard}/{function}/{id}/{file}`, and nothing else.
fn check_keys(request: &ExecutionRequest) -> Result<(), TestCaseError> {
    let (function, id) = (&request.function, &request.id);
    for (prefix, keys) in [("", Keys::default()), ("team/", Keys::under("team"))] {
        for (key, file) in [
            (keys.record(function, id), "record.json"),
            (keys.input(function, id), "input.json"),
            (keys.result(function, id), "result.json"),
            (keys.logs(function, id), "logs.txt"),
        ] {
            prop_assert!(key.len() <= MAX_KEY_BYTES, "{key}");
            let below = key.strip_prefix(prefix).and_then(|key| key.strip_prefix("executions/"));
            let parts: Vec<&str> = below.unwrap_or_default().split('/').collect();
            prop_assert_eq!(parts.len(), 4, "{}", key);
            prop_assert!(
                parts[0].len() == 1 && parts[0].bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{key}"
            );
            prop_assert_eq!((parts[1], parts[2], parts[3]), (function.as_str(), id.as_str(), file));
            prop_assert!(is_safe(parts[1]) && is_safe(parts[2]), "{key}");
        }
    }
    Ok(())
}

fn check_accepted(request: &ExecutionRequest) -> Result<(), TestCaseError> {
    check_keys(request)?;
    prop_assert!(request.id.origin(&request.function) != Origin::Forged);
    if let Input::Inline(json) = &request.input {
        let grammatical: Result<serde::de::IgnoredAny, _> = serde_json::from_str(json.get());
        prop_assert!(grammatical.is_ok() && depth(json.get()) <= limits::MAX_JSON_DEPTH);
    }
    if let Some(revision) = &request.revision {
        prop_assert!(is_safe(revision.as_str()) && revision.as_str().len() == 64);
        prop_assert!(matches!(request.version, None | Some(VersionRef::Number(_))));
    }
    check_trace(&request.trace)?;
    // Whoever records or logs it must be able to write it.
    prop_assert!(serde_json::to_string(&request.submitted_at).is_ok());
    Ok(())
}

/// It goes into log lines and environments.
fn check_trace(trace: &Trace) -> Result<(), TestCaseError> {
    for text in [trace.traceparent(), trace.xray(), trace.id().as_deref()].into_iter().flatten() {
        prop_assert!(text.len() <= 512 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
    }
    Ok(())
}

fn check_refused(bad: &BadMessage) -> Result<(), TestCaseError> {
    let reason = &bad.reason;
    prop_assert!(!reason.trim().is_empty());
    prop_assert!(reason.chars().count() <= MAX_REASON_CHARS, "{} characters", reason.chars().count());
    let breaks = |c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}\u{feff}\u{fffe}\u{ffff}".contains(c);
    prop_assert!(!reason.contains(breaks), "{reason:?}");
    prop_assert!(bad.known.as_ref().is_none_or(|(function, id)| id.origin(function) != Origin::Forged));
    Ok(())
}

fn check(parsed: &Result<ExecutionRequest, BadMessage>) -> Result<(), TestCaseError> {
    match parsed {
        Ok(request) => check_accepted(request),
        Err(bad) => check_refused(bad),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_message_is_run_safely_or_refused_in_a_sentence(hostile in messages()) {
        check(&parse(&hostile, None))?;
    }

    #[test]
    fn whatever_an_attribute_holds_a_trace_can_be_shown(hostile in messages()) {
        for (_, value) in &hostile.others {
            check_trace(&Trace::read(Some(value), Some(value)))?;
            check_trace(&Trace::read(None, Some(&format!("Root=1-67891233-abcdef012345678912345678;X={value}"))))?;
        }
    }

    #[test]
    fn with_a_default_function_only_a_wrong_attribute_is_refused(hostile in messages()) {
        let parsed = parse(&hostile, Some("audit"));
        check(&parsed)?;
        prop_assert!(parsed.is_ok() || hostile.function.is_some());
    }

    #[test]
    fn with_the_attribute_any_body_is_an_input(hostile in messages()) {
        let hostile = Hostile { function: Some("hello".to_owned()), ..hostile };
        let request = parse(&hostile, None).map_err(|bad| TestCaseError::fail(bad.reason))?;
        check_accepted(&request)?;
        prop_assert_eq!((request.function.as_str(), request.id.as_str()), ("hello", MESSAGE_ID));
        let Input::Inline(json) = &request.input else { return Err(TestCaseError::fail("it is not inline")) };
        let as_text: Result<String, _> = serde_json::from_str(json.get());
        let is_verbatim = json.get() == hostile.body.trim_matches([' ', '\t', '\r', '\n']);
        prop_assert!(is_verbatim || as_text.is_ok_and(|text| text == hostile.body));
    }
}

/// The deepest nesting of JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '[' | '{' if !in_string => depth += 1,
            ']' | '}' if !in_string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
