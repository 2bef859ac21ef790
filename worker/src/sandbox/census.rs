//! How much memory the processes of a uid hold, read from /proc.

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::zygotes::lock;

/// A census this young serves everyone who asks: reading all of /proc costs about a millisecond.
const FRESH_FOR: Duration = Duration::from_millis(20);

/// Resident memory by uid, counted at most every few milliseconds.
#[derive(Debug)]
pub(super) struct Census {
    /// Every process of an execution is a fork of the zygote at first, and shares its pages: what that held is counted
    /// once, and not for each further process.
    shared_bytes: u64,
    last: Mutex<Option<(Instant, HashMap<u32, u64>)>>,
}

impl Census {
    /// A census of what `zygote` forks.
    pub(super) fn new(zygote: i32) -> Self {
        Self { shared_bytes: resident_bytes_of(zygote), last: Mutex::default() }
    }

    /// The resident memory of all processes whose real uid is `uid`, in bytes.
    pub(super) fn resident_bytes(&self, uid: u32) -> u64 {
        let mut last = lock(&self.last);
        let fresh = last.as_ref().is_some_and(|(taken, _)| taken.elapsed() < FRESH_FOR);
        if !fresh {
            *last = Some((Instant::now(), count_all(self.shared_bytes)));
        }
        last.as_ref().and_then(|(_, by_uid)| by_uid.get(&uid).copied()).unwrap_or(0)
    }
}

/// The resident memory of one process, in bytes; nothing once it has ended.
pub(super) fn resident_bytes_of(pid: i32) -> u64 {
    let pages = |text: String| text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok();
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"));
    statm.ok().and_then(pages).unwrap_or(0) * page_bytes()
}

/// The parent of a process, while it lives.
pub(super) fn parent_of(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    field(&status, "PPid:")?.parse().ok()
}

fn page_bytes() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().map_or(4096, |bytes| bytes as u64)
}

fn count_all(shared_bytes: u64) -> HashMap<u32, u64> {
    let mut by_uid: HashMap<u32, u64> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        if let Some((uid, resident)) = uid_and_resident(&status) {
            by_uid
                .entry(uid)
                .and_modify(|sum| *sum += resident.saturating_sub(shared_bytes))
                .or_insert(resident);
        }
    }
    by_uid
}

/// Real uid and resident memory from a /proc/PID/status.
fn uid_and_resident(status: &str) -> Option<(u32, u64)> {
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let uid = uids.split_ascii_whitespace().next()?.parse().ok()?;
    let kilobytes: u64 = field(status, "VmRSS:")?.parse().ok()?;
    Some((uid, kilobytes * 1024))
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_counted() {
        let own = resident_bytes_of(std::process::id() as i32);
        assert!(own > 1 << 20, "{own}");
        let uid = nix::unistd::getuid().as_raw();
        assert!(Census::new(0).resident_bytes(uid) > 1 << 20);
        assert_eq!(parent_of(std::process::id() as i32), Some(nix::unistd::getppid().as_raw()));
    }

    #[test]
    fn the_real_uid_counts() {
        let status = "Name:\truby\nUid:\t40001\t40000\t40001\t40000\nVmRSS:\t    2048 kB\n";
        assert_eq!(uid_and_resident(status), Some((40_001, 2 << 20)));
        assert_eq!(uid_and_resident("Name:\tkthread\nUid:\t0\t0\t0\t0\n"), None);
    }
}
