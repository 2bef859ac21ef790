//! Tasks that run a chunk of a map for each message: two at once, whose items share the task's slots.

use rand::Rng;

use super::durations::Durations;
use crate::Second;
use crate::loads::Map;
use crate::queue::Queue;

/// A task runs so many at once.
const AT_ONCE: usize = 2;
/// Less than that is no time, in seconds.
const NOTHING: f64 = 1e-9;

/// Chunks that run.
pub struct Chunks {
    durations: Durations,
    map: Map,
    slots: usize,
    tasks: Vec<Task>,
    /// They take no more.
    stopping: Vec<Task>,
    done: u64,
}

/// The chunks that a task runs.
#[derive(Default)]
struct Task(Vec<Chunk>);

/// How long each of a chunk's items takes that has not begun, and for how long each that runs goes on, in seconds.
struct Chunk {
    waiting: Vec<f64>,
    running: Vec<f64>,
}

impl Chunks {
    /// None run yet; items take this mean, and each task has so many slots.
    pub fn new(map: Map, mean_seconds: f64, slots: u64) -> Self {
        let (durations, slots) = (Durations::around(mean_seconds), slots as usize);
        Self { durations, map, slots, tasks: Vec::new(), stopping: Vec::new(), done: 0 }
    }

    /// One second of so many tasks, which take what has waited longest.
    pub fn serve(&mut self, queue: &mut Queue, now: Second, tasks: u64, random: &mut impl Rng) {
        self.tasks.resize_with(tasks as usize, Task::default);
        for task in &mut self.tasks {
            let mut chunk = || {
                let waiting = (0..self.map.items).map(|_| self.durations.draw(random)).collect();
                Chunk { waiting, running: Vec::new() }
            };
            self.done += task.run(1.0, self.slots, || (queue.take(1, now) == 1).then(&mut chunk));
        }
        for task in &mut self.stopping {
            self.done += task.run(1.0, self.slots, || None);
        }
        self.stopping.retain(|task| !task.0.is_empty());
    }

    /// So many of so many tasks take no more. Returns for how long the longest of their chunks goes on.
    pub fn stop(&mut self, tasks: u64, of: u64, random: &mut impl Rng) -> Second {
        self.tasks.resize_with(of as usize, Task::default);
        let mut longest: f64 = 0.0;
        for _ in 0..tasks {
            let task = self.tasks.swap_remove(random.random_range(0..self.tasks.len()));
            longest = longest.max(task.seconds_left(self.slots));
            self.stopping.push(task);
        }
        longest as Second + 1
    }

    /// Chunks that run.
    pub fn running(&self) -> u64 {
        self.tasks.iter().chain(&self.stopping).map(|task| task.0.len() as u64).sum()
    }

    /// Of so many messages that wait, those that workers hold: each for a second, then they give it back and take another.
    pub fn held(&self, waiting: u64) -> u64 {
        waiting.min(self.map.held * self.tasks.len() as u64)
    }

    /// Chunks that have ended.
    pub fn done(&self) -> u64 {
        self.done
    }
}

impl Task {
    /// Goes on for so many seconds, and takes the next chunk wherever there is room for one. Returns how many ended.
    fn run(&mut self, seconds: f64, slots: usize, mut next: impl FnMut() -> Option<Chunk>) -> u64 {
        let (mut left, mut ended) = (seconds, 0);
        while left > NOTHING {
            while self.0.len() < AT_ONCE
                && let Some(chunk) = next()
            {
                self.0.push(chunk);
            }
            self.fill(slots);
            let running = self.0.iter().flat_map(|chunk| &chunk.running);
            let Some(first) = running.copied().reduce(f64::min) else { break };
            let step = first.min(left);
            left -= step;
            for chunk in &mut self.0 {
                chunk.running.iter_mut().for_each(|item| *item -= step);
                chunk.running.retain(|item| *item > NOTHING);
            }
            let before = self.0.len();
            self.0.retain(|chunk| !chunk.running.is_empty() || !chunk.waiting.is_empty());
            ended += (before - self.0.len()) as u64;
        }
        ended
    }

    /// Items begin in the slots that are free, of the chunk of which fewest run.
    fn fill(&mut self, slots: usize) {
        let mut free = slots - self.0.iter().map(|chunk| chunk.running.len()).sum::<usize>();
        while free > 0 {
            let waiting = self.0.iter_mut().filter(|chunk| !chunk.waiting.is_empty());
            let Some(chunk) = waiting.min_by_key(|chunk| chunk.running.len()) else { break };
            chunk.running.extend(chunk.waiting.pop());
            free -= 1;
        }
    }

    /// About how long it goes on if it takes no more.
    fn seconds_left(&self, slots: usize) -> f64 {
        let items = || self.0.iter().flat_map(|chunk| chunk.running.iter().chain(&chunk.waiting)).copied();
        (items().sum::<f64>() / slots as f64).max(items().fold(0.0, f64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many chunks of so many items that take a second each, and how many end in each second on four slots.
    fn ended(chunks: usize, items: usize, seconds: usize) -> Vec<u64> {
        let (mut task, mut left) = (Task::default(), chunks);
        let mut next = || {
            left = left.checked_sub(1)?;
            Some(Chunk { waiting: vec![1.0; items], running: Vec::new() })
        };
        (0..seconds).map(|_| task.run(1.0, 4, &mut next)).collect()
    }

    #[test]
    fn two_chunks_share_the_slots() {
        assert_eq!(ended(1, 8, 3), [0, 1, 0]);
        assert_eq!(ended(2, 8, 5), [0, 0, 0, 2, 0]);
        assert_eq!(ended(3, 8, 7), [0, 0, 0, 2, 0, 1, 0]);
    }

    #[test]
    fn chunks_of_one_item_leave_slots_unused() {
        assert_eq!(ended(4, 1, 3), [2, 2, 0]);
    }
}
