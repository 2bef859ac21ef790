//! Watching a script-form execution. A zygote forks it, and the worker trusts a zygote's reports.

use std::os::fd::AsFd;
use std::time::Duration;

use badlambda_zygote::protocol::{Exit, Identity};

use super::pump::{Launch, Pump};
use super::{Bounds, Readable, Sources, Watch, Watched, watch};
use crate::sandbox::failures::LimitHit;
use crate::sandbox::output::Logs;
use crate::sandbox::reports::ZygoteReports;
use crate::sandbox::sampler;
use crate::sandbox::sandbox::Sandbox;
use crate::sandbox::task::ExecutorError;
use crate::sandbox::zygotes::Channel;

/// Launches an execution from the zygote at the other end of `channel`, and watches it to its end.
pub(in crate::sandbox) fn watch_script(
    bounds: Bounds<'_>,
    channel: &Channel,
    launch: &Launch<'_>,
) -> Result<Watched<Exit>, ExecutorError> {
    let mut pump = Pump::begin(bounds, Logs::default())?;
    pump.launch(channel.socket.as_fd(), launch, &[])
        .map_err(|errno| ExecutorError::Zygote(errno.to_string()))?;
    let mut script = Script { zygote: ZygoteReports::of(channel) };
    let exit = watch(&mut script, &mut pump)?;
    let wall = pump.wall();
    // A process that still holds the pipes open is killed. The worker never waits for it to close them.
    if pump.read_rest() {
        bounds.sandbox.end()?;
        pump.read_rest();
    }
    Ok(pump.finish(exit, script.zygote.pid, wall))
}

struct Script<'a> {
    zygote: ZygoteReports<'a>,
}

impl Watch for Script<'_> {
    type End = Exit;
    const PATIENCE: Duration = Duration::from_secs(10);

    fn pid(&self) -> i32 {
        self.zygote.pid
    }

    fn parent_pid(&self) -> i32 {
        self.zygote.channel.zygote_pid
    }

    fn sources(&self) -> Sources<'_> {
        Sources { zygote: Some(self.zygote.channel.socket.as_fd()), template: None }
    }

    fn read_reports(&mut self, readable: &Readable, _: &mut Pump<'_>) -> Result<Option<Exit>, ExecutorError> {
        if readable.zygote { self.zygote.read() } else { Ok(None) }
    }

    fn look_at_memory(&mut self, identity: Identity, pump: &mut Pump<'_>) -> Option<LimitHit> {
        // Without subprocesses there is only one process, and the zygote's report of its pid can be trusted. So the
        // worker reads that process directly.
        if !pump.bounds.config.subprocesses {
            let resident = sampler::resident_bytes_of(self.pid());
            if resident > 0 {
                return pump.see_resident(resident);
            }
        }
        pump.look_at_executions(identity)
    }

    fn end_processes(&self, sandbox: &Sandbox) -> Result<(), ExecutorError> {
        sandbox.end()
    }

    fn overdue(&self) -> Result<Exit, ExecutorError> {
        Err(ExecutorError::NotCleaned)
    }
}
