//! The executor alone.

use std::time::{Duration, Instant};

use anyhow::Context;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::{Form, FunctionConfig};
use badlambda_worker::sandbox::{Executor, ExecutorConfig, IsolationMode, Task, Tuning};

use crate::baseline;
use crate::report::{Report, median};

const WARM_UP: usize = 50;
const RUNS: usize = 2000;
const NEW_VERSIONS: u32 = 100;
const SCRIPT: &str = r#"{ greeting: "Hello, #{event.fetch("name")}!" }"#;
const HANDLER: &str =
    "def handler(event:, context:)\n  { greeting: \"Hello, #{event.fetch(\"name\")}!\" }\nend\n";
/// Some 100 MB of small objects, as large libraries leave them.
const BALLAST: &str = "BALLAST = Array.new(1_100_000) { |n| [n.to_s * 3, n] }\n";

/// What to start an executor with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What confines executions.
    pub isolation: IsolationMode,
    /// How many zygotes there are, and callers beside one another.
    pub zygotes: usize,
    /// Libraries to load before.
    pub preload: Vec<String>,
    /// How the zygotes prepare their memory.
    pub tuning: Tuning,
}

impl Setting {
    /// All layers, and nothing loaded before.
    pub fn confined(zygotes: usize) -> Self {
        Self { isolation: IsolationMode::Required, zygotes, preload: vec![], tuning: Tuning::default() }
    }

    /// Starts it.
    pub fn start(&self) -> anyhow::Result<Executor> {
        let program = std::env::current_exe()?;
        let programs = program.parent().context("this program lies in no folder")?.to_owned();
        Ok(Executor::start(&ExecutorConfig {
            isolation: self.isolation,
            network: false,
            account: Account::default(),
            jail: None,
            scratch: badlambda_worker::config::default_scratch(),
            packages: badlambda_worker::config::default_packages(),
            zygotes: self.zygotes,
            templates: 4,
            preload: self.preload.clone(),
            programs,
            tuning: self.tuning,
            start_patience: Duration::from_secs(60),
        })?)
    }
}

/// Rates with and without layers, latencies, and the baselines.
pub fn measure() -> anyhow::Result<Report> {
    let mut report = Report::default();
    let bare = Setting { isolation: IsolationMode::None, ..Setting::confined(1) };
    let one = Setting::confined(1);
    // In turns, so that what else the machine does meets all alike; medians of these.
    let (mut plain, mut plain_twice, mut unconfined, mut confined, mut twice, mut handlers) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    let (mut latencies, mut handler_latencies, mut around) = (vec![], vec![], vec![]);
    for _ in 0..5 {
        plain.push(baseline::plain_ruby(1)?);
        plain_twice.push(baseline::plain_ruby(2)?);
        unconfined.push(Rate::of(&bare, Form::Script, RUNS)?.per_second);
        let script = Rate::of(&one, Form::Script, RUNS)?;
        confined.push(script.per_second);
        latencies.extend(script.latencies);
        around.extend(script.around);
        twice.push(Rate::of(&Setting::confined(2), Form::Script, 2 * RUNS)?.per_second);
        let handler = Rate::of(&one, Form::Handler, RUNS)?;
        handlers.push(handler.per_second);
        handler_latencies.extend(handler.latencies);
    }
    let [plain, plain_twice, unconfined, confined, twice, handlers] =
        [plain, plain_twice, unconfined, confined, twice, handlers].map(median);
    report.add("plain Ruby fork + eval + JSON, one loop", plain, "executions/s");
    report.add("plain Ruby fork + eval + JSON, two loops at once", plain_twice, "executions/s");
    report.add("executor, no layers, one zygote", unconfined, "executions/s");
    report.add("executor, all layers, one zygote", confined, "executions/s");
    report.add("executor, all layers, two zygotes, two callers", twice, "executions/s");
    report.add("executor, all layers, handler form, one template", handlers, "executions/s");
    report.add_latencies("one script-form execution", latencies);
    report.add_latencies("one handler-form execution", handler_latencies);
    report.add_latencies("of it before and after the run: judging, cleaning", around);
    report.add("one zygote against one plain loop", confined / plain, "×");
    report.add("two zygotes against two plain loops", twice / plain_twice, "×");
    report.add("the tax of all layers", (1.0 - confined / unconfined) * 100.0, "%");
    if let Some(rate) = baseline::bubblewrap()? {
        report.add("bwrap + ruby for each", rate, "executions/s");
        report.add("one zygote against bwrap + ruby", confined / rate, "×");
    }
    first_runs(&mut report)?;
    ballast(&mut report, confined)?;
    Ok(report)
}

/// One kind of execution, with a zygote per caller.
pub fn measure_only(form: Form, runs: usize, callers: usize) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let rate = Rate::of(&Setting::confined(callers), form, runs)?;
    report.add("executor, all layers", rate.per_second, "executions/s");
    report.add_latencies("one execution", rate.latencies);
    Ok(report)
}

/// Executions a second of two callers with a zygote each.
pub fn rate_of_two(form: Form, runs: usize) -> anyhow::Result<f64> {
    Ok(Rate::of(&Setting::confined(2), form, runs)?.per_second)
}

/// What each way of preparing a zygote's memory pays: rates with all of them, and without one.
pub fn measure_tuning() -> anyhow::Result<Report> {
    let all = Tuning::default();
    let without = [
        ("stacks set aside for fibers", Tuning { few_fiber_stacks: false, ..all }),
        ("a heap that begins anywhere", Tuning { aligned_heap: false, ..all }),
        ("no huge pages for the heap", Tuning { huge_pages: false, ..all }),
        ("no huge pages for code", Tuning { huge_code: false, ..all }),
        ("the transient heap in no file", Tuning { transient_heap_in_file: false, ..all }),
        ("gaps in the heap", Tuning { filled_gaps: false, ..all }),
    ];
    // One for each of two cores, so that no fork ahead of need is for nothing.
    let rate = |tuning: Tuning| -> anyhow::Result<f64> {
        Ok(Rate::of(&Setting { tuning, ..Setting::confined(2) }, Form::Script, RUNS)?.per_second)
    };
    let mut rates = vec![vec![]; without.len() + 1];
    // In turns, so that what else the machine does meets all alike.
    for _ in 0..5 {
        rates[0].push(rate(all)?);
        for (place, (_, tuning)) in without.iter().enumerate() {
            rates[place + 1].push(rate(*tuning)?);
        }
    }
    let mut rates = rates.into_iter().map(median);
    let mut report = Report::default();
    let with_all = rates.next().unwrap_or_default();
    report.add("executor, two zygotes, all tunings", with_all, "executions/s");
    for ((name, _), rate) in without.iter().zip(rates) {
        report.add(format!("the same with {name}"), rate, "executions/s");
        report.add("all against it", with_all / rate, "×");
    }
    Ok(report)
}

/// First runs alone.
pub fn measure_loads() -> anyhow::Result<Report> {
    let mut report = Report::default();
    first_runs(&mut report)?;
    Ok(report)
}

/// What a version's first execution costs over its later ones, where its own load takes no time.
fn first_runs(report: &mut Report) -> anyhow::Result<()> {
    let executor = Setting::confined(1).start()?;
    let (mut first, mut second) = (vec![], vec![]);
    for version in 0..NEW_VERSIONS {
        let task = Task { version, ..task(Form::Handler) };
        for latencies in [&mut first, &mut second] {
            let started = Instant::now();
            run(&executor, &task)?;
            latencies.push(started.elapsed());
        }
    }
    let milliseconds =
        |all: Vec<Duration>| median(all.iter().map(|one| one.as_secs_f64() * 1000.0).collect());
    let (first, second) = (milliseconds(first), milliseconds(second));
    report.add("first run of a new version, p50", first, "ms");
    report.add("first run over the second, p50", first - second, "ms");
    Ok(())
}

/// The rate with large libraries loaded before.
fn ballast(report: &mut Report, without: f64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let library = folder.path().join("ballast.rb");
    std::fs::write(&library, BALLAST)?;
    let setting = Setting { preload: vec![library.display().to_string()], ..Setting::confined(1) };
    let rate = Rate::of(&setting, Form::Script, RUNS)?;
    report.add("executor, all layers, one zygote, 100 MB preloaded", rate.per_second, "executions/s");
    report.add("with 100 MB preloaded against without", rate.per_second / without, "×");
    report.add("resident memory of a zygote with it", rate.zygote_mib, "MiB");
    Ok(())
}

struct Rate {
    per_second: f64,
    latencies: Vec<Duration>,
    /// What of each latency was not the run itself.
    around: Vec<Duration>,
    zygote_mib: f64,
}

impl Rate {
    fn of(setting: &Setting, form: Form, runs: usize) -> anyhow::Result<Self> {
        let executor = setting.start()?;
        let task = task(form);
        let run_some = |runs: usize| -> anyhow::Result<Vec<(Duration, Duration)>> {
            (0..runs)
                .map(|_| {
                    let started = Instant::now();
                    let wall = run(&executor, &task)?;
                    let latency = started.elapsed();
                    Ok((latency, latency.saturating_sub(wall)))
                })
                .collect()
        };
        run_some(WARM_UP)?;
        let started = Instant::now();
        let measured = std::thread::scope(|scope| -> anyhow::Result<Vec<_>> {
            let threads: Vec<_> =
                (0..setting.zygotes).map(|_| scope.spawn(|| run_some(runs / setting.zygotes))).collect();
            let mut all = vec![];
            for thread in threads {
                all.extend(thread.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??);
            }
            Ok(all)
        })?;
        let per_second = measured.len() as f64 / started.elapsed().as_secs_f64();
        let zygote_mib = crate::processes::largest_resident_mib("badlambda-zygot")?;
        let (latencies, around) = measured.into_iter().unzip();
        Ok(Self { per_second, latencies, around, zygote_mib })
    }
}

/// Runs a task that must succeed; returns how long the run itself took.
pub fn run(executor: &Executor, task: &Task) -> anyhow::Result<Duration> {
    let outcome = executor.execute(task)?;
    outcome.result.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(Duration::from_secs_f64(outcome.usage.wall_ms / 1000.0))
}

/// The trivial function.
pub fn task(form: Form) -> Task {
    let code = if form == Form::Script { SCRIPT } else { HANDLER };
    Task {
        execution_id: "bench".to_owned(),
        function: "bench".to_owned(),
        version: 1,
        attempt: 1,
        form,
        revision: code.to_owned(),
        code: code.into(),
        layers: None,
        config: FunctionConfig::default(),
        event: r#"{"name":"Ada"}"#.to_owned(),
        trace: Trace::NONE,
        invocation: None,
        cancelled: None,
        progress: None,
    }
}
