//! The system calls that executions may make, as a table for both architectures.

use seccompiler::TargetArch;
use syscalls::{aarch64, x86_64};

/// A system call, and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    x86_64: i64,
    aarch64: Option<i64>,
}

impl Call {
    /// Its number; `None` where the architecture never had it.
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

/// Older forms, which aarch64 never had.
macro_rules! old_calls {
    ($($name:ident)*) => {
        &[$(Call { name: stringify!($name), x86_64: x86_64::Sysno::$name as i64, aarch64: None }),*]
    };
}

/// Allowed whatever their arguments.
#[rustfmt::skip]
pub const ALLOWED: &[Call] = calls!(
    // files and descriptors; mknod is not here, and so there are no fifos
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 openat close close_range lseek
    fstat statx statfs fstatfs faccessat faccessat2 readlinkat getdents64 getcwd chdir fchdir
    mkdirat unlinkat renameat renameat2 linkat symlinkat fchmod fchmodat fchown fchownat umask utimensat truncate
    ftruncate fallocate fadvise64 readahead fsync fdatasync sync_file_range flock fcntl dup dup3 pipe2
    // IO.copy_stream; from file to file, pipe or socket, all of one's own
    sendfile copy_file_range
    // waiting
    ppoll pselect6 epoll_create1 epoll_ctl epoll_pwait eventfd2 timerfd_create timerfd_settime timerfd_gettime
    // memory; userfaultfd, memfd and SysV and POSIX shared memory are not here
    brk mmap mprotect munmap mremap madvise mincore msync
    // RLIMIT_MEMLOCK is 0, so that they fail as they do for any user
    mlock munlock
    // a just-in-time compiler's
    membarrier
    // threads and time
    futex set_robust_list get_robust_list set_tid_address rseq gettid sched_yield sched_getaffinity sched_getparam
    sched_getscheduler getcpu clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday times getitimer
    setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
    // what the kernel itself has a stopped process call
    restart_syscall
    // signals, to processes of the same uid (and of the same Landlock domain); where no process may be started, to itself
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigqueueinfo sigaltstack
    kill tgkill
    // Process.wait with a timeout, and signals that can't hit another process; pidfd_getfd is not here
    pidfd_open pidfd_send_signal
    // processes and who they are
    execve execveat wait4 waitid exit exit_group getpid getppid getpgid getsid setsid setpgid getuid geteuid getgid
    getegid getresuid getresgid getgroups capget getpriority setpriority getrusage prlimit64 uname sysinfo getrandom
    getrlimit setrlimit
    // the network, which stage 2 takes away unless it is allowed
    connect bind listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockname
    getpeername setsockopt getsockopt
    // only ever takes rights away
    landlock_create_ruleset landlock_restrict_self
    // what the zygote needs to confine an execution; stage 2 takes them away
    setresuid setresgid setgroups seccomp
);

/// The older forms of the same calls.
#[rustfmt::skip]
pub const ALLOWED_OLD: &[Call] = old_calls!(
    open creat stat lstat access readlink getdents mkdir rmdir unlink rename link symlink chmod chown lchown utime
    utimes futimesat dup2 pipe poll select epoll_create epoll_wait eventfd time alarm pause getpgrp fork vfork
    // where a thread's own variables lie
    arch_prctl
);

/// The one call that the architectures name differently: file attributes by name.
pub const STAT_AT: Call =
    Call { name: "newfstatat", x86_64: x86_64::Sysno::newfstatat as i64, aarch64: Some(79) };

/// Allowed by argument; see seccomp.rs.
pub const CLONE: Call = calls!(clone)[0];
/// As above.
pub const IOCTL: Call = calls!(ioctl)[0];
/// As above.
pub const PRCTL: Call = calls!(prctl)[0];
/// As above.
pub const SOCKET: Call = calls!(socket)[0];
/// As above.
pub const SOCKETPAIR: Call = calls!(socketpair)[0];
/// As above.
pub const MMAP: Call = calls!(mmap)[0];
/// As above.
pub const SETRESUID: Call = calls!(setresuid)[0];
/// As above.
pub const SECCOMP: Call = calls!(seccomp)[0];
/// Of priorities; the first two arguments say whose.
pub const PRIORITIES: &[Call] = calls!(getpriority setpriority);
/// The first argument is a process or thread, of which 0 is the caller. glibc asks for its threads' affinity by number.
pub const OF_A_PROCESS: &[Call] = calls!(prlimit64 sched_getparam sched_getscheduler);
/// By its second argument.
pub const FCNTL: Call = calls!(fcntl)[0];
/// Its flags are its third argument.
pub const OPENAT: Call = calls!(openat)[0];
/// Its flags are its second argument.
pub const OPEN: Call = old_calls!(open)[0];
/// By level and option, its second and third argument.
pub const SETSOCKOPT: Call = calls!(setsockopt)[0];
/// By its first argument.
pub const ARCH_PRCTL: Call = old_calls!(arch_prctl)[0];
/// Messages on sockets whose flags are the third argument.
pub const MESSAGES: &[Call] = calls!(sendmsg recvmsg);
/// And those whose flags are the fourth.
pub const MANY_MESSAGES: &[Call] = calls!(sendto recvfrom sendmmsg recvmmsg);

/// Denied in executions, templates and loaders: becoming someone else.
pub const DENIED_ALWAYS: &[Call] = calls!(setresgid setgroups);
/// Denied in executions; a template's child needs each once, with the arguments that seccomp.rs names.
pub const DENIED_TO_EXECUTIONS: &[Call] = calls!(setresuid seccomp);
/// Denied unless `network` is true.
pub const DENIED_WITHOUT_NETWORK: &[Call] =
    calls!(socket connect bind listen accept accept4 sendmsg sendmmsg);
/// Denied in executions where `network` is true, so that no descriptor can be received: sendmsg(2) is needed for the
/// network, and these are not.
pub const DENIED_WITH_NETWORK: &[Call] = calls!(recvmsg recvmmsg);
/// Denied in templates where `network` is true, for the same end: they receive their requests by recvmsg(2).
pub const DENIED_TO_TEMPLATES_WITH_NETWORK: &[Call] = calls!(socketpair);
/// Attributes of files, by name.
pub const ATTRIBUTES: &[Call] = calls!(
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr removexattr lremovexattr
    fremovexattr
);
/// Denied unless `subprocesses` is true, beside the forms of clone that make no thread.
pub const DENIED_WITHOUT_SUBPROCESSES: &[Call] = calls!(execve execveat);
/// As above, and not in templates: signals by a descriptor, whose process no argument names.
pub const DENIED_TO_ONE_PROCESS: &[Call] = calls!(pidfd_open pidfd_send_signal);
/// Allowed to where no process may be started only if the first argument is its own pid.
pub const SIGNALS: &[Call] = calls!(kill tgkill rt_sigqueueinfo);
/// As above, the older forms.
pub const DENIED_WITHOUT_SUBPROCESSES_OLD: &[Call] = old_calls!(fork vfork);

/// What has been a way out, and must never be allowed.
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
