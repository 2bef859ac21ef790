//! What is stored of a chunk's results: lines of JSON, the first of which is the part's head, and each other what came of
//! one item, in the order of their indices.
//!
//! A chunk has one part, unless its results are large: then the first one is closed, and another follows. A part that is
//! not closed is replaced by one with the same lines and more, on condition that nobody else has replaced it meanwhile. So
//! an item's line, once it is there, never changes, and no item has two.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::execution::ErrorKind;
use crate::timestamp::Timestamp;

/// The head of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHead {
    /// Whether this part will not change any more.
    pub is_closed: bool,
    /// Whether the chunk has a result for each of its items, with this part and those before it.
    pub is_last: bool,
    /// Items in this part that returned a result.
    pub succeeded: u32,
    /// Items in this part that failed, by the kind of their errors.
    pub failed: BTreeMap<ErrorKind, u32>,
    /// When a worker began with the chunk, or with this part.
    pub begun_at: Timestamp,
    /// When this was stored.
    pub stored_at: Timestamp,
}

/// A part that was read.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its head.
    pub head: PartHead,
    /// Each line, without its end, by the index of its item.
    pub lines: Vec<(u64, Bytes)>,
}

/// The object is no part of a chunk's results.
#[derive(Debug, thiserror::Error)]
#[error("it is no part of a chunk's results: {0}")]
pub struct PartError(#[from] serde_json::Error);

impl PartHead {
    /// The longest head, in bytes: with a count for each kind.
    pub const MAX_BYTES: u64 = 2048;

    /// The head of a part without lines.
    pub fn begin() -> Self {
        let now = Timestamp::now();
        let failed = BTreeMap::new();
        Self { is_closed: false, is_last: false, succeeded: 0, failed, begun_at: now, stored_at: now }
    }

    /// Reads the head from the beginning of a part.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, PartError> {
        Ok(serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default())?)
    }

    /// How many items it counts.
    pub fn items(&self) -> u64 {
        u64::from(self.succeeded) + self.failed.values().map(|count| u64::from(*count)).sum::<u64>()
    }

    /// Counts one more item.
    pub fn count(&mut self, error: Option<ErrorKind>) {
        let count = match error {
            None => &mut self.succeeded,
            Some(kind) => self.failed.entry(kind).or_default(),
        };
        *count = count.saturating_add(1);
    }
}

impl Part {
    /// The largest part that is read, in bytes: a worker closes one at 8 MiB, and the last result may come on top, of 32 MiB
    /// at most.
    pub const MAX_BYTES: u64 = 64 << 20;

    /// Reads a part.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(bytes: &Bytes) -> Result<Self, PartError> {
        #[derive(Deserialize)]
        struct Indexed {
            index: u64,
        }
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let head = PartHead::read(lines.next().unwrap_or_default())?;
        let indexed = |line: &[u8]| {
            let Indexed { index } = serde_json::from_slice(line)?;
            Ok((index, bytes.slice_ref(line)))
        };
        let lines = lines.map(indexed).collect::<Result<_, serde_json::Error>>()?;
        Ok(Self { head, lines })
    }

    /// The part as it is stored: `lines` have no end of their own.
    ///
    /// # Errors
    /// When the head can't be written, which never happens.
    pub fn write<'a>(head: &PartHead, lines: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, PartError> {
        let mut bytes = serde_json::to_vec(head)?;
        bytes.push(b'\n');
        for line in lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let mut head = PartHead::begin();
        for error in [None, Some(ErrorKind::Exception), None, Some(ErrorKind::Exception)] {
            head.count(error);
        }
        assert_eq!((head.items(), head.succeeded, head.failed[&ErrorKind::Exception]), (4, 2, 2));
        let lines = [&br#"{"index":7,"result":1.50}"#[..], br#"{"index":9,"result":"\n"}"#];
        let bytes = Bytes::from(Part::write(&head, lines.into_iter()).unwrap());
        assert_eq!(PartHead::read(&bytes[..bytes.len().min(300)]).unwrap(), head);
        let part = Part::read(&bytes).unwrap();
        assert_eq!(part.head, head);
        assert!(
            part.lines.iter().map(|(index, line)| (*index, &line[..])).eq([(7, lines[0]), (9, lines[1])])
        );
        assert!(Part::read(&Bytes::from_static(b"{}")).is_err() && Part::read(&Bytes::new()).is_err());
    }

    #[test]
    fn the_longest_head_is_read_at_once() {
        let kinds = "exception syntax timeout memory scratch result_too_large result_not_json crash not_found \
                     bad_message worker_lost expired";
        let kind = |name| serde_json::from_value(serde_json::Value::from(name)).unwrap();
        let failed = kinds.split(' ').map(|name| (kind(name), u32::MAX)).collect();
        let head = PartHead { succeeded: u32::MAX, failed, ..PartHead::begin() };
        assert!(serde_json::to_vec(&head).unwrap().len() < PartHead::MAX_BYTES as usize);
    }
}
