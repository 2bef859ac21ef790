//! What every execution and template goes through between its fork and function code, in this order, step by
//! step. A step that fails is our failure, never the user's: nothing runs after it.

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

/// The answer. Empty in the zygote, and in a template.
pub const ANSWER_FD: RawFd = 3;
/// The zygote's channel to the worker. Empty in executions.
pub const CHANNEL_FD: RawFd = 4;
/// Where a template's requests come from: nothing can be sent back.
pub const REQUESTS_FD: RawFd = CHANNEL_FD;
/// The scratch folder, until it is entered.
pub const SCRATCH_FD: RawFd = 5;
/// The pipe that a template writes its reports to. Empty in executions.
pub const REPORTS_FD: RawFd = 6;

const GIB: u64 = 1 << 30;
/// Address space is only reserved, so it may be wide; what is resident is what costs.
const ADDRESS_SPACE_HEADROOM: u64 = 3 * GIB;
/// Ruby's own heap and stacks, and what malloc holds back, beside what function code fills.
const DATA_HEADROOM: u64 = (96 << 20) + RACTOR_STACKS;
/// From 3.3 on, Ruby maps the stacks of Ractors in chunks of that size, and fills little of them.
const RACTOR_STACKS: u64 = 512 << 20;
const OPEN_FILES: u64 = 256;
/// Enough for the forks of more executions than the worker lets one template serve.
const TEMPLATE_CPU_SECONDS: u64 = 120;
/// A template itself, its execution before that has a uid of its own, and the one that waits; from Ruby 3.3 on, each has
/// a thread of Ruby's own. Of a loader: itself, and the template.
const TEMPLATE_PROCESSES: u64 = 6;
/// As a uid in setresuid(2) it means no change.
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
    /// Runs function code once, and ends.
    Execution,
    /// Runs a version's top level. Its fork is the template, of which executions are forked.
    Loader,
}

/// The descriptors a job came with.
pub struct Descriptors {
    /// The scratch folder, which becomes the working directory.
    pub scratch: OwnedFd,
    /// Where stdout and stderr go.
    pub logs: OwnedFd,
    /// Where the answer goes.
    pub answer: OwnedFd,
    /// Where a loader's template gets its requests from, and where it reports to.
    pub template: Option<(OwnedFd, OwnedFd)>,
}

/// What confining a process needs, and can be found out and made before the zygote is confined alone.
pub struct Prepared {
    /// The highest descriptor that the interpreter itself needs: everything above it is ours.
    pub highest: RawFd,
    /// Address space for data that the interpreter has reserved and does not use, in bytes.
    pub reserved_bytes: u64,
    /// The filters to enter.
    pub filters: Filters,
}

/// Confines this process.
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

/// A session of its own, so that no terminal and no process group is shared.
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
    // It counts processes of the uid: one that others share would count theirs. A template forks on top of what its
    // function may.
    if own_uid {
        let own = if role == Role::Loader { TEMPLATE_PROCESSES } else { 0 };
        table.push((Resource::RLIMIT_NPROC, limits.processes + own));
    }
    // A template lives on and forks; what it uses beyond that between its executions has an end, too.
    let own = if role == Role::Loader { TEMPLATE_CPU_SECONDS } else { 0 };
    table.push((Resource::RLIMIT_CPU, limits.cpu_seconds + own));
    table.into_iter().try_for_each(|(resource, most)| setrlimit(resource, most, most))
}

/// Becomes the sandbox's user for good. A loader and its template keep a real and a saved uid of their own, so that
/// executions, which have only the effective one, can neither signal nor inspect them.
fn setup_identity(identity: Identity, role: Role) -> Result<(), Errno> {
    let execution = Uid::from_raw(identity.execution);
    let shield = match role {
        Role::Execution => execution,
        Role::Loader => Uid::from_raw(identity.template),
    };
    // In a template's execution this is done, and may not be done again.
    if Uid::current().is_root() {
        let gid = Gid::from_raw(identity.execution);
        setgroups(&[])?;
        setresgid(gid, gid, gid)?;
    }
    setresuid(shield, execution, shield)?;
    // What really came of it: function code that ran before may have put a filter in force that only says yes.
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

/// Enters the scratch folder. Its number stays taken, by nothing: a fork makes descriptors of Ruby's own anew, and they
/// must come to lie where they were.
fn setup_scratch() -> Result<(), Errno> {
    // SAFETY: setup_descriptors put the scratch folder there, and it is not closed meanwhile.
    fchdir(unsafe { BorrowedFd::borrow_raw(SCRATCH_FD) })?;
    duplicate(&0, SCRATCH_FD)
}

/// 0 is empty, 1 and 2 are the logs, 3 is the answer; what the interpreter needs lies up to `highest`, and
/// nothing above.
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
    // Closed with the rest.
    std::mem::forget(null);
    close_above(highest)
}

/// Makes `fd` a second name for `from`. 0 to 2 stay open in programs that an execution starts.
pub fn duplicate(from: &impl AsRawFd, fd: RawFd) -> Result<(), Errno> {
    if from.as_raw_fd() == fd {
        return Ok(());
    }
    let flags = if fd > 2 { libc::O_CLOEXEC } else { 0 };
    // SAFETY: both are plain descriptor numbers; what `fd` named before is meant to be closed.
    Errno::result(unsafe { libc::dup3(from.as_raw_fd(), fd, flags) }).map(drop)
}

fn close_above(highest: RawFd) -> Result<(), Errno> {
    // SAFETY: closes numbers, touches no memory. Owners of these descriptors are never dropped: this process
    // ends without unwinding.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, highest + 1, u32::MAX, 0) }).map(drop)
}

/// The kernel ends this process with its parent. A change of uid clears that, so it comes after it.
pub fn setup_parent_death() -> Result<(), Errno> {
    prctl::set_pdeathsig(Signal::SIGKILL)
}

/// Who may look into this process: of an execution, whoever has its uid, so that its cleaner can see what it holds; ptrace(2)
/// and /proc are closed to executions themselves. Nobody may look into a loader or a template, or where uids are shared.
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

/// Moves the channel from stdin, where the worker put it, to its place, and fills the numbers that are free, so
/// that nothing else comes to lie there.
pub fn reserve_descriptors() -> Result<(), Errno> {
    duplicate(&std::io::stdin(), CHANNEL_FD)?;
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    [0, ANSWER_FD, SCRATCH_FD, REPORTS_FD].into_iter().try_for_each(|fd| duplicate(&null, fd))?;
    // Nothing that the worker may have inherited comes any further; `null` itself is among these, or has its place.
    std::mem::forget(null);
    close_above(REPORTS_FD)
}

/// What a template gives up that its loader had: answer, logs, and every descriptor that the top level opened.
pub fn forget_load(highest: RawFd) -> Result<(), Errno> {
    // So that there is room for one more.
    close_above(highest)?;
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    // The top level may have closed any of them.
    [0, 1, 2, ANSWER_FD, SCRATCH_FD].into_iter().try_for_each(|fd| duplicate(&null, fd))?;
    if null.as_raw_fd() <= highest {
        std::mem::forget(null);
    }
    Ok(())
}

/// Leaves a template no more processes than it needs. Its executions have a limit of their own, which may be higher.
pub fn bound_processes() -> Result<(), Errno> {
    let (_, most) = getrlimit(Resource::RLIMIT_NPROC)?;
    setrlimit(Resource::RLIMIT_NPROC, TEMPLATE_PROCESSES.min(most), most)
}

/// The highest descriptor in use. Reads /proc, so it comes before confinement.
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
