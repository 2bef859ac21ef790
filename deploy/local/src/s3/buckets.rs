//! Buckets.

use rusqlite::{Connection, OptionalExtension};
use s3s::dto::Bucket;
use s3s::{S3Result, s3_error};

use super::timestamp;
use crate::database::DatabaseError;
use crate::now_ms;

/// The number of a bucket, under which its objects are kept.
pub(crate) fn find(connection: &Connection, name: &str) -> S3Result<i64> {
    let sql = "SELECT id FROM buckets WHERE name = ?";
    let found = connection.prepare_cached(sql).and_then(|mut find| {
        let id = find.query_row([name], |row| row.get(0));
        id.optional()
    });
    found.map_err(DatabaseError::from)?.ok_or_else(|| s3_error!(NoSuchBucket))
}

/// Makes a bucket; returns whether it was not there before.
pub(crate) fn create(connection: &Connection, name: &str) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO buckets (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING";
    Ok(connection.execute(sql, (name, now_ms()))? > 0)
}

/// All buckets, by name.
pub(crate) fn list(connection: &Connection) -> Result<Vec<Bucket>, DatabaseError> {
    let mut list = connection.prepare_cached("SELECT name, created_at FROM buckets ORDER BY name")?;
    let buckets = list.query_map([], |row| {
        let (name, created_at) = (row.get(0)?, timestamp(row.get(1)?));
        Ok(Bucket { name: Some(name), creation_date: Some(created_at), ..Bucket::default() })
    })?;
    Ok(buckets.collect::<Result<_, _>>()?)
}
