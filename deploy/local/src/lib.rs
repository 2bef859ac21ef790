//! The SQS and S3 that Bad Lambda embeds when it runs on one machine: the real wire protocols, on loopback, with
//! verified signatures, over two SQLite files that survive `kill -9`.
//!
//! A tour:
//! - [`start`] makes or reads the credentials, opens both stores, and serves them on one listener; `server` tells
//!   their requests apart, and `counters` counts what was served.
//! - `sqs` is a small server of our own. `protocol` is AWS's JSON protocol and checks who asks; `actions` are its operations by name:
//!   `send`, with the order in which message groups take turns; `receive`, which waits until `changes` wakes it or
//!   a message is due, and `take`s; `settle`, which deletes and gives back.
//! - `s3` is the protocol by the crate `s3s`, over objects in tables.
//! - Each of them has an SQLite file. All that writes is a job for the one thread of its `database`, which shares a
//!   transaction among all jobs that wait. S3 reads by `readers`, beside that thread.
//!
//! Honest limits: of SQS, only standard queues and the operations that a fleet and its producers use; of S3, those
//! listed in `s3`, objects of at most 64 MiB, no versions, no multipart uploads, and no checksums but the ETag in answers.
//! Anything else answers that it is not supported. What was answered survives the process; a power cut can take the last
//! moments, as nothing waits for the disk. One access key can do everything; regions and accounts are not looked at.

#![forbid(unsafe_code)]

mod counters;
mod credentials;
mod database;
mod readers;
mod s3;
mod server;
mod sqs;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::counters::Counters;
use crate::credentials::Credentials;
use crate::database::DatabaseError;
use crate::sqs::SqsError;

/// The region that everything is in.
pub const REGION: &str = "us-east-1";

/// Where to serve what.
#[derive(Clone, Debug)]
pub struct LocalAwsConfig {
    /// Where to listen, on loopback; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The folder for messages, objects and credentials.
    pub data: PathBuf,
    /// The bucket's name.
    pub bucket: String,
    /// The queue's name.
    pub queue: String,
    /// The dead-letter queue's name.
    pub dead_letter_queue: String,
}

impl LocalAwsConfig {
    /// The usual bucket and queues.
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        let queue = "badlambda-executions".to_owned();
        let dead_letter_queue = format!("{queue}-dead-letters");
        Self { listen, data, bucket: "badlambda".to_owned(), queue, dead_letter_queue }
    }
}

/// Why the servers can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Others could reach them.
    #[error("{0} is not a loopback address; the embedded SQS and S3 serve this machine alone")]
    NotLoopback(SocketAddr),
    /// Another process uses the data.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The address can't be listened on.
    #[error("could not listen on {0}: {1}; choose another address")]
    Listen(SocketAddr, io::Error),
    /// A file can't be read or written.
    #[error("could not use {}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The messages can't be read.
    #[error("could not open the messages: {0}")]
    Messages(#[from] SqsError),
    /// The objects can't be read.
    #[error("could not open the objects: {0}")]
    Objects(#[from] DatabaseError),
    /// The objects are files, as an older version kept them.
    #[error("{} holds objects as an older version kept them; use another data folder, or remove this one", .0.display())]
    OldObjects(PathBuf),
}

/// Running servers. Dropping this stops them at once; [`LocalAws::shutdown`] lets requests end.
#[derive(Debug)]
pub struct LocalAws {
    /// Where both answer.
    pub address: SocketAddr,
    /// The queue's URL.
    pub queue_url: String,
    /// The dead-letter queue's URL.
    pub dead_letter_queue_url: String,
    /// The bucket's name.
    pub bucket: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The region.
    pub region: String,
    counters: Arc<Counters>,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
    _lock: File,
}

/// Starts both servers, with the bucket and both queues.
///
/// # Errors
/// See [`StartError`].
pub async fn start(config: LocalAwsConfig) -> Result<LocalAws, StartError> {
    if !config.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(config.listen));
    }
    let lock = lock_data(&config)?;
    let old_objects = config.data.join("s3");
    if old_objects.exists() {
        return Err(StartError::OldObjects(old_objects));
    }
    let credentials = Credentials::load_or_make(&config.data.join("credentials.json"))
        .map_err(|error| StartError::File { path: config.data.join("credentials.json"), error })?;
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;

    let (counters, stop) = (Arc::new(Counters::default()), CancellationToken::new());
    let sqs = sqs::Sqs::open(&config.data.join("sqs.sqlite"), address, counters.clone())?;
    sqs.ensure_queues(&config.queue, &config.dead_letter_queue).await?;
    let s3 =
        s3::service(config.data.join("s3.sqlite"), &config.bucket, &credentials, counters.clone()).await?;
    let services = server::Services { sqs: Arc::new(sqs), s3, credentials: credentials.clone() };
    let server = tokio::spawn(server::serve(listener, services, stop.clone()));
    Ok(LocalAws {
        address,
        queue_url: sqs::queue_url(address, &config.queue),
        dead_letter_queue_url: sqs::queue_url(address, &config.dead_letter_queue),
        bucket: config.bucket,
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        region: REGION.to_owned(),
        counters,
        stop,
        server: Some(server),
        _lock: lock,
    })
}

impl LocalAws {
    /// Stops accepting, ends waits, and returns when all requests under way have ended.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take()
            && let Err(error) = server.await
        {
            tracing::error!(%error, "the embedded servers failed");
        }
    }

    /// How many requests with a good signature there were, by service and operation, like `SQS.ReceiveMessage` and
    /// `S3.PutObject`.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.counters.read()
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// The data belong to one process at a time; the kernel frees the lock with it.
fn lock_data(config: &LocalAwsConfig) -> Result<File, StartError> {
    let path = config.data.join("lock");
    let failed = |error| StartError::File { path: path.clone(), error };
    // Functions, inputs and results are nobody else's to read.
    DirBuilder::new().recursive(true).mode(0o700).create(&config.data).map_err(failed)?;
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(config.data.clone())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
