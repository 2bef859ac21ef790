//! Handler form: a **loader** runs a version's top level and forks the **template**, of which that version's executions
//! are forked, one at a time.
//!
//! ```text
//! loader: top level ── fork ──▶ template: one thread, native code ── forks ahead ──▶ waits for a request, becomes
//!    └── ends                      ◀── reports to the worker, over a pipe                an execution
//! ```
//!
//! Once function code has run in the loader, all that comes after it is function code, too. So a template has no right
//! that an execution has not, but to fork; and it touches nothing of a request: the process that it forked ahead takes
//! that from the socket itself. Between the requests no Ruby runs in it.

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

/// How long a process that was forked ahead waits: a version that is called less often gains little from it.
const AHEAD_MS: u16 = 100;
/// Between two looks whether the loader has ended.
const PAUSE: Duration = Duration::from_micros(50);
const BEGUN: u8 = b'B';

/// Runs the top level in this forked process, and forks the template. Without uids of its own, it stays as the template's
/// parent, by whom the worker knows it.
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
    // In the loader and the template this never returns.
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

/// What function code left in force, and gets back in its executions.
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

/// A process that waits for a request, and tells when it has one.
struct Ahead {
    pid: i32,
    begun: PipeReader,
}

/// Where forking ahead returned.
enum Forked {
    /// In the template.
    Ahead(Ahead),
    /// In the process that was forked, once it is an execution.
    Execution(Box<Received>),
}

/// What a process that was forked ahead got.
struct Received {
    job: Job,
    source: Source,
    answer: File,
}

impl<'a> Template<'a> {
    /// Leaves all behind that the loader had.
    fn enter(ruby: &'a Ruby, prepared: &'a Prepared, forks_ahead: bool) -> Result<Self, Errno> {
        let mut mask = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut mask))?;
        // Where function code had it ignored, the kernel would reap executions, and tell nobody.
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action runs no code of ours.
        let sigchld = unsafe { sigaction(Signal::SIGCHLD, &default) }?;
        jail::forget_load(prepared.highest)?;
        // SAFETY: confining put the pipe there, and it is never closed.
        let reports = ManuallyDrop::new(unsafe { File::from_raw_fd(jail::REPORTS_FD) });
        // SAFETY: confining put the socket there, and it is never closed.
        let requests = unsafe { BorrowedFd::borrow_raw(jail::REQUESTS_FD) };
        let left = Left { mask, sigchld };
        Ok(Self { ruby, requests, reports, prepared, left, forks_ahead })
    }

    /// Waits for the loader's end where `parent` is another, and ends with that.
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

    /// The template's loop. It returns in each execution, which is armed by then.
    fn fork_until_received(mut self, loader: Pid, parent: Pid) -> Box<Received> {
        let mut waiting = None;
        self.report(TemplateReport::Loaded { pid: Pid::this().as_raw() });
        // While the loader ends, and the worker looks whether it has.
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
            // It ends without a word where nothing came, or where what came could not be taken.
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

    /// Forks a process that takes the next request itself.
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

    /// In the process that was forked ahead: takes the request, and becomes an execution.
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
        // SAFETY: it is the very action that was in force when the top level had run.
        let restored = unsafe { sigaction(Signal::SIGCHLD, &self.left.sigchld) }.is_ok();
        if !restored || sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.left.mask), None).is_err() {
            execution::exit(1);
        }
        Received { job, source, answer }
    }

    fn wait_for_request(&self) {
        while !self.requested_within(PollTimeout::NONE) {}
    }

    /// Whether a request comes in that time. The process ends where none will come any more.
    fn requested_within(&self, timeout: PollTimeout) -> bool {
        let mut polled = [PollFd::new(self.requests.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, timeout) {
            Ok(0) | Err(Errno::EINTR) => false,
            // The worker has closed its end when a hang-up is told.
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
