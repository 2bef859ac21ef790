//! Namespaces that a zygote and all that it forks share, as far as the kernel lets us have them. Without root, they
//! need a user namespace of our own. With root, they need CAP_SYS_ADMIN. In an ordinary container we get none of
//! them.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

use badlambda_zygote::protocol::Confinement;

/// Enters the namespaces that can be had, and returns the names of these layers. Must be called before Ruby starts a
/// thread.
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
    // A new network namespace has no network at all, which is only right if no function may use the network.
    if !confinement.network {
        wanted.push(("network_namespace", CloneFlags::CLONE_NEWNET));
    }
    layers.extend(wanted.into_iter().filter(|(_, flag)| unshare(*flag).is_ok()).map(|(name, _)| name));
    layers
}

/// Enters a user namespace in which our uid and gid stay what they were.
fn enter_user_namespace() -> io::Result<()> {
    let (uid, gid) = (Uid::current(), Gid::current());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno: Errno| io::Error::from(errno))?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}
