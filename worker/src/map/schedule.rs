//! Which item of a chunk is begun next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

/// Bytes of results that may be ahead of the first item that has not ended: whoever reads results in the order of their
/// inputs holds them in memory until then.
const MOST_AHEAD: usize = 16 << 20;

/// One try of an item, and how often it was tried before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Try {
    /// Its place in the chunk.
    pub(super) place: usize,
    /// Tries that failed.
    pub(super) failed: u32,
    /// Tries that got no outcome.
    pub(super) lost: u32,
}

/// The items of a chunk that have not ended.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Those that were not begun.
    fresh: VecDeque<usize>,
    /// Those that are to be tried again, by when.
    again: BTreeSet<(Instant, Try)>,
    /// Those that were begun.
    begun: BTreeSet<usize>,
    /// Bytes of the results of those that have ended while an earlier one has not.
    ahead: BTreeMap<usize, usize>,
    bytes_ahead: usize,
}

impl Schedule {
    /// Of items at these places, in this order.
    pub(super) fn new(places: impl Iterator<Item = usize>) -> Self {
        Self {
            fresh: places.collect(),
            again: BTreeSet::new(),
            begun: BTreeSet::new(),
            ahead: BTreeMap::new(),
            bytes_ahead: 0,
        }
    }

    /// Whether all have ended.
    pub(super) fn is_done(&self) -> bool {
        self.fresh.is_empty() && self.begun.is_empty()
    }

    /// Whether one could be begun now.
    pub(super) fn has_next(&self, now: Instant) -> bool {
        self.is_due(now) || (!self.fresh.is_empty() && self.bytes_ahead < MOST_AHEAD)
    }

    /// The one that is begun now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Try> {
        if self.is_due(now) {
            return self.again.pop_first().map(|(_, again)| again);
        }
        if self.bytes_ahead >= MOST_AHEAD {
            return None;
        }
        let place = self.fresh.pop_front()?;
        self.begun.insert(place);
        Some(Try { place, failed: 0, lost: 0 })
    }

    /// When the next one is to be tried again.
    pub(super) fn next_again(&self) -> Option<Instant> {
        self.again.first().map(|(at, _)| *at)
    }

    /// Tries one again that was begun.
    pub(super) fn try_again(&mut self, again: Try, at: Instant) {
        self.again.insert((at, again));
    }

    /// Notes that one has ended, with a result of so many bytes.
    pub(super) fn note_end(&mut self, place: usize, bytes: usize) {
        self.begun.remove(&place);
        self.ahead.insert(place, bytes);
        self.bytes_ahead += bytes;
        let first_open = self.begun.first().into_iter().chain(self.fresh.front()).min().copied();
        while let Some(entry) = self.ahead.first_entry()
            && first_open.is_none_or(|open| *entry.key() < open)
        {
            self.bytes_ahead -= entry.remove();
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next_again().is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn items_are_begun_in_order_and_tried_again_when_it_is_time() {
        let mut schedule = Schedule::new([0, 2, 3].into_iter());
        let now = Instant::now();
        let first = schedule.next(now).unwrap();
        assert_eq!((first.place, schedule.next(now).unwrap().place), (0, 2));
        let later = now + Duration::from_secs(1);
        schedule.try_again(Try { failed: 1, ..first }, later);
        assert_eq!(schedule.next_again(), Some(later));
        assert_eq!(schedule.next(now).unwrap().place, 3, "the others do not wait");
        assert!(!schedule.has_next(now) && schedule.next(now).is_none());
        assert_eq!(schedule.next(later), Some(Try { place: 0, failed: 1, lost: 0 }));
        [2, 3].into_iter().for_each(|place| schedule.note_end(place, 1));
        assert!(!schedule.is_done());
        schedule.note_end(0, 1);
        assert!(schedule.is_done() && schedule.bytes_ahead == 0);
    }

    #[test]
    fn no_more_is_begun_while_much_is_ahead_of_one_that_takes_long() {
        let mut schedule = Schedule::new(0..4);
        let now = Instant::now();
        let slow = schedule.next(now).unwrap();
        let next = schedule.next(now).unwrap();
        schedule.note_end(next.place, MOST_AHEAD);
        assert!(!schedule.has_next(now) && schedule.next(now).is_none());
        // What everything waits for may be tried again all the same.
        schedule.try_again(slow, now);
        assert_eq!(schedule.next(now), Some(slow));
        schedule.note_end(slow.place, 1);
        assert_eq!(schedule.next(now).map(|next| next.place), Some(2));
    }
}
