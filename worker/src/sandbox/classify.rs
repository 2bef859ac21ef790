//! Decides what an execution's end and its answer mean. Function code has a hand in both, so the worker trusts
//! neither: an answer counts only if it is exactly one whole frame, the worker checks its JSON, and an error's kind
//! must be one that Ruby may claim.

use std::time::Duration;

use badlambda_shared::execution::result_encoding::ResultEncoding;
use badlambda_shared::execution::{Cause, ErrorKind, ExecutionError};
use badlambda_shared::function::{Compatibility, FunctionConfig};
use badlambda_shared::limits;
use badlambda_zygote::frame::{self, Answer};
use badlambda_zygote::protocol::Exit;
use nix::sys::signal::Signal;
use serde::Deserialize;

use super::failures::{LimitHit, broken, crashed, memory, scratch, timeout};
use super::results::{check_bytes, check_result};
use super::task::{ExecutorError, RetryWish};

/// The text of a confinement step that failed is cut to this length. None of our own steps has a longer text.
const MAX_STEP_CHARACTERS: usize = 80;

/// The kinds of error that an answer may claim. Kinds that only the worker may give are not among these.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClaimedKind {
    Exception,
    Syntax,
    Memory,
    Scratch,
    ResultTooLarge,
    ResultNotJson,
    Crash,
}

#[derive(Deserialize)]
struct ClaimedError {
    kind: ClaimedKind,
    #[serde(rename = "type")]
    class: Option<String>,
    message: String,
    backtrace: Vec<String>,
    #[serde(default)]
    retry: serde_json::Value,
}

impl ClaimedError {
    /// Reads what the error says about another attempt. A delay is cut to the longest timeout (11 h), which leaves
    /// time to run the message within SQS's 12 h.
    fn wish(&self) -> RetryWish {
        let most = limits::TIMEOUT_MS.range.end() / 1000;
        match (&self.retry, self.retry.as_f64()) {
            (serde_json::Value::Bool(true), _) => RetryWish::Again(None),
            (serde_json::Value::Bool(false), _) => RetryWish::Never,
            (_, Some(seconds)) => {
                RetryWish::Again(Some(Duration::from_secs_f64(seconds.clamp(0.0, most as f64))))
            }
            _ => RetryWish::AsConfigured,
        }
    }
}

/// What an execution's end means: its result or its error, and whether its answer asks for another attempt.
#[derive(Debug)]
pub(super) struct Classification {
    pub(super) result: Result<String, ExecutionError>,
    /// How the result's JSON stands for bytes, where it does.
    pub(super) encoding: Option<ResultEncoding>,
    pub(super) retry: RetryWish,
}

impl From<Result<String, ExecutionError>> for Classification {
    fn from(result: Result<String, ExecutionError>) -> Self {
        Self { result, encoding: None, retry: RetryWish::AsConfigured }
    }
}

impl Classification {
    fn of_bytes(checked: Result<(String, Option<ResultEncoding>), ExecutionError>) -> Self {
        let encoding = checked.as_ref().ok().and_then(|(_, encoding)| *encoding);
        Self { result: checked.map(|(json, _)| json), encoding, retry: RetryWish::AsConfigured }
    }
}

/// Reads an answer as if its execution had exited with code 0. Returns the result's JSON, or why there is none.
/// Returns `None` if the answer says that the execution was not even confined.
pub fn read_answer(answer: &[u8], config: &FunctionConfig) -> Option<Result<String, ExecutionError>> {
    let exit = Exit { pid: 2, code: Some(0), signal: None, cpu_us: 0, max_rss_bytes: 0 };
    let report = RunReport { limit_hit: None, exit: Some(exit), from_zygote: true, answer, logs: b"" };
    report.classify(config).ok().map(|classification| classification.result)
}

/// What the worker saw of an execution.
pub(super) struct RunReport<'a> {
    pub(super) limit_hit: Option<LimitHit>,
    /// `None` if no valid report says how the execution ended.
    pub(super) exit: Option<Exit>,
    /// Whether a zygote forked the process. If so, a failure to confine it is our own failure. An execution that a
    /// template forked may have made up such a failure.
    pub(super) from_zygote: bool,
    pub(super) answer: &'a [u8],
    pub(super) logs: &'a [u8],
}

impl RunReport<'_> {
    /// The result's JSON, or why there is none. Only our own failures and a cancellation are an `Err`.
    pub(super) fn classify(&self, config: &FunctionConfig) -> Result<Classification, ExecutorError> {
        if let Some(limit_hit) = self.limit_hit {
            return limit_hit.error(config).map(|error| Err(error).into());
        }
        let Some(exit) = self.exit else { return Ok(Err(broken()).into()) };
        match frame::parse(self.answer) {
            Answer::NotConfined(step) if self.from_zygote => {
                let step: String = String::from_utf8_lossy(step).chars().take(MAX_STEP_CHARACTERS).collect();
                Err(ExecutorError::NotConfined(format!("{step:?}, {exit:?}")))
            }
            Answer::NotConfined(_) => Ok(Err(broken()).into()),
            _ if exit.code != Some(0) => Ok(Err(self.crash(exit, config)).into()),
            Answer::Nothing => Ok(Err(self.crash(exit, config)).into()),
            Answer::Result(json) => Ok(check_result(json, config).into()),
            Answer::Bytes(bytes) if config.compatibility == Compatibility::Lambda => {
                Ok(Classification::of_bytes(check_bytes(bytes, config)))
            }
            Answer::Bytes(_) => Ok(Err(no_valid_answer()).into()),
            Answer::Error(json) => Ok(claimed_error(json, config)),
        }
    }

    fn crash(&self, exit: Exit, config: &FunctionConfig) -> ExecutionError {
        let signal = exit.signal.map(|number| Signal::try_from(number).map_err(|_| number));
        let ended_by = |signal: String| {
            let message = format!("the function's process was ended by {signal}");
            crashed(message).because(Cause::Signal(signal))
        };
        match signal {
            Some(Ok(Signal::SIGXCPU)) => timeout(config),
            Some(Ok(Signal::SIGXFSZ)) => scratch(config),
            Some(Ok(signal)) => ended_by(signal.to_string()),
            Some(Err(number)) => ended_by(format!("signal {number}")),
            None if self.logs.ends_with(b"[FATAL] failed to allocate memory\n") => memory(config),
            None => {
                let code = exit.code.unwrap_or_default();
                let message =
                    format!("the function's process ended with exit code {code} and without a result");
                crashed(message).because(Cause::ExitStatus(code))
            }
        }
    }
}

fn no_valid_answer() -> ExecutionError {
    crashed("the function's process gave no valid answer".to_owned())
}

fn claimed_error(json: &[u8], config: &FunctionConfig) -> Classification {
    let Ok(claimed) = serde_json::from_slice::<ClaimedError>(json) else {
        return Err(no_valid_answer()).into();
    };
    let retry = claimed.wish();
    let (kind, limit) = match claimed.kind {
        ClaimedKind::Exception => (ErrorKind::Exception, None),
        ClaimedKind::Syntax => (ErrorKind::Syntax, None),
        ClaimedKind::Memory => return Err(memory(config)).into(),
        ClaimedKind::Scratch => (ErrorKind::Scratch, Some(config.max_scratch_bytes)),
        ClaimedKind::ResultTooLarge => (ErrorKind::ResultTooLarge, Some(config.max_result_bytes)),
        ClaimedKind::ResultNotJson => (ErrorKind::ResultNotJson, None),
        ClaimedKind::Crash => (ErrorKind::Crash, None),
    };
    let ClaimedError { class, message, backtrace, .. } = claimed;
    let error = ExecutionError { kind, class, message, backtrace, cause: limit.map(Cause::Limit) };
    Classification { retry, ..Err(error.bounded()).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(answer: &[u8], code: Option<i32>, signal: Option<i32>) -> Result<String, ErrorKind> {
        let exit = Exit { pid: 7, code, signal, cpu_us: 0, max_rss_bytes: 0 };
        let report = RunReport { limit_hit: None, exit: Some(exit), from_zygote: true, answer, logs: b"" };
        report.classify(&FunctionConfig::default()).unwrap().result.map_err(|error| error.kind)
    }

    fn framed(kind: u8, json: &str) -> Vec<u8> {
        let length = (json.len() as u32).to_le_bytes();
        [&[frame::ARMED, kind][..], &length, json.as_bytes()].concat()
    }

    #[test]
    fn bytes_are_an_answer_of_what_is_made_for_lambda() {
        let answer = framed(frame::BYTES, "<p>");
        let lambda = FunctionConfig { compatibility: Compatibility::Lambda, ..FunctionConfig::default() };
        assert_eq!(read_answer(&answer, &lambda).unwrap(), Ok("\"PHA+\"".to_owned()));
        assert_eq!(classify(&answer, Some(0), None), Err(ErrorKind::Crash));
    }

    #[test]
    fn an_answer_counts_only_from_a_process_that_ended_well() {
        let answer = framed(frame::RESULT, "{\"a\":1}");
        assert_eq!(classify(&answer, Some(0), None), Ok("{\"a\":1}".to_owned()));
        assert_eq!(classify(&answer, Some(1), None), Err(ErrorKind::Crash));
        assert_eq!(classify(&answer, None, Some(9)), Err(ErrorKind::Crash));
        assert_eq!(classify(b"A", Some(0), None), Err(ErrorKind::Crash));
    }

    #[test]
    fn signals_of_limits_are_those_limits() {
        assert_eq!(classify(b"A", None, Some(Signal::SIGXCPU as i32)), Err(ErrorKind::Timeout));
        assert_eq!(classify(b"A", None, Some(Signal::SIGXFSZ as i32)), Err(ErrorKind::Scratch));
        assert_eq!(classify(b"A", None, Some(200)), Err(ErrorKind::Crash));
    }

    #[test]
    fn an_end_without_an_answer_is_told_as_data_too() {
        let cause = |code, signal| {
            let exit = Exit { pid: 7, code, signal, cpu_us: 0, max_rss_bytes: 0 };
            let report =
                RunReport { limit_hit: None, exit: Some(exit), from_zygote: true, answer: b"A", logs: b"" };
            report.classify(&FunctionConfig::default()).unwrap().result.unwrap_err().cause
        };
        assert_eq!(cause(Some(3), None), Some(Cause::ExitStatus(3)));
        assert_eq!(cause(None, Some(9)), Some(Cause::Signal("SIGKILL".to_owned())));
        assert_eq!(cause(None, Some(200)), Some(Cause::Signal("signal 200".to_owned())));
        assert_eq!(cause(None, Some(Signal::SIGXCPU as i32)), Some(Cause::Limit(30_000)));
    }

    #[test]
    fn a_forged_answer_is_no_result() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for json in ["", "{", "NaN", "{\"a\":}", "1 2", deep.as_str()] {
            assert_eq!(
                classify(&framed(frame::RESULT, json), Some(0), None),
                Err(ErrorKind::ResultNotJson),
                "{json}"
            );
        }
        let claims_ours = r#"{"kind":"worker_lost","type":null,"message":"","backtrace":[]}"#;
        assert_eq!(classify(&framed(frame::ERROR, claims_ours), Some(0), None), Err(ErrorKind::Crash));
    }

    #[test]
    fn a_wish_to_be_tried_again_is_bounded() {
        let wish = |retry: &str| {
            let json =
                format!(r#"{{"kind":"exception","type":"X","message":"","backtrace":[],"retry":{retry}}}"#);
            claimed_error(json.as_bytes(), &FunctionConfig::default()).retry
        };
        assert_eq!(wish("true"), RetryWish::Again(None));
        assert_eq!(wish("false"), RetryWish::Never);
        assert_eq!(wish("30.5"), RetryWish::Again(Some(Duration::from_millis(30_500))));
        assert_eq!(wish("-1"), RetryWish::Again(Some(Duration::ZERO)));
        assert_eq!(wish("1e300"), RetryWish::Again(Some(Duration::from_secs(39_600))));
        for nonsense in ["null", "\"soon\"", "[]", "{}"] {
            assert_eq!(wish(nonsense), RetryWish::AsConfigured, "{nonsense}");
        }
    }

    #[test]
    fn what_never_was_confined_is_our_failure() {
        let exit = Exit { pid: 7, code: Some(1), signal: None, cpu_us: 0, max_rss_bytes: 0 };
        let report = RunReport {
            limit_hit: None,
            exit: Some(exit),
            from_zygote: true,
            answer: b"setup_identity: EPERM",
            logs: b"",
        };
        let error = report.classify(&FunctionConfig::default()).unwrap_err();
        assert!(error.to_string().contains("setup_identity: EPERM"), "{error}");
        let long = [b'\n'; 1_000_000];
        let error = RunReport { answer: &long, ..report }.classify(&FunctionConfig::default()).unwrap_err();
        assert!(error.to_string().len() < 500 && !error.to_string().contains('\n'));
        // An execution that a template forked may write anything.
        let told = RunReport { from_zygote: false, ..report }.classify(&FunctionConfig::default()).unwrap();
        assert_eq!(told.result.unwrap_err().kind, ErrorKind::Crash);
    }
}
