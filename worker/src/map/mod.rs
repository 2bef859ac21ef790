//! Chunks of maps. The way of a chunk, in the order of its steps:
//!
//! - `intake` takes its message: two chunks are run at once, and what comes beyond them is given back within a second.
//! - `open` reads what is run: code, inputs, and what results there are already.
//! - `items` runs each item in an execution process of its own, in slots that no execution waits for (`permits`).
//!   `schedule` says which item is next.
//! - `results` stores what comes of them: when the chunk is begun, every 5 s, and at its end.
//! - `cancelled` tells whether the map was cancelled.

mod cancelled;
mod chunk;
mod delivery;
mod inputs;
mod intake;
mod items;
mod permits;
mod results;
mod schedule;

pub(crate) use self::cancelled::Cancellations;
pub(crate) use self::chunk::ChunkSteps;
pub(crate) use self::delivery::{ChunkDelivery, ChunkSettlement};
pub(crate) use self::intake::Intake;
pub(crate) use self::items::ItemRunner;
