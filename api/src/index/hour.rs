//! One hour of the index: the rows of all its segments in one order, read no further than needed.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use badlambda_shared::aws::store::StoreError;
use badlambda_shared::index::{Hour, Line, Segment, SegmentName, SortKey};
use badlambda_shared::limits;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::index::{Filter, Index, Position};

/// Reads one hour.
pub(super) struct HourReader<'a> {
    index: &'a Index,
    hour: Hour,
    filter: &'a Filter,
    from: &'a Position,
    /// When it gives up.
    deadline: Instant,
    /// Segments that are not opened yet, the newest first.
    unopened: VecDeque<SegmentName>,
    /// Where the next page of their names begins; `None` where there is none.
    next_page: Option<Option<String>>,
    /// Segments that were opened, by their next row.
    opened: BinaryHeap<Opened>,
    /// What was returned last.
    last: Option<Line>,
}

/// An opened segment with a row to come.
struct Opened {
    segment: Arc<Segment>,
    next: usize,
}

impl<'a> HourReader<'a> {
    pub(super) fn begin(
        index: &'a Index,
        hour: Hour,
        filter: &'a Filter,
        from: &'a Position,
        deadline: Instant,
    ) -> Self {
        let (unopened, opened) = (VecDeque::new(), BinaryHeap::new());
        Self { index, hour, filter, from, deadline, unopened, next_page: Some(None), opened, last: None }
    }

    /// The next line that passes, unless the time is up. `wanted` is how many more its caller will ask for.
    pub(super) async fn next(&mut self, wanted: usize) -> Result<Option<Line>, Arc<StoreError>> {
        while Instant::now() < self.deadline {
            if self.unopened.is_empty()
                && let Some(after) = self.next_page.take()
            {
                let page = self.index.names(self.hour, after.as_deref()).await?;
                self.next_page = page.next.clone().map(Some);
                let is_needed = |name: &&SegmentName| {
                    name.oldest_ms < self.from.before_ms
                        && self.filter.since_ms.is_none_or(|since| name.newest_ms >= since)
                        && self.filter.until_ms.is_none_or(|until| name.oldest_ms < until)
                };
                self.unopened.extend(page.names.iter().filter(is_needed).cloned());
                continue;
            }
            let newest_unopened = self.unopened.front().map(|name| name.newest_ms);
            match (self.opened.peek(), newest_unopened) {
                (None, None) => return Ok(None),
                (Some(opened), newest) if newest.is_none_or(|newest| newest < opened.at_ms()) => {
                    if let Some(line) = self.take() {
                        return Ok(Some(line));
                    }
                }
                _ => self.open(wanted).await?,
            }
        }
        Ok(None)
    }

    /// Where the list goes on, behind `last` and before whatever this hour still has.
    pub(super) fn position(&self, last: Option<&Line>) -> Position {
        let opened = self.opened.peek().map(Opened::at_ms);
        let unopened = self.unopened.front().map(|name| name.newest_ms);
        // Names that were not read yet are older than the last one that was.
        let unread = self.next_page.as_ref().map(|after| {
            let last = after.as_ref().and_then(|key| self.index.store.keys().segment_of(key));
            last.map_or(self.hour.ends_at_ms(), |name| name.newest_ms)
        });
        match (opened.max(unopened).max(unread), last) {
            (Some(newest), Some(last)) if newest >= last.at_ms => Position::behind(last),
            (Some(newest), _) => Position { before_ms: newest + 1, after_id: None },
            (None, _) => Position { before_ms: self.hour.begins_at_ms(), after_id: None },
        }
    }

    /// Opens the newest segments: as many as may have the lines that are wanted, and at most as many as are read at once.
    async fn open(&mut self, wanted: usize) -> Result<(), Arc<StoreError>> {
        let (mut names, mut lines) = (vec![], 0);
        while names.len() < limits::READS_AT_ONCE
            && lines < wanted
            && let Some(name) = self.unopened.pop_front()
        {
            lines += name.lines;
            names.push(name);
        }
        let index = self.index;
        let segments: Vec<Arc<Segment>> = stream::iter(names)
            .map(|name| async move { index.segment(&name).await })
            .buffered(limits::READS_AT_ONCE)
            .try_collect()
            .await?;
        for segment in segments {
            let start = segment.rows().partition_point(|row| !self.from.is_before(segment.sort_key(row)));
            self.put_back(segment, start);
        }
        Ok(())
    }

    /// Takes the next row of all that are opened; `None` if it was returned before.
    fn take(&mut self) -> Option<Line> {
        let Opened { segment, next } = self.opened.pop()?;
        let line = segment.line(&segment.rows()[next])?;
        self.put_back(segment, next + 1);
        let is_last = |last: &Line| last.at_ms == line.at_ms && last.id == line.id;
        if self.last.as_ref().is_some_and(is_last) {
            return None;
        }
        self.last = Some(line.clone());
        Some(line)
    }

    /// Keeps a segment open, if it has a row that passes at `start` or behind.
    fn put_back(&mut self, segment: Arc<Segment>, start: usize) {
        let filter = self.filter.of_segment(&segment);
        let passing = segment.rows()[start..].iter().position(|row| filter.passes(row));
        if let Some(passing) = passing {
            self.opened.push(Opened { segment, next: start + passing });
        }
    }
}

impl Opened {
    fn at_ms(&self) -> i64 {
        self.segment.rows()[self.next].at_ms
    }

    fn sort_key(&self) -> SortKey<'_> {
        self.segment.sort_key(&self.segment.rows()[self.next])
    }
}

/// The greatest is the one whose row comes first in a list.
impl Ord for Opened {
    fn cmp(&self, other: &Self) -> Ordering {
        other.sort_key().cmp(&self.sort_key())
    }
}

impl PartialOrd for Opened {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Opened {}
