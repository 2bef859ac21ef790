//! How asynchronous invocations of a function, a version or an alias are dealt with. It is kept and shown. A `request` says
//! what is to hold, `routes` has the operations.

mod request;
mod routes;

pub(super) use self::routes::{delete, get, list, put, update};
