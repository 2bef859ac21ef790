//! The executor alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use badlambda_shared::function::{Form, FunctionConfig};
use badlambda_worker::sandbox::{Executor, ExecutorConfig, IsolationMode, Task};

use crate::baseline;
use crate::report::Report;

const WARM_UP: usize = 50;
const RUNS: usize = 2000;
const SCRIPT: &str = r#"{ greeting: "Hello, #{event.fetch("name")}!" }"#;
const HANDLER: &str =
    "def handler(event:, context:)\n  { greeting: \"Hello, #{event.fetch(\"name\")}!\" }\nend\n";

/// Rates with and without layers, latencies, and the baselines.
pub fn measure() -> anyhow::Result<Report> {
    let mut report = Report::default();
    let plain = baseline::plain_ruby()?;
    report.add("plain Ruby fork + eval + JSON, one core", plain, "executions/s");
    let sandbox = baseline::bubblewrap()?;
    if let Some(rate) = sandbox {
        report.add("bwrap + ruby for each", rate, "executions/s");
    }
    let bare = rate_of(IsolationMode::None, 1, 1, Form::Script, RUNS)?.0;
    let (one, latencies) = rate_of(IsolationMode::Required, 1, 1, Form::Script, RUNS)?;
    let (two, _) = rate_of(IsolationMode::Required, 2, 2, Form::Script, RUNS)?;
    let (handlers, handler_latencies) = rate_of(IsolationMode::Required, 1, 1, Form::Handler, RUNS)?;
    report.add("executor, no layers, one zygote", bare, "executions/s");
    report.add("executor, all layers, one zygote", one, "executions/s");
    report.add("executor, all layers, two zygotes, two callers", two, "executions/s");
    report.add("executor, handler form, one template", handlers, "executions/s");
    report.add_latencies("one script-form execution", latencies);
    report.add_latencies("one handler-form execution", handler_latencies);
    report.add("all layers against plain Ruby", one / plain, "×");
    report.add("the tax of all layers", (1.0 - one / bare) * 100.0, "%");
    if let Some(rate) = sandbox {
        report.add("all layers against bwrap + ruby", one / rate, "×");
    }
    Ok(report)
}

/// One kind of execution, with a zygote per caller.
pub fn measure_only(form: Form, runs: usize, callers: usize) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let (rate, latencies) = rate_of(IsolationMode::Required, callers, callers, form, runs)?;
    report.add("executor, all layers", rate, "executions/s");
    report.add_latencies("one execution", latencies);
    Ok(report)
}

/// Executions per second of `callers` threads, and the latencies of each.
fn rate_of(
    isolation: IsolationMode,
    zygotes: usize,
    callers: usize,
    form: Form,
    runs: usize,
) -> anyhow::Result<(f64, Vec<Duration>)> {
    let program = std::env::current_exe()?;
    let programs = program.parent().context("this program lies in no folder")?.to_owned();
    let scratch = badlambda_worker::config::default_scratch();
    let config = ExecutorConfig {
        isolation,
        network: false,
        jail: None,
        scratch,
        zygotes,
        templates: 4,
        preload: vec![],
        programs,
    };
    let executor = Executor::start(&config)?;
    let run_some = |runs: usize| -> anyhow::Result<Vec<Duration>> {
        let task = task(form);
        (0..runs)
            .map(|_| {
                let started = Instant::now();
                let outcome = executor.execute(&task)?;
                outcome.result.map_err(|error| anyhow::anyhow!("{error:?}"))?;
                Ok(started.elapsed())
            })
            .collect()
    };
    run_some(WARM_UP)?;
    let started = Instant::now();
    let latencies = std::thread::scope(|scope| -> anyhow::Result<Vec<Duration>> {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(|| run_some(runs / callers))).collect();
        let mut all = vec![];
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??);
        }
        Ok(all)
    })?;
    let rate = latencies.len() as f64 / started.elapsed().as_secs_f64();
    Ok((rate, latencies))
}

fn task(form: Form) -> Task {
    let code = if form == Form::Script { SCRIPT } else { HANDLER };
    Task {
        execution_id: "bench".to_owned(),
        function: "bench".to_owned(),
        version: 1,
        attempt: 1,
        form,
        code_sha256: code.to_owned(),
        code: Arc::from(code),
        config: FunctionConfig::default(),
        event: r#"{"name":"Ada"}"#.to_owned(),
        cancelled: None,
    }
}
