//! What an execution needs before it can run: its version, its code, its input.

use std::sync::Arc;

use badlambda_shared::catalog::CatalogError;
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::function::Version;
use badlambda_shared::id::Origin;
use badlambda_shared::message::{ExecutionRequest, Input, depth_is_bounded};

use crate::Worker;
use crate::patience::{Unmet, patiently};

/// Everything that is run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) version: Arc<Version>,
    pub(crate) code: Arc<str>,
    pub(crate) input: String,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum Unprepared {
    /// There never will be.
    Never(ExecutionError),
    /// The worker stops.
    Stopping,
}

impl<E: ToString> From<Unmet<E>> for Unprepared {
    fn from(unmet: Unmet<E>) -> Self {
        match unmet {
            Unmet::Stopped => Self::Stopping,
            Unmet::Never(error) => Self::Never(ExecutionError::new(ErrorKind::NotFound, error.to_string())),
        }
    }
}

/// Fetches what is not remembered. An outage is waited for until the worker stops.
pub(crate) async fn prepare(worker: &Worker, request: &ExecutionRequest) -> Result<Prepared, Unprepared> {
    let may_pass = |error: &CatalogError| matches!(error, CatalogError::Store(error) if error.may_pass());
    let catalog = &worker.catalog;
    let resolve = || catalog.resolve(&request.function, request.version.as_ref());
    let version = patiently("read a function's version", &worker.stop, may_pass, resolve).await?;
    if version.config.network && !worker.config.sandbox.executor.network {
        let message = "the function's config has \"network\": true, which this fleet does not allow; \
                       its operator can set BADLAMBDA_ALLOW_NETWORK=true";
        return Err(bad_message(message));
    }
    let input = input(worker, request).await?;
    let code = patiently("read a function's code", &worker.stop, may_pass, || catalog.code(&version)).await?;
    Ok(Prepared { version, code, input })
}

async fn input(worker: &Worker, request: &ExecutionRequest) -> Result<String, Unprepared> {
    let most = worker.config.shared.max_input_bytes;
    let key = match &request.input {
        Input::Inline(json) if json.get().len() as u64 > most => {
            return Err(bad_message(&format!("the input is larger than {most} bytes")));
        }
        Input::Inline(json) => return Ok(json.get().to_owned()),
        Input::Stored(key) => key,
    };
    // Any other key would let a producer read what is not theirs.
    if *key != worker.store.keys().input(&request.function, &request.id) {
        return Err(bad_message("`input_key` is not the key of this execution's input"));
    }
    let get = || worker.store.get(key, most);
    let object = match patiently("read an input", &worker.stop, |error| error.may_pass(), get).await {
        Ok(object) => object,
        Err(Unmet::Stopped) => return Err(Unprepared::Stopping),
        Err(Unmet::Never(error)) => return Err(bad_message(&format!("the input can't be read: {error}"))),
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
