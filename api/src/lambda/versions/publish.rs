//! PublishVersion: gives `$LATEST` a number, and the same thing only once.

use axum::body::Body;
use badlambda_shared::aws::store::Written;
use badlambda_shared::function::{Manifest, Version};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::functions::manifest;
use crate::functions::publish::take_number;
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::functions::{
    Found, Latest, Shown, configuration, is_numbered, latest_alone, new_change, revision_id, with_lambda,
};
use crate::lambda::names::{Asked, Form, qualified_arn};
use crate::lambda::response::{Answer, WireResult};

const MOST_BYTES: usize = 16 * 1024;

/// What PublishVersion takes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PublishRequest {
    description: Option<String>,
    #[serde(rename = "CodeSha256")]
    code_sha256: Option<String>,
    revision_id: Option<String>,
    publish_to: Option<String>,
}

/// Publishes `$LATEST`.
pub(crate) async fn publish(call: Call, body: Body) -> WireResult {
    let (request, _permit): (PublishRequest, _) = call.json(body, "PublishVersion", MOST_BYTES).await?;
    let mut checks = Checks::default();
    if let Some(description) = &request.description {
        checks.length(description, "description", 0..=256);
    }
    let asked = latest_alone(call.asked_alone(Form::Changes, checks)?)?;
    if request.publish_to.is_some() {
        return Err(Refusal::unsupported("PublishTo").into());
    }
    Ok(Answer::Created(publish_latest(&call, &asked, &request).await?))
}

/// Publishes `$LATEST`, and answers the version's configuration.
pub(crate) async fn publish_latest(
    call: &Call,
    asked: &Asked,
    request: &PublishRequest,
) -> Result<Value, WireError> {
    let app = &call.app;
    let missing = asked.function_arn();
    let mut delays = manifest::delays();
    let mut tried: Option<Manifest> = None;
    for _ in 0..limits::PUBLISH_TRIES {
        let current = call.manifest(asked, missing).await?;
        // A write may have happened though its answer was lost.
        if let Some(tried) = tried.take_if(|tried| current.manifest == *tried) {
            return Ok(shown(call, tried));
        }
        request.check(&current.manifest)?;
        if is_numbered(&current.manifest) {
            return Ok(shown(call, current.manifest));
        }
        let version = take_number(app, request.next_version(&current.manifest)).await?;
        let mut wanted = with_lambda(&current.manifest, |lambda| lambda.change = new_change());
        (wanted.latest, wanted.unpublished, wanted.updated_at) = (version, None, Timestamp::now());
        if let Written::Stored(_) = manifest::replace(app, Some(&current), &wanted).await? {
            return Ok(shown(call, wanted));
        }
        tried = Some(wanted);
        tokio::time::sleep(delays.next_delay()).await;
    }
    Err(ApiError::ConcurrentChange(call.named(asked, missing)?).into())
}

/// The latest version.
fn shown(call: &Call, manifest: Manifest) -> Value {
    let version = manifest.latest.clone();
    let number = version.version.to_string();
    let arn = qualified_arn(&call.app.account, manifest.name.as_str(), &number);
    let found = Found { manifest, version: Some(version.into()) };
    configuration(&call.app.account, &found, &arn, Shown::Alone)
}

impl PublishRequest {
    fn check(&self, manifest: &Manifest) -> Result<(), Refusal> {
        if self.revision_id.as_ref().is_some_and(|known| *known != revision_id(manifest)) {
            return Err(Refusal::other_revision_id());
        }
        let Some(given) = &self.code_sha256 else { return Ok(()) };
        let sha256 = hex::decode(Latest::of(manifest).content.code_sha256).unwrap_or_default();
        let current = STANDARD.encode(sha256);
        if *given == current {
            return Ok(());
        }
        Err(Refusal::invalid(format!(
            "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the \
             CodeSHA256 in $LATEST."
        )))
    }

    fn next_version(&self, manifest: &Manifest) -> Version {
        let Latest { content, mut settings } = Latest::of(manifest);
        if let Some(description) = &self.description {
            settings.description.clone_from(description);
        }
        Version {
            function: manifest.name.clone(),
            version: manifest.next_number(),
            revision: content.revision(),
            content,
            created_at: Timestamp::now(),
            lambda: Some(Box::new(settings)),
        }
    }
}
