//! Objects, one key at a time.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Extensions, HeaderMap, Method, Uri};
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::RwLock;

use super::conditions::{check_read, check_write};
use super::keys::kept_as;

/// So many keys can be written at once.
const STRIPES: usize = 64;
/// What S3 says of an object that was put without a type.
const UNKNOWN_TYPE: &str = "binary/octet-stream";

/// The folder of all buckets.
pub(crate) struct Objects {
    root: PathBuf,
    pub(crate) inner: FileSystem,
    stripes: Vec<RwLock<()>>,
}

impl Objects {
    pub(crate) fn open(root: &Path) -> Result<Self, String> {
        let inner = FileSystem::new(root).map_err(|error| format!("{error:?}"))?;
        let stripes = (0..STRIPES).map(|_| RwLock::default()).collect();
        Ok(Self { root: root.to_owned(), inner, stripes })
    }

    /// Writes an object whose body is in memory. A client that hangs up meanwhile does not interrupt it.
    pub(crate) async fn put(
        self: Arc<Self>,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let put = tokio::spawn(async move { self.put_alone(request).await });
        put.await.map_err(|error| s3_error!(error, InternalError))?
    }

    async fn put_alone(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut request.input;
        let (bucket, key) = (input.bucket.clone(), kept_as(&input.key)?);
        let _alone = self.stripe(&bucket, &key).write().await;
        let (if_match, if_none_match) = (input.if_match.take(), input.if_none_match.take());
        if if_match.is_some() || if_none_match.is_some() {
            check_write(self.etag(&bucket, &key).await?.as_ref(), if_match.as_ref(), if_none_match.as_ref())?;
        }
        self.check_place(&bucket, &key)?;
        // The object and what is noted of it are several files. Killed in between, an object without notes has an
        // ETag all the same, that of its content; with another's notes it would have a wrong one.
        self.forget(&bucket, &key);
        request.input.key = key;
        self.inner.put_object(request).await
    }

    /// Opens an object; what its URL says of the answer's headers goes before what is noted of it.
    pub(crate) async fn get(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &mut request.input;
        let key = kept_as(&input.key)?;
        input.key.clone_from(&key);
        let _shared = self.stripe(&input.bucket, &key).read().await;
        if !self.bucket(&input.bucket)?.join(&key).is_file() {
            return Err(s3_error!(NoSuchKey));
        }
        let wish = input.clone();
        let mut response = self.inner.get_object(request).await.map_err(not_absent)?;
        let output = &mut response.output;
        check_read(output.e_tag.as_ref(), wish.if_match.as_ref(), wish.if_none_match.as_ref())?;
        let unknown = || Some(UNKNOWN_TYPE.to_owned());
        output.content_type = wish.response_content_type.or(output.content_type.take()).or_else(unknown);
        output.cache_control = wish.response_cache_control.or(output.cache_control.take());
        output.content_disposition = wish.response_content_disposition.or(output.content_disposition.take());
        output.content_encoding = wish.response_content_encoding.or(output.content_encoding.take());
        output.content_language = wish.response_content_language.or(output.content_language.take());
        output.expires = wish.response_expires.or(output.expires.take());
        Ok(response)
    }

    pub(crate) async fn head(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &mut request.input;
        let key = kept_as(&input.key)?;
        input.key.clone_from(&key);
        let _shared = self.stripe(&input.bucket, &key).read().await;
        if !self.bucket(&input.bucket)?.join(&key).is_file() {
            return Err(s3_error!(NoSuchKey));
        }
        let (if_match, if_none_match) = (input.if_match.take(), input.if_none_match.take());
        let mut response = self.inner.head_object(request).await.map_err(not_absent)?;
        check_read(response.output.e_tag.as_ref(), if_match.as_ref(), if_none_match.as_ref())?;
        response.output.content_type.get_or_insert_with(|| UNKNOWN_TYPE.to_owned());
        Ok(response)
    }

    /// Deletes an object, if there is one.
    pub(crate) async fn delete(
        &self,
        bucket: &str,
        key: &str,
        if_match: Option<&ETagCondition>,
    ) -> S3Result<()> {
        let key = kept_as(key)?;
        let _alone = self.stripe(bucket, &key).write().await;
        if if_match.is_some() {
            check_write(self.etag(bucket, &key).await?.as_ref(), if_match, None)?;
        }
        if self.path(bucket, &key).is_dir() {
            return Ok(());
        }
        let input = DeleteObjectInput { bucket: bucket.to_owned(), key: key.clone(), ..Default::default() };
        self.inner.delete_object(ask(input)).await?;
        self.forget(bucket, &key);
        Ok(())
    }

    /// The folder of a bucket.
    pub(crate) fn bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let path = self.root.join(bucket);
        if path.is_dir() { Ok(path) } else { Err(s3_error!(NoSuchBucket)) }
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(bucket).join(key)
    }

    fn stripe(&self, bucket: &str, key: &str) -> &RwLock<()> {
        let mut hasher = DefaultHasher::new();
        (bucket, key).hash(&mut hasher);
        &self.stripes[hasher.finish() as usize % STRIPES]
    }

    /// The ETag of an object, if there is one.
    async fn etag(&self, bucket: &str, key: &str) -> S3Result<Option<ETag>> {
        if !self.path(bucket, key).is_file() {
            return Ok(None);
        }
        let input = HeadObjectInput { bucket: bucket.to_owned(), key: key.to_owned(), ..Default::default() };
        Ok(self.inner.head_object(ask(input)).await?.output.e_tag)
    }

    /// Objects are files: none can be where others are in a folder of that name, nor the other way round.
    fn check_place(&self, bucket: &str, key: &str) -> S3Result<()> {
        let (root, path) = (self.bucket(bucket)?, self.path(bucket, key));
        let is_free = |folder: &Path| folder.is_dir() || !folder.exists();
        let mut folders = path.ancestors().skip(1).take_while(|folder| *folder != root);
        if path.is_dir() || !folders.all(is_free) {
            return Err(s3_error!(
                InvalidArgument,
                "the embedded S3 keeps objects as files: no key can go on after another one and a slash"
            ));
        }
        Ok(())
    }

    /// Removes what `s3s-fs` notes of an object in files beside it, and leaves there when it deletes the object.
    fn forget(&self, bucket: &str, key: &str) {
        let (bucket, key) = (URL_SAFE_NO_PAD.encode(bucket), URL_SAFE_NO_PAD.encode(key));
        for kind in ["metadata", "internal"] {
            let path = self.root.join(format!(".bucket-{bucket}.object-{key}.{kind}.json"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "could not remove what was noted of an object");
                }
                _ => {}
            }
        }
    }
}

/// Of an object that is there, and that nobody may remove meanwhile: it could not be opened, for lack of descriptors as a
/// rule, which `s3s-fs` takes for its absence.
fn not_absent(error: S3Error) -> S3Error {
    match error.code() {
        S3ErrorCode::NoSuchKey => s3_error!(ServiceUnavailable, "the object can't be opened now"),
        _ => error,
    }
}

/// A request of our own.
fn ask<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Method::GET,
        uri: Uri::default(),
        headers: HeaderMap::new(),
        extensions: Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}
