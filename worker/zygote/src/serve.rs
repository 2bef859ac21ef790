//! The zygote's loop: it receives requests over its channels, forks, reaps, and reports to the worker.

use std::fs;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, kill, sigaction, sigprocmask,
};
use nix::sys::time::TimeSpec;
use nix::sys::wait::{Id, WaitPidFlag};
use nix::unistd::Pid;

use badlambda_zygote::protocol::{Confinement, Report, Request};
use badlambda_zygote::wire;

use crate::execution::{self, Start};
use crate::filters::Filters;
use crate::jail::{self, Prepared};
use crate::memory;
use crate::prefork::{self, Ahead, Preforked};
use crate::reap::reap;
use crate::ruby::{Fork, Ruby};
use crate::template;

/// After this long without any other event, the zygote reports which processes have started. An execution that ends
/// sooner is reported only once, by its end.
const TELL_AFTER: TimeSpec = TimeSpec::new(0, 2_000_000);

/// A process that the worker asked for, with the channel over which the zygote reports its start and its end.
struct Child {
    pid: i32,
    reports_to: OwnedFd,
    told: bool,
}

/// The zygote's state.
pub struct Server {
    ruby: Ruby,
    prepared: Prepared,
    rubys_sigchld: SigAction,
    children_file: Option<fs::File>,
    channels: Vec<OwnedFd>,
    children: Vec<Child>,
    /// Whether to fork ahead of need. False where executions are confined but share the zygote's uid, because they
    /// could reach the process that waits.
    forks_ahead: bool,
    preforked: Option<Preforked>,
    buffer: Vec<u8>,
}

impl Server {
    /// Prepares everything that can't be prepared after confinement, when /proc is out of reach.
    pub fn prepare(ruby: Ruby, confinement: &Confinement) -> Result<Self, String> {
        let highest = jail::highest_descriptor();
        let reserved_bytes = memory::reserved_bytes();
        let filters = Filters::compile(confinement.enforced).map_err(|error| error.to_string())?;
        // We open this file now, because /proc can't be reached after confinement. Some kernels have no such file.
        let children_path = format!("/proc/self/task/{}/children", std::process::id());
        let children_file = (!confinement.own_uids).then(|| fs::File::open(children_path).ok()).flatten();
        let rubys_sigchld = interrupt_waits_on_sigchld().map_err(|errno| errno.to_string())?;
        Ok(Self {
            ruby,
            prepared: Prepared { highest, reserved_bytes, filters },
            rubys_sigchld,
            children_file,
            channels: Vec::new(),
            children: Vec::new(),
            forks_ahead: confinement.own_uids || !confinement.enforced,
            preforked: None,
            buffer: Vec::new(),
        })
    }

    /// Serves requests until the worker closes the first channel.
    pub fn run(&mut self) {
        loop {
            self.report_the_dead();
            self.fork_ahead();
            let Some(ready) = self.wait() else { continue };
            // From the last to the first, so that removing a closed channel does not change the indexes that are
            // still to come.
            for index in ready.into_iter().rev() {
                match (index, self.serve(index)) {
                    (_, Ok(true)) => {}
                    (0, _) => return,
                    (_, _) => drop(self.channels.remove(index - 1)),
                }
            }
        }
    }

    /// Waits for requests. Returns the indexes of the channels that can be read, or `None` after a SIGCHLD. Index 0
    /// is the channel that the zygote was started with.
    fn wait(&mut self) -> Option<Vec<usize>> {
        let untold = self.children.iter().any(|child| !child.told);
        let ready = self.poll(untold.then_some(TELL_AFTER))?;
        if ready.is_empty() {
            self.tell_starts();
        }
        Some(ready)
    }

    fn tell_starts(&mut self) {
        for child in self.children.iter_mut().filter(|child| !child.told) {
            child.told = true;
            // An error can be ignored: if the worker is gone, the first channel shows that.
            let _ = wire::send_now(child.reports_to.as_fd(), &Report::Started { pid: child.pid }, &[]);
        }
    }

    fn poll(&self, timeout: Option<TimeSpec>) -> Option<Vec<usize>> {
        let first = first_channel();
        let all = std::iter::once(first).chain(self.channels.iter().map(AsFd::as_fd));
        let mut polled: Vec<PollFd<'_>> = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // SIGCHLD is blocked everywhere except inside this call, so that no child's end is missed between reaping and
        // waiting.
        ppoll(&mut polled, timeout, Some(SigSet::empty())).ok()?;
        Some(
            polled
                .iter()
                .enumerate()
                .filter(|(_, fd)| fd.any().unwrap_or(true))
                .map(|(index, _)| index)
                .collect(),
        )
    }

    /// Receives one request and carries it out. False if the other end has closed the channel.
    fn serve(&mut self, index: usize) -> Result<bool, Errno> {
        let channel = if index == 0 { first_channel() } else { self.channels[index - 1].as_fd() };
        let Some((request, fds)) = wire::receive::<Request>(channel, &mut self.buffer)? else {
            return Ok(false);
        };
        match request {
            Request::Channel => self.channels.extend(fds.into_iter().take(1)),
            Request::Execute(_) | Request::Load(_) => {
                let reports_to = channel.try_clone_to_owned().map_err(|_| Errno::EMFILE)?;
                self.execute(&request, fds, reports_to)?;
            }
            Request::Ping => wire::send_now(channel, &Report::Pong, &[])?,
            Request::EndOrphans => {
                self.end_orphans();
                let channel = if index == 0 { first_channel() } else { self.channels[index - 1].as_fd() };
                wire::send_now(channel, &Report::OrphansEnded, &[])?;
            }
        }
        Ok(true)
    }

    /// Gives the job to the process that was forked ahead, or else forks a new one.
    fn execute(&mut self, request: &Request, fds: Vec<OwnedFd>, reports_to: OwnedFd) -> Result<(), Errno> {
        let (Request::Execute(job) | Request::Load(job)) = request else { return Err(Errno::EBADMSG) };
        let preforked = self.preforked.take().filter(|preforked| preforked.take(request, &fds).is_ok());
        let pid = match preforked {
            Some(preforked) => preforked.pid,
            None => {
                let start = Start::new(job, fds).ok_or(Errno::EBADMSG)?;
                match self.ruby.fork() {
                    Some(Fork::Child) => self.child(start),
                    Some(Fork::Parent(pid)) => pid,
                    None => return wire::send_now(reports_to.as_fd(), &not_started(), &[]),
                }
            }
        };
        self.children.push(Child { pid, reports_to, told: false });
        if matches!(request, Request::Load(_)) {
            self.tell_starts();
        }
        Ok(())
    }

    fn fork_ahead(&mut self) {
        if !self.forks_ahead || self.preforked.is_some() {
            return;
        }
        match prefork::fork(&self.ruby) {
            Some(Ahead::Preforked(preforked)) => self.preforked = Some(preforked),
            Some(Ahead::Child(job, fds)) => match Start::new(&job, fds) {
                Some(start) => self.child(start),
                None => execution::exit(1),
            },
            None => {}
        }
    }

    fn child(&self, start: Start<'_>) -> ! {
        if self.restore_rubys_sigchld().is_err() {
            execution::exit(1);
        }
        if start.descriptors.template.is_some() {
            template::load(&self.ruby, start, &self.prepared, self.forks_ahead)
        }
        execution::run_script(&self.ruby, start, &self.prepared)
    }

    fn restore_rubys_sigchld(&self) -> Result<(), Errno> {
        // SAFETY: this is exactly the action that Ruby had installed.
        unsafe { sigaction(Signal::SIGCHLD, &self.rubys_sigchld) }?;
        sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&SigSet::from(Signal::SIGCHLD)), None)
    }

    /// Reaps every child that has ended. Executions and loaders are reported to the worker, orphans and templates are
    /// not.
    fn report_the_dead(&mut self) {
        while let Some(exit) = reap(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            self.preforked.take_if(|preforked| preforked.pid == exit.pid);
            let Some(index) = self.children.iter().position(|child| child.pid == exit.pid) else { continue };
            let child = self.children.swap_remove(index);
            // An error can be ignored: if the worker is gone, the first channel shows that.
            let _ = wire::send_now(child.reports_to.as_fd(), &Report::Exited(exit), &[]);
        }
    }

    /// Kills and reaps every child that is neither an execution nor a loader, until none is left.
    fn end_orphans(&mut self) {
        loop {
            let orphans = self.orphans();
            if orphans.is_empty() {
                return;
            }
            for pid in orphans {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                reap(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED);
            }
        }
    }

    fn orphans(&mut self) -> Vec<i32> {
        let Some(file) = &mut self.children_file else { return Vec::new() };
        let mut text = String::new();
        if file.rewind().and_then(|()| file.read_to_string(&mut text)).is_err() {
            return Vec::new();
        }
        let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
        pids.filter(|pid| !self.children.iter().any(|child| child.pid == *pid)).collect()
    }
}

/// The report for a fork that failed.
fn not_started() -> Report {
    Report::NotStarted { errno: Errno::last_raw() }
}

fn first_channel() -> BorrowedFd<'static> {
    // SAFETY: the worker started us with this channel, and it is never closed.
    unsafe { BorrowedFd::borrow_raw(jail::CHANNEL_FD) }
}

/// Blocks SIGCHLD, and installs a handler for it that does nothing but interrupt the wait. Returns the action that
/// Ruby had installed.
fn interrupt_waits_on_sigchld() -> Result<SigAction, Errno> {
    extern "C" fn interrupt(_: libc::c_int) {}
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::from(Signal::SIGCHLD)), None)?;
    let action = SigAction::new(SigHandler::Handler(interrupt), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, which is async-signal-safe.
    unsafe { sigaction(Signal::SIGCHLD, &action) }
}
