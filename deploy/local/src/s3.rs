//! S3, by the crates `s3s` and `s3s-fs`. What the latter lacks is wrapped around it here: conditional writes of one
//! key exclude one another and reads of it, keys can't leave their bucket, and long ones fit a file name.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard};

use crate::credentials::Credentials;

/// So many keys can be written at once.
const STRIPES: usize = 64;
/// `s3s-fs` puts a key in base 64 into a file's name, which can have 255 bytes.
const MAX_FILE_KEY_BYTES: usize = 140;
/// Where objects with longer keys are kept, under a digest; these can be read and written, but not listed.
const LONG_KEYS: &str = ".long-keys";

/// The service over the folder `root`, with the bucket in it.
pub(crate) fn service(root: &Path, bucket: &str, credentials: &Credentials) -> Result<S3Service, String> {
    fs::create_dir_all(root.join(bucket)).map_err(|error| error.to_string())?;
    let inner = FileSystem::new(root).map_err(|error| format!("{error:?}"))?;
    let stripes = (0..STRIPES).map(|_| Arc::default()).collect();
    let local = LocalS3 { root: root.to_owned(), inner: Arc::new(inner), stripes };
    let mut builder = S3ServiceBuilder::new(local);
    let Credentials { access_key_id, secret_access_key } = credentials.clone();
    builder.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key));
    Ok(builder.build())
}

struct LocalS3 {
    root: PathBuf,
    inner: Arc<FileSystem>,
    stripes: Vec<Arc<RwLock<()>>>,
}

impl LocalS3 {
    fn stripe(&self, bucket: &str, key: &str) -> &Arc<RwLock<()>> {
        let mut hasher = DefaultHasher::new();
        (bucket, key).hash(&mut hasher);
        &self.stripes[hasher.finish() as usize % STRIPES]
    }

    async fn reading(&self, bucket: &str, key: &str) -> RwLockReadGuard<'_, ()> {
        self.stripe(bucket, key).read().await
    }

    async fn writing(&self, bucket: &str, key: &str) -> OwnedRwLockWriteGuard<()> {
        self.stripe(bucket, key).clone().write_owned().await
    }

    /// Removes what `s3s-fs` notes of an object in files beside it, and leaves there when it deletes the object.
    fn forget(&self, bucket: &str, key: &str) {
        let (bucket, key) = (URL_SAFE_NO_PAD.encode(bucket), URL_SAFE_NO_PAD.encode(key));
        for kind in ["metadata", "internal"] {
            let path = self.root.join(format!(".bucket-{bucket}.object-{key}.{kind}.json"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "could not remove what was noted of a deleted object");
                }
                _ => {}
            }
        }
    }
}

/// The key under which an object is kept.
fn kept_as(key: &str) -> S3Result<String> {
    let segments = key.strip_suffix('/').unwrap_or(key).split('/');
    if segments.into_iter().any(|segment| ["", ".", ".."].contains(&segment)) || key.contains('\0') {
        return Err(s3_error!(
            InvalidArgument,
            "the embedded S3 takes no empty, `.` or `..` segments in a key"
        ));
    }
    if is_of_long_keys(key) {
        return Err(s3_error!(InvalidArgument, "the embedded S3 keeps objects with long keys there"));
    }
    if key.len() <= MAX_FILE_KEY_BYTES {
        return Ok(key.to_owned());
    }
    let digest = hex::encode(Sha256::digest(key));
    Ok(format!("{LONG_KEYS}/{digest}"))
}

fn is_of_long_keys(key: &str) -> bool {
    key.strip_prefix(LONG_KEYS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[async_trait::async_trait]
impl S3 for LocalS3 {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        request.input.key = kept_as(&request.input.key)?;
        let alone = self.writing(&request.input.bucket, &request.input.key).await;
        let inner = self.inner.clone();
        // The object, its metadata and its ETag are written one after the other: a client that hangs up in between
        // must not leave a new object with an old ETag.
        let put = tokio::spawn(async move {
            let _alone = alone;
            inner.put_object(request).await
        });
        put.await.map_err(|error| s3_error!(error, InternalError))?
    }

    async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        request.input.key = kept_as(&request.input.key)?;
        let _shared = self.reading(&request.input.bucket, &request.input.key).await;
        let (content_type, disposition) =
            (request.input.response_content_type.take(), request.input.response_content_disposition.take());
        let mut response = self.inner.get_object(request).await?;
        let output = &mut response.output;
        output.content_type = content_type.or(output.content_type.take());
        output.content_disposition = disposition.or(output.content_disposition.take());
        Ok(response)
    }

    async fn head_object(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        request.input.key = kept_as(&request.input.key)?;
        let _shared = self.reading(&request.input.bucket, &request.input.key).await;
        self.inner.head_object(request).await
    }

    async fn delete_object(
        &self,
        mut request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        request.input.key = kept_as(&request.input.key)?;
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let _alone = self.writing(&bucket, &key).await;
        let response = self.inner.delete_object(request).await?;
        self.forget(&bucket, &key);
        Ok(response)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let encoding = request.input.encoding_type.clone();
        let mut response = self.inner.list_objects_v2(request).await?;
        hide_long_keys(&mut response.output);
        if encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL) {
            encode_keys(&mut response.output);
        }
        Ok(response)
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.inner.list_buckets(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.inner.head_bucket(request).await
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.inner.create_bucket(request).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.inner.get_bucket_location(request).await
    }
}

/// The names under which objects with long keys are kept are not their keys.
fn hide_long_keys(output: &mut ListObjectsV2Output) {
    let is_listed = |key: Option<&str>| !key.is_some_and(is_of_long_keys);
    let (mut contents, mut prefixes) = (output.contents.take(), output.common_prefixes.take());
    contents.iter_mut().for_each(|all| all.retain(|object| is_listed(object.key.as_deref())));
    prefixes.iter_mut().for_each(|all| all.retain(|common| is_listed(common.prefix.as_deref())));
    let count = contents.as_ref().map_or(0, Vec::len) + prefixes.as_ref().map_or(0, Vec::len);
    output.key_count = i32::try_from(count).ok();
    (output.contents, output.common_prefixes) = (contents, prefixes);
}

/// `encoding-type=url`, which some clients ask for, promises encoded keys: without it, a `+` comes out as a space.
fn encode_keys(output: &mut ListObjectsV2Output) {
    for object in output.contents.iter_mut().flatten() {
        object.key = object.key.take().map(|key| percent_encode(&key));
    }
    for common in output.common_prefixes.iter_mut().flatten() {
        common.prefix = common.prefix.take().map(|prefix| percent_encode(&prefix));
    }
    output.prefix = output.prefix.take().map(|prefix| percent_encode(&prefix));
    output.start_after = output.start_after.take().map(|key| percent_encode(&key));
}

fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_their_bucket() {
        for bad in ["../x", "a/../../x", "/x", "a//b", "./a", "a/./b", "..", ".long-keys/x", ".long-keys"] {
            assert!(kept_as(bad).is_err(), "{bad}");
        }
        assert_eq!(kept_as("functions/a/function.json").unwrap(), "functions/a/function.json");
        assert_eq!(kept_as("folder/").unwrap(), "folder/");
    }

    #[test]
    fn a_long_key_fits_a_file_name() {
        let long = "k/".repeat(200) + "x";
        let kept = kept_as(&long).unwrap();
        assert!(kept.len() < MAX_FILE_KEY_BYTES && kept.starts_with(LONG_KEYS), "{kept}");
        assert_ne!(kept, kept_as(&(long + "y")).unwrap());
    }

    #[test]
    fn what_a_url_would_change_is_encoded() {
        assert_eq!(percent_encode("a/b c+d%é"), "a/b%20c%2Bd%25%C3%A9");
    }
}
