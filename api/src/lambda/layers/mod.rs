//! Layers: their versions, each published once and never changed, and which of them a function runs with.

mod choose;
mod delete;
mod get;
mod list;
mod names;
mod permissions;
mod publish;
mod runtimes;
mod shown;
mod stored;

pub(super) use self::choose::{check_arns, choose};
pub(super) use self::delete::delete;
pub(super) use self::get::get;
pub(super) use self::list::{list_or_get_by_arn, list_versions};
pub(super) use self::permissions::refuse as refuse_permissions;
pub(super) use self::publish::publish;
pub(super) use self::stored::zipped_bytes;
