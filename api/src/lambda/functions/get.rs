//! GetFunction and GetFunctionConfiguration.

use serde_json::json;

use super::code::code_key;
use super::configuration::{Shown, configuration};
use super::find::find;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::names::Form;
use crate::lambda::response::{Answer, WireResult};

/// Shows a function, and where its code can be fetched without credentials.
pub(crate) async fn get(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let found = find(&call, &asked, &asked.arn()).await?;
    let key = code_key(&call.app, &found.latest().content);
    let location = call.app.store.presign(&key).await?.url;
    let mut shown = json!({
        "Configuration": configuration(&call.app.account, &found, &asked.arn(), Shown::Alone),
        "Code": {"RepositoryType": "S3", "Location": location},
    });
    if let Some(lambda) = &found.manifest.lambda {
        if !lambda.tags.is_empty() {
            shown["Tags"] = json!(lambda.tags);
        }
        if let Some(reserved) = lambda.reserved_concurrency {
            shown["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
        }
    }
    Ok(Answer::Shown(shown))
}

/// Shows a function's configuration.
pub(crate) async fn get_configuration(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let found = find(&call, &asked, &asked.arn()).await?;
    Ok(Answer::Shown(configuration(&call.app.account, &found, &asked.arn(), Shown::Alone)))
}
