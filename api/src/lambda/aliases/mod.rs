//! Aliases: movable names for versions. What a request says of one is read by `request`, `show` shows one.

mod change;
mod list;
mod request;
mod show;

pub(super) use self::change::{create, delete, update};
pub(super) use self::list::list;
pub(super) use self::show::get;
