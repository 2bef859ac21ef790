//! A template: a process that has run one version's top level, and forks that version's executions from it, one
//! at a time. Once function code has run here, everything it says to the worker is hostile.

use std::mem::ManuallyDrop;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::{Id, WaitPidFlag};
use nix::unistd::Pid;

use badlambda_zygote::wire::{self, Job, Report, Request};

use crate::confine::Filters;
use crate::environment;
use crate::execution::{self, Start};
use crate::jail::{self, Role};
use crate::ruby::{Entry, Fork, Ruby};
use crate::serve::{self, reap};
use crate::spare::{self, Ahead, Spare};

/// How long a process that was forked ahead is kept waiting: a version that is called less often gains little from it.
const SPARE_MS: u16 = 100;

/// Loads the code in this forked process and serves its executions until the worker closes the channel.
pub fn run(ruby: &Ruby, start: Start<'_>, highest: RawFd, filters: &Filters, forks_ahead: bool) -> ! {
    let start = ManuallyDrop::new(start);
    let (source, answer) = execution::arm(&start, Role::Template, highest, filters);
    environment::replace(source.environment);
    let handler = start.job.handler.as_deref().unwrap_or_default().as_bytes();
    let largest = start.job.max_result_bytes.to_string();
    match ruby.call(Entry::Load, &[&source.code, &source.context, handler, largest.as_bytes()]) {
        Some(loaded) if loaded.is_empty() => {}
        failed => execution::finish(answer, failed),
    }
    // The answer's descriptor now stands for nothing, and stays open until the end.
    let _answer = ManuallyDrop::new(answer);
    // SAFETY: confining put the channel there, and it is never closed.
    let channel = unsafe { BorrowedFd::borrow_raw(jail::CHANNEL_FD) };
    if jail::forget_load().and_then(|()| wire::send(channel, &Report::Loaded, &[])).is_err() {
        execution::exit(1);
    }
    // Where function code had it ignored, the kernel would reap executions, and tell nobody.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    let Ok(functions_sigchld) = (unsafe { sigaction(Signal::SIGCHLD, &default) }) else { execution::exit(1) };
    Template { ruby, channel, highest, filters, functions_sigchld, forks_ahead, spare: None }.serve()
}

struct Template<'a> {
    ruby: &'a Ruby,
    channel: BorrowedFd<'a>,
    highest: RawFd,
    filters: &'a Filters,
    /// What Ruby or function code does about the end of a child.
    functions_sigchld: SigAction,
    forks_ahead: bool,
    spare: Option<Spare>,
}

impl Template<'_> {
    fn serve(&mut self) -> ! {
        let mut buffer = Vec::new();
        loop {
            self.give_spare_up_when_idle();
            let Ok(Some((request, fds))) = wire::receive::<Request>(self.channel, &mut buffer) else { break };
            if self.execute(&request, fds).is_err() {
                break;
            }
        }
        execution::exit(0)
    }

    /// Runs one execution to its end.
    fn execute(&mut self, request: &Request, fds: Vec<OwnedFd>) -> Result<(), Errno> {
        let Request::Execute(job) = request else { return Err(Errno::EBADMSG) };
        let pid = match self.spare.take() {
            Some(spare) if spare.take(request, &fds).is_ok() => spare.pid,
            _ => match self.ruby.fork() {
                Some(Fork::Child) => self.child(job, fds),
                Some(Fork::Parent(pid)) => pid,
                None => return wire::send(self.channel, &serve::not_started(), &[]),
            },
        };
        // Whoever holds the pipes' ends keeps them open.
        drop(fds);
        wire::send(self.channel, &Report::Started { pid }, &[])?;
        if self.forks_ahead {
            self.fork_ahead();
        }
        let exit = reap(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED).ok_or(Errno::ECHILD)?;
        wire::send(self.channel, &Report::Exited(exit), &[])
    }

    fn child(&self, job: &Job, fds: Vec<OwnedFd>) -> ! {
        // SAFETY: it is the very action that was in force when the top level had run.
        if unsafe { sigaction(Signal::SIGCHLD, &self.functions_sigchld) }.is_err() {
            execution::exit(1);
        }
        match serve::start(job, fds) {
            Some(start) => execution::run_handler(self.ruby, start, self.highest, self.filters),
            None => execution::exit(1),
        }
    }

    fn fork_ahead(&mut self) {
        match spare::fork(self.ruby) {
            Some(Ahead::Spare(spare)) => self.spare = Some(spare),
            Some(Ahead::Child(job, fds)) => self.child(&job, fds),
            None => {}
        }
    }

    fn give_spare_up_when_idle(&mut self) {
        let Some(spare) = &self.spare else { return };
        let pid = Pid::from_raw(spare.pid);
        let mut polled = [PollFd::new(self.channel, PollFlags::POLLIN)];
        if poll(&mut polled, SPARE_MS) == Ok(0) {
            self.spare = None;
            reap(Id::Pid(pid), WaitPidFlag::WEXITED);
        }
    }
}
