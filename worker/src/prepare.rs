//! What an execution needs before it can run: its code and config, and its input.

use std::sync::Arc;

use badlambda_shared::catalog::{Catalog, CatalogError, Runnable};
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::function::FunctionConfig;
use badlambda_shared::id::Origin;
use badlambda_shared::message::{ExecutionRequest, Input, depth_is_bounded};
use badlambda_shared::store::Store;
use tokio_util::sync::CancellationToken;

use crate::retry::{RetryError, STORE_PATIENCE, retry_until, stopped_or_after};

/// Everything that is run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) runnable: Arc<Runnable>,
    /// JSON.
    pub(crate) input: String,
}

/// What the step needs.
pub(crate) struct Preparer {
    pub(crate) catalog: Catalog,
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
}

impl Preparer {
    /// Fetches what is not remembered.
    pub(crate) async fn prepare(&self, request: &ExecutionRequest) -> Result<Prepared, Unprepared> {
        let runnable = self.runnable(request).await?;
        if let Some(error) = refused_network(&runnable.config, self.allow_network) {
            return Err(Unprepared::Never(error));
        }
        let input = self.input(request).await?;
        Ok(Prepared { runnable, input })
    }

    async fn runnable(&self, request: &ExecutionRequest) -> Result<Arc<Runnable>, Unprepared> {
        let read = || self.catalog.runnable(request);
        let may_pass = |error: &CatalogError| matches!(error, CatalogError::Store(error) if error.may_pass());
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        retry_until("read what is to run", give_up, may_pass, read).await.map_err(|error| match error {
            RetryError::GaveUp => Unprepared::GaveUp,
            RetryError::Permanent(error) => {
                Unprepared::Never(ExecutionError::new(ErrorKind::NotFound, error.to_string()))
            }
        })
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

/// Why the function is not run here, if it wants the network and this fleet does not allow it.
pub(crate) fn refused_network(config: &FunctionConfig, is_allowed: bool) -> Option<ExecutionError> {
    let message = "the function's config has \"network\": true, which this fleet does not allow; \
                   its operator can set BADLAMBDA_ALLOW_NETWORK=true";
    (config.network && !is_allowed).then(|| ExecutionError::new(ErrorKind::BadMessage, message))
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
