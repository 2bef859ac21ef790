//! Versions: PublishVersion and ListVersionsByFunction.

mod list;
mod publish;

pub(super) use self::list::list;
pub(super) use self::publish::{publish, publish_latest};
