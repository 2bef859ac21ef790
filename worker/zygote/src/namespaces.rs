//! Namespaces, set up once for a zygote and all that it forks, where the kernel lets us: without root in a user
//! namespace of its own, with root if the capability is there. An ordinary container has none of them.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

use badlambda_zygote::protocol::Confinement;

/// Enters what can be had; returns the names of the layers. Must come before Ruby starts a thread.
pub fn enter(confinement: &Confinement) -> Vec<&'static str> {
    let mut layers = Vec::new();
    if !confinement.enforced {
        return layers;
    }
    if !confinement.own_uids {
        match enter_user_namespace() {
            Ok(()) => layers.push("user_namespace"),
            Err(_) => return layers,
        }
    }
    let mut wanted =
        vec![("ipc_namespace", CloneFlags::CLONE_NEWIPC), ("uts_namespace", CloneFlags::CLONE_NEWUTS)];
    // A namespace of its own has no network at all, which is only right where no function may have any.
    if !confinement.network {
        wanted.push(("network_namespace", CloneFlags::CLONE_NEWNET));
    }
    layers.extend(wanted.into_iter().filter(|(_, flag)| unshare(*flag).is_ok()).map(|(name, _)| name));
    layers
}

/// A user namespace in which we are who we were.
fn enter_user_namespace() -> io::Result<()> {
    let (uid, gid) = (Uid::current(), Gid::current());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno: Errno| io::Error::from(errno))?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}
