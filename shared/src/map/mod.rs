//! Maps: one function over many inputs.
//!
//! The API cuts the inputs into chunks and stores each as an object. The [`Manifest`] says that all are there. Then it
//! sends a message for each chunk, a [`ChunkRequest`]. A worker runs the chunk's items, and stores what came of them as
//! [`Part`]s: usually one object for a chunk, written when the chunk is begun, each 5 s, and at its end. The API counts by
//! the parts' heads, and streams their lines as results.

mod id;
mod manifest;
mod message;
mod part;
mod shown;

pub use self::id::MapId;
pub use self::manifest::{Cancelled, Manifest};
pub use self::message::ChunkRequest;
pub use self::part::{Part, PartError, PartHead};
pub use self::shown::{ItemStatus, ListedMap, Map, MapItem, MapStatus};
