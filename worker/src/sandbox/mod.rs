//! The executor: runs Ruby fast and confined. It uses nothing of queue and storage, so that it can be read, tested
//! and attacked alone.
//!
//! # Theory of operation
//!
//! ```text
//! worker (root, trusted) ── starts ──▶ zygote   one per core; warm Ruby, our code only        zygotes.rs
//!    │                                   │ forks
//!    │                                   ├──▶ execution (script form)                          attempt.rs, watch/
//!    │                                   └──▶ loader ─▶ template ─▶ execution (handler form)   templates.rs
//!    └── starts ──▶ cleaner              two per sandbox that may hold a template, else one    sandbox.rs, cleaner.rs
//! ```
//!
//! - A **sandbox** is a scratch folder and two uids, E and T, which one execution at a time has to itself. An
//!   execution runs as E. A template has the real uid T and the effective uid E. Once confined, no process below a
//!   zygote can take any other uids. Each of the two uids has a **cleaner**, which kills all its processes. A sandbox
//!   that the cleaners can't clean is not used again.
//! - The **loader** runs a version's top level and forks the **template**. From then on the template counts as
//!   function code: it may do what an execution may, and fork. After a load, nothing else may be left under the
//!   sandbox's uids. Otherwise the first execution fails, and the worker ends all processes of the sandbox. Checking
//!   this takes as long as a short execution, so the worker does it while the first execution runs.
//! - The worker sends a template's requests over a socket on which nothing comes back. The template does not read
//!   them: the process that it has forked ahead takes the request, and becomes the execution. The template
//!   **reports** over a pipe, in numbers only. The worker trusts only the reports of zygotes, and function code can't
//!   make a zygote wait.
//! - The worker **watches** each attempt: wall clock, memory, scratch folder, logs, answer. What comes over the pipes
//!   is only a claim of function code, and the worker judges it as such (classify.rs). If a template breaks, its
//!   function has crashed.
//! - A **watchdog** ends templates that wait for too long, use too much or have other processes than they need, and
//!   asks the zygotes whether they answer.
//! - A zygote is the sub-reaper of all processes below it. When the worker ends, however it ends, its sockets close.
//!   Then zygotes and cleaners end, and all other processes end by their parent-death signals.
//!
//! All of this blocks. Callers use one thread for each execution.

mod attempt;
mod classify;
mod cleaner;
mod code;
mod failures;
mod health;
mod isolation;
mod output;
mod packages;
mod probe;
mod progress;
mod reports;
mod reserve;
mod results;
mod sampler;
#[expect(clippy::module_inception, reason = "it is the word for it")]
mod sandbox;
mod sandboxes;
mod surroundings;
mod task;
mod templates;
mod watch;
mod watchdog;
mod zygotes;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use badlambda_shared::execution::Isolation;
use badlambda_shared::function::Form;
use badlambda_shared::function::account::Account;
use badlambda_shared::limits;
pub use badlambda_zygote::protocol::Tuning;
use badlambda_zygote::protocol::{AnswerLimits, Confinement};

use self::attempt::{Attempt, HandlerRun};
pub use self::classify::read_answer;
use self::code::CodeFiles;
use self::health::Health;
pub use self::isolation::{IsolationMode, LAYERS, Layer, Need};
use self::packages::Packages;
pub use self::packages::Unpacked;
pub use self::probe::Finding;
pub use self::progress::{Progress, ProgressReport};
use self::reserve::ScratchSpace;
use self::sampler::MemorySampler;
use self::sandbox::{Sandbox, SandboxPlan};
use self::sandboxes::Sandboxes;
use self::surroundings::Surroundings;
pub use self::task::{ExecutorError, Outcome, RetryWish, Task, TaskCode};
use self::templates::{Template, TemplateKey, Templates};
use self::watchdog::{Watchdog, WatchdogParts};
use self::zygotes::{Channel, Zygotes, lock};
use crate::metrics::{SANDBOXES_GIVEN_UP, TEMPLATES_ENDED};

/// Paths that executions may read beside Ruby's own folders: programs and libraries, and the files in which programs
/// look up users, hosts, services, time zones, file types and fonts.
const READABLE: [&str; 23] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/opt",
    "/var/lib/gems",
    "/etc/ssl",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ld.so.cache",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/mime.types",
    "/etc/magic",
    "/etc/fonts",
];

/// How an executor is set up.
#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    /// Which layers confine executions.
    pub isolation: IsolationMode,
    /// Whether functions with `network: true` may run.
    pub network: bool,
    /// What stands in the ARNs of functions.
    pub account: Account,
    /// The folder to chroot into.
    pub jail: Option<PathBuf>,
    /// The folder that holds all scratch folders.
    pub scratch: PathBuf,
    /// The folder that holds all code that came in zips. Executions may read it.
    pub packages: PathBuf,
    /// How many zygotes to start: one per core is best.
    pub zygotes: usize,
    /// How many templates to keep.
    pub templates: usize,
    /// Libraries to load before any function.
    pub preload: Vec<String>,
    /// The folder that holds the programs `badlambda-zygote` and `badlambda-cleaner`.
    pub programs: PathBuf,
    /// How zygotes prepare their memory.
    pub tuning: Tuning,
    /// How long a zygote may take to start, including the time to load all libraries.
    pub start_patience: Duration,
}

/// Runs tasks. Shared by as many threads as there are slots.
#[derive(Debug)]
pub struct Executor {
    _watchdog: Watchdog,
    // Rust drops fields in this order. So executions and templates end before the zygotes that they were forked from,
    // and the zygotes before what they need.
    idle_sandboxes: Mutex<Vec<IdleSandbox>>,
    templates: Arc<Templates>,
    zygotes: Arc<Zygotes>,
    health: Arc<Health>,
    sandboxes: Arc<Sandboxes>,
    codes: CodeFiles,
    packages: Packages,
    sampler: Arc<MemorySampler>,
    space: Arc<ScratchSpace>,
    isolation: Isolation,
    surroundings: Surroundings,
}

/// A sandbox with a channel to a zygote, for script-form executions.
#[derive(Debug)]
struct IdleSandbox {
    sandbox: Sandbox,
    channel: Channel,
}

impl Executor {
    /// Starts the zygotes, which confine themselves, and the watchdog.
    ///
    /// # Errors
    /// When a program is missing, Ruby does not start, or a layer that is asked for can't be had.
    pub fn start(config: &ExecutorConfig) -> Result<Self, ExecutorError> {
        if config.isolation == IsolationMode::Required && !nix::unistd::geteuid().is_root() {
            return Err(ExecutorError::NotRoot);
        }
        sandbox::make_root(&config.scratch, "BADLAMBDA_SCRATCH_DIR")?;
        let packages_inside = inside(config.jail.as_deref(), &config.packages);
        let packages = Packages::start(&config.packages, &packages_inside)?;
        let own_uids = config.isolation == IsolationMode::Required;
        let confinement = Confinement {
            enforced: config.isolation != IsolationMode::None,
            own_uids,
            network: config.network,
            jail: config.jail.clone(),
            scratch: config.scratch.clone(),
            readable: READABLE.iter().map(PathBuf::from).chain([packages_inside]).collect(),
            preload: config.preload.clone(),
            tuning: config.tuning,
            limits: answer_limits(),
        };
        let zygotes = Zygotes::start(
            config.programs.join("badlambda-zygote"),
            confinement,
            config.zygotes,
            config.start_patience,
        )?;
        let confined = zygotes.confined();
        let isolation = isolation::rate(confined.layers);
        tracing::info!(tier = isolation.tier, layers = ?isolation.layers, ruby = confined.ruby_version, "zygotes are ready");
        let sandboxes = SandboxPlan {
            cleaner: config.programs.join("badlambda-cleaner"),
            scratch: config.scratch.clone(),
            scratch_inside: inside(config.jail.as_deref(), &config.scratch),
            own_uids,
            taken_elsewhere: Arc::default(),
        };
        let sandboxes = Sandboxes::new(sandboxes);
        let templates = Arc::new(Templates::new(config.templates, Arc::clone(&sandboxes)));
        let sampler = Arc::new(MemorySampler::default());
        let space = Arc::new(ScratchSpace::of(&config.scratch)?);
        let (zygotes, health) = (Arc::new(zygotes), Arc::new(Health::new()));
        let parts = WatchdogParts {
            templates: Arc::clone(&templates),
            sampler: Arc::clone(&sampler),
            space: Arc::clone(&space),
            zygotes: Arc::clone(&zygotes),
            health: Arc::clone(&health),
        };
        Ok(Self {
            _watchdog: Watchdog::start(parts),
            idle_sandboxes: Mutex::default(),
            templates,
            zygotes,
            health,
            sandboxes,
            codes: CodeFiles::new(),
            packages,
            sampler,
            space,
            isolation,
            surroundings: Surroundings {
                ruby_version: confined.ruby_version,
                account: config.account.clone(),
            },
        })
    }

    /// The version of Ruby that runs executions.
    pub fn ruby_version(&self) -> &str {
        &self.surroundings.ruby_version
    }

    /// How every execution is confined.
    pub fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// The layers that are not in force on this machine, though they would be of use.
    pub fn absent_layers(&self) -> impl Iterator<Item = &'static Layer> {
        let of_use =
            |layer: &&Layer| !(self.sandboxes.plan.own_uids && layer.name == isolation::USER_NAMESPACE);
        LAYERS
            .iter()
            .filter(of_use)
            .filter(|layer| !self.isolation.layers.iter().any(|held| held == layer.name))
    }

    /// What is wrong with the executor, if anything is. Then the executor should be started anew.
    pub fn complaint(&self) -> Option<&'static str> {
        self.health.complaint(Instant::now())
    }

    /// The latest deadline of all attempts under way.
    pub fn busy_until(&self) -> Option<Instant> {
        self.health.busy_until()
    }

    /// Unpacks code that came in a zip, or layers, each over those before it, for tasks to run. Blocks.
    ///
    /// # Errors
    /// When there is no room for it, or a zip is none that may be stored.
    pub fn unpack(&self, zips: &[impl AsRef<[u8]>]) -> Result<Unpacked, ExecutorError> {
        Ok(self.packages.unpack(zips)?)
    }

    /// Runs one attempt to its end. Blocks.
    ///
    /// # Errors
    /// Only for our own failures and a cancellation. A failure of Ruby is an outcome.
    pub fn execute(&self, task: &Task) -> Result<Outcome, ExecutorError> {
        let _underway = self.health.begin(Instant::now() + Duration::from_millis(task.config.timeout_ms));
        match task.form {
            Form::Script => self.execute_script(task),
            Form::Handler => self.execute_handler(task),
        }
    }

    fn execute_script(&self, task: &Task) -> Result<Outcome, ExecutorError> {
        let idle = lock(&self.idle_sandboxes).pop();
        let idle = match idle {
            Some(idle) => idle,
            None => {
                let sandbox = self.sandboxes.take()?.without_template();
                IdleSandbox { sandbox, channel: self.zygotes.open_channel()? }
            }
        };
        let outcome = Attempt::begin(self, task)?.run(&idle.sandbox, &idle.channel)?;
        self.end_orphans(&idle.sandbox, &idle.channel, task)?;
        match idle.sandbox.clean() {
            Ok(()) => lock(&self.idle_sandboxes).push(idle),
            // The outcome stands. The sandbox is not used again. Dropping it lets its cleaner try a last time, on
            // another thread, so that nobody waits for that.
            Err(error) => {
                tracing::warn!(%error, function = task.function, "a sandbox is given up");
                SANDBOXES_GIVEN_UP.count([]);
                thread::spawn(move || drop(idle));
            }
        }
        Ok(outcome)
    }

    fn execute_handler(&self, task: &Task) -> Result<Outcome, ExecutorError> {
        let key = TemplateKey {
            function: task.function.clone(),
            version: task.version,
            revision: task.revision.clone(),
        };
        let mut attempt = Attempt::begin(self, task)?;
        if let Some(template) = self.templates.take(&key) {
            let run = self.run_handler(&mut attempt, template, None, task)?;
            if run.was_asked {
                return Ok(run.outcome);
            }
        }
        match attempt.load(key)? {
            Ok((template, loader)) => {
                Ok(self.run_handler(&mut attempt, template, Some(loader), task)?.outcome)
            }
            Err(outcome) => Ok(outcome),
        }
    }

    fn run_handler(
        &self,
        attempt: &mut Attempt<'_>,
        template: Template,
        loader: Option<i32>,
        task: &Task,
    ) -> Result<HandlerRun, ExecutorError> {
        let run = attempt.run_handler(&template, loader)?;
        self.end_orphans(&template.sandbox, &template.zygote_channel, task)?;
        if run.template_is_good {
            self.templates.put(template);
        } else {
            TEMPLATES_ENDED.count([if run.was_asked { "broken" } else { "ended" }]);
            self.templates.end_behind(vec![template]);
        }
        Ok(run)
    }

    /// Ends the processes that an execution left running, where executions have no uids of their own. There only the
    /// zygote knows these processes, because they have become its children.
    fn end_orphans(&self, sandbox: &Sandbox, zygote: &Channel, task: &Task) -> Result<(), ExecutorError> {
        if sandbox.identity.is_none() && task.config.subprocesses { zygote.end_orphans() } else { Ok(()) }
    }
}

/// The limits that Ruby keeps its answers to. Those of errors follow from what a record keeps. A character may take
/// four bytes.
fn answer_limits() -> AnswerLimits {
    AnswerLimits {
        json_depth: limits::MAX_JSON_DEPTH,
        message_bytes: limits::MAX_ERROR_MESSAGE_CHARS * 4,
        backtrace_lines: limits::MAX_BACKTRACE_LINES,
    }
}

/// The path of `folder` as a process inside the jail sees it.
fn inside(jail: Option<&Path>, folder: &Path) -> PathBuf {
    let stripped = jail.and_then(|jail| folder.strip_prefix(jail).ok());
    stripped.map_or_else(|| folder.to_owned(), |rest| Path::new("/").join(rest))
}
