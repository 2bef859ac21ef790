//! What an execution needs before it can run: its code and config, and its input.

use std::fmt::Display;
use std::sync::Arc;

use badlambda_shared::aws::store::Store;
use badlambda_shared::execution::id::Origin;
use badlambda_shared::execution::message::{ExecutionRequest, Input, depth_is_bounded};
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::function::catalog::{Catalog, CatalogError, Code, Runnable};
use badlambda_shared::function::layer::Layer;
use badlambda_shared::map::ChunkRequest;
use badlambda_shared::timestamp::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::sandbox::{TaskCode, Unpacked};
use crate::steps::packages::{PackageError, Packages};
use crate::steps::retry::{RetryError, STORE_PATIENCE, retry_until, stopped_or_after};

/// Everything that is run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) program: Program,
    /// JSON.
    pub(crate) input: String,
}

/// What is run, as the executor takes it: zips are unpacked.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) runnable: Arc<Runnable>,
    pub(crate) code: TaskCode,
    pub(crate) layers: Option<Arc<Unpacked>>,
}

/// What the step needs.
#[derive(Clone)]
pub(crate) struct Preparer {
    pub(crate) catalog: Catalog,
    pub(crate) packages: Packages,
    pub(crate) store: Store,
    /// Whether functions may be given the network here.
    pub(crate) allow_network: bool,
    pub(crate) max_input_bytes: u64,
    pub(crate) stop: CancellationToken,
}

/// Why there is nothing to run.
pub(crate) enum Unprepared {
    /// There never will be.
    Never(ExecutionError),
    /// S3 does not answer, or the worker stops.
    GaveUp,
    /// What should be there is not, which is our failure, and no attempt at it has an outcome.
    Lost(String),
}

impl Preparer {
    /// Fetches what is not remembered.
    pub(crate) async fn prepare(&self, request: &ExecutionRequest) -> Result<Prepared, Unprepared> {
        let program = self.program(|| self.catalog.runnable(request)).await?;
        let input = self.input(request).await?;
        Ok(Prepared { program, input })
    }

    /// What a chunk of a map runs.
    pub(crate) async fn program_of_chunk(&self, chunk: &ChunkRequest) -> Result<Program, Unprepared> {
        self.program(|| self.catalog.runnable_of_chunk(chunk)).await
    }

    /// Reads what is run until S3 answers, and refuses it where this fleet does not allow what it needs.
    async fn program<F>(&self, read: impl FnMut() -> F) -> Result<Program, Unprepared>
    where
        F: Future<Output = Result<Arc<Runnable>, CatalogError>>,
    {
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        let may_pass = |error: &CatalogError| matches!(error, CatalogError::Store(error) if error.may_pass());
        let runnable = retry_until("read what is to run", give_up, may_pass, read).await;
        let runnable = runnable.map_err(|error| unprepared(&error))?;
        if runnable.config.network && !self.allow_network {
            let message = "the function's config has \"network\": true, which this fleet does not allow; \
                           its operator can set BADLAMBDA_ALLOW_NETWORK=true";
            return Err(bad_message(message));
        }
        let (code, layers) = tokio::try_join!(self.code(&runnable), self.layers(&runnable.config.layers))?;
        Ok(Program { runnable, code, layers })
    }

    /// The code as the executor takes it: a zip is unpacked.
    async fn code(&self, runnable: &Runnable) -> Result<TaskCode, Unprepared> {
        let sha256 = match &runnable.code {
            Code::Ruby(code) => return Ok(TaskCode::Ruby(Arc::clone(code))),
            Code::Zip(sha256) => sha256,
        };
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        let sha256s = [sha256.as_str()];
        let get = || self.packages.get(&self.catalog, &sha256s);
        let package = retry_until("unpack code", give_up, PackageError::may_pass, get).await;
        package.map(TaskCode::Package).map_err(|error| unprepared(&error))
    }

    /// What is in the function's layers. Their zips stay for as long as functions have them, so that one that is gone is no
    /// fault of the function's.
    async fn layers(&self, layers: &[Layer]) -> Result<Option<Arc<Unpacked>>, Unprepared> {
        if layers.is_empty() {
            return Ok(None);
        }
        let sha256s: Vec<&str> = layers.iter().map(|layer| layer.code_sha256.as_str()).collect();
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        let get = || self.packages.get(&self.catalog, &sha256s);
        match retry_until("unpack layers", give_up, PackageError::may_pass, get).await {
            Ok(unpacked) => Ok(Some(unpacked)),
            Err(RetryError::GaveUp) => Err(Unprepared::GaveUp),
            Err(RetryError::Permanent(error)) => Err(Unprepared::Lost(format!(
                "a layer of the function can't be unpacked: {error}; publish the same zip as a layer again, or give the \
                 function other layers"
            ))),
        }
    }

    async fn input(&self, request: &ExecutionRequest) -> Result<String, Unprepared> {
        let most = self.max_input_bytes;
        let key = match &request.input {
            Input::Inline(json) if json.get().len() as u64 > most => {
                return Err(bad_message(&format!("the input is larger than {most} bytes")));
            }
            Input::Inline(json) => return Ok(json.get().to_owned()),
            Input::Stored(key) => key,
        };
        // Any other key would let a producer read what is not theirs.
        if *key != self.store.keys().input(&request.function, &request.id) {
            return Err(bad_message("`input_key` is not the key of this execution's input"));
        }
        let get = || self.store.get(key, most);
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        let object = match retry_until("read an input", give_up, |error| error.may_pass(), get).await {
            Ok(object) => object,
            Err(RetryError::GaveUp) => return Err(Unprepared::GaveUp),
            Err(RetryError::Permanent(error)) => {
                return Err(bad_message(&format!("the input can't be read: {error}")));
            }
        };
        let Some(object) = object else { return Err(no_input(request)) };
        let text = String::from_utf8(object.bytes).map_err(|_| bad_message("the input is not UTF-8"))?;
        if !depth_is_bounded(&text) {
            return Err(bad_message("the input is nested too deeply"));
        }
        let checked: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
        checked.map_err(|error| bad_message(&format!("the input is not JSON: {error}")))?;
        Ok(text)
    }
}

/// Why it is too late to run it, if it is.
pub(crate) fn expired(request: &ExecutionRequest) -> Option<ExecutionError> {
    let invocation = request.invocation.as_ref();
    let is_over = invocation.is_some_and(|call| call.is_over(request.submitted_at, Timestamp::now()));
    let message = "it waited for longer than its caller wanted: MaximumEventAgeInSeconds";
    is_over.then(|| ExecutionError::new(ErrorKind::Expired, message))
}

fn unprepared(error: &RetryError<impl Display>) -> Unprepared {
    match error {
        RetryError::GaveUp => Unprepared::GaveUp,
        RetryError::Permanent(error) => {
            Unprepared::Never(ExecutionError::new(ErrorKind::NotFound, error.to_string()))
        }
    }
}

/// The API stores an input before it sends the message, so that one that is not there is there no more.
fn no_input(request: &ExecutionRequest) -> Unprepared {
    match request.id.origin(&request.function) {
        Origin::Issued(_) => Unprepared::Never(ExecutionError::new(
            ErrorKind::Expired,
            "its input is gone: it waited for longer than the bucket keeps inputs",
        )),
        Origin::Foreign | Origin::Forged => bad_message("there is no object under `input_key`"),
    }
}

fn bad_message(message: &str) -> Unprepared {
    Unprepared::Never(ExecutionError::new(ErrorKind::BadMessage, message))
}
