//! What was counted of a map's items, and the map that this makes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::limits;
use badlambda_shared::map::{Cancelled, Manifest, Map, MapStatus, PartHead};
use badlambda_shared::timestamp::Timestamp;

/// The items of this time make the rate.
const RECENT: Duration = Duration::from_secs(30);

/// What was counted of a map's items.
#[derive(Debug)]
pub(super) struct Counts {
    /// For each chunk whether all of its items have ended.
    complete: Vec<bool>,
    first_open: u32,
    /// The parts of chunks that are begun and not complete.
    begun: BTreeMap<(u32, u32), PartHead>,
    /// Items of chunks that are complete.
    ended: Ended,
    /// When items ended lately: how many were stored when.
    recent: VecDeque<(Timestamp, u64)>,
    begun_at: Option<Timestamp>,
    stored_at: Option<Timestamp>,
}

/// How many items have ended, and how.
#[derive(Clone, Debug, Default)]
struct Ended {
    succeeded: u64,
    failed: BTreeMap<ErrorKind, u64>,
}

impl Ended {
    fn add(&mut self, head: &PartHead) {
        self.succeeded += u64::from(head.succeeded);
        for (kind, count) in &head.failed {
            *self.failed.entry(*kind).or_default() += u64::from(*count);
        }
    }
}

impl Counts {
    pub(super) fn of(manifest: &Manifest) -> Self {
        Self {
            complete: vec![false; manifest.chunks.len()],
            first_open: 0,
            begun: BTreeMap::new(),
            ended: Ended::default(),
            recent: VecDeque::new(),
            begun_at: None,
            stored_at: None,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.first_open as usize == self.complete.len()
    }

    /// The last part that a list may leave out, with all before it.
    pub(super) fn list_after(&self) -> Option<(u32, u32)> {
        self.first_open.checked_sub(1).map(|chunk| (chunk, limits::MAX_MAP_CHUNKS))
    }

    /// Whether all that will ever be in this part is counted.
    pub(super) fn is_closed(&self, part: (u32, u32)) -> bool {
        self.begun.get(&part).is_some_and(|head| head.is_closed)
            || self.complete.get(part.0 as usize).is_none_or(|complete| *complete)
    }

    /// Counts what a part has by now.
    pub(super) fn note(&mut self, (chunk, part): (u32, u32), head: PartHead) {
        if self.is_closed((chunk, part)) {
            return;
        }
        let before = self.begun.get(&(chunk, part)).map_or(0, PartHead::items);
        self.recent.retain(|(at, _)| at.age() <= RECENT);
        self.recent.push_back((head.stored_at, head.items().saturating_sub(before)));
        self.begun_at = Some(self.begun_at.map_or(head.begun_at, |at| at.min(head.begun_at)));
        self.stored_at = Some(self.stored_at.map_or(head.stored_at, |at| at.max(head.stored_at)));
        let is_last = head.is_last;
        self.begun.insert((chunk, part), head);
        if is_last {
            self.complete_chunk(chunk);
        }
    }

    fn complete_chunk(&mut self, chunk: u32) {
        for head in self.begun.extract_if((chunk, 0)..(chunk + 1, 0), |_, _| true).map(|(_, head)| head) {
            self.ended.add(&head);
        }
        if let Some(complete) = self.complete.get_mut(chunk as usize) {
            *complete = true;
        }
        while self.complete.get(self.first_open as usize) == Some(&true) {
            self.first_open += 1;
        }
    }

    /// The map, as far as it was counted.
    pub(super) fn map(&self, manifest: &Manifest, cancelled: Option<Cancelled>) -> Map {
        let Manifest { id, function, version, submitted_at, .. } = manifest;
        let (mut ended, total) = (self.ended.clone(), manifest.total());
        self.begun.values().for_each(|head| ended.add(head));
        let Ended { succeeded, failed: kinds } = ended;
        let chunks: BTreeSet<u32> = self.begun.keys().map(|(chunk, _)| *chunk).collect();
        let items = |chunk: &u32| u64::from(manifest.chunks.get(*chunk as usize).copied().unwrap_or(0));
        let in_begun: u64 = chunks.iter().map(items).sum();
        let ended_in_begun: u64 = self.begun.values().map(PartHead::items).sum();
        let failed = kinds.values().sum();
        let left = total.saturating_sub(succeeded + failed);
        let running = in_begun.saturating_sub(ended_in_begun).min(left);
        let (status, finished_at) = match cancelled {
            _ if self.is_complete() => (MapStatus::Finished, self.stored_at),
            Some(Cancelled { cancelled_at }) => (MapStatus::Cancelled, Some(cancelled_at)),
            None if self.begun_at.is_none() => (MapStatus::Queued, None),
            None => (MapStatus::Running, None),
        };
        let is_final = status.is_final();
        let per_second =
            if is_final { self.mean_rate(succeeded + failed) } else { self.recent_rate(Timestamp::now()) };
        Map {
            url: Map::url_of(function, id),
            id: id.clone(),
            function: function.clone(),
            version: *version,
            status,
            total,
            queued: if is_final { 0 } else { left - running },
            running: if is_final { 0 } else { running },
            succeeded,
            failed,
            kinds,
            per_second,
            eta_seconds: per_second.filter(|rate| !is_final && *rate > 0.0).map(|rate| left as f64 / rate),
            submitted_at: *submitted_at,
            finished_at,
        }
    }

    /// Items a second, from the first chunk's begin to the last one's end.
    fn mean_rate(&self, ended: u64) -> Option<f64> {
        let took = self.begun_at?.until(self.stored_at?);
        (ended > 0).then(|| ended as f64 / took.as_secs_f64().max(0.001))
    }

    /// Items a second lately.
    fn recent_rate(&self, now: Timestamp) -> Option<f64> {
        let items: u64 =
            self.recent.iter().filter(|(at, _)| at.until(now) <= RECENT).map(|(_, items)| items).sum();
        let since = self.begun_at?.until(now).min(RECENT);
        (items > 0).then(|| items as f64 / since.as_secs_f64().max(0.001))
    }
}

#[cfg(test)]
mod tests {
    use badlambda_shared::function::name::FunctionName;
    use badlambda_shared::map::MapId;

    use super::*;

    fn manifest() -> Manifest {
        let function: FunctionName = "hello".parse().unwrap();
        Manifest {
            id: MapId::issue(&function),
            function,
            version: 1,
            revision: "0123456789abcdef".repeat(4).parse().unwrap(),
            submitted_at: Timestamp::now(),
            chunks: vec![10, 10, 5],
        }
    }

    fn head(succeeded: u32, exceptions: u32, is_closed: bool, is_last: bool) -> PartHead {
        let failed =
            [(ErrorKind::Exception, exceptions)].into_iter().filter(|(_, count)| *count > 0).collect();
        PartHead { succeeded, failed, is_closed, is_last, ..PartHead::begin() }
    }

    #[test]
    fn items_are_counted_once_however_often_a_part_is_seen() {
        let manifest = manifest();
        let mut counts = Counts::of(&manifest);
        let map = counts.map(&manifest, None);
        assert_eq!((map.status, map.total, map.queued, map.per_second), (MapStatus::Queued, 25, 25, None));
        counts.note((1, 0), head(0, 0, false, false));
        let map = counts.map(&manifest, None);
        assert_eq!((map.status, map.queued, map.running), (MapStatus::Running, 15, 10));
        counts.note((1, 0), head(3, 1, false, false));
        counts.note((1, 0), head(4, 1, true, false));
        counts.note((1, 0), head(4, 1, true, false));
        counts.note((1, 1), head(2, 0, false, false));
        let map = counts.map(&manifest, None);
        assert_eq!((map.succeeded, map.failed, map.running, map.queued), (6, 1, 3, 15));
        assert!(map.per_second.unwrap() > 0.0 && map.eta_seconds.unwrap() > 0.0);
        assert_eq!(counts.list_after(), None);
        for (part, head) in [((1, 1), head(5, 0, true, true)), ((0, 0), head(10, 0, true, true))] {
            counts.note(part, head.clone());
            counts.note(part, head);
        }
        assert_eq!(counts.list_after().map(|(chunk, _)| chunk), Some(1));
        assert!(counts.begun.is_empty());
        counts.note((2, 0), head(0, 5, true, true));
        let map = counts.map(&manifest, None);
        assert_eq!((map.status, map.succeeded, map.failed), (MapStatus::Finished, 19, 6));
        assert_eq!((map.kinds[&ErrorKind::Exception], map.eta_seconds), (6, None));
        assert!(map.finished_at.is_some() && counts.is_complete());
    }

    #[test]
    fn what_is_cancelled_has_nothing_left_to_do_and_what_is_finished_stays_so() {
        let manifest = manifest();
        let mut counts = Counts::of(&manifest);
        counts.note((0, 0), head(2, 0, false, false));
        let cancelled = Some(Cancelled { cancelled_at: Timestamp::now() });
        let map = counts.map(&manifest, cancelled);
        assert_eq!((map.status, map.queued, map.running, map.succeeded), (MapStatus::Cancelled, 0, 0, 2));
        for (chunk, items) in [(0, 10), (1, 10), (2, 5)] {
            counts.note((chunk, 0), head(items, 0, true, true));
        }
        assert_eq!(counts.map(&manifest, cancelled).status, MapStatus::Finished);
    }
}
