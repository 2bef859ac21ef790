//! What worker, zygote and cleaner say to one another, and what the worker asks of a template. It goes over sockets, see
//! wire.rs. What a template says comes another way, see report.rs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The first packet to a zygote: how it confines itself before anything else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether there is any; without it executions are ordinary processes.
    pub enforced: bool,
    /// Whether executions get uids of their own.
    pub own_uids: bool,
    /// Whether functions may be given the network.
    pub network: bool,
    /// The folder to chroot into.
    pub jail: Option<PathBuf>,
    /// The folder of all scratch folders, as seen from outside the jail.
    pub scratch: PathBuf,
    /// What executions may read, beside Ruby's own folders.
    pub readable: Vec<PathBuf>,
    /// Libraries to load before anything else.
    pub preload: Vec<String>,
    /// How its memory is prepared.
    pub tuning: Tuning,
    /// What Ruby's answers are held to.
    pub limits: AnswerLimits,
}

/// What Ruby's answers are held to, before the worker checks them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AnswerLimits {
    /// Nesting of an event and of a result.
    pub json_depth: usize,
    /// Bytes of an error's message, and of each line of its backtrace.
    pub message_bytes: usize,
    /// Lines of an error's backtrace.
    pub backtrace_lines: usize,
}

/// What a zygote does so that its forks are cheap. `badlambda-bench tuning` leaves out one at a time, and shows what it
/// pays; a worker does all.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Tuning {
    /// The warm heap lies in huge pages.
    pub huge_pages: bool,
    /// The gaps in malloc's heap are filled, so that what a fork allocates lies together.
    pub filled_gaps: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { huge_pages: true, filled_gaps: true }
    }
}

/// A zygote's answer once it is warm and confined.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confined {
    /// The layers in force for every execution.
    pub layers: Vec<String>,
    /// Ruby's version.
    pub ruby_version: String,
}

/// What the worker asks of a zygote or, with `Execute` alone, of a template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Serve the socket that comes with this packet, too.
    Channel,
    /// Fork an execution. Descriptors: scratch folder, code, input, logs, answer.
    Execute(Job),
    /// Fork a loader, of which a template comes. Descriptors: scratch folder, code, input, logs, answer, where the
    /// template's requests come from, and where it reports to.
    Load(Job),
    /// Say that you are there.
    Ping,
    /// End every process below the zygote that is no execution and no loader. Only where executions have no uids of
    /// their own; there, a template's loader stays.
    EndOrphans,
}

/// What a zygote says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Report {
    /// The process was forked. Not told of executions that end at once.
    Started {
        /// Its pid.
        pid: i32,
    },
    /// It could not be forked.
    NotStarted {
        /// Why.
        errno: i32,
    },
    /// The process ended and was reaped.
    Exited(Exit),
    /// It is there.
    Pong,
    /// What `EndOrphans` asked for is done.
    OrphansEnded,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its pid.
    pub pid: i32,
    /// Its exit code, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// User and system time, in microseconds, with that of the children it waited for.
    pub cpu_us: u64,
    /// The largest resident memory of any one of them, in bytes.
    pub max_rss_bytes: u64,
}

/// One process to fork, and within which bounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Whom it runs as; `None` leaves the zygote's own uid.
    pub identity: Option<Identity>,
    /// What the kernel holds it to.
    pub limits: Limits,
    /// Whether it may open network connections.
    pub network: bool,
    /// Whether it may start processes.
    pub subprocesses: bool,
    /// How large its result may be, in bytes.
    pub max_result_bytes: u64,
    /// How many bytes of the input's descriptor are the environment: `NAME=VALUE`, each with a nul behind it. For an
    /// execution of a template, it is what comes to the template's.
    pub environment_bytes: u64,
    /// How many bytes after it are the context.
    pub context_bytes: u64,
    /// How many bytes after that are the name of the method to call, where it is not a usual one; the event is the rest.
    pub handler_bytes: u64,
}

/// The uids of a sandbox. gids have the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of executions.
    pub execution: u32,
    /// What a template is really and by its saved uid, so that its executions can't signal it.
    pub template: u32,
}

/// Limits that the kernel enforces for each process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Resident memory, in bytes; the worker counts it over all processes, the kernel bounds each.
    pub memory_bytes: u64,
    /// CPU time, in seconds.
    pub cpu_seconds: u64,
    /// Size of a file, in bytes.
    pub file_bytes: u64,
    /// Processes and threads of the uid.
    pub processes: u64,
}

/// What the worker asks of a cleaner, the process that cleans one sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum CleanerRequest {
    /// The first packet: whose sandbox it is. Descriptors: scratch folder, and what claims the sandbox, to be held.
    Begin {
        /// Whose processes to end, and as whom to write; `None` where executions have no uids of their own.
        user: Option<User>,
    },
    /// End every process of the user.
    End {
        /// How long they may take to be gone, in milliseconds.
        patience_ms: u64,
    },
    /// Stop every process of the user: from then on there are no more of them than there are.
    Stop,
    /// Let them go on.
    Continue,
    /// End every process of the user, and empty the scratch folder.
    Clean,
    /// Add up what the scratch folder holds, and the user's files that have no name any more.
    MeasureScratch {
        /// In bytes; how much more there is does not matter.
        most: u64,
    },
    /// Add up what the user's processes hold in memory.
    MeasureMemory,
}

/// Whose processes a cleaner ends, and its own uid, by which these can't reach it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct User {
    /// The uid whose processes end.
    pub uid: u32,
    /// The cleaner's own.
    pub cleaner: u32,
}

/// What a cleaner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CleanerReply {
    /// Nothing is left of what was to go.
    Done,
    /// Something is left: the sandbox can't be used again.
    Left,
    /// Another has the sandbox's uids, where this one can't see it.
    Taken,
    /// What was added up, in bytes.
    Measured(u64),
    /// It could not be added up in time.
    Unmeasured,
}
