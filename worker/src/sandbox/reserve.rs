//! How much scratch space and memory the worker tries to keep free, so that a function that uses all that its limits
//! allow does not make others fail. Waiting templates are only a cache: the worker ends them first when space or
//! memory runs low.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::sys::statvfs::fstatvfs;

/// The worker keeps an eighth of the scratch space free, but at most this, in bytes. It is what one function may use
/// if its config does not say otherwise.
const MOST_SCRATCH: u64 = 64 << 20;
/// The worker keeps a sixteenth of the memory free, but at most this, in bytes.
const MOST_MEMORY: u64 = 256 << 20;

/// The folder that holds all scratch folders, opened so that the worker can ask how full its file system is.
#[derive(Debug)]
pub(super) struct ScratchSpace(OwnedFd);

impl ScratchSpace {
    pub(super) fn of(folder: &Path) -> std::io::Result<Self> {
        Ok(Self(fs::File::open(folder)?.into()))
    }

    /// Whether less is left than the worker keeps free, in bytes or in number of files.
    pub(super) fn is_low(&self) -> bool {
        let Ok(found) = fstatvfs(self.0.as_fd()) else { return false };
        let bytes = |blocks| found.fragment_size().saturating_mul(blocks);
        let kept = (bytes(found.blocks()) / 8).min(MOST_SCRATCH);
        let no_files = found.files() > 0 && found.files_available() < found.files() / 64;
        bytes(found.blocks_available()) < kept || no_files
    }
}

/// Whether less memory is left than the worker keeps free, on the machine or in the container.
pub(super) fn memory_is_low() -> bool {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| of_machine(&text));
    let figure = |name| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    let container = figure("memory.max").zip(figure("memory.current"));
    let low = |(total, left): (u64, u64)| left < (total / 16).min(MOST_MEMORY);
    // The kernel can take a container's file cache back, so the cache counts as free. Without that figure, the worker
    // does not judge the container's memory.
    let cached = fs::read_to_string("/sys/fs/cgroup/memory.stat").ok().and_then(|text| cached(&text));
    let container = container
        .zip(cached)
        .map(|((most, used), cached)| (most, most.saturating_sub(used.saturating_sub(cached))));
    machine.is_some_and(low) || container.is_some_and(low)
}

/// Total and available bytes, from /proc/meminfo.
fn of_machine(text: &str) -> Option<(u64, u64)> {
    let bytes = |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    };
    bytes("MemTotal:").zip(bytes("MemAvailable:"))
}

/// The file cache that the kernel could take back from a control group at once, in bytes, from its memory.stat.
fn cached(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("inactive_file "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_machine_and_container_are_read() {
        let text = "MemTotal:       2048 kB\nMemFree:         12 kB\nMemAvailable:   1024 kB\n";
        assert_eq!(of_machine(text), Some((2 << 20, 1 << 20)));
        assert_eq!(cached("active_file 3\ninactive_file 4096\n"), Some(4096));
        assert_eq!(cached("max"), None);
    }

    #[test]
    fn this_machine_has_space() {
        assert!(!ScratchSpace::of(Path::new("/dev/shm")).unwrap().is_low());
        assert!(!memory_is_low());
    }
}
