//! S3, by the crates `s3s` and `s3s-fs`. What the latter lacks is wrapped around it here: a body is checked before it
//! replaces anything (`upload`), conditional writes of one key exclude one another and reads of it (`conditions`), keys
//! can't leave their bucket (`keys`), and a listing reads no more than it lists (`list`).

mod access;
mod conditions;
mod keys;
mod list;
mod listing;
mod objects;
mod upload;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result};

use self::access::Counted;
use self::objects::Objects;
use crate::counters::Counters;
use crate::credentials::Credentials;

/// The service over the folder `root`, with the bucket in it.
pub(crate) fn service(
    root: &Path,
    bucket: &str,
    credentials: &Credentials,
    counters: Arc<Counters>,
) -> Result<S3Service, String> {
    fs::create_dir_all(root.join(bucket)).map_err(|error| error.to_string())?;
    let objects = Objects::open(root)?;
    let mut builder = S3ServiceBuilder::new(LocalS3(Arc::new(objects)));
    let Credentials { access_key_id, secret_access_key } = credentials.clone();
    builder.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key));
    builder.set_access(Counted(counters));
    Ok(builder.build())
}

/// The operations that there are.
struct LocalS3(Arc<Objects>);

#[async_trait::async_trait]
impl S3 for LocalS3 {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        upload::receive(&mut request).await?;
        self.0.clone().put(request).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.0.get(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.0.head(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let DeleteObjectInput { bucket, key, if_match, .. } = request.input;
        self.0.delete(&bucket, &key, if_match.as_ref()).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let DeleteObjectsInput { bucket, delete, .. } = request.input;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in delete.objects {
            let key = Some(object.key.clone());
            match self.0.delete(&bucket, &object.key, None).await {
                Ok(()) => deleted.push(DeletedObject { key, ..Default::default() }),
                Err(error) => errors.push(Error {
                    key,
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    ..Default::default()
                }),
            }
        }
        let deleted = (!delete.quiet.unwrap_or(false)).then_some(deleted);
        let errors = (!errors.is_empty()).then_some(errors);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, errors, ..Default::default() }))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        listing::first_version(&self.0, request.input).await.map(S3Response::new)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        listing::second_version(&self.0, request.input).await.map(S3Response::new)
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.0.inner.list_buckets(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.0.inner.head_bucket(request).await
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.0.inner.create_bucket(request).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.0.inner.get_bucket_location(request).await
    }
}
