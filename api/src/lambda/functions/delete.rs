//! DeleteFunction, of a function as a whole or of one version.

use badlambda_shared::function::UNPUBLISHED;
use badlambda_shared::function::name::VersionRef;
use badlambda_shared::limits;

use super::latest::unpublish;
use crate::functions::routes::remove;
use crate::functions::versions::delete_version;
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError, no_function};
use crate::lambda::names::{ALIAS_NAME, Asked, Form, Qualified};
use crate::lambda::response::{Answer, WireResult};

/// Deletes it. A version that is not there is deleted already.
pub(crate) async fn delete(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let number = match (&asked.qualifier, asked.qualified()) {
        (None, _) => None,
        (Some(_), Qualified::Latest) => {
            let message = "$LATEST version cannot be deleted without deleting the function.";
            return Err(Refusal::invalid(message).into());
        }
        (Some(_), Qualified::Ref(VersionRef::Number(number))) => Some(number),
        // A number too large for any version is as good as deleted.
        (Some(qualifier), _) if qualifier.bytes().all(|byte| byte.is_ascii_digit()) => Some(UNPUBLISHED),
        (Some(qualifier), _) if (ALIAS_NAME.matches)(qualifier) => {
            return Err(Refusal::invalid("Deletion of aliases is not currently supported.").into());
        }
        (Some(_), _) => return Err(no_function(asked.function_arn())),
    };
    match number {
        None => delete_all(&call, &asked).await?,
        Some(number) => delete_one(&call, &asked, number).await?,
    }
    Ok(Answer::Done)
}

async fn delete_all(call: &Call, asked: &Asked) -> Result<(), WireError> {
    let function = call.named(asked, asked.function_arn())?;
    match remove::<ApiError>(&call.app, &function, |_| Ok(())).await {
        Err(ApiError::FunctionNotFound(_)) => Err(no_function(asked.function_arn())),
        removed => Ok(removed?),
    }
}

async fn delete_one(call: &Call, asked: &Asked, number: u32) -> Result<(), WireError> {
    let current = call.manifest(asked, asked.function_arn()).await?;
    delete_version(&call.app, &current.manifest.name, number, |manifest| {
        if !manifest.has(number) {
            return Ok(None);
        }
        if manifest.has_alias_of(number) {
            let arn = asked.arn();
            let message = format!(
                "The version can't be deleted, since an alias points at it or gives it a share: {arn}"
            );
            return Err(Refusal::conflict(message).into());
        }
        let mut without = unpublish(manifest, number);
        without.delete_version(number);
        if without.deleted_versions.len() > limits::MAX_DELETED_VERSIONS {
            return Err(WireError::Api(ApiError::TooManyDeletedVersions));
        }
        Ok(Some(without))
    })
    .await
}
