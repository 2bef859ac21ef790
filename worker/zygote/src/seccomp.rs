//! The seccomp filters. Stage 1 is an allow-list and lists of refused arguments. The zygote enters it once, and every
//! process below inherits it. Stage 2 is what each execution gives up in addition. The kernel compiles a filter each
//! time a process enters one, so stage 2 holds nothing that could be in stage 1.
//!
//! A call that the allow-list does not allow fails with `ENOSYS`, as on a kernel without that call, so that C
//! libraries fall back to another one. Calls on file attributes fail with `EOPNOTSUPP`, and everything else that is
//! denied fails with `EPERM`.

use std::collections::BTreeMap;

use libc::*;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use crate::calls::{self, Call};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Flags of clone(2) that no execution may use: those for new namespaces, and those for a child that is not the
/// caller's own.
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

/// The ioctl(2) requests that Ruby's IO makes on terminals and descriptors. None of them writes to a terminal.
const IOCTLS: &[u64] = &[TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX];

/// The prctl(2) options that name threads and memory areas, and those that confining an execution takes. Stage 2
/// refuses executions the options that would loosen their confinement.
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

/// AF_NETLINK, AF_PACKET, AF_ALG and AF_VSOCK must never be in this list: each has been a way out of confinement, or
/// a way to the host's services.
const SOCKET_FAMILIES: &[i32] = &[AF_INET, AF_INET6];

/// The bits of socket(2)'s second argument that hold the type. The others are flags.
const SOCKET_TYPE_MASK: u64 = 0xf;

/// The bits of mmap(2)'s flags that say what kind of memory it is: shared or private, of a file or not.
const MEMORY_KIND: u64 = (MAP_TYPE | MAP_ANONYMOUS) as u64;
/// Memory that is shared and belongs to no file. It is refused, because the part of it that is not mapped at the
/// moment is counted nowhere.
const SHARED_MEMORY: u64 = (MAP_SHARED | MAP_ANONYMOUS) as u64;

/// The refused fcntl(2) commands: F_NOTIFY reports changes in folders that others use, and F_SETPIPE_SZ lets a pipe
/// hold 16 times as much kernel memory.
const FCNTLS_REFUSED: &[i32] = &[F_NOTIFY, F_SETPIPE_SZ];

/// The bit of open(2)'s flags for a file without a name. O_TMPFILE is this bit together with O_DIRECTORY.
const TEMPORARY_FILE: u64 = (O_TMPFILE & !O_DIRECTORY) as u64;

/// The setsockopt(2) options that put a program into the kernel to look at a socket's traffic.
const SOCKET_FILTERS: &[i32] =
    &[SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF];

/// The arch_prctl(2) codes that set and get the address of a thread's own variables. All other codes are refused.
const ARCH_FS: [u64; 2] = [0x1002, 0x1003];

/// Placeholder in a compiled filter for the uid of the sandbox's executions.
const EXECUTION_UID: u32 = 0x7fb1_0001;
/// Placeholder in a compiled filter for the pid of the process that enters it.
const OWN_PID: u32 = 0x7fb1_0002;
/// `BPF_JMP | BPF_JEQ | BPF_K`: a comparison of an argument with a constant.
const JUMP_IF_EQUAL: u16 = 0x15;

/// Which filter of stage 2 a process enters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stage2 {
    /// Which kind of process the filter confines.
    pub of: Confined,
    /// Whether the process may open network connections.
    pub network: bool,
    /// Whether the process may start other processes.
    pub subprocesses: bool,
}

/// The kinds of processes that have a filter of stage 2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Confined {
    /// An execution.
    Execution,
    /// A loader and its template. They may do what an execution may, and may also fork, and turn their child into an
    /// execution.
    Template,
}

/// The filters of stage 1 for this machine. `unix_sockets` allows UNIX sockets. It is only for a jail, because no
/// service has a socket in there.
pub fn stage1(unix_sockets: bool) -> Result<[BpfProgram; 3], BackendError> {
    let on = architecture();
    Ok([stage1_for(on, unix_sockets)?, arguments_for(on)?, attributes_for(on)?])
}

fn stage1_for(on: TargetArch, unix_sockets: bool) -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    insert(&mut rules, on, calls::ALLOWED);
    insert(&mut rules, on, calls::ALLOWED_OLD);
    insert(&mut rules, on, &[calls::STAT_AT]);
    // Streams only: a datagram socket of a pair could still send to any other address.
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

/// A filter of stage 2 for this machine. `loaded_from` is the address that a template's child will load its filter
/// from.
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
            // 0 means the caller's own process group, in which no other process is.
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

/// Refuses arguments that no process may use, in calls that are otherwise allowed.
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

/// Makes calls on the attributes of files fail as on a file system that has none.
fn attributes_for(on: TargetArch) -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    insert(&mut rules, on, calls::ATTRIBUTES);
    let refuse = SeccompAction::Errno(EOPNOTSUPP as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, on)?.try_into()
}

/// Replaces the placeholders in a compiled filter with the real uid and pid.
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

/// Rules that match every call but the one with exactly these first three arguments.
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
