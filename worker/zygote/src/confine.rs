//! What the zygote does to itself once, before it takes any work, and all its children inherit.

use std::cell::UnsafeCell;
use std::fs;
use std::os::fd::RawFd;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::unistd::{chdir, chroot};
use seccompiler::{BpfProgram, apply_filter, sock_filter};

use badlambda_zygote::wire::Confinement;

use crate::seccomp::{self, Stage2};

/// Newest access rights that the filter knows to ask for; the kernel gives what it has.
const LANDLOCK_ABI: ABI = ABI::V7;
/// Devices that are nothing but data.
const READABLE_DEVICES: [&str; 3] = ["/dev/zero", "/dev/random", "/dev/urandom"];
/// As a gid in setresgid(2).
const NO_CHANGE: libc::gid_t = libc::gid_t::MAX;
const NULL_DEVICE: &str = "/dev/null";

/// A layer that could not be put in force.
#[derive(Debug, thiserror::Error)]
#[error("{layer}: {reason}")]
pub struct LayerFailed {
    layer: &'static str,
    reason: String,
}

fn layer<T, E: std::fmt::Display>(name: &'static str, done: Result<T, E>) -> Result<T, LayerFailed> {
    done.map_err(|error| LayerFailed { layer: name, reason: error.to_string() })
}

/// Confines this process for good; returns the layers that every execution will have, `namespaces` among them.
pub fn enter(confinement: &Confinement, namespaces: Vec<&'static str>) -> Result<Vec<String>, LayerFailed> {
    prefer_for_oom_kill();
    if !confinement.enforced {
        return Ok(Vec::new());
    }
    let mut layers = vec!["no_new_privs", "rlimits", "seccomp"];
    let mut scratch = confinement.scratch.as_path();
    if confinement.own_uids {
        layers.push("uid");
    }
    if let Some(jail) = &confinement.jail {
        layer("chroot", enter_jail(jail))?;
        scratch = layer("chroot", inside(jail, scratch))?;
        layers.push("chroot");
    }
    // Without root there are capabilities in a user namespace alone, and none are needed there.
    let kept: &[Capability] =
        if confinement.own_uids { &[Capability::CAP_SETUID, Capability::CAP_SETGID] } else { &[] };
    if confinement.own_uids || namespaces.contains(&"user_namespace") {
        layer("capabilities", drop_capabilities(kept))?;
        layers.push("capabilities");
    }
    layers.extend(namespaces);
    layer("no_new_privs", prctl::set_no_new_privs())?;
    layer("dumpable", prctl::set_dumpable(false))?;
    if layer("landlock", enter_landlock(confinement, scratch))? {
        layers.push("landlock");
    }
    for filter in layer("seccomp", seccomp::stage1())? {
        layer("seccomp", apply_filter(&filter))?;
    }
    Ok(layers.into_iter().map(str::to_owned).collect())
}

/// Where memory runs out on the whole machine, executions go first and the worker last.
fn prefer_for_oom_kill() {
    if let Err(error) = fs::write("/proc/self/oom_score_adj", "1000") {
        eprintln!("could not set oom_score_adj: {error}");
    }
}

fn enter_jail(jail: &Path) -> Result<(), Errno> {
    chroot(jail)?;
    chdir("/")
}

/// The scratch folder's path inside the jail, in which it must lie.
fn inside<'a>(jail: &Path, scratch: &'a Path) -> Result<&'a Path, String> {
    if scratch.strip_prefix(jail).is_err() {
        return Err(format!(
            "the scratch folder {} is not inside the jail {}",
            scratch.display(),
            jail.display()
        ));
    }
    let components = jail.components().count() - 1;
    let mut rest = scratch.components();
    rest.nth(components);
    Ok(rest.as_path())
}

/// Leaves nothing but `kept`: the change of uid and gid, which every execution needs once.
fn drop_capabilities(kept: &[Capability]) -> Result<(), caps::errors::CapsError> {
    let kept: CapsHashSet = kept.iter().copied().collect();
    for capability in caps::runtime::thread_all_supported().difference(&kept) {
        caps::drop(None, CapSet::Bounding, *capability)?;
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

/// Reading where Ruby lives, writing in the scratch folder, and no signals to the outside. False where the
/// kernel has no Landlock.
fn enter_landlock(confinement: &Confinement, scratch: &Path) -> Result<bool, landlock::RulesetError> {
    let everything = AccessFs::from_all(LANDLOCK_ABI);
    let reading = AccessFs::from_read(LANDLOCK_ABI);
    let writing =
        everything & !(AccessFs::Execute | AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::IoctlDev);
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(everything)?
        .scope(Scope::from_all(LANDLOCK_ABI))?;
    let mut rules = vec![(scratch, writing), (Path::new(NULL_DEVICE), AccessFs::from_file(LANDLOCK_ABI))];
    rules.extend(confinement.readable.iter().map(|path| (path.as_path(), reading)));
    rules.extend(READABLE_DEVICES.iter().map(|path| (Path::new(path), AccessFs::ReadFile.into())));
    let mut created = ruleset.create()?;
    for (path, access) in rules {
        // A path that is not there can't be read anyway.
        let Ok(opened) = PathFd::new(path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(LANDLOCK_ABI) };
        created = created.add_rule(PathBeneath::new(opened, access))?;
    }
    let status = created.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// The filters of stage 2, compiled once so that a fork only has to fill in its numbers and load one.
pub struct Filters {
    enforced: bool,
    compiled: Vec<(Stage2, BpfProgram)>,
    /// What is loaded lies here: a template's own filter lets its child load a filter from this address alone.
    place: Box<UnsafeCell<Place>>,
}

struct Place {
    program: libc::sock_fprog,
    instructions: Vec<sock_filter>,
}

impl Filters {
    /// Compiles them all.
    pub fn compile(enforced: bool) -> Result<Self, LayerFailed> {
        let program = libc::sock_fprog { len: 0, filter: std::ptr::null_mut() };
        let place = Box::new(UnsafeCell::new(Place { program, instructions: Vec::new() }));
        let loaded_from = place.get() as u64 + std::mem::offset_of!(Place, program) as u64;
        let mut compiled = Vec::new();
        for network in [false, true] {
            for subprocesses in [false, true] {
                let execution = Stage2::Execution { network, subprocesses };
                let template = Stage2::Template { network, subprocesses };
                for stage in [execution, template] {
                    compiled.push((stage, layer("seccomp", seccomp::stage2(stage, loaded_from))?));
                }
            }
        }
        let longest = compiled.iter().map(|(_, program)| program.len()).max().unwrap_or_default();
        // SAFETY: nothing else refers to it yet.
        unsafe { (*place.get()).instructions.reserve(longest) };
        Ok(Self { enforced, compiled, place })
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
        let place = unsafe { &mut *self.place.get() };
        place.instructions.clear();
        place.instructions.extend_from_slice(compiled);
        seccomp::fill_in(&mut place.instructions, execution_uid, std::process::id());
        place.program.len = u16::try_from(place.instructions.len()).map_err(|_| Errno::EINVAL)?;
        place.program.filter = place.instructions.as_mut_ptr().cast();
        let (mode, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
        // SAFETY: the program points to that many instructions.
        let done = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const place.program) };
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

/// The highest descriptor in use: everything above is ours, everything up to it the interpreter's.
pub fn highest_descriptor() -> RawFd {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return 16 };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    // SAFETY: F_GETFD of any number touches no memory; the folder's own descriptor is closed by now.
    numbers
        .collect::<Vec<_>>()
        .into_iter()
        .filter(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0)
        .max()
        .unwrap_or(16)
}
