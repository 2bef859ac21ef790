//! Maps: one function over up to a million inputs.
//!
//! `create` takes one on: `inputs` cuts its body into lines, and `upload` stores them chunk by chunk. Once all are there, the
//! manifest is stored, and `send` puts a message for each chunk on the queue. Workers store what comes of the chunks.
//! `progress` looks at that, `counts` adds it up, `show` tells it, `list` finds maps, `results` streams it, and `cancel` ends a map.

pub(crate) mod cancel;
mod counts;
pub(crate) mod create;
mod inputs;
pub(crate) mod list;
mod progress;
pub(crate) mod results;
mod send;
pub(crate) mod show;
mod upload;

pub(crate) use self::progress::Maps;
