//! One attempt at one task: load what is not loaded, fork, watch, classify.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_shared::execution::{ErrorKind, ExecutionError, Usage};
use badlambda_shared::timestamp::Timestamp;
use badlambda_zygote::wire::{Exit, Job, Limits, Request};
use nix::sys::socket::{Shutdown, shutdown};

use super::Executor;
use super::classify::{Classification, LimitHit, RunReport};
use super::code::sealed;
use super::output::{Logs, unblock};
use super::sandbox::Sandbox;
use super::task::{ExecutorError, Outcome, Task};
use super::templates::{Loader, Reports, Template, TemplateKey};
use super::watch::{End, Launch, Parent, Watch, Watched};
use super::zygotes::{Channel, pair};

/// Threads of an execution that may not start processes; the kernel counts them like processes.
const MAX_THREADS: u64 = 128;

/// What came of a handler-form execution.
pub(super) struct HandlerRun {
    pub(super) outcome: Outcome,
    /// Whether its template took the request; else it had ended before.
    pub(super) was_asked: bool,
    /// Whether its template may serve again.
    pub(super) template_is_good: bool,
}

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

    /// Runs the version's top level in a loader, of which a new template comes; its failure is the execution's, and is not
    /// kept.
    pub(super) fn load(&mut self, key: TemplateKey) -> Result<Result<Template, Outcome>, ExecutorError> {
        let executor = self.executor;
        let sandbox = executor.sandboxes.take()?;
        let zygote_channel = executor.zygotes.open_channel()?;
        let (requests, theirs) = pair()?;
        // What function code might send here, descriptors among it, is refused at its source.
        shutdown(requests.as_raw_fd(), Shutdown::Read)?;
        let (reports, reports_to) = io::pipe()?;
        unblock(&reports)?;
        // What one execution is given must not stay for the next.
        let (job, input) = self.job(self.task.environment(&sandbox.scratch_path), &sandbox)?;
        let loader = Loader::below(zygote_channel.zygote_pid);
        // From here on, dropping it ends whatever there is of it.
        let mut template = Template {
            key,
            sandbox,
            requests,
            reports: Reports::new(reports),
            zygote_channel,
            pid: 0,
            process: None,
            loader,
            memory_bytes: self.task.config.memory_mb << 20,
            executions: 0,
            waits_since: Instant::now(),
            looked_at: None,
        };
        let launch = Launch {
            request: Request::Load(job),
            code: &self.code,
            input: &input,
            template: Some((theirs, reports_to)),
        };
        let mut logs = Logs::default();
        let parent = Parent::Loader(&template.zygote_channel, &template.reports);
        let watched = self.watch(&template.sandbox, parent).run(launch, &mut logs);
        self.logs = logs;
        let watched = watched?;
        self.deadline += watched.stalled;
        let failed = match watched.end {
            End::Loaded(pid) if watched.limit_hit.is_none() => {
                if template.adopt(pid, watched.pid) && template.sandbox.clean().is_ok() {
                    return Ok(Ok(template));
                }
                Watched { limit_hit: Some(LimitHit::LeftProcesses), ..watched }
            }
            _ => watched,
        };
        executor.templates.end_behind(vec![template]);
        self.classify(&failed, true).map(Err)
    }

    /// Forks a script-form execution from a zygote, and watches it to its end.
    pub(super) fn run(mut self, sandbox: &Sandbox, channel: &Channel) -> Result<Outcome, ExecutorError> {
        let environment = self.task.environment(&sandbox.scratch_path);
        let watched = self.execute(sandbox, Parent::Zygote(channel), environment)?;
        self.classify(&watched, true)
    }

    /// Forks a handler-form execution from its template, and watches it to its end.
    pub(super) fn run_handler(&mut self, template: &Template) -> Result<HandlerRun, ExecutorError> {
        let parent = Parent::Template(template.requests.as_fd(), &template.reports, template.pid);
        let mut watched = self.execute(&template.sandbox, parent, Vec::new())?;
        let mut good = matches!(watched.end, End::Exited(_));
        // What only the template could reap stays, if it does not.
        if good && template.sandbox.clean().is_err() {
            (good, watched.limit_hit) = (false, watched.limit_hit.or(Some(LimitHit::LeftProcesses)));
        }
        let was_asked = !matches!(watched.end, End::NotAsked);
        Ok(HandlerRun { outcome: self.classify(&watched, false)?, was_asked, template_is_good: good })
    }

    fn execute(
        &mut self,
        sandbox: &Sandbox,
        parent: Parent<'_>,
        mut environment: Vec<u8>,
    ) -> Result<Watched, ExecutorError> {
        environment.extend(self.task.trace_environment());
        let (job, input) = self.job(environment, sandbox)?;
        let launch =
            Launch { request: Request::Execute(job), code: &self.code, input: &input, template: None };
        let mut logs = std::mem::take(&mut self.logs);
        let watched = self.watch(sandbox, parent).run(launch, &mut logs);
        self.logs = logs;
        watched
    }

    fn watch<'b>(&'b self, sandbox: &'b Sandbox, parent: Parent<'b>) -> Watch<'b> {
        Watch {
            sandbox,
            parent,
            config: &self.task.config,
            sampler: &self.executor.sampler,
            deadline: self.deadline,
            cancelled: self.task.cancelled.as_deref(),
        }
    }

    /// What the process is held to, and what it is given to read.
    fn job(&self, environment: Vec<u8>, sandbox: &Sandbox) -> Result<(Job, OwnedFd), ExecutorError> {
        let (task, config) = (self.task, &self.task.config);
        let context = task.context(self.started_at);
        let handler = config.handler.as_deref().unwrap_or_default();
        let input = sealed(&[&environment, &context, handler.as_bytes(), task.event.as_bytes()])?;
        let limits = Limits {
            memory_bytes: config.memory_mb << 20,
            // Only a net under the wall clock: several threads of native code may use more than one core.
            cpu_seconds: config.timeout_ms.div_ceil(1000) * 4 + 1,
            file_bytes: config.max_scratch_bytes,
            processes: if config.subprocesses { config.max_processes } else { MAX_THREADS },
        };
        let job = Job {
            identity: sandbox.identity,
            limits,
            network: config.network,
            subprocesses: config.subprocesses,
            max_result_bytes: config.max_result_bytes,
            environment_bytes: environment.len() as u64,
            context_bytes: context.len() as u64,
            handler_bytes: handler.len() as u64,
        };
        Ok((job, input))
    }

    fn classify(&mut self, watched: &Watched, from_zygote: bool) -> Result<Outcome, ExecutorError> {
        let Logs { bytes: logs, truncated } = std::mem::take(&mut self.logs);
        let ended = match watched.end {
            End::Exited(exit) => Some(exit),
            End::Loaded(_) | End::Broken | End::NotAsked => None,
        };
        let report = RunReport {
            limit_hit: watched.limit_hit,
            exit: ended,
            from_zygote,
            answer: &watched.answer,
            logs: &logs,
        };
        let exit = ended.unwrap_or(Exit { pid: 0, code: None, signal: None, cpu_us: 0, max_rss_bytes: 0 });
        let Classification { result, retry } = report.classify(&self.task.config)?;
        // Its word alone is not enough.
        if watched.limit_hit.is_none() && says_no_space(&result) && self.executor.space.is_low() {
            return Err(ExecutorError::NoScratch);
        }
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

fn says_no_space(result: &Result<String, ExecutionError>) -> bool {
    let error = result.as_ref().err().filter(|error| error.kind == ErrorKind::Scratch);
    error.and_then(|error| error.class.as_deref()) == Some("Errno::ENOSPC")
}
