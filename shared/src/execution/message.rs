//! What stands in the queue: the two kinds of message that ask for an execution.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::execution::id::{ExecutionId, Origin};
use crate::execution::invocation::Invocation;
use crate::execution::trace::Trace;
use crate::function::name::{FunctionName, Revision, VersionRef, parse_qualified};
use crate::limits;
use crate::timestamp::Timestamp;

/// The message attribute that names the function and makes the body the input.
pub const FUNCTION_ATTRIBUTE: &str = "function";

/// The envelope that the API sends, and any producer may send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The function's name.
    pub function: FunctionName,
    /// Which version; the latest without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionRef>,
    /// The revision to run. Beside a version's number, it is that version's. Of the function `_run`, it is the code and
    /// config of a one-shot execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The input; `null` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
    /// The execution's id; SQS's `MessageId` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ExecutionId>,
    /// When it was submitted; when SQS took it, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// The S3 key of an input that is too large for the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_key: Option<String>,
    /// The execution that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<ExecutionId>,
    /// What the caller says beside the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation: Option<Box<Invocation>>,
}

/// Where an execution's input is.
#[derive(Clone, Debug)]
pub enum Input {
    /// In the message: JSON.
    Inline(Box<RawValue>),
    /// In S3, under this key.
    Stored(String),
}

/// An execution that a message asks for.
#[derive(Clone, Debug)]
pub struct ExecutionRequest {
    /// The execution's id.
    pub id: ExecutionId,
    /// The function's name.
    pub function: FunctionName,
    /// Which version; the latest where neither this nor a revision is named.
    pub version: Option<VersionRef>,
    /// Which revision. With it, the version is a number or not named.
    pub revision: Option<Revision>,
    /// Where the input is.
    pub input: Input,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// The execution that this one repeats.
    pub replay_of: Option<ExecutionId>,
    /// What the caller says beside the input.
    pub invocation: Option<Box<Invocation>>,
    /// The trace it belongs to.
    pub trace: Trace,
}

impl ExecutionRequest {
    /// From now on it asks for what it was found to name: whatever is published or pointed at meanwhile, a copy of its
    /// message runs the same.
    pub fn pin(&mut self, version: Option<u32>, revision: Revision) {
        self.version = version.map(VersionRef::Number);
        self.revision = Some(revision);
    }
}

/// A message that can never run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadMessage {
    /// What is wrong with it, in a sentence for its producer.
    pub reason: String,
    /// The function and the id under which a record can tell, where the message has both.
    pub known: Option<(FunctionName, ExecutionId)>,
}

/// A message as it came from the queue, as far as it matters to what it asks for.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// SQS's id of the message.
    pub message_id: &'a str,
    /// The body.
    pub body: &'a str,
    /// The message attribute `function`.
    pub function: Option<&'a str>,
    /// When SQS took it.
    pub sent_at: Timestamp,
    /// The trace that its attributes name.
    pub trace: &'a Trace,
}

impl Received<'_> {
    /// Reads what the message asks for. `default_function` serves queues whose producers can set no attribute.
    pub fn parse(&self, default_function: Option<&FunctionName>) -> Result<ExecutionRequest, BadMessage> {
        match (self.function, default_function) {
            (Some(qualified), _) => {
                let (function, version) = parse_qualified(qualified)
                    .map_err(|error| bad(format!("the attribute `function`: {error}")))?;
                self.raw(function, version)
            }
            (None, None) => self.envelope(),
            (None, Some(function)) => self.envelope().or_else(|_| self.raw(function.clone(), None)),
        }
    }

    fn raw(
        &self,
        function: FunctionName,
        version: Option<VersionRef>,
    ) -> Result<ExecutionRequest, BadMessage> {
        let id = self.message_id_as_id()?;
        let input = json_or_string(self.body);
        Ok(ExecutionRequest {
            id,
            function,
            version,
            revision: None,
            input: Input::Inline(input),
            submitted_at: self.sent_at,
            replay_of: None,
            invocation: None,
            trace: self.trace.clone(),
        })
    }

    fn envelope(&self) -> Result<ExecutionRequest, BadMessage> {
        let envelope: Envelope = serde_json::from_str(self.body).map_err(|error| BadMessage {
            reason: one_line(&format!(
                "the message has no attribute `function`, and its body is not an envelope: {error}"
            )),
            known: self.salvage(),
        })?;
        let id = match envelope.id {
            Some(id) => id,
            None => self.message_id_as_id()?,
        };
        let function = envelope.function;
        let refuse = |reason: &str| BadMessage {
            reason: reason.to_owned(),
            known: Some((function.clone(), id.clone())),
        };
        if id.origin(&function) == Origin::Forged {
            return Err(BadMessage {
                known: None,
                ..refuse("`id` has the form of the API's ids, but was not issued for this function")
            });
        }
        let input = match (envelope.input, envelope.input_key) {
            (Some(_), Some(_)) => return Err(refuse("`input` and `input_key` exclude each other")),
            (Some(input), None) => Input::Inline(input),
            (None, Some(key)) => Input::Stored(key),
            (None, None) => Input::Inline(RawValue::NULL.to_owned()),
        };
        if matches!(&input, Input::Inline(json) if !depth_is_bounded(json.get())) {
            return Err(refuse("`input` is nested too deeply"));
        }
        let client_context =
            envelope.invocation.as_ref().and_then(|invocation| invocation.client_context.as_ref());
        if client_context.is_some_and(|json| !depth_is_bounded(json.get())) {
            return Err(refuse("`client_context` is nested too deeply"));
        }
        let (version, revision) = (envelope.version, envelope.revision);
        let may_stand_beside =
            |version: &VersionRef| matches!(version, VersionRef::Number(_)) && !function.is_one_shot();
        if revision.is_some() && !version.as_ref().is_none_or(may_stand_beside) {
            return Err(refuse("beside `revision`, `version` must be a number, and not be there for `_run`"));
        }
        let submitted_at = envelope.submitted_at.unwrap_or(self.sent_at);
        let (replay_of, invocation, trace) = (envelope.replay_of, envelope.invocation, self.trace.clone());
        Ok(ExecutionRequest {
            id,
            function,
            version,
            revision,
            input,
            submitted_at,
            replay_of,
            invocation,
            trace,
        })
    }

    fn message_id_as_id(&self) -> Result<ExecutionId, BadMessage> {
        self.message_id.parse().map_err(|error| bad(format!("the MessageId: {error}")))
    }

    /// Function and id of an envelope that is otherwise wrong.
    fn salvage(&self) -> Option<(FunctionName, ExecutionId)> {
        #[derive(Deserialize)]
        struct Named {
            function: FunctionName,
            id: Option<ExecutionId>,
        }
        let named: Named = serde_json::from_str(self.body).ok()?;
        let id = named.id.or_else(|| self.message_id.parse().ok())?;
        (id.origin(&named.function) != Origin::Forged).then_some((named.function, id))
    }
}

fn bad(reason: String) -> BadMessage {
    BadMessage { reason, known: None }
}

/// What a parser or a process said, which may quote a producer or function code: no longer than a person reads, and
/// without what would break the line that it is written to, or turn it around.
pub(crate) fn one_line(text: &str) -> String {
    let is_shown = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let mut chars = text.chars();
    let shown = chars.by_ref().take(limits::MAX_REASON_CHARS);
    let mut line: String = shown.map(|c| if is_shown(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// The body as JSON, or, where it is none, as a JSON string.
fn json_or_string(body: &str) -> Box<RawValue> {
    if depth_is_bounded(body)
        && let Ok(json) = serde_json::from_str::<Box<RawValue>>(body)
    {
        return json;
    }
    let quoted = serde_json::Value::String(body.to_owned()).to_string();
    RawValue::from_string(quoted).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Whether arrays and objects nest no deeper than parsers on both sides accept. Text that is not JSON may
/// count wrongly in either direction; whoever parses it finds that out.
pub fn depth_is_bounded(json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limits::MAX_JSON_DEPTH {
                    return false;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE_ID: &str = "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11";

    fn parse(body: &str, function: Option<&str>) -> Result<ExecutionRequest, BadMessage> {
        let sent_at = Timestamp::from_unix_ms(5).unwrap();
        Received { message_id: MESSAGE_ID, body, function, sent_at, trace: &Trace::NONE }.parse(None)
    }

    fn inline(request: &ExecutionRequest) -> &str {
        match &request.input {
            Input::Inline(json) => json.get(),
            Input::Stored(key) => panic!("stored under {key}"),
        }
    }

    #[test]
    fn with_the_attribute_the_whole_body_is_the_input() {
        let request = parse(r#"{"a": 1}"#, Some("hello:live")).unwrap();
        assert_eq!(request.id.as_str(), MESSAGE_ID);
        assert_eq!(request.function.as_str(), "hello");
        assert_eq!(request.version.as_ref().unwrap().to_string(), "live");
        assert_eq!(inline(&request), r#"{"a": 1}"#);
        assert_eq!(request.submitted_at.unix_ms(), 5);
    }

    #[test]
    fn a_body_that_is_not_json_is_a_json_string() {
        assert_eq!(inline(&parse("plain \"text\"\n", Some("hello")).unwrap()), r#""plain \"text\"\n""#);
        let deep = "[".repeat(5_000);
        assert!(inline(&parse(&deep, Some("hello")).unwrap()).starts_with("\"[["));
    }

    #[test]
    fn an_envelope_brings_its_own_id_or_has_the_message_id() {
        let body = r#"{"function": "hello", "version": 3, "input": [1], "id": "order-7"}"#;
        let request = parse(body, None).unwrap();
        assert_eq!((request.id.as_str(), inline(&request)), ("order-7", "[1]"));
        assert_eq!(request.version, Some(VersionRef::Number(3)));
        let request = parse(r#"{"function": "hello"}"#, None).unwrap();
        assert_eq!((request.id.as_str(), inline(&request)), (MESSAGE_ID, "null"));
    }

    #[test]
    fn what_can_never_run_says_why_and_what_is_known() {
        let error = parse("not json", None).unwrap_err();
        assert!(error.reason.contains("not an envelope") && error.known.is_none(), "{error:?}");
        let error = parse(r#"{"input": 1}"#, None).unwrap_err();
        assert!(error.reason.contains("missing field `function`"), "{error}");
        let error = parse(r#"{"function": "hello", "inputs": 1}"#, None).unwrap_err();
        assert!(error.reason.contains("unknown field `inputs`"), "{error}");
        assert_eq!(error.known.unwrap().1.as_str(), MESSAGE_ID);
        let error = parse(r#"{"function": "../x"}"#, None).unwrap_err();
        assert!(error.known.is_none(), "{error:?}");
        assert!(parse("{}", Some("a/b")).unwrap_err().reason.contains("attribute `function`"));
        let quoted = format!("{{\"function\": \"hello\", \"\\n\u{202e}{}\": 1}}", "x".repeat(1 << 20));
        let error = parse(&quoted, None).unwrap_err();
        assert!(
            error.reason.contains("unknown field `\u{fffd}\u{fffd}xx") && error.reason.len() < 1000,
            "{error}"
        );
        let both = r#"{"function": "hello", "input": 1, "input_key": "k"}"#;
        assert!(parse(both, None).unwrap_err().known.is_some());
    }

    #[test]
    fn an_id_of_the_apis_form_must_have_been_issued_for_the_function() {
        let issued = ExecutionId::issue(&"other".parse().unwrap());
        let body = format!(r#"{{"function": "hello", "id": "{issued}"}}"#);
        assert!(parse(&body, None).unwrap_err().reason.contains("not issued"));
    }

    #[test]
    fn a_revision_stands_alone_or_beside_a_number() {
        let revision = "0123456789abcdef".repeat(4);
        let parsed = |function: &str, rest: &str| {
            let body =
                format!(r#"{{"function": "{function}", "revision": "{revision}", "id": "m-1"{rest}}}"#);
            parse(&body, None)
        };
        for (function, rest) in [("_run", ""), ("hello", ""), ("hello", r#", "version": 1"#)] {
            let request = parsed(function, rest).unwrap();
            assert_eq!(request.revision.unwrap().as_str(), revision);
            assert_eq!(request.version.is_some(), !rest.is_empty());
        }
        for version in [r#""live""#, r#""$LATEST""#] {
            let refused = parsed("hello", &format!(r#", "version": {version}"#)).unwrap_err();
            assert!(refused.known.is_some() && refused.reason.contains("must be a number"), "{refused}");
        }
        assert!(parsed("_run", r#", "version": 1"#).unwrap_err().reason.contains("for `_run`"));
        assert!(parse(r#"{"function": "_run", "revision": "../x"}"#, None).is_err());
    }

    #[test]
    fn a_default_function_takes_what_names_none() {
        let sent_at = Timestamp::from_unix_ms(0).unwrap();
        let function: FunctionName = "audit".parse().unwrap();
        let (message_id, body, trace) = (MESSAGE_ID, "{\"x\":1}", &Trace::NONE);
        let received = Received { message_id, body, function: None, sent_at, trace };
        let request = received.parse(Some(&function)).unwrap();
        assert_eq!((request.function.as_str(), inline(&request)), ("audit", "{\"x\":1}"));
    }

    #[test]
    fn the_trace_goes_with_the_execution() {
        let sent_at = Timestamp::from_unix_ms(0).unwrap();
        let trace = &Trace::read(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), None);
        for (body, function) in [("1", Some("hello")), (r#"{"function": "hello"}"#, None)] {
            let request = Received { message_id: MESSAGE_ID, body, function, sent_at, trace }.parse(None);
            assert_eq!(request.unwrap().trace, *trace);
        }
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert!(depth_is_bounded(&format!("{}{}", "[".repeat(100), "]".repeat(100))));
        assert!(!depth_is_bounded(&"[".repeat(101)));
        assert!(depth_is_bounded(&format!("\"{}\\\"{}\"", "[".repeat(99), "[".repeat(99))));
    }
}
