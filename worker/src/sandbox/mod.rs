//! The executor: runs Ruby fast and confined. It knows nothing of queue and storage, so that it can be read,
//! tested and attacked alone.
//!
//! # Theory of operation
//!
//! ```text
//! worker (root, trusted) ── starts ──▶ zygote   one per core; warm Ruby, our code only        zygotes.rs
//!    │                                   │ forks
//!    │                                   ├──▶ execution (script form)                          attempt.rs, watch.rs
//!    │                                   └──▶ loader ─▶ template ─▶ execution (handler form)   templates.rs
//!    └── starts ──▶ janitor, reaper   two per seat                                            seat.rs, seats.rs
//! ```
//!
//! - A **seat** is a scratch folder and two uids that one execution at a time has to itself: E is whom executions run
//!   as; a template is really T and effectively E. Nothing below a zygote can have other uids than these two ways, and
//!   each is reached by one killer: E by the **janitor**, T by the **reaper**. What they can't clean is not used again.
//! - The **loader** runs a version's top level and forks the **template**, which is function code from then on: it may
//!   what an execution may, and fork. After a load nothing else of its uids is left, or the load fails.
//! - Requests go down a socket over which nothing comes back; the process that was forked ahead takes them itself.
//!   A template **reports** over a pipe, in numbers. Only zygotes are believed, and they wait for nobody.
//! - The worker **watches** each attempt: wall clock, memory, scratch, logs, answer. What came over the pipes was said,
//!   and nothing more is known of it (answer.rs). What breaks a template is its function's crash.
//! - The **keeper** ends templates that wait for too long, grow or are not alone, and asks the zygotes whether they are there.
//! - A zygote is the sub-reaper of everything below it. When the worker ends, however it ends, its sockets close:
//!   zygotes, janitors and reapers end, and the rest by their parent-death signals.
//!
//! Everything here blocks; callers use a thread per execution.

mod answer;
mod attempt;
mod census;
mod code;
mod health;
mod isolation;
mod keeper;
mod output;
mod probe;
mod reserve;
mod seat;
mod seats;
mod task;
mod templates;
mod watch;
mod zygotes;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use badlambda_shared::execution::Isolation;
use badlambda_shared::function::Form;
use badlambda_zygote::wire::Confinement;

pub use self::answer::read_answer;
use self::attempt::{Attempt, HandlerRun};
use self::census::Census;
use self::code::CodeFiles;
use self::health::Health;
pub use self::isolation::{IsolationMode, LAYERS, Layer, Need};
use self::keeper::{Keeper, Kept};
pub use self::probe::Finding;
use self::reserve::ScratchSpace;
use self::seat::{Seat, SeatPlan};
use self::seats::Seats;
pub use self::task::{ExecutorError, Outcome, RetryWish, Task};
use self::templates::{Template, TemplateKey, Templates};
use self::zygotes::{Channel, Zygotes, lock};

/// What executions may read beside Ruby's own folders: programs, libraries, and what resolves names and times.
const READABLE: [&str; 16] = [
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
];

/// How an executor is set up.
#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    /// What confines executions.
    pub isolation: IsolationMode,
    /// Whether functions with `network: true` may run.
    pub network: bool,
    /// The folder to chroot into.
    pub jail: Option<PathBuf>,
    /// The folder of all scratch folders.
    pub scratch: PathBuf,
    /// How many zygotes to start: one per core is best.
    pub zygotes: usize,
    /// How many templates to keep.
    pub templates: usize,
    /// Libraries to load before any function.
    pub preload: Vec<String>,
    /// The folder of `badlambda-zygote` and `badlambda-janitor`.
    pub programs: PathBuf,
}

/// Runs tasks. Shared by as many threads as there are slots.
#[derive(Debug)]
pub struct Executor {
    _keeper: Keeper,
    // Executions end before the zygotes, and these before what they need.
    stations: Mutex<Vec<Station>>,
    templates: Arc<Templates>,
    zygotes: Arc<Zygotes>,
    health: Arc<Health>,
    seats: Arc<Seats>,
    codes: CodeFiles,
    census: Arc<Census>,
    space: Arc<ScratchSpace>,
    isolation: Isolation,
    ruby_version: String,
}

/// A seat with a channel to a zygote, for script-form executions.
#[derive(Debug)]
struct Station {
    seat: Seat,
    channel: Channel,
}

impl Executor {
    /// Starts the zygotes, and confines them.
    ///
    /// # Errors
    /// When a program is missing, Ruby does not start, or a layer that is asked for can't be had.
    pub fn start(config: &ExecutorConfig) -> Result<Self, ExecutorError> {
        if config.isolation == IsolationMode::Required && !nix::unistd::geteuid().is_root() {
            return Err(ExecutorError::NotRoot);
        }
        seat::make_scratch_root(&config.scratch)?;
        let own_uids = config.isolation == IsolationMode::Required;
        let confinement = Confinement {
            enforced: config.isolation != IsolationMode::None,
            own_uids,
            network: config.network,
            jail: config.jail.clone(),
            scratch: config.scratch.clone(),
            readable: READABLE.iter().map(PathBuf::from).collect(),
            preload: config.preload.clone(),
        };
        let zygotes = Zygotes::start(config.programs.join("badlambda-zygote"), confinement, config.zygotes)?;
        let confined = zygotes.confined();
        let isolation = isolation::rate(confined.layers);
        tracing::info!(tier = isolation.tier, layers = ?isolation.layers, ruby = confined.ruby_version, "zygotes are ready");
        let seats = SeatPlan {
            janitor: config.programs.join("badlambda-janitor"),
            scratch: config.scratch.clone(),
            scratch_inside: inside(config.jail.as_deref(), &config.scratch),
            own_uids,
        };
        let seats = Seats::new(seats);
        let templates = Arc::new(Templates::new(config.templates, Arc::clone(&seats)));
        let census = Arc::new(Census::default());
        let space = Arc::new(ScratchSpace::of(&config.scratch)?);
        let (zygotes, health) = (Arc::new(zygotes), Arc::new(Health::new()));
        let kept = Kept {
            templates: Arc::clone(&templates),
            census: Arc::clone(&census),
            space: Arc::clone(&space),
            zygotes: Arc::clone(&zygotes),
            health: Arc::clone(&health),
        };
        Ok(Self {
            _keeper: Keeper::start(kept),
            stations: Mutex::default(),
            templates,
            zygotes,
            health,
            seats,
            codes: CodeFiles::new(),
            census,
            space,
            isolation,
            ruby_version: confined.ruby_version,
        })
    }

    /// The version of Ruby that runs executions.
    pub fn ruby_version(&self) -> &str {
        &self.ruby_version
    }

    /// How every execution is confined.
    pub fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// The layers that this machine does not have, though they would be of use.
    pub fn absent_layers(&self) -> impl Iterator<Item = &'static Layer> {
        let of_use = |layer: &&Layer| !(self.seats.plan.own_uids && layer.name == isolation::USER_NAMESPACE);
        LAYERS
            .iter()
            .filter(of_use)
            .filter(|layer| !self.isolation.layers.iter().any(|held| held == layer.name))
    }

    /// What is wrong with it, if something is, so that it had better be started anew.
    pub fn complaint(&self) -> Option<&'static str> {
        self.health.complaint(Instant::now())
    }

    /// When the time of all attempts under way will be up.
    pub fn busy_until(&self) -> Option<Instant> {
        self.health.busy_until()
    }

    /// Runs one attempt to its end. Blocks.
    ///
    /// # Errors
    /// Only for failures of our own; Ruby's are outcomes.
    pub fn execute(&self, task: &Task) -> Result<Outcome, ExecutorError> {
        let _underway = self.health.begin(Instant::now() + Duration::from_millis(task.config.timeout_ms));
        match task.form {
            Form::Script => self.execute_script(task),
            Form::Handler => self.execute_handler(task),
        }
    }

    fn execute_script(&self, task: &Task) -> Result<Outcome, ExecutorError> {
        let idle = lock(&self.stations).pop();
        let station = match idle {
            Some(station) => station,
            None => {
                let seat = self.seats.take()?.without_template();
                Station { seat, channel: self.zygotes.open_channel()? }
            }
        };
        let outcome = Attempt::begin(self, task)?.run(&station.seat, &station.channel)?;
        self.end_orphans(&station.seat, &station.channel, task)?;
        match station.seat.clean() {
            Ok(()) => lock(&self.stations).push(station),
            // The outcome stands. Nobody is given this seat before it is clean, and nobody waits for it.
            Err(error) => {
                tracing::warn!(%error, function = task.function, "a seat is given up");
                thread::spawn(move || drop(station));
            }
        }
        Ok(outcome)
    }

    fn execute_handler(&self, task: &Task) -> Result<Outcome, ExecutorError> {
        let key = TemplateKey {
            function: task.function.clone(),
            version: task.version,
            code_sha256: task.code_sha256.clone(),
        };
        let mut attempt = Attempt::begin(self, task)?;
        if let Some(template) = self.templates.take(&key) {
            let run = self.run_handler(&mut attempt, template, task)?;
            if run.was_asked {
                return Ok(run.outcome);
            }
        }
        match attempt.load(key)? {
            Ok(template) => Ok(self.run_handler(&mut attempt, template, task)?.outcome),
            Err(outcome) => Ok(outcome),
        }
    }

    fn run_handler(
        &self,
        attempt: &mut Attempt<'_>,
        template: Template,
        task: &Task,
    ) -> Result<HandlerRun, ExecutorError> {
        let run = attempt.run_handler(&template)?;
        self.end_orphans(&template.seat, &template.home, task)?;
        if run.template_is_good {
            self.templates.put(template);
        } else {
            self.templates.end_behind(vec![template]);
        }
        Ok(run)
    }

    /// Without uids of their own, what an execution left running is only known to the zygote, whose children they became.
    fn end_orphans(&self, seat: &Seat, zygote: &Channel, task: &Task) -> Result<(), ExecutorError> {
        if seat.identity.is_none() && task.config.subprocesses { zygote.end_orphans() } else { Ok(()) }
    }
}

/// `scratch` as it is seen from inside the jail.
fn inside(jail: Option<&Path>, scratch: &Path) -> PathBuf {
    let stripped = jail.and_then(|jail| scratch.strip_prefix(jail).ok());
    stripped.map_or_else(|| scratch.to_owned(), |rest| Path::new("/").join(rest))
}
