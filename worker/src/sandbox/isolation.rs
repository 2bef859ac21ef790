//! How executions are confined: what the operator asks for, and which tier the layers in force make.

use std::fmt;
use std::str::FromStr;

use badlambda_shared::execution::Isolation;
use serde::Serialize;

/// What `BADLAMBDA_ISOLATION` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationMode {
    /// All required layers, including uids of their own for executions.
    Required,
    /// All layers but uids of their own for executions: for a machine without root.
    Unprivileged,
    /// No confinement: executions are ordinary processes.
    None,
}

impl FromStr for IsolationMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "required" => Ok(Self::Required),
            "unprivileged" => Ok(Self::Unprivileged),
            "none" => Ok(Self::None),
            _ => Err("it must be required, unprivileged or none"),
        }
    }
}

impl fmt::Display for IsolationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::Unprivileged => "unprivileged",
            Self::None => "none",
        })
    }
}

/// How much a worker needs a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Without it, the tier is 0.
    Required,
    /// One of these makes tier 1, all of them make tier 2, if all required layers are in force.
    FileSystem,
    /// It confines executions further, where the machine has it.
    Extra,
}

/// One way in which executions are confined.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// The name by which records list it.
    pub name: &'static str,
    /// How much a worker needs it.
    pub need: Need,
    /// What is lost without it, and what to do about it.
    pub without: &'static str,
}

/// The name of the layer that only workers without root use.
pub const USER_NAMESPACE: &str = "user_namespace";

/// Every layer there is.
pub const LAYERS: [Layer; 11] = [
    required(
        "uid",
        "functions would share a user with the worker: run it as root, with CAP_SETUID and CAP_SETGID",
    ),
    required("no_new_privs", "setuid programs would give functions their owner's rights"),
    required(
        "capabilities",
        "functions would keep what root may do: run the worker as root, with CAP_SETPCAP",
    ),
    required("rlimits", "one function could use up what all need"),
    required("seccomp", "functions could make every system call the kernel has"),
    Layer {
        name: "chroot",
        need: Need::FileSystem,
        without: "the names of the machine's files can be seen: make a jail with deploy/jail, and set BADLAMBDA_JAIL",
    },
    Layer {
        name: "landlock",
        need: Need::FileSystem,
        without: "only the jail and file modes keep functions from files: use a kernel from 5.13 on that has Landlock",
    },
    extra(USER_NAMESPACE, "only of use to a worker without root"),
    extra("network_namespace", "seccomp alone keeps functions off the network"),
    extra("ipc_namespace", "seccomp alone keeps functions from shared memory and message queues"),
    extra("uts_namespace", "functions can read the machine's name"),
];

const fn required(name: &'static str, without: &'static str) -> Layer {
    Layer { name, need: Need::Required, without }
}

const fn extra(name: &'static str, without: &'static str) -> Layer {
    Layer { name, need: Need::Extra, without }
}

/// Finds the tier that these layers make. All required layers with chroot and Landlock make tier 2, with one of the
/// two tier 1. Anything else is tier 0.
pub fn rate(mut layers: Vec<String>) -> Isolation {
    let has = |layer: &Layer| layers.iter().any(|present| present == layer.name);
    let needed = |need| LAYERS.iter().filter(move |layer| layer.need == need);
    let of_file_system = needed(Need::FileSystem).filter(|layer| has(layer)).count() as u8;
    let tier = if needed(Need::Required).all(has) { of_file_system } else { 0 };
    layers.sort_unstable();
    Isolation { tier, layers }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(layers: &[&str]) -> u8 {
        rate(layers.iter().map(|layer| (*layer).to_owned()).collect()).tier
    }

    #[test]
    fn a_tier_needs_every_required_layer() {
        let required = ["uid", "no_new_privs", "capabilities", "rlimits", "seccomp"];
        assert_eq!(tier(&required), 0);
        assert_eq!(tier(&[&required[..], &["landlock"]].concat()), 1);
        assert_eq!(tier(&[&required[..], &["chroot"]].concat()), 1);
        assert_eq!(tier(&[&required[..], &["chroot", "landlock"]].concat()), 2);
        assert_eq!(tier(&["rlimits", "seccomp", "landlock", "no_new_privs"]), 0);
    }
}
