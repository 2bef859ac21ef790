//! Event source mappings of the deployment's own queue. A `request` says what is to hold, `stored` is what does, and
//! `routes` has the operations.

mod request;
mod routes;
mod stored;

pub(super) use self::routes::{create, delete, get, list, update};
