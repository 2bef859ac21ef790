//! The steps that confine every execution and loader between its fork and function code, in this order. If a step
//! fails, the process ends and no function code runs after it. The worker counts that as our failure, never the
//! user's. An execution that a template forked could fake such a failure, so there it counts as the function's crash.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, fchdir, getresgid, getresuid, setgroups, setresgid, setresuid, setsid, setuid};

use badlambda_zygote::protocol::{Identity, Job, Limits};

use crate::filters::Filters;
use crate::seccomp::{Confined, Stage2};

/// The pipe for the answer. In the zygote and in a template it is /dev/null.
pub const ANSWER_FD: RawFd = 3;
/// The zygote's channel to the worker. In executions it is /dev/null.
pub const CHANNEL_FD: RawFd = 4;
/// The socket that a template's requests come from. Nothing can be sent back over it.
pub const REQUESTS_FD: RawFd = CHANNEL_FD;
/// The scratch folder, until the process has entered it.
pub const SCRATCH_FD: RawFd = 5;
/// The pipe that a template writes its reports to. In executions it is /dev/null.
pub const REPORTS_FD: RawFd = 6;

const GIB: u64 = 1 << 30;
/// Address space beyond the memory limit. It may be large, because only resident memory costs anything.
const ADDRESS_SPACE_HEADROOM: u64 = 3 * GIB;
/// Data beyond the memory limit: Ruby's own heap and stacks, and what malloc keeps in reserve, on top of what
/// function code fills.
const DATA_HEADROOM: u64 = (96 << 20) + RACTOR_STACKS;
/// From version 3.3 on, Ruby maps the stacks of Ractors in chunks of this size, and fills little of them.
const RACTOR_STACKS: u64 = 512 << 20;
const OPEN_FILES: u64 = 256;
/// A template's CPU time beyond its function's limit. It is enough to fork more executions than the worker lets one
/// template serve.
const TEMPLATE_CPU_SECONDS: u64 = 120;
/// Processes and threads of a template: itself, its execution until that has changed its uid, and the process that
/// was forked ahead. From Ruby 3.3 on, each also has a thread of Ruby's own. For a loader it covers itself and the
/// template.
const TEMPLATE_PROCESSES: u64 = 6;
/// Stands for the uid where there is none. In setresuid(2) it means no change.
const NOBODY: u32 = u32::MAX;
const PENDING_SIGNALS: u64 = 256;
const STACK_BYTES: u64 = 8 << 20;

/// A step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {errno}")]
pub struct StepFailed {
    step: &'static str,
    errno: Errno,
}

/// Which process is being confined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs function code once, then ends.
    Execution,
    /// Runs a version's top level, then forks the template that executions are forked from.
    Loader,
}

/// The descriptors that a job came with.
pub struct Descriptors {
    /// The scratch folder, which becomes the working directory.
    pub scratch: OwnedFd,
    /// Where stdout and stderr go.
    pub logs: OwnedFd,
    /// Where the answer goes.
    pub answer: OwnedFd,
    /// Only for a loader: the socket that its template's requests come from, and the pipe that the template reports
    /// to.
    pub template: Option<(OwnedFd, OwnedFd)>,
}

/// What we need to confine a process, but can only find out or make before the zygote itself is confined.
pub struct Prepared {
    /// The highest descriptor that the interpreter itself needs. Every descriptor above it is ours.
    pub highest: RawFd,
    /// Address space for data that the interpreter has reserved and does not use, in bytes.
    pub reserved_bytes: u64,
    /// The seccomp filters, of which the process enters one.
    pub filters: Filters,
}

/// Confines this process: runs the steps in order, and stops at the first that fails.
pub fn enter(
    job: &Job,
    role: Role,
    descriptors: &Descriptors,
    prepared: &Prepared,
) -> Result<(), StepFailed> {
    step("setup_session", setup_session())?;
    step("setup_descriptors", setup_descriptors(descriptors, prepared.highest))?;
    step("setup_rlimits", setup_rlimits(&job.limits, role, job.identity.is_some(), prepared.reserved_bytes))?;
    step("setup_identity", job.identity.map_or(Ok(()), |identity| setup_identity(identity, role)))?;
    step("setup_scratch", setup_scratch())?;
    step("setup_parent_death", setup_parent_death())?;
    step("setup_dumpable", setup_dumpable(role, job.identity.is_some()))?;
    if job.identity.is_none() {
        step("setup_signal_scope", prepared.filters.scope_signals())?;
    }
    step("setup_seccomp", setup_seccomp(job, role, &prepared.filters))
}

fn step(name: &'static str, done: Result<(), Errno>) -> Result<(), StepFailed> {
    done.map_err(|errno| StepFailed { step: name, errno })
}

/// Starts a session of its own, so that the process shares no terminal and no process group with others.
fn setup_session() -> Result<(), Errno> {
    setsid()?;
    umask(Mode::from_bits_truncate(0o077));
    Ok(())
}

fn setup_rlimits(limits: &Limits, role: Role, own_uid: bool, reserved_bytes: u64) -> Result<(), Errno> {
    let mut table = vec![
        (Resource::RLIMIT_AS, limits.memory_bytes + ADDRESS_SPACE_HEADROOM),
        (Resource::RLIMIT_DATA, limits.memory_bytes + DATA_HEADROOM + reserved_bytes),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
        (Resource::RLIMIT_STACK, STACK_BYTES),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_MEMLOCK, 0),
        (Resource::RLIMIT_MSGQUEUE, 0),
        (Resource::RLIMIT_SIGPENDING, PENDING_SIGNALS),
        (Resource::RLIMIT_RTPRIO, 0),
        (Resource::RLIMIT_NICE, 0),
    ];
    // RLIMIT_NPROC counts all processes of the real uid. On a shared uid, it would count those of others, too. A
    // template needs processes beyond its function's limit, because it forks.
    if own_uid {
        let own = if role == Role::Loader { TEMPLATE_PROCESSES } else { 0 };
        table.push((Resource::RLIMIT_NPROC, limits.processes + own));
    }
    // A template lives long and forks, so it gets more CPU time. The limit also ends a template that uses CPU time
    // between its executions.
    let own = if role == Role::Loader { TEMPLATE_CPU_SECONDS } else { 0 };
    table.push((Resource::RLIMIT_CPU, limits.cpu_seconds + own));
    table.into_iter().try_for_each(|(resource, most)| setrlimit(resource, most, most))
}

/// Becomes the sandbox's user for good. A loader and its template have a real and a saved uid of their own, and share
/// only the effective uid with executions, so that executions can neither signal nor inspect them.
fn setup_identity(identity: Identity, role: Role) -> Result<(), Errno> {
    let execution = Uid::from_raw(identity.execution);
    let shield = match role {
        Role::Execution => execution,
        Role::Loader => Uid::from_raw(identity.template),
    };
    // In a template's execution the groups are set already, and seccomp refuses to set them again.
    if Uid::current().is_root() {
        let gid = Gid::from_raw(identity.execution);
        setgroups(&[])?;
        setresgid(gid, gid, gid)?;
    }
    setresuid(shield, execution, shield)?;
    // We check the result, because function code that ran before in a loader may have put a filter in force that
    // makes these calls succeed without effect.
    let uids = getresuid()?;
    let gids = getresgid()?;
    let gid = Gid::from_raw(identity.execution);
    let taken = [uids.real, uids.effective, uids.saved] == [shield, execution, shield]
        && [gids.real, gids.effective, gids.saved] == [gid; 3];
    match setuid(Uid::from_raw(0)) {
        Err(_) if taken => Ok(()),
        _ => Err(Errno::EPERM),
    }
}

/// Enters the scratch folder, and puts /dev/null at its number. The number must stay in use: a fork opens descriptors
/// of Ruby's own anew, and they must get the same numbers as before.
fn setup_scratch() -> Result<(), Errno> {
    // SAFETY: setup_descriptors put the scratch folder at this number, and it has not been closed since.
    fchdir(unsafe { BorrowedFd::borrow_raw(SCRATCH_FD) })?;
    duplicate(&0, SCRATCH_FD)
}

/// Moves the descriptors to their numbers: 0 is /dev/null, 1 and 2 are the logs, 3 is the answer. What the
/// interpreter needs lies at or below `highest`. Everything above is closed.
fn setup_descriptors(descriptors: &Descriptors, highest: RawFd) -> Result<(), Errno> {
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    duplicate(&null, 0)?;
    duplicate(&descriptors.logs, 1)?;
    duplicate(&descriptors.logs, 2)?;
    duplicate(&descriptors.answer, ANSWER_FD)?;
    let (requests, reports) = descriptors.template.as_ref().map_or((&null, &null), |(from, to)| (from, to));
    duplicate(requests, REQUESTS_FD)?;
    duplicate(&descriptors.scratch, SCRATCH_FD)?;
    duplicate(reports, REPORTS_FD)?;
    // `close_above` closes it with the rest.
    std::mem::forget(null);
    close_above(highest)
}

/// Makes `fd` a copy of `from`. Programs that an execution starts inherit it only if `fd` is 0, 1 or 2.
pub fn duplicate(from: &impl AsRawFd, fd: RawFd) -> Result<(), Errno> {
    if from.as_raw_fd() == fd {
        return Ok(());
    }
    let flags = if fd > 2 { libc::O_CLOEXEC } else { 0 };
    // SAFETY: both are plain descriptor numbers; what `fd` named before is meant to be closed.
    Errno::result(unsafe { libc::dup3(from.as_raw_fd(), fd, flags) }).map(drop)
}

fn close_above(highest: RawFd) -> Result<(), Errno> {
    // SAFETY: the call closes descriptors and touches no memory. The owners of these descriptors are never dropped,
    // because this process ends without unwinding.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, highest + 1, u32::MAX, 0) }).map(drop)
}

/// Has the kernel kill this process when its parent ends. A change of uid clears this setting, so the change comes
/// first.
pub fn setup_parent_death() -> Result<(), Errno> {
    prctl::set_pdeathsig(Signal::SIGKILL)
}

/// Sets who may inspect this process. An execution with a uid of its own may be inspected by that uid, so that its
/// cleaner can see what it holds. Executions themselves can use neither ptrace(2) nor /proc. Nobody may inspect a
/// loader or a template, or a process whose uid is shared.
fn setup_dumpable(role: Role, own_uid: bool) -> Result<(), Errno> {
    prctl::set_dumpable(own_uid && role == Role::Execution)
}

fn setup_seccomp(job: &Job, role: Role, filters: &Filters) -> Result<(), Errno> {
    let of = match role {
        Role::Execution => Confined::Execution,
        Role::Loader => Confined::Template,
    };
    let stage = Stage2 { of, network: job.network, subprocesses: job.subprocesses };
    filters.enter(stage, job.identity.map_or(NOBODY, |identity| identity.execution))
}

/// Moves the channel from stdin, where the worker put it, to its own number. Puts /dev/null at the other reserved
/// numbers, so that nothing else gets them.
pub fn reserve_descriptors() -> Result<(), Errno> {
    duplicate(&std::io::stdin(), CHANNEL_FD)?;
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    [0, ANSWER_FD, SCRATCH_FD, REPORTS_FD].into_iter().try_for_each(|fd| duplicate(&null, fd))?;
    // Closes everything else that the worker may have passed on to us. `null` is closed, too, unless it has one of
    // the reserved numbers.
    std::mem::forget(null);
    close_above(REPORTS_FD)
}

/// Gives up what a template inherits from its loader: the answer, the logs, and every descriptor that the top level
/// opened.
pub fn forget_load(highest: RawFd) -> Result<(), Errno> {
    // This comes first, so that a descriptor is free for the next call.
    close_above(highest)?;
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    // The top level may have closed any of these numbers.
    [0, 1, 2, ANSWER_FD, SCRATCH_FD].into_iter().try_for_each(|fd| duplicate(&null, fd))?;
    if null.as_raw_fd() <= highest {
        std::mem::forget(null);
    }
    Ok(())
}

/// Limits a template to the processes that it needs. Its executions have a limit of their own, which may be higher.
pub fn bound_processes() -> Result<(), Errno> {
    let (_, most) = getrlimit(Resource::RLIMIT_NPROC)?;
    setrlimit(Resource::RLIMIT_NPROC, TEMPLATE_PROCESSES.min(most), most)
}

/// The highest descriptor in use. It is found in /proc, so this must be called before confinement.
pub fn highest_descriptor() -> RawFd {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return 16 };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    // SAFETY: F_GETFD of any number touches no memory; the folder's own descriptor is closed by now.
    numbers
        .collect::<Vec<_>>()
        .into_iter()
        .filter(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0)
        .max()
        .unwrap_or(16)
}
