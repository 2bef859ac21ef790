//! Watching a handler-form execution. A template forks it, and a template is function code, so its reports may be
//! false.

use std::os::fd::AsFd;
use std::time::Duration;

use badlambda_zygote::protocol::{Exit, Identity};
use badlambda_zygote::report::TemplateReport;

use super::pump::{Launch, Pump};
use super::{Bounds, Readable, Sources, Watch, Watched, watch};
use crate::sandbox::failures::LimitHit;
use crate::sandbox::output::Logs;
use crate::sandbox::reports::TemplateSays;
use crate::sandbox::sandbox::Sandbox;
use crate::sandbox::task::ExecutorError;
use crate::sandbox::templates::{BUSY_PROCESSES, Template};

/// How long a killed execution may take to be reaped. Function code may keep its template from doing that.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long the check of a new template first waits for the execution to be confined.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// How a handler-form execution ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) enum HandlerEnd {
    /// The template reported that the execution ended and was reaped.
    Exited(Exit),
    /// The template ended, or reported what it never should. Only function code can cause that.
    Broken,
    /// The template took no request: it had ended before.
    NotAsked,
}

/// Asks the template for an execution, and watches the execution to its end. Its logs are added to `logs`. If a
/// `loader` has just forked the template, the worker checks the template meanwhile, because the check takes as long
/// as a short execution.
pub(in crate::sandbox) fn watch_handler(
    bounds: Bounds<'_>,
    template: &Template,
    launch: &Launch<'_>,
    logs: Logs,
    loader: Option<i32>,
) -> Result<Watched<HandlerEnd>, ExecutorError> {
    let mut pump = Pump::begin(bounds, logs)?;
    let mut handler = Handler { template, pid: 0 };
    let end = match pump.launch(template.requests.as_fd(), launch, &[]) {
        Err(_) => HandlerEnd::NotAsked,
        Ok(()) if is_alone(template, loader, &pump) => watch(&mut handler, &mut pump)?,
        Ok(()) => {
            pump.limit_hit = Some(LimitHit::LeftProcesses);
            HandlerEnd::Broken
        }
    };
    let wall = pump.wall();
    if pump.read_rest() && matches!(end, HandlerEnd::Exited(_)) {
        let _ = bounds.sandbox.end_within(PATIENCE);
        pump.read_rest();
    }
    Ok(pump.finish(end, handler.pid, wall))
}

fn is_alone(template: &Template, loader: Option<i32>, pump: &Pump<'_>) -> bool {
    // A template that is not new was checked before. Without uids of their own, `adopt` has checked the template's
    // parent.
    let (Some(loader), Some(identity)) = (loader, template.sandbox.identity) else { return true };
    // The check stops all processes of the template's uid. An execution that has written to its answer has a uid of
    // its own, and is not stopped. The wait also ends at a report of the template, or after `LOOK_AFTER`.
    pump.wait_until_written(template.reports.as_fd(), LOOK_AFTER);
    template.is_alone(identity, loader)
}

struct Handler<'a> {
    template: &'a Template,
    pid: i32,
}

impl Watch for Handler<'_> {
    type End = HandlerEnd;
    const PATIENCE: Duration = PATIENCE;

    fn pid(&self) -> i32 {
        self.pid
    }

    fn parent_pid(&self) -> i32 {
        self.template.pid
    }

    fn sources(&self) -> Sources<'_> {
        Sources { zygote: None, template: Some(self.template.reports.as_fd()) }
    }

    /// Expects the start of one execution, and then its end. Any other report means that the template is broken.
    fn read_reports(
        &mut self,
        readable: &Readable,
        _: &mut Pump<'_>,
    ) -> Result<Option<HandlerEnd>, ExecutorError> {
        if !readable.template {
            return Ok(None);
        }
        Ok(match self.template.reports.read() {
            TemplateSays::Nothing => None,
            TemplateSays::Report(TemplateReport::Started { pid }) if self.pid == 0 => {
                self.pid = pid;
                None
            }
            TemplateSays::Report(TemplateReport::Exited(exit)) if self.pid == exit.pid => {
                Some(HandlerEnd::Exited(exit))
            }
            TemplateSays::Report(_) | TemplateSays::Nonsense | TemplateSays::End => Some(HandlerEnd::Broken),
        })
    }

    /// The template is there, and holds memory, before its execution is.
    fn has_begun(&self) -> bool {
        true
    }

    fn look_at_memory(&mut self, identity: Identity, pump: &mut Pump<'_>) -> Option<LimitHit> {
        let template = pump.bounds.sampler.held_by(identity.template);
        if template.processes.len() > BUSY_PROCESSES {
            return Some(LimitHit::Broken);
        }
        if template.largest_bytes > pump.bounds.memory_bytes() {
            return Some(LimitHit::Memory);
        }
        pump.look_at_executions(identity)
    }

    /// If the template has reported no execution, or does not reap the one that was killed, the template must end,
    /// too.
    fn end_processes(&self, sandbox: &Sandbox) -> Result<(), ExecutorError> {
        if self.pid != 0 && sandbox.end_within(PATIENCE).is_ok() {
            return Ok(());
        }
        sandbox.end_all()
    }

    fn overdue(&self) -> Result<HandlerEnd, ExecutorError> {
        Ok(HandlerEnd::Broken)
    }
}
