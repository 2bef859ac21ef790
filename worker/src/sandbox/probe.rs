//! Checks that the confinement works: a script inside an execution tries what the layers must refuse. This runs at a
//! worker's start, and when an operator runs the doctor.

use std::fs;
use std::os::unix::fs::MetadataExt;

use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::{Form, FunctionConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Executor;
use super::task::{ExecutorError, Outcome, Task};

const PROBE: &str = include_str!("../../ruby/probe.rb");
/// Leaves behind a file, and a daemon in a session of its own that ignores SIGTERM, SIGHUP and SIGINT.
const LEAVE_A_DAEMON: &str = "pid = fork { Process.setsid; %w[TERM HUP INT].each { |name| trap(name, 'IGNORE') }; sleep }\n\
                              File.write('left', 'x'); pid";
/// The only variables that the probe's execution may have.
const VARIABLES: [&str; 6] =
    ["BADLAMBDA_FUNCTION_NAME", "BADLAMBDA_FUNCTION_VERSION", "HOME", "LANG", "PATH", "TMPDIR"];
/// What must hold in every tier, in addition to the layers.
const ALWAYS: [&str; 2] = ["environment", "file_system"];

/// One thing that must be refused, and what happened when it was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The layer that must refuse it.
    pub layer: String,
    /// What was tried.
    pub tried: String,
    /// Whether it was refused.
    pub held: bool,
    /// The error, or what was seen instead.
    pub answer: String,
}

impl Executor {
    /// Tries what the layers in force must refuse, and leaves a daemon behind that the cleaner must end.
    ///
    /// # Errors
    /// When executions can't be run at all.
    pub fn probe(&self) -> Result<Vec<Finding>, ExecutorError> {
        let mut claimed: Vec<&str> = self.isolation.layers.iter().map(String::as_str).collect();
        if !claimed.is_empty() {
            claimed.extend(ALWAYS);
        }
        let root = fs::metadata("/")?;
        let config = FunctionConfig::default();
        let event = json!({
            "layers": claimed,
            "worker_uid": nix::unistd::geteuid().as_raw(),
            "worker_root": [root.dev(), root.ino()],
            "too_large": config.max_scratch_bytes + 1,
            "variables": VARIABLES,
        });
        let outcome = self.run_own(PROBE, config, event)?;
        let answer = outcome.result.map_err(|error| ExecutorError::NotConfined(error.message))?;
        let rows: Vec<(String, String, bool, String)> =
            serde_json::from_str(&answer).map_err(|error| ExecutorError::NotConfined(error.to_string()))?;
        let mut findings: Vec<Finding> = rows
            .into_iter()
            .map(|(layer, tried, held, answer)| Finding { layer, tried, held, answer })
            .collect();
        if !claimed.is_empty() {
            findings.push(self.probe_sweep()?);
        }
        Ok(findings)
    }

    /// Runs the probe, and checks that every finding holds.
    ///
    /// # Errors
    /// [`ExecutorError::NotConfined`] with every finding that does not hold.
    pub fn self_test(&self) -> Result<(), ExecutorError> {
        let findings = self.probe()?;
        let holes: Vec<String> = findings
            .iter()
            .filter(|finding| !finding.held)
            .map(|Finding { layer, tried, answer, .. }| format!("{layer}: {tried} ({answer})"))
            .collect();
        if holes.is_empty() { Ok(()) } else { Err(ExecutorError::NotConfined(holes.join("; "))) }
    }

    /// Runs an execution that leaves a daemon and a file behind, and checks that the daemon was ended.
    fn probe_sweep(&self) -> Result<Finding, ExecutorError> {
        let config = FunctionConfig { subprocesses: true, ..FunctionConfig::default() };
        let outcome = self.run_own(LEAVE_A_DAEMON, config, Value::Null)?;
        let pid = outcome.result.map_err(|error| ExecutorError::NotConfined(error.message))?;
        let gone = !fs::exists(format!("/proc/{pid}"))?;
        let answer = if gone { "it was ended" } else { "it still runs" };
        Ok(Finding {
            layer: "sweep".to_owned(),
            tried: "leave a daemon running".to_owned(),
            held: gone,
            answer: answer.to_owned(),
        })
    }

    fn run_own(&self, code: &str, config: FunctionConfig, event: Value) -> Result<Outcome, ExecutorError> {
        self.execute(&Task {
            execution_id: "self-test".to_owned(),
            function: "self-test".to_owned(),
            version: 1,
            attempt: 1,
            form: Form::Script,
            revision: code.to_owned(),
            code: code.into(),
            layers: None,
            config,
            event: event.to_string(),
            trace: Trace::NONE,
            invocation: None,
            cancelled: None,
            progress: None,
        })
    }
}
