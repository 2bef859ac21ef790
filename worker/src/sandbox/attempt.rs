//! One attempt at one task: load what is not loaded, fork, watch, judge.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_shared::execution::Usage;
use badlambda_shared::function::Form;
use badlambda_shared::timestamp::Timestamp;
use badlambda_zygote::wire::{Exit, Job, Limits, Request};

use super::Executor;
use super::answer::{Judgement, Seen};
use super::code::sealed;
use super::output::Logs;
use super::seat::Seat;
use super::task::{ExecutorError, Outcome, Task};
use super::templates::{Template, TemplateKey};
use super::watch::{End, Launch, Watch, Watched};
use super::zygotes::{Channel, pair};

/// Threads of an execution that may not start processes; the kernel counts them like processes.
const MAX_THREADS: u64 = 128;

/// An attempt under way.
pub(super) struct Attempt<'a> {
    executor: &'a Executor,
    task: &'a Task,
    code: Arc<OwnedFd>,
    deadline: Instant,
    started_at: Timestamp,
    logs: Logs,
}

impl<'a> Attempt<'a> {
    /// Starts the clock.
    pub(super) fn begin(executor: &'a Executor, task: &'a Task) -> Result<Self, ExecutorError> {
        let deadline = Instant::now() + Duration::from_millis(task.config.timeout_ms);
        let code = executor.codes.of(task)?;
        Ok(Self { executor, task, code, deadline, started_at: Timestamp::now(), logs: Logs::default() })
    }

    /// Runs the version's top level in a new template; its failure is the execution's, and is not kept.
    pub(super) fn load(&mut self, key: TemplateKey) -> Result<Result<Template, Outcome>, ExecutorError> {
        let executor = self.executor;
        let seat = executor.seats.take()?;
        let home = executor.zygotes.open_channel()?;
        let (ours, theirs) = pair()?;
        let channel = Channel { socket: ours, zygote_pid: home.zygote_pid };
        // What one execution is given must not stay for the next.
        let (job, input) = self.job(self.task.environment(&seat.scratch_path), &seat)?;
        // From here on, dropping it ends whatever there is of it.
        let mut template = Template { key, seat, channel, home, pid: 0, executions: 0 };
        let launch = Launch {
            request: Request::Load(job),
            through: Some(template.home.socket.as_fd()),
            code: &self.code,
            input: &input,
            channel: Some(theirs),
        };
        let mut logs = Logs::default();
        let watch = Watch {
            loading: true,
            ..self.watch(&template.seat, &template.channel, template.home.zygote_pid)
        };
        let watched = watch.run(launch, &mut logs)?;
        self.logs = logs;
        template.pid = watched.pid;
        self.deadline += watched.stalled;
        match watched.end {
            End::Loaded => {
                template.seat.clean()?;
                Ok(Ok(template))
            }
            End::Exited(exit) => self.judge(&watched, exit).map(Err),
        }
    }

    /// Forks the execution through `channel`, from the process `parent`, and watches it to its end.
    pub(super) fn run(
        mut self,
        seat: &Seat,
        channel: &Channel,
        parent: i32,
    ) -> Result<Outcome, ExecutorError> {
        let mut environment = match self.task.form {
            Form::Script => self.task.environment(&seat.scratch_path),
            Form::Handler => Vec::new(),
        };
        environment.extend(self.task.trace_environment());
        let (job, input) = self.job(environment, seat)?;
        let launch = Launch {
            request: Request::Execute(job),
            through: None,
            code: &self.code,
            input: &input,
            channel: None,
        };
        let mut logs = std::mem::take(&mut self.logs);
        let watched = self.watch(seat, channel, parent).run(launch, &mut logs);
        self.logs = logs;
        let watched = watched?;
        match watched.end {
            End::Exited(exit) => self.judge(&watched, exit),
            End::Loaded => {
                Err(ExecutorError::Zygote("it reported a template that nobody asked for".to_owned()))
            }
        }
    }

    fn watch<'b>(&'b self, seat: &'b Seat, channel: &'b Channel, parent: i32) -> Watch<'b> {
        Watch {
            seat,
            socket: channel.socket.as_fd(),
            config: &self.task.config,
            census: &self.executor.census,
            deadline: self.deadline,
            cancelled: self.task.cancelled.as_deref(),
            parent,
            // A template's word about pids is function code's.
            loading: false,
            one_trusted_process: parent == channel.zygote_pid && !self.task.config.subprocesses,
        }
    }

    /// What the process is held to, and what it is given to read.
    fn job(&self, environment: Vec<u8>, seat: &Seat) -> Result<(Job, OwnedFd), ExecutorError> {
        let (task, config) = (self.task, &self.task.config);
        let context = task.context(self.started_at);
        let input = sealed(&[&environment, &context, task.event.as_bytes()])?;
        let limits = Limits {
            memory_bytes: config.memory_mb << 20,
            // Only a net under the wall clock: several threads of native code may use more than one core.
            cpu_seconds: config.timeout_ms.div_ceil(1000) * 4 + 1,
            file_bytes: config.max_scratch_bytes,
            processes: if config.subprocesses { config.max_processes } else { MAX_THREADS },
        };
        let job = Job {
            identity: seat.identity,
            limits,
            network: config.network,
            subprocesses: config.subprocesses,
            handler: config.handler.clone(),
            max_result_bytes: config.max_result_bytes,
            environment_bytes: environment.len() as u64,
            context_bytes: context.len() as u64,
        };
        Ok((job, input))
    }

    fn judge(&mut self, watched: &Watched, exit: Exit) -> Result<Outcome, ExecutorError> {
        let Logs { bytes: logs, truncated } = std::mem::take(&mut self.logs);
        let seen = Seen { verdict: watched.verdict, exit, answer: &watched.answer, logs: &logs };
        let Judgement { result, retry } = seen.judge(&self.task.config)?;
        let usage = Usage {
            wall_ms: watched.wall.as_micros() as f64 / 1000.0,
            cpu_ms: exit.cpu_us as f64 / 1000.0,
            max_rss_bytes: exit.max_rss_bytes.max(watched.peak_bytes),
        };
        Ok(Outcome {
            result,
            retry,
            started_at: self.started_at,
            usage,
            logs,
            logs_truncated: truncated,
            isolation: self.executor.isolation.clone(),
        })
    }
}
