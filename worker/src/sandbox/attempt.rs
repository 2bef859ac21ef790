//! One attempt at one task: load the version if it needs a template and none waits, fork the execution, watch it, and
//! classify how it ended.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_shared::execution::{ErrorKind, ExecutionError, Usage};
use badlambda_shared::timestamp::Timestamp;
use badlambda_zygote::protocol::{Exit, Job, Limits, Request};
use nix::sys::socket::{Shutdown, shutdown};

use super::Executor;
use super::classify::{Classification, RunReport};
use super::code::sealed;
use super::failures::LimitHit;
use super::output::{Logs, unblock};
use super::reports::TemplateReports;
use super::sandbox::Sandbox;
use super::surroundings::trace_environment;
use super::task::{ExecutorError, Outcome, Task};
use super::templates::{Loader, Template, TemplateKey};
use super::watch::{
    Bounds, HandlerEnd, Launch, LoadEnd, TemplateEnds, Watched, watch_handler, watch_load, watch_script,
};
use super::zygotes::{Channel, pair};
use crate::metrics::{FORKS, KILLS, TEMPLATE_LOADS, TEMPLATES};

/// How many threads an execution may have. The kernel counts threads as processes (RLIMIT_NPROC).
const MAX_THREADS: u64 = 256;

/// How a handler-form execution ended, and what that means for its template.
pub(super) struct HandlerRun {
    pub(super) outcome: Outcome,
    /// Whether the template took the request. If not, the template had already ended.
    pub(super) was_asked: bool,
    /// Whether the template may serve another execution.
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
    /// Starts the attempt's clock.
    pub(super) fn begin(executor: &'a Executor, task: &'a Task) -> Result<Self, ExecutorError> {
        let deadline = Instant::now() + Duration::from_millis(task.config.timeout_ms);
        let code = executor.codes.of(task)?;
        Ok(Self { executor, task, code, deadline, started_at: Timestamp::now(), logs: Logs::default() })
    }

    /// Runs the version's top level in a loader, which forks a new template. Returns the template and the loader's
    /// pid. If the load fails, this execution fails. The failure is not remembered, so the next execution loads
    /// again.
    pub(super) fn load(
        &mut self,
        key: TemplateKey,
    ) -> Result<Result<(Template, i32), Outcome>, ExecutorError> {
        let executor = self.executor;
        let sandbox = executor.sandboxes.take()?;
        let zygote_channel = executor.zygotes.open_channel()?;
        let (requests, theirs) = pair()?;
        // The worker never reads from this socket. After this call, the kernel refuses whatever function code tries
        // to send here, descriptors among it.
        shutdown(requests.as_raw_fd(), Shutdown::Read)?;
        let (reports, reports_to) = io::pipe()?;
        unblock(&reports)?;
        // The template stays for later executions, which can read all of its memory. So it is given what belongs to
        // the version, and nothing of this execution: no event, no id, no trace.
        let environment = executor.surroundings.environment(self.task, &sandbox.scratch_path);
        let context = executor.surroundings.context(self.task, "", self.started_at);
        let (job, input) = self.job(&sandbox, &environment, &context, "")?;
        let loader = Loader::below(zygote_channel.zygote_pid);
        // From here on, dropping `template` ends every process of the load.
        let mut template = Template {
            key,
            sandbox,
            requests,
            reports: TemplateReports::new(reports),
            zygote_channel,
            pid: 0,
            process: None,
            loader,
            _unpacked: self.task.unpacked(),
            memory_bytes: self.task.config.memory_mb << 20,
            executions: 0,
            waits_since: Instant::now(),
            looked_at: None,
            counted: None,
        };
        let launch = Launch { request: Request::Load(job), code: &self.code, input: &input };
        let ends = TemplateEnds { requests: theirs, reports: reports_to };
        let (channel, reports) = (&template.zygote_channel, &template.reports);
        FORKS.count(["zygote"]);
        let mut watched = watch_load(self.bounds(&template.sandbox), channel, reports, &launch, ends)?;
        self.deadline += watched.stalled;
        let exit = match watched.end {
            LoadEnd::Loaded(pid) if watched.limit_hit.is_none() => {
                if template.adopt(pid, watched.pid) && template.sandbox.clean().is_ok() {
                    self.logs = watched.logs;
                    template.counted = Some(TEMPLATES.count(1));
                    TEMPLATE_LOADS.count(["loaded"]);
                    return Ok(Ok((template, watched.pid)));
                }
                watched.limit_hit = Some(LimitHit::LeftProcesses);
                None
            }
            LoadEnd::Failed(exit) => Some(exit),
            LoadEnd::Loaded(_) | LoadEnd::Broken => None,
        };
        TEMPLATE_LOADS.count(["failed"]);
        executor.templates.end_behind(vec![template]);
        self.judge(watched, exit, true).map(Err)
    }

    /// Forks a script-form execution from a zygote, and watches it to its end.
    pub(super) fn run(self, sandbox: &Sandbox, channel: &Channel) -> Result<Outcome, ExecutorError> {
        let mut environment = self.executor.surroundings.environment(self.task, &sandbox.scratch_path);
        environment.extend(trace_environment(self.task));
        let (job, input) = self.job(sandbox, &environment, &self.context(), &self.task.event)?;
        let launch = Launch { request: Request::Execute(job), code: &self.code, input: &input };
        FORKS.count(["zygote"]);
        let watched = watch_script(self.bounds(sandbox), channel, &launch)?;
        let exit = watched.end;
        self.judge(watched, Some(exit), true)
    }

    /// Forks a handler-form execution from its template, and watches it to its end. `loader` is the pid of the loader
    /// if the template is new: see [`watch_handler`].
    pub(super) fn run_handler(
        &mut self,
        template: &Template,
        loader: Option<i32>,
    ) -> Result<HandlerRun, ExecutorError> {
        let environment = trace_environment(self.task);
        let (job, input) = self.job(&template.sandbox, &environment, &self.context(), &self.task.event)?;
        let launch = Launch { request: Request::Execute(job), code: &self.code, input: &input };
        let logs = std::mem::take(&mut self.logs);
        let mut watched = watch_handler(self.bounds(&template.sandbox), template, &launch, logs, loader)?;
        let exit = match watched.end {
            HandlerEnd::Exited(exit) => Some(exit),
            HandlerEnd::Broken | HandlerEnd::NotAsked => None,
        };
        let mut good = exit.is_some();
        // This fails if processes of the execution are left that only the template could have reaped.
        if good && template.sandbox.clean().is_err() {
            (good, watched.limit_hit) = (false, watched.limit_hit.or(Some(LimitHit::LeftProcesses)));
        }
        let was_asked = !matches!(watched.end, HandlerEnd::NotAsked);
        if was_asked {
            FORKS.count(["template"]);
        }
        Ok(HandlerRun { outcome: self.judge(watched, exit, false)?, was_asked, template_is_good: good })
    }

    fn context(&self) -> Vec<u8> {
        self.executor.surroundings.context(self.task, &self.task.execution_id, self.started_at)
    }

    fn bounds<'b>(&'b self, sandbox: &'b Sandbox) -> Bounds<'b> {
        Bounds {
            sandbox,
            config: &self.task.config,
            sampler: &self.executor.sampler,
            deadline: self.deadline,
            cancelled: self.task.cancelled.as_deref(),
            progress: self.task.progress.as_deref(),
        }
    }

    /// The limits of the process, and the memory file that it reads its input from.
    fn job(
        &self,
        sandbox: &Sandbox,
        environment: &[u8],
        context: &[u8],
        event: &str,
    ) -> Result<(Job, OwnedFd), ExecutorError> {
        let config = &self.task.config;
        let handler = config.handler.as_deref().unwrap_or_default();
        let input = sealed(&[environment, context, handler.as_bytes(), event.as_bytes()])?;
        let limits = Limits {
            memory_bytes: config.memory_mb << 20,
            // Only a safety net in case the wall clock does not stop it. It is generous because threads of native
            // code may use several cores.
            cpu_seconds: config.timeout_ms.div_ceil(1000) * 4 + 1,
            file_bytes: config.max_scratch_bytes,
            processes: MAX_THREADS + if config.subprocesses { config.max_processes } else { 0 },
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

    /// Makes the outcome from what the worker saw. `exit` is `None` if no valid report says how the process ended.
    fn judge<E>(
        &self,
        watched: Watched<E>,
        exit: Option<Exit>,
        from_zygote: bool,
    ) -> Result<Outcome, ExecutorError> {
        let Watched { limit_hit, answer, logs: Logs { bytes: logs, truncated }, .. } = watched;
        if let Some(limit_hit) = limit_hit {
            KILLS.count([limit_hit.name()]);
        }
        let report = RunReport { limit_hit, exit, from_zygote, answer: &answer, logs: &logs };
        let Classification { result, encoding: result_encoding, retry } =
            report.classify(&self.task.config)?;
        // The execution claims that there was no space. The claim counts only if the worker also finds the scratch
        // space low.
        if limit_hit.is_none() && says_no_space(&result) && self.executor.space.is_low() {
            return Err(ExecutorError::NoScratch);
        }
        let usage = Usage {
            wall_ms: watched.wall.as_micros() as f64 / 1000.0,
            cpu_ms: exit.map_or(0.0, |exit| exit.cpu_us as f64 / 1000.0),
            max_rss_bytes: exit.map_or(0, |exit| exit.max_rss_bytes).max(watched.peak_bytes),
        };
        Ok(Outcome {
            result,
            result_encoding,
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
