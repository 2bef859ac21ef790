//! How executions are confined: what the operator asks for, and what tier came of it.

use std::str::FromStr;

use badlambda_shared::execution::Isolation;

/// What `BADLAMBDA_ISOLATION` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolationMode {
    /// All required layers, uids of their own among them.
    Required,
    /// All but uids of their own, for a machine without root.
    Unprivileged,
    /// None.
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

const REQUIRED: [&str; 5] = ["uid", "no_new_privs", "capabilities", "rlimits", "seccomp"];
const FILE_SYSTEM: [&str; 2] = ["chroot", "landlock"];

/// The tier that these layers make: 2 with all that is required, chroot and Landlock; 1 with one of the two;
/// else 0.
pub fn rate(mut layers: Vec<String>) -> Isolation {
    let has = |layer: &str| layers.iter().any(|present| present == layer);
    let of_file_system = FILE_SYSTEM.iter().filter(|layer| has(layer)).count() as u8;
    let tier = if REQUIRED.iter().all(|layer| has(layer)) { of_file_system } else { 0 };
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
        let required = REQUIRED.to_vec();
        assert_eq!(tier(&required), 0);
        assert_eq!(tier(&[&required[..], &["landlock"]].concat()), 1);
        assert_eq!(tier(&[&required[..], &["chroot"]].concat()), 1);
        assert_eq!(tier(&[&required[..], &["chroot", "landlock"]].concat()), 2);
        assert_eq!(tier(&["rlimits", "seccomp", "landlock", "no_new_privs"]), 0);
    }
}
