//! What came of a run: for a person on a terminal, or as a line of JSON.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::Duration;

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::{Execution, Status};
use console::{StyledObject, style};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use similar::TextDiff;

use crate::dev::inputs::Input;
use crate::dev::watch::{Cause, Change};
use crate::executions::outcome::describe;
use crate::output::{Failure, colored_diff, for_stdout, pretty_json, print, print_styled};

/// For as long a diff may be refined.
const DIFF_TIME: Duration = Duration::from_millis(50);

/// How a run ended.
pub struct Ended {
    /// Its execution.
    pub execution: Execution,
    /// The whole result, as JSON; empty without one.
    pub result: String,
    /// What it logged.
    pub logs: String,
}

/// A run.
pub struct Report<'a> {
    /// Why it was made.
    pub change: Change,
    /// With which input, where it came that far.
    pub input: Option<&'a Input>,
    /// How it ended, or why it did not begin.
    pub ended: Result<Ended, Failure>,
}

/// The runs so far.
#[derive(Default)]
pub struct Reports {
    /// How many there were.
    runs: u64,
    /// The last result of each input, as it is shown.
    results: HashMap<Option<ExecutionId>, String>,
}

/// A run, for programs.
#[derive(Serialize)]
struct Line<'a> {
    run: u64,
    cause: &'static str,
    replay_of: Option<&'a ExecutionId>,
    status: &'static str,
    result: Option<Box<RawValue>>,
    diff: Option<&'a str>,
    logs: &'a str,
    error: Option<Value>,
    wall_ms: Option<f64>,
    total_ms: f64,
}

impl Reports {
    /// Shows the next run.
    pub fn show(&mut self, report: Report) -> Result<(), Failure> {
        self.runs += 1;
        let replay_of = report.input.and_then(|input| input.replay_of.clone());
        let result = report.ended.as_ref().ok().filter(|ended| ended.execution.status == Status::Succeeded);
        let result = result.map(|ended| pretty_json(&ended.result));
        let diff = result.clone().and_then(|result| {
            let before = self.results.insert(replay_of, result.clone())?;
            Some(
                TextDiff::configure()
                    .timeout(DIFF_TIME)
                    .diff_lines(before.as_str(), result.as_str())
                    .unified_diff()
                    .to_string(),
            )
        });
        if std::io::stdout().is_terminal() {
            print_styled(&self.text(&report, result.as_deref(), diff.as_deref()))
        } else {
            let line = serde_json::to_string(&self.line(&report, diff.as_deref()));
            print(&(line.map_err(anyhow::Error::from)? + "\n"))
        }
    }

    fn line<'a>(&self, report: &'a Report, diff: Option<&'a str>) -> Line<'a> {
        let ended = report.ended.as_ref().ok();
        let error = match &report.ended {
            Ok(ended) => ended.execution.error.as_ref().and_then(|error| serde_json::to_value(error).ok()),
            Err(failure) => {
                let kind = if matches!(failure, Failure::FunctionFailed(_)) { "syntax" } else { "refused" };
                Some(json!({"kind": kind, "type": null, "message": failure.to_string(), "backtrace": []}))
            }
        };
        Line {
            run: self.runs,
            cause: match report.change.cause {
                Cause::Start => "start",
                Cause::Code => "code",
                Cause::Input => "input",
            },
            replay_of: report.input.and_then(|input| input.replay_of.as_ref()),
            status: ended.map_or("failed", |ended| ended.execution.status.name()),
            result: ended.and_then(|ended| RawValue::from_string(ended.result.clone()).ok()),
            diff,
            logs: ended.map_or("", |ended| &ended.logs),
            error,
            wall_ms: ended.and_then(|ended| Some(ended.execution.usage?.wall_ms)),
            total_ms: report.change.at.elapsed().as_secs_f64() * 1000.0,
        }
    }

    fn text(&self, report: &Report, result: Option<&str>, diff: Option<&str>) -> String {
        let mut text = format!("{}\n", self.head(report));
        match &report.ended {
            Err(failure) => text += &for_stdout(&format!("{failure}\n")),
            Ok(Ended { execution, .. }) => {
                if let Some(error) = &execution.error {
                    text += &for_stdout(&format!("{}\n", describe(error)));
                }
            }
        }
        text += &for_stdout(result.unwrap_or_default());
        match diff {
            Some("") => text += &part("the result is as before"),
            Some(diff) => text += &(part("what changed") + &colored_diff(&for_stdout(diff))),
            None => {}
        }
        if let Ok(Ended { logs, .. }) = &report.ended
            && !logs.is_empty()
        {
            let end = if logs.ends_with('\n') { "" } else { "\n" };
            text += &(part("logs") + &for_stdout(logs) + end);
        }
        text + "\n"
    }

    /// Which run it was, how it ended, and how long it took.
    fn head(&self, report: &Report) -> StyledObject<String> {
        let mut head = format!("run {}", self.runs);
        if let Some(id) = report.input.and_then(|input| input.replay_of.as_ref()) {
            let _ = write!(head, ", with the input of {id}");
        }
        let total = report.change.at.elapsed().as_millis();
        let since = if report.change.cause == Cause::Start { "the start" } else { "the save" };
        match &report.ended {
            Ok(Ended { execution, .. }) => {
                let ms =
                    execution.usage.map_or(String::new(), |usage| format!(" in {:.1} ms", usage.wall_ms));
                let _ = write!(head, " {}{ms}, {total} ms after {since}", execution.status.name());
            }
            Err(_) => head += " failed",
        }
        let succeeded = report.ended.as_ref().is_ok_and(|ended| ended.execution.status == Status::Succeeded);
        if succeeded { style(head).green().bold() } else { style(head).red().bold() }
    }
}

/// The head of a part.
fn part(name: &str) -> String {
    format!("{}\n", style(format!("── {name}")).dim())
}
