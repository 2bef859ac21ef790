//! A real executor, and what to give it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::{Form, FunctionConfig};
use badlambda_worker::config::{default_packages, default_scratch};
use badlambda_worker::sandbox::{Executor, ExecutorConfig, IsolationMode, Outcome, Task, Tuning};
use serde_json::{Value, json};

use crate::programs::built;

pub fn executor() -> &'static Executor {
    static EXECUTOR: OnceLock<Executor> = OnceLock::new();
    EXECUTOR.get_or_init(|| start(4))
}

/// Starts one as the worker would be configured: in a container, its image says where the jail is.
pub fn start(templates: usize) -> Executor {
    start_in(std::env::var_os("BADLAMBDA_JAIL").map(PathBuf::from), templates)
}

pub fn start_in(jail: Option<PathBuf>, templates: usize) -> Executor {
    let scratch = jail.as_ref().map_or_else(default_scratch, |jail| jail.join("scratch"));
    Executor::start(&ExecutorConfig { jail, scratch, templates, ..config() }).unwrap()
}

/// How an executor is configured here.
pub fn config() -> ExecutorConfig {
    let jail = std::env::var_os("BADLAMBDA_JAIL").map(PathBuf::from);
    let root = nix::unistd::geteuid().is_root();
    ExecutorConfig {
        isolation: if root { IsolationMode::Required } else { IsolationMode::Unprivileged },
        network: false,
        account: Account::default(),
        scratch: jail.as_ref().map_or_else(default_scratch, |jail| jail.join("scratch")),
        packages: jail.as_ref().map_or_else(default_packages, |jail| jail.join("packages")),
        jail,
        zygotes: 2,
        templates: 4,
        preload: vec![],
        programs: programs(),
        tuning: Tuning::default(),
        start_patience: Duration::from_secs(60),
    }
}

fn programs() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| built(&["--workspace", "--bin", "badlambda-zygote", "--bin", "badlambda-cleaner"]))
        .clone()
}

pub fn task(form: Form, code: &str, config: Value, event: Value) -> Task {
    Task {
        execution_id: "test-1".to_owned(),
        function: "test".to_owned(),
        version: 1,
        attempt: 1,
        form,
        revision: code.to_owned(),
        code: code.into(),
        layers: None,
        config: serde_json::from_value::<FunctionConfig>(config).unwrap(),
        event: event.to_string(),
        trace: Trace::NONE,
        invocation: None,
        cancelled: None,
        progress: None,
    }
}

pub fn run(code: &str, config: Value, event: Value) -> Outcome {
    executor().execute(&task(Form::Script, code, config, event)).unwrap()
}

pub fn handler(code: &str, event: Value) -> Outcome {
    executor().execute(&task(Form::Handler, code, json!({}), event)).unwrap()
}

pub fn result(outcome: &Outcome) -> Value {
    match &outcome.result {
        Ok(json) => serde_json::from_str(json).unwrap(),
        Err(error) => panic!("{error:?}\n{}", String::from_utf8_lossy(&outcome.logs)),
    }
}

pub fn kind(outcome: &Outcome) -> ErrorKind {
    outcome.result.as_ref().expect_err("a failure").kind
}
