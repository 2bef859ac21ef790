//! The bucket, as far as one execution goes: its record and its results.

/// Counts the writes of a record. Zero: there is none.
pub type Etag = u8;

/// The key of a result. Zero is the usual one; each other belongs to one attempt alone.
pub type Key = u8;

/// The usual key of a result.
pub const USUAL: Key = 0;

/// A set of keys, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Keys(u16);

/// The record of an execution. No record means that it is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Record {
    /// An attempt runs.
    Running,
    /// It has this result.
    Succeeded(Key),
    /// Its code failed, and is not tried again.
    Failed,
    /// The API has cancelled it.
    Cancelled,
    /// Too many attempts got lost.
    WorkerLost,
}

/// How far the API is with a cancellation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cancellation {
    /// Nobody has asked for it.
    #[default]
    NotAsked,
    /// The record is not final, and had this ETag.
    Looked(Etag),
    /// It is answered.
    Answered,
}

/// What is stored of an execution, and whether anything went wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Execution {
    /// The record.
    pub record: Option<Record>,
    /// Of the record.
    pub etag: Etag,
    /// The results.
    pub results: Keys,
    /// How many results were stored beside the usual one.
    pub beside: u8,
    /// A copy of the message is on the dead-letter queue.
    pub dead_lettered: bool,
    /// It is in the index.
    pub is_listed: bool,
    /// What the API does.
    pub cancellation: Cancellation,
    /// A final record was replaced, which must not happen.
    pub was_rewritten: bool,
}

impl Record {
    /// Whether it never changes.
    pub fn is_final(self) -> bool {
        self != Self::Running
    }

    /// The result that it names.
    pub fn result(self) -> Option<Key> {
        match self {
            Self::Succeeded(key) => Some(key),
            Self::Running | Self::Failed | Self::Cancelled | Self::WorkerLost => None,
        }
    }
}

impl Keys {
    /// Whether the key is in it.
    pub fn contains(self, key: Key) -> bool {
        self.0 & (1 << key) != 0
    }

    /// Adds a key.
    pub fn insert(&mut self, key: Key) {
        self.0 |= 1 << key;
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: Key) {
        self.0 &= !(1 << key);
    }

    /// Takes the lowest key out.
    pub fn pop(&mut self) -> Option<Key> {
        let key = (self.0 != 0).then(|| self.0.trailing_zeros() as Key)?;
        self.remove(key);
        Some(key)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Execution {
    /// Whether it has its final record.
    pub fn is_final(&self) -> bool {
        self.record.is_some_and(Record::is_final)
    }

    /// Writes a record if the present one is still the one with this ETag. True where it was written.
    pub fn write_if(&mut self, known: Etag, record: Record) -> bool {
        if self.etag != known {
            return false;
        }
        self.write(record);
        true
    }

    /// Writes a record without a condition.
    pub fn write(&mut self, record: Record) {
        self.was_rewritten |= self.is_final();
        self.record = Some(record);
        self.etag += 1;
    }

    /// Stores a result under the usual key, if nothing is there. What is there may have the same bytes, which is as
    /// good. Else the result goes beside it.
    pub fn store_result(&mut self, has_same_bytes: bool) -> Key {
        let key = if self.results.contains(USUAL) && !has_same_bytes {
            self.beside += 1;
            self.beside
        } else {
            USUAL
        };
        self.results.insert(key);
        key
    }

    /// The API's next call for a cancellation: first it looks at the record, then it writes the final one.
    pub fn cancel(&mut self) {
        if let Cancellation::Looked(known) = self.cancellation
            && self.write_if(known, Record::Cancelled)
        {
            self.cancellation = Cancellation::Answered;
            return;
        }
        // The first look, or the one after a refused write.
        self.cancellation =
            if self.is_final() { Cancellation::Answered } else { Cancellation::Looked(self.etag) };
    }
}
