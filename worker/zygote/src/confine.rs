//! How the zygote confines itself, once, before it takes any work. All its children inherit this confinement.

use std::fs;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{chdir, chroot};
use seccompiler::apply_filter;

use badlambda_zygote::protocol::Confinement;

use crate::seccomp;

/// The newest version of Landlock that we ask for. An older kernel enforces the part that it knows.
const LANDLOCK_ABI: ABI = ABI::V7;
/// Devices that only supply data.
const READABLE_DEVICES: [&str; 3] = ["/dev/zero", "/dev/random", "/dev/urandom"];
const NULL_DEVICE: &str = "/dev/null";

/// A layer that could not be put in force, and why.
#[derive(Debug, thiserror::Error)]
#[error("{layer}: {reason}")]
pub struct LayerFailed {
    layer: &'static str,
    reason: String,
}

/// Adds the layer's name to an error.
pub fn layer<T, E: std::fmt::Display>(name: &'static str, done: Result<T, E>) -> Result<T, LayerFailed> {
    done.map_err(|error| LayerFailed { layer: name, reason: error.to_string() })
}

/// Confines this process for good. Returns the layers that every execution will have, including `namespaces`.
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
    // Without root, a zygote has capabilities only inside a user namespace, and needs none of them there.
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
    for filter in layer("seccomp", seccomp::stage1(confinement.jail.is_some()))? {
        layer("seccomp", apply_filter(&filter))?;
    }
    Ok(layers.into_iter().map(str::to_owned).collect())
}

/// If memory runs out on the whole machine, the kernel should kill executions first and the worker last.
fn prefer_for_oom_kill() {
    if let Err(error) = fs::write("/proc/self/oom_score_adj", "1000") {
        eprintln!("could not set oom_score_adj: {error}");
    }
}

fn enter_jail(jail: &Path) -> Result<(), Errno> {
    chroot(jail)?;
    chdir("/")
}

/// The scratch folder's path as seen from inside the jail. Fails if the folder is not in the jail.
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

/// Drops every capability that is not in `kept`, which holds at most those to change the uid and the gid. Every
/// execution needs these once.
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

/// Allows reading where Ruby lives and writing in the scratch folders, but no signals to the outside. False if the
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
        // A path that does not exist can't be read anyway.
        let Ok(opened) = PathFd::new(path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(LANDLOCK_ABI) };
        created = created.add_rule(PathBeneath::new(opened, access))?;
    }
    let status = created.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
