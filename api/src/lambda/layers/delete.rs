//! DeleteLayerVersion.

use super::{names, stored};
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::WireError;
use crate::lambda::response::{Answer, WireResult};

/// Deletes a version, if there is one. Functions that have it keep it, and its zip stays for them.
pub(crate) async fn delete(call: Call) -> WireResult {
    let layer = names::layer(&call, Checks::default())?;
    let number = names::number(&call)?;
    may_change(&call)?;
    if let Some(number) = number {
        stored::delete(&call.app, &layer, number).await?;
    }
    Ok(Answer::Done)
}

/// A layer is no function's, so that a token for some functions must not change any.
pub(super) fn may_change(call: &Call) -> Result<(), WireError> {
    match call.caller.functions() {
        Some(_) => Err(ApiError::FunctionNotAllowed.into()),
        None => Ok(()),
    }
}
