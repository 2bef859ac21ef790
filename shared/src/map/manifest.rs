//! What is stored of a map as a whole.

use serde::{Deserialize, Serialize};

use super::MapId;
use crate::function::name::{FunctionName, Revision};
use crate::timestamp::Timestamp;

/// A map's manifest, `map.json`. It is written once all inputs are stored, and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its id.
    pub id: MapId,
    /// The function.
    pub function: FunctionName,
    /// The version that is run; 0 where the revision has none.
    pub version: u32,
    /// The revision that is run.
    pub revision: Revision,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// How many inputs each chunk has.
    pub chunks: Vec<u32>,
}

/// That a map is cancelled: `cancelled.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Since when.
    pub cancelled_at: Timestamp,
}

impl Manifest {
    /// How many inputs there are.
    pub fn total(&self) -> u64 {
        self.chunks.iter().map(|items| u64::from(*items)).sum()
    }

    /// Each chunk: its number, the index of its first input, and how many it has.
    pub fn places(&self) -> impl Iterator<Item = (u32, u64, u32)> {
        (0..).zip(&self.chunks).scan(0, |next, (chunk, items)| {
            let first = *next;
            *next += u64::from(*items);
            Some((chunk, first, *items))
        })
    }

    /// The chunk that holds the input at `index`, and the index of its first one; `None` where there is no such input.
    pub fn chunk_of(&self, index: u64) -> Option<(u32, u64)> {
        let holds = |(_, first, items): &(u32, u64, u32)| index < first + u64::from(*items);
        self.places().find(holds).map(|(chunk, first, _)| (chunk, first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_found_in_its_chunk() {
        let function: FunctionName = "hello".parse().unwrap();
        let manifest = Manifest {
            id: MapId::issue(&function),
            function,
            version: 1,
            revision: "0123456789abcdef".repeat(4).parse().unwrap(),
            submitted_at: Timestamp::now(),
            chunks: vec![2, 1, 3],
        };
        assert_eq!(manifest.total(), 6);
        let places = (0..7).map(|index| manifest.chunk_of(index));
        let expected =
            [Some((0, 0)), Some((0, 0)), Some((1, 2)), Some((2, 3)), Some((2, 3)), Some((2, 3)), None];
        assert!(places.eq(expected));
    }
}
