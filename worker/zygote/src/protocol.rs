//! The messages between the worker, its zygotes and its cleaners, and the worker's requests to templates. They go
//! over sockets, see wire.rs. A template reports over a pipe instead, see report.rs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The first packet to a zygote: how it prepares and confines itself before it takes any work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether executions are confined at all. If not, they are ordinary processes.
    pub enforced: bool,
    /// Whether executions get uids of their own.
    pub own_uids: bool,
    /// Whether functions may use the network at all.
    pub network: bool,
    /// The folder to chroot into, if any.
    pub jail: Option<PathBuf>,
    /// The folder that holds all scratch folders, as its path is outside the jail.
    pub scratch: PathBuf,
    /// The paths that executions may read, in addition to Ruby's own folders.
    pub readable: Vec<PathBuf>,
    /// The libraries that Ruby loads before any function.
    pub preload: Vec<String>,
    /// How the zygote prepares its memory.
    pub tuning: Tuning,
    /// The limits of the answers that Ruby writes.
    pub limits: AnswerLimits,
}

/// The limits that Ruby keeps its answers to, before the worker checks them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AnswerLimits {
    /// The deepest nesting of an event and of a result.
    pub json_depth: usize,
    /// The bytes of an error's message, and of each line of its backtrace.
    pub message_bytes: usize,
    /// The lines of an error's backtrace.
    pub backtrace_lines: usize,
}

/// What a zygote does to make its forks cheap. A worker does all of it. `badlambda-bench tuning` leaves out one at a
/// time, and shows what that one is worth.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Tuning {
    /// Whether Ruby is kept from setting stacks aside for fibers before there is any.
    pub few_fiber_stacks: bool,
    /// Whether malloc's heap begins at a huge page's boundary.
    pub aligned_heap: bool,
    /// Whether the warm heap is moved into huge pages.
    pub huge_pages: bool,
    /// Whether the code of Ruby's library is.
    pub huge_code: bool,
    /// Whether the transient heap, which Ruby has up to 3.2, is moved to a file.
    pub transient_heap_in_file: bool,
    /// Whether the gaps in malloc's heap are filled, so that what a fork allocates lies together.
    pub filled_gaps: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            few_fiber_stacks: true,
            aligned_heap: true,
            huge_pages: true,
            huge_code: true,
            transient_heap_in_file: true,
            filled_gaps: true,
        }
    }
}

/// A zygote's answer once it is warm and confined.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confined {
    /// The layers in force for every execution.
    pub layers: Vec<String>,
    /// The version of the Ruby that the zygote embeds.
    pub ruby_version: String,
    /// How many threads a process of this Ruby has before function code starts any: one, and from Ruby 3.3 on one more
    /// for Ruby's timer.
    pub ruby_threads: u64,
}

/// A request from the worker to a zygote. `Execute` may also go to a template, and no other request may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Take requests from the socket that comes with this packet, too.
    Channel,
    /// Fork an execution. Descriptors: scratch folder, code, input, logs, answer.
    Execute(Job),
    /// Fork a loader, which then forks a template. Descriptors: scratch folder, code, input, logs, answer, the socket
    /// that the template's requests come from, and the pipe that the template reports to.
    Load(Job),
    /// Answer with `Pong`, to show that the zygote still runs.
    Ping,
    /// Kill every child of the zygote that is neither an execution nor a loader. This is only for executions without
    /// uids of their own. In that case a loader stays as its template's parent, so templates are not killed.
    EndOrphans,
}

/// A report from a zygote to the worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Report {
    /// The process was forked. The zygote does not report this of executions that end at once.
    Started {
        /// The pid of the new process.
        pid: i32,
    },
    /// The process could not be forked.
    NotStarted {
        /// The error number of the failed call.
        errno: i32,
    },
    /// The process ended and was reaped.
    Exited(Exit),
    /// The answer to `Ping`.
    Pong,
    /// The processes that `EndOrphans` is about are gone.
    OrphansEnded,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The pid that the process had.
    pub pid: i32,
    /// The exit code, if the process exited.
    pub code: Option<i32>,
    /// The signal that ended the process, if one did.
    pub signal: Option<i32>,
    /// User and system CPU time, in microseconds, including that of the children that the process waited for.
    pub cpu_us: u64,
    /// The largest resident memory of the process or of any one of these children, in bytes.
    pub max_rss_bytes: u64,
}

/// A process to fork, with its rights and limits, and how its input is divided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The uids that the process runs as. With `None` it keeps the zygote's own uid.
    pub identity: Option<Identity>,
    /// The limits that the kernel enforces.
    pub limits: Limits,
    /// Whether the process may open network connections.
    pub network: bool,
    /// Whether the process may start other processes.
    pub subprocesses: bool,
    /// The largest result that is allowed, in bytes.
    pub max_result_bytes: u64,
    /// How many bytes of the input are the environment: `NAME=VALUE` entries, each followed by a nul byte. In an
    /// execution of a template they are added to the template's environment.
    pub environment_bytes: u64,
    /// How many bytes after the environment are the context.
    pub context_bytes: u64,
    /// How many bytes after the context are the name of the method to call. There are none if the method has one of
    /// the usual names. The rest of the input is the event.
    pub handler_bytes: u64,
}

/// The uids of a sandbox. The gid of all its processes is the same number as `execution`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The uid of executions.
    pub execution: u32,
    /// The real and the saved uid of a template, which keep its executions from sending signals to it.
    pub template: u32,
}

/// The limits that the kernel enforces for each process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, in bytes. The worker counts the resident memory of all processes together, and the kernel bounds each
    /// one.
    pub memory_bytes: u64,
    /// CPU time, in seconds.
    pub cpu_seconds: u64,
    /// The size of a file, in bytes.
    pub file_bytes: u64,
    /// The number of processes and threads of the uid.
    pub processes: u64,
}

/// A request from the worker to a cleaner, the process that kills and empties for one sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum CleanerRequest {
    /// The first packet: which sandbox it is. Descriptors: the scratch folder and, for one of the sandbox's cleaners,
    /// the socket that claims the sandbox, which this cleaner then holds, too.
    Begin {
        /// The uid whose processes the cleaner kills and whose files it removes, and the cleaner's own. `None` where
        /// executions have no uids of their own.
        user: Option<User>,
    },
    /// Kill every process of the user.
    End {
        /// How long the processes may take to be gone, in milliseconds.
        patience_ms: u64,
    },
    /// Stop every process of the user, so that they can't start more processes.
    Stop,
    /// Let the stopped processes of the user continue.
    Continue,
    /// Kill every process of the user, and empty the scratch folder.
    Clean,
    /// Add up the bytes that the scratch folder holds, and those of the user's files that have no name any more.
    MeasureScratch {
        /// Above this many bytes, the sum need not be exact.
        most: u64,
    },
    /// Add up the memory that the user's processes hold.
    MeasureMemory,
}

/// The uid whose processes a cleaner kills, and the cleaner's own, which keeps these processes from reaching the
/// cleaner.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct User {
    /// The uid of the processes to kill. It is also the effective uid of the cleaner.
    pub uid: u32,
    /// The real and the saved uid of the cleaner.
    pub cleaner: u32,
}

/// A cleaner's reply to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CleanerReply {
    /// The request is carried out, and nothing is left of what was to go.
    Done,
    /// Something is left. Until it is gone, the sandbox can't be used again.
    Left,
    /// Another process has the cleaner's own uid, in a place where this cleaner can't see it, such as another
    /// container.
    Taken,
    /// The sum, in bytes.
    Measured(u64),
    /// The sum could not be found in time, or there is no user to measure.
    Unmeasured,
}
