//! Watching one process from its fork to its end: wall clock, memory, scratch folder, logs, answer.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use badlambda_shared::function::FunctionConfig;
use badlambda_zygote::wire::{self, Exit, Report, Request};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::answer::Verdict;
use super::census::{self, Census};
use super::output::{Logs, read_available};
use super::seat::Seat;
use super::task::ExecutorError;

/// Most executions end before the first look at their memory.
const FIRST_SAMPLE: Duration = Duration::from_millis(10);
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// Short executions are not read from before they have ended: what they write waits in the pipes.
const READ_AFTER: Duration = Duration::from_millis(2);
/// The scratch folder is walked less often than memory is read.
const SCRATCH_SAMPLES: u32 = 5;
/// How long after the deadline a fork may still be reported.
const START_PATIENCE: Duration = Duration::from_secs(1);
/// A wait that is longer than it should be by this means that the worker itself stood still.
const STALL: Duration = Duration::from_secs(1);
/// How long a process may take to be reaped after it was killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// A frame around a result, or an error's JSON where results may be small.
const ANSWER_HEADROOM: u64 = 256 * 1024;

/// How a watch ended.
#[derive(Debug)]
pub(super) enum End {
    /// The process ended and was reaped.
    Exited(Exit),
    /// The template has loaded.
    Loaded,
}

/// Everything that came of it.
pub(super) struct Watched {
    pub(super) end: End,
    pub(super) pid: i32,
    pub(super) verdict: Option<Verdict>,
    pub(super) answer: Vec<u8>,
    pub(super) wall: Duration,
    /// For how long the worker stood still meanwhile, which is not the function's fault.
    pub(super) stalled: Duration,
    pub(super) peak_bytes: u64,
}

/// What is needed to watch.
pub(super) struct Watch<'a> {
    pub(super) seat: &'a Seat,
    pub(super) socket: BorrowedFd<'a>,
    pub(super) config: &'a FunctionConfig,
    pub(super) census: &'a Census,
    pub(super) deadline: Instant,
    pub(super) cancelled: Option<&'a OwnedFd>,
    /// Whose children may be killed by pid, where there are no uids.
    pub(super) parent: i32,
    /// Whether a template is to load; else an execution is to end.
    pub(super) loading: bool,
    /// Whether there can be only one process, and its pid comes from the zygote: then its memory is read straight.
    pub(super) one_trusted_process: bool,
}

/// What is to be forked.
pub(super) struct Launch<'a> {
    pub(super) request: Request,
    /// The channel to ask over, where it is not the one to listen to.
    pub(super) through: Option<BorrowedFd<'a>>,
    pub(super) code: &'a OwnedFd,
    pub(super) input: &'a OwnedFd,
    /// A template's end of its channel.
    pub(super) channel: Option<OwnedFd>,
}

impl Watch<'_> {
    /// Sends the request and watches what it starts, until it ends or has loaded.
    pub(super) fn run(&self, launch: Launch<'_>, logs: &mut Logs) -> Result<Watched, ExecutorError> {
        let (logs_from, their_logs) = io::pipe()?;
        let (answer_from, their_answer) = io::pipe()?;
        for ours in [&logs_from, &answer_from] {
            fcntl(ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let started = Instant::now();
        self.send(launch, &their_logs, &their_answer)?;
        drop((their_logs, their_answer));
        let mut state = State {
            pid: 0,
            loaded: false,
            verdict: None,
            killed_at: None,
            answer: Vec::new(),
            answer_from: Some(answer_from),
            logs_from: Some(logs_from),
            peak_bytes: 0,
            read_from: started + READ_AFTER,
            next_sample: started + FIRST_SAMPLE,
            samples: 0,
            packet: Vec::new(),
            turned_at: started,
            stalled: Duration::ZERO,
        };
        let end = loop {
            if let Some(end) = self.turn(&mut state, logs)? {
                break end;
            }
        };
        let wall = started.elapsed();
        self.drain(&mut state, logs, &end)?;
        let State { pid, verdict, answer, peak_bytes, stalled, .. } = state;
        Ok(Watched { end, pid, verdict, answer, wall, stalled, peak_bytes })
    }

    /// The descriptors that a request has beside it are the ones `Request` lists, in that order.
    fn send(&self, launch: Launch<'_>, logs: &PipeWriter, answer: &PipeWriter) -> Result<(), ExecutorError> {
        let mut fds = vec![
            self.seat.scratch.as_raw_fd(),
            launch.code.as_raw_fd(),
            launch.input.as_raw_fd(),
            logs.as_raw_fd(),
            answer.as_raw_fd(),
        ];
        fds.extend(launch.channel.as_ref().map(AsRawFd::as_raw_fd));
        let through = launch.through.unwrap_or(self.socket);
        wire::send(through, &launch.request, &fds).map_err(|errno| ExecutorError::Zygote(errno.to_string()))
    }

    /// Waits for one thing to happen, and sees to it.
    fn turn(&self, state: &mut State, logs: &mut Logs) -> Result<Option<End>, ExecutorError> {
        let (channel, answer, logged, cancelled) = self.wait(state)?;
        if answer {
            state.read_answer(self.config);
        }
        if logged {
            state.read_logs(logs, self.config);
        }
        if channel && let Some(end) = self.hear(state)? {
            return Ok(Some(end));
        }
        let now = Instant::now();
        if state.verdict.is_none() {
            state.verdict = self.look(state, now, cancelled);
        }
        match (state.verdict, state.killed_at) {
            (Some(_), None) if state.pid != 0 || now > self.deadline(state) + START_PATIENCE => {
                state.killed_at = Some(now);
                self.kill(state.pid)?;
            }
            (_, Some(killed_at)) if now.duration_since(killed_at) > PATIENCE => {
                return Err(ExecutorError::NotCleaned);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Which of channel, answer, logs and cancellation are ready.
    fn wait(&self, state: &mut State) -> Result<(bool, bool, bool, bool), ExecutorError> {
        let now = Instant::now();
        let reads = now >= state.read_from;
        let until = match state.killed_at {
            Some(_) => now + PATIENCE,
            None if reads => self.deadline(state).min(state.next_sample),
            None => state.read_from,
        };
        let timeout = until.saturating_duration_since(now).as_millis().min(60_000) as i32 + 1;
        let mut polled = vec![PollFd::new(self.socket, PollFlags::POLLIN)];
        let mut places = [None; 3];
        let cancelled = self.cancelled.filter(|_| state.verdict.is_none());
        let rest = [
            state.answer_from.as_ref().filter(|_| reads).map(AsFd::as_fd),
            state.logs_from.as_ref().filter(|_| reads).map(AsFd::as_fd),
            cancelled.map(AsFd::as_fd),
        ];
        for (place, fd) in places.iter_mut().zip(rest) {
            if let Some(fd) = fd {
                *place = Some(polled.len());
                polled.push(PollFd::new(fd, PollFlags::POLLIN));
            }
        }
        match poll(&mut polled, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ready = |index: usize| polled[index].any().unwrap_or(false);
        let [answer, logged, cancelled] = places.map(|place| place.is_some_and(ready));
        let channel = ready(0);
        state.see_stall(Duration::from_millis(timeout as u64));
        Ok((channel, answer, logged, cancelled))
    }

    /// Reads one report. What a template says is hostile: only its own execution's end counts.
    fn hear(&self, state: &mut State) -> Result<Option<End>, ExecutorError> {
        let failed = |what: &str| Err(ExecutorError::Zygote(what.to_owned()));
        match wire::receive::<Report>(self.socket, &mut state.packet) {
            Ok(Some((Report::Started { pid }, _))) if state.pid == 0 && pid > 1 => state.pid = pid,
            Ok(Some((Report::NotStarted { errno }, _))) => {
                return Err(ExecutorError::System(io::Error::from_raw_os_error(errno)));
            }
            // It may be told before the start is, by another process.
            Ok(Some((Report::Loaded, _))) if self.loading => state.loaded = true,
            // The start of a short execution is not told.
            Ok(Some((Report::Exited(exit), _))) if [0, exit.pid].contains(&state.pid) => {
                return Ok(Some(End::Exited(exit)));
            }
            Ok(Some((Report::Exited(_), _)) | None) => return failed("it ended while an execution ran"),
            Ok(Some(_)) => return failed("it said what it should not"),
            Err(errno) => return failed(&errno.to_string()),
        }
        Ok((state.loaded && state.pid != 0).then_some(End::Loaded))
    }

    fn deadline(&self, state: &State) -> Instant {
        self.deadline + state.stalled
    }

    /// Whether a limit is reached.
    fn look(&self, state: &mut State, now: Instant, cancelled: bool) -> Option<Verdict> {
        if cancelled {
            return Some(Verdict::Cancelled);
        }
        if now >= self.deadline(state) {
            return Some(Verdict::Timeout);
        }
        if state.answer.len() as u64 > self.config.max_result_bytes + ANSWER_HEADROOM {
            return Some(Verdict::TooLarge);
        }
        if now < state.next_sample || state.pid == 0 {
            return None;
        }
        state.next_sample = now + SAMPLE_EVERY;
        state.samples += 1;
        let resident = match self.seat.identity {
            Some(identity) if self.loading => self.census.resident_bytes(identity.template),
            Some(identity) if !self.one_trusted_process => self.census.resident_bytes(identity.execution),
            _ => census::resident_bytes_of(state.pid),
        };
        state.peak_bytes = state.peak_bytes.max(resident);
        if resident > self.config.memory_mb << 20 {
            return Some(Verdict::Memory);
        }
        let look_at_scratch = state.samples.is_multiple_of(SCRATCH_SAMPLES);
        let over = |bytes: Result<u64, _>| bytes.is_ok_and(|bytes| bytes > self.config.max_scratch_bytes);
        (look_at_scratch && over(self.seat.scratch_bytes())).then_some(Verdict::Scratch)
    }

    /// A template that loads, or does not even fork any more, is itself what has to go.
    fn kill(&self, pid: i32) -> Result<(), ExecutorError> {
        if self.seat.identity.is_some() {
            return if self.loading || pid == 0 { self.seat.end_template() } else { self.seat.end() };
        }
        // Without uids of their own, only a child of ours is killed, whatever the report said.
        if census::parent_of(pid) == Some(self.parent) {
            let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL);
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        Ok(())
    }

    /// Reads what is left in the pipes. Something that still holds them is ended, and never waited for.
    fn drain(&self, state: &mut State, logs: &mut Logs, end: &End) -> Result<(), ExecutorError> {
        state.read_answer(self.config);
        state.read_logs(logs, self.config);
        let survivors = state.answer_from.is_some() || state.logs_from.is_some();
        if survivors && matches!(end, End::Exited(_)) {
            self.seat.end()?;
            state.read_answer(self.config);
            state.read_logs(logs, self.config);
        }
        Ok(())
    }
}

struct State {
    pid: i32,
    loaded: bool,
    verdict: Option<Verdict>,
    killed_at: Option<Instant>,
    answer: Vec<u8>,
    answer_from: Option<PipeReader>,
    logs_from: Option<PipeReader>,
    peak_bytes: u64,
    read_from: Instant,
    next_sample: Instant,
    samples: u32,
    packet: Vec<u8>,
    turned_at: Instant,
    stalled: Duration,
}

impl State {
    /// Whether this turn took far longer than it was to wait: then the process was stopped, or the machine was.
    fn see_stall(&mut self, waited_for: Duration) {
        let now = Instant::now();
        let surplus = now.duration_since(self.turned_at).saturating_sub(waited_for);
        if surplus > STALL {
            self.stalled += surplus;
        }
        self.turned_at = now;
    }

    fn read_answer(&mut self, config: &FunctionConfig) {
        let most = (config.max_result_bytes + ANSWER_HEADROOM) as usize + 1;
        let answer = &mut self.answer;
        read_available(&mut self.answer_from, |bytes| {
            let room = most.saturating_sub(answer.len()).min(bytes.len());
            answer.extend_from_slice(&bytes[..room]);
        });
    }

    fn read_logs(&mut self, logs: &mut Logs, config: &FunctionConfig) {
        read_available(&mut self.logs_from, |bytes| logs.append(bytes, config.max_log_bytes));
    }
}
