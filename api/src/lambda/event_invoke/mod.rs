//! How asynchronous invocations of a function, a version or an alias are dealt with. Calls take it along to the worker. A `request` says
//! what is to hold, `routes` has the operations.

mod request;
mod routes;

pub(super) use self::routes::{config_for, delete, get, list, put, update};
