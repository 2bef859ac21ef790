//! Memory and CPU time of processes, from /proc.

use std::fs;

use anyhow::Context as _;

/// The kernel counts CPU time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// The pids of all processes below this one whose name is `name`, as the kernel cuts it.
pub fn below(name: &str) -> anyhow::Result<Vec<u32>> {
    let mut found = vec![];
    let mut parents = vec![std::process::id()];
    let stats: Vec<(u32, u32, String)> = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (head, rest) = stat.rsplit_once(") ")?;
            Some((pid, rest.split_whitespace().nth(1)?.parse().ok()?, head.split_once('(')?.1.to_owned()))
        })
        .collect();
    while let Some(parent) = parents.pop() {
        for (pid, _, own_name) in stats.iter().filter(|(_, of, _)| *of == parent) {
            parents.push(*pid);
            if own_name == name {
                found.push(*pid);
            }
        }
    }
    Ok(found)
}

/// A field of /proc/PID/smaps_rollup, in MiB.
pub fn mib(pid: u32, field: &str) -> Option<f64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// Resident memory of the largest process of that name below this one, in MiB.
pub fn largest_resident_mib(name: &str) -> anyhow::Result<f64> {
    Ok(below(name)?.into_iter().filter_map(|pid| mib(pid, "Rss")).fold(0.0, f64::max))
}

/// The CPU time that a process has used, in seconds.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("a process has no stat")?;
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
