//! Objects, one key at a time.

use md5::{Digest, Md5};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use s3s::dto::{ETag, ETagCondition, PutObjectInput};
use s3s::{S3Result, s3_error};

use super::buckets;
use super::conditions::check_write;
use super::headers::Headers;
use crate::database::DatabaseError;
use crate::now_ms;

/// S3's longest key.
const MOST_KEY_BYTES: usize = 1024;

/// An object without its bucket and key.
pub(crate) struct Object {
    pub(crate) etag: ETag,
    /// Milliseconds since 1970.
    pub(crate) modified_at: i64,
    pub(crate) bytes: i64,
    pub(crate) headers: Headers,
    /// `None` where it is larger than was asked for.
    pub(crate) body: Option<Vec<u8>>,
}

/// An object that is to be written.
pub(crate) struct NewObject {
    bucket: String,
    key: String,
    etag: String,
    headers: String,
    body: Vec<u8>,
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
}

const FIND: &str = "SELECT etag, modified_at, bytes, headers, CASE WHEN bytes <= ?3 THEN body END \
    FROM objects WHERE bucket = ?1 AND key = ?2";
const PUT: &str = "INSERT INTO objects (bucket, key, etag, modified_at, bytes, headers, body) \
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET etag = excluded.etag, \
    modified_at = excluded.modified_at, bytes = excluded.bytes, headers = excluded.headers, body = excluded.body";

/// The object with this key; with its body if that has at most `most_bytes`.
pub(crate) fn find(connection: &Connection, bucket: &str, key: &str, most_bytes: i64) -> S3Result<Object> {
    let bucket = buckets::find(connection, bucket)?;
    let found = connection.prepare_cached(FIND).and_then(|mut find| {
        let object = find.query_row((bucket, key.as_bytes(), most_bytes), read);
        object.optional()
    });
    found.map_err(DatabaseError::from)?.ok_or_else(|| s3_error!(NoSuchKey))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Object> {
    let headers: String = row.get(3)?;
    Ok(Object {
        etag: ETag::Strong(row.get(0)?),
        modified_at: row.get(1)?,
        bytes: row.get(2)?,
        headers: serde_json::from_str(&headers).unwrap_or_default(),
        body: row.get(4)?,
    })
}

impl NewObject {
    pub(crate) fn new(mut input: PutObjectInput, body: Vec<u8>) -> S3Result<Self> {
        check_key(&input.key)?;
        let headers = serde_json::to_string(&Headers::take_from(&mut input))
            .map_err(|error| s3_error!(error, InternalError))?;
        Ok(Self {
            bucket: input.bucket,
            key: input.key,
            etag: hex::encode(Md5::digest(&body)),
            headers,
            body,
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        })
    }

    /// Writes it if its conditions hold; returns its ETag.
    pub(crate) fn put(self, transaction: &Transaction<'_>) -> S3Result<ETag> {
        let bucket = buckets::find(transaction, &self.bucket)?;
        if self.if_match.is_some() || self.if_none_match.is_some() {
            let now = find_etag(transaction, bucket, &self.key)?;
            check_write(now.as_ref(), self.if_match.as_ref(), self.if_none_match.as_ref())?;
        }
        let (key, bytes) = (self.key.as_bytes(), self.body.len() as i64);
        let put = transaction.prepare_cached(PUT).and_then(|mut put| {
            put.execute((bucket, key, &self.etag, now_ms(), bytes, &self.headers, &self.body))
        });
        put.map_err(DatabaseError::from)?;
        Ok(ETag::Strong(self.etag))
    }
}

/// Deletes an object, if there is one.
pub(crate) fn delete(
    transaction: &Transaction<'_>,
    bucket: i64,
    key: &str,
    if_match: Option<&ETagCondition>,
) -> S3Result<()> {
    check_key(key)?;
    if if_match.is_some() {
        check_write(find_etag(transaction, bucket, key)?.as_ref(), if_match, None)?;
    }
    let sql = "DELETE FROM objects WHERE bucket = ? AND key = ?";
    let delete =
        transaction.prepare_cached(sql).and_then(|mut delete| delete.execute((bucket, key.as_bytes())));
    delete.map_err(DatabaseError::from)?;
    Ok(())
}

fn find_etag(connection: &Connection, bucket: i64, key: &str) -> Result<Option<ETag>, DatabaseError> {
    let mut find = connection.prepare_cached("SELECT etag FROM objects WHERE bucket = ? AND key = ?")?;
    Ok(find.query_row((bucket, key.as_bytes()), |row| Ok(ETag::Strong(row.get(0)?))).optional()?)
}

fn check_key(key: &str) -> S3Result<()> {
    if key.len() > MOST_KEY_BYTES {
        return Err(s3_error!(KeyTooLongError, "a key has at most 1024 bytes"));
    }
    Ok(())
}
