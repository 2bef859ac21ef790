//! The loads, by name: how many executions a second arrive when, and how long they take.

use crate::Second;

const HOUR: Second = 3600;
/// Of a map: as many as there may be.
const ITEMS: u64 = 1_000_000;
/// As many as one receive brings.
const HELD: u64 = 10;

/// A load on the queue.
#[derive(Clone)]
pub struct Load {
    /// Its name in the table.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub about: &'static str,
    /// Mean duration of an execution, or of an item of a map, in seconds.
    pub mean_seconds: f64,
    /// Where messages are chunks of a map, and no executions.
    pub map: Option<Map>,
    /// Arrivals end here; the run goes on until all is done.
    pub length: Second,
    /// More tasks than the default's most are needed.
    pub is_large: bool,
    shape: Shape,
}

/// What the messages of a map are.
#[derive(Clone, Copy)]
pub struct Map {
    /// Items of each chunk.
    pub items: u64,
    /// So many chunks a worker holds beside those that it runs, while there are so many.
    pub held: u64,
}

#[derive(Clone)]
enum Shape {
    /// Exactly so many messages, in equal shares in each of so many seconds from this time on.
    Exactly { messages: u64, from: Second, seconds: Second },
    /// The same rate always.
    Steady { rate: f64 },
    /// So many messages within ten seconds, at the beginning of each interval after the first.
    Burst { messages: f64, every: Second },
    /// A day from its low at midnight to its high at noon.
    Daily { low: f64, high: f64 },
    /// One rate, and another in between.
    Spike { low: f64, high: f64, from: Second, to: Second },
}

impl Load {
    /// Executions of a message, or items of its chunk.
    pub fn executions_per_message(&self) -> u64 {
        self.map.map_or(1, |map| map.items)
    }

    /// Arrivals a second at a time.
    pub fn rate(&self, now: Second) -> f64 {
        match self.shape {
            Shape::Exactly { .. } => 0.0,
            Shape::Steady { rate } => rate,
            Shape::Burst { messages, every } => {
                if now >= every && now % every < 10 {
                    messages / 10.0
                } else {
                    0.0
                }
            }
            Shape::Daily { low, high } => {
                let angle = now as f64 / (24.0 * HOUR as f64) * std::f64::consts::TAU;
                low + (high - low) * (1.0 - angle.cos()) / 2.0
            }
            Shape::Spike { low, high, from, to } => {
                if (from..to).contains(&now) {
                    high
                } else {
                    low
                }
            }
        }
    }

    /// Messages that arrive exactly at a time, besides the rate.
    pub fn exactly(&self, now: Second) -> u64 {
        match self.shape {
            Shape::Exactly { messages, from, seconds } if (from..from + seconds).contains(&now) => {
                let sent_before = |second| messages * second / seconds;
                sent_before(now - from + 1) - sent_before(now - from)
            }
            _ => 0,
        }
    }

    fn new(name: &'static str, about: &'static str, length: Second, shape: Shape) -> Self {
        Self { name, about, mean_seconds: 0.25, map: None, length, is_large: false, shape }
    }

    fn large(self) -> Self {
        Self { is_large: true, ..self }
    }

    /// A million items, of this mean duration each, in chunks of so many.
    fn map(name: &'static str, about: &'static str, mean_seconds: f64, items: u64) -> Self {
        let shape = Shape::Exactly { messages: ITEMS / items, from: HOUR, seconds: 5 };
        let map = Some(Map { items, held: HELD });
        Self { map, ..Self::new(name, about, HOUR + 60, shape).taking(mean_seconds).large() }
    }

    fn taking(self, mean_seconds: f64) -> Self {
        Self { mean_seconds, ..self }
    }
}

/// All loads, in the table's order. Executions take 0.25 s where nothing else is said. What
/// is said of chunks is for a worker that runs no other.
pub fn all() -> Vec<Load> {
    vec![
        Load::new(
            "one",
            "a single message after two quiet hours",
            3 * HOUR,
            Shape::Exactly { messages: 1, from: 2 * HOUR, seconds: 1 },
        ),
        Load::new("quiet", "1 a second, six hours", 6 * HOUR, Shape::Steady { rate: 1.0 }),
        Load::new("steady 100/s", "three hours", 3 * HOUR, Shape::Steady { rate: 100.0 }),
        Load::new("steady 10,000/s", "three hours", 3 * HOUR, Shape::Steady { rate: 10_000.0 }).large(),
        Load::new(
            "burst",
            "3,000 messages within 10 s, once an hour, four times",
            5 * HOUR - 60,
            Shape::Burst { messages: 3000.0, every: HOUR },
        ),
        Load::new(
            "burst of 1,000,000",
            "within 10 s, from nothing",
            HOUR + 60,
            Shape::Burst { messages: 1e6, every: HOUR },
        )
        .large(),
        Load::new(
            "daily",
            "5 to 500 a second and back, a day",
            24 * HOUR,
            Shape::Daily { low: 5.0, high: 500.0 },
        ),
        Load::new(
            "spike",
            "10 a second, 10,000 a second for 30 minutes, 10 a second",
            3 * HOUR,
            Shape::Spike { low: 10.0, high: 10_000.0, from: HOUR, to: HOUR + HOUR / 2 },
        )
        .large(),
        Load::new("slow", "2 a second that take 20 s, three hours", 3 * HOUR, Shape::Steady { rate: 2.0 })
            .taking(20.0),
        Load::map("map 3 ms", "a million items, 200 chunks of 4 s", 0.0032, 5000),
        Load::map("map 0.25 s", "a million items, 15,625 chunks of 4 s", 0.25, 64),
        Load::map("map unknown", "a million items of 0.25 s, 2,000 chunks of 31 s", 0.25, 500),
        Load::map("map 20 s", "a million items, each a chunk of 20 s", 20.0, 1),
        Load::map("map 20 s by 4", "a million items, 250,000 chunks of 20 s", 20.0, 4),
    ]
}

/// The load of a name.
pub fn named(name: &str) -> Option<Load> {
    all().into_iter().find(|load| load.name == name)
}
