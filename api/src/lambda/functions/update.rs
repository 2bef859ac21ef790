//! UpdateFunctionCode and UpdateFunctionConfiguration, which change `$LATEST`.

use axum::body::Body;
use badlambda_shared::aws::store::Written;
use badlambda_shared::function::{CodeType, Compatibility, FunctionConfig, Manifest, RevisionContent};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::code::{CodeRequest, draft, reconfigured};
use super::configuration::{Shown, configuration, handler};
use super::create::{MOST_BYTES, check_architectures};
use super::find::Found;
use super::latest::{Latest, revision_id};
use super::request::ConfigurationRequest;
use super::take_members;
use crate::app::App;
use crate::functions::manifest;
use crate::functions::publish::{store_draft, store_revision};
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::names::{Asked, Form};
use crate::lambda::response::{Answer, WireResult};
use crate::lambda::versions::publish_latest;

/// Bytes of a request without code.
const MOST_CONFIGURATION_BYTES: usize = 256 * 1024;

/// What UpdateFunctionCode takes beside the code.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
}

/// What UpdateFunctionConfiguration takes beside the configuration.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    revision_id: Option<String>,
}

/// Replaces the code of `$LATEST`.
pub(crate) async fn update_code(call: Call, body: Body) -> WireResult {
    let (mut body, _permit): (Value, _) = call.json(body, "UpdateFunctionCode", MOST_BYTES).await?;
    let members: Members = take_members(&mut body, &["Publish", "DryRun", "RevisionId", "Architectures"])?;
    let code: CodeRequest = take_members(&mut body, &[])?;
    let mut checks = Checks::default();
    code.check_model(&mut checks);
    check_architectures(members.architectures.as_deref(), &mut checks);
    let asked = latest_alone(call.asked_alone(Form::Changes, checks)?)?;
    call.manifest(&asked, asked.function_arn()).await?;
    let architecture = members.architectures.and_then(|list| list.first().cloned());
    let edit = Edit::Code { zip: code.zip(&call.app).await?, architecture, dry_run: members.dry_run };
    let of = Change { call: &call, asked: &asked, revision_id: members.revision_id.as_deref() };
    let manifest = of.make(&edit).await?;
    if members.publish && !members.dry_run {
        let published = publish_latest(&call, &asked, &Default::default()).await?;
        return Ok(Answer::Shown(published));
    }
    Ok(Answer::Shown(shown(&call, manifest, &asked)))
}

/// Replaces what the request names of the configuration of `$LATEST`.
pub(crate) async fn update_configuration(call: Call, body: Body) -> WireResult {
    let operation = "UpdateFunctionConfiguration";
    let (mut body, _permit): (Value, _) = call.json(body, operation, MOST_CONFIGURATION_BYTES).await?;
    let condition: Condition = take_members(&mut body, &["RevisionId"])?;
    let request: ConfigurationRequest = take_members(&mut body, &[])?;
    let mut checks = Checks::default();
    request.check_model(&mut checks);
    let asked = latest_alone(call.asked_alone(Form::Changes, checks)?)?;
    let of = Change { call: &call, asked: &asked, revision_id: condition.revision_id.as_deref() };
    let manifest = of.make(&Edit::Configuration(Box::new(request))).await?;
    Ok(Answer::Shown(shown(&call, manifest, &asked)))
}

fn shown(call: &Call, manifest: Manifest, asked: &Asked) -> Value {
    let found = Found { manifest, version: None };
    configuration(&call.app.account, &found, &asked.arn(), Shown::Alone)
}

/// Versions never change, and aliases are changed elsewhere.
pub(crate) fn latest_alone(asked: Asked) -> Result<Asked, Refusal> {
    match asked.qualifier.as_deref() {
        None | Some(crate::lambda::names::LATEST) => Ok(asked),
        Some(_) => Err(unqualified_only()),
    }
}

pub(crate) fn unqualified_only() -> Refusal {
    Refusal::invalid(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please \
         specify either a function name or an unqualified function ARN.",
    )
}

/// What is to become of `$LATEST`.
enum Edit {
    Code { zip: Vec<u8>, architecture: Option<String>, dry_run: bool },
    Configuration(Box<ConfigurationRequest>),
}

impl Edit {
    fn is_dry_run(&self) -> bool {
        matches!(self, Self::Code { dry_run: true, .. })
    }

    /// What becomes of the `$LATEST` of `manifest`. Its code and its revision are stored.
    async fn stored(&self, app: &App, manifest: &Manifest) -> Result<Latest, WireError> {
        let Latest { content, mut settings } = Latest::of(manifest);
        let Manifest { name, created_at, .. } = manifest;
        let content = match self {
            Self::Code { zip, architecture, dry_run } => {
                let draft = draft(zip.clone(), config_for_zip(content)).await?;
                if !dry_run {
                    store_draft(app, &draft, name, *created_at).await?;
                }
                settings.architecture = architecture.clone().or(settings.architecture);
                draft.content
            }
            Self::Configuration(request) => {
                request.check_values()?;
                let mut config = content.config.clone();
                request.apply(&mut config, &mut settings);
                request.apply_layers(app, &mut config).await?;
                let content = reconfigured(app, content, config).await?;
                store_revision(app, &content, name, *created_at).await?;
                content
            }
        };
        Ok(Latest { content, settings })
    }
}

/// The config of code that a zip replaces. A Ruby file is run in this system's own way; a zip that comes by this API is
/// run in AWS Lambda's.
fn config_for_zip(content: RevisionContent) -> FunctionConfig {
    match content.code_type {
        CodeType::Zip => content.config,
        CodeType::Ruby => FunctionConfig {
            handler: Some(handler(content.config.handler.as_deref())),
            compatibility: Compatibility::Lambda,
            ..content.config
        },
    }
}

struct Change<'a> {
    call: &'a Call,
    asked: &'a Asked,
    revision_id: Option<&'a str>,
}

impl Change<'_> {
    /// Edits `$LATEST`. Starts again where another change comes between.
    async fn make(&self, edit: &Edit) -> Result<Manifest, WireError> {
        let (app, missing) = (&self.call.app, self.asked.function_arn());
        let mut delays = manifest::delays();
        let mut tried: Option<Manifest> = None;
        for _ in 0..limits::PUBLISH_TRIES {
            let current = self.call.manifest(self.asked, missing).await?;
            // A write may have happened though its answer was lost.
            if let Some(tried) = tried.take_if(|tried| current.manifest == *tried) {
                return Ok(tried);
            }
            if self.revision_id.is_some_and(|known| known != revision_id(&current.manifest)) {
                return Err(Refusal::other_revision_id().into());
            }
            let latest = edit.stored(app, &current.manifest).await?;
            let wanted = latest.put_into(&current.manifest, Timestamp::now());
            if edit.is_dry_run() {
                return Ok(wanted);
            }
            if let Written::Stored(_) = manifest::replace(app, Some(&current), &wanted).await? {
                return Ok(wanted);
            }
            tried = Some(wanted);
            tokio::time::sleep(delays.next_delay()).await;
        }
        Err(ApiError::ConcurrentChange(self.call.named(self.asked, missing)?).into())
    }
}
