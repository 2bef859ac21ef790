//! The loaded templates that wait for executions. There is a maximum number of them, beyond which the least recently
//! used is ended first.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use badlambda_shared::process::metrics::Counted;
use badlambda_zygote::processes::{any_process_of, open_process};
use badlambda_zygote::protocol::Identity;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::packages::Unpacked;
use super::reports::TemplateReports;
use super::sampler::{MemorySampler, Process, cpu_ticks_of, held_below, holds_memory, parent_of};
use super::sandbox::Sandbox;
use super::sandboxes::Sandboxes;
use super::zygotes::{Channel, lock};
use crate::metrics::{SANDBOXES_GIVEN_UP, TEMPLATES_ENDED};

/// After this many executions, a template is ended and loaded anew, because its CPU time has a limit (RLIMIT_CPU).
const MOST_EXECUTIONS: u32 = 20_000;
/// A template that has waited for this long without an execution is ended, too.
const IDLE_FOR: Duration = Duration::from_secs(15 * 60);
/// A waiting template uses almost no CPU time: it only forks one process ahead. It is ended if it uses more than this
/// between two looks of the watchdog. In clock ticks, a hundredth of a second each.
const IDLE_TICKS: u64 = 5;
/// The processes of a waiting template: itself, and the process that it forked ahead.
const IDLE_PROCESSES: usize = 2;
/// The processes with a template's uid during an execution: the template, the execution until it has a uid of its
/// own, and the process that was forked ahead.
pub(super) const BUSY_PROCESSES: usize = 3;

/// How long a loader may take to end once its template is there, and how long the worker pauses between two looks.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_micros(50);

/// What makes two templates interchangeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateKey {
    pub(super) function: String,
    pub(super) version: u32,
    pub(super) revision: String,
}

/// A template, with the sandbox it lives in.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) key: TemplateKey,
    pub(super) sandbox: Sandbox,
    /// The template's requests are written to this socket. Nothing can be read from it.
    pub(super) requests: OwnedFd,
    pub(super) reports: TemplateReports,
    /// The channel to the zygote that forked its loader.
    pub(super) zygote_channel: Channel,
    pub(super) pid: i32,
    /// A descriptor of the template's process, which becomes readable when the process ends.
    pub(super) process: Option<OwnedFd>,
    /// The loader, where it stays as the template's parent.
    pub(super) loader: Loader,
    /// Its code, where that came in a zip, and its layers: it may read more of them at any time.
    pub(super) _unpacked: Vec<Arc<Unpacked>>,
    /// How much memory it may hold, in bytes.
    pub(super) memory_bytes: u64,
    /// How many executions it has served.
    pub(super) executions: u32,
    /// Since when it has waited.
    pub(super) waits_since: Instant,
    /// How many executions it had served at the watchdog's last look, and how much CPU time it had used, in clock
    /// ticks.
    pub(super) looked_at: Option<(u32, u64)>,
    /// Once it is loaded.
    pub(super) counted: Option<Counted>,
}

/// The templates that wait, least recently used first.
#[derive(Debug)]
pub(super) struct Templates {
    most: usize,
    waiting: Mutex<VecDeque<Template>>,
    sandboxes: Arc<Sandboxes>,
}

impl Templates {
    /// Keeps at most `most` templates. Their sandboxes go back to `sandboxes`.
    pub(super) fn new(most: usize, sandboxes: Arc<Sandboxes>) -> Self {
        Self { most, waiting: Mutex::default(), sandboxes }
    }

    /// Takes a waiting template for `key`. If that template has ended meanwhile, drops it and returns `None`.
    pub(super) fn take(&self, key: &TemplateKey) -> Option<Template> {
        let template = {
            let mut waiting = lock(&self.waiting);
            let index = waiting.iter().rposition(|template| template.key == *key)?;
            waiting.remove(index)?
        };
        if template.waits() {
            return Some(template);
        }
        TEMPLATES_ENDED.count(["ended"]);
        None
    }

    /// Puts a template back as the most recently used. Ends the template if it is worn out, and otherwise those
    /// beyond the limit.
    pub(super) fn put(&self, mut template: Template) {
        template.executions += 1;
        template.waits_since = Instant::now();
        let ended: Vec<Template> = if template.executions < MOST_EXECUTIONS {
            let mut waiting = lock(&self.waiting);
            waiting.push_back(template);
            let surplus = waiting.len().saturating_sub(self.most);
            waiting.drain(..surplus).inspect(|_| TEMPLATES_ENDED.count(["surplus"])).collect()
        } else {
            TEMPLATES_ENDED.count(["worn_out"]);
            vec![template]
        };
        self.end_behind(ended);
    }

    /// Ends the waiting templates that are of no use any more or take too much: those that have ended, have waited
    /// for too long, use CPU time or too much memory, or have other processes than they need.
    pub(super) fn end_useless(&self, sampler: &MemorySampler) {
        let useless = self.take_if(|template| {
            template.reason_to_end(sampler).inspect(|reason| TEMPLATES_ENDED.count([reason])).is_some()
        });
        for template in &useless {
            tracing::debug!(function = template.key.function, "a template is ended that waited");
        }
        self.end_behind(useless);
    }

    /// Ends the template that was used least recently, and waits until it has ended. Returns false if there is none.
    pub(super) fn end_oldest(&self) -> bool {
        let oldest = lock(&self.waiting).pop_front();
        let Some(oldest) = oldest else { return false };
        TEMPLATES_ENDED.count(["pressure"]);
        oldest.end(&self.sandboxes);
        true
    }

    /// Ends templates on another thread, with whatever their top levels started, and keeps their sandboxes for
    /// others. Nobody waits for this.
    pub(super) fn end_behind(&self, ended: Vec<Template>) {
        if ended.is_empty() {
            return;
        }
        let sandboxes = Arc::clone(&self.sandboxes);
        thread::spawn(move || ended.into_iter().for_each(|template| template.end(&sandboxes)));
    }

    fn take_if(&self, mut ends: impl FnMut(&mut Template) -> bool) -> Vec<Template> {
        let mut waiting = lock(&self.waiting);
        let (mut ended, mut kept) = (Vec::new(), VecDeque::new());
        for mut template in waiting.drain(..) {
            if ends(&mut template) { ended.push(template) } else { kept.push_back(template) }
        }
        *waiting = kept;
        ended
    }
}

impl Template {
    fn end(self, sandboxes: &Sandboxes) {
        let Self { sandbox, requests, loader, .. } = self;
        // This makes the template end by itself, unless function code keeps it from that.
        drop((requests, loader));
        match sandbox.end_all().and_then(|()| sandbox.clean()) {
            Ok(()) => sandboxes.give_back(sandbox),
            Err(error) => {
                tracing::warn!(%error, "the sandbox of a template is given up");
                SANDBOXES_GIVEN_UP.count([]);
            }
        }
    }

    /// Whether the template lives and has reported nothing. A waiting template has nothing to report.
    fn waits(&self) -> bool {
        // The pipe of reports alone does not show that the template has ended: the process that it forked ahead still
        // has the pipe open, and ends a moment later.
        let Some(process) = &self.process else { return false };
        let mut polled = [self.reports.as_fd(), process.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        poll(&mut polled, PollTimeout::ZERO) == Ok(0)
    }

    /// Makes `pid`, the process that `loader` has forked, the template. Returns false if that process has ended
    /// already, or can't be the template.
    pub(super) fn adopt(&mut self, pid: i32, loader: i32) -> bool {
        self.pid = pid;
        // Open the process before anything is checked, so that all checks are about the same process.
        self.process = open_process(pid).ok();
        let can_be_it = match self.sandbox.identity {
            Some(identity) => !any_process_of(identity.execution),
            None => {
                self.loader.pid = loader;
                parent_of(pid) == Some(loader)
            }
        };
        can_be_it && self.process.is_some()
    }

    /// Whether the load left only the template and what it forked, with no more threads than Ruby itself has. The
    /// template must also be where it should be: below the zygote, or below `loader` while that waits to be reaped.
    pub(super) fn is_alone(&self, identity: Identity, loader: i32) -> bool {
        if !has_ended(loader) {
            return false;
        }
        let (zygote, threads) = (self.zygote_channel.zygote_pid, self.zygote_channel.ruby_threads);
        let alone = self.sandbox.look_while_stopped(|| {
            let held = held_below(zygote, loader, identity.template);
            let count = held.processes.len();
            let is_it = |parent| held.processes.contains(&Process { pid: self.pid, parent });
            let of_it = |process: &Process| process.pid == self.pid || process.parent == self.pid;
            let fits = count <= BUSY_PROCESSES && held.threads <= threads * count as u64;
            fits && (is_it(loader) || is_it(zygote)) && held.processes.iter().all(of_it)
        });
        alone.unwrap_or(false)
    }

    /// Why it is of no use any more, or takes too much, in a word for metrics.
    fn reason_to_end(&mut self, sampler: &MemorySampler) -> Option<&'static str> {
        if !self.waits() {
            return Some("ended");
        }
        if self.waits_since.elapsed() > IDLE_FOR {
            return Some("idle");
        }
        let identity = self.sandbox.identity?;
        let held = sampler.held_by(identity.template);
        let ticks = cpu_ticks_of(self.pid);
        let before = self.looked_at.replace((self.executions, ticks));
        let burns = before.is_some_and(|(executions, before)| {
            executions == self.executions && ticks.saturating_sub(before) > IDLE_TICKS
        });
        let is_over =
            burns || held.processes.len() > IDLE_PROCESSES || held.largest_bytes > self.memory_bytes;
        is_over.then_some("over_limits")
    }
}

/// Waits until no thread of the loader holds memory. Then none can run code any more, though the process takes longer
/// to end. Returns false if that takes too long.
fn has_ended(loader: i32) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while holds_memory(loader) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
    true
}

/// The loader, which stays as its template's parent where there are no uids of their own. Dropping this kills the
/// loader, and the template dies with it.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) pid: i32,
    zygote_pid: i32,
}

impl Loader {
    /// A loader below this zygote, whose pid is not known yet.
    pub(super) fn below(zygote_pid: i32) -> Self {
        Self { pid: 0, zygote_pid }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        if self.pid != 0 && parent_of(self.pid) == Some(self.zygote_pid) {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }
}
