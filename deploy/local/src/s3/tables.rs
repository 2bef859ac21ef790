//! The tables, and how files of older versions become files of this one.

/// Each step takes the file from one version to the next. Steps are only ever added.
///
/// Keys are bytes, so that they are listed in the order that S3 has. `headers` is what an object's reader is told of it,
/// as JSON.
pub(crate) const STEPS: [&str; 1] = ["CREATE TABLE buckets (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL
    );
    CREATE TABLE objects (
        id INTEGER PRIMARY KEY,
        bucket INTEGER NOT NULL,
        key BLOB NOT NULL,
        etag TEXT NOT NULL,
        modified_at INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        headers TEXT NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX by_key ON objects (bucket, key);"];
