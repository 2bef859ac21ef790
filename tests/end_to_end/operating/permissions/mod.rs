//! The permissions are the least that the programs need: one table of every call to AWS, held against the source,
//! against what is really asked, and against what the template's roles grant.

mod asked;
mod granted;
mod source;
mod table;
