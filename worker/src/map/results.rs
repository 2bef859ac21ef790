//! What is stored of a chunk's results, part by part (see `badlambda_shared::map`).
//!
//! To store an empty first part on condition that there is none is also the look whether somebody has begun with the chunk
//! before. Each later write is on condition that the part is as this worker knows it. Where it is not, another worker has
//! the chunk, too: its lines come first, and this one goes on with the rest.

use std::collections::BTreeMap;

use badlambda_shared::aws::store::{Condition, NDJSON, Store, StoreError, Written};
use badlambda_shared::execution::ErrorKind;
use badlambda_shared::map::{ChunkRequest, ItemStatus, MapItem, Part, PartError, PartHead};
use badlambda_shared::timestamp::Timestamp;
use bytes::Bytes;

use crate::steps::retry::{RetryError, retry_until};

/// From this size on a part is closed: a worker holds its chunks' open parts in memory.
const PART_BYTES: usize = 8 << 20;

/// The results of a chunk: those that are stored, and those that are to be.
#[derive(Debug)]
pub(super) struct Results {
    store: Store,
    request: ChunkRequest,
    /// The number of the part that is open, and its ETag, if it is stored.
    part: u32,
    etag: Option<String>,
    head: PartHead,
    stored: BTreeMap<u64, Bytes>,
    stored_bytes: usize,
    /// What is not stored yet.
    news: BTreeMap<u64, News>,
    news_bytes: usize,
    /// For each item whether it has ended.
    ended: Vec<bool>,
    left: u32,
}

#[derive(Debug)]
struct News {
    line: Bytes,
    error: Option<ErrorKind>,
}

/// What is stored of the open part after a write, with its ETag.
enum Found {
    /// All that this worker knows.
    Own(PartHead, String),
    /// What another worker wrote.
    Theirs(Part, String),
    /// Nothing any more.
    Nothing,
}

/// The results can't be stored or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResultsError {
    /// S3 fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored can't be read.
    #[error(transparent)]
    Part(#[from] PartError),
    /// The part keeps changing between two calls.
    #[error("the results of a chunk keep changing")]
    Contended,
}

impl ResultsError {
    /// Whether the same may work later.
    pub(super) fn may_pass(&self) -> bool {
        !matches!(self, Self::Part(_))
    }
}

impl Results {
    /// The results of this chunk. Nothing is read or written yet.
    pub(super) fn of(store: Store, request: &ChunkRequest) -> Self {
        Self {
            store,
            request: request.clone(),
            part: 0,
            etag: None,
            head: PartHead::begin(),
            stored: BTreeMap::new(),
            stored_bytes: 0,
            news: BTreeMap::new(),
            news_bytes: 0,
            ended: vec![false; request.items as usize],
            left: request.items,
        }
    }

    /// Finds the results that there are. The first worker that does so stores that it has begun.
    ///
    /// # Errors
    /// When S3 fails until `give_up` is ready, or what is there can't be read.
    pub(super) async fn begin<F: Future<Output = ()>>(
        &mut self,
        give_up: impl Fn() -> F,
    ) -> Result<(), RetryError<ResultsError>> {
        while self.etag.is_none() && self.left > 0 {
            self.write_until("begin with a chunk", give_up()).await?;
        }
        Ok(())
    }

    /// Whether all items have ended, and are stored.
    pub(super) fn is_complete(&self) -> bool {
        self.left == 0 && self.news.is_empty()
    }

    /// The places of items that have not ended.
    pub(super) fn open_places(&self) -> Vec<usize> {
        self.ended.iter().enumerate().filter(|(_, ended)| !**ended).map(|(place, _)| place).collect()
    }

    /// The index, among all inputs, of the item at this place of the chunk.
    pub(super) fn index_of(&self, place: usize) -> u64 {
        self.request.first + place as u64
    }

    /// Takes on what came of an item, unless that is known already. Returns the bytes that it takes.
    pub(super) fn add(&mut self, item: &MapItem) -> usize {
        // It is made of what was JSON before.
        let Ok(line) = serde_json::to_vec(item) else { return 0 };
        let bytes = line.len();
        let error = match item.status {
            ItemStatus::Succeeded => None,
            ItemStatus::Failed => item.error.as_ref().map(|error| error.kind),
        };
        if self.note_ended(item.index) {
            self.news.insert(item.index, News { line: line.into(), error });
            self.news_bytes += bytes;
        }
        bytes
    }

    /// Whether so much is not stored that it had better be.
    pub(super) fn is_large(&self) -> bool {
        self.news_bytes >= PART_BYTES
    }

    /// Stores what was added.
    ///
    /// # Errors
    /// When S3 fails until `give_up` is ready, or what another worker has stored can't be read.
    pub(super) async fn save<F: Future<Output = ()>>(
        &mut self,
        give_up: impl Fn() -> F,
    ) -> Result<(), RetryError<ResultsError>> {
        while !self.news.is_empty() {
            self.write_until("store a chunk's results", give_up()).await?;
        }
        Ok(())
    }

    async fn write_until(
        &mut self,
        what: &str,
        give_up: impl Future<Output = ()>,
    ) -> Result<(), RetryError<ResultsError>> {
        let known: &Self = self;
        let found = retry_until(what, give_up, ResultsError::may_pass, || known.write()).await?;
        match found {
            Found::Own(head, etag) => self.note_stored(head, etag),
            Found::Theirs(part, etag) => self.take_over(part, etag),
            Found::Nothing => self.etag = None,
        }
        Ok(())
    }

    /// Writes the open part with all that is to be in it, or, where another worker came first, reads what that wrote.
    async fn write(&self) -> Result<Found, ResultsError> {
        let mut head = PartHead { stored_at: Timestamp::now(), is_last: self.left == 0, ..self.head.clone() };
        self.news.values().for_each(|news| head.count(news.error));
        head.is_closed = head.is_last || self.stored_bytes + self.news_bytes >= PART_BYTES;
        let mut lines: BTreeMap<u64, &[u8]> =
            self.stored.iter().map(|(index, line)| (*index, &line[..])).collect();
        lines.extend(self.news.iter().map(|(index, news)| (*index, &news.line[..])));
        let bytes = Bytes::from(Part::write(&head, lines.into_values())?);
        let key = self.store.keys().map_part(&self.request.map, self.request.chunk, self.part);
        let condition = self.etag.as_deref().map_or(Condition::Absent, Condition::Unchanged);
        if let Written::Stored(etag) = self.store.put(&key, bytes.clone(), NDJSON, condition).await? {
            return Ok(Found::Own(head, etag));
        }
        match self.store.get(&key, Part::MAX_BYTES).await? {
            // A call that was repeated because its answer was lost is refused for what it wrote itself.
            Some(there) if there.bytes == bytes => Ok(Found::Own(head, there.etag)),
            Some(there) => Ok(Found::Theirs(Part::read(&there.bytes.into())?, there.etag)),
            // It was deleted.
            None if self.etag.is_some() => Ok(Found::Nothing),
            None => Err(ResultsError::Contended),
        }
    }

    /// All that was to be in the open part is.
    fn note_stored(&mut self, head: PartHead, etag: String) {
        let news = std::mem::take(&mut self.news);
        self.stored_bytes += std::mem::take(&mut self.news_bytes);
        self.stored.extend(news.into_iter().map(|(index, news)| (index, news.line)));
        self.go_on_from(head, etag);
    }

    /// The open part is as another worker wrote it.
    fn take_over(&mut self, there: Part, etag: String) {
        for (index, _) in &there.lines {
            self.note_ended(*index);
            if let Some(news) = self.news.remove(index) {
                self.news_bytes -= news.line.len();
            }
        }
        self.stored = there.lines.into_iter().collect();
        self.stored_bytes = self.stored.values().map(Bytes::len).sum();
        self.go_on_from(there.head, etag);
    }

    fn go_on_from(&mut self, head: PartHead, etag: String) {
        if head.is_closed && !head.is_last {
            self.part += 1;
            self.etag = None;
            self.head = PartHead::begin();
            self.stored.clear();
            self.stored_bytes = 0;
        } else {
            self.head = head;
            self.etag = Some(etag);
        }
    }

    /// Notes that the item has ended. False where that is known, or there is no such item.
    fn note_ended(&mut self, index: u64) -> bool {
        let place = index.checked_sub(self.request.first).and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.ended.get_mut(place)) {
            Some(ended) if !*ended => {
                *ended = true;
                self.left -= 1;
                true
            }
            _ => false,
        }
    }
}
