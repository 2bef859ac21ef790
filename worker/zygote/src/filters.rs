//! The filters of stage 2, which each process enters after its fork.

use std::cell::UnsafeCell;

use landlock::{CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use nix::errno::Errno;
use nix::libc;
use seccompiler::{BpfProgram, sock_filter};

use crate::confine::{LayerFailed, layer};
use crate::seccomp::{self, Confined, Stage2};

/// As a gid in setresgid(2).
const NO_CHANGE: libc::gid_t = libc::gid_t::MAX;

/// The filters of stage 2, compiled once so that a fork only has to fill in its numbers and load one.
pub struct Filters {
    enforced: bool,
    compiled: Vec<(Stage2, BpfProgram)>,
    /// What is loaded lies here: a template's own filter lets its child load a filter from this address alone.
    buffer: Box<UnsafeCell<Buffer>>,
}

struct Buffer {
    program: libc::sock_fprog,
    instructions: Vec<sock_filter>,
}

impl Filters {
    /// Compiles them all.
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
        // SAFETY: nothing else refers to it yet.
        unsafe { (*buffer.get()).instructions.reserve(longest) };
        Ok(Self { enforced, compiled, buffer })
    }

    /// Without uids of their own, executions share the zygote's, and would reach it with a signal: a Landlock domain
    /// of its own shuts each one in. On kernels before 6.12, which have no such scope, nothing does.
    pub fn scope_signals(&self) -> Result<(), Errno> {
        if !self.enforced {
            return Ok(());
        }
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).scope(Scope::Signal);
        let restricted = ruleset.and_then(Ruleset::create).and_then(|created| created.restrict_self());
        restricted.map(drop).map_err(|_| Errno::EACCES)
    }

    /// Enters the filter of `stage`, in which executions run as `execution_uid`, with all threads: from Ruby 3.3 on, a fork
    /// has one of Ruby's own.
    pub fn enter(&self, stage: Stage2, execution_uid: u32) -> Result<(), Errno> {
        if !self.enforced {
            return Ok(());
        }
        let (_, compiled) = self.compiled.iter().find(|(of, _)| *of == stage).ok_or(Errno::EINVAL)?;
        // SAFETY: no other thread runs code of ours, and nothing else refers to the place.
        let buffer = unsafe { &mut *self.buffer.get() };
        buffer.instructions.clear();
        buffer.instructions.extend_from_slice(compiled);
        seccomp::fill_in(&mut buffer.instructions, execution_uid, std::process::id());
        buffer.program.len = u16::try_from(buffer.instructions.len()).map_err(|_| Errno::EINVAL)?;
        buffer.program.filter = buffer.instructions.as_mut_ptr().cast();
        let (mode, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
        // SAFETY: the program points to that many instructions.
        let done = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const buffer.program) };
        // Another number is that of a thread that could not follow.
        if Errno::result(done)? != 0 {
            return Err(Errno::EACCES);
        }
        // Whether it is in force: without it, anybody may ask for no change.
        // SAFETY: takes plain numbers.
        let refused = unsafe { libc::syscall(libc::SYS_setresgid, NO_CHANGE, NO_CHANGE, NO_CHANGE) };
        match Errno::result(refused) {
            Err(Errno::EPERM) => Ok(()),
            _ => Err(Errno::EACCES),
        }
    }
}
