//! The seccomp filters: stage 1, an allow-list that the zygote enters once and everything below inherits, and
//! stage 2, what each execution gives up on top.
//!
//! What stage 1 does not list fails with `ENOSYS`, as on a kernel without it, so that C libraries fall back.
//! What stage 2 denies fails with `EPERM`.

use std::collections::BTreeMap;

use libc::*;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
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

/// Never AF_UNIX, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK: each has been a way out, or to the host's services.
const SOCKET_FAMILIES: &[i32] = &[AF_INET, AF_INET6];

/// The bits of socket(2)'s second argument that are the type and not flags.
const SOCKET_TYPE_MASK: u64 = 0xf;

/// What a filter of stage 2 is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage2 {
    /// An execution.
    Execution {
        /// May open network connections.
        network: bool,
        /// May start processes.
        subprocesses: bool,
    },
    /// A template, which must still fork and confine executions, but whose top level may start no program
    /// unless it is allowed to.
    Template {
        /// May open network connections.
        network: bool,
        /// May start processes.
        subprocesses: bool,
    },
}

/// The filter of stage 1, for this machine.
pub fn stage1() -> Result<BpfProgram, BackendError> {
    stage1_for(architecture())
}

fn stage1_for(on: TargetArch) -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    insert(&mut rules, on, calls::ALLOWED);
    insert(&mut rules, on, calls::ALLOWED_OLD);
    insert(&mut rules, on, &[calls::STAT_AT]);
    // Both ends stay in the process. Streams only: a datagram end could still be sent to any other address.
    let stream_pair = SeccompRule::new(vec![
        condition(0, Eq, AF_UNIX as u64)?,
        condition(1, MaskedEq(SOCKET_TYPE_MASK), SOCK_STREAM as u64)?,
    ])?;
    insert_with(&mut rules, on, calls::CLONE, vec![rule(0, MaskedEq(CLONE_REFUSED), 0)?]);
    insert_with(&mut rules, on, calls::IOCTL, any_of(1, IOCTLS.iter().copied())?);
    insert_with(&mut rules, on, calls::PRCTL, any_of(0, PRCTLS.iter().map(|&option| option as u64))?);
    insert_with(
        &mut rules,
        on,
        calls::SOCKET,
        any_of(0, SOCKET_FAMILIES.iter().map(|&family| family as u64))?,
    );
    insert_with(&mut rules, on, calls::SOCKETPAIR, vec![stream_pair]);
    let refuse = SeccompAction::Errno(ENOSYS as u32);
    SeccompFilter::new(rules, refuse, SeccompAction::Allow, on)?.try_into()
}

/// A filter of stage 2, for this machine.
pub fn stage2(stage: Stage2) -> Result<BpfProgram, BackendError> {
    stage2_for(architecture(), stage)
}

fn stage2_for(on: TargetArch, stage: Stage2) -> Result<BpfProgram, BackendError> {
    let (network, subprocesses, template) = match stage {
        Stage2::Execution { network, subprocesses } => (network, subprocesses, false),
        Stage2::Template { network, subprocesses } => (network, subprocesses, true),
    };
    let mut rules = Rules::new();
    if !network {
        insert(&mut rules, on, calls::DENIED_WITHOUT_NETWORK);
    }
    if !subprocesses {
        insert(&mut rules, on, calls::DENIED_WITHOUT_SUBPROCESSES);
        if !template {
            // A template must fork.
            insert(&mut rules, on, calls::DENIED_WITHOUT_SUBPROCESSES_OLD);
            insert_with(&mut rules, on, calls::CLONE, vec![rule(0, MaskedEq(CLONE_THREAD as u64), 0)?]);
        }
    }
    if !template {
        insert(&mut rules, on, calls::DENIED_ALWAYS);
        let loosening = any_of(0, [PR_SET_PDEATHSIG as u64, PR_SET_DUMPABLE as u64])?;
        insert_with(&mut rules, on, calls::PRCTL, loosening);
    }
    if rules.is_empty() {
        // A template that may do all this still changes no groups.
        insert(&mut rules, on, &calls::DENIED_ALWAYS[2..3]);
    }
    let refuse = SeccompAction::Errno(EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, on)?.try_into()
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

const fn architecture() -> TargetArch {
    #[cfg(target_arch = "x86_64")]
    return TargetArch::x86_64;
    #[cfg(target_arch = "aarch64")]
    return TargetArch::aarch64;
}

#[cfg(test)]
#[path = "seccomp_tests.rs"]
mod tests;
