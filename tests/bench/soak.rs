//! Whether memory stays what it is over many executions.

use std::sync::atomic::{AtomicUsize, Ordering};

use badlambda_shared::function::Form;
use badlambda_worker::sandbox::Executor;

use crate::executor::{Setting, run, task};
use crate::processes;
use crate::report::Report;

const CALLERS: usize = 2;
const WARM_UP: usize = 1000;

/// Runs `runs` executions, of both forms in turn, and prints what worker, zygotes and templates held before and after.
pub fn measure(runs: usize) -> anyhow::Result<Report> {
    let executor = Setting::confined(CALLERS).start()?;
    let mut report = Report::default();
    some(&executor, WARM_UP)?;
    add(&mut report, "at the start")?;
    some(&executor, runs)?;
    add(&mut report, &format!("after {runs} executions"))?;
    Ok(report)
}

fn some(executor: &Executor, runs: usize) -> anyhow::Result<()> {
    let left = AtomicUsize::new(runs);
    let take_one = |left: usize| left.checked_sub(1);
    let call = || -> anyhow::Result<()> {
        let tasks = [Form::Script, Form::Handler].map(task);
        while let Ok(number) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one) {
            run(executor, &tasks[number % tasks.len()])?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        callers
            .into_iter()
            .try_for_each(|caller| caller.join().map_err(|_| anyhow::anyhow!("a caller panicked"))?)
    })
}

fn add(report: &mut Report, when: &str) -> anyhow::Result<()> {
    // Whatever was forked ahead by a template is given up by then.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let own = processes::mib(std::process::id(), "Rss").unwrap_or_default();
    report.add(format!("resident memory of the worker, {when}"), own, "MiB");
    report.add(
        format!("resident memory of the largest zygote, {when}"),
        processes::largest_resident_mib("badlambda-zygot")?,
        "MiB",
    );
    let dirty = processes::below("badlambda-zygot")?;
    let private =
        dirty.into_iter().filter_map(|pid| processes::mib(pid, "Private_Dirty")).fold(0.0, f64::max);
    report.add(format!("private memory of the largest template, {when}"), private, "MiB");
    Ok(())
}
