//! Watching one process from its fork to its end: wall clock, memory, scratch folder, logs, answer.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use badlambda_shared::function::FunctionConfig;
use badlambda_zygote::report::TemplateReport;
use badlambda_zygote::wire::{self, Exit, Report, Request};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::classify::LimitHit;
use super::output::{Logs, read_available, unblock};
use super::sampler::{self, MemorySampler};
use super::sandbox::Sandbox;
use super::task::ExecutorError;
use super::templates::{ReportRead, Reports};
use super::zygotes::Channel;

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
/// The same where a template is to reap it, which function code may keep from that.
const TEMPLATES_PATIENCE: Duration = Duration::from_millis(500);
/// A frame around a result, or an error's JSON where results may be small.
const ANSWER_HEADROOM: u64 = 256 * 1024;
/// The template, the execution before it has its own uid, and what was forked ahead.
const TEMPLATE_PROCESSES: usize = 3;

/// How a watch ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The process ended and was reaped.
    Exited(Exit),
    /// The template with this pid waits for requests.
    Loaded(i32),
    /// The template ended, or said what it never should: function code's doing.
    Broken,
    /// The template took no request: it had ended before.
    NotAsked,
}

/// Everything that came of it.
pub(super) struct Watched {
    pub(super) end: End,
    pub(super) pid: i32,
    pub(super) limit_hit: Option<LimitHit>,
    pub(super) answer: Vec<u8>,
    pub(super) wall: Duration,
    /// For how long the worker stood still meanwhile, which is not the function's fault.
    pub(super) stalled: Duration,
    pub(super) peak_bytes: u64,
}

/// Who forks what is watched, and tells of it.
#[derive(Clone, Copy)]
pub(super) enum Parent<'a> {
    /// A zygote, whose word counts.
    Zygote(&'a Channel),
    /// A zygote forks the loader, and the template that comes of it says so.
    Loader(&'a Channel, &'a Reports),
    /// A template, whose word is function code's: its requests, its reports and its pid.
    Template(BorrowedFd<'a>, &'a Reports, i32),
}

impl<'a> Parent<'a> {
    fn channel(self) -> Option<BorrowedFd<'a>> {
        match self {
            Self::Zygote(channel) | Self::Loader(channel, _) => Some(channel.socket.as_fd()),
            Self::Template(..) => None,
        }
    }

    fn reports(self) -> Option<&'a Reports> {
        match self {
            Self::Zygote(_) => None,
            Self::Loader(_, reports) | Self::Template(_, reports, _) => Some(reports),
        }
    }

    fn requests(self) -> BorrowedFd<'a> {
        match self {
            Self::Zygote(channel) | Self::Loader(channel, _) => channel.socket.as_fd(),
            Self::Template(requests, ..) => requests,
        }
    }

    /// Whose child the process is, by which it is known where there are no uids.
    fn pid(self) -> i32 {
        match self {
            Self::Zygote(channel) | Self::Loader(channel, _) => channel.zygote_pid,
            Self::Template(_, _, pid) => pid,
        }
    }
}

/// What is needed to watch.
pub(super) struct Watch<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) parent: Parent<'a>,
    pub(super) config: &'a FunctionConfig,
    pub(super) sampler: &'a MemorySampler,
    pub(super) deadline: Instant,
    pub(super) cancelled: Option<&'a OwnedFd>,
}

/// What is to be forked.
pub(super) struct Launch<'a> {
    pub(super) request: Request,
    pub(super) code: &'a OwnedFd,
    pub(super) input: &'a OwnedFd,
    /// A template's ends: where its requests come from, and where it reports to.
    pub(super) template: Option<(OwnedFd, PipeWriter)>,
}

impl Watch<'_> {
    /// Sends the request and watches what it starts, until it ends or has loaded.
    pub(super) fn run(&self, launch: Launch<'_>, logs: &mut Logs) -> Result<Watched, ExecutorError> {
        let (logs_from, their_logs) = io::pipe()?;
        let (answer_from, their_answer) = io::pipe()?;
        for ours in [&logs_from, &answer_from] {
            unblock(ours)?;
        }
        let started = Instant::now();
        let sent = self.send(launch, &their_logs, &their_answer);
        drop((their_logs, their_answer));
        let mut state = State {
            pid: 0,
            loader_ended: false,
            no_template: false,
            limit_hit: None,
            killed_at: None,
            answer: Vec::new(),
            answer_from: Some(answer_from),
            logs_from: Some(logs_from),
            peak_bytes: 0,
            over_before: false,
            read_from: started + READ_AFTER,
            next_sample: started + FIRST_SAMPLE,
            samples: 0,
            packet: Vec::new(),
            turned_at: started,
            stalled: Duration::ZERO,
        };
        let end = match (sent, self.parent) {
            (Err(_), Parent::Template(..)) => End::NotAsked,
            (Err(errno), _) => return Err(ExecutorError::Zygote(errno.to_string())),
            (Ok(()), _) => self.watch(&mut state, logs)?,
        };
        let wall = started.elapsed();
        self.drain(&mut state, logs, &end)?;
        let State { pid, limit_hit, answer, peak_bytes, stalled, .. } = state;
        Ok(Watched { end, pid, limit_hit, answer, wall, stalled, peak_bytes })
    }

    /// The descriptors that a request has beside it are the ones `Request` lists, in that order. Who does not take it at
    /// once does not read.
    fn send(
        &self,
        launch: Launch<'_>,
        logs: &PipeWriter,
        answer: &PipeWriter,
    ) -> Result<(), nix::errno::Errno> {
        let mut fds = vec![
            self.sandbox.scratch.as_raw_fd(),
            launch.code.as_raw_fd(),
            launch.input.as_raw_fd(),
            logs.as_raw_fd(),
            answer.as_raw_fd(),
        ];
        if let Some((requests, reports)) = &launch.template {
            fds.extend([requests.as_raw_fd(), reports.as_raw_fd()]);
        }
        wire::send_now(self.parent.requests(), &launch.request, &fds)
    }

    fn watch(&self, state: &mut State, logs: &mut Logs) -> Result<End, ExecutorError> {
        loop {
            if let Some(end) = self.turn(state, logs)? {
                return Ok(end);
            }
        }
    }

    /// Waits for one thing to happen, and sees to it.
    fn turn(&self, state: &mut State, logs: &mut Logs) -> Result<Option<End>, ExecutorError> {
        let ready = self.wait(state)?;
        if ready.answer {
            state.read_answer(self.config);
        }
        if ready.logs {
            state.read_logs(logs, self.config);
        }
        if ready.channel
            && let Some(end) = self.read_zygote_report(state)?
        {
            return Ok(Some(end));
        }
        if ready.reports
            && let Some(end) = self.read_template_report(state)
        {
            return Ok(Some(end));
        }
        let now = Instant::now();
        if state.limit_hit.is_none() {
            state.limit_hit = self.look(state, now, ready.cancelled);
        }
        match (state.limit_hit, state.killed_at) {
            (Some(_), None) if state.pid != 0 || now > self.deadline(state) + START_PATIENCE => {
                state.killed_at = Some(now);
                self.kill(state.pid)?;
            }
            (_, Some(killed_at)) if now.duration_since(killed_at) > self.patience() => {
                return match self.parent {
                    Parent::Zygote(_) => Err(ExecutorError::NotCleaned),
                    Parent::Loader(..) | Parent::Template(..) => Ok(Some(End::Broken)),
                };
            }
            _ => {}
        }
        Ok(None)
    }

    fn patience(&self) -> Duration {
        match self.parent {
            Parent::Zygote(_) | Parent::Loader(..) => PATIENCE,
            Parent::Template(..) => TEMPLATES_PATIENCE,
        }
    }

    fn wait(&self, state: &mut State) -> Result<Ready, ExecutorError> {
        let now = Instant::now();
        let reads = now >= state.read_from;
        let until = match state.killed_at {
            Some(_) => now + self.patience(),
            None if reads => self.deadline(state).min(state.next_sample),
            None => state.read_from,
        };
        let timeout = until.saturating_duration_since(now).as_millis().min(60_000) as i32 + 1;
        let candidates = [
            self.parent.channel(),
            self.parent.reports().filter(|_| !state.no_template).map(AsFd::as_fd),
            state.answer_from.as_ref().filter(|_| reads).map(AsFd::as_fd),
            state.logs_from.as_ref().filter(|_| reads).map(AsFd::as_fd),
            self.cancelled.filter(|_| state.limit_hit.is_none()).map(AsFd::as_fd),
        ];
        let mut polled = Vec::with_capacity(candidates.len());
        let places = candidates.map(|fd| {
            polled.push(PollFd::new(fd?, PollFlags::POLLIN));
            Some(polled.len() - 1)
        });
        match poll(&mut polled, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let [channel, reports, answer, logs, cancelled] =
            places.map(|place| place.is_some_and(|index| polled[index].any().unwrap_or(false)));
        state.see_stall(Duration::from_millis(timeout as u64));
        Ok(Ready { channel, reports, answer, logs, cancelled })
    }

    /// Reads one report of a zygote.
    fn read_zygote_report(&self, state: &mut State) -> Result<Option<End>, ExecutorError> {
        let failed = |what: &str| Err(ExecutorError::Zygote(what.to_owned()));
        let Some(channel) = self.parent.channel() else { return Ok(None) };
        match wire::receive::<Report>(channel, &mut state.packet) {
            Ok(Some((Report::Started { pid }, _))) if state.pid == 0 && pid > 1 => state.pid = pid,
            Ok(Some((Report::NotStarted { errno }, _))) => {
                return Err(ExecutorError::System(io::Error::from_raw_os_error(errno)));
            }
            // The start of a short execution is not told.
            Ok(Some((Report::Exited(exit), _))) if [0, exit.pid].contains(&state.pid) => {
                if matches!(self.parent, Parent::Zygote(_)) {
                    return Ok(Some(End::Exited(exit)));
                }
                return Ok(self.loader_exited(state, exit));
            }
            Ok(Some((Report::Exited(_), _)) | None) => return failed("it ended while an execution ran"),
            Ok(Some(_)) => return failed("it said what it should not"),
            Err(errno) => return failed(&errno.to_string()),
        }
        Ok(None)
    }

    /// A loader ends well if its template comes, which tells so itself; else with an answer, or without one.
    fn loader_exited(&self, state: &mut State, exit: Exit) -> Option<End> {
        state.loader_ended = true;
        state.read_answer(self.config);
        let failed = exit.code != Some(0) || state.answer.len() > 1 || state.no_template;
        failed.then_some(End::Exited(exit))
    }

    /// Reads one report of a template. Only the end of its own execution counts.
    fn read_template_report(&self, state: &mut State) -> Option<End> {
        let loads = matches!(self.parent, Parent::Loader(..));
        match self.parent.reports()?.read() {
            ReportRead::Nothing => None,
            // The loader's end may be told later, by another process.
            ReportRead::Report(TemplateReport::Loaded { pid }) if loads => Some(End::Loaded(pid)),
            ReportRead::Report(TemplateReport::Started { pid }) if !loads && state.pid == 0 => {
                state.pid = pid;
                None
            }
            ReportRead::Report(TemplateReport::Exited(exit)) if !loads && state.pid == exit.pid => {
                Some(End::Exited(exit))
            }
            // Of a loader that failed, the zygote tells.
            ReportRead::End if loads && !state.loader_ended => {
                state.no_template = true;
                None
            }
            ReportRead::Report(_) | ReportRead::Nonsense | ReportRead::End => Some(End::Broken),
        }
    }

    fn deadline(&self, state: &State) -> Instant {
        self.deadline + state.stalled
    }

    /// Whether a limit is reached.
    fn look(&self, state: &mut State, now: Instant, cancelled: bool) -> Option<LimitHit> {
        if cancelled {
            return Some(LimitHit::Cancelled);
        }
        if now >= self.deadline(state) {
            return Some(LimitHit::Timeout);
        }
        if state.answer.len() as u64 > self.config.max_result_bytes + ANSWER_HEADROOM {
            return Some(LimitHit::TooLarge);
        }
        let started = state.pid != 0 || matches!(self.parent, Parent::Template(..));
        if now < state.next_sample || !started {
            return None;
        }
        state.next_sample = now + SAMPLE_EVERY;
        state.samples += 1;
        if let Some(limit_hit) = self.look_at_memory(state) {
            return Some(limit_hit);
        }
        if !state.samples.is_multiple_of(SCRATCH_SAMPLES) {
            return None;
        }
        let bytes = self.sandbox.scratch_bytes(self.config.max_scratch_bytes);
        bytes.is_ok_and(|bytes| bytes > self.config.max_scratch_bytes).then_some(LimitHit::Scratch)
    }

    fn look_at_memory(&self, state: &mut State) -> Option<LimitHit> {
        let most = self.config.memory_mb << 20;
        let Some(identity) = self.sandbox.identity else {
            return self.check_memory(state, sampler::resident_bytes_of(state.pid));
        };
        match self.parent {
            // There can be only one process, and the zygote's word for its pid counts: then it is read straight.
            Parent::Zygote(_) if !self.config.subprocesses => {
                let resident = sampler::resident_bytes_of(state.pid);
                if resident > 0 {
                    return self.check_memory(state, resident);
                }
            }
            Parent::Zygote(_) => {}
            Parent::Loader(..) => {
                // For a moment, the loader and its template hold the same pages.
                let over = self.sampler.held_by(identity.template).resident_bytes > most;
                let twice = std::mem::replace(&mut state.over_before, over) && over;
                if twice {
                    return Some(LimitHit::Memory);
                }
            }
            Parent::Template(..) => {
                let template = self.sampler.held_by(identity.template);
                if template.processes.len() > TEMPLATE_PROCESSES {
                    return Some(LimitHit::Broken);
                }
                if template.largest_bytes > most {
                    return Some(LimitHit::Memory);
                }
            }
        }
        let held = self.sampler.held_by(identity.execution);
        // Pages that its processes share are to count once. Telling which those are takes longer.
        let exact = if held.processes.len() > 1 && held.resident_bytes > most {
            self.sandbox.memory_bytes().unwrap_or(held.resident_bytes)
        } else {
            held.resident_bytes
        };
        self.check_memory(state, exact)
    }

    fn check_memory(&self, state: &mut State, resident: u64) -> Option<LimitHit> {
        state.peak_bytes = state.peak_bytes.max(resident);
        (resident > self.config.memory_mb << 20).then_some(LimitHit::Memory)
    }

    /// A template that does not even fork any more, or does not reap, is itself what has to go.
    fn kill(&self, pid: i32) -> Result<(), ExecutorError> {
        if self.sandbox.identity.is_some() {
            return match self.parent {
                Parent::Zygote(_) => self.sandbox.end(),
                Parent::Template(..) if pid != 0 && self.sandbox.end_within(TEMPLATES_PATIENCE).is_ok() => {
                    Ok(())
                }
                Parent::Loader(..) | Parent::Template(..) => self.sandbox.end_all(),
            };
        }
        // Without uids of their own, only a child of ours is killed, whatever the report said.
        if sampler::parent_of(pid) == Some(self.parent.pid()) {
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
            match self.parent {
                Parent::Template(..) => drop(self.sandbox.end_within(TEMPLATES_PATIENCE)),
                Parent::Zygote(_) | Parent::Loader(..) => self.sandbox.end()?,
            }
            state.read_answer(self.config);
            state.read_logs(logs, self.config);
        }
        Ok(())
    }
}

/// What may be read without waiting.
struct Ready {
    channel: bool,
    reports: bool,
    answer: bool,
    logs: bool,
    cancelled: bool,
}

struct State {
    pid: i32,
    loader_ended: bool,
    /// Nobody is left who could report one.
    no_template: bool,
    limit_hit: Option<LimitHit>,
    killed_at: Option<Instant>,
    answer: Vec<u8>,
    answer_from: Option<PipeReader>,
    logs_from: Option<PipeReader>,
    peak_bytes: u64,
    over_before: bool,
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
