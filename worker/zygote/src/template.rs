//! Handler form: a **loader** runs a version's top level once and forks the **template**. The version's executions
//! are then forked from the template, one at a time.
//!
//! ```text
//! loader: top level ── fork ──▶ template: one thread, native code ── forks ahead ──▶ waits for a request, becomes
//!    └── ends                      ◀── reports to the worker, over a pipe                an execution
//! ```
//!
//! Function code has run in the loader, so all that comes after it counts as function code, too. A template therefore
//! has no rights beyond those of an execution, except to fork one. It never reads a request: the process that it
//! forked ahead reads it from the socket itself. No Ruby code runs in the template between requests.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::wait::{Id, WaitPidFlag};
use nix::unistd::{Pid, getppid};

use badlambda_zygote::protocol::{Exit, Job, Request};
use badlambda_zygote::report::TemplateReport;
use badlambda_zygote::wire;

use crate::environment;
use crate::execution::{self, Source, Start};
use crate::jail::{self, Prepared, Role};
use crate::reap::reap;
use crate::ruby::{Entry, Fork, Ruby};

/// How long a process that was forked ahead waits for a request. A version that is called less often gains little
/// from it.
const AHEAD_MS: u16 = 100;
/// The pause between two checks whether the loader has ended.
const PAUSE: Duration = Duration::from_micros(50);
const BEGUN: u8 = b'B';

/// Runs the top level in this forked process, and forks the template. Where the sandbox has no uids of its own, the
/// loader stays as the template's parent, because the worker recognises the template by its parent.
pub fn load(ruby: &Ruby, start: Start<'_>, prepared: &Prepared, forks_ahead: bool) -> ! {
    let zygote = getppid();
    let own_uid = start.job.identity.is_some();
    let start = ManuallyDrop::new(start);
    let (source, answer) = execution::arm(&start, Role::Loader, prepared);
    environment::replace(source.environment);
    let largest = start.job.max_result_bytes.to_string();
    let arguments: &[&[u8]] = &[&source.code, &source.context, &source.handler, largest.as_bytes()];
    match ruby.call(Entry::Load, arguments) {
        Some(loaded) if loaded.is_empty() => {}
        failed => execution::finish(answer, failed),
    }
    let mut received = None;
    // The closure returns only in an execution, never in the loader or the template.
    let unobserved = ruby.unobserved(&mut || {
        let loader = Pid::this();
        match ruby.fork() {
            Some(Fork::Child) => {
                let template = Template::enter(ruby, prepared, forks_ahead);
                let Ok(template) = template else { execution::exit(1) };
                let parent = if own_uid { zygote } else { loader };
                received = Some(template.fork_until_received(loader, parent));
            }
            Some(Fork::Parent(pid)) => {
                if !own_uid {
                    reap(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED);
                }
                execution::exit(0)
            }
            None => execution::exit(1),
        }
    });
    match received {
        Some(received) if unobserved => {
            execution::call_handler(ruby, &received.job, &received.source, received.answer)
        }
        _ => execution::exit(1),
    }
}

/// The signal mask and the SIGCHLD action that the top level left in force. Each execution gets them back.
struct Left {
    mask: SigSet,
    sigchld: SigAction,
}

struct Template<'a> {
    ruby: &'a Ruby,
    requests: BorrowedFd<'a>,
    reports: ManuallyDrop<File>,
    prepared: &'a Prepared,
    left: Left,
    forks_ahead: bool,
}

/// A forked process that waits for a request. It writes to the pipe `begun` when it has received one.
struct Ahead {
    pid: i32,
    begun: PipeReader,
}

/// In which process the fork returned.
enum Forked {
    /// In the template.
    Ahead(Ahead),
    /// In the forked process, after it has become an execution.
    Execution(Box<Received>),
}

/// The request that a process forked ahead has received, with the pipe for its answer.
struct Received {
    job: Job,
    source: Source,
    answer: File,
}

impl<'a> Template<'a> {
    /// Turns the loader's fork into the template: blocks signals, resets SIGCHLD, and gives up the loader's
    /// descriptors.
    fn enter(ruby: &'a Ruby, prepared: &'a Prepared, forks_ahead: bool) -> Result<Self, Errno> {
        let mut mask = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut mask))?;
        // If function code has set SIGCHLD to be ignored, the kernel reaps executions, and the template never learns
        // how they ended.
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action runs no code of ours.
        let sigchld = unsafe { sigaction(Signal::SIGCHLD, &default) }?;
        jail::forget_load(prepared.highest)?;
        // SAFETY: the jail put the pipe at this number, and it is never closed.
        let reports = ManuallyDrop::new(unsafe { File::from_raw_fd(jail::REPORTS_FD) });
        // SAFETY: the jail put the socket at this number, and it is never closed.
        let requests = unsafe { BorrowedFd::borrow_raw(jail::REQUESTS_FD) };
        let left = Left { mask, sigchld };
        Ok(Self { ruby, requests, reports, prepared, left, forks_ahead })
    }

    /// Waits until the loader has ended, unless the loader is to stay as `parent`. Then has the kernel kill the
    /// template when `parent` ends. Fails if `parent` has ended already.
    fn settle(&self, loader: Pid, parent: Pid) -> Result<(), Errno> {
        let own_uid = loader != parent;
        while own_uid && getppid() == loader {
            std::thread::sleep(PAUSE);
        }
        if own_uid {
            jail::bound_processes()?;
        }
        jail::setup_parent_death()?;
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH) }
    }

    /// The template's loop. It returns only in an execution, which is confined by then.
    fn fork_until_received(mut self, loader: Pid, parent: Pid) -> Box<Received> {
        let mut waiting = None;
        self.report(TemplateReport::Loaded { pid: Pid::this().as_raw() });
        // We fork ahead while the loader ends and the worker checks that it has.
        if self.forks_ahead {
            match self.fork_ahead() {
                Forked::Ahead(ahead) => waiting = Some(ahead),
                Forked::Execution(received) => return received,
            }
        }
        if self.settle(loader, parent).is_err() {
            execution::exit(1);
        }
        loop {
            let ahead = match waiting.take() {
                Some(ahead) => ahead,
                None => {
                    self.wait_for_request();
                    match self.fork_ahead() {
                        Forked::Ahead(ahead) => ahead,
                        Forked::Execution(received) => return received,
                    }
                }
            };
            let Ahead { pid, mut begun } = ahead;
            // The process ends without writing to the pipe if no request came, or if it could not receive the
            // request.
            if !matches!(begun.read(&mut [0]), Ok(1)) {
                self.reap(pid);
                continue;
            }
            drop(begun);
            self.report(TemplateReport::Started { pid });
            if self.forks_ahead {
                match self.fork_ahead() {
                    Forked::Ahead(ahead) => waiting = Some(ahead),
                    Forked::Execution(received) => return received,
                }
            }
            let exit = self.reap(pid);
            self.report(TemplateReport::Exited(exit));
        }
    }

    /// Forks a process that receives the next request itself.
    fn fork_ahead(&self) -> Forked {
        let Ok((begun, begin)) = pipe() else { execution::exit(1) };
        match self.ruby.fork() {
            Some(Fork::Parent(pid)) => Forked::Ahead(Ahead { pid, begun }),
            Some(Fork::Child) => {
                drop(begun);
                Forked::Execution(Box::new(self.receive(begin)))
            }
            None => execution::exit(1),
        }
    }

    /// Runs in the process that was forked ahead: receives the request, and becomes an execution.
    fn receive(&self, mut begin: PipeWriter) -> Received {
        if jail::setup_parent_death().is_err() || !self.requested_within(AHEAD_MS.into()) {
            execution::exit(0);
        }
        let Ok(Some((Request::Execute(job), fds))) = wire::receive::<Request>(self.requests, &mut Vec::new())
        else {
            execution::exit(0)
        };
        if begin.write_all(&[BEGUN]).is_err() {
            execution::exit(1);
        }
        drop(begin);
        let Some(start) = Start::new(&job, fds) else { execution::exit(1) };
        let start = ManuallyDrop::new(start);
        let (source, answer) = execution::arm(&start, Role::Execution, self.prepared);
        // SAFETY: this is exactly the action that was in force when the top level had run.
        let restored = unsafe { sigaction(Signal::SIGCHLD, &self.left.sigchld) }.is_ok();
        if !restored || sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.left.mask), None).is_err() {
            execution::exit(1);
        }
        Received { job, source, answer }
    }

    fn wait_for_request(&self) {
        while !self.requested_within(PollTimeout::NONE) {}
    }

    /// Whether a request comes within `timeout`. The process ends if no request can come any more.
    fn requested_within(&self, timeout: PollTimeout) -> bool {
        let mut polled = [PollFd::new(self.requests.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, timeout) {
            Ok(0) | Err(Errno::EINTR) => false,
            // If `revents` also shows a hang-up, the worker has closed its end.
            Ok(_) if polled[0].revents() == Some(PollFlags::POLLIN) => true,
            _ => execution::exit(0),
        }
    }

    fn reap(&self, pid: i32) -> Exit {
        match reap(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED) {
            Some(exit) => exit,
            None => execution::exit(1),
        }
    }

    fn report(&mut self, report: TemplateReport) {
        if self.reports.write_all(&report.to_bytes()).is_err() {
            execution::exit(1);
        }
    }
}
