//! The seccomp filters of stage 2, one of which each process enters after its fork.

use std::cell::UnsafeCell;

use landlock::{CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use nix::errno::Errno;
use nix::libc;
use seccompiler::{BpfProgram, sock_filter};

use crate::confine::{LayerFailed, layer};
use crate::seccomp::{self, Confined, Stage2};

/// In setresgid(2), this value means no change.
const NO_CHANGE: libc::gid_t = libc::gid_t::MAX;

/// The filters of stage 2. They are compiled once, so that a forked process only has to fill in its numbers and load
/// one.
pub struct Filters {
    enforced: bool,
    compiled: Vec<(Stage2, BpfProgram)>,
    /// The filter to load is copied here, because a template's own filter lets its child load a filter from this
    /// address only.
    buffer: Box<UnsafeCell<Buffer>>,
}

struct Buffer {
    program: libc::sock_fprog,
    instructions: Vec<sock_filter>,
}

impl Filters {
    /// Compiles all filters of stage 2.
    pub fn compile(enforced: bool) -> Result<Self, LayerFailed> {
        let program = libc::sock_fprog { len: 0, filter: std::ptr::null_mut() };
        let buffer = Box::new(UnsafeCell::new(Buffer { program, instructions: Vec::new() }));
        let loaded_from = buffer.get() as u64 + std::mem::offset_of!(Buffer, program) as u64;
        let mut compiled = Vec::new();
        for network in [false, true] {
            for subprocesses in [false, true] {
                for of in [Confined::Execution, Confined::Template] {
                    let stage = Stage2 { of, network, subprocesses };
                    compiled.push((stage, layer("seccomp", seccomp::stage2(stage, loaded_from))?));
                }
            }
        }
        let longest = compiled.iter().map(|(_, program)| program.len()).max().unwrap_or_default();
        // SAFETY: nothing else refers to the buffer yet.
        unsafe { (*buffer.get()).instructions.reserve(longest) };
        Ok(Self { enforced, compiled, buffer })
    }

    /// Without uids of their own, executions share the zygote's uid and could send signals to it. A Landlock domain
    /// of its own keeps the signals of each process inside. Kernels before 6.12 can't do this, so there nothing
    /// prevents such signals.
    pub fn scope_signals(&self) -> Result<(), Errno> {
        if !self.enforced {
            return Ok(());
        }
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).scope(Scope::Signal);
        let restricted = ruleset.and_then(Ruleset::create).and_then(|created| created.restrict_self());
        restricted.map(drop).map_err(|_| Errno::EACCES)
    }

    /// Puts the filter of `stage` in force for all threads, because from Ruby 3.3 on a forked process has a thread of
    /// Ruby's own. `execution_uid` is the uid that the sandbox's executions run as.
    pub fn enter(&self, stage: Stage2, execution_uid: u32) -> Result<(), Errno> {
        if !self.enforced {
            return Ok(());
        }
        let (_, compiled) = self.compiled.iter().find(|(of, _)| *of == stage).ok_or(Errno::EINVAL)?;
        // SAFETY: no other thread runs code of ours, and nothing else refers to the buffer.
        let buffer = unsafe { &mut *self.buffer.get() };
        buffer.instructions.clear();
        buffer.instructions.extend_from_slice(compiled);
        seccomp::fill_in(&mut buffer.instructions, execution_uid, std::process::id());
        buffer.program.len = u16::try_from(buffer.instructions.len()).map_err(|_| Errno::EINVAL)?;
        buffer.program.filter = buffer.instructions.as_mut_ptr().cast();
        let (mode, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
        // SAFETY: the program points to as many instructions as its `len` says.
        let done = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const buffer.program) };
        // A positive result is the id of a thread that could not enter the filter.
        if Errno::result(done)? != 0 {
            return Err(Errno::EACCES);
        }
        // We check that the filter is in force: without it, anybody may ask setresgid(2) for no change.
        // SAFETY: takes plain numbers.
        let refused = unsafe { libc::syscall(libc::SYS_setresgid, NO_CHANGE, NO_CHANGE, NO_CHANGE) };
        match Errno::result(refused) {
            Err(Errno::EPERM) => Ok(()),
            _ => Err(Errno::EACCES),
        }
    }
}
