//! What this worker writes to the index: what ended, what runs, and the hours that it puts together.

mod compact;
mod running;
mod segments;

pub(crate) use self::compact::compact_hours;
pub(crate) use self::running::{Running, renew_running};
pub(crate) use self::segments::{IndexWriter, write_segments};
