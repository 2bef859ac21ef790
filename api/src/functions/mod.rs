//! Functions, their versions and aliases.

pub(crate) mod draft;
pub(crate) mod manifest;
pub(crate) mod publish;
pub(crate) mod routes;
pub mod syntax;
pub(crate) mod versions;
pub(crate) mod zip;
