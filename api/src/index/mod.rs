//! Reading the index of executions: the newest first, and no more of it than a list needs.
//!
//! [`Index::find`] goes back hour by hour (`hours`), and through the segments of an hour (`hour`), and takes what a
//! [`Filter`] lets pass. [`Index::visit`] adds up what ended lately. [`Index`] remembers segments, which never change, and for moments what there is of them.

mod filter;
mod hour;
mod hours;
mod visit;

use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_shared::aws::store::{Store, StoreError};
use badlambda_shared::execution::Status;
use badlambda_shared::index::running::{self, Workers};
use badlambda_shared::index::{Hour, Line, Segment, SegmentName};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use moka::future::Cache;

pub(crate) use self::filter::{Filter, Position};
use self::hour::HourReader;
use self::hours::Hours;

/// How long a list of segments counts as new: so many consoles cost one, and what ended shows up at once.
const FRESH: Duration = Duration::from_secs(1);
/// The same for hours that are over, in which little is listed any more.
const FRESH_PAST: Duration = Duration::from_secs(60);
/// From here on an hour is over for that.
const PAST_HOURS: i64 = 2;
/// Clocks of workers may be ahead by this.
const CLOCKS_DIFFER_MS: i64 = 5 * 60 * 1000;
/// Pages of segments' names that are remembered.
const NAME_PAGES: u64 = 2_000;
/// How many hours are read ahead of one that had too little.
const HOURS_AHEAD: usize = 2;
/// How many segments of each.
const SEGMENTS_AHEAD: usize = 4;

/// The index of a deployment, as this API has read it.
#[derive(Debug)]
pub(crate) struct Index {
    store: Store,
    segments: Cache<SegmentName, Arc<Segment>>,
    recent_names: Cache<PageKey, Arc<NamePage>>,
    past_names: Cache<PageKey, Arc<NamePage>>,
    /// What lies under a prefix, by the prefix.
    folders: Cache<String, Arc<Vec<String>>>,
    workers: Cache<(), Arc<Workers>>,
}

/// An hour, and the key after which the page begins.
type PageKey = (Hour, Option<String>);

/// Names of segments, the newest first.
#[derive(Debug)]
struct NamePage {
    names: Vec<SegmentName>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
}

/// Part of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
    /// Where the list goes on. A page that ends for lack of time may be short, or empty.
    pub(crate) next: Option<Position>,
}

impl Index {
    pub(crate) fn new(store: Store) -> Arc<Self> {
        let weigh = |_: &SegmentName, segment: &Arc<Segment>| {
            u32::try_from(segment.memory_bytes()).unwrap_or(u32::MAX).max(1024)
        };
        let names = |fresh| Cache::builder().max_capacity(NAME_PAGES).time_to_live(fresh).build();
        Arc::new(Self {
            store,
            segments: Cache::builder().max_capacity(limits::INDEX_CACHE_BYTES).weigher(weigh).build(),
            recent_names: names(FRESH),
            past_names: names(FRESH_PAST),
            folders: Cache::builder().max_capacity(NAME_PAGES).time_to_live(FRESH_PAST).build(),
            workers: Cache::builder().max_capacity(1).time_to_live(FRESH).build(),
        })
    }

    /// At most `most` executions that pass the filter, the newest first, from `from` on. On the first page, what runs
    /// stands before what ended.
    ///
    /// # Errors
    /// When S3 fails.
    pub(crate) async fn find(
        self: &Arc<Self>,
        filter: &Filter,
        from: Option<Position>,
        most: usize,
    ) -> Result<Page, Arc<StoreError>> {
        // What runs is read first: what ends meanwhile is then seen twice, and not never.
        let running = if from.is_none() { self.running(filter).await? } else { vec![] };
        let mut page = match filter.status {
            Some(Status::Running) => Page::default(),
            _ => self.ended(filter, from, most).await?,
        };
        let ended = |line: &Line| page.lines.iter().any(|other| other.id == line.id);
        let mut lines: Vec<Line> = running.into_iter().filter(|line| !ended(line)).collect();
        lines.append(&mut page.lines);
        Ok(Page { lines, ..page })
    }

    async fn running(&self, filter: &Filter) -> Result<Vec<Line>, Arc<StoreError>> {
        let workers = self.workers().await?;
        let mut lines: Vec<Line> =
            workers.lines.iter().filter(|line| filter.passes_line(line)).cloned().collect();
        lines.sort_by_cached_key(Line::sort_key);
        Ok(lines)
    }

    /// The workers that there are, as of a moment ago.
    pub(crate) async fn workers(&self) -> Result<Arc<Workers>, Arc<StoreError>> {
        let read = async { running::read(&self.store).await.map(Arc::new) };
        self.workers.try_get_with((), read).await
    }

    async fn ended(
        self: &Arc<Self>,
        filter: &Filter,
        from: Option<Position>,
        most: usize,
    ) -> Result<Page, Arc<StoreError>> {
        let deadline = Instant::now() + limits::LIST_TIME;
        let newest = Timestamp::now().unix_ms() + CLOCKS_DIFFER_MS;
        let until = filter.until_ms.map_or(newest, |until| until.min(newest));
        let from = from.unwrap_or(Position { before_ms: until, after_id: None });
        let mut hours = Hours::from(self, Hour::of(from.before_ms - 1).min(Hour::of(until)));
        let mut page = Page::default();
        let mut is_first = true;
        while let Some(hour) = hours.next(filter.since_ms).await? {
            if !std::mem::take(&mut is_first) {
                self.read_ahead(hours.ahead(HOURS_AHEAD));
            }
            let mut reader = HourReader::begin(self, hour, filter, &from, deadline);
            while page.lines.len() < most
                && let Some(line) = reader.next(most - page.lines.len()).await?
            {
                page.lines.push(line);
            }
            if page.lines.len() >= most {
                page.next = page.lines.last().map(Position::behind);
                return Ok(page);
            }
            if Instant::now() >= deadline {
                page.next = Some(reader.position(page.lines.last()));
                return Ok(page);
            }
        }
        Ok(page)
    }

    /// Reads hours into memory while others are looked through.
    fn read_ahead(self: &Arc<Self>, hours: Vec<Hour>) {
        for hour in hours {
            let index = Arc::clone(self);
            tokio::spawn(async move {
                let Ok(page) = index.names(hour, None).await else { return };
                for name in page.names.iter().take(SEGMENTS_AHEAD) {
                    // Whoever needs it reads it again, and tells of the failure.
                    let _ = index.segment(name).await;
                }
            });
        }
    }

    /// A page of the names of an hour's segments.
    async fn names(&self, hour: Hour, after: Option<&str>) -> Result<Arc<NamePage>, Arc<StoreError>> {
        let is_past = Hour::now().before(PAST_HOURS) >= hour;
        let cache = if is_past { &self.past_names } else { &self.recent_names };
        let read = async {
            let folder = self.store.keys().index_hour(hour);
            let found = self.store.list(&folder, after, limits::LISTED_KEYS).await?;
            let names = found.keys.iter().filter_map(|key| self.store.keys().segment_of(key)).collect();
            Ok::<_, StoreError>(Arc::new(NamePage { names, next: found.next }))
        };
        cache.try_get_with((hour, after.map(str::to_owned)), read).await
    }

    /// A segment; an empty one where it is gone, or can't be read.
    async fn segment(&self, name: &SegmentName) -> Result<Arc<Segment>, Arc<StoreError>> {
        let read = async {
            let key = self.store.keys().segment(name);
            let Some(object) = self.store.get(&key, limits::MAX_SEGMENT_BYTES).await? else {
                // It was compacted. The lists of names that have it are about to be read again.
                self.recent_names.invalidate_all();
                self.past_names.invalidate_all();
                return Ok::<_, StoreError>(Arc::default());
            };
            let parsed = tokio::task::spawn_blocking(move || Segment::parse(&object.bytes)).await;
            Ok(match parsed {
                Ok(Ok(segment)) => Arc::new(segment),
                Ok(Err(error)) => {
                    tracing::error!(key, %error, "a segment of the index can't be read");
                    Arc::default()
                }
                Err(error) => {
                    tracing::error!(key, %error, "reading a segment of the index panicked");
                    Arc::default()
                }
            })
        };
        self.segments.try_get_with(name.clone(), read).await
    }

    /// The folders directly under a prefix.
    async fn folders(&self, prefix: String) -> Result<Arc<Vec<String>>, Arc<StoreError>> {
        let read = async {
            let listing = self.store.list_all(&prefix).await?;
            Ok::<_, StoreError>(Arc::new(listing.prefixes))
        };
        self.folders.try_get_with(prefix.clone(), read).await
    }
}
