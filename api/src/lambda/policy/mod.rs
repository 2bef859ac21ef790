//! Resource policies of functions, versions and aliases. Their statements are kept and shown; who may do what, tokens
//! decide.

mod routes;
mod statement;

pub(super) use self::routes::{add, get, remove};
