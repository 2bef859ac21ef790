//! AddLayerVersionPermission and its kin.

use crate::lambda::errors::Refusal;
use crate::lambda::response::WireResult;

/// Whoever may use this API may use its layers, so that there is nothing to permit.
pub(crate) async fn refuse() -> WireResult {
    Err(Refusal::unsupported("permissions of layer versions").into())
}
