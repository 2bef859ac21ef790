//! Watching one process from its fork to its end: wall clock, memory, scratch folder, logs, answer.
//!
//! One loop, in this file, serves all kinds of watch: wait ─▶ read the pipes ─▶ read the reports of the process that
//! forked this one ─▶ check the limits ─▶ kill what reached one. What all watches have in common is in pump.rs. What
//! depends on who forked the process is in script.rs (a zygote), load.rs (a zygote, and then the loader) and
//! handler.rs (a template).

mod handler;
mod load;
mod pump;
mod script;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use badlambda_shared::function::FunctionConfig;
use badlambda_zygote::protocol::Identity;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(super) use self::handler::{HandlerEnd, watch_handler};
pub(super) use self::load::{LoadEnd, TemplateEnds, watch_load};
pub(super) use self::pump::Launch;
use self::pump::Pump;
pub(super) use self::script::watch_script;
use crate::sandbox::failures::LimitHit;
use crate::sandbox::output::Logs;
use crate::sandbox::progress::Progress;
use crate::sandbox::sampler::{self, MemorySampler};
use crate::sandbox::sandbox::Sandbox;
use crate::sandbox::task::ExecutorError;

/// How long after the deadline the worker still waits to learn the process's pid. Then it kills what it can without
/// the pid.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// The limits of a process, and what is needed to check them.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) config: &'a FunctionConfig,
    pub(super) sampler: &'a MemorySampler,
    pub(super) deadline: Instant,
    pub(super) cancelled: Option<&'a OwnedFd>,
    pub(super) progress: Option<&'a Progress>,
}

impl Bounds<'_> {
    fn memory_bytes(&self) -> u64 {
        self.config.memory_mb << 20
    }
}

/// What a watch has found.
pub(super) struct Watched<E> {
    pub(super) end: E,
    pub(super) pid: i32,
    pub(super) limit_hit: Option<LimitHit>,
    pub(super) answer: Vec<u8>,
    pub(super) logs: Logs,
    pub(super) wall: Duration,
    /// How long the worker itself stood still meanwhile. The function is not to blame for this time.
    pub(super) stalled: Duration,
    pub(super) peak_bytes: u64,
}

/// Where reports on the process come from.
struct Sources<'a> {
    zygote: Option<BorrowedFd<'a>>,
    template: Option<BorrowedFd<'a>>,
}

/// Which of the sources have something to read.
struct Readable {
    zygote: bool,
    template: bool,
}

/// One kind of watch: who reports on the process, what belongs to it, and how it is ended.
trait Watch {
    type End;
    /// How long the process may take to be reaped after it was killed.
    const PATIENCE: Duration;

    /// The pid that was reported; 0 until then.
    fn pid(&self) -> i32;
    /// The parent that the process must have. Where there are no uids of their own, the worker knows the process by
    /// its parent.
    fn parent_pid(&self) -> i32;
    fn sources(&self) -> Sources<'_>;
    /// Reads one report from each source that has one. Returns how the process ended, if a report says that.
    fn read_reports(
        &mut self,
        readable: &Readable,
        pump: &mut Pump<'_>,
    ) -> Result<Option<Self::End>, ExecutorError>;
    /// Whether there may be a process that holds memory by now.
    fn has_begun(&self) -> bool {
        self.pid() != 0
    }
    /// Checks whether the processes of these uids hold more than they may.
    fn look_at_memory(&mut self, identity: Identity, pump: &mut Pump<'_>) -> Option<LimitHit>;
    /// Ends the processes of the sandbox's uids. Called only where the sandbox has uids of its own.
    fn end_processes(&self, sandbox: &Sandbox) -> Result<(), ExecutorError>;
    /// How the watch ends if nobody reaps the process that was killed.
    fn overdue(&self) -> Result<Self::End, ExecutorError>;
}

/// Watches the process that was launched, until it ends or has loaded its template.
fn watch<W: Watch>(watch: &mut W, pump: &mut Pump<'_>) -> Result<W::End, ExecutorError> {
    let mut killed_at = None;
    loop {
        let readable = pump.wait(&watch.sources(), killed_at.map(|_| W::PATIENCE))?;
        if let Some(end) = watch.read_reports(&readable, pump)? {
            return Ok(end);
        }
        let now = Instant::now();
        if pump.limit_hit.is_none() {
            pump.limit_hit = pump.limit_reached(now).or_else(|| sample(watch, pump, now));
        }
        match (pump.limit_hit, killed_at) {
            (Some(_), None) if watch.pid() != 0 || now > pump.deadline() + START_PATIENCE => {
                killed_at = Some(now);
                end(watch, pump.bounds.sandbox)?;
            }
            (_, Some(killed_at)) if now.duration_since(killed_at) > W::PATIENCE => return watch.overdue(),
            _ => {}
        }
    }
}

/// Looks at memory, and less often at the scratch folder and the CPU time, if it is time for the next look.
fn sample<W: Watch>(watch: &mut W, pump: &mut Pump<'_>, now: Instant) -> Option<LimitHit> {
    if !watch.has_begun() || !pump.sample_is_due(now) {
        return None;
    }
    let by_memory = match pump.bounds.sandbox.identity {
        Some(identity) => watch.look_at_memory(identity, pump),
        None => pump.see_resident(sampler::resident_bytes_of(watch.pid())),
    };
    pump.tell_progress(watch.pid(), now);
    by_memory.or_else(|| pump.look_at_scratch())
}

fn end<W: Watch>(watch: &W, sandbox: &Sandbox) -> Result<(), ExecutorError> {
    if sandbox.identity.is_some() {
        return watch.end_processes(sandbox);
    }
    // Without uids of their own, the reported pid may be false. So the worker kills only a child of the process that
    // should have forked it.
    let pid = watch.pid();
    if sampler::parent_of(pid) == Some(watch.parent_pid()) {
        let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL);
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    Ok(())
}
