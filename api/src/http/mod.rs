//! What every handler uses: who may ask, what is read of a request, and how it is answered.

pub(crate) mod access;
pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod conditions;
pub(crate) mod error;
pub(crate) mod guarded_body;
pub(crate) mod json;
pub(crate) mod measure;
mod pace;
pub(crate) mod page;
pub(crate) mod part;
pub(crate) mod prefer;
pub(crate) mod problem;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod routes;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod trace;
