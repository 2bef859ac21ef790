//! A template: a process that has run one version's top level, and forks that version's executions from it, one
//! at a time. Once function code has run here, everything it says to the worker is hostile.

use std::mem::ManuallyDrop;
use std::os::fd::{BorrowedFd, RawFd};

use nix::sys::wait::{Id, WaitPidFlag};

use badlambda_zygote::wire::{self, Report, Request};

use crate::confine::Filters;
use crate::environment;
use crate::execution::{self, Start};
use crate::jail::{self, Role};
use crate::ruby::{Entry, Fork, Ruby};
use crate::serve::{self, reap};

/// Loads the code in this forked process and serves its executions until the worker closes the channel.
pub fn run(ruby: &Ruby, start: Start<'_>, highest: RawFd, filters: &Filters) -> ! {
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
    let ready = jail::forget_load().and_then(|()| wire::send(channel, &Report::Loaded, &[]));
    if ready.is_err() {
        execution::exit(1);
    }
    let mut buffer = Vec::new();
    while let Ok(Some((Request::Execute(job), fds))) = wire::receive::<Request>(channel, &mut buffer) {
        let Some(start) = serve::start(&job, fds) else { break };
        let report = match ruby.fork() {
            Some(Fork::Child) => execution::run_handler(ruby, start, highest, filters),
            Some(Fork::Parent(pid)) => {
                drop(start);
                serve_one(channel, pid)
            }
            None => wire::send(channel, &serve::not_started(), &[]),
        };
        if report.is_err() {
            break;
        }
    }
    execution::exit(0)
}

fn serve_one(channel: BorrowedFd<'_>, pid: i32) -> Result<(), nix::errno::Errno> {
    wire::send(channel, &Report::Started { pid }, &[])?;
    let child = Id::Pid(nix::unistd::Pid::from_raw(pid));
    match reap(child, WaitPidFlag::WEXITED) {
        Some(exit) => wire::send(channel, &Report::Exited(exit), &[]),
        None => Err(nix::errno::Errno::ECHILD),
    }
}
