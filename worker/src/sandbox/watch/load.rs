//! Watching a load: a zygote forks the loader, which runs the top level and forks the template.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use badlambda_zygote::protocol::{Exit, Identity};
use badlambda_zygote::report::TemplateReport;

use super::pump::{Launch, Pump};
use super::{Bounds, Readable, Sources, Watch, Watched, watch};
use crate::sandbox::failures::LimitHit;
use crate::sandbox::output::Logs;
use crate::sandbox::reports::{TemplateReports, TemplateSays, ZygoteReports};
use crate::sandbox::sandbox::Sandbox;
use crate::sandbox::task::ExecutorError;
use crate::sandbox::zygotes::Channel;

/// How a load ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) enum LoadEnd {
    /// The template with this pid waits for requests.
    Loaded(i32),
    /// The loader ended without a template.
    Failed(Exit),
    /// The process that should be the template ended, or reported what it never should. Only function code can cause
    /// that.
    Broken,
}

/// The template's own ends of a socket and a pipe: it reads requests from one, and writes reports to the other.
pub(in crate::sandbox) struct TemplateEnds {
    pub(in crate::sandbox) requests: OwnedFd,
    pub(in crate::sandbox) reports: std::io::PipeWriter,
}

/// Launches a loader from the zygote at the other end of `channel`, and watches it until its template has reported,
/// or until none can report any more.
pub(in crate::sandbox) fn watch_load(
    bounds: Bounds<'_>,
    channel: &Channel,
    reports: &TemplateReports,
    launch: &Launch<'_>,
    template: TemplateEnds,
) -> Result<Watched<LoadEnd>, ExecutorError> {
    let mut pump = Pump::begin(bounds, Logs::default())?;
    pump.launch(channel.socket.as_fd(), launch, &[template.requests.as_fd(), template.reports.as_fd()])
        .map_err(|errno| ExecutorError::Zygote(errno.to_string()))?;
    // Close the worker's copies. Otherwise the pipe of reports would never come to its end.
    drop(template);
    let zygote = ZygoteReports::of(channel);
    let mut load = Load { zygote, reports, has_ended: false, pipe_has_ended: false, was_over: false };
    let end = watch(&mut load, &mut pump)?;
    let wall = pump.wall();
    if pump.read_rest() && matches!(end, LoadEnd::Failed(_)) {
        bounds.sandbox.end()?;
        pump.read_rest();
    }
    Ok(pump.finish(end, load.zygote.pid, wall))
}

struct Load<'a> {
    zygote: ZygoteReports<'a>,
    reports: &'a TemplateReports,
    /// Whether the loader has ended.
    has_ended: bool,
    /// Whether the pipe of reports has ended: no process is left that could report a template.
    pipe_has_ended: bool,
    /// Whether the processes held too much memory at the last look.
    was_over: bool,
}

impl Load<'_> {
    /// A loader that has forked its template ends with exit code 0 and without a frame in its answer, and the
    /// template then reports itself. Any other end, or no process that could report, means that the load has failed.
    fn loader_ended(&mut self, exit: Exit, pump: &mut Pump<'_>) -> Option<LoadEnd> {
        self.has_ended = true;
        pump.read_answer();
        let failed = exit.code != Some(0) || pump.answer.len() > 1 || self.pipe_has_ended;
        failed.then_some(LoadEnd::Failed(exit))
    }

    fn read_template(&mut self) -> Option<LoadEnd> {
        match self.reports.read() {
            TemplateSays::Nothing => None,
            // The zygote may report the loader's end later.
            TemplateSays::Report(TemplateReport::Loaded { pid }) => Some(LoadEnd::Loaded(pid)),
            // The load has failed. The zygote will report how the loader ended.
            TemplateSays::End if !self.has_ended => {
                self.pipe_has_ended = true;
                None
            }
            TemplateSays::Report(_) | TemplateSays::Nonsense | TemplateSays::End => Some(LoadEnd::Broken),
        }
    }
}

impl Watch for Load<'_> {
    type End = LoadEnd;
    const PATIENCE: Duration = Duration::from_secs(10);

    fn pid(&self) -> i32 {
        self.zygote.pid
    }

    fn parent_pid(&self) -> i32 {
        self.zygote.channel.zygote_pid
    }

    fn sources(&self) -> Sources<'_> {
        let template = (!self.pipe_has_ended).then(|| self.reports.as_fd());
        Sources { zygote: Some(self.zygote.channel.socket.as_fd()), template }
    }

    fn read_reports(
        &mut self,
        readable: &Readable,
        pump: &mut Pump<'_>,
    ) -> Result<Option<LoadEnd>, ExecutorError> {
        if readable.zygote
            && let Some(exit) = self.zygote.read()?
            && let Some(end) = self.loader_ended(exit, pump)
        {
            return Ok(Some(end));
        }
        Ok(if readable.template { self.read_template() } else { None })
    }

    fn look_at_memory(&mut self, identity: Identity, pump: &mut Pump<'_>) -> Option<LimitHit> {
        let is_over =
            pump.bounds.sampler.held_by(identity.template).resident_bytes > pump.bounds.memory_bytes();
        // For a moment, the loader and its template hold the same pages, which then count twice. So only two looks in
        // a row count.
        if std::mem::replace(&mut self.was_over, is_over) && is_over {
            return Some(LimitHit::Memory);
        }
        pump.look_at_executions(identity)
    }

    fn end_processes(&self, sandbox: &Sandbox) -> Result<(), ExecutorError> {
        sandbox.end_all()
    }

    fn overdue(&self) -> Result<LoadEnd, ExecutorError> {
        Ok(LoadEnd::Broken)
    }
}
