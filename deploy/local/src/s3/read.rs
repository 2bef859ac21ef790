//! What a GET and a HEAD answer.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{Body, S3Result, s3_error};

use super::conditions::check_read;
use super::objects::{self, Object};
use super::{Store, timestamp};

/// Larger bodies are read by a thread that may block.
const SMALL_BYTES: i64 = 256 * 1024;
const RANGES: &str = "bytes";

/// `GetObject`. What its URL says of the answer's headers goes before what the object's writer said.
pub(crate) async fn get(store: &Arc<Store>, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let mut object = find_small(store, &input.bucket, &input.key)?;
    check_read(&object.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    if object.body.is_none() {
        object = find_large(store.clone(), input.bucket, input.key).await?;
    }
    let mut body = bytes::Bytes::from(object.body.take().unwrap_or_default());
    let mut content_range = None;
    if let Some(range) = input.range {
        let part = range.check(body.len() as u64)?;
        content_range = Some(format!("bytes {}-{}/{}", part.start, part.end - 1, body.len()));
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(body.len());
        body = body.slice(within(part.start)..within(part.end));
    }
    let headers = &mut object.headers;
    Ok(GetObjectOutput {
        accept_ranges: Some(RANGES.to_owned()),
        content_length: i64::try_from(body.len()).ok(),
        body: Some(StreamingBlob::from(Body::from(body))),
        content_range,
        metadata: headers.take_metadata(),
        expires: input.response_expires.or_else(|| headers.expires()),
        content_type: Some(input.response_content_type.unwrap_or(std::mem::take(&mut headers.content_type))),
        cache_control: input.response_cache_control.or(headers.cache_control.take()),
        content_disposition: input.response_content_disposition.or(headers.content_disposition.take()),
        content_encoding: input.response_content_encoding.or(headers.content_encoding.take()),
        content_language: input.response_content_language.or(headers.content_language.take()),
        last_modified: Some(timestamp(object.modified_at)),
        e_tag: Some(object.etag),
        ..Default::default()
    })
}

/// `HeadObject`.
pub(crate) fn head(store: &Store, input: &HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let find = |connection: &_| objects::find(connection, &input.bucket, &input.key, -1);
    let Object { etag, modified_at, bytes, mut headers, .. } = store.read(find)?;
    check_read(&etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    Ok(HeadObjectOutput {
        accept_ranges: Some(RANGES.to_owned()),
        content_length: Some(bytes),
        metadata: headers.take_metadata(),
        expires: headers.expires(),
        content_type: Some(headers.content_type),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        last_modified: Some(timestamp(modified_at)),
        e_tag: Some(etag),
        ..Default::default()
    })
}

fn find_small(store: &Store, bucket: &str, key: &str) -> S3Result<Object> {
    store.read(|connection| objects::find(connection, bucket, key, SMALL_BYTES))
}

async fn find_large(store: Arc<Store>, bucket: String, key: String) -> S3Result<Object> {
    let find = move || store.read(|connection| objects::find(connection, &bucket, &key, i64::MAX));
    tokio::task::spawn_blocking(find).await.map_err(|error| s3_error!(error, InternalError))?
}
