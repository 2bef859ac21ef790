//! The zygotes: one per core, each confined before it takes work. The worker replaces a zygote that has ended when it
//! needs it next.

use std::env;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_zygote::protocol::{Confined, Confinement, Report, Request};
use badlambda_zygote::wire;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socketpair, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

use super::task::ExecutorError;
use crate::metrics::ZYGOTE_RESTARTS;

/// How long a running zygote may take to answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Where Ruby looks for gems and libraries, beside its own folders.
const RUBYS_VARIABLES: [&str; 3] = ["GEM_HOME", "GEM_PATH", "RUBYLIB"];

/// A channel to a zygote, over which one execution or template at a time is forked.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) socket: OwnedFd,
    pub(super) zygote_pid: i32,
    /// How many threads a process of its Ruby has before function code starts any.
    pub(super) ruby_threads: u64,
}

impl Channel {
    fn answers_within(&self, patience: Duration) -> bool {
        if wire::send_now(self.socket.as_fd(), &Request::Ping, &[]).is_err() {
            return true;
        }
        let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        poll(&mut polled, timeout).is_ok_and(|ready| ready > 0)
    }

    /// Ends the processes below the zygote that are neither executions nor loaders with their templates.
    pub(super) fn end_orphans(&self) -> Result<(), ExecutorError> {
        wire::send(self.socket.as_fd(), &Request::EndOrphans, &[])?;
        match wire::receive::<Report>(self.socket.as_fd(), &mut Vec::new())? {
            Some((Report::OrphansEnded, _)) => Ok(()),
            _ => Err(ExecutorError::NotCleaned),
        }
    }
}

/// All zygotes of a worker.
#[derive(Debug)]
pub(super) struct Zygotes {
    program: PathBuf,
    confinement: Confinement,
    patience: Duration,
    running: Vec<Mutex<Zygote>>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Zygote {
    process: Child,
    socket: Option<OwnedFd>,
    confined: Confined,
    /// It is warm and confined, and serves its socket.
    is_ready: bool,
}

impl Zygotes {
    /// Starts `count` zygotes. Each may take as long as `patience` to be ready.
    pub(super) fn start(
        program: PathBuf,
        confinement: Confinement,
        count: usize,
        patience: Duration,
    ) -> Result<Self, ExecutorError> {
        // All warm up at the same time.
        let starting: Vec<_> = (0..count.max(1))
            .map(|_| Zygote::spawn(&program, &confinement, patience))
            .collect::<Result<_, _>>()?;
        let running = starting
            .into_iter()
            .map(|zygote| zygote.when_ready(patience).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { program, confinement, patience, running, next: AtomicUsize::new(0) })
    }

    /// What the first zygote has reported about itself. All zygotes are alike.
    pub(super) fn confined(&self) -> Confined {
        lock(&self.running[0]).confined.clone()
    }

    /// Opens a channel to the next zygote in turn. If that zygote has ended, starts another in its place.
    pub(super) fn open_channel(&self) -> Result<Channel, ExecutorError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.running.len();
        let mut zygote = lock(&self.running[turn]);
        match zygote.open_channel() {
            Ok(channel) => return Ok(channel),
            // It lives and has stopped reading. If it stays so, the worker's health check fails.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error.into()),
            Err(_) => {}
        }
        tracing::warn!(pid = zygote.process.id(), "a zygote ended; starting another");
        let started = Zygote::spawn(&self.program, &self.confinement, self.patience)?;
        *zygote = started.when_ready(self.patience)?;
        ZYGOTE_RESTARTS.count([]);
        zygote.open_channel().map_err(ExecutorError::System)
    }

    /// Whether each zygote answers within `patience`. A zygote that has ended does not count as silent: the worker
    /// starts it again when it is needed.
    pub(super) fn answer_within(&self, patience: Duration) -> bool {
        self.running.iter().all(|zygote| {
            let opened = lock(zygote).open_channel();
            match opened {
                Ok(channel) => channel.answers_within(patience),
                // Its socket is full of what it has not read.
                Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            }
        })
    }
}

impl Zygote {
    /// Starts the process, and tells it how to confine itself.
    fn spawn(program: &Path, confinement: &Confinement, patience: Duration) -> Result<Self, ExecutorError> {
        let (socket, process) = spawn(program, &[])?;
        wait_at_most(&socket, patience)?;
        let sent = wire::send(socket.as_fd(), confinement, &[]);
        let confined = Confined { layers: Vec::new(), ruby_version: String::new(), ruby_threads: 1 };
        let zygote = Self { process, socket: Some(socket), confined, is_ready: false };
        sent.map_err(|_| ended_early())?;
        Ok(zygote)
    }

    /// Waits until it is warm and confined.
    fn when_ready(mut self, patience: Duration) -> Result<Self, ExecutorError> {
        let socket = self.socket.as_ref().ok_or_else(ended_early)?;
        let answer = wire::receive(socket.as_fd(), &mut Vec::new());
        if answer.as_ref().is_err_and(|errno| *errno == Errno::EAGAIN) {
            let seconds = patience.as_secs();
            return Err(ExecutorError::Zygote(format!(
                "it was not ready after {seconds} s: does a library of BADLAMBDA_PRELOAD wait for something?"
            )));
        }
        self.confined = answer.map_err(|_| ended_early())?.ok_or_else(ended_early)?.0;
        self.is_ready = true;
        Ok(self)
    }

    fn open_channel(&self) -> io::Result<Channel> {
        let (ours, theirs) = pair()?;
        wait_at_most(&ours, ANSWER_PATIENCE)?;
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        wire::send_now(socket.as_fd(), &Request::Channel, &[theirs.as_raw_fd()])?;
        let (zygote_pid, ruby_threads) = (self.process.id() as i32, self.confined.ruby_threads);
        Ok(Channel { socket: ours, zygote_pid, ruby_threads })
    }
}

fn ended_early() -> ExecutorError {
    ExecutorError::Zygote("it ended before it was ready; its reason is on stderr".to_owned())
}

impl Drop for Zygote {
    /// Closes the channel, which ends the zygote, and with it all its executions. One that is not ready may wait in a
    /// library for ever, and is killed.
    fn drop(&mut self) {
        drop(self.socket.take());
        if !self.is_ready
            && let Err(error) = self.process.kill()
        {
            tracing::warn!(%error, "could not kill a zygote that is not ready");
        }
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "could not wait for a zygote");
        }
    }
}

/// Starts one of our own programs. Its environment holds only the language and where gems are: nothing else of the
/// worker's environment gets into it. Its stdin is the other end of the returned socket. The program begins a session of
/// its own, so that a terminal's signals do not reach it.
#[expect(clippy::disallowed_methods, reason = "these are Ruby's settings, and handed on as they are")]
pub(super) fn spawn(program: &Path, arguments: &[&str]) -> Result<(OwnedFd, Child), ExecutorError> {
    let (ours, theirs) = pair()?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .envs(RUBYS_VARIABLES.iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .current_dir("/")
        .stdin(theirs)
        .stdout(Stdio::null())
        .spawn()
        .map_err(|source| ExecutorError::Spawn { program: program.display().to_string(), source })?;
    Ok((ours, child))
}

/// Makes a receive from the socket fail with `EAGAIN` after `longest`.
pub(super) fn wait_at_most(socket: &OwnedFd, longest: Duration) -> io::Result<()> {
    let longest = TimeVal::seconds(longest.as_secs() as i64);
    Ok(setsockopt(socket, sockopt::ReceiveTimeout, &longest)?)
}

/// A pair of connected sockets that carry whole packets.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Locks the mutex even if a thread has panicked while it held the lock: the data is valid at every step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use badlambda_zygote::protocol::{AnswerLimits, Tuning};

    use super::*;

    #[test]
    fn a_zygote_that_reads_nothing_does_not_answer_however_often_it_is_asked() {
        let (socket, _never_read) = pair().unwrap();
        let process = Command::new("true").spawn().unwrap();
        let confined = Confined { layers: Vec::new(), ruby_version: String::new(), ruby_threads: 1 };
        let zygote = Zygote { process, socket: Some(socket), confined, is_ready: true };
        let confinement = Confinement {
            enforced: false,
            own_uids: false,
            network: false,
            jail: None,
            scratch: PathBuf::new(),
            readable: Vec::new(),
            preload: Vec::new(),
            tuning: Tuning::default(),
            limits: AnswerLimits { json_depth: 0, message_bytes: 0, backtrace_lines: 0 },
        };
        let zygotes = Zygotes {
            program: PathBuf::new(),
            confinement,
            patience: Duration::ZERO,
            running: vec![Mutex::new(zygote)],
            next: AtomicUsize::new(0),
        };
        for _ in 0..2000 {
            assert!(!zygotes.answer_within(Duration::ZERO));
        }
        assert!(zygotes.open_channel().is_err());
    }
}
