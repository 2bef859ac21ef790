//! Counts the processes of a uid and the memory that they hold, from /proc.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::zygotes::lock;

/// For this long, one count serves every caller: reading all of /proc costs about a millisecond.
const FRESH_FOR: Duration = Duration::from_millis(20);

/// What the processes of one uid hold together. Processes that have ended and wait to be reaped are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessTotals {
    pub(super) processes: Vec<Process>,
    pub(super) threads: u64,
    /// Their resident memory, in bytes. Memory that several processes share counts for each of them.
    pub(super) resident_bytes: u64,
    /// The resident memory of the largest process, in bytes.
    pub(super) largest_bytes: u64,
}

/// A process and its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) parent: i32,
}

impl ProcessTotals {
    fn add(&mut self, pid: i32, status: &Status) {
        self.processes.push(Process { pid, parent: status.parent });
        self.threads += status.threads;
        let resident = status.resident_bytes.unwrap_or(0);
        self.resident_bytes += resident;
        self.largest_bytes = self.largest_bytes.max(resident);
    }
}

/// Counts processes by real uid, at most every few milliseconds.
#[derive(Debug, Default)]
pub(super) struct MemorySampler {
    last: Mutex<Option<(Instant, HashMap<u32, ProcessTotals>)>>,
}

impl MemorySampler {
    /// What the processes whose real uid is `uid` hold, or held a few milliseconds ago.
    pub(super) fn held_by(&self, uid: u32) -> ProcessTotals {
        let mut last = lock(&self.last);
        let fresh = last.as_ref().is_some_and(|(taken, _)| taken.elapsed() < FRESH_FOR);
        if !fresh {
            *last = Some((Instant::now(), count_all()));
        }
        last.as_ref().and_then(|(_, by_uid)| by_uid.get(&uid).cloned()).unwrap_or_default()
    }

    /// The CPU time that the processes of `uid` have used which there are now, in milliseconds.
    pub(super) fn cpu_ms_of(&self, uid: u32) -> f64 {
        self.held_by(uid).processes.iter().map(|process| cpu_ms_of(process.pid)).sum()
    }
}

/// The CPU time that a process has used, in milliseconds, without its children's.
pub(super) fn cpu_ms_of(pid: i32) -> f64 {
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    cpu_ticks_of(pid) as f64 * 1000.0 / ticks.map_or(100.0, |per_second| per_second as f64)
}

/// What the processes of `uid` hold at this very moment, if all of them descend from `zygote`. When a process ends,
/// as `loader` may just do, `zygote` adopts its children. So each process to be found is a child of `zygote` or
/// `loader`, or lies below another process of `uid`.
pub(super) fn held_below(zygote: i32, loader: i32, uid: u32) -> ProcessTotals {
    if !kernel_lists_children() {
        return count_all().remove(&uid).unwrap_or_default();
    }
    // Read the loader's list first. A child that has left it by then has become the zygote's, and so is in the
    // zygote's list, which is read later.
    let mut found = children_of(loader);
    // The kernel may skip a child in this list while another one ends, as the zygote's other children may. So read
    // the list twice.
    for _ in 0..2 {
        found.extend(children_of(zygote));
    }
    found.sort_unstable();
    found.dedup();
    let mut held = ProcessTotals::default();
    while let Some(pid) = found.pop() {
        if let Some(status) = status_of(pid).filter(|status| status.uid == uid) {
            found.extend(children_of(pid));
            held.add(pid, &status);
        }
    }
    held
}

/// The children of all threads of a process. A thread that ends meanwhile has no children any more.
fn children_of(pid: i32) -> Vec<i32> {
    let threads = numbers_in(&format!("/proc/{pid}/task"));
    let lists = threads
        .filter_map(|thread| fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).ok())
        .collect::<Vec<_>>();
    lists.iter().flat_map(|list| list.split_ascii_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}

fn kernel_lists_children() -> bool {
    Path::new("/proc/thread-self/children").exists()
}

/// The resident memory of one process, in bytes; 0 once its first thread has ended.
pub(super) fn resident_bytes_of(pid: i32) -> u64 {
    let pages = |text: String| text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok();
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"));
    statm.ok().and_then(pages).unwrap_or(0) * page_bytes()
}

/// Whether any thread of a process still holds memory. If none does, the process has ended or is about to. This does
/// not work for processes of root.
pub(super) fn holds_memory(pid: i32) -> bool {
    status_of(pid).is_some()
}

/// The CPU time that a process has used, in clock ticks, without its children's.
pub(super) fn cpu_ticks_of(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The fields before these contain the process's name in brackets. Function code chooses the name, which may
    // contain brackets too.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks =
        |index| fields.split_ascii_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok());
    ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)
}

/// The parent of a process, until the process has been reaped.
pub(super) fn parent_of(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    field(&status, "PPid:")?.parse().ok()
}

fn page_bytes() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().map_or(4096, |bytes| bytes as u64)
}

fn count_all() -> HashMap<u32, ProcessTotals> {
    let mut by_uid: HashMap<u32, ProcessTotals> = HashMap::new();
    for pid in numbers_in("/proc") {
        if let Some(status) = status_of(pid) {
            by_uid.entry(status.uid).or_default().add(pid, &status);
        }
    }
    by_uid
}

/// `None` for a process that has ended, reaped or not, and for a kernel thread: they have no memory.
fn status_of(pid: i32) -> Option<Status> {
    let status = read_status(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)?;
    match status.resident_bytes {
        Some(_) => Some(status),
        None if status.uid == 0 => None,
        None => of_any_thread(pid),
    }
}

/// If the first thread of a process has ended, the status of any other thread still shows the memory.
fn of_any_thread(pid: i32) -> Option<Status> {
    let tasks = format!("/proc/{pid}/task");
    let statuses =
        numbers_in(&tasks).filter_map(|thread| fs::read_to_string(format!("{tasks}/{thread}/status")).ok());
    statuses.filter_map(|status| read_status(&status)).find(|status| status.resident_bytes.is_some())
}

fn numbers_in(folder: &str) -> impl Iterator<Item = i32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[derive(Debug, PartialEq, Eq)]
struct Status {
    parent: i32,
    uid: u32,
    threads: u64,
    /// `None` if the thread is about to end, or has ended.
    resident_bytes: Option<u64>,
}

/// Reads a /proc/PID/status.
fn read_status(status: &str) -> Option<Status> {
    let parent = field(status, "PPid:")?.parse().ok()?;
    let uid = field(status, "Uid:")?.parse().ok()?;
    let kilobytes = field(status, "VmRSS:").and_then(|kilobytes| kilobytes.parse::<u64>().ok());
    let threads = field(status, "Threads:").and_then(|threads| threads.parse().ok()).unwrap_or(1);
    Some(Status { parent, uid, threads, resident_bytes: kilobytes.map(|kilobytes| kilobytes * 1024) })
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_counted() {
        let pid = std::process::id() as i32;
        let own = resident_bytes_of(pid);
        assert!(own > 1 << 20, "{own}");
        let held = MemorySampler::default().held_by(nix::unistd::getuid().as_raw());
        assert!(held.largest_bytes > 1 << 20 && held.resident_bytes >= held.largest_bytes);
        let this = Process { pid, parent: nix::unistd::getppid().as_raw() };
        assert!(held.processes.contains(&this) && held.threads >= held.processes.len() as u64);
        assert_eq!(parent_of(pid), Some(nix::unistd::getppid().as_raw()));
    }

    #[test]
    fn children_are_found_below_their_parent() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id() as i32;
        let own = std::process::id() as i32;
        let uid = nix::unistd::getuid().as_raw();
        let expected = Process { pid, parent: own };
        assert!(held_below(own, 0, uid).processes.contains(&expected));
        assert!(!held_below(own, 0, uid + 1).processes.contains(&expected));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!held_below(own, 0, uid).processes.contains(&expected));
    }

    #[test]
    fn cpu_time_is_counted() {
        let pid = std::process::id() as i32;
        let before = cpu_ticks_of(pid);
        let until = Instant::now() + Duration::from_secs(20);
        while cpu_ticks_of(pid) < before + 3 {
            assert!(Instant::now() < until, "it stands still");
        }
    }

    #[test]
    fn the_real_uid_counts() {
        let status = "Name:\truby\nState:\tS (sleeping)\nPPid:\t39\nUid:\t40001\t40000\t40001\t40000\nVmRSS:\t    2048 kB\nThreads:\t2\n";
        let expected = Status { parent: 39, uid: 40_001, threads: 2, resident_bytes: Some(2 << 20) };
        assert_eq!(read_status(status), Some(expected));
        let zombie = "Name:\truby\nState:\tZ (zombie)\nPPid:\t39\nUid:\t7\t7\t7\t7\nThreads:\t1\n";
        assert_eq!(read_status(zombie).unwrap().resident_bytes, None);
    }
}
