//! S3: the crate `s3s` speaks its protocol and checks signatures; objects are rows of an SQLite file, each written in one
//! transaction. A body is checked before it replaces anything (`upload`); conditions are looked at in the transaction
//! that writes (`conditions`); `list` reads no more rows than it lists.

mod access;
mod buckets;
mod conditions;
mod headers;
mod list;
mod listing;
mod objects;
mod read;
mod tables;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, Transaction};
use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use self::access::Counted;
use self::objects::NewObject;
use crate::counters::Counters;
use crate::credentials::Credentials;
use crate::database::{Database, DatabaseError};
use crate::readers::Readers;

/// The service over the file `path`, with the bucket in it.
pub(crate) async fn service(
    path: PathBuf,
    bucket: &str,
    credentials: &Credentials,
    counters: Arc<Counters>,
) -> Result<S3Service, DatabaseError> {
    let database = Database::open(&path, &tables::STEPS)?;
    let bucket = bucket.to_owned();
    database.call::<_, DatabaseError>(move |transaction| buckets::create(transaction, &bucket)).await?;
    let store = Store { database, readers: Readers::new(path) };
    let mut builder = S3ServiceBuilder::new(LocalS3(Arc::new(store)));
    let Credentials { access_key_id, secret_access_key } = credentials.clone();
    builder.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key));
    builder.set_access(Counted(counters));
    Ok(builder.build())
}

/// Where buckets and objects are.
struct Store {
    database: Database,
    readers: Readers,
}

impl Store {
    /// Reads what was written last.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> S3Result<T>) -> S3Result<T> {
        self.readers.read(read)
    }

    /// Runs `job` in a transaction.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        self.database.call(job).await
    }
}

/// The operations that there are.
struct LocalS3(Arc<Store>);

#[async_trait::async_trait]
impl S3 for LocalS3 {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let body = upload::receive(&mut request).await?;
        let object = NewObject::new(request.input, body)?;
        let e_tag = Some(self.0.write(|transaction| object.put(transaction)).await?);
        Ok(S3Response::new(PutObjectOutput { e_tag, ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        read::get(&self.0, request.input).await.map(S3Response::new)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        read::head(&self.0, &request.input).map(S3Response::new)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let DeleteObjectInput { bucket, key, if_match, .. } = request.input;
        let delete = self.0.write(move |transaction| {
            let bucket = buckets::find(transaction, &bucket)?;
            objects::delete(transaction, bucket, &key, if_match.as_ref())
        });
        delete.await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let DeleteObjectsInput { bucket, delete, .. } = request.input;
        let is_quiet = delete.quiet.unwrap_or(false);
        let outcomes = self.0.write(move |transaction| {
            let bucket = buckets::find(transaction, &bucket)?;
            let keys = delete.objects.into_iter().map(|object| object.key);
            let outcomes = keys.map(|key| {
                let outcome = objects::delete(transaction, bucket, &key, None);
                (key, outcome)
            });
            Ok(outcomes.collect::<Vec<_>>())
        });
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for (key, outcome) in outcomes.await? {
            let key = Some(key);
            match outcome {
                Ok(()) => deleted.push(DeletedObject { key, ..Default::default() }),
                Err(error) => errors.push(Error {
                    key,
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    ..Default::default()
                }),
            }
        }
        let deleted = (!is_quiet).then_some(deleted);
        let errors = (!errors.is_empty()).then_some(errors);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, errors, ..Default::default() }))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        listing::first_version(&self.0, request.input).map(S3Response::new)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        listing::second_version(&self.0, request.input).map(S3Response::new)
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = Some(self.0.read(|connection| Ok(buckets::list(connection)?))?);
        Ok(S3Response::new(ListBucketsOutput { buckets, ..Default::default() }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.0.read(|connection| buckets::find(connection, &request.input.bucket))?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = request.input.bucket;
        if !self.0.write(move |transaction| Ok(buckets::create(transaction, &bucket)?)).await? {
            return Err(s3_error!(BucketAlreadyOwnedByYou, "the bucket is there already"));
        }
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.0.read(|connection| buckets::find(connection, &request.input.bucket))?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }
}

impl From<DatabaseError> for S3Error {
    fn from(error: DatabaseError) -> Self {
        S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))
    }
}

/// S3's form of a time that is kept as milliseconds since 1970.
fn timestamp(since_1970_ms: i64) -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(since_1970_ms.unsigned_abs()))
}
