//! The seccomp filters: stage 1, an allow-list that the zygote enters once and everything below inherits, and
//! stage 2, what each execution gives up on top.
//!
//! What stage 1 does not list fails with `ENOSYS`, as on a kernel without it, so that C libraries fall back.
//! What stage 2 denies fails with `EPERM`.

use std::collections::BTreeMap;

use libc::{c_long, *};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

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

/// Allowed whatever their arguments.
#[rustfmt::skip]
const ALLOWED: &[c_long] = &[
    // files and descriptors
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_openat, SYS_openat2, SYS_close, SYS_close_range, SYS_lseek, SYS_fstat, SYS_newfstatat,
    SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
    SYS_chdir, SYS_fchdir, SYS_mkdirat, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_fchmod,
    SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_umask, SYS_utimensat, SYS_truncate, SYS_ftruncate, SYS_fallocate,
    SYS_fadvise64, SYS_readahead, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_sendfile, SYS_copy_file_range,
    SYS_flock, SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2,
    // waiting
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2,
    SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
    // memory; userfaultfd, memfd and SysV and POSIX shared memory are not here
    SYS_brk, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mincore, SYS_msync, SYS_mlock, SYS_munlock,
    SYS_membarrier,
    // threads and time
    SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq, SYS_gettid, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_getcpu, SYS_clock_gettime, SYS_clock_getres,
    SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_times, SYS_getitimer, SYS_setitimer, SYS_timer_create,
    SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete, SYS_restart_syscall,
    // signals, to processes of the same uid (and of the same Landlock domain)
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_sigsuspend,
    SYS_rt_sigqueueinfo, SYS_sigaltstack, SYS_kill, SYS_tkill, SYS_tgkill, SYS_pidfd_open, SYS_pidfd_send_signal,
    // processes and who they are
    SYS_execve, SYS_execveat, SYS_wait4, SYS_waitid, SYS_exit, SYS_exit_group, SYS_getpid, SYS_getppid, SYS_getpgid,
    SYS_getsid, SYS_setsid, SYS_setpgid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid,
    SYS_getgroups, SYS_capget, SYS_getpriority, SYS_setpriority, SYS_getrusage, SYS_getrlimit, SYS_setrlimit,
    SYS_prlimit64, SYS_uname, SYS_sysinfo, SYS_getrandom,
    // the network, which stage 2 takes away unless it is allowed
    SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg,
    SYS_sendmmsg, SYS_recvmmsg, SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_getsockopt,
    // only ever takes rights away
    SYS_landlock_create_ruleset, SYS_landlock_restrict_self,
    // what the zygote needs to confine an execution; stage 2 takes them away
    SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_seccomp,
];

/// The older forms of the same calls, which only x86_64 has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_LEGACY: &[c_long] = &[
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents, SYS_mkdir, SYS_rmdir, SYS_unlink,
    SYS_rename, SYS_renameat, SYS_link, SYS_symlink, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
    SYS_dup2, SYS_pipe, SYS_poll, SYS_select, SYS_epoll_create, SYS_epoll_wait, SYS_eventfd, SYS_time, SYS_alarm,
    SYS_pause, SYS_getpgrp, SYS_fork, SYS_vfork, SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_LEGACY: &[c_long] = &[SYS_renameat];

/// Denied in every execution: becoming someone else, and loosening what confines it.
const DENIED_ALWAYS: &[c_long] = &[SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_seccomp];
/// Denied unless `network` is true.
const DENIED_WITHOUT_NETWORK: &[c_long] =
    &[SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4];
/// Denied unless `subprocesses` is true, beside the forms of clone that make no thread.
#[cfg(target_arch = "x86_64")]
const DENIED_WITHOUT_SUBPROCESSES: &[c_long] = &[SYS_fork, SYS_vfork, SYS_execve, SYS_execveat];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_WITHOUT_SUBPROCESSES: &[c_long] = &[SYS_execve, SYS_execveat];

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

/// The filter of stage 1.
pub fn stage1() -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = ALLOWED.iter().chain(ALLOWED_LEGACY).map(|&call| (call, vec![])).collect();
    rules.insert(SYS_clone, vec![rule(0, MaskedEq(CLONE_REFUSED), 0)?]);
    rules.insert(SYS_ioctl, any_of(1, IOCTLS.iter().copied())?);
    rules.insert(SYS_prctl, any_of(0, PRCTLS.iter().map(|&option| option as u64))?);
    rules.insert(SYS_socket, any_of(0, SOCKET_FAMILIES.iter().map(|&family| family as u64))?);
    // Both ends stay in the process. Streams only: a datagram end could still be sent to any other address.
    let stream_pair = SeccompRule::new(vec![
        condition(0, Eq, AF_UNIX as u64)?,
        condition(1, MaskedEq(SOCKET_TYPE_MASK), SOCK_STREAM as u64)?,
    ])?;
    rules.insert(SYS_socketpair, vec![stream_pair]);
    let refuse = SeccompAction::Errno(ENOSYS as u32);
    SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture())?.try_into()
}

/// A filter of stage 2.
pub fn stage2(stage: Stage2) -> Result<BpfProgram, BackendError> {
    let (network, subprocesses, template) = match stage {
        Stage2::Execution { network, subprocesses } => (network, subprocesses, false),
        Stage2::Template { network, subprocesses } => (network, subprocesses, true),
    };
    let mut rules = Rules::new();
    let mut deny = |calls: &[c_long]| rules.extend(calls.iter().map(|&call| (call, vec![])));
    if !network {
        deny(DENIED_WITHOUT_NETWORK);
    }
    if !subprocesses {
        deny(DENIED_WITHOUT_SUBPROCESSES);
    }
    if !template {
        deny(DENIED_ALWAYS);
        rules.insert(SYS_prctl, any_of(0, [PR_SET_PDEATHSIG as u64, PR_SET_DUMPABLE as u64])?);
        if !subprocesses {
            rules.insert(SYS_clone, vec![rule(0, MaskedEq(CLONE_THREAD as u64), 0)?]);
        }
    }
    if rules.is_empty() {
        rules.insert(SYS_setgroups, vec![]);
    }
    let refuse = SeccompAction::Errno(EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture())?.try_into()
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
mod tests {
    use super::*;

    #[test]
    fn what_has_been_a_way_out_is_not_on_the_list() {
        let refused = [
            SYS_ptrace,
            SYS_process_vm_readv,
            SYS_process_vm_writev,
            SYS_pidfd_getfd,
            SYS_bpf,
            SYS_keyctl,
            SYS_add_key,
            SYS_request_key,
            SYS_io_uring_setup,
            SYS_userfaultfd,
            SYS_perf_event_open,
            SYS_memfd_create,
            SYS_shmget,
            SYS_msgget,
            SYS_semget,
            SYS_mq_open,
            SYS_mknodat,
            SYS_mount,
            SYS_umount2,
            SYS_unshare,
            SYS_setns,
            SYS_chroot,
            SYS_pivot_root,
            SYS_splice,
            SYS_vmsplice,
            SYS_tee,
            SYS_clone3,
            SYS_personality,
            SYS_open_by_handle_at,
            SYS_setuid,
            SYS_setgid,
            SYS_capset,
        ];
        for call in refused {
            assert!(!ALLOWED.contains(&call) && !ALLOWED_LEGACY.contains(&call), "{call}");
        }
    }

    #[test]
    fn every_filter_compiles_and_stage_2_is_short() {
        let stage1 = stage1().unwrap().len();
        assert!(stage1 <= 4_096, "{stage1} instructions, and the kernel takes no more than 4096");
        for network in [false, true] {
            for subprocesses in [false, true] {
                let execution = stage2(Stage2::Execution { network, subprocesses }).unwrap();
                assert!(execution.len() < 120, "{}", execution.len());
                stage2(Stage2::Template { network, subprocesses }).unwrap();
            }
        }
    }
}
