//! Functions as a whole: create, show, list, change, delete. All of them are about `$LATEST`, which no version numbers
//! until it is published.

mod code;
mod configuration;
mod create;
mod delete;
mod environment;
mod find;
mod get;
mod latest;
mod list;
mod logging;
mod request;
mod runtime;
mod update;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::Refusal;

pub(super) use self::code::{ZipSource, checked_zip};
pub(super) use self::configuration::{Shown, configuration, written};
pub(super) use self::create::{MOST_BYTES, create};
pub(super) use self::delete::delete;
pub(super) use self::find::{Found, find, version_of};
pub(super) use self::get::{get, get_configuration};
pub(super) use self::latest::{Latest, id_of, is_numbered, new_change, revision_id, with_lambda};
pub(super) use self::list::list;
pub(super) use self::update::{latest_alone, unqualified_only, update_code, update_configuration};

/// Takes these members, or, of none, all that are left, out of a request's body.
fn take_members<T: DeserializeOwned>(body: &mut Value, names: &[&str]) -> Result<T, Refusal> {
    let Value::Object(members) = body else {
        return Err(Refusal::unreadable("it is not an object"));
    };
    let taken = match names {
        [] => std::mem::take(members),
        names => names.iter().filter_map(|name| members.remove_entry(*name)).collect(),
    };
    serde_json::from_value(Value::Object(taken)).map_err(Refusal::unreadable)
}
