//! Processes, as /proc has them.

use std::fs;

/// Of the first sandbox.
const FIRST_UID: u32 = 40_000;

/// Zygotes and cleaners: the children of this process.
pub fn ours() -> Vec<u32> {
    children_of(std::process::id())
}

fn children_of(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// All processes below one.
pub fn below(pid: u32) -> Vec<u32> {
    let mut found = children_of(pid);
    let mut index = 0;
    while let Some(pid) = found.get(index) {
        found.extend(children_of(*pid));
        index += 1;
    }
    found
}

/// The first word of a field of /proc/PID/status.
pub fn status(pid: u32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.to_owned())
}

/// Whether it runs as an execution: a sandbox's first uid is theirs.
pub fn is_execution(pid: u32) -> bool {
    uid_of(pid).is_some_and(|uid| uid.is_multiple_of(4))
}

/// Whether it is a template: a sandbox's second uid is its template's.
pub fn is_template(pid: u32) -> bool {
    uid_of(pid).is_some_and(|uid| uid % 4 == 1)
}

/// Its real uid, if it is one of a sandbox's.
fn uid_of(pid: u32) -> Option<u32> {
    status(pid, "Uid")?.parse().ok().filter(|uid| *uid >= FIRST_UID)
}
