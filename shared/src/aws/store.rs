//! The bucket, over S3: small objects, conditional writes, presigned URLs.

mod presigner;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::byte_stream::AggregatedBytes;
use bytes::Bytes;

use self::presigner::Presigner;
use crate::aws::{AwsClients, causes};
use crate::keys::Keys;
use crate::limits;
use crate::process::config::SharedConfig;
use crate::timestamp::Timestamp;

/// JSON objects.
pub const JSON: &str = "application/json";
/// Lines of JSON.
pub const NDJSON: &str = "application/x-ndjson";
/// Ruby code.
pub const RUBY: &str = "application/x-ruby";
/// Code with several files.
pub const ZIP: &str = "application/zip";
/// Logs.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// A call to S3 failed.
#[derive(Debug, thiserror::Error)]
#[error("S3 {operation} of {key} failed: {detail}")]
pub struct StoreError {
    operation: &'static str,
    key: String,
    detail: String,
    may_pass: bool,
}

impl StoreError {
    /// What was to be written under `key` can't be.
    pub(crate) fn unwritable(key: &str, error: &dyn std::fmt::Display) -> Self {
        Self { operation: "PutObject", key: key.to_owned(), detail: error.to_string(), may_pass: false }
    }

    /// What lies under `key` can't be read.
    pub(crate) fn damaged(key: &str, error: &dyn std::fmt::Display) -> Self {
        Self { operation: "GetObject", key: key.to_owned(), detail: error.to_string(), may_pass: false }
    }

    /// The object under `key` kept changing.
    pub(crate) fn contended(key: &str) -> Self {
        let detail = "the object kept changing".to_owned();
        Self { operation: "PutObject", key: key.to_owned(), detail, may_pass: true }
    }

    /// Whether the same call may work later. Where not, the object itself is not what is asked for.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }
}

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    /// Nothing.
    Always,
    /// There is no such object.
    Absent,
    /// The object is still the one with this ETag.
    Unchanged(&'a str),
}

/// What became of a conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It happened; the object's ETag.
    Stored(String),
    /// The condition did not hold, or another write came between.
    Refused,
}

/// An object that was read.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its ETag, for a write that must find it unchanged.
    pub etag: String,
}

/// An object that was read, if it was not too large.
#[derive(Clone, Debug)]
pub enum Bounded {
    /// It.
    Object(Object),
    /// It was not read.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// Its ETag, for a write that replaces it.
        etag: String,
    },
}

/// One page of keys.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The common prefixes, where a delimiter was given.
    pub prefixes: Vec<String>,
    /// The keys.
    pub keys: Vec<String>,
    /// What continues the list; `None` at its end.
    pub next: Option<String>,
}

/// A URL that works without credentials, for a while.
#[derive(Clone, Debug)]
pub struct PresignedUrl {
    /// The URL.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// The bucket.
#[derive(Clone, Debug)]
pub struct Store {
    /// The last call was refused.
    refused: Arc<AtomicBool>,
    client: Client,
    presigner: Arc<Presigner>,
    bucket: String,
    keys: Keys,
}

impl Store {
    /// The bucket that `config` names.
    pub fn new(aws: &AwsClients, config: &SharedConfig) -> Self {
        let path_style = config.s3_path_style;
        Self {
            refused: Arc::default(),
            client: aws.s3(path_style),
            presigner: Arc::new(Presigner::new(
                aws.s3_for_presigning(path_style, config.public_s3_endpoint.as_deref()),
                config.bucket.clone(),
                Duration::from_secs(config.url_ttl_seconds),
                aws.last_credentials(),
            )),
            bucket: config.bucket.clone(),
            keys: Keys::under(&config.prefix),
        }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The keys of this deployment.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether S3 refused the last call as one that this process may not make, or said that there is no such bucket. It
    /// is retried like any other failure, since someone may set it right, but does not pass by itself.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Reads an object of at most `most` bytes; `None` where there is none.
    pub async fn get(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        match self.get_bounded(key, most).await? {
            None => Ok(None),
            Some(Bounded::Object(object)) => Ok(Some(object)),
            Some(Bounded::TooLarge { bytes, .. }) => {
                let detail = format!("it has {bytes} bytes, and at most {most} are read");
                Err(StoreError { operation: "GetObject", key: key.to_owned(), detail, may_pass: false })
            }
        }
    }

    /// Reads an object if it has at most `most` bytes; `None` where there is none.
    pub async fn get_bounded(&self, key: &str, most: u64) -> Result<Option<Bounded>, StoreError> {
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        self.note(&answer);
        let output = match answer {
            Ok(output) => output,
            Err(error) if status_of(&error) == Some(404) && !is_refusal(&error) => return Ok(None),
            Err(error) => return Err(failed("GetObject", key, &error)),
        };
        let bytes = u64::try_from(output.content_length.unwrap_or(0)).unwrap_or(0);
        let etag = output.e_tag.unwrap_or_default();
        if bytes > most {
            return Ok(Some(Bounded::TooLarge { bytes, etag }));
        }
        let bytes = output.body.collect().await.map(AggregatedBytes::into_bytes);
        let bytes = bytes.map_err(|error| failed("GetObject", key, &error))?;
        Ok(Some(Bounded::Object(Object { bytes: bytes.into(), etag })))
    }

    /// Reads at most `most` bytes of an object, from the position `offset` on. Where it ends before that, or there is none,
    /// they are none.
    pub async fn get_part(&self, key: &str, offset: u64, most: u64) -> Result<Vec<u8>, StoreError> {
        let range = format!("bytes={offset}-{}", offset.saturating_add(most).saturating_sub(1));
        let answer = self.client.get_object().bucket(&self.bucket).key(key).range(range).send().await;
        self.note(&answer);
        let output = match answer {
            Ok(output) => output,
            // 416: the object ends before.
            Err(error) if matches!(status_of(&error), Some(404 | 416)) && !is_refusal(&error) => {
                return Ok(vec![]);
            }
            Err(error) => return Err(failed("GetObject", key, &error)),
        };
        let bytes = output.body.collect().await.map(AggregatedBytes::into_bytes);
        Ok(bytes.map_err(|error| failed("GetObject", key, &error))?.into())
    }

    /// Writes an object if `condition` holds.
    pub async fn put(
        &self,
        key: &str,
        bytes: impl Into<Bytes>,
        content_type: &str,
        condition: Condition<'_>,
    ) -> Result<Written, StoreError> {
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = call.content_type(content_type).body(ByteStream::from(bytes.into()));
        let call = match condition {
            Condition::Always => call,
            Condition::Absent => call.if_none_match("*"),
            Condition::Unchanged(etag) => call.if_match(etag),
        };
        let answer = call.send().await;
        self.note(&answer);
        match answer {
            Ok(output) => Ok(Written::Stored(output.e_tag.unwrap_or_default())),
            // 404: the object that should be unchanged is gone; 409: another conditional write is under way.
            Err(error)
                if matches!(status_of(&error), Some(404 | 409 | 412))
                    && !is_refusal(&error)
                    && !matches!(condition, Condition::Always) =>
            {
                Ok(Written::Refused)
            }
            Err(error) => Err(failed("PutObject", key, &error)),
        }
    }

    /// Deletes an object, if there is one.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key);
        let answer = call.send().await;
        self.note(&answer);
        answer.map(drop).map_err(|error| failed("DeleteObject", key, &error))
    }

    /// Lists what lies directly under `prefix`, from `after` on, at most `most` entries a page.
    pub async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Listing, StoreError> {
        self.list_by(prefix, Some("/"), after, most).await
    }

    /// Lists everything that lies directly under `prefix`.
    pub async fn list_all(&self, prefix: &str) -> Result<Listing, StoreError> {
        let mut all = Listing::default();
        loop {
            let page = self.list(prefix, all.next.as_deref(), limits::LISTED_KEYS).await?;
            all.prefixes.extend(page.prefixes);
            all.keys.extend(page.keys);
            all.next = page.next;
            if all.next.is_none() {
                return Ok(all);
            }
        }
    }

    /// Lists all keys below `prefix`, however deep, from `after` on, at most `most` a page.
    pub async fn list_below(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing, StoreError> {
        self.list_by(prefix, None, after, most).await
    }

    async fn list_by(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing, StoreError> {
        let output = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_delimiter(delimiter.map(str::to_owned))
            .max_keys(most as i32)
            .set_start_after(after.map(str::to_owned))
            .send()
            .await;
        self.note(&output);
        let output = output.map_err(|error| failed("ListObjectsV2", prefix, &error))?;
        let prefixes: Vec<String> =
            output.common_prefixes.unwrap_or_default().into_iter().filter_map(|p| p.prefix).collect();
        let keys: Vec<String> =
            output.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect();
        let last = prefixes.last().max(keys.last()).cloned();
        let next = last.filter(|_| output.is_truncated.unwrap_or(false));
        Ok(Listing { prefixes, keys, next })
    }

    /// Signs a URL by which anyone can read `key` for the configured time, or until the credentials that
    /// sign it end.
    pub async fn presign(&self, key: &str) -> Result<PresignedUrl, StoreError> {
        self.presigner.presign(key).await
    }

    /// Asks whether the bucket is there and may be used.
    pub async fn check(&self) -> Result<(), StoreError> {
        let call = self.client.head_bucket().bucket(&self.bucket);
        let answer = call.send().await;
        self.note(&answer);
        answer.map(drop).map_err(|error| failed("HeadBucket", &self.bucket, &error))
    }

    /// Notes whether a call was refused.
    fn note<T, E: ProvideErrorMetadata>(&self, answer: &Result<T, SdkError<E>>) {
        let refused = answer.as_ref().err().is_some_and(is_refusal);
        if self.refused.swap(refused, Ordering::Relaxed) != refused && refused {
            let bucket = &self.bucket;
            tracing::error!(
                bucket,
                "S3 refuses: there is no such bucket, or its use is not allowed; check BADLAMBDA_BUCKET and the role"
            );
        }
    }
}

/// Not allowed, or no such bucket.
fn is_refusal<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    status_of(error) == Some(403) || error.code() == Some("NoSuchBucket")
}

fn status_of<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn failed(operation: &'static str, key: &str, error: &(impl std::error::Error + 'static)) -> StoreError {
    StoreError { operation, key: key.to_owned(), detail: causes(error), may_pass: true }
}
