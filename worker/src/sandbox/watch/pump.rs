//! What all watches have in common: they launch the process, read what it writes, keep the clock, and check the
//! limits that do not depend on who forked it.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use badlambda_shared::execution::Usage;
use badlambda_zygote::protocol::{Identity, Request};
use badlambda_zygote::wire;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Bounds, Readable, Sources, Watched};
use crate::sandbox::failures::LimitHit;
use crate::sandbox::output::{Logs, read_available, unblock};
use crate::sandbox::sampler;
use crate::sandbox::task::ExecutorError;

/// Most executions end before the first look at their memory.
const FIRST_SAMPLE: Duration = Duration::from_millis(10);
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// How often it is told how far the process has come.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Before this, the worker does not read the pipes. What a short execution writes waits there until it has ended.
const READ_AFTER: Duration = Duration::from_millis(2);
/// The scratch folder is measured only at one in this many looks at memory.
const SCRATCH_SAMPLES: u32 = 5;
/// If a wait takes longer than it should by this much, the worker itself stood still.
const STALL: Duration = Duration::from_secs(1);
/// How much longer than the largest result an answer may be. It leaves room for the frame around a result, or for an
/// error's JSON where only small results are allowed.
const ANSWER_HEADROOM: u64 = 256 * 1024;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The request to fork a process, and the files that the process reads.
pub(in crate::sandbox) struct Launch<'a> {
    pub(in crate::sandbox) request: Request,
    pub(in crate::sandbox) code: &'a OwnedFd,
    pub(in crate::sandbox) input: &'a OwnedFd,
}

/// The pipes and the clock of one watch.
pub(super) struct Pump<'a> {
    pub(super) bounds: Bounds<'a>,
    pub(super) limit_hit: Option<LimitHit>,
    pub(super) answer: Vec<u8>,
    answer_from: Option<PipeReader>,
    logs: Logs,
    logs_from: Option<PipeReader>,
    /// The writing ends of the pipes for logs and answer, until they are sent to the process.
    theirs: Option<[PipeWriter; 2]>,
    cancelled: bool,
    peak_bytes: u64,
    samples: u32,
    began_at: Instant,
    next_sample: Instant,
    next_progress: Instant,
    turned_at: Instant,
    stalled: Duration,
}

impl<'a> Pump<'a> {
    /// Makes the pipes, and starts the clock. What the process logs is added to `logs`.
    pub(super) fn begin(bounds: Bounds<'a>, logs: Logs) -> Result<Self, ExecutorError> {
        let (logs_from, their_logs) = io::pipe()?;
        let (answer_from, their_answer) = io::pipe()?;
        for ours in [&logs_from, &answer_from] {
            unblock(ours)?;
        }
        let now = Instant::now();
        Ok(Self {
            bounds,
            limit_hit: None,
            answer: Vec::new(),
            answer_from: Some(answer_from),
            logs,
            logs_from: Some(logs_from),
            theirs: Some([their_logs, their_answer]),
            cancelled: false,
            peak_bytes: 0,
            samples: 0,
            began_at: now,
            next_sample: now + FIRST_SAMPLE,
            next_progress: now + PROGRESS_EVERY,
            turned_at: now,
            stalled: Duration::ZERO,
        })
    }

    /// Sends the request with the descriptors that every process gets, and `more` behind them. Fails at once if the
    /// socket is full, because then the other side does not read.
    pub(super) fn launch(
        &mut self,
        requests: BorrowedFd<'_>,
        launch: &Launch<'_>,
        more: &[BorrowedFd<'_>],
    ) -> Result<(), Errno> {
        let theirs = self.theirs.take();
        let given = [self.bounds.sandbox.scratch.as_fd(), launch.code.as_fd(), launch.input.as_fd()];
        let written = theirs.iter().flatten().map(AsFd::as_fd);
        let fds: Vec<_> =
            given.into_iter().chain(written).chain(more.iter().copied()).map(|fd| fd.as_raw_fd()).collect();
        wire::send_now(requests, &launch.request, &fds)
    }

    /// Waits until the process has written to its answer, which it does once it is confined, or until `other` has
    /// something to read, but no longer than `longest`.
    pub(super) fn wait_until_written(&self, other: BorrowedFd<'_>, longest: Duration) {
        let Some(answer) = &self.answer_from else { return };
        let mut polled = [answer.as_fd(), other].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        // The next step is the same, however this wait ends.
        let _ = poll(&mut polled, PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX));
    }

    /// Waits until there is something to read or it is time for the next look, and reads the pipes. Once the process
    /// was killed, waits no longer than `patience`.
    pub(super) fn wait(
        &mut self,
        sources: &Sources<'_>,
        patience: Option<Duration>,
    ) -> Result<Readable, ExecutorError> {
        let now = Instant::now();
        let read_from = self.began_at + READ_AFTER;
        let reads = now >= read_from;
        let until = match patience {
            Some(patience) => now + patience,
            None if reads => self.deadline().min(self.next_sample),
            None => read_from,
        };
        let timeout = until.saturating_duration_since(now).min(LONGEST_WAIT) + Duration::from_millis(1);
        let candidates = [
            sources.zygote,
            sources.template,
            self.answer_from.as_ref().filter(|_| reads).map(AsFd::as_fd),
            self.logs_from.as_ref().filter(|_| reads).map(AsFd::as_fd),
            self.bounds.cancelled.filter(|_| self.limit_hit.is_none()).map(AsFd::as_fd),
        ];
        let mut polled = Vec::with_capacity(candidates.len());
        let places = candidates.map(|fd| {
            polled.push(PollFd::new(fd?, PollFlags::POLLIN));
            Some(polled.len() - 1)
        });
        match poll(&mut polled, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let [zygote, template, answer, logs, cancelled] =
            places.map(|place| place.is_some_and(|index| polled[index].any().unwrap_or(false)));
        self.see_stall(timeout);
        self.cancelled |= cancelled;
        if answer {
            self.read_answer();
        }
        if logs {
            self.read_logs();
        }
        Ok(Readable { zygote, template })
    }

    /// Adds up the time for which the worker stood still. If this turn took far longer than its wait should have, the
    /// worker's process was stopped, or the whole machine was.
    fn see_stall(&mut self, waited_for: Duration) {
        let now = Instant::now();
        let surplus = now.duration_since(self.turned_at).saturating_sub(waited_for);
        if surplus > STALL {
            self.stalled += surplus;
        }
        self.turned_at = now;
    }

    /// When the process must have ended. The time for which the worker stood still is added.
    pub(super) fn deadline(&self) -> Instant {
        self.bounds.deadline + self.stalled
    }

    /// Returns a limit that is reached, of those that need no look at the process.
    pub(super) fn limit_reached(&self, now: Instant) -> Option<LimitHit> {
        if self.cancelled {
            Some(LimitHit::Cancelled)
        } else if now >= self.deadline() {
            Some(LimitHit::Timeout)
        } else if self.answer.len() as u64 > self.most_answer_bytes() {
            Some(LimitHit::TooLarge)
        } else {
            None
        }
    }

    /// Whether it is time for the next look at the process. If it is, counts this as the look.
    pub(super) fn sample_is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next_sample;
        if is_due {
            self.next_sample = now + SAMPLE_EVERY;
            self.samples += 1;
        }
        is_due
    }

    /// Notes how much memory is held, and checks the limit.
    pub(super) fn see_resident(&mut self, bytes: u64) -> Option<LimitHit> {
        self.peak_bytes = self.peak_bytes.max(bytes);
        (bytes > self.bounds.memory_bytes()).then_some(LimitHit::Memory)
    }

    /// Checks how many processes the execution has, and how much memory they hold together.
    pub(super) fn look_at_executions(&mut self, identity: Identity) -> Option<LimitHit> {
        let held = self.bounds.sampler.held_by(identity.execution);
        if held.processes.len() as u64 > self.bounds.config.max_processes {
            return Some(LimitHit::Processes);
        }
        // Pages that the processes share must count once. Finding out which pages those are takes longer, so the
        // worker asks only where the simple sum is above the limit.
        let exact = if held.processes.len() > 1 && held.resident_bytes > self.bounds.memory_bytes() {
            self.bounds.sandbox.memory_bytes().unwrap_or(held.resident_bytes)
        } else {
            held.resident_bytes
        };
        self.see_resident(exact)
    }

    /// Checks the size of the scratch folder, if that is due at this look.
    pub(super) fn look_at_scratch(&self) -> Option<LimitHit> {
        let most = self.bounds.config.max_scratch_bytes;
        let is_due = self.samples.is_multiple_of(SCRATCH_SAMPLES);
        let is_over = || self.bounds.sandbox.scratch_bytes(most).is_ok_and(|bytes| bytes > most);
        (is_due && is_over()).then_some(LimitHit::Scratch)
    }

    /// Tells how far the process has come, if it is time to.
    pub(super) fn tell_progress(&mut self, pid: i32, now: Instant) {
        let Some(progress) = self.bounds.progress.filter(|_| now >= self.next_progress) else { return };
        self.next_progress = now + PROGRESS_EVERY;
        let cpu_ms = match self.bounds.sandbox.identity {
            Some(identity) => self.bounds.sampler.cpu_ms_of(identity.execution),
            None => sampler::cpu_ms_of(pid),
        };
        let wall_ms = self.wall().as_micros() as f64 / 1000.0;
        let usage = Usage { wall_ms, cpu_ms, max_rss_bytes: self.peak_bytes };
        progress.note(usage, &self.logs.bytes);
    }

    fn most_answer_bytes(&self) -> u64 {
        self.bounds.config.max_result_bytes + ANSWER_HEADROOM
    }

    pub(super) fn read_answer(&mut self) {
        let most = self.most_answer_bytes() as usize + 1;
        let answer = &mut self.answer;
        read_available(&mut self.answer_from, |bytes| {
            let room = most.saturating_sub(answer.len()).min(bytes.len());
            answer.extend_from_slice(&bytes[..room]);
        });
    }

    fn read_logs(&mut self) {
        let most = self.bounds.config.max_log_bytes;
        read_available(&mut self.logs_from, |bytes| self.logs.append(bytes, most));
    }

    /// Reads what is left in the pipes. Returns whether a process still has one of them open.
    pub(super) fn read_rest(&mut self) -> bool {
        self.read_answer();
        self.read_logs();
        self.answer_from.is_some() || self.logs_from.is_some()
    }

    /// How long the watch has lasted until now.
    pub(super) fn wall(&self) -> Duration {
        self.began_at.elapsed()
    }

    /// Ends the watch, and returns what it has found.
    pub(super) fn finish<E>(self, end: E, pid: i32, wall: Duration) -> Watched<E> {
        let Self { limit_hit, answer, logs, stalled, peak_bytes, .. } = self;
        Watched { end, pid, limit_hit, answer, logs, wall, stalled, peak_bytes }
    }
}
