//! Templates that are loaded and wait: at most so many, the least recently used ended first.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use badlambda_zygote::processes::{any_process_of, open_process};
use badlambda_zygote::protocol::Identity;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::reports::TemplateReports;
use super::sampler::{MemorySampler, Process, cpu_ticks_of, held_below, holds_memory, parent_of, threads_of};
use super::sandbox::Sandbox;
use super::sandboxes::Sandboxes;
use super::zygotes::{Channel, lock};

/// After so many executions a template is ended, and loaded anew: its CPU time has a limit.
const MOST_EXECUTIONS: u32 = 20_000;
/// After so long without an execution it is ended, too.
const IDLE_FOR: Duration = Duration::from_secs(15 * 60);
/// While it waits it uses none, but for the process that it forked ahead. In clock ticks, a hundredth of a second each.
const IDLE_TICKS: u64 = 5;
/// It, and what it forked ahead.
const IDLE_PROCESSES: usize = 2;
/// It, the execution before that has a uid of its own, and what was forked ahead.
pub(super) const BUSY_PROCESSES: usize = 3;

/// How long a loader may take to end once its template is there, and how long it is between two looks.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_micros(50);

/// What makes two templates interchangeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateKey {
    pub(super) function: String,
    pub(super) version: u32,
    pub(super) code_sha256: String,
}

/// A template, with the sandbox it lives in.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) key: TemplateKey,
    pub(super) sandbox: Sandbox,
    /// Its requests go in here; nothing can be read from it.
    pub(super) requests: OwnedFd,
    pub(super) reports: TemplateReports,
    /// The channel to the zygote that forked its loader.
    pub(super) zygote_channel: Channel,
    pub(super) pid: i32,
    /// Becomes readable when it ends.
    pub(super) process: Option<OwnedFd>,
    /// Its loader, where that stays.
    pub(super) loader: Loader,
    /// How much memory it may hold, in bytes.
    pub(super) memory_bytes: u64,
    /// How many it has served.
    pub(super) executions: u32,
    /// Since when it waits.
    pub(super) waits_since: Instant,
    /// How many it had served when it was looked at last, and how much CPU time it had used.
    pub(super) looked_at: Option<(u32, u64)>,
}

/// The templates that wait, least recently used first.
#[derive(Debug)]
pub(super) struct Templates {
    most: usize,
    waiting: Mutex<VecDeque<Template>>,
    sandboxes: Arc<Sandboxes>,
}

impl Templates {
    /// Keeps at most `most` templates, whose sandboxes are of `sandboxes`.
    pub(super) fn new(most: usize, sandboxes: Arc<Sandboxes>) -> Self {
        Self { most, waiting: Mutex::default(), sandboxes }
    }

    /// Takes a waiting template for `key`. One that has ended meanwhile is given up.
    pub(super) fn take(&self, key: &TemplateKey) -> Option<Template> {
        let found = {
            let mut waiting = lock(&self.waiting);
            let index = waiting.iter().rposition(|template| template.key == *key)?;
            waiting.remove(index)
        };
        found.filter(Template::waits)
    }

    /// Puts a template back, as the most recently used; ends those beyond the limit, and one that is worn out.
    pub(super) fn put(&self, mut template: Template) {
        template.executions += 1;
        template.waits_since = Instant::now();
        let ended: Vec<Template> = if template.executions < MOST_EXECUTIONS {
            let mut waiting = lock(&self.waiting);
            waiting.push_back(template);
            let surplus = waiting.len().saturating_sub(self.most);
            waiting.drain(..surplus).collect()
        } else {
            vec![template]
        };
        self.end_behind(ended);
    }

    /// Ends those that wait and are no use, or more than a template that waits may be: they have waited for long, use CPU
    /// time or too much memory, or are not alone.
    pub(super) fn end_useless(&self, sampler: &MemorySampler) {
        let useless = self.take_if(|template| template.is_useless(sampler));
        for template in &useless {
            tracing::debug!(function = template.key.function, "a template is ended that waited");
        }
        self.end_behind(useless);
    }

    /// Ends the one that was least recently used, and waits for it. False if there is none.
    pub(super) fn end_oldest(&self) -> bool {
        let oldest = lock(&self.waiting).pop_front();
        oldest.map(|template| template.end(&self.sandboxes)).is_some()
    }

    /// Ends templates, with whatever their top levels started, and keeps their sandboxes for others. Nobody waits for it.
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
        // It ends of its own accord, unless function code keeps it from that.
        drop((requests, loader));
        match sandbox.end_all().and_then(|()| sandbox.clean()) {
            Ok(()) => sandboxes.give_back(sandbox),
            Err(error) => tracing::warn!(%error, "the sandbox of a template is given up"),
        }
    }

    /// Whether it lives, and has nothing to say as long as it is asked nothing.
    fn waits(&self) -> bool {
        // What it forked ahead lives a moment longer than it.
        let Some(process) = &self.process else { return false };
        let mut polled = [self.reports.as_fd(), process.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        poll(&mut polled, PollTimeout::ZERO) == Ok(0)
    }

    /// Makes the process `pid`, which `loader` has forked, the template. False where it is gone already, or can't be it.
    pub(super) fn adopt(&mut self, pid: i32, loader: i32) -> bool {
        self.pid = pid;
        // Before any look, so that it is the same process that all see.
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

    /// Whether nothing came of the load but this one process and what it forked ahead, with no more threads than Ruby itself
    /// has, and whether it is where it should be: below the zygote, or the `loader` if that waits to be reaped.
    pub(super) fn is_alone(&self, identity: Identity, loader: i32) -> bool {
        if !has_ended(loader) {
            return false;
        }
        let zygote = self.zygote_channel.zygote_pid;
        let threads = threads_of(zygote).unwrap_or(1);
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

    fn is_useless(&mut self, sampler: &MemorySampler) -> bool {
        if self.waits_since.elapsed() > IDLE_FOR || !self.waits() {
            return true;
        }
        let Some(identity) = self.sandbox.identity else { return false };
        let held = sampler.held_by(identity.template);
        let ticks = cpu_ticks_of(self.pid);
        let before = self.looked_at.replace((self.executions, ticks));
        let burns = before.is_some_and(|(executions, before)| {
            executions == self.executions && ticks.saturating_sub(before) > IDLE_TICKS
        });
        burns || held.processes.len() > IDLE_PROCESSES || held.largest_bytes > self.memory_bytes
    }
}

/// Waits until no thread of this process holds memory, and so none can run code any more. Ending takes it longer.
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

/// The loader that stays as its template's parent where there are no uids, and takes it along.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) pid: i32,
    zygote_pid: i32,
}

impl Loader {
    /// Below this zygote, with a pid that is not known yet.
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
