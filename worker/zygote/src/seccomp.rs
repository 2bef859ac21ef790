//! The seccomp filters: stage 1, an allow-list and a list of refused arguments, which the zygote enters once and
//! everything below inherits, and stage 2, what each execution gives up on top. The kernel compiles a filter whenever one
//! is entered, so stage 2 holds nothing that could be in stage 1.
//!
//! What stage 1 does not list fails with `ENOSYS`, as on a kernel without it, so that C libraries fall back.
//! What else is denied fails with `EPERM`.

use std::collections::BTreeMap;

use libc::*;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use crate::calls::{self, Call};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Flags of clone(2) that no execution may use: namespaces, and a child that is not its own.
const CLONE_REFUSED: u64 = (CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_PARENT
    | CLONE_PTRACE) as u32 as u64
    | 0x80; // CLONE_NEWTIME

/// Terminal and descriptor requests that Ruby's IO makes; none of them writes to a terminal.
const IOCTLS: &[u64] = &[TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX];

/// Names of threads and of memory areas, and what confining an execution takes. Stage 2 removes the latter.
const PRCTLS: &[i32] = &[
    PR_SET_NAME,
    PR_GET_NAME,
    PR_SET_VMA,
    PR_GET_DUMPABLE,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    PR_SET_NO_NEW_PRIVS,
    PR_GET_NO_NEW_PRIVS,
    PR_CAPBSET_READ,
];

/// Never AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK: each has been a way out, or to the host's services.
const SOCKET_FAMILIES: &[i32] = &[AF_INET, AF_INET6];

/// The bits of socket(2)'s second argument that are the type and not flags.
const SOCKET_TYPE_MASK: u64 = 0xf;

/// What mmap(2)'s flags say of the kind of memory: shared or private, of a file or not.
const MEMORY_KIND: u64 = (MAP_TYPE | MAP_ANONYMOUS) as u64;
/// No memory that is shared and belongs to no file: what of it is not mapped at the moment is counted nowhere.
const SHARED_MEMORY: u64 = (MAP_SHARED | MAP_ANONYMOUS) as u64;

/// Being told of changes in folders that others use, and pipes that hold 16 times as much kernel memory.
const FCNTLS_REFUSED: &[i32] = &[F_NOTIFY, F_SETPIPE_SZ];

/// A file without a name. O_TMPFILE is this bit with another.
const TEMPORARY_FILE: u64 = (O_TMPFILE & !O_DIRECTORY) as u64;

/// Programs in the kernel that look at a socket's traffic.
const SOCKET_FILTERS: &[i32] =
    &[SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF];

/// Where a thread's own variables lie; nothing else of arch_prctl(2).
const ARCH_FS: [u64; 2] = [0x1002, 0x1003];

/// Stands in a compiled filter for the uid of the sandbox's executions.
const EXECUTION_UID: u32 = 0x7fb1_0001;
/// Stands in a compiled filter for the pid of the process that enters it.
const OWN_PID: u32 = 0x7fb1_0002;
/// `BPF_JMP | BPF_JEQ | BPF_K`: a comparison of an argument with a constant.
const JUMP_IF_EQUAL: u16 = 0x15;

/// What a filter of stage 2 is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stage2 {
    /// Whom it confines.
    pub of: Confined,
    /// May open network connections.
    pub network: bool,
    /// May start processes.
    pub subprocesses: bool,
}

/// Who has a filter of stage 2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Confined {
    /// An execution.
    Execution,
    /// A loader and its template. It may what an execution may, and beside that fork, and have its child become an
    /// execution.
    Template,
}

/// The filters of stage 1, for this machine. UNIX sockets, `unix_sockets`, are for a jail, in which no service's socket is.
pub fn stage1(unix_sockets: bool) -> Result<[BpfProgram; 3], BackendError> {
    let on = architecture();
    Ok([stage1_for(on, unix_sockets)?, arguments_for(on)?, attributes_for(on)?])
}

fn stage1_for(on: TargetArch, unix_sockets: bool) -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    insert(&mut rules, on, calls::ALLOWED);
    insert(&mut rules, on, calls::ALLOWED_OLD);
    insert(&mut rules, on, &[calls::STAT_AT]);
    // Streams only: a datagram end could still be sent to any other address.
    let unix_stream = SeccompRule::new(vec![
        condition(0, Eq, AF_UNIX as u64)?,
        condition(1, MaskedEq(SOCKET_TYPE_MASK), SOCK_STREAM as u64)?,
    ])?;
    let mut sockets = any_of(0, SOCKET_FAMILIES.iter().map(|&family| family as u64))?;
    if unix_sockets {
        sockets.push(unix_stream.clone());
    }
    insert_with(&mut rules, on, calls::CLONE, vec![rule(0, MaskedEq(CLONE_REFUSED), 0)?]);
    insert_with(&mut rules, on, calls::IOCTL, any_of(1, IOCTLS.iter().copied())?);
    insert_with(&mut rules, on, calls::PRCTL, any_of(0, PRCTLS.iter().map(|&option| option as u64))?);
    insert_with(&mut rules, on, calls::SOCKET, sockets);
    insert_with(&mut rules, on, calls::SOCKETPAIR, vec![unix_stream]);
    let refuse = SeccompAction::Errno(ENOSYS as u32);
    SeccompFilter::new(rules, refuse, SeccompAction::Allow, on)?.try_into()
}

/// A filter of stage 2, for this machine. `loaded_from` is the address of the filter that a template's child will enter.
pub fn stage2(stage: Stage2, loaded_from: u64) -> Result<BpfProgram, BackendError> {
    stage2_for(architecture(), stage, loaded_from)
}

fn stage2_for(on: TargetArch, stage: Stage2, loaded_from: u64) -> Result<BpfProgram, BackendError> {
    let Stage2 { of, network, subprocesses } = stage;
    let template = of == Confined::Template;
    let mut rules = Rules::new();
    insert(&mut rules, on, calls::DENIED_ALWAYS);
    match (network, template) {
        (false, _) => insert(&mut rules, on, calls::DENIED_WITHOUT_NETWORK),
        (true, false) => insert(&mut rules, on, calls::DENIED_WITH_NETWORK),
        (true, true) => {
            insert(&mut rules, on, calls::DENIED_TO_TEMPLATES_WITH_NETWORK);
            insert_with(&mut rules, on, calls::SOCKET, vec![rule(0, Eq, AF_UNIX as u64)?]);
        }
    }
    if !subprocesses {
        insert(&mut rules, on, calls::DENIED_WITHOUT_SUBPROCESSES);
    }
    if !subprocesses && !template {
        insert(&mut rules, on, calls::DENIED_WITHOUT_SUBPROCESSES_OLD);
        insert(&mut rules, on, calls::DENIED_TO_ONE_PROCESS);
        insert_with(&mut rules, on, calls::CLONE, vec![rule(0, MaskedEq(CLONE_THREAD as u64), 0)?]);
        for &call in calls::SIGNALS {
            // 0 is its own process group, in which nobody else is.
            let other = vec![condition(0, Ne, OWN_PID.into())?, condition(0, Ne, 0)?];
            insert_with(&mut rules, on, call, vec![SeccompRule::new(other)?]);
        }
    }
    if template {
        let other_signal =
            vec![condition(0, Eq, PR_SET_PDEATHSIG as u64)?, condition(1, Ne, SIGKILL as u64)?];
        insert_with(&mut rules, on, calls::PRCTL, vec![SeccompRule::new(other_signal)?]);
        let uid = EXECUTION_UID.into();
        insert_with(&mut rules, on, calls::SETRESUID, none_but([uid, uid, uid])?);
        let step = [SECCOMP_SET_MODE_FILTER.into(), SECCOMP_FILTER_FLAG_TSYNC, loaded_from];
        insert_with(&mut rules, on, calls::SECCOMP, none_but(step)?);
    } else {
        insert(&mut rules, on, calls::DENIED_TO_EXECUTIONS);
        let loosening = any_of(0, [PR_SET_PDEATHSIG as u64, PR_SET_DUMPABLE as u64])?;
        insert_with(&mut rules, on, calls::PRCTL, loosening);
    }
    let refuse = SeccompAction::Errno(EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, on)?.try_into()
}

/// What everybody is refused, though the call itself is allowed.
fn arguments_for(on: TargetArch) -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    insert_with(&mut rules, on, calls::MMAP, vec![rule(3, MaskedEq(MEMORY_KIND), SHARED_MEMORY)?]);
    insert_with(
        &mut rules,
        on,
        calls::FCNTL,
        any_of(1, FCNTLS_REFUSED.iter().map(|&command| command as u64))?,
    );
    for (call, flags) in [(calls::OPEN, 1), (calls::OPENAT, 2)] {
        insert_with(&mut rules, on, call, vec![rule(flags, MaskedEq(TEMPORARY_FILE), TEMPORARY_FILE)?]);
    }
    let messages = calls::MESSAGES.iter().map(|&call| (call, 2));
    for (call, flags) in messages.chain(calls::MANY_MESSAGES.iter().map(|&call| (call, 3))) {
        insert_with(&mut rules, on, call, vec![rule(flags, MaskedEq(MSG_OOB as u64), MSG_OOB as u64)?]);
    }
    let filters = SOCKET_FILTERS.iter().map(|&option| {
        SeccompRule::new(vec![condition(1, Eq, SOL_SOCKET as u64)?, condition(2, Eq, option as u64)?])
    });
    insert_with(&mut rules, on, calls::SETSOCKOPT, filters.collect::<Result<_, _>>()?);
    let [set, get] = ARCH_FS;
    let other = SeccompRule::new(vec![condition(0, Ne, set)?, condition(0, Ne, get)?])?;
    insert_with(&mut rules, on, calls::ARCH_PRCTL, vec![other]);
    for &call in calls::PRIORITIES {
        insert_with(&mut rules, on, call, vec![rule(0, Ne, PRIO_PROCESS.into())?, rule(1, Ne, 0)?]);
    }
    for &call in calls::OF_A_PROCESS {
        insert_with(&mut rules, on, call, vec![rule(0, Ne, 0)?]);
    }
    let refuse = SeccompAction::Errno(EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, on)?.try_into()
}

/// Attributes of files are not there, as on a file system that has none.
fn attributes_for(on: TargetArch) -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    insert(&mut rules, on, calls::ATTRIBUTES);
    let refuse = SeccompAction::Errno(EOPNOTSUPP as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, on)?.try_into()
}

/// Puts the real constants into a compiled filter.
pub fn fill_in(program: &mut [sock_filter], execution_uid: u32, own_pid: u32) {
    for instruction in program.iter_mut().filter(|instruction| instruction.code == JUMP_IF_EQUAL) {
        match instruction.k {
            EXECUTION_UID => instruction.k = execution_uid,
            OWN_PID => instruction.k = own_pid,
            _ => {}
        }
    }
}

fn insert(rules: &mut Rules, on: TargetArch, calls: &[Call]) {
    rules.extend(calls.iter().filter_map(|call| call.number(on)).map(|number| (number, vec![])));
}

fn insert_with(rules: &mut Rules, on: TargetArch, call: Call, any: Vec<SeccompRule>) {
    rules.extend(call.number(on).map(|number| (number, any)));
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition(argument, operator, value)?])
}

fn any_of(argument: u8, values: impl IntoIterator<Item = u64>) -> Result<Vec<SeccompRule>, BackendError> {
    values.into_iter().map(|value| rule(argument, Eq, value)).collect()
}

/// Rules that any other first three arguments meet.
fn none_but(arguments: [u64; 3]) -> Result<Vec<SeccompRule>, BackendError> {
    let other = |(index, value)| {
        let length = if value > u32::MAX.into() { SeccompCmpArgLen::Qword } else { SeccompCmpArgLen::Dword };
        SeccompRule::new(vec![SeccompCondition::new(index, length, Ne, value)?])
    };
    (0..).zip(arguments).map(other).collect()
}

const fn architecture() -> TargetArch {
    #[cfg(target_arch = "x86_64")]
    return TargetArch::x86_64;
    #[cfg(target_arch = "aarch64")]
    return TargetArch::aarch64;
}

#[cfg(test)]
#[path = "seccomp_tests.rs"]
mod tests;
