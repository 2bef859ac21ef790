//! Which versions of layers a function runs with, as its configuration names them.

use badlambda_shared::function::layer::{Layer, LayerVersion};
use badlambda_shared::function::name::LayerName;
use badlambda_shared::limits::MAX_LAYERS;

use super::names::{LAYER_VERSION_ARN, LayerArn};
use super::{shown, stored};
use crate::app::App;
use crate::lambda::checks::{Checks, list, must_match};
use crate::lambda::errors::{Refusal, WireError};

/// Notes what does not satisfy the model.
pub(crate) fn check_arns(arns: &[String], checks: &mut Checks) {
    if !arns.iter().all(|arn| (LAYER_VERSION_ARN.matches)(arn)) {
        let constraint = format!(
            "Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length \
             greater than or equal to 1, {}, Member must not be null]",
            must_match(LAYER_VERSION_ARN)
        );
        checks.fail(list(arns), "layers", constraint);
    }
}

/// The versions that these ARNs name, in their order, with all that a function keeps of them.
pub(crate) async fn choose(app: &App, arns: &[String]) -> Result<Vec<Layer>, WireError> {
    if arns.len() > MAX_LAYERS {
        return Err(Refusal::invalid(format!("Cannot reference more than {MAX_LAYERS} layers.")).into());
    }
    let mut chosen: Vec<(LayerName, Layer)> = vec![];
    for arn in arns {
        let (name, version) = find(app, arn).await?;
        if let Some((_, other)) = chosen.iter().find(|(known, _)| *known == name) {
            return Err(Refusal::invalid(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {} and \
                 {arn} are versions of the same layer.",
                other.arn
            ))
            .into());
        }
        let arn = shown::version_arn(&app.account, &name, version.version);
        let zip = version.zip;
        let (code_sha256, code_bytes, unpacked_bytes) = (zip.code_sha256, zip.code_bytes, zip.unpacked_bytes);
        chosen.push((name, Layer { arn, code_sha256, code_bytes, unpacked_bytes }));
    }
    Ok(chosen.into_iter().map(|(_, layer)| layer).collect())
}

async fn find(app: &App, arn: &str) -> Result<(LayerName, LayerVersion), WireError> {
    let missing = || WireError::from(Refusal::invalid(format!("Layer version {arn} does not exist.")));
    // One of AWS's own has another form.
    let parsed = LayerArn::parse(arn).ok_or_else(missing)?;
    let (account, region) = (&app.account, &app.account.region);
    if parsed.account == account.id && parsed.region != *region {
        return Err(Refusal::invalid(format!(
            "Layers are not in the same region as the function. Layers are expected to be in region {region}."
        ))
        .into());
    }
    let (layer, number) = parsed.layer(account).zip(parsed.number()).ok_or_else(missing)?;
    let version = stored::version(app, &layer, number).await?.ok_or_else(missing)?;
    Ok((layer, version))
}
