//! GetLayerVersion and GetLayerVersionByArn.

use badlambda_shared::function::name::LayerName;

use super::names::{self, LAYER_VERSION_ARN, LayerArn};
use super::{shown, stored};
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::response::{Answer, WireResult};

const LONGEST_ARN: usize = 2048;

/// Shows a version of the layer that the path names.
pub(crate) async fn get(call: Call) -> WireResult {
    let layer = names::layer(&call, Checks::default())?;
    let number = names::number(&call)?;
    show(&call, Some(layer), number).await
}

/// Shows the version whose ARN the query says.
pub(super) async fn get_by_arn(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let Some(arn) = call.query("Arn") else {
        checks.missing("arn");
        checks.finish()?;
        return Err(Refusal::invalid("Arn is missing").into());
    };
    checks.length(arn, "arn", 1..=LONGEST_ARN);
    checks.pattern(arn, "arn", LAYER_VERSION_ARN);
    checks.finish()?;
    let arn = LayerArn::parse(arn);
    let layer = arn.and_then(|arn| arn.layer(&call.app.account));
    show(&call, layer, arn.and_then(|arn| arn.number())).await
}

async fn show(call: &Call, layer: Option<LayerName>, number: Option<u32>) -> WireResult {
    let missing = || WireError::from(Refusal::resource_not_found());
    let (layer, number) = layer.zip(number).ok_or_else(missing)?;
    let version = stored::version(&call.app, &layer, number).await?.ok_or_else(missing)?;
    Ok(Answer::Shown(shown::whole(&call.app, &layer, &version).await?))
}
