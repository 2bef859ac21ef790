//! The system calls that executions may make, as a table for both architectures.

use seccompiler::TargetArch;
use syscalls::{aarch64, x86_64};

/// A system call, with its number on each architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: &'static str,
    x86_64: i64,
    aarch64: Option<i64>,
}

impl Call {
    /// The number of the call. `None` if the architecture never had this call.
    pub fn number(&self, architecture: TargetArch) -> Option<i64> {
        match architecture {
            TargetArch::x86_64 => Some(self.x86_64),
            TargetArch::aarch64 => self.aarch64,
            TargetArch::riscv64 => None,
        }
    }
}

macro_rules! calls {
    ($($name:ident)*) => {
        &[$(Call {
            name: stringify!($name),
            x86_64: x86_64::Sysno::$name as i64,
            aarch64: Some(aarch64::Sysno::$name as i64),
        }),*]
    };
}

/// Older calls, which aarch64 never had.
macro_rules! old_calls {
    ($($name:ident)*) => {
        &[$(Call { name: stringify!($name), x86_64: x86_64::Sysno::$name as i64, aarch64: None }),*]
    };
}

/// On the allow-list of stage 1, whatever the arguments are. Other filters refuse some of these calls, or some
/// arguments.
#[rustfmt::skip]
pub const ALLOWED: &[Call] = calls!(
    // files and descriptors; mknod is left out, so that nobody can make a FIFO
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 openat close close_range lseek
    fstat statx statfs fstatfs faccessat faccessat2 readlinkat getdents64 getcwd chdir fchdir
    mkdirat unlinkat renameat renameat2 linkat symlinkat fchmod fchmodat fchown fchownat umask utimensat truncate
    ftruncate fallocate fadvise64 readahead fsync fdatasync sync_file_range flock fcntl dup dup3 pipe2
    // for IO.copy_stream: from a file to a file, pipe or socket, all of them the caller's own
    sendfile copy_file_range
    // waiting
    ppoll pselect6 epoll_create1 epoll_ctl epoll_pwait eventfd2 timerfd_create timerfd_settime timerfd_gettime
    // memory; userfaultfd, memfd and the shared memory of SysV and POSIX are left out
    brk mmap mprotect munmap mremap madvise mincore msync
    // RLIMIT_MEMLOCK is 0, so these fail as they do for any user
    mlock munlock
    // for a just-in-time compiler
    membarrier
    // threads and time
    futex set_robust_list get_robust_list set_tid_address rseq gettid sched_yield sched_getaffinity sched_getparam
    sched_getscheduler getcpu clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday times getitimer
    setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
    // the kernel makes a process call this when it continues after a stop
    restart_syscall
    // signals, to processes of the same uid (and Landlock domain) or, without `subprocesses`, only to itself
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigqueueinfo sigaltstack
    kill tgkill
    // for Process.wait with a timeout, and for signals that can't hit another process; pidfd_getfd is left out
    pidfd_open pidfd_send_signal
    // processes and their ids
    execve execveat wait4 waitid exit exit_group getpid getppid getpgid getsid setsid setpgid getuid geteuid getgid
    getegid getresuid getresgid getgroups capget getpriority setpriority getrusage prlimit64 uname sysinfo getrandom
    getrlimit setrlimit
    // the network, which stage 2 refuses unless `network` is true
    connect bind listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockname
    getpeername setsockopt getsockopt
    // these only ever take rights away
    landlock_create_ruleset landlock_restrict_self
    // for confining an execution; stage 2 then refuses them, but leaves a template one use of setresuid and seccomp
    setresuid setresgid setgroups seccomp
);

/// Older forms of calls on the allow-list.
#[rustfmt::skip]
pub const ALLOWED_OLD: &[Call] = old_calls!(
    open creat stat lstat access readlink getdents mkdir rmdir unlink rename link symlink chmod chown lchown utime
    utimes futimesat dup2 pipe poll select epoll_create epoll_wait eventfd time alarm pause getpgrp fork vfork
    // sets and gets the address of a thread's own variables
    arch_prctl
);

/// The one call that the architectures name differently. It returns a file's metadata by the file's name.
pub const STAT_AT: Call =
    Call { name: "newfstatat", x86_64: x86_64::Sysno::newfstatat as i64, aarch64: Some(79) };

/// Allowed without the flags that seccomp.rs refuses.
pub const CLONE: Call = calls!(clone)[0];
/// Allowed with the requests that seccomp.rs lists.
pub const IOCTL: Call = calls!(ioctl)[0];
/// Allowed with the options that seccomp.rs lists.
pub const PRCTL: Call = calls!(prctl)[0];
/// Allowed with the address families that seccomp.rs lists.
pub const SOCKET: Call = calls!(socket)[0];
/// Allowed for UNIX streams only.
pub const SOCKETPAIR: Call = calls!(socketpair)[0];
/// Refused for shared memory that belongs to no file.
pub const MMAP: Call = calls!(mmap)[0];
/// Refused by stage 2, except that a template's child may take the uid of executions.
pub const SETRESUID: Call = calls!(setresuid)[0];
/// Refused by stage 2, except that a template's child may enter its filter.
pub const SECCOMP: Call = calls!(seccomp)[0];
/// Calls on priorities. The first two arguments say whose priority it is.
pub const PRIORITIES: &[Call] = calls!(getpriority setpriority);
/// Calls whose first argument is a process or a thread. Only 0, the caller, is allowed. sched_getaffinity is left
/// out, because glibc gives it the number of a thread.
pub const OF_A_PROCESS: &[Call] = calls!(prlimit64 sched_getparam sched_getscheduler);
/// Refused for some commands, which are its second argument.
pub const FCNTL: Call = calls!(fcntl)[0];
/// Its third argument holds the flags.
pub const OPENAT: Call = calls!(openat)[0];
/// Its second argument holds the flags.
pub const OPEN: Call = old_calls!(open)[0];
/// Refused for some options. The level is its second argument, the option its third.
pub const SETSOCKOPT: Call = calls!(setsockopt)[0];
/// Allowed for some codes, which are its first argument.
pub const ARCH_PRCTL: Call = old_calls!(arch_prctl)[0];
/// Calls that send or receive messages, with flags as their third argument.
pub const MESSAGES: &[Call] = calls!(sendmsg recvmsg);
/// Calls that send or receive messages, with flags as their fourth argument.
pub const MANY_MESSAGES: &[Call] = calls!(sendto recvfrom sendmmsg recvmmsg);

/// Denied in executions, templates and loaders, because these calls change the groups of a process.
pub const DENIED_ALWAYS: &[Call] = calls!(setresgid setgroups);
/// Denied in executions. A template's child needs each of them once to become an execution, with the arguments that
/// seccomp.rs allows.
pub const DENIED_TO_EXECUTIONS: &[Call] = calls!(setresuid seccomp);
/// Denied unless `network` is true.
pub const DENIED_WITHOUT_NETWORK: &[Call] =
    calls!(socket connect bind listen accept accept4 sendmsg sendmmsg);
/// Denied in executions where `network` is true, so that they can't receive a descriptor. sendmsg(2), which could
/// send one, stays allowed, because the network needs it. It does not need these two calls.
pub const DENIED_WITH_NETWORK: &[Call] = calls!(recvmsg recvmmsg);
/// Denied in templates where `network` is true, for the same purpose. There, recvmsg(2) stays allowed, because
/// requests come by it. So templates must not make UNIX sockets instead.
pub const DENIED_TO_TEMPLATES_WITH_NETWORK: &[Call] = calls!(socketpair);
/// Calls on the attributes of files (xattr).
pub const ATTRIBUTES: &[Call] = calls!(
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr removexattr lremovexattr
    fremovexattr
);
/// Denied unless `subprocesses` is true. In executions, seccomp.rs then also denies clone(2) where it makes no
/// thread.
pub const DENIED_WITHOUT_SUBPROCESSES: &[Call] = calls!(execve execveat);
/// Denied in executions unless `subprocesses` is true. They send signals by a descriptor, so no argument says which
/// process is meant.
pub const DENIED_TO_ONE_PROCESS: &[Call] = calls!(pidfd_open pidfd_send_signal);
/// Allowed in executions without `subprocesses` only if the first argument is the caller's own pid, or 0.
pub const SIGNALS: &[Call] = calls!(kill tgkill rt_sigqueueinfo);
/// Older calls that start a process. Denied in executions unless `subprocesses` is true.
pub const DENIED_WITHOUT_SUBPROCESSES_OLD: &[Call] = old_calls!(fork vfork);

/// Calls that have been a way out of confinement, and must never be allowed.
#[cfg(test)]
#[rustfmt::skip]
pub const REFUSED: &[Call] = calls!(
    ptrace process_vm_readv process_vm_writev pidfd_getfd process_madvise kcmp bpf perf_event_open userfaultfd
    io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl unshare setns mount umount2 pivot_root
    chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr personality mknodat quotactl kexec_load
    reboot settimeofday clock_settime adjtimex clock_adjtime acct swapon swapoff sethostname setdomainname init_module
    finit_module delete_module syslog shmget shmat shmctl msgget msgsnd semget semop mq_open memfd_create memfd_secret
    setuid setgid setreuid setregid setfsuid setfsgid capset clone3 splice tee vmsplice open_by_handle_at
    name_to_handle_at fanotify_init fanotify_mark inotify_init1 lookup_dcookie move_pages migrate_pages mbind
    set_mempolicy ioprio_set sched_setscheduler sched_setattr sched_setparam vhangup setxattr lsetxattr fsetxattr
    removexattr landlock_add_rule mlockall openat2 tkill remap_file_pages io_setup io_submit process_mrelease
);

#[cfg(test)]
#[rustfmt::skip]
pub const REFUSED_OLD: &[Call] = old_calls!(
    mknod uselib ustat sysfs iopl ioperm modify_ldt create_module get_kernel_syms query_module nfsservctl getpmsg
    putpmsg afs_syscall tuxcall security _sysctl kexec_file_load inotify_init signalfd
);
