//! A layer's version, as AWS Lambda shows it.

use badlambda_shared::function::CodeType;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::layer::LayerVersion;
use badlambda_shared::function::name::LayerName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::lambda::errors::WireError;
use crate::lambda::functions::written;

pub(super) fn version_arn(account: &Account, layer: &LayerName, number: u32) -> String {
    format!("{}:{number}", account.layer_arn(layer.as_str()))
}

/// By itself, with where its zip can be fetched without credentials.
pub(super) async fn whole(app: &App, layer: &LayerName, version: &LayerVersion) -> Result<Value, WireError> {
    let zip = &version.zip;
    let location = app.store.presign(&app.store.keys().code(&zip.code_sha256, CodeType::Zip)).await?.url;
    let sha256 = STANDARD.encode(hex::decode(&zip.code_sha256).unwrap_or_default());
    let mut shown = members(&app.account, layer, version);
    shown.insert("LayerArn".to_owned(), json!(app.account.layer_arn(layer.as_str())));
    let content = json!({"Location": location, "CodeSha256": sha256, "CodeSize": zip.code_bytes});
    shown.insert("Content".to_owned(), content);
    Ok(Value::Object(shown))
}

/// In a list.
pub(super) fn listed(account: &Account, layer: &LayerName, version: &LayerVersion) -> Value {
    Value::Object(members(account, layer, version))
}

fn members(account: &Account, layer: &LayerName, version: &LayerVersion) -> Map<String, Value> {
    let said = [
        ("CompatibleRuntimes", version.runtimes.as_ref().map(|runtimes| json!(runtimes))),
        ("CompatibleArchitectures", version.architectures.as_ref().map(|list| json!(list))),
        ("LicenseInfo", version.license.as_ref().map(|license| json!(license))),
    ];
    let always = [
        ("LayerVersionArn", json!(version_arn(account, layer, version.version))),
        ("Version", json!(version.version)),
        ("Description", json!(version.description)),
        ("CreatedDate", json!(written(version.created_at))),
    ];
    let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
    always.into_iter().chain(said).map(|(name, value)| (name.to_owned(), value)).collect()
}
